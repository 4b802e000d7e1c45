//! Facts about processes, read from `/proc` (proc(5)).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::sockets::{self, Sockets};

fn pids() -> impl Iterator<Item = i32> {
    fs::read_dir("/proc")
        .expect("/proc")
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

/// The pids of the processes that run the program `exe`.
pub fn running(exe: &Path) -> BTreeSet<i32> {
    pids()
        .filter(|pid| {
            fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|link| {
                link == exe || link.to_string_lossy() == format!("{} (deleted)", exe.display())
            })
        })
        .filter(|&pid| alive(pid))
        .collect()
}

/// The fields of `/proc/PID/stat` after the process's name; the first of them
/// is the state.
fn stat(pid: i32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(") ")?;

    Some(fields.split_whitespace().map(str::to_string).collect())
}

/// The state of a process, such as 'S', 'T' or 'Z'; `None` if there is no such
/// process.
pub fn state(pid: i32) -> Option<char> {
    stat(pid)?.first()?.chars().next()
}

/// Returns true if the process exists and has not exited.
pub fn alive(pid: i32) -> bool {
    !matches!(state(pid), None | Some('Z' | 'X'))
}

/// The pid of the process's parent.
pub fn parent(pid: i32) -> Option<i32> {
    stat(pid)?.get(1)?.parse().ok()
}

/// The processor time of a process, in clock ticks.
pub fn cpu_time(pid: i32) -> u64 {
    let fields = stat(pid).expect("a process");
    let ticks = |i: usize| fields[i].parse::<u64>().expect("a number");

    // The processor time is the sum of utime and stime, fields 14 and 15. The
    // list begins with the state, which is field 3.
    ticks(11) + ticks(12)
}

/// The title of a process.
pub fn title(pid: i32) -> String {
    let text = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();

    String::from_utf8_lossy(&text)
        .trim_end_matches('\0')
        .replace('\0', " ")
}

/// A field of `/proc/PID/status`, such as "Uid".
pub fn status(pid: i32, field: &str) -> Option<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;

    text.lines()
        .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))
        .map(|value| value.trim().to_string())
}

/// The signals that are pending for a process, one bit for each, as in the
/// field "ShdPnd" of `/proc/PID/status`.
pub fn pending(pid: i32) -> u64 {
    status(pid, "ShdPnd").map_or(0, |set| u64::from_str_radix(&set, 16).expect("a set"))
}

/// The number of context switches of a process. It grows when the process is
/// woken up or interrupted.
pub fn switches(pid: i32) -> u64 {
    ["voluntary_ctxt_switches", "nonvoluntary_ctxt_switches"]
        .iter()
        .filter_map(|field| status(pid, field)?.parse::<u64>().ok())
        .sum()
}

/// Returns true if the process waits for events or signals in a system call of
/// its event loop. Always returns true if the kernel was built without
/// `/proc/PID/syscall`.
pub fn waits_for_events(pid: i32) -> bool {
    #[cfg(target_arch = "x86_64")]
    const WAITS: [i64; 3] = [
        libc::SYS_epoll_wait,
        libc::SYS_epoll_pwait,
        libc::SYS_rt_sigsuspend,
    ];
    #[cfg(not(target_arch = "x86_64"))]
    const WAITS: [i64; 2] = [libc::SYS_epoll_pwait, libc::SYS_rt_sigsuspend];

    fs::read_to_string(format!("/proc/{pid}/syscall"))
        .ok()
        .is_none_or(|text| {
            text.split(' ')
                .next()
                .and_then(|call| call.parse().ok())
                .is_some_and(|call| WAITS.contains(&call))
        })
}

/// The soft limit of a process, for a kind such as "Max open files".
pub fn limit(pid: i32, kind: &str) -> Option<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/limits")).ok()?;

    text.lines()
        .find_map(|line| line.strip_prefix(kind))
        .and_then(|line| line.split_whitespace().next().map(str::to_string))
}

/// The descriptors of a process, each with the file that it refers to.
pub fn descriptors(pid: i32) -> BTreeMap<i32, String> {
    let Ok(entries) = fs::read_dir(format!("/proc/{pid}/fd")) else {
        return BTreeMap::new();
    };

    entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let link = fs::read_link(entry.path()).ok()?;

            Some((
                entry.file_name().to_str()?.parse().ok()?,
                link.to_string_lossy().into_owned(),
            ))
        })
        .collect()
}

/// The number of descriptors of each kind that a process has, see [`Sockets::kind`].
pub fn kinds_of_descriptors(pid: i32) -> BTreeMap<String, usize> {
    let links: Vec<String> = descriptors(pid).into_values().collect();

    kinds_of(&Sockets::read(), &links)
}

/// The number of files of each kind, for files as `/proc/PID/fd` shows them.
pub fn kinds_of(sockets: &Sockets, links: &[String]) -> BTreeMap<String, usize> {
    let mut kinds = BTreeMap::new();

    for link in links {
        *kinds.entry(sockets.kind(link)).or_default() += 1;
    }

    kinds
}

/// The descriptors of a process that the programs which it executes inherit: they
/// are not close-on-exec.
pub fn inherited_by_programs(pid: i32) -> BTreeMap<i32, String> {
    const CLOEXEC: i32 = libc::O_CLOEXEC;

    let flags = |fd| -> Option<i32> {
        let text = fs::read_to_string(format!("/proc/{pid}/fdinfo/{fd}")).ok()?;
        let flags = text.lines().find_map(|line| line.strip_prefix("flags:"))?;

        i32::from_str_radix(flags.trim(), 8).ok()
    };
    let mut all = descriptors(pid);

    all.retain(|&fd, _| flags(fd).is_some_and(|flags| flags & CLOEXEC == 0));
    all
}

/// The zombies of the machine: the pid of each, and that of its parent.
pub fn zombies() -> Vec<(i32, i32)> {
    pids()
        .filter_map(|pid| {
            let fields = stat(pid)?;

            (fields.first()? == "Z").then_some((pid, fields.get(1)?.parse().ok()?))
        })
        .collect()
}

/// The nice value of a process, `setpriority(2)`.
pub fn nice(pid: i32) -> Option<i32> {
    stat(pid)?.get(16)?.parse().ok()
}

/// The kilobytes of private memory that a process has and no file backs.
pub fn anonymous_memory(pid: i32) -> usize {
    kilobytes(pid, "RssAnon")
}

/// A size in `/proc/PID/status`, in kilobytes.
pub fn kilobytes(pid: i32, name: &str) -> usize {
    status(pid, name)
        .and_then(|size| size.strip_suffix(" kB")?.trim().parse().ok())
        .unwrap_or_default()
}

/// The number of mappings of a process.
pub fn mappings(pid: i32) -> usize {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();

    maps.lines().count()
}

/// The pids of the processes whose environment has `variable`, as "NAME=VALUE".
pub fn with_variable(variable: &str) -> BTreeSet<i32> {
    pids()
        .filter(|pid| {
            let text = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();

            text.split(|&byte| byte == 0)
                .any(|one| one == variable.as_bytes())
        })
        .collect()
}

/// The lines of `/proc/net/tcp` about the process's sockets with the local port
/// `port`, split into fields.
fn sockets(pid: i32, port: u16) -> Vec<Vec<String>> {
    let inodes: BTreeSet<String> = descriptors(pid)
        .values()
        .filter_map(|what| {
            Some(
                what.strip_prefix("socket:[")?
                    .strip_suffix(']')?
                    .to_string(),
            )
        })
        .collect();

    sockets::rows("tcp")
        .filter(|fields| port_of(&fields[1]) == Some(port) && inodes.contains(&fields[9]))
        .collect()
}

fn port_of(address: &str) -> Option<u16> {
    u16::from_str_radix(address.rsplit_once(':')?.1, 16).ok()
}

/// The ports of the clients that are connected to the port `port` of a process.
pub fn clients_of(pid: i32, port: u16) -> Vec<u16> {
    sockets(pid, port)
        .iter()
        .filter_map(|fields| port_of(&fields[2]))
        .filter(|&client| client != 0)
        .collect()
}

/// Returns true if the process listens on the port `port`.
pub fn listens(pid: i32, port: u16) -> bool {
    const LISTEN: &str = "0A";

    sockets(pid, port).iter().any(|fields| fields[3] == LISTEN)
}

/// The System V segments that one of the processes `pids` has created.
pub fn segments_of(pids: &BTreeSet<i32>) -> Vec<String> {
    let table = fs::read_to_string("/proc/sysvipc/shm").unwrap_or_default();

    table
        .lines()
        .skip(1)
        .filter(|line| {
            line.split_whitespace()
                .nth(4)
                .and_then(|pid| pid.parse().ok())
                .is_some_and(|pid: i32| pids.contains(&pid))
        })
        .map(str::to_string)
        .collect()
}

/// How often a process has waited in the kernel. A process that waits all the time
/// makes no system call meanwhile.
pub fn waits(pid: i32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).expect("a process");

    text.lines()
        .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))
        .and_then(|count| count.trim().parse().ok())
        .expect("a number")
}
