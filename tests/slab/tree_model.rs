//! Random changes of trees, compared with a `BTreeMap`, and trees whose bytes another process
//! overwrites.

use std::collections::BTreeMap;

use ngx_ipc::zone::transaction::{Fault, Left, Transaction};
use ngx_ipc::zone::tree::Tree;
use ngx_ipc::zone::typed::{Header, Type, word};

use super::transactions::{VICTIM, WORD};
use super::transactions_model::Random;
use super::zone::Zone;

const PAGE: usize = 4096;

/// The words of a node.
const LEFT: usize = 1;
const RIGHT: usize = 2;
const PARENT: usize = 3;
const COLOR: usize = 4;
/// The size of a node, in bytes.
const NODE: usize = 5 * WORD;

/// The nodes by their keys, and by the order in which nodes with the same key were inserted.
type Model = BTreeMap<(usize, usize), usize>;

/// A zone whose root is a tree with its sentinel, and what the tree contains.
struct Forest {
    zone: Zone,
    tree: usize,
    model: Model,
    inserted: usize,
}

impl Forest {
    fn new(pages: usize, log: usize) -> Self {
        let zone = Zone::new(pages * PAGE, 3);
        let of = Type {
            name: b"tree",
            version: 1,
        };
        let header = Header::make(&zone.pool, of, 8 * WORD, log).unwrap();
        let (tree, _) = header.root().unwrap();

        for n in 0..2 {
            zone.pool.put(tree + n * WORD, tree + 3 * WORD).unwrap();
        }

        Self {
            zone,
            tree,
            model: Model::new(),
            inserted: 0,
        }
    }

    fn sentinel(&self) -> usize {
        self.tree + 3 * WORD
    }

    fn transaction(&self) -> Transaction<'_> {
        Transaction::of(&self.zone.pool).unwrap()
    }

    fn begin(&self) {
        let transaction = self.transaction();

        transaction.settle(0, |fault| panic!("{fault:?}")).unwrap();
        transaction.begin(VICTIM).unwrap();
    }

    fn commit(&self) {
        let commits = self.transaction().commit(|fault| panic!("{fault:?}"));

        commits.unwrap();
    }

    /// Does `work` with the tree.
    fn with<T>(&self, work: impl FnOnce(&Tree<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        work(&Tree::open(&self.transaction(), self.tree)?)
    }

    /// The bytes of the undo log in use.
    fn logged(&self) -> usize {
        let header = Header::find(&self.zone.pool).unwrap();

        header.get(word::STATE).unwrap()
    }

    /// The limit that docs/typed-zones.md says for a call: `first` bytes, and `more` for each
    /// doubling of the number of nodes.
    fn check_log(&self, before: usize, first: usize, more: usize) {
        let doublings = (self.model.len() + 2).ilog2() as usize + 1;

        assert!(self.logged() - before <= first + more * doublings);
    }

    fn insert(&mut self, key: usize) {
        let node = self.transaction().alloc(NODE).unwrap();
        let before = self.logged();

        self.zone.pool.put(node, key).unwrap();
        self.with(|tree| tree.insert(node)).unwrap();
        self.check_log(before, 432, 72);
        self.inserted += 1;
        self.model.insert((key, self.inserted), node);
    }

    fn delete(&mut self, entry: (usize, usize)) {
        let node = self.model.remove(&entry).unwrap();
        let before = self.logged();

        self.with(|tree| tree.delete(node)).unwrap();
        self.check_log(before, 768, 48);
        self.transaction().free(node).unwrap();
    }

    /// The word `n` of a node.
    fn word(&self, node: usize, n: usize) -> usize {
        self.zone.pool.get(node + n * WORD).unwrap()
    }

    fn is_red(&self, node: usize) -> bool {
        node != self.sentinel() && self.word(node, COLOR) & 0xff == 1
    }

    /// Checks the part of the tree below `node`. Returns the number of black nodes and of all nodes
    /// on its longest path.
    fn levels(&self, node: usize) -> (usize, usize) {
        if node == self.sentinel() {
            return (0, 0);
        }

        let children = [LEFT, RIGHT].map(|side| self.word(node, side));

        for child in children {
            assert!(!self.is_red(node) || !self.is_red(child));
            assert!(child == self.sentinel() || self.word(child, PARENT) == node);
        }

        let [left, right] = children.map(|child| self.levels(child));

        assert_eq!(left.0, right.0, "the tree is not balanced");
        (
            left.0 + usize::from(!self.is_red(node)),
            1 + left.1.max(right.1),
        )
    }

    /// Compares the tree with the model.
    fn compare(&self) {
        let nodes: Vec<_> = self.model.values().copied().collect();
        let mut walk = Vec::new();
        let mut node = self.with(|tree| tree.min()).unwrap();

        while let Some(found) = node {
            walk.push(found);
            node = self.with(|tree| tree.next(found)).unwrap();
        }

        assert_eq!(walk, nodes);
        assert_eq!(self.with(|tree| tree.count()), Ok(nodes.len()));

        let root = self.zone.pool.get(self.tree).unwrap();
        let (_, deepest) = self.levels(root);

        assert!(!self.is_red(root));
        assert!(deepest <= 2 * (nodes.len() + 1).ilog2() as usize + 1);
    }

    /// Compares what is found for a key with the model.
    fn compare_key(&self, key: usize) {
        let next = self.model.range((key, 0)..).next();

        assert_eq!(
            self.with(|tree| tree.lower_bound(key)),
            Ok(next.map(|(_, &node)| node))
        );
        assert_eq!(
            self.with(|tree| tree.find(key)),
            Ok(next
                .filter(|((found, _), _)| *found == key)
                .map(|(_, &node)| node))
        );
    }
}

/// A key: few small ones, or any.
fn key(random: &mut Random) -> usize {
    match random.below(8) {
        0 => random.next(),
        1 => usize::MAX - random.below(3),
        _ => random.below(60),
    }
}

#[test]
fn random_trees() {
    let mut random = Random(11);
    let mut forest = Forest::new(64, 20_000);

    for n in 0..6000 {
        let before = forest.model.clone();
        // The tree grows at first, and then shrinks.
        let more = if n % 1000 < 500 { 6 } else { 3 };

        forest.begin();

        for _ in 0..random.below(8) {
            let at = random.below(forest.model.len() + 1);

            match forest.model.keys().nth(at).copied() {
                Some(entry) if random.below(9) >= more => forest.delete(entry),
                _ => forest.insert(key(&mut random)),
            }
        }

        match random.below(6) {
            0 => {
                let abort = forest.transaction().abort(|fault| panic!("{fault:?}"));

                abort.unwrap();
                forest.model = before;
            }
            // The process dies.
            1 => {
                let settled = forest
                    .transaction()
                    .settle(VICTIM, |fault| panic!("{fault:?}"));

                assert_ne!(settled.unwrap().left, Left::Completed);
                forest.transaction().forget_dead().unwrap();
                forest.model = before;
            }
            _ => forest.commit(),
        }

        if n % 8 == 0 {
            forest.compare();
            forest.compare_key(key(&mut random));
        }
    }

    assert!(forest.inserted > 5000);

    // All memory comes back but header and root.
    while let Some((&entry, _)) = forest.model.first_key_value() {
        forest.begin();
        forest.delete(entry);
        forest.commit();
        forest.compare();
    }

    assert_eq!(forest.zone.contents().chunks, 1);
}

/// Many nodes in order, in the reverse order, and with the same key.
#[test]
fn large_trees() {
    let keys: [fn(usize) -> usize; 3] = [|n| n, |n| usize::MAX - n, |_| 7];

    for key in keys {
        let mut forest = Forest::new(160, 4000);

        for n in 0..5000 {
            forest.begin();
            forest.insert(key(n));
            forest.commit();
        }

        forest.compare();

        for n in 0..5000 {
            let at = 7 * n % forest.model.len();
            let entry = *forest.model.keys().nth(at).unwrap();

            forest.begin();
            forest.delete(entry);
            forest.commit();
        }

        assert_eq!(forest.model.len(), 0);
        forest.compare();
    }
}

/// What is no tree, and nodes that are not in it.
#[test]
fn wrong_addresses() {
    let mut forest = Forest::new(16, 4000);
    let end = forest.zone.pool.at(0) + 16 * PAGE;

    forest.begin();
    forest.insert(1);

    let transaction = forest.transaction();
    let outside = [0, 1, end, end - WORD, forest.tree + 1, usize::MAX - 7];

    for tree in outside {
        assert_eq!(Tree::open(&transaction, tree).err(), Some(Fault::NoTree));
    }

    let node = transaction.alloc(NODE).unwrap();

    forest.zone.pool.words().zero(node, NODE);

    for wrong in outside.into_iter().chain([node, forest.sentinel()]) {
        forest.with(|tree| tree.delete(wrong)).unwrap_err();
        forest.with(|tree| tree.next(wrong)).unwrap_err();
    }

    for wrong in outside {
        forest.with(|tree| tree.insert(wrong)).unwrap_err();
    }

    // So the transaction cannot become final.
    assert_eq!(transaction.commit(|_| {}), Err(Fault::Failed));
    assert_eq!(forest.with(|tree| tree.count()), Ok(0));

    // The words of a tree are zeros before `ngx_rbtree_init()`.
    forest.zone.pool.words().zero(forest.tree, 8 * WORD);
    assert_eq!(forest.with(|tree| tree.count()), Err(Fault::NoTree));
}

/// Overwrites words of the tree and its nodes.
fn damage(forest: &Forest, nodes: &[usize], random: &mut Random) {
    let put = |address: usize, value: usize| forest.zone.pool.put(address, value).unwrap();
    let any = |random: &mut Random| nodes[random.below(nodes.len())];
    let node = any(random);

    match random.below(10) {
        0 => put(forest.tree + random.below(2) * WORD, any(random)),
        1 => put(node + random.below(5) * WORD, random.next()),
        2 => put(
            node + random.below(4) * WORD,
            forest.zone.pool.at(random.below(16 * PAGE)),
        ),
        3 => put(node + random.below(4) * WORD, usize::MAX - random.below(40)),
        4 => put(node + COLOR * WORD, random.below(3)),
        5 => put(node + (1 + random.below(3)) * WORD, forest.sentinel()),
        6 => put(node + (1 + random.below(3)) * WORD, any(random)),
        // A link that leads back.
        _ => {
            let child = any(random);

            put(node + (1 + random.below(2)) * WORD, child);
            put(child + PARENT * WORD, node);
        }
    }
}

/// Every function must return, and a walk must end.
fn use_tree(forest: &Forest, nodes: &[usize], random: &mut Random) -> bool {
    let before = forest.zone.bytes();
    let mut node = forest.with(|tree| tree.min()).ok().flatten();
    let mut steps = 0;

    while let Some(found) = node {
        steps += 1;
        assert!(
            steps <= forest.zone.pool.words().size() / WORD,
            "a walk has no end"
        );
        node = forest.with(|tree| tree.next(found)).ok().flatten();
    }

    let _ = forest.with(|tree| tree.count());
    let _ = forest.with(|tree| tree.find(random.below(9)));

    forest.begin();

    let node = nodes[random.below(nodes.len())];
    let result = match random.below(3) {
        0 => forest.with(|tree| tree.insert(node)),
        _ => forest.with(|tree| tree.delete(node)),
    };

    // A failure undoes all that was changed.
    let is_final = forest.transaction().commit(|_| {});

    if result.is_err() {
        let after = forest.zone.bytes();
        let at = forest.tree - forest.zone.pool.at(0);

        assert!(after[at..at + 8 * WORD] == before[at..at + 8 * WORD]);

        for node in nodes {
            let at = node - forest.zone.pool.at(0);

            assert!(after[at..at + NODE] == before[at..at + NODE]);
        }
    } else {
        is_final.unwrap();
    }

    result.is_err()
}

#[test]
fn damaged_trees() {
    let mut forest = Forest::new(16, 4000);
    let mut random = Random(13);

    for n in 0..12 {
        forest.begin();
        forest.insert(n);
        forest.commit();
    }

    let nodes: Vec<_> = forest.model.values().copied().collect();
    let before = forest.zone.bytes();
    let mut refused = 0;

    for _ in 0..20_000 {
        for _ in 0..1 + random.below(4) {
            damage(&forest, &nodes, &mut random);
        }

        refused += usize::from(use_tree(&forest, &nodes, &mut random));
        forest.zone.restore(&before);
    }

    assert!(refused > 2000, "{refused}");
    forest.compare();
}

/// Paths that no red-black tree has: a tree that is a list, and a ring beside the tree.
#[test]
fn endless_paths() {
    let forest = Forest::new(16, 4000);
    let node = |links: [usize; 3]| {
        let node = forest.zone.alloc(NODE).unwrap();

        forest.zone.pool.words().zero(node, NODE);
        link(&forest, node, links);
        node
    };
    let sentinel = forest.sentinel();
    let mut last = node([sentinel, sentinel, 0]);

    forest.zone.pool.put(forest.tree, last).unwrap();

    for _ in 0..100 {
        let next = node([sentinel, sentinel, last]);

        forest.zone.pool.put(last + RIGHT * WORD, next).unwrap();
        last = next;
    }

    assert_eq!(forest.with(|tree| tree.lower_bound(1)), Err(Fault::NoTree));

    let ring = node([0; 3]);
    let other = node([ring; 3]);

    link(&forest, ring, [other; 3]);
    assert_eq!(forest.with(|tree| tree.next(ring)), Err(Fault::NoTree));
}

/// Sets the links of a node: left, right and parent.
fn link(forest: &Forest, node: usize, links: [usize; 3]) {
    for (n, value) in links.into_iter().enumerate() {
        forest
            .zone
            .pool
            .put(node + (LEFT + n) * WORD, value)
            .unwrap();
    }
}
