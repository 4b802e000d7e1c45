//! A process is killed after each instruction of a transaction, and of its recovery. The
//! next owner of the lock finds the old or the new structure, and no piece is lost.
//!
//! The process runs one instruction at a time, see `steps.rs`.

use std::sync::atomic::AtomicU8;

use ngx_ipc::zone::hash::{self, Table};
use ngx_ipc::zone::queue;
use ngx_ipc::zone::slab::verify::Contents;
use ngx_ipc::zone::transaction::{Fault, Found, Left, Result, Transaction};
use ngx_ipc::zone::tree::Tree;
use ngx_ipc::zone::typed::{Header, Type, word};

use super::states::chosen;
use super::tracee::Tracee;
use super::zone::Zone;

const PAGE: usize = 4096;
pub const WORD: usize = size_of::<usize>();

/// The pids of the processes.
pub const VICTIM: usize = 1001;
pub const NEXT: usize = 1002;

/// The number of words of the root.
pub const ROOT: usize = 8;

/// The word of the root that begins the head of a queue, and that of an element.
pub const HEAD: usize = 3;
const ELEMENT: usize = 5;

/// The words of a tree and its sentinel, and of a node. They follow the first word of the second
/// piece.
const TREE: usize = 8;
const NODE: usize = 5;
const NODES: usize = 16;

/// A zone with a root, and two pieces to which the root points.
pub struct Scene {
    pub zone: Zone,
    pub root: usize,
    has_tree: bool,
}

impl Scene {
    pub fn new(log: usize) -> Self {
        let zone = Zone::new(16 * PAGE, 3);
        let of = Type {
            name: b"test",
            version: 3,
        };
        let (root, _) = Header::make(&zone.pool, of, ROOT * WORD, log)
            .unwrap()
            .root()
            .unwrap();
        let this = Self {
            zone,
            root,
            has_tree: false,
        };

        for (n, size) in [40, 3 * PAGE].into_iter().enumerate() {
            let piece = this.zone.alloc(size).unwrap();

            this.set(n, piece);
            this.zone.pool.put(piece, 7).unwrap();
        }

        // The head of an empty queue.
        this.set(HEAD, this.root + HEAD * WORD);
        this.set(HEAD + 1, this.root + HEAD * WORD);
        this
    }

    /// A zone with a tree of 5 nodes too.
    fn with_tree(log: usize) -> Self {
        let this = Self {
            has_tree: true,
            ..Self::new(log)
        };

        for word in 0..2 {
            let sentinel = this.tree() + 3 * WORD;

            this.zone
                .pool
                .put(this.tree() + word * WORD, sentinel)
                .unwrap();
        }

        this.begin(VICTIM);

        for n in 0..5 {
            this.insert(n, 10 * n);
        }

        this.commit().unwrap();
        this
    }

    /// The address of the tree.
    fn tree(&self) -> usize {
        self.get(1) + WORD
    }

    /// The address of the node `n`.
    fn node(&self, n: usize) -> usize {
        assert!(n < NODES);
        self.tree() + (TREE + n * NODE) * WORD
    }

    fn insert(&self, n: usize, key: usize) {
        let transaction = self.transaction();
        let node = self.node(n);

        transaction.save(node, WORD).unwrap();
        self.zone.pool.put(node, key).unwrap();
        Tree::open(&transaction, self.tree())
            .unwrap()
            .insert(node)
            .unwrap();
    }

    fn delete(&self, n: usize) {
        let transaction = self.transaction();
        let tree = Tree::open(&transaction, self.tree()).unwrap();

        tree.delete(self.node(n)).unwrap();
    }

    pub fn transaction(&self) -> Transaction<'_> {
        Transaction::of(&self.zone.pool).unwrap()
    }

    /// The word `n` of the root.
    pub fn get(&self, n: usize) -> usize {
        self.zone.pool.get(self.root + n * WORD).unwrap()
    }

    pub fn set(&self, n: usize, value: usize) {
        self.zone.pool.put(self.root + n * WORD, value).unwrap();
    }

    pub fn save(&self, n: usize, count: usize) {
        let (at, size) = (self.root + n * WORD, count * WORD);

        self.transaction().save(at, size).unwrap();
    }

    /// What the next owner of the lock does first.
    pub fn settle(&self, dead: usize) -> Result<Found> {
        self.transaction().settle(dead, |fault| panic!("{fault:?}"))
    }

    pub fn begin(&self, own: usize) -> Found {
        let found = self.settle(0).unwrap();

        self.transaction().begin(own).unwrap();
        found
    }

    pub fn commit(&self) -> Result {
        self.transaction().commit(|fault| panic!("{fault:?}"))
    }

    pub fn abort(&self) -> Result {
        self.transaction().abort(|fault| panic!("{fault:?}"))
    }

    fn alloc(&self, size: usize) -> usize {
        self.transaction().alloc(size).unwrap()
    }

    /// The structure: the root, the bytes of its pieces, and what is allocated.
    pub fn content(&self) -> (Vec<usize>, Vec<usize>, Contents) {
        let root: Vec<_> = (0..ROOT).map(|n| self.get(n)).collect();
        let mut pieces: Vec<_> = root
            .iter()
            .filter_map(|&piece| self.zone.pool.get(piece).ok())
            .collect();

        if self.has_tree {
            let word = |n| self.zone.pool.get(self.tree() + n * WORD).unwrap();

            pieces.extend((0..TREE + NODES * NODE).map(word));
        }

        (root, pieces, self.zone.contents())
    }
}

/// A transaction with all operations: it replaces both pieces, and one of them twice.
fn replace(scene: &Scene, ends: impl FnOnce(&Scene) -> Result) {
    scene.begin(VICTIM);
    scene.save(0, 2);

    let (first, second) = (scene.get(0), scene.get(1));
    let (small, large) = (scene.alloc(100), scene.alloc(2 * PAGE));

    scene.zone.pool.put(small, 8).unwrap();
    scene.zone.pool.put(large, 9).unwrap();
    scene.set(0, small);
    scene.set(1, large);
    scene.transaction().free(first).unwrap();
    scene.transaction().free(second).unwrap();

    // A piece that lives within the transaction.
    let third = scene.alloc(16);

    scene.transaction().free(third).unwrap();
    scene.transaction().save(scene.root + 2 * WORD, 1).unwrap();
    scene.set(2, 5);
    ends(scene).unwrap();
}

/// A transaction without pieces.
fn overwrite(scene: &Scene, ends: impl FnOnce(&Scene) -> Result) {
    scene.begin(VICTIM);
    scene.save(2, 1);
    scene.set(2, 50);
    scene.save(3, 4);

    for n in 3..7 {
        scene.set(n, 60 + n);
    }

    ends(scene).unwrap();
}

/// A transaction with a table, which replaces a piece, and with a queue.
fn structures(scene: &Scene, ends: impl FnOnce(&Scene) -> Result) {
    scene.begin(VICTIM);

    let transaction = scene.transaction();
    let address = hash::create(&transaction, 1, WORD).unwrap();
    let table = Table::open(&transaction, address, Some(WORD)).unwrap();

    let bytes = |text: &[u8]| -> Vec<_> { text.iter().copied().map(AtomicU8::new).collect() };
    let set = |key: &[u8], value: u8| table.set(&bytes(key), &bytes(&[value; WORD]));

    // One list has both keys.
    set(b"a key", 1).unwrap();
    set(b"another key", 2).unwrap();
    set(b"a key", 3).unwrap();
    assert!(table.delete(&bytes(b"a key")).unwrap());
    assert!(table.delete(&bytes(b"another key")).unwrap());
    assert_eq!(table.count(), Ok(0));

    scene.save(0, 1);
    transaction.free(scene.get(0)).unwrap();
    scene.set(0, address);

    let [head, element] = [HEAD, ELEMENT].map(|n| scene.root + n * WORD);

    queue::insert_after(&transaction, head, element).unwrap();
    queue::remove(&transaction, element).unwrap();
    queue::insert_before(&transaction, head, element).unwrap();
    ends(scene).unwrap();
}

/// A transaction that inserts nodes with these keys into a tree, and deletes the nodes with these
/// numbers.
fn trees(scene: &Scene, keys: &[usize], deleted: &[usize]) {
    scene.begin(VICTIM);

    for (n, &key) in keys.iter().enumerate() {
        scene.insert(5 + n, key);
    }

    for &n in deleted {
        scene.delete(n);
    }

    scene.commit().unwrap();
}

/// Runs `work` one instruction at a time. After each change, the next owner finds one of the
/// structures `ends`, and then `check` is called.
fn steps(name: &str, scene: &Scene, work: &dyn Fn(&Scene), check: &dyn Fn(&Scene, &str)) {
    let zone = &scene.zone;
    let before = zone.bytes();
    let mut now = before.clone();
    let mut places = Vec::new();
    let mut count = 0;
    let mut tracee = Tracee::start(|| work(scene));

    while tracee.step() {
        count += 1;

        if zone.changed(&mut now) {
            check(scene, &format!("{name}, instruction {count}"));
            zone.restore(&now);
            places.push(count);
        }
    }

    check(scene, &format!("{name}, the end"));
    zone.restore(&before);

    // A real kill.
    let mut tracee = Tracee::start(|| work(scene));

    for _ in 0..places[places.len() / 4] {
        assert!(tracee.step(), "{name}: the steps differ");
    }

    tracee.kill();
    check(scene, &format!("{name}, killed"));
    zone.restore(&before);
    println!("{name}: {count} instructions, {} changes", places.len());
}

/// Checks that the next owner finds one of `ends`, and that its own transaction works.
fn check_next_owner(scene: &Scene, ends: &[(Vec<usize>, Vec<usize>, Contents)], place: &str) {
    let found = scene.settle(VICTIM).unwrap();
    let content = scene.content();

    assert_eq!(found.dead, Some(VICTIM), "{place}");
    assert!(
        ends.contains(&content),
        "{place}: {content:?}, not one of {ends:?}"
    );

    if found.left == Left::Completed {
        assert_eq!(Some(&content), ends.last(), "{place}");
    }

    // The next owner works with the zone, and in the end frees all.
    scene.transaction().forget_dead().unwrap();
    assert_eq!(scene.begin(NEXT), Found::default(), "{place}");
    scene.save(7, 1);
    scene.set(7, 77);

    for n in 0..2 {
        scene.transaction().free(scene.get(n)).unwrap();
    }

    scene.commit().unwrap();
    assert_eq!(scene.get(7), 77, "{place}");

    // Only the header and the root are left.
    scene.zone.free(scene.root).unwrap();
    scene
        .zone
        .free(Header::find(&scene.zone.pool).unwrap().at(0))
        .unwrap();

    let last = scene.zone.contents();

    assert_eq!((last.chunks, last.run_pages), (0, 0), "{place}");
}

/// The structures before and after `work`.
fn ends_of(scene: &Scene, work: &dyn Fn(&Scene)) -> Vec<(Vec<usize>, Vec<usize>, Contents)> {
    let before = scene.zone.bytes();
    let old = scene.content();

    work(scene);

    let new = scene.content();

    scene.zone.restore(&before);
    vec![old, new]
}

/// A transaction.
type Work = Box<dyn Fn(&Scene)>;

/// All transactions: their names, and what they do.
fn works() -> Vec<(&'static str, Work)> {
    vec![
        (
            "replace and commit",
            Box::new(|scene: &Scene| replace(scene, Scene::commit)),
        ),
        (
            "replace and abort",
            Box::new(|scene: &Scene| replace(scene, Scene::abort)),
        ),
        (
            "structures and commit",
            Box::new(|scene: &Scene| structures(scene, Scene::commit)),
        ),
        (
            "structures and abort",
            Box::new(|scene: &Scene| structures(scene, Scene::abort)),
        ),
        // Together these two take each path through `src/zone/tree.rs`: nodes get other colors,
        // and are rotated once and twice, both when a node is inserted and when one is deleted.
        (
            "tree, one rotation, commit",
            Box::new(|scene: &Scene| trees(scene, &[21, 28], &[1, 0, 5])),
        ),
        (
            "tree, two rotations, commit",
            Box::new(|scene: &Scene| trees(scene, &[48, 43], &[5, 2])),
        ),
        (
            "overwrite and commit",
            Box::new(|scene: &Scene| overwrite(scene, Scene::commit)),
        ),
        (
            "overwrite and abort",
            Box::new(|scene: &Scene| overwrite(scene, Scene::abort)),
        ),
    ]
}

/// The scene of a transaction.
fn scene_of(name: &str) -> Scene {
    if name.starts_with("tree,") {
        Scene::with_tree(6000)
    } else {
        Scene::new(1000)
    }
}

#[test]
fn each_instruction_of_a_transaction() {
    for (name, work) in works() {
        let scene = scene_of(name);
        let ends = ends_of(&scene, &work);

        assert_eq!(ends[0] != ends[1], name.ends_with("commit"), "{name}");
        steps(name, &scene, &work, &|scene, place| {
            check_next_owner(scene, &ends, place);
        });
    }
}

/// A process dies while it undoes or completes what another one has left, which has died after
/// any of its changes.
#[test]
fn each_instruction_of_the_recovery() {
    for (name, work) in works() {
        let scene = scene_of(name);
        let ends = ends_of(&scene, &work);
        let zone = &scene.zone;
        let mut now = zone.bytes();
        let mut states = Vec::new();
        let mut tracee = Tracee::start(|| work(&scene));

        while tracee.step() {
            if zone.changed(&mut now) {
                states.push(now.clone());
            }
        }

        for (n, state) in chosen(&states, 2).enumerate() {
            zone.restore(state);
            steps(
                &format!("{name}, recovery {n}"),
                &scene,
                &|scene| {
                    scene.settle(VICTIM).unwrap();
                },
                &|scene, place| check_next_owner(scene, &ends, place),
            );
        }
    }
}

#[test]
fn a_full_log_is_refused() {
    let scene = Scene::new(8 * WORD);
    let before = scene.content();

    scene.begin(VICTIM);
    scene.save(2, 2);
    scene.set(2, 1);

    let transaction = scene.transaction();

    // Four words are left: two of them for the entry, and two to save.
    assert_eq!(
        transaction.save(scene.root + 4 * WORD, 3 * WORD),
        Err(Fault::LogIsFull)
    );
    scene.save(4, 2);
    scene.set(4, 1);
    assert_eq!(transaction.alloc(8), Err(Fault::LogIsFull));
    assert_eq!(transaction.free(scene.get(0)), Err(Fault::LogIsFull));
    assert_eq!(scene.commit(), Err(Fault::Failed));
    assert_eq!(scene.content(), before);
    assert_eq!(scene.begin(NEXT), Found::default());
    scene.save(2, 1);
    scene.commit().unwrap();
}

#[test]
fn bytes_outside_are_refused() {
    let scene = Scene::new(1000);
    let pool = &scene.zone.pool;
    let header = Header::find(pool).unwrap();
    let end = pool.at(0) + 16 * PAGE;
    let places = [
        (0, 8),
        (pool.at(0), 8),
        (header.at(0), 8),
        (header.at(word::LOG), 8),
        (header.at(0) - 4, 8),
        (header.at(word::LOG) + 999, 1),
        (end - 4, 8),
        (end, 1),
        (scene.root, usize::MAX),
        (usize::MAX - 3, 8),
    ];

    for (address, size) in places {
        scene.begin(VICTIM);
        assert_eq!(
            scene.transaction().save(address, size),
            Err(Fault::OutsideOfPool),
            "{address:#x}"
        );
        assert_eq!(scene.commit(), Err(Fault::Failed));
    }

    assert_eq!(
        Transaction::of_process(pool, VICTIM).err(),
        Some(Fault::NotBegun)
    );
}

/// Only the saved bytes get their old value, and the others of their words do not.
#[test]
fn single_bytes_are_saved() {
    let scene = Scene::new(1000);
    let base = scene.root + 2 * WORD;

    for from in 0..2 * WORD {
        for size in 0..=3 * WORD - from {
            let read = || -> Vec<_> {
                let bytes = scene.zone.bytes();
                let at = base - scene.zone.pool.at(0);

                bytes[at..at + 3 * WORD].to_vec()
            };

            for n in 2..5 {
                scene.set(n, 0x0102_0304_0506_0708_u64 as usize * n);
            }

            let old = read();

            scene.begin(VICTIM);
            scene.transaction().save(base + from, size).unwrap();

            for n in 2..5 {
                scene.set(n, usize::MAX);
            }

            scene.abort().unwrap();

            for (n, byte) in read().into_iter().enumerate() {
                let is_saved = (from..from + size).contains(&n);

                assert_eq!(
                    byte,
                    if is_saved { old[n] } else { 255 },
                    "{from} {size} {n}"
                );
            }
        }
    }
}
