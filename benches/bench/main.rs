//! `make bench`: the library beside nginx's own C and beside bare system calls,
//! in one run. `benches/README.md` says how to read what comes out.
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
mod subjects;

use std::time::Instant;

use report::Report;

/// How much is to be done.
#[derive(Clone, Copy)]
pub struct Extent {
    pub short: bool,
}

impl Extent {
    /// So many rounds, in the short form fewer.
    pub fn rounds(self, full: usize) -> usize {
        if self.short { (full / 5).max(3) } else { full }
    }
}

/// The subjects in their order, and what runs them.
type Subject = (&'static str, fn(Extent, &mut Report));

const SUBJECTS: &[Subject] = &[
    ("channel", subjects::channel),
    ("spawn", subjects::spawn),
    ("execute", subjects::execute),
    ("mesh", subjects::mesh),
    ("shmem", subjects::shmem),
    ("nginx", nginx::run),
];

fn main() {
    // cargo adds "--bench".
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

        eprintln!("no subject \"{name}\", there are {}", known.join(", "));
        std::process::exit(2);
    }

    let extent = Extent {
        short: options.contains(&"--short"),
    };
    let begin = Instant::now();
    let mut report = Report::new();

    for (name, run) in SUBJECTS {
        if names.is_empty() || names.contains(name) {
            eprintln!("{name} ...");
            run(extent, &mut report);
        }
    }

    report.finish(begin.elapsed(), options.contains(&"--page"));
}
