//! Measures the messages of `src/message/` beside other ways from one process to
//! another: a bare ring in shared memory, which is the floor, sockets, and a
//! message as nginx's channel sends it.
//!
//!     cargo bench --profile release --bench messages -- [--short] [TEXT...]
//!
//! Each row is measured in many short rounds, in which all ways take turns. The
//! sender runs on the first processor and the receiver on the second one. The
//! table shows the medians of the rounds and, for round trips, percentiles of the
//! single trips. The second number is the ratio to the first way of the row.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs,
    unsafe_code
)]

mod lanes;
mod process;
mod ring;
mod sockets;
mod wake;

/// One way to do something: its name, and a function that does it `n` times and
/// returns the nanoseconds of one time.
type Way = (&'static str, fn(usize) -> f64);

struct Row {
    what: &'static str,
    n: usize,
    ways: &'static [Way],
}

const ROWS: &[Row] = &[
    Row {
        what: "64 B one way, polling",
        n: 40_000,
        ways: &[
            ("lanes", |n| lanes::one_way(n, 64, 1)),
            ("lanes, 2 senders", |n| lanes::one_way(n, 64, 2)),
            ("lanes, 4 senders", |n| lanes::one_way(n, 64, 4)),
            ("ring", |n| ring::one_way(n, 64)),
            ("SEQPACKET", |n| {
                sockets::one_way(n / 8, 64, sockets::SEQPACKET)
            }),
            ("nginx's channel", |n| sockets::nginx_one_way(n / 8)),
        ],
    },
    Row {
        what: "64 B round trip, polling",
        n: 5000,
        ways: &[
            ("lanes", lanes::round_trip),
            ("ring", ring::round_trip),
            ("cache line", ring::bounce),
            ("SEQPACKET", sockets::round_trip),
        ],
    },
    Row {
        what: "round trip, both asleep",
        n: 1000,
        ways: &[
            ("lanes", lanes::asleep),
            ("eventfd", wake::eventfd),
            ("socketpair", wake::socketpair),
        ],
    },
    Row {
        what: "reply, looking for 5 µs before sleep",
        n: 2000,
        ways: &[("lanes", lanes::spinning)],
    },
    Row {
        what: "64 KiB one way",
        n: 1000,
        ways: &[
            ("lanes", |n| lanes::one_way(n, 65_536, 1)),
            ("ring", |n| ring::one_way(n, 65_536)),
            ("SEQPACKET", |n| {
                sockets::one_way(n, 65_536, sockets::SEQPACKET)
            }),
        ],
    },
    Row {
        what: "1 MiB one way",
        n: 60,
        ways: &[
            ("lanes", |n| lanes::one_way(n, 1 << 20, 1)),
            ("ring", |n| ring::one_way(n, 1 << 20)),
            ("stream", |n| sockets::one_way(n, 1 << 20, sockets::STREAM)),
        ],
    },
    Row {
        what: "broadcast of 64 B to 500, for each",
        n: 40,
        ways: &[
            ("lanes", lanes::broadcast),
            ("nginx's channels", sockets::nginx_broadcast),
        ],
    },
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let is_short = arguments.iter().any(|argument| argument == "--short");
    let wanted: Vec<_> = arguments
        .iter()
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    let rounds = if is_short { 7 } else { 41 };

    for row in ROWS {
        if wanted.is_empty() || wanted.iter().any(|text| row.what.contains(text.as_str())) {
            print(row, rounds);
        }
    }
}

fn print(row: &Row, rounds: usize) {
    let mut values = vec![Vec::new(); row.ways.len()];
    let mut trips = vec![Vec::new(); row.ways.len()];

    for round in 0..=rounds {
        for index in 0..row.ways.len() {
            let index = (index + round) % row.ways.len();
            let value = (row.ways[index].1)(row.n);
            let each = process::take_trips();

            // The first round fills caches.
            if round > 0 {
                values[index].push(value);
                trips[index].extend(each);
            }
        }
    }

    let first = median(&values[0]);

    println!("{}", row.what);

    for (((name, _), values), trips) in row.ways.iter().zip(&values).zip(&mut trips) {
        let median = median(values);

        println!(
            "  {name:<20} {median:>10.1} ns   {:>6.2} ×{}",
            median / first,
            percentiles(trips)
        );
    }
}

/// The percentiles of the single round trips, if there are any.
fn percentiles(trips: &mut [u64]) -> String {
    if trips.is_empty() {
        return String::new();
    }

    trips.sort_unstable();

    let at = |part: f64| trips[((trips.len() - 1) as f64 * part) as usize];

    format!(
        "   p50 {} ns, p99 {} ns, p99.9 {} ns",
        at(0.5),
        at(0.99),
        at(0.999)
    )
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();

    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
