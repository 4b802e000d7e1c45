//! A look at the zones of a running nginx with `ngx-ipc-zone`.

use std::process::Command;

use crate::nginx::{Nginx, code, same};
use crate::support::zones::{Word, address, chunks, dump, look, value};
use crate::zones::TWO;

const HTTP: &str = "
    limit_req_zone $arg_a zone=r:64k rate=1r/m;
    limit_conn_zone $arg_a zone=c:1m;
    server {
        listen 127.0.0.1:PORT;
        location / { limit_req zone=r burst=1 nodelay; limit_conn c 5; empty_gif; }
    }";

/// The offset of `pfree` in a pool.
const PFREE: u64 = 80;

/// The line of a zone in the list, without the address.
fn line(list: &str, zone: &str) -> Vec<String> {
    let words = list
        .lines()
        .map(|line| {
            line.split_whitespace()
                .map(str::to_string)
                .collect::<Vec<_>>()
        })
        .find(|words| words[0] == zone);
    let mut words = words.unwrap_or_else(|| panic!("no zone {zone} in {list}"));

    words.remove(1);
    words
}

/// Both the stock nginx and the one with the library have the same zones, with the same
/// numbers. A look changes nothing, and finds damage.
#[test]
fn zones_are_shown() {
    same(|which| {
        let nginx = Nginx::new("zone_view", which, TWO, HTTP);

        nginx.spawn(&[]);
        nginx.settled(2);

        let master = nginx.master();
        let worker = *nginx.workers().first().expect("a worker");
        let used = |pid| {
            let (code, text) = look(&[], pid, Some("r"));
            let sizes = [8, 16, 32, 64, 128, 256, 512, 1024, 2048].map(|size| chunks(&text, size));

            assert_eq!(code, 0);
            assert_eq!(value(&text, "lock"), "free");
            assert_eq!(value(&text, "operation"), "none");
            assert_eq!(value(&text, "name"), "r");
            assert_eq!(value(&text, "size"), "65536 bytes");
            sizes.map(|[_, used, ..]| used).iter().sum::<usize>()
        };
        let before = used(master);

        // One node for each value of the key.
        for n in 0..20 {
            let worker = if n % 2 == 0 {
                worker
            } else {
                *nginx.workers().last().unwrap()
            };

            assert_eq!(code(&nginx.get_from(worker, &format!("/?a={n}"))), "200");
        }

        assert_eq!((used(master), used(worker)), (before + 20, before + 20));

        // No connection is open, so the zone has only the tree, of 64 bytes, and the text for log
        // lines, of less than 32: a page for each of the two sizes.
        let (code, list) = look(&[], worker, None);

        assert_eq!(code, 0);
        assert_eq!(
            line(&list, "c")[1..],
            ["1048576", "254", "252", "252", "0%", "free"]
        );

        let bytes = dump(master, "r");

        assert_eq!(bytes.len(), 65536);
        assert_eq!(
            look(&["-v"], worker, None),
            (0, "c: right\nr: right\n".to_string())
        );
        assert!(dump(worker, "r") == bytes, "a look has changed the zone");

        damage(master);
        locks(master);
        nginx.quit(&[]);
    });
}

/// Damage is found, also by the address of the zone.
fn damage(pid: i32) {
    let at = address(pid, "r");
    let pfree = Word::new(pid, at + PFREE);
    let right = pfree.get();

    pfree.set(right + 5);

    let (code, text) = look(&["--verify"], pid, Some(&format!("{at:#x}")));

    assert_eq!(code, 1);
    assert_eq!(
        text,
        format!("r: {right} pages are free, pfree is {}\n", right + 5)
    );

    let (code, text) = look(&["-v"], pid, None);

    assert_eq!((code, text.lines().count()), (1, 2));
    pfree.set(right);
    assert_eq!(look(&["-v"], pid, Some("r")), (0, "r: right\n".to_string()));
}

/// The list says which process holds a lock.
fn locks(pid: i32) {
    let lock = Word::new(pid, address(pid, "r"));
    let shown = |holder: i32| {
        lock.set(holder.unsigned_abs().into());

        let (_, text) = look(&[], pid, Some("r"));

        value(&text, "lock").to_string()
    };
    let own = std::process::id().cast_signed();

    assert_eq!(
        shown(own),
        format!("held by {own} (runs) at 11 of 11 looks in 100 ms")
    );

    // A copy of a zone is right even though its lock is held.
    assert_eq!(look(&["-v"], pid, Some("r")), (0, "r: right\n".to_string()));

    let mut child = Command::new("true").spawn().expect("a process");
    let dead = child.id().cast_signed();

    child.wait().expect("a process that ends");
    assert_eq!(
        shown(dead),
        format!("held by {dead} (has exited) at 11 of 11 looks in 100 ms")
    );
    lock.set(0);
}
