//! The measured values: a row for each operation, and in each row the values of
//! nginx, the library and the floor.

/// What is compared in a row. In each round, they are measured in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// nginx's own objects; in the subject `server` a server on libuv.
    Nginx,
    /// The library.
    Library,
    /// Bare system calls: the least that the operation needs.
    Floor,
}

pub const PEERS: [Peer; 3] = [Peer::Nginx, Peer::Library, Peer::Floor];

impl Peer {
    pub fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Library => "library",
            Self::Floor => "floor",
        }
    }

    /// The name in the results of a subject.
    pub fn title(self, subject: &str) -> &'static str {
        match self {
            Self::Nginx if subject == "server" => "libuv",
            _ => self.name(),
        }
    }
}

/// The unit of the values in a row.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Nanoseconds,
    /// The only unit in which a higher value is better.
    RequestsPerSecond,
    SystemCalls,
    Instructions,
}

impl Unit {
    pub fn name(self) -> &'static str {
        match self {
            Self::Nanoseconds => "ns",
            Self::RequestsPerSecond => "requests/s",
            Self::SystemCalls => "system calls",
            Self::Instructions => "instructions",
        }
    }

    /// The value with its unit, scaled so that it is easy to read.
    pub fn show(self, value: f64) -> String {
        match self {
            Self::Nanoseconds if value >= 1e9 => format!("{:.2} s", value / 1e9),
            Self::Nanoseconds if value >= 1e6 => format!("{:.2} ms", value / 1e6),
            Self::Nanoseconds if value >= 1e4 => format!("{:.1} µs", value / 1e3),
            Self::Nanoseconds => format!("{value:.0} ns"),
            Self::RequestsPerSecond => format!("{value:.0}/s"),
            Self::SystemCalls => format!("{value:.1} calls"),
            Self::Instructions => format!("{value:.0} instr."),
        }
    }
}

/// An operation, and its measured values.
pub struct Row {
    pub subject: &'static str,
    pub what: String,
    /// The number on which the values depend, such as the number of processes,
    /// if the row is a point of a chart.
    pub n: Option<usize>,
    pub unit: Unit,
    /// The values of all rounds, for nginx, the library and the floor. The list
    /// is empty for one that was not measured.
    pub values: [Vec<f64>; 3],
}

/// The median of values, and the bounds of the middle half of the values.
#[derive(Clone, Copy)]
pub struct Spread {
    pub low: f64,
    pub median: f64,
    pub high: f64,
}

impl Spread {
    pub fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();

        sorted.sort_by(f64::total_cmp);

        let at = |part: f64| {
            let place = part * (sorted.len().checked_sub(1)? as f64);
            let (below, above) = (place.floor() as usize, place.ceil() as usize);

            Some(sorted[below] + (sorted[above] - sorted[below]) * place.fract())
        };

        Some(Self {
            low: at(0.25)?,
            median: at(0.5)?,
            high: at(0.75)?,
        })
    }
}

impl Row {
    pub fn of(&self, peer: Peer) -> &[f64] {
        &self.values[peer as usize]
    }

    pub fn median(&self, peer: Peer) -> Option<f64> {
        Spread::of(self.of(peer)).map(|spread| spread.median)
    }

    /// The ratio of the library's value to that of another peer, in each round.
    pub fn ratio_to(&self, peer: Peer) -> Option<Spread> {
        let ratios: Vec<f64> = self
            .of(Peer::Library)
            .iter()
            .zip(self.of(peer))
            .map(|(library, other)| library / other)
            .collect();

        Spread::of(&ratios)
    }
}
