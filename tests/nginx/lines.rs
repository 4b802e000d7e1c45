//! Reads the lines of nginx's log, so that two logs can be compared.

use std::collections::{BTreeMap, BTreeSet};

use crate::nginx::Nginx;

/// A line of the log, without its time.
struct Line {
    pid: i32,
    level: String,
    text: String,
}

/// All lines of the log of an nginx.
pub struct Lines(Vec<Line>);

impl Lines {
    pub fn read(nginx: &Nginx) -> Self {
        let directory = nginx.directory.display().to_string();

        Self::in_text(&nginx.log().replace(&directory, "DIRECTORY"))
    }

    pub fn in_text(text: &str) -> Self {
        Self(text.lines().filter_map(Line::parse).collect())
    }

    /// The different lines, without their order and number. Each number in a
    /// line, also a negative one, is replaced by `N`.
    pub fn set(&self) -> BTreeSet<String> {
        self.0.iter().map(Line::without_numbers).collect()
    }

    /// The lines of level alert and above, and the lines about an exit code
    /// other than 0.
    pub fn severe(&self) -> BTreeSet<String> {
        self.0
            .iter()
            .filter(|line| line.is_severe())
            .map(Line::without_numbers)
            .collect()
    }

    /// For each process, in the order in which the processes were started: its
    /// lines that begin with one of `beginnings`. Numbers are replaced, except
    /// for slots.
    pub fn sequences(&self, beginnings: &[&str]) -> BTreeMap<usize, Vec<String>> {
        let mut all = BTreeMap::<usize, Vec<String>>::new();
        let places = self.places();

        for line in &self.0 {
            let text = with_slots(&line.text);

            if beginnings
                .iter()
                .any(|&beginning| text.starts_with(beginning))
                && let Some(&place) = places.get(&line.pid)
            {
                all.entry(place).or_default().push(text);
            }
        }

        all
    }

    /// The pid of the master and of each process that it has started, with the
    /// position of the process in the order of starts.
    fn places(&self) -> BTreeMap<i32, usize> {
        let started = self.0.iter().filter_map(|line| {
            let (what, pid) = line.text.rsplit_once(' ')?;

            (what.starts_with("start ") && what.ends_with(" process"))
                .then(|| pid.parse().ok())
                .flatten()
        });

        self.0
            .first()
            .map(|line| line.pid)
            .into_iter()
            .chain(started)
            .zip(0..)
            .collect()
    }
}

impl Line {
    /// Parses a line such as `2026/01/31 12:00:00 [level] 1#1: *1 text`. `*1`
    /// is the number of a connection, and can be missing.
    fn parse(line: &str) -> Option<Self> {
        let (_, rest) = line.split_once(" [")?;
        let (level, rest) = rest.split_once("] ")?;
        let (ids, text) = rest.split_once(": ")?;

        Some(Self {
            pid: ids.split_once('#')?.0.parse().ok()?,
            level: format!("[{level}]"),
            text: text.to_string(),
        })
    }

    fn without_numbers(&self) -> String {
        format!("{} {}", self.level, without_numbers(&self.text))
    }

    fn is_severe(&self) -> bool {
        let failed = || {
            self.text
                .split_once(" exited with code ")
                .is_some_and(|(_, code)| code != "0")
        };

        matches!(self.level.as_str(), "[emerg]" | "[alert]" | "[crit]") || failed()
    }
}

/// Replaces each number in a text by `N`, and also each address of 16
/// hexadecimal digits.
fn without_numbers(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;

    while let Some(first) = rest.chars().next() {
        let digits = match length(rest, |c| c.is_ascii_hexdigit()) {
            16 => 16,
            _ => length(rest, |c| c.is_ascii_digit()),
        };

        if digits == 0 {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            out.push('N');
            rest = &rest[digits..];
        }
    }

    out
}

fn length(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.chars().take_while(|&c| belongs(c)).count()
}

/// Replaces each number in a text by `N`, except in words that name a slot,
/// such as `s:1`.
fn with_slots(text: &str) -> String {
    text.split(' ')
        .map(|word| match word.starts_with("s:") {
            true => word.to_string(),
            false => without_numbers(word),
        })
        .collect::<Vec<_>>()
        .join(" ")
}
