//! The lines about messages that follow the list of processes.

use std::ffi::c_char;
use std::fmt;

use super::counts::{ngx_ipc_message_counts_t, ngx_ipc_message_pair_t};
use super::statistics;

/// Calls `print` once for each type of messages, and then for each pair of processes
/// between which messages wait, were refused or were lost.
pub fn print(print: impl Fn(fmt::Arguments<'_>)) {
    for counts in statistics::types() {
        print_type(&print, "messages ", &counts);
    }

    for pair in statistics::pairs() {
        if pair.waiting > 0 || pair.refused > 0 || pair.lost > 0 {
            print_pair(&print, "messages ", &pair);
        }
    }
}

/// Prints the line of a type, which begins with `before`.
pub fn print_type(
    print: impl Fn(fmt::Arguments<'_>),
    before: &str,
    counts: &ngx_ipc_message_counts_t,
) {
    print(format_args!(
        "{before}type:\"{}\" sent:{} refused:{} received:{} unknown:{} lost:{} waiting:{} \
         deepest:{} timed:{} time:{}{}",
        Name(&counts.name),
        counts.sent,
        counts.refused,
        counts.received,
        counts.unknown,
        counts.lost,
        counts.waiting,
        counts.deepest,
        counts.timed,
        counts.time,
        Times(&counts.times),
    ));
}

/// Prints the line of a pair of processes, which begins with `before`.
pub fn print_pair(print: impl Fn(fmt::Arguments<'_>), before: &str, pair: &ngx_ipc_message_pair_t) {
    print(format_args!(
        "{before}from:{} to:{} sent:{} refused:{} received:{} waiting:{} deepest:{} lost:{}",
        pair.sender,
        pair.receiver,
        pair.sent,
        pair.refused,
        pair.received,
        pair.waiting,
        pair.deepest,
        pair.lost,
    ));
}

/// A name, in which bytes that do not belong into a line are escaped.
pub struct Name<'a>(pub &'a [c_char]);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(name) = self;

        for byte in name.iter().take_while(|&&byte| byte != 0) {
            write!(f, "{}", (*byte as u8).escape_ascii())?;
        }

        Ok(())
    }
}

/// The buckets that are not 0: ` times:13=5,14=1` means that 5 times were less than
/// 2^13 nanoseconds, and one less than 2^14.
struct Times<'a>(&'a [usize]);

impl fmt::Display for Times<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(times) = self;
        let mut before = " times:";

        for (k, n) in times.iter().enumerate().filter(|(_, n)| **n > 0) {
            write!(f, "{before}{k}={n}")?;
            before = ",";
        }

        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_names_are_short() {
        assert_eq!(Times(&[0, 0, 5, 0, 1]).to_string(), " times:2=5,4=1");
        assert_eq!(Times(&[0; 40]).to_string(), "");
        assert_eq!(
            Name(&b"a\"\n\0b".map(|byte| byte as c_char)).to_string(),
            "a\\\"\\n"
        );
    }
}
