//! A look at the zone of a process from outside, as the program `ngx-ipc-zone` does it. The
//! process is this one, so the copy of its zone is at another address.

use ngx_ipc::host::zone_view::find::{Zone as Found, zones};
use ngx_ipc::host::zone_view::snapshot::{Depth, Snapshot, take};
use ngx_ipc::sys::other_process::OtherProcess;
use ngx_ipc::zone::slab::change::{RECORD, is_interrupted};
use ngx_ipc::zone::slab::layout::{field, page};
use ngx_ipc::zone::slab::pool::Pool;
use ngx_ipc::zone::slab::usage::{free_runs, sizes, usage};
use ngx_ipc::zone::slab::verify::verify;

use super::damaged::{bad, next};
use super::zone::Zone;

const PAGE: usize = 4096;

fn own() -> OtherProcess {
    OtherProcess::open(std::process::id().cast_signed()).unwrap()
}

/// The zone as it is found in the mappings of a process.
fn found(zone: &Zone) -> Found<'static> {
    Found {
        start: zone.pool.at(0),
        size: zone.pool.words().size(),
        name: Vec::new(),
        file: b"",
    }
}

fn look(process: &OtherProcess, zone: &Zone) -> Snapshot {
    let snapshot = take(process, &found(zone), Depth::Bits, |_| true).unwrap();

    assert_ne!(snapshot.pool.at(0), zone.pool.at(0));
    snapshot
}

/// The findings of the verifier, without addresses.
fn findings(pool: &Pool) -> Vec<String> {
    let mut found = Vec::new();

    verify(pool, &mut |text| {
        let text = text.to_string();
        let end = text.find(": 0x").unwrap_or(text.len());

        found.push(text[..end].to_string());
    });
    found
}

/// All that the program reads of a pool.
fn numbers(pool: &Pool) -> String {
    format!(
        "{:?} {:?} {:?}",
        usage(pool),
        sizes(pool).map(|sizes| sizes.collect::<Vec<_>>()),
        free_runs(pool).collect::<Vec<_>>()
    )
}

/// A zone that has an address in its header, as those of nginx do.
fn zone_of(pages: usize) -> Zone {
    let zone = Zone::new(pages * PAGE, 3);

    zone.pool
        .put(zone.pool.at(field::ADDR), zone.pool.at(0))
        .unwrap();
    zone
}

/// The copy of a right pool is right, has the same contents, and the pool does not change.
#[test]
fn a_copy_is_right() {
    let process = own();

    // With some of these numbers of pages the record is at the end of the zone.
    for pages in 3..40 {
        let zone = zone_of(pages);
        let mut state = pages as u64;
        let mut pieces = Vec::new();

        for _ in 0..200 {
            let n = next(&mut state) as usize;

            if n.is_multiple_of(3) && !pieces.is_empty() {
                zone.free(pieces.swap_remove(n / 3 % pieces.len())).unwrap();
            } else if let Ok(piece) = zone.alloc(1 << (n / 3 % 14)) {
                pieces.push(piece);
            }
        }

        let before = zone.bytes();
        let snapshot = look(&process, &zone);

        assert!(snapshot.is_whole);
        assert_eq!(verify(&snapshot.pool, &mut |_| {}), zone.contents());
        assert_eq!(numbers(&snapshot.pool), numbers(&zone.pool));
        assert_eq!(usage(&zone.pool).unwrap().free, zone.contents().free);
        assert_eq!(usage(&zone.pool).unwrap().runs, zone.contents().free_runs);
        assert_eq!(usage(&zone.pool).unwrap().longest, zone.contents().largest);
        assert!(zone.bytes() == before);
    }
}

/// The zone of this process is found in its mappings, with the name in the text for its log
/// lines.
#[test]
fn a_zone_is_found() {
    let process = own();
    let zone = zone_of(6);
    let text = zone.alloc(64).unwrap();

    for (n, word) in b" in zone \"a b\"\0\0".chunks(8).enumerate() {
        let word = usize::from_ne_bytes(word.try_into().unwrap());

        zone.pool.put(text + 8 * n, word).unwrap();
    }

    let name = || {
        let maps = process.maps().unwrap();
        let zones = zones(&process, &maps, None).unwrap();
        let found = zones.iter().find(|found| found.start == zone.pool.at(0));

        found.map(|found| (found.size, found.name.clone()))
    };
    let set = |at, value| zone.pool.put(zone.pool.at(at), value).unwrap();

    assert_eq!(name(), Some((6 * PAGE, vec![])));
    set(field::LOG_CTX, text);
    assert_eq!(name(), Some((6 * PAGE, b"a b".to_vec())));
    set(field::LOG_CTX, 8);
    assert_eq!(name(), Some((6 * PAGE, vec![])));
    set(field::END, zone.pool.at(7 * PAGE));
    assert_eq!(name(), None);
}

/// Whatever bytes are in a zone, the look at it ends, finds as much as the verifier finds in
/// the zone itself, and changes nothing.
#[test]
fn damaged_zones() {
    const ROUNDS: usize = 6000;

    let process = own();
    let zone = zone_of(6);

    for size in [8, 8, 64, 64, 1000, 1000, PAGE] {
        zone.alloc(size).unwrap();
    }

    let whole = zone.bytes();
    let mut state = 7;
    let mut damaged = 0;

    for round in 0..ROUNDS {
        zone.restore(&whole);

        let words = if round % 8 == 0 {
            6 * PAGE / 8
        } else {
            1 + round % 5
        };

        for n in 0..words {
            let at = match round % 8 {
                0 => n,
                // The header, the lists, the counters and the descriptors.
                1..5 => next(&mut state) as usize % 150,
                _ => next(&mut state) as usize % (6 * PAGE / 8),
            };

            // The lock is free, so that the look does not wait for it.
            if at > 0 {
                zone.pool
                    .put(zone.pool.at(8 * at), bad(&zone, &mut state))
                    .unwrap();
            }
        }

        let before = zone.bytes();
        let snapshot = look(&process, &zone);
        let found = findings(&snapshot.pool);

        assert_eq!(found, findings(&zone.pool), "round {round}");
        // Links of a damaged pool can lead to words that are no links.
        let _ = numbers(&snapshot.pool);
        assert!(zone.bytes() == before);
        damaged += usize::from(!found.is_empty());
    }

    assert!(damaged > ROUNDS / 4, "{damaged}");
}

/// A pool of nginx has no record. If the library's would be in the last page, nginx's pool has one
/// page more, and the bytes there are no record.
#[test]
fn a_pool_of_nginx_has_no_record() {
    const PAGES: usize = 141;
    const DESCRIPTOR: usize = 24;

    let process = own();
    let zone = zone_of(1 + PAGES);
    let get = |at| zone.pool.field(at).unwrap();
    let set = |address, value| zone.pool.put(address, value).unwrap();
    let (pages, last) = (get(field::PAGES), get(field::LAST));

    assert_eq!(zone.pages(), PAGES - 1);
    assert_eq!(zone.contents().free, PAGES - 1);

    // The last free page, with the link to the first one.
    set(last - DESCRIPTOR + page::PREV, 0);
    set(last + page::SLAB, 0);
    set(last + page::NEXT, 0);
    set(last + page::PREV, pages);
    set(pages + page::SLAB, PAGES);
    set(zone.pool.at(field::LAST), last + DESCRIPTOR);
    set(zone.pool.at(field::PFREE), PAGES);

    // What was in the page before it was freed.
    set(get(field::END) - RECORD, 5);

    let snapshot = look(&process, &zone);

    assert_eq!(findings(&snapshot.pool), [] as [String; 0]);
    assert_eq!(usage(&snapshot.pool).unwrap().free, PAGES);
    assert_eq!(is_interrupted(&snapshot.pool), Ok(false));
}
