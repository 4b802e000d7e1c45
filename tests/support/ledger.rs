//! Reads the file to which the processes of a test append a line for each event.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::str::FromStr;

/// The complete lines of the file; none if there is no file yet. The end of the last
/// line may not be in the file yet.
pub fn lines(file: impl AsRef<Path>) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let (whole, _) = text.rsplit_once('\n').unwrap_or_default();

    whole.lines().map(str::to_string).collect()
}

/// A line of `c-tests/fixtures/runtime_messages.h`: an event, the pid of its process,
/// and two numbers.
pub struct Event {
    pub line: String,
    pub what: char,
    pub pid: i32,
    pub first: i64,
    pub second: i64,
}

/// The events in the file.
pub fn events(file: impl AsRef<Path>) -> impl Iterator<Item = Event> {
    lines(file).into_iter().map(|line| {
        let mut words = line.split(' ');

        Event {
            what: next(&mut words),
            pid: next(&mut words),
            first: next(&mut words),
            second: next(&mut words),
            line,
        }
    })
}

fn next<'a, T: FromStr>(words: &mut impl Iterator<Item = &'a str>) -> T {
    words.next().and_then(|word| word.parse().ok()).unwrap()
}

/// The last number that each process has received from each other one.
#[derive(Default)]
pub struct Order(HashMap<(i32, i32), i64>);

impl Order {
    /// Records that a process has received a number. Panics if it has received this
    /// number, or a later one, from the sender before.
    pub fn received(&mut self, receiver: i32, sender: i32, number: i64) {
        let before = self.0.insert((receiver, sender), number);

        assert!(
            before < Some(number),
            "{receiver} has received {number} of {sender} after {before:?}"
        );
    }
}
