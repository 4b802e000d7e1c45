//! Random transactions, compared with a simple model, and zones whose bytes another process
//! overwrites.

use ngx_ipc::zone::slab::layout::field;
use ngx_ipc::zone::transaction::{Found, Left, Transaction};
use ngx_ipc::zone::typed::{Header, word};

use super::transactions::{HEAD, NEXT, ROOT, Scene, VICTIM, WORD};

/// splitmix64, so that a failure can be repeated.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);

        let mut x = self.0;

        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^= x >> 31;
        x as usize
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.next() >> 11) % n
    }
}

/// The first word of the root that points to no piece.
const NUMBERS: usize = 4;

/// Changes the root at random: numbers in its last words, and pieces in its first ones. The
/// first word of a piece has a number, too.
fn change(scene: &Scene, random: &mut Random) {
    for _ in 0..random.below(7) {
        let n = random.below(ROOT);

        // The log can be full, or the zone.
        if scene
            .transaction()
            .save(scene.root + n * WORD, WORD)
            .is_err()
        {
            return;
        }

        if n >= NUMBERS {
            scene.set(n, random.next() & !(usize::MAX << 20));
            continue;
        }

        let piece = scene.get(n);

        if piece == 0 {
            let size = 1 + random.below(6000);
            let piece = scene.transaction().alloc(size).unwrap_or_default();

            if piece != 0 {
                scene.zone.pool.put(piece, n).unwrap();
            }

            scene.set(n, piece);
        } else if random.below(2) == 0 {
            let _ = scene.transaction().free(piece);
            scene.set(n, 0);
        } else if scene.transaction().save(piece, WORD).is_ok() {
            scene.zone.pool.put(piece, random.next()).unwrap();
        }
    }
}

#[test]
fn random_transactions() {
    let mut random = Random(7);
    let scene = Scene::new(400);

    // The queue is not used here.
    scene.set(HEAD, 0);
    scene.set(HEAD + 1, 0);

    for n in 0..50_000 {
        let before = (n % 16 == 0).then(|| scene.content());
        let root: Vec<_> = (0..ROOT).map(|n| scene.get(n)).collect();

        assert_eq!(scene.begin(VICTIM), Found::default());
        change(&scene, &mut random);

        let changed: Vec<_> = (0..ROOT).map(|n| scene.get(n)).collect();
        let is_undone = match random.below(3) {
            0 => scene.abort().map(|()| true).unwrap(),
            1 => scene.commit().is_err(),
            _ => {
                // The process dies. Its log can be empty.
                let found = scene.settle(0).unwrap();

                assert_eq!(found.dead, Some(VICTIM));
                assert_ne!(found.left, Left::Completed);
                scene.transaction().forget_dead().unwrap();
                true
            }
        };
        let now: Vec<_> = (0..ROOT).map(|n| scene.get(n)).collect();

        assert_eq!(now, if is_undone { root } else { changed }, "{n}");

        if let Some(before) = before {
            let (root, pieces, contents) = scene.content();

            if is_undone {
                assert_eq!((root, pieces), (before.0, before.1), "{n}");
                assert_eq!(contents, before.2, "{n}");
            }
        }
    }

    // What is allocated is what the root points to, the root and the header.
    let header = Header::find(&scene.zone.pool).unwrap().at(0);

    for piece in (0..NUMBERS)
        .map(|n| scene.get(n))
        .filter(|&piece| piece != 0)
    {
        scene.zone.free(piece).unwrap();
    }

    scene.zone.free(scene.root).unwrap();
    scene.zone.free(header).unwrap();

    let last = scene.zone.contents();

    assert_eq!((last.chunks, last.run_pages), (0, 0));
}

/// Uses a zone whose bytes can have any values. Every function must return.
fn use_zone(scene: &Scene) {
    let Ok(transaction) = Transaction::of(&scene.zone.pool) else {
        return;
    };

    let _ = transaction.settle(NEXT, |_| {});
    let _ = transaction.begin(VICTIM);
    let _ = transaction.save(scene.root, 2 * WORD);
    let _ = transaction.alloc(100);
    let _ = transaction.free(scene.root + 2 * WORD);
    let _ = transaction.commit(|_| {});
    let _ = transaction.abort(|_| {});
    let _ = Header::find(&scene.zone.pool).map(|header| {
        let _ = header.type_in(&mut [0; 64]);

        header.root()
    });
}

/// A value that can do damage.
fn bad(scene: &Scene, random: &mut Random) -> usize {
    let start = scene.zone.pool.at(0);
    let header = Header::find(&scene.zone.pool).map_or(start, |header| header.at(0));

    match random.below(9) {
        0 => 0,
        1 => random.below(64),
        2 => start + random.below(16 * 4096),
        3 => header + random.below(200) * WORD,
        4 => usize::MAX - random.below(64),
        5 => 1 << random.below(64),
        6 => scene.root | random.below(8),
        7 => random.below(1000) << 2,
        _ => random.next(),
    }
}

#[test]
fn a_damaged_zone() {
    let scene = Scene::new(400);
    let mut random = Random(9);

    // A log with all kinds of entries.
    scene.begin(VICTIM);
    scene.save(2, 3);
    scene.transaction().alloc(50).unwrap();
    scene.transaction().free(scene.get(0)).unwrap();
    scene.save(5, 1);

    let before = scene.zone.bytes();
    let header = Header::find(&scene.zone.pool).unwrap().at(0);
    let data = scene.zone.pool.at(field::DATA);
    let mut was_refused = 0;

    for n in 0..20_000 {
        for _ in 0..1 + random.below(4) {
            let to = match random.below(20) {
                0 => data,
                1 => header + word::STATE,
                _ => header + random.below(word::LOG / WORD + 18) * WORD,
            };
            let value = bad(&scene, &mut random);

            // The process changes the log before or after the transaction is final.
            scene.zone.pool.put(to, value).unwrap();
        }

        if n % 2 == 0 {
            let state = Header::find(&scene.zone.pool).and_then(|h| h.get(word::STATE).ok());

            scene
                .zone
                .pool
                .put(header + word::STATE, state.unwrap_or_default() | 1)
                .unwrap();
        }

        was_refused += usize::from(
            Transaction::of(&scene.zone.pool)
                .and_then(|transaction| transaction.settle(0, |_| {}))
                .is_err(),
        );
        use_zone(&scene);
        scene.zone.restore(&before);
    }

    // Many changes make an entry impossible.
    assert!(was_refused > 1000, "{was_refused}");
}
