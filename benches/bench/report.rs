//! Writes the results as a table, as JSON and as charts.

use std::fs;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::chart;
use crate::peers::{directory, root, run};
use crate::rows::{PEERS, Peer, Row, Spread};

pub struct Report {
    rows: Vec<Row>,
    notes: Vec<String>,
}

/// The lines of `benches/README.md` between which the results stand.
const BEGIN: &str = "<!-- results -->\n";
const END: &str = "<!-- end of results -->";

impl Report {
    pub fn new() -> Self {
        Self {
            rows: Vec::new(),
            notes: Vec::new(),
        }
    }

    pub fn add(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Adds a sentence that is printed below the tables.
    pub fn note(&mut self, text: String) {
        self.notes.push(text);
    }

    /// Prints the table, and writes the table, the values and the charts to
    /// `build/bench`. If `page` is true, also updates `benches/README.md` and
    /// the charts beside it.
    pub fn finish(&self, took: Duration, page: bool) {
        let table = self.table(took);

        print!("{table}");

        let directory = directory();
        let file = |name: &str, text: &str| {
            fs::write(directory.join(name), text).expect("a file in build/bench");
        };

        file("results.md", &table);
        file("results.json", &format!("{:#}", self.values()));

        let charts = chart::draw(&self.rows, &directory);

        if page {
            fill_page(&table);

            for chart in charts {
                let name = chart.file_name().expect("a name");
                fs::copy(&chart, root().join("benches").join(name)).expect("a copy");
            }
        }
    }

    fn table(&self, took: Duration) -> String {
        let mut text = format!("{}\n", machine());
        let mut subject = "";

        for row in &self.rows {
            if row.subject != subject {
                subject = row.subject;

                let other = Peer::Nginx.title(subject);

                text += &format!(
                    "\n| {subject} | {other} | library | floor | library / {other} | library / floor |\n\
                     | --- | ---: | ---: | ---: | --- | --- |\n"
                );
            }

            let [nginx, library, floor] = PEERS.map(|peer| {
                row.median(peer)
                    .map_or("–".into(), |value| row.unit.show(value))
            });

            text += &format!(
                "| {} | {nginx} | {library} | {floor} | {} | {} |\n",
                row.what,
                ratio(row.ratio_to(Peer::Nginx)),
                ratio(row.ratio_to(Peer::Floor)),
            );
        }

        for note in &self.notes {
            text += &format!("\n{note}\n");
        }

        text + &format!("\nThe run took {} s.\n", took.as_secs())
    }

    fn values(&self) -> Value {
        let rows: Vec<Value> = self
            .rows
            .iter()
            .map(|row| {
                let other = Peer::Nginx.title(row.subject);

                json!({
                    "subject": row.subject,
                    "what": row.what,
                    "n": row.n,
                    "unit": row.unit.name(),
                    other: row.of(Peer::Nginx),
                    "library": row.of(Peer::Library),
                    "floor": row.of(Peer::Floor),
                    format!("library/{other}"): row.ratio_to(Peer::Nginx).map(|spread| spread.median),
                    "library/floor": row.ratio_to(Peer::Floor).map(|spread| spread.median),
                })
            })
            .collect();

        json!({ "machine": machine(), "notes": self.notes, "rows": rows })
    }
}

/// The median of the ratios, and the range of the middle half of them.
fn ratio(spread: Option<Spread>) -> String {
    match spread {
        None => "–".into(),
        Some(Spread { low, median, high }) if low == high => format!("**{median:.2}**"),
        Some(Spread { low, median, high }) => format!("**{median:.2}** ({low:.2}–{high:.2})"),
    }
}

/// The date, the kernel, the processor and the version of the library, for the
/// head of the table.
fn machine() -> String {
    let said = |program: &str, arguments: &[&str]| {
        run(Command::new(program).args(arguments))
            .trim()
            .to_string()
    };
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor = info
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("an unknown processor", |(_, name)| name);
    let n = std::thread::available_parallelism().map_or(0, usize::from);

    format!(
        "These results are from {}: library {} and nginx 1.28.3, on Linux {} \
         with {n} processors ({processor}).",
        said("date", &["-u", "+%Y-%m-%d"]),
        env!("CARGO_PKG_VERSION"),
        said("uname", &["-r"]),
    )
}

fn fill_page(table: &str) {
    let path = root().join("benches/README.md");
    let page = fs::read_to_string(&path).expect("the page");
    let (before, rest) = page.split_once(BEGIN).expect("where the results begin");
    let (_, after) = rest.split_once(END).expect("where the results end");

    fs::write(path, format!("{before}{BEGIN}\n{table}\n{END}{after}")).expect("the page");
}
