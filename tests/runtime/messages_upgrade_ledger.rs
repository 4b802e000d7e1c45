//! What the processes of `runtime_messages_upgrade` have sent and received.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::support::ledger::{Event, Order, events};
use crate::support::server::Server;

/// What the processes of `runtime_messages_upgrade` have written to its file.
#[derive(Default)]
pub struct Ledger {
    /// The number of copies that were sent of each number of a sender.
    pub sent: HashMap<(i32, i64), i64>,
    /// The copies that were received: receiver, sender, number.
    pub received: HashSet<(i32, i32, i64)>,
    /// The number of messages in gaps.
    pub gaps: i64,
    /// The receivers and senders of the message that is kept.
    pub kept: BTreeSet<(i32, i32)>,
    /// The receivers and senders of the message that is kept and whose type is
    /// registered when it has arrived.
    pub late: BTreeSet<(i32, i32)>,
    /// The receivers and senders of a descriptor.
    pub descriptors: BTreeSet<(i32, i32)>,
}

impl Ledger {
    /// Reads the file. Checks that no process has received a number twice, or in
    /// another order than it was sent.
    pub fn read(server: &Server) -> Self {
        let mut ledger = Self::default();
        let mut order = Order::default();

        for Event {
            line,
            what,
            pid,
            first,
            second,
        } in events(&server.place)
        {
            match what {
                'B' => assert_eq!(ledger.sent.insert((pid, first), second), None, "{line}"),
                'C' => {
                    let sender = first as i32;

                    order.received(pid, sender, second);
                    ledger.received.insert((pid, sender, second));
                }
                'G' => ledger.gaps += first,
                'D' => {
                    assert_eq!(second, 1, "{line}");
                    assert!(
                        ledger.descriptors.insert((pid, first as i32)),
                        "twice: {line}"
                    );
                }
                'K' => assert!(ledger.kept.insert((pid, first as i32)), "twice: {line}"),
                'L' => assert!(ledger.late.insert((pid, first as i32)), "twice: {line}"),
                _ => {}
            }
        }

        ledger
    }

    /// The number of copies that were sent and not received. A copy can arrive
    /// before its sender has written that it was sent.
    pub fn missing(&self) -> i64 {
        let sent: i64 = self.sent.values().sum();
        let received = self
            .received
            .iter()
            .filter(|(_, sender, number)| self.sent.contains_key(&(*sender, *number)));

        sent - received.count() as i64
    }

    /// Whether a process of `to` has received a number from one of `from`.
    pub fn has_crossed(&self, from: &BTreeSet<i32>, to: &BTreeSet<i32>) -> bool {
        self.received
            .iter()
            .any(|(receiver, sender, _)| from.contains(sender) && to.contains(receiver))
    }
}
