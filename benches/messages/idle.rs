//! What a process does that sleeps and gets no messages.

use std::time::Duration;
use std::{fs, thread};

use super::process::{child, wait};
use super::{lanes, wake};

/// Prints how often a sleeping process was woken up in `seconds`. A process that was
/// never woken up has made no system call.
pub fn print(seconds: u64) {
    let mapped = lanes::region(8);
    let pid = child(|| {
        let mut process = lanes::attach(&mapped, 0);
        let epoll = wake::watch(mapped.descriptor(0).unwrap(), libc::EPOLLIN as u32);

        lanes::sleep_for(&mut process, 0, epoll);
    });
    let mut from = lanes::attach(&mapped, 1);

    wait_for_sleep(pid);

    let before = switches(pid);

    thread::sleep(Duration::from_secs(seconds));

    let count = switches(pid) - before;

    lanes::send(&mut from, 0, b"end");
    wait(&[pid]);
    println!("idle for {seconds} s");
    println!("  lanes: woken up {count} times, so the process made {count} system calls");
}

/// Waits until a process sleeps and was not woken up for a while.
fn wait_for_sleep(pid: i32) {
    loop {
        let before = switches(pid);

        thread::sleep(Duration::from_millis(50));

        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();

        if stat.contains(") S ") && switches(pid) == before {
            return;
        }
    }
}

/// How often the kernel has taken the processor from a process, `proc_pid_status(5)`.
fn switches(pid: i32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();

    status
        .lines()
        .filter_map(|line| line.split_once("ctxt_switches:"))
        .map(|(_, count)| count.trim().parse::<u64>().unwrap())
        .sum()
}
