//! Tests of the parts of a pool.

use super::*;

const WORDS: usize = 1024;

/// Memory with 2 slots, 3 pages of 128 bytes, and a record.
fn places(start: usize) -> Places {
    Places {
        slots: start + 104,
        stats: start + 152,
        slot_count: 2,
        pages: start + 216,
        count: 3,
        first: start + 512,
        shift: 7,
        record: start + 1024,
    }
}

fn with(check: impl FnOnce(&'static Division, Words, Places)) {
    let memory = Box::leak(Box::new([const { AtomicUsize::new(0) }; WORDS]));
    let division = Box::leak(Box::new(Division::none()));
    // SAFETY: the array is never freed, and consists of atomics.
    let words = unsafe { Words::new(NonNull::from(memory).cast(), WORDS * WORD) }.unwrap();

    check(division, words, places(words.start()));
}

#[test]
fn each_part_has_its_place() {
    with(|division, words, places| {
        division.set(&words, &places);

        let parts = division.of(&words).unwrap();
        let (slot, counters) = parts.slot_and_counters(1).unwrap();
        let page = parts.page_with(places.first + 2 * 128 + 5).unwrap();

        assert_eq!(address_of(&slot.get()[0]), places.slots + 24);
        assert_eq!(address_of(&counters.get()[0]), places.stats + 32);
        assert_eq!(address_of(&parts.record()[0]), places.record);
        assert_eq!(address_of(&parts.header()[0]), words.start());
        assert_eq!((page.number, page.start), (2, places.first + 256));
        assert_eq!(address_of(&page.node.get()[0]), places.pages + 48);
        assert_eq!(page.words.get().len(), 16);
        assert_eq!(parts.table().number(places.pages + 48), Some(2));
        assert_eq!(
            parts.page(places.pages + 24).unwrap().start,
            places.first + 128
        );
        assert!(parts.table().has(1, 2) && parts.table().has(3, 0));
    });
}

#[test]
fn nothing_outside_is_a_part() {
    with(|division, words, places| {
        division.set(&words, &places);

        let parts = division.of(&words).unwrap();

        let table = parts.table();

        assert!(parts.slot(2).is_none() && table.nth(3).is_none());
        assert!(parts.slot_and_counters(usize::MAX).is_none());

        for at in [0, 1, places.pages - 24, places.pages + 72, usize::MAX - 7] {
            assert!(table.entry(at).is_none(), "{at:#x}");
        }

        // Within the table, but not the beginning of an entry.
        for at in (1..24).chain(25..48) {
            assert!(table.number(places.pages + at).is_none(), "{at}");
        }

        for at in [0, places.first - 1, places.first + 3 * 128, usize::MAX] {
            assert!(parts.page_with(at).is_none(), "{at:#x}");
        }

        for (n, len) in [(0, 4), (3, 1), (1, usize::MAX)] {
            assert!(!table.has(n, len), "{n} {len}");
        }
    });
}

#[test]
fn parts_that_do_not_fit_are_not_remembered() {
    type Change = fn(&mut Places);

    let changes: [Change; 7] = [
        |places| places.slots += 4,
        |places| places.slot_count = usize::MAX / 8,
        |places| places.stats = 0,
        |places| places.count = 100,
        |places| places.first += WORDS * WORD - 128,
        |places| places.record += WORDS * WORD - 1024 - 447,
        |places| places.shift = 64,
    ];

    for change in changes {
        with(|division, words, mut places| {
            division.set(&words, &places);
            assert!(division.of(&words).is_some());
            change(&mut places);
            division.set(&words, &places);
            assert!(division.of(&words).is_none(), "{places:?}");
        });
    }
}

#[test]
fn another_memory_has_no_parts() {
    with(|division, words, places| {
        assert!(division.of(&words).is_none());
        division.set(&words, &places);

        with(|_, other, _| assert!(division.of(&other).is_none()));

        // SAFETY: this is the beginning of the memory.
        let half = unsafe { Words::new(words.first().cast(), WORDS * WORD / 2) }.unwrap();

        assert!(division.of(&half).is_none());
        division.clear();
        assert!(division.of(&words).is_none());
    });
}
