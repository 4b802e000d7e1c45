//! A process is killed after each instruction of an operation. The next owner of the
//! lock continues, and nothing is lost but the piece of memory in hand, D22.
//!
//! The process runs one instruction at a time. What the next owner finds depends on
//! the pool only. So after each instruction that has changed the pool, this process
//! works with the pool as the next owner does, and then restores it. At one of these
//! instructions the process is really killed.

use ngx_ipc::zone::slab::change;
use ngx_ipc::zone::slab::verify::Contents;

use super::states::chosen;
use super::tracee::Tracee;
use super::zone::Zone;

const PAGE: usize = 4096;

/// A pool, and what is allocated in it.
struct Scene {
    zone: Zone,
    live: Vec<usize>,
}

#[derive(Clone, Copy)]
enum Operation {
    Alloc(usize),
    Free(usize),
    Undo,
}

impl Scene {
    fn new(pages: usize, min_shift: usize) -> Self {
        Self {
            zone: Zone::new(pages * PAGE, min_shift),
            live: Vec::new(),
        }
    }

    /// Allocates `count` pieces.
    fn with(mut self, count: usize, size: usize) -> Self {
        for _ in 0..count {
            self.live.push(self.zone.alloc(size).unwrap());
        }

        self
    }

    /// Frees the pieces with these numbers.
    fn without(mut self, numbers: &[usize]) -> Self {
        for &number in numbers {
            self.zone.free(self.live[number]).unwrap();
        }

        let mut number = 0;

        self.live.retain(|_| {
            number += 1;
            !numbers.contains(&(number - 1))
        });
        self
    }

    /// Allocates until no memory is left.
    fn full(mut self, size: usize) -> Self {
        while let Ok(address) = self.zone.alloc(size) {
            self.live.push(address);
        }

        self
    }

    fn alloc(self, name: &str, size: usize) {
        check(name, &self, Operation::Alloc(size));
    }

    /// Frees the piece with this number.
    fn free(mut self, name: &str, number: usize) {
        let address = self.live.remove(number);

        check(name, &self, Operation::Free(address));
    }
}

fn run(zone: &Zone, operation: Operation) -> Option<usize> {
    match operation {
        Operation::Alloc(size) => zone.alloc(size).ok(),
        Operation::Free(address) => {
            zone.free(address).unwrap();
            Some(address)
        }
        Operation::Undo => {
            change::undo_interrupted(&zone.pool).unwrap();
            None
        }
    }
}

/// Runs `operation` one instruction at a time. `scene.live` is what is allocated beside
/// the piece in hand.
fn check(name: &str, scene: &Scene, operation: Operation) {
    let zone = &scene.zone;
    let before = zone.bytes();
    let hand = run(zone, operation);
    let ends = [contents_of(scene, &before), zone.contents()];

    zone.restore(&before);

    let mut now = before.clone();
    let mut places = Vec::new();
    let mut steps = 0;
    let start = || {
        Tracee::start(|| {
            run(zone, operation);
        })
    };
    let mut tracee = start();

    while tracee.step() {
        steps += 1;

        if zone.changed(&mut now) {
            check_next_owner(scene, hand, &ends, (name, steps));
            zone.restore(&now);
            places.push(steps);
        }
    }

    check_next_owner(scene, hand, &ends, (name, steps));

    // A real kill, in the middle.
    zone.restore(&before);
    tracee = start();

    for _ in 0..places.get(places.len() / 2).copied().unwrap_or_default() {
        assert!(tracee.step(), "{name}: the steps differ");
    }

    tracee.kill();
    check_next_owner(scene, hand, &ends, (name, steps));

    println!("{name}: {steps} instructions, {} changes", places.len());
    assert!(!places.is_empty(), "{name} changes nothing");
}

/// What a pool with these bytes contains, after an interrupted operation is undone.
fn contents_of(scene: &Scene, bytes: &[u8]) -> Contents {
    let zone = &scene.zone;
    let now = zone.bytes();

    zone.restore(bytes);
    change::undo_interrupted(&zone.pool).unwrap();

    let contents = zone.contents();

    zone.restore(&now);
    contents
}

/// The next owner works with the pool, and in the end frees all.
fn check_next_owner(
    scene: &Scene,
    hand: Option<usize>,
    ends: &[Contents; 2],
    place: (&str, usize),
) {
    let zone = &scene.zone;
    let (_, found) = zone.verify();
    let interrupted = change::is_interrupted(&zone.pool).unwrap();

    assert!(interrupted || found.is_empty(), "{place:?}: {found:?}");

    // An operation of the next owner could hide what the undo has left wrong.
    let undone = contents_of(scene, &zone.bytes());

    assert!(
        ends.contains(&undone),
        "{place:?}: {undone:?}, not {ends:?}"
    );

    // The first operation of the next owner undoes what the dead process has done.
    for size in [1, 60, 500, PAGE + 1] {
        if let Ok(address) = zone.alloc(size) {
            zone.free(address).unwrap();
        }

        let (contents, found) = zone.verify();

        assert_eq!(found, [] as [String; 0], "{place:?}");
        assert!(
            ends.contains(&contents),
            "{place:?}: {contents:?}, not {ends:?}"
        );
    }

    for &address in &scene.live {
        assert_eq!(zone.free(address), Ok(()), "{place:?}");
    }

    let last = zone.contents();

    // Only the piece in hand can be left.
    if (last.chunks, last.run_pages) != (0, 0) {
        assert_eq!(zone.free(hand.unwrap()), Ok(()), "{place:?}");
    }

    let last = zone.contents();

    assert_eq!(
        (last.chunks, last.run_pages, last.free, last.free_runs),
        (0, 0, zone.pages(), 1),
        "{place:?}"
    );
}

/// The number of chunks of a page.
fn chunks(size: usize) -> usize {
    let all = PAGE / size;

    if size < 64 {
        all - (all / 8).div_ceil(size)
    } else {
        all
    }
}

/// Sizes of all kinds: small, exact and big.
const SIZES: [usize; 9] = [8, 16, 32, 64, 128, 256, 512, 1024, 2048];

#[test]
fn first_chunk_of_a_page() {
    for size in SIZES {
        Scene::new(16, 3).alloc("first chunk", size);
    }
}

#[test]
fn next_chunk_of_a_page() {
    for size in SIZES {
        if chunks(size) > 2 {
            Scene::new(16, 3).with(1, size).alloc("next chunk", size);
        }
    }
}

#[test]
fn last_chunk_of_a_page() {
    for size in SIZES {
        Scene::new(16, 3)
            .with(chunks(size) - 1, size)
            .alloc("last chunk", size);
    }
}

/// The page is one of three in the list, in the middle of it.
#[test]
fn last_chunk_of_a_page_among_others() {
    for size in SIZES {
        let n = chunks(size);

        Scene::new(20, 3)
            .with(3 * n, size)
            .without(&[0, n, 2 * n])
            .alloc("last chunk in a list", size);
    }
}

#[test]
fn free_a_chunk() {
    for size in SIZES {
        if chunks(size) > 2 {
            Scene::new(16, 3)
                .with(3.min(chunks(size)), size)
                .free("free a chunk", 1);
        }
    }
}

#[test]
fn free_the_only_chunk() {
    for size in SIZES {
        Scene::new(16, 3)
            .with(1, size)
            .free("free the only chunk", 0);
        Scene::new(20, 3)
            .with(2 * chunks(size), size)
            .without(&(1..chunks(size)).collect::<Vec<_>>())
            .free("free the only chunk beside a full page", 0);
    }
}

#[test]
fn free_a_chunk_of_a_full_page() {
    for size in SIZES {
        let n = chunks(size);

        for at in [0, n / 2, n - 1] {
            Scene::new(16, 3).with(n, size).free("full page", at);
        }

        Scene::new(16, 3)
            .with(2 * n, size)
            .without(&[0])
            .free("full page beside another", 2 * n - 2);
    }
}

#[test]
fn other_smallest_chunks() {
    for min_shift in [0, 4, 5, 6, 7, 11] {
        Scene::new(16, min_shift).alloc("smallest chunk", 1);
        Scene::new(16, min_shift)
            .with(1, 1)
            .free("smallest chunk", 0);
        Scene::new(16, min_shift)
            .with(2, 1)
            .alloc("smallest chunk", 1);
    }
}

#[test]
fn allocate_runs() {
    for pages in [1, 2, 3, 7] {
        Scene::new(16, 3).alloc("run", pages * PAGE);
    }

    let all = Scene::new(16, 3).zone.pages();

    // All pages, and all but one.
    Scene::new(16, 3).alloc("all pages", all * PAGE);
    Scene::new(16, 3).alloc("all pages but one", (all - 1) * PAGE);
    // The last page; the last two pages.
    Scene::new(16, 3)
        .with(all - 1, PAGE)
        .alloc("last page", PAGE);
    Scene::new(16, 3)
        .with(all - 2, PAGE)
        .alloc("last pages", 2 * PAGE);
    // The first runs are too short.
    Scene::new(16, 3)
        .with(10, PAGE)
        .without(&[1, 4, 5])
        .alloc("skip runs", 3 * PAGE);
    // The run fits exactly; only a part of it is needed.
    for n in [1, 2, 3] {
        Scene::new(16, 3)
            .with(10, PAGE)
            .without(&[4, 5, 6])
            .alloc("gap", n * PAGE);
    }
}

#[test]
fn free_runs() {
    for pages in [1, 2, 3, 7] {
        Scene::new(24, 3).with(1, pages * PAGE).free("run", 0);
        Scene::new(24, 3).with(3, pages * PAGE).free("first run", 0);
        Scene::new(24, 3)
            .with(3, pages * PAGE)
            .free("middle run", 1);
        Scene::new(24, 3).with(3, pages * PAGE).free("last run", 2);
        Scene::new(24, 3)
            .with(3, pages * PAGE)
            .without(&[0])
            .free("join before", 0);
        // The second piece is the first one that is left.
        Scene::new(32, 3)
            .with(4, pages * PAGE)
            .without(&[2])
            .free("join behind", 1);
        Scene::new(32, 3)
            .with(4, pages * PAGE)
            .without(&[0, 2])
            .free("join both", 0);
    }

    Scene::new(16, 3)
        .full(PAGE)
        .free("the first of all pages", 0);

    let all = Scene::new(16, 3).full(PAGE);
    let last = all.live.len() - 1;

    all.free("the last of all pages", last);
}

#[test]
fn no_memory() {
    for size in SIZES {
        let scene = Scene::new(8, 3).full(PAGE);

        if let Some(()) = fails(&scene, size) {
            scene.alloc("no memory", size);
        }
    }

    // The last page becomes one with chunks, and its last chunk is taken.
    for size in SIZES {
        let scene = Scene::new(8, 3).full(PAGE);
        let last = scene.live.len() - 1;

        scene
            .without(&[last])
            .with(chunks(size) - 1, size)
            .alloc("the last chunk", size);
    }
}

fn fails(scene: &Scene, size: usize) -> Option<()> {
    let before = scene.zone.bytes();
    let result = scene.zone.alloc(size);

    scene.zone.restore(&before);
    result.is_err().then_some(())
}

/// Operations of all kinds. A piece that is freed is among those that live, because it lives
/// again when the operation is undone.
fn operations() -> Vec<(String, Scene, Operation)> {
    let mut all = Vec::new();
    let mut add = |name, pages, prepare: &dyn Fn(Scene) -> Scene, freed: Option<usize>, size| {
        let scene = prepare(Scene::new(pages, 3));
        let operation = match freed {
            Some(number) => Operation::Free(scene.live[number]),
            None => Operation::Alloc(size),
        };

        all.push((format!("undo: {name}, {size} bytes"), scene, operation));
    };

    // Chunks of each kind: small, exact and big.
    for size in [8, 64, 512] {
        let n = chunks(size);

        add("first chunk", 16, &|scene| scene, None, size);
        add("next chunk", 16, &|scene| scene.with(1, size), None, size);
        add(
            "last chunk",
            16,
            &|scene| scene.with(n - 1, size),
            None,
            size,
        );
        add(
            "free a chunk",
            16,
            &|scene| scene.with(3, size),
            Some(1),
            size,
        );
        add(
            "full page",
            16,
            &|scene| scene.with(n, size),
            Some(n / 2),
            size,
        );
        add(
            "free the only chunk",
            16,
            &|scene| scene.with(1, size),
            Some(0),
            size,
        );
    }

    let run = 2 * PAGE;
    let four = |scene: Scene| scene.with(4, run);

    add(
        "free the first run",
        16,
        &|scene| scene.with(2, run),
        Some(0),
        run,
    );
    add(
        "free the run before the first free one",
        16,
        &|scene| scene.with(2, run),
        Some(1),
        run,
    );

    add("split", 16, &|scene| scene.with(1, 64), None, run);
    add(
        "gap",
        24,
        &|scene| scene.with(10, PAGE).without(&[4, 5]),
        None,
        run,
    );
    add("free a run", 24, &four, Some(1), run);
    add(
        "join before",
        24,
        &|scene| four(scene).without(&[0]),
        Some(0),
        run,
    );
    add(
        "join behind",
        24,
        &|scene| four(scene).without(&[2]),
        Some(1),
        run,
    );
    add(
        "join both",
        24,
        &|scene| four(scene).without(&[0, 2]),
        Some(0),
        run,
    );

    all
}

/// A process dies while it undoes what another one has done, which has died after any of its
/// changes.
#[test]
fn undo_is_interrupted() {
    for (name, scene, operation) in operations() {
        let mut states = Vec::new();
        let zone = &scene.zone;
        let mut now = zone.bytes();
        let mut tracee = Tracee::start(|| {
            run(zone, operation);
        });

        while tracee.step() {
            if zone.changed(&mut now) && change::is_interrupted(&zone.pool).unwrap() {
                states.push(now.clone());
            }
        }

        assert!(states.len() > 2, "{name}: {} states", states.len());

        for state in chosen(&states, 2) {
            zone.restore(state);
            check(&name, &scene, Operation::Undo);
        }
    }
}
