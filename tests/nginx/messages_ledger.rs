//! What the workers with `ngx_http_broadcast_module.c` have sent and received.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::nginx::Nginx;
use crate::support::ledger::{Order, lines};

/// The most workers that can run at one time: the default of the parameter
/// `processes` of `ngx_ipc_messages`.
const MOST: i64 = 64;

/// A number and the pid of the worker that has sent it.
type Note = (i32, i64);

/// The last number of each worker at some moment.
pub type Moment = HashMap<i32, i64>;

/// What all workers have written to the ledger.
#[derive(Default)]
pub struct Ledger {
    pub up: BTreeSet<i32>,
    pub tried: BTreeSet<Note>,
    /// To how many workers each number was sent.
    pub sent: HashMap<Note, i64>,
    /// By how many workers each number was received.
    pub received: HashMap<Note, i64>,
    /// The numbers that each worker has received from each: receiver, sender.
    numbers: BTreeMap<(i32, i32), Vec<i64>>,
    /// The numbers of lost messages, by the cause that was reported.
    pub gaps: BTreeMap<i64, i64>,
}

impl Ledger {
    /// Reads the ledger. Checks that no worker has received a number twice, or in
    /// another order than it was sent.
    pub fn read(nginx: &Nginx) -> Self {
        let mut ledger = Self::default();
        let mut order = Order::default();

        for line in lines(nginx.directory.join("ledger")) {
            let words: Vec<&str> = line.split(' ').collect();
            let number = |index: usize| words[index].parse::<i64>().expect(&line);
            let pid = number(0) as i32;

            match words[1] {
                "up" => assert!(ledger.up.insert(pid), "{line}"),
                "try" => assert!(ledger.tried.insert((pid, number(2))), "{line}"),
                "sent" => {
                    assert!(number(3) >= 0, "{pid} has no messages");
                    assert_eq!(ledger.sent.insert((pid, number(2)), number(3)), None);
                }
                "gap" => *ledger.gaps.entry(number(2)).or_default() += number(3),
                "got" => {
                    let sender = number(2) as i32;

                    order.received(pid, sender, number(3));
                    *ledger.received.entry((sender, number(3))).or_default() += 1;
                    let numbers = ledger.numbers.entry((pid, sender)).or_default();

                    numbers.push(number(3));
                }
                _ => panic!("{line}"),
            }
        }

        ledger
    }

    /// The number of messages that were sent and not received.
    pub fn missing(&self) -> i64 {
        let received = |note| self.received.get(note).copied().unwrap_or_default();

        for (note, &n) in &self.received {
            let most = self.sent.get(note).copied().unwrap_or(MOST);

            assert!(self.tried.contains(note), "{note:?} was not sent");
            assert!(n <= most, "{note:?} was received {n} times, sent to {most}");
        }

        self.sent.iter().map(|(note, n)| n - received(note)).sum()
    }

    pub fn lost(&self) -> i64 {
        self.gaps.values().sum()
    }

    /// The number of messages of workers that were killed before they could say to
    /// how many they have sent.
    pub fn unknown(&self) -> i64 {
        let tried = self
            .tried
            .iter()
            .filter(|note| !self.sent.contains_key(note));

        tried.count() as i64 * (MOST - 1)
    }

    /// The last number of each worker.
    pub fn moment(&self) -> Moment {
        self.tried.iter().copied().collect()
    }

    /// To how many workers the numbers after a moment were sent.
    pub fn sent_since(&self, since: &Moment) -> Vec<i64> {
        let is_later = |(pid, number): &Note| *number > since.get(pid).copied().unwrap_or(0);
        let later = self.sent.iter().filter(|(note, _)| is_later(note));

        BTreeSet::from_iter(later.map(|(_, &n)| n))
            .into_iter()
            .collect()
    }

    /// Whether each of these workers has sent numbers since a moment, and all others
    /// have received all of them.
    pub fn agree(&self, workers: &BTreeSet<i32>, since: &Moment) -> bool {
        workers.iter().all(|&sender| {
            let after = since.get(&sender).copied().unwrap_or_default();
            let sent: Vec<i64> = self
                .tried
                .range((sender, after + 1)..=(sender, i64::MAX))
                .map(|&(_, number)| number)
                .collect();

            !sent.is_empty()
                && workers
                    .iter()
                    .filter(|&&receiver| receiver != sender)
                    .all(|&receiver| self.received_since(receiver, sender, after) == sent)
        })
    }

    /// The numbers of a sender after one of them that a worker has received.
    fn received_since(&self, receiver: i32, sender: i32, after: i64) -> &[i64] {
        let numbers = self.numbers.get(&(receiver, sender));
        let numbers = numbers.map(Vec::as_slice).unwrap_or_default();

        &numbers[numbers.partition_point(|&number| number <= after)..]
    }

    /// The number of messages that workers have received from workers of the other
    /// binary.
    pub fn crossed(&self, olds: &BTreeSet<i32>, news: &BTreeSet<i32>) -> usize {
        let crosses = |&(receiver, sender): &(i32, i32)| {
            olds.contains(&receiver) && news.contains(&sender)
                || news.contains(&receiver) && olds.contains(&sender)
        };

        self.numbers
            .iter()
            .filter(|(pair, _)| crosses(pair))
            .map(|(_, numbers)| numbers.len())
            .sum()
    }
}
