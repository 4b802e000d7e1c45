//! Pools that another process has overwritten. Operations may fail, but they access
//! nothing outside of the pool, and they end.

use ngx_ipc::zone::slab::change;

use super::zone::Zone;

const PAGE: usize = 4096;
const PAGES: usize = 6;

/// splitmix64.
pub fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);

    let mut x = *state;

    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// A number that could mislead: a random one, a small one, or an address in the pool.
pub fn bad(zone: &Zone, state: &mut u64) -> usize {
    let x = next(state) as usize;

    match x % 6 {
        0 => x,
        1 => x % 64,
        2 => 0,
        3 => usize::MAX - x % 8,
        4 => 1 << (x / 8 % 64),
        _ => zone.pool.at(x / 8 % (PAGES * PAGE)) & !(x / 8 % 2 * 7),
    }
}

/// All operations and the verifier. Their results do not matter.
fn use_pool(zone: &Zone, known: &[usize]) {
    let _ = change::undo_interrupted(&zone.pool);

    for size in [0, 8, 40, 64, 700, PAGE, 3 * PAGE, usize::MAX] {
        if let Ok(address) = zone.alloc(size) {
            assert!(zone.pool.words().contains(address, size.max(1)));
        }
    }

    for &address in known {
        let _ = zone.free(address);
    }

    zone.verify();
}

fn scene() -> (Zone, Vec<usize>) {
    let zone = Zone::new(PAGES * PAGE, 3);
    let known = [8, 8, 64, 64, 1000, 1000, PAGE]
        .map(|size| zone.alloc(size).unwrap())
        .to_vec();

    (zone, known)
}

#[test]
fn damaged_words() {
    let (zone, known) = scene();
    let before = zone.bytes();
    let mut state = 1;

    // The record and all that lies before the first page.
    for at in (0..2 * PAGE).step_by(8) {
        for _ in 0..4 {
            zone.restore(&before);
            zone.pool
                .put(zone.pool.at(at), bad(&zone, &mut state))
                .unwrap();
            use_pool(&zone, &known);
        }
    }
}

#[test]
fn many_damaged_words() {
    let (zone, known) = scene();
    let before = zone.bytes();
    let mut state = 2;

    for _ in 0..4000 {
        zone.restore(&before);

        for _ in 0..1 + next(&mut state) % 40 {
            let at = next(&mut state) as usize % (PAGES * PAGE / 8) * 8;
            // Most of them in the first page, with all links.
            let at = if at.is_multiple_of(5) { at } else { at % PAGE };

            zone.pool
                .put(zone.pool.at(at), bad(&zone, &mut state))
                .unwrap();
        }

        use_pool(&zone, &known);
    }
}

#[test]
fn garbage() {
    let (zone, known) = scene();
    let mut state = 3;

    for _ in 0..200 {
        for at in (0..PAGES * PAGE).step_by(8) {
            zone.pool
                .put(zone.pool.at(at), bad(&zone, &mut state))
                .unwrap();
        }

        use_pool(&zone, &known);
    }
}
