//! What the sockets of the machine are, read from `/proc/net` (proc(5)).

use std::collections::BTreeMap;
use std::fs;

/// The kind of each socket, by the number that `/proc/PID/fd` shows.
pub struct Sockets(BTreeMap<String, String>);

impl Sockets {
    pub fn read() -> Self {
        let mut all = BTreeMap::new();

        for name in ["tcp", "tcp6", "udp", "udp6"] {
            all.extend(rows(name).filter_map(|fields| internet(&name[..3], &fields)));
        }

        all.extend(rows("unix").filter_map(|fields| unix(&fields)));

        Self(all)
    }

    /// The kind of what a descriptor refers to, as `/proc/PID/fd` shows it. The kind
    /// of a socket says its protocol and its address; two connections have the same kind.
    pub fn kind(&self, link: &str) -> String {
        let number = link
            .strip_prefix("socket:[")
            .and_then(|link| link.strip_suffix(']'));

        match number.map(|number| self.0.get(number)) {
            Some(Some(kind)) => format!("socket: {kind}"),
            Some(None) => "socket".into(),
            None => match link.split_once(":[") {
                // The numbers of pipes differ in each process.
                Some((kind, _)) if kind != "anon_inode" => kind.into(),
                _ => link.into(),
            },
        }
    }
}

/// The rows of a table in `/proc/net`, split into fields. Connections in the state
/// `TIME_WAIT`, of which there can be thousands, are left out: no process has them.
pub(super) fn rows(name: &str) -> impl Iterator<Item = Vec<String>> {
    const TIME_WAIT: &str = " 06 ";

    let table = match fs::read_to_string(format!("/proc/net/{name}")) {
        Ok(table) => table,
        // The kernel has no IPv6.
        Err(_) if name.ends_with('6') => String::new(),
        Err(err) => panic!("/proc/net/{name}: {err}"),
    };
    let rows: Vec<Vec<String>> = table
        .lines()
        .skip(1)
        .filter(|line| !line.contains(TIME_WAIT))
        .map(|line| line.split_whitespace().map(str::to_string).collect())
        .collect();

    rows.into_iter()
}

/// The number and the kind of a socket of TCP or UDP.
fn internet(protocol: &str, fields: &[String]) -> Option<(String, String)> {
    const LISTEN: &str = "0A";

    let (local, state, number) = (fields.get(1)?, fields.get(3)?, fields.get(9)?);
    let kind = match (protocol, state.as_str()) {
        ("udp", _) => format!("udp {local}"),
        (_, LISTEN) => format!("tcp listening on {local}"),
        _ => "tcp connection".into(),
    };

    Some((number.clone(), kind))
}

/// The number and the kind of a Unix socket.
fn unix(fields: &[String]) -> Option<(String, String)> {
    const LISTENS: &str = "00010000";

    let kind = match (fields.get(3)?.as_str(), fields.get(4)?.as_str()) {
        (LISTENS, _) => format!("unix listening on {}", fields.get(7)?),
        (_, "0005") => "unix channel".into(),
        (_, "0002") => "unix datagrams".into(),
        _ => "unix connection".into(),
    };

    Some((fields.get(6)?.clone(), kind))
}

/// Whether a kind is that of a listening socket.
pub fn is_listening(kind: &str) -> bool {
    kind.starts_with("socket") && kind.contains(" listening on ")
}
