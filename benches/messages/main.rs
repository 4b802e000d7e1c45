//! Measures the messages of `src/message/` beside other ways from one process to
//! another: a bare ring in shared memory, which is the floor, other libraries, sockets,
//! and a message as nginx's channel sends it.
//!
//!     cargo bench --profile release --bench messages -- [--short] [--peers=PROGRAM] [TEXT...]
//!
//! PROGRAM is the program that `benches/messages/peers` builds. It measures other
//! libraries. Without it they are not measured. With a TEXT, only rows whose names
//! contain it are measured.
//!
//! Each row is measured in many short rounds, in which all ways take turns. The
//! sender runs on the first processor and the receiver on the second one. The
//! table shows the medians of the rounds or, for round trips, the median and the
//! percentiles of the single trips, and the median of the means of the rounds. The
//! second number is the ratio to the first way of the row.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs,
    unsafe_code
)]

mod idle;
mod lanes;
mod peers;
mod process;
mod ring;
mod sockets;
mod wake;

use ring::Kind;

/// One way to do something.
struct Way {
    name: &'static str,
    /// Does it a number of times, and returns the nanoseconds of one time.
    run: fn(usize) -> f64,
    /// Whether the program of the peers does it.
    is_peer: bool,
}

const fn way(name: &'static str, run: fn(usize) -> f64) -> Way {
    Way {
        name,
        run,
        is_peer: false,
    }
}

const fn peer(name: &'static str, run: fn(usize) -> f64) -> Way {
    Way {
        name,
        run,
        is_peer: true,
    }
}

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
            way("lanes", |n| lanes::one_way(n, 64, 1)),
            way("lanes, 2 senders", |n| lanes::one_way(n, 64, 2)),
            way("lanes, 4 senders", |n| lanes::one_way(n, 64, 4)),
            way("ring", |n| ring::one_way(n, 64, Kind::Bare)),
            way("ring, receiver may sleep", |n| {
                ring::one_way(n, 64, Kind::MaySleep)
            }),
            peer("iceoryx2", |n| {
                peers::measure("iceoryx2-one-way", n / 8, 64)
            }),
            peer("ipc-channel", |n| {
                peers::measure("ipc-channel-one-way", n / 16, 64)
            }),
            way("SEQPACKET", |n| {
                sockets::one_way(n / 8, 64, sockets::SEQPACKET)
            }),
            way("nginx's channel", |n| sockets::nginx_one_way(n / 8)),
        ],
    },
    Row {
        what: "512 B one way, polling",
        n: 16_000,
        ways: &[
            way("lanes", |n| lanes::one_way(n, 512, 1)),
            way("ring", |n| ring::one_way(n, 512, Kind::Bare)),
            way("ring, receiver may sleep", |n| {
                ring::one_way(n, 512, Kind::MaySleep)
            }),
        ],
    },
    Row {
        what: "4 KB one way, polling",
        n: 4000,
        ways: &[
            way("lanes", |n| lanes::one_way(n, 4000, 1)),
            way("ring", |n| ring::one_way(n, 4000, Kind::Bare)),
        ],
    },
    Row {
        what: "64 B round trip, polling",
        n: 5000,
        ways: &[
            way("lanes", lanes::round_trip),
            way("ring", ring::round_trip),
            way("two words, a line each", ring::two_lines),
            way("one word in one line", ring::bounce),
            peer("iceoryx2", |n| {
                peers::measure("iceoryx2-round-trip", n / 2, 64)
            }),
            peer("ipc-channel", |n| {
                peers::measure("ipc-channel-round-trip", n / 5, 64)
            }),
            way("SEQPACKET", |n| sockets::round_trip(n / 5)),
        ],
    },
    Row {
        what: "64 B round trip, both asleep",
        n: 500,
        ways: &[
            way("lanes", lanes::asleep),
            way("eventfd, a bare byte", wake::eventfd),
            way("socketpair, a bare byte", wake::socketpair),
            peer("iceoryx2", |n| peers::measure("iceoryx2-asleep", n, 64)),
            peer("ipc-channel", |n| {
                peers::measure("ipc-channel-asleep", n, 64)
            }),
        ],
    },
    Row {
        what: "64 B round trip, looking for a while before sleep",
        n: 2000,
        ways: &[
            way("5 µs, other one is busy", lanes::reply_of_a_busy_process),
            way("both 5 µs", |n| lanes::both_look(n, 5_000)),
            way("both 50 µs", |n| lanes::both_look(n, 50_000)),
        ],
    },
    Row {
        what: "64 KiB one way",
        n: 1000,
        ways: &[
            way("lanes", |n| lanes::one_way(n, 65_536, 1)),
            way("ring", |n| ring::one_way(n, 65_536, Kind::Bare)),
            peer("iceoryx2", |n| {
                peers::measure("iceoryx2-one-way", n, 65_536)
            }),
            way("SEQPACKET", |n| {
                sockets::one_way(n / 4, 65_536, sockets::SEQPACKET)
            }),
        ],
    },
    Row {
        what: "1 MiB one way",
        n: 60,
        ways: &[
            way("lanes", |n| lanes::one_way(n, 1 << 20, 1)),
            way("ring", |n| ring::one_way(n, 1 << 20, Kind::Bare)),
            peer("iceoryx2", |n| {
                peers::measure("iceoryx2-one-way", n, 1 << 20)
            }),
            way("stream", |n| sockets::one_way(n, 1 << 20, sockets::STREAM)),
        ],
    },
    Row {
        what: "broadcast of 64 B to 500, for each",
        n: 40,
        ways: &[
            way("lanes", lanes::broadcast),
            way("nginx's channels", sockets::nginx_broadcast),
        ],
    },
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let is_short = arguments.iter().any(|argument| argument == "--short");
    let rounds = if is_short { 7 } else { 41 };
    let mut wanted = Vec::new();

    for argument in &arguments {
        if let Some(program) = argument.strip_prefix("--peers=") {
            peers::set(program);
        } else if !argument.starts_with("--") {
            wanted.push(argument);
        }
    }

    println!("{}", process::processors());

    if !peers::exist() {
        println!("Without --peers=PROGRAM, iceoryx2 and ipc-channel are not measured.");
    }

    for row in ROWS {
        if wanted.is_empty() || wanted.iter().any(|text| row.what.contains(text.as_str())) {
            print(row, rounds);
        }
    }

    if wanted.is_empty() || wanted.iter().any(|text| "idle".contains(text.as_str())) {
        idle::print(if is_short { 1 } else { 10 });
    }
}

fn print(row: &Row, rounds: usize) {
    let ways: Vec<&Way> = row
        .ways
        .iter()
        .filter(|way| !way.is_peer || peers::exist())
        .collect();
    let mut values = vec![Vec::new(); ways.len()];
    let mut trips = vec![Vec::new(); ways.len()];

    for round in 0..=rounds {
        for index in 0..ways.len() {
            let index = (index + round) % ways.len();
            let value = (ways[index].run)(row.n);
            let each = process::take_trips();

            // The first round fills caches.
            if round > 0 {
                values[index].push(value);
                trips[index].extend(each);
            }
        }
    }

    println!("{}", row.what);

    let mut first = None;

    for ((way, values), trips) in ways.iter().zip(&values).zip(&mut trips) {
        trips.sort_unstable();

        let rounds = at(&sorted(values), 0.5);
        // A round trip that the kernel has interrupted makes the mean of its round
        // useless, so the median of all trips is the result.
        let result = if trips.is_empty() {
            rounds
        } else {
            at(trips, 0.5) as f64
        };
        let first = *first.get_or_insert(result);

        println!(
            "  {:<26} {result:>10.1} ns   {:>6.2} ×{}",
            way.name,
            result / first,
            percentiles(trips, rounds)
        );
    }
}

/// The percentiles of the single round trips, if there are any, and the median of
/// the means of the rounds.
fn percentiles(trips: &[u64], rounds: f64) -> String {
    if trips.is_empty() {
        return String::new();
    }

    format!(
        "   p99 {} ns, p99.9 {} ns, mean {rounds:.0} ns",
        at(trips, 0.99),
        at(trips, 0.999)
    )
}

/// The value at a part of the sorted values, for example the median at 0.5.
fn at<T: Copy>(sorted: &[T], part: f64) -> T {
    sorted[((sorted.len() - 1) as f64 * part).round() as usize]
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();

    sorted.sort_by(f64::total_cmp);
    sorted
}
