//! Messages in an unmodified nginx that has loaded the library: what differs from a linked
//! nginx. The tests of `messages*.rs` that both pass are there.

use crate::messages_counts::{
    Requests, WORKERS, check_gaps, lose_nothing, reload_and_kill, rounds, send_and_compare, start,
};
use crate::messages_ledger::Ledger;
use crate::nginx::Which;
use crate::support::upgrade::{change_binary, retire};
use crate::support::{sys, wait_until};

/// Each number that was sent is received once, or is in a gap that is reported, over
/// reloads, kills and an upgrade. The two binaries have memory of their own, so no number
/// goes from one to the other.
#[test]
fn no_number_is_lost_in_silence() {
    let nginx = start("messages_loaded", Which::Loaded);
    let kills = rounds(20);

    lose_nothing(&nginx, 0..kills / 2);

    let requests = Requests::start(&nginx, 2);
    let (old, new) = change_binary(&nginx, WORKERS);

    requests.wait_for(200);

    let (olds, news) = (nginx.workers_of(old), nginx.workers_of(new));

    for round in kills / 2..kills {
        reload_and_kill(&nginx, &requests, round);
    }

    assert_eq!(Ledger::read(&nginx).crossed(&olds, &news), 0);
    retire(&nginx, old);
    sys::reap(old);
    requests.wait_for(50);
    requests.stop();
    wait_until("the end of all workers that shut down", || {
        nginx.shutting_down().is_empty()
    });
    send_and_compare(&nginx, WORKERS);
    check_gaps(&nginx, kills);
    nginx.quit(&["exited on signal 9"]);
}
