//! A million random operations, compared with a simple model: a list of what is
//! allocated.

#![allow(unsafe_code)]

use std::collections::BTreeMap;
use std::ptr;

use ngx_ipc::zone::slab::layout::field;
use ngx_ipc::zone::slab::pool::Fault;
use ngx_ipc::zone::slab::usage;

use super::zone::Zone;

const PAGE: usize = 4096;

/// splitmix64, so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);

        let mut x = self.0;

        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^= x >> 31;
        (x >> 11) as usize % n
    }

    /// A size: most of them small, some of several pages.
    fn size(&mut self) -> usize {
        match self.below(20) {
            0 => self.below(5 * PAGE),
            1 => self.below(2 * PAGE),
            2..6 => self.below(PAGE / 2 + 1),
            _ => self.below(200),
        }
    }
}

/// The bytes that a piece of this size takes, nginx's rule.
fn taken(size: usize, min_shift: usize) -> usize {
    if size > PAGE / 2 {
        size.next_multiple_of(PAGE)
    } else {
        size.max(1 << min_shift).next_power_of_two()
    }
}

struct Model {
    zone: Zone,
    min_shift: usize,
    /// What is allocated: the address, the bytes that it takes, whether it has pages of
    /// its own, and the byte with which it is filled.
    live: BTreeMap<usize, (usize, bool, u8)>,
    /// The addresses, in no order.
    addresses: Vec<usize>,
    /// The number of requests that have failed.
    failures: usize,
}

impl Model {
    fn new(size: usize, min_shift: usize) -> Self {
        Self {
            zone: Zone::new(size, min_shift),
            min_shift,
            live: BTreeMap::new(),
            addresses: Vec::new(),
            failures: 0,
        }
    }

    fn alloc(&mut self, size: usize, fill: u8) {
        let taken = taken(size, self.min_shift);

        match self.zone.alloc(size) {
            Ok(address) => self.add(address, taken, fill),
            // The check looks at all pages, so it is not done each time.
            Err(Fault::NoMemory) => {
                self.failures += 1;

                if self.failures % 50 == 1 {
                    self.expect_no_memory(taken);
                }
            }
            Err(other) => panic!("{other:?}"),
        }
    }

    fn add(&mut self, address: usize, taken: usize, fill: u8) {
        let field = |field| self.zone.pool.field(field).unwrap();
        let first = field(field::START);
        let end = first + self.zone.pages() * PAGE;

        assert!(first <= address && address + taken <= end);
        assert_eq!(address % taken.min(PAGE), 0);

        if let Some((&before, &(len, ..))) = self.live.range(..=address).next_back() {
            assert!(before + len <= address);
        }

        if let Some((&behind, _)) = self.live.range(address..).next() {
            assert!(address + taken <= behind);
        }

        self.live.insert(address, (taken, taken >= PAGE, fill));
        self.addresses.push(address);
        // SAFETY: the allocator has given out these bytes of the mapping, as the checks
        // above have found.
        unsafe { ptr::write_bytes(address as *mut u8, fill, taken) };
    }

    /// A request may fail only if no free run is long enough, and no page has a free
    /// chunk of the size.
    fn expect_no_memory(&self, taken: usize) {
        let largest = usage::longest(&self.zone.pool).unwrap();

        assert!(largest < taken.div_ceil(PAGE));
        assert_eq!(largest, self.zone.contents().largest);

        if taken >= PAGE {
            return;
        }

        let same = self.live.values().filter(|(len, ..)| *len == taken).count();
        let pages: std::collections::BTreeSet<_> = self
            .live
            .iter()
            .filter(|(_, (len, ..))| *len == taken)
            .map(|(address, _)| address / PAGE)
            .collect();
        let own = if taken < 64 {
            (PAGE / taken / 8).div_ceil(taken)
        } else {
            0
        };

        assert_eq!(same, pages.len() * (PAGE / taken - own));
    }

    fn free(&mut self, number: usize) {
        let address = self.addresses.swap_remove(number);
        let (len, _, fill) = self.live.remove(&address).unwrap();

        // SAFETY: the piece is allocated, so its bytes are in the mapping.
        let bytes = unsafe { std::slice::from_raw_parts(address as *const u8, len) };

        assert!(bytes.iter().all(|&byte| byte == fill));
        self.zone.free(address).unwrap();
    }

    fn check(&self) {
        let contents = self.zone.contents();
        let of_runs = |runs: bool| self.live.values().filter(move |(_, run, _)| *run == runs);

        assert_eq!(contents.chunks, of_runs(false).count());
        assert_eq!(
            contents.run_pages,
            of_runs(true).map(|(len, ..)| len / PAGE).sum::<usize>()
        );
    }
}

fn run(size: usize, min_shift: usize, operations: usize) {
    let mut model = Model::new(size, min_shift);
    let mut random = Random((size + min_shift) as u64);
    // Whether the pool fills up or empties.
    let mut grows = true;

    for number in 0..operations {
        if number.is_multiple_of(2000) {
            grows = random.below(2) == 0;
            model.check();
        }

        let free = random.below(10) < if grows { 3 } else { 6 };

        if free && !model.addresses.is_empty() {
            model.free(random.below(model.addresses.len()));
        } else {
            model.alloc(random.size(), number as u8);
        }
    }

    while !model.addresses.is_empty() {
        model.free(0);
    }

    model.check();

    let contents = model.zone.contents();

    assert_eq!((contents.free, contents.free_runs), (model.zone.pages(), 1));
}

#[test]
fn a_million_operations() {
    for (size, min_shift) in [
        (4 * PAGE, 3),
        (8 * PAGE, 4),
        (16 * PAGE, 3),
        (64 * PAGE, 3),
        (64 * PAGE, 7),
        (256 * PAGE, 3),
        (256 * PAGE, 5),
        (1024 * PAGE, 3),
    ] {
        run(size, min_shift, 125_000);
    }
}
