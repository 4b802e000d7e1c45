//! Wrong pointers, zones that are too small, and counters.

use std::sync::atomic::Ordering::Relaxed;

use ngx_ipc::zone::slab::layout::{HEADER, LOG_NOMEM, Sizes, field, stat};
use ngx_ipc::zone::slab::pool::Fault;
use ngx_ipc::zone::slab::{change, init, quick, zone_size};

use super::zone::Zone;

const PAGE: usize = 4096;

/// A wrong pointer changes nothing. The result is the text of the alert.
fn refused(zone: &Zone, address: usize) -> &'static str {
    let before = zone.bytes();
    let fault = zone.free(address).unwrap_err();

    assert_eq!(zone.bytes(), before);
    fault.text().unwrap()
}

#[test]
fn wrong_pointers_are_refused() {
    let zone = Zone::new(16 * PAGE, 3);
    let [small, exact, big, run] = [20, 64, 500, 3 * PAGE].map(|size| zone.alloc(size).unwrap());

    let first = zone.pool.field(field::START).unwrap();
    let chunk = "ngx_slab_free(): pointer to wrong chunk";
    let outside = "ngx_slab_free(): outside of pool";

    assert_eq!(refused(&zone, small + 8), chunk);
    assert_eq!(refused(&zone, exact + 8), chunk);
    assert_eq!(refused(&zone, big + 8), chunk);
    assert_eq!(refused(&zone, run + 8), chunk);

    let free = "ngx_slab_free(): chunk is already free";

    assert_eq!(refused(&zone, small + 32), free);
    assert_eq!(refused(&zone, exact + 64), free);
    assert_eq!(refused(&zone, big + 512), free);
    assert_eq!(
        refused(&zone, run + PAGE),
        "ngx_slab_free(): pointer to wrong page"
    );
    assert_eq!(
        refused(&zone, run + 3 * PAGE),
        "ngx_slab_free(): page is already free"
    );
    assert_eq!(refused(&zone, 0), outside);
    assert_eq!(refused(&zone, first - 8), outside);
    assert_eq!(refused(&zone, first + zone.pages() * PAGE), outside);
    assert_eq!(refused(&zone, first + 100 * PAGE), outside);
    assert_eq!(refused(&zone, usize::MAX), outside);
}

/// D25: the bits of a page with small chunks are in its first chunks.
#[test]
fn d25_the_bits_of_a_page_are_no_chunk() {
    for size in [8, 16, 32] {
        let zone = Zone::new(16 * PAGE, 3);
        let first = zone.alloc(size).unwrap();
        let page = first & !(PAGE - 1);

        assert!(first > page);

        for address in (page..first).step_by(size) {
            assert_eq!(
                refused(&zone, address),
                "ngx_slab_free(): pointer to wrong chunk"
            );
        }

        zone.free(first).unwrap();
    }
}

/// D26: behind the last page, before the end of the pool.
#[test]
fn d26_a_pointer_behind_the_last_page_is_refused() {
    let zone = Zone::new(16 * PAGE + 2048, 3);
    let first = zone.pool.field(field::START).unwrap();
    let last = first + zone.pages() * PAGE;

    assert!(last < zone.pool.field(field::END).unwrap());
    assert_eq!(refused(&zone, last), "ngx_slab_free(): outside of pool");
}

/// D27: no memory outside of the zone is touched.
#[test]
fn d27_a_zone_can_be_too_small() {
    let least = init::size_for(Sizes::get(), 1, 3).unwrap();

    for size in (HEADER.next_multiple_of(8)..3 * PAGE).step_by(8) {
        // A piece of a mapping; the bytes behind it are never touched.
        let zone = Zone::raw(size, 3);
        let made = init::init(&zone.pool);

        if made.is_ok() {
            assert!(zone.pages() > 0);

            let address = zone.alloc(100).unwrap();

            zone.free(address).unwrap();
            zone.contents();
        } else {
            assert!(size < least);
            assert_eq!(zone.alloc(100), Err(Fault::Damaged));
            assert_eq!(zone.alloc(2 * PAGE), Err(Fault::Damaged));
            assert_eq!(zone.free(zone.pool.at(0)), Err(Fault::Damaged));
            assert!(!zone.verify().1.is_empty());
        }
    }
}

/// D27: a failed request for pages counts as one of the largest chunks.
#[test]
fn d27_failures_are_counted() {
    let zone = Zone::new(8 * PAGE, 3);

    failures(&zone, |size| {
        assert_eq!(zone.alloc(size), Err(Fault::NoMemory));
    });
}

/// A failure that is not logged is one of the usual cases. One that is logged is not.
#[test]
fn failures_without_a_log_line() {
    let zone = Zone::new(8 * PAGE, 3);
    let parts = zone.pool.parts().unwrap();
    let flags = zone.pool.words().byte(zone.pool.at(field::FLAGS)).unwrap();

    failures(&zone, |size| {
        assert_eq!(flags.swap(0, Relaxed), LOG_NOMEM);
        assert_eq!(quick::alloc(&parts, size), Some(0));
        flags.store(LOG_NOMEM, Relaxed);

        let before = zone.bytes();

        assert_eq!(quick::alloc(&parts, size), None);
        assert_eq!(zone.bytes(), before);
    });

    // With room for it, a page for the first chunk is no usual case, and no failure.
    zone.free(zone.pool.field(field::START).unwrap()).unwrap();
    flags.store(0, Relaxed);
    assert_eq!(quick::alloc(&parts, 100), None);
    zone.alloc(100).unwrap();
}

/// Calls `fail` when a pool has no memory for a size, and checks the counters of failures.
fn failures(zone: &Zone, fail: impl Fn(usize)) {
    let fails = |slot: usize| {
        let stats = zone.pool.stats(slot).unwrap();

        (
            zone.pool.get(stats + stat::REQS).unwrap(),
            zone.pool.get(stats + stat::FAILS).unwrap(),
        )
    };
    let pages = zone.pages();

    fail(20 * PAGE);
    assert_eq!(fails(8), (0, 1));
    zone.alloc(pages * PAGE).unwrap();
    fail(100);
    fail(PAGE);
    assert_eq!(fails(4), (1, 1));
    assert_eq!(fails(8), (0, 2));
    zone.contents();
}

/// The record has room in every pool, and it overlaps nothing.
#[test]
fn the_record_has_its_place() {
    let mut taken = 0;

    for size in (2 * PAGE + 1024..180 * PAGE).step_by(1912) {
        for min_shift in [3, 6] {
            let zone = Zone::raw(size, min_shift);

            if init::init(&zone.pool).is_err() {
                assert!(size < 3 * PAGE);
                continue;
            }

            let field = |field| zone.pool.field(field).unwrap();
            let (start, last, end) = (field(field::START), field(field::LAST), field(field::END));
            let record = change::place(last, start, end);
            let behind = start + zone.pages() * PAGE;
            let is_before = last <= record && record + change::RECORD <= start;

            assert!(is_before || (behind <= record && record + change::RECORD <= end));
            taken += usize::from(end - behind >= PAGE);
            zone.contents();
        }
    }

    // In some pools it takes the place of a page.
    assert!(taken > 0);
}

/// A zone of the size has room for all pieces, and a page less has not.
#[test]
fn zone_size_is_exact() {
    for size in [1, 8, 24, 64, 100, 500, 2048, 2049, 3 * PAGE] {
        for n in [1, 2, 7, 64, 500, 1500] {
            let fits = |bytes: usize| {
                let zone = Zone::raw(bytes, 3);

                init::init(&zone.pool).is_ok() && (0..n).all(|_| zone.alloc(size).is_ok())
            };
            let bytes = zone_size(Sizes::get(), n, size).unwrap();

            assert_eq!(bytes % PAGE, 0);
            assert!(fits(bytes), "{n} of {size}: {bytes}");
            assert!(
                bytes == PAGE || !fits(bytes - PAGE),
                "{n} of {size}: {bytes}"
            );
        }
    }

    assert_eq!(zone_size(Sizes::get(), usize::MAX, 5000), None);
    assert_eq!(zone_size(Sizes::get(), usize::MAX, 50), None);
}
