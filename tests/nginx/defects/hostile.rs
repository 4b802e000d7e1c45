//! A hostile worker sends data over the channel of its sibling, and writes to
//! shared memory. In tests with two workers, the worker in slot 1 sends, and the
//! worker in slot 0 receives.

use std::os::unix::process::ExitStatusExt;

use super::{ask, lines_of, nginx, started, value, wait_for_line_of};
use crate::nginx::{BOTH, Nginx, Which};
use crate::support::{proc, sys, wait_until};

/// The number of passes of the event loop in which a worker has read its channel.
fn passes(nginx: &Nginx, worker: i32) -> usize {
    lines_of(nginx, worker, ": channel handler").len()
}

/// Waits until the first worker has handled a message of its sibling.
fn reads(nginx: &Nginx, workers: &[i32]) {
    let answer = ask(nginx, workers, workers[1], "do=send&to=0&command=99");

    assert_eq!(answer, "sent:32");
    wait_for_line_of(nginx, workers[0], "channel command: 99");
}

/// A hostile worker sends two bytes of urgent data. The receiver in the stock nginx
/// reads one byte, and then no longer reads its channel (D13). The kernel refuses
/// urgent data on the library's channels.
#[test]
fn urgent_data() {
    for which in BOTH {
        let (nginx, workers) = started("urgent", which, 2);
        let before = passes(&nginx, workers[0]);
        let send = |size| {
            let query = format!("do=urgent&to=0&size={size}");

            ask(&nginx, &workers, workers[1], &query)
        };

        match which {
            Which::Stock | Which::Loaded if value(&send(2), "errno:") == libc::EOPNOTSUPP => {
                eprintln!("SKIP: the kernel has no urgent data on Unix sockets");
            }
            Which::Stock | Which::Loaded => {
                wait_for_line_of(&nginx, workers[0], "returned not enough data: 1");
            }
            Which::Ipc => {
                for size in [1, 2] {
                    assert_eq!(send(size), format!("sent:-1 errno:{}", libc::EOPNOTSUPP));
                }

                reads(&nginx, &workers);
                assert!(passes(&nginx, workers[0]) <= before + 2, "it spins");
                nginx.quit(&[]);
            }
        }
    }
}

/// Many processes each send a byte with a descriptor, and exit. The receiver in the
/// stock nginx leaves the first descriptor open (D16), and then no longer reads its
/// channel (D13). The receiver on the library closes all descriptors, drops all
/// bytes, and reads the next message.
#[test]
fn bytes_and_descriptors_of_short_lived_senders() {
    const SENDERS: usize = 100;
    const ONE_BYTE: &str = "recvmsg() returned not enough data: 1";

    for which in BOTH {
        let (nginx, workers) = started("senders", which, 2);
        let open = || proc::descriptors(workers[0]).len();
        let before = open();
        let query = format!("do=senders&n={SENDERS}&to=0&size=1&fds=1");
        let answer = ask(&nginx, &workers, workers[1], &query);

        match which {
            Which::Stock | Which::Loaded => {
                wait_for_line_of(&nginx, workers[0], ONE_BYTE);

                // The descriptor stays open, and the channel is closed.
                wait_until("the end of the channel", || {
                    let answer = ask(&nginx, &workers, workers[1], "do=send&to=0");

                    value(&answer, "sent:") == -1
                });
                assert_eq!(open(), before);
            }
            Which::Ipc => {
                assert_eq!(answer, format!("sent:{SENDERS}"));
                reads(&nginx, &workers);
                assert_eq!(open(), before);
                assert_eq!(lines_of(&nginx, workers[0], ONE_BYTE).len(), SENDERS);
                nginx.quit(&[ONE_BYTE]);
            }
        }
    }
}

/// A worker locks a shared zone, changes the address of the lock in shared memory,
/// and dies. The stock master writes to this address to unlock the zone, and
/// crashes. The master on the library does not use the address.
#[test]
fn the_address_of_a_lock() {
    const ZONE: &str = "limit_req_zone $binary_remote_addr zone=r:64k rate=1r/m;";

    for which in BOTH {
        let nginx = nginx("lock", which, 1, ZONE);

        nginx.spawn(&[]);

        let workers = nginx.wait_for_workers(1);
        let worker: Vec<i32> = workers.iter().copied().collect();

        assert_eq!(ask(&nginx, &worker, worker[0], "do=lock"), "zones:1");
        sys::kill(worker[0], libc::SIGKILL);

        match which {
            Which::Stock | Which::Loaded => {
                assert_eq!(nginx.wait_for_exit().signal(), Some(libc::SIGSEGV));
            }
            Which::Ipc => {
                nginx.wait_for_line("shared memory zone \"r\" was locked by ");
                nginx.wait_for_others(1, &workers);
                nginx.quit(&["exited on signal 9", "was locked by"]);
            }
        }
    }
}
