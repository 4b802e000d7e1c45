//! The benchmark of `make bench`: compares the library with nginx's own C code
//! and with bare system calls. `benches/README.md` explains the results.
//!
//!     cargo bench --bench bench -- [--short] [--page] [SUBJECT...]

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs
)]

mod calls;
mod chart;
mod driver;
mod instructions;
mod nginx;
mod peers;
mod report;
mod rows;
mod server;
mod subjects;

use std::time::Instant;

use report::Report;

/// Says whether the benchmark is the full or the short one.
#[derive(Clone, Copy)]
pub struct Extent {
    pub short: bool,
}

impl Extent {
    /// The number of rounds: `full`, or a fifth of it in the short benchmark,
    /// but at least 3.
    pub fn rounds(self, full: usize) -> usize {
        if self.short { (full / 5).max(3) } else { full }
    }
}

/// The name of a subject, and the function that measures it.
type Subject = (&'static str, fn(Extent, &mut Report));

const SUBJECTS: &[Subject] = &[
    ("channel", subjects::channel),
    ("spawn", subjects::spawn),
    ("execute", subjects::execute),
    ("mesh", subjects::mesh),
    ("shmem", subjects::shmem),
    ("slab", subjects::slab),
    ("locks", subjects::locks),
    ("counters", subjects::counters),
    ("nginx", nginx::run),
    ("server", server::measure),
];

/// `make bench` without a subject does not measure these.
const ONLY_BY_NAME: &[&str] = &["server"];

fn main() {
    // cargo adds the argument "--bench", which this program does not have.
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    let (options, names): (Vec<_>, Vec<_>) = arguments
        .iter()
        .map(String::as_str)
        .partition(|argument| argument.starts_with("--"));

    if let Some(name) = names
        .iter()
        .find(|name| !SUBJECTS.iter().any(|(subject, _)| subject == *name))
    {
        let known: Vec<_> = SUBJECTS.iter().map(|(subject, _)| *subject).collect();

        eprintln!(
            "no subject \"{name}\", the subjects are {}",
            known.join(", ")
        );
        std::process::exit(2);
    }

    let extent = Extent {
        short: options.contains(&"--short"),
    };
    let begin = Instant::now();
    let mut report = Report::new();

    for (name, run) in SUBJECTS {
        if names.contains(name) || names.is_empty() && !ONLY_BY_NAME.contains(name) {
            eprintln!("{name} ...");
            run(extent, &mut report);
        }
    }

    report.finish(begin.elapsed(), options.contains(&"--page"));
}
