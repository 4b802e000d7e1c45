//! Rule: files do not import each other in a circle.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::Violation;
use crate::arrows::{Arrow, arrows};
use crate::tree::Tree;

type Graph<'a> = BTreeMap<&'a str, BTreeMap<&'a str, Arrow<'a>>>;

/// Returns one violation for each set of files that import one another. It
/// shows a shortest circle of these files, with the lines of the imports.
pub fn check(tree: &Tree) -> Vec<Violation> {
    let graph = graph(tree);
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let mut found = Vec::new();

    for file in graph.keys() {
        if seen.contains(file) {
            continue;
        }

        let component = component(&graph, file);

        if let Some(circle) = shortest(&graph, &component) {
            found.push(violation(&circle, &component));
        }
        seen.extend(component);
    }

    found
}

/// The graph of all imports, with one arrow for each pair of files.
fn graph(tree: &Tree) -> Graph<'_> {
    let mut graph = Graph::new();

    for arrow in arrows(tree) {
        graph
            .entry(arrow.from)
            .or_default()
            .entry(arrow.to)
            .or_insert(arrow);
    }

    graph
}

/// The files to which a file leads through imports, and which lead back to this
/// file.
fn component<'a>(graph: &Graph<'a>, file: &'a str) -> BTreeSet<&'a str> {
    reachable(graph, file)
        .into_iter()
        .filter(|other| reachable(graph, other).contains(file))
        .collect()
}

fn reachable<'a>(graph: &Graph<'a>, file: &str) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut waiting = vec![file];

    while let Some(file) = waiting.pop() {
        for &to in graph.get(file).into_iter().flat_map(BTreeMap::keys) {
            if found.insert(to) {
                waiting.push(to);
            }
        }
    }

    found
}

/// A shortest circle among these files; `None` if they do not import one
/// another.
fn shortest<'g, 'a>(
    graph: &'g Graph<'a>,
    component: &BTreeSet<&'a str>,
) -> Option<Vec<&'g Arrow<'a>>> {
    component
        .iter()
        .filter_map(|file| way_back(graph, file))
        .min_by_key(Vec::len)
}

/// The arrows of a shortest way from a file back to itself.
fn way_back<'g, 'a>(graph: &'g Graph<'a>, start: &str) -> Option<Vec<&'g Arrow<'a>>> {
    let mut came_by: BTreeMap<&str, &Arrow<'a>> = BTreeMap::new();
    let mut waiting = VecDeque::from([start]);

    while let Some(file) = waiting.pop_front() {
        for (to, arrow) in graph.get(file).into_iter().flatten() {
            if came_by.contains_key(to) {
                continue;
            }

            came_by.insert(to, arrow);
            waiting.push_back(to);
        }
    }

    let mut way = vec![*came_by.get(start)?];

    while let Some(arrow) = way.last()
        && arrow.from != start
    {
        way.push(came_by.get(arrow.from)?);
    }

    way.reverse();
    Some(way)
}

fn violation(circle: &[&Arrow<'_>], component: &BTreeSet<&str>) -> Violation {
    let rest: Vec<String> = circle[1..]
        .iter()
        .map(|arrow| format!("\n    src/{}:{} {}", arrow.from, arrow.line, arrow.text()))
        .collect();
    let mut what = format!("{}{}", circle[0].text(), rest.concat());

    if component.len() > circle.len() {
        let files: Vec<&str> = component.iter().copied().collect();

        what.push_str(&format!(
            "\n    ({} files are in circles with these: {})",
            files.len(),
            files.join(" ")
        ));
    }

    Violation::new(circle[0].from, circle[0].line, what)
}
