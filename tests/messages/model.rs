//! A model of the memory of a processor, and a search through all ways in which
//! processes can run beside each other on it.
//!
//! The model has the order of stores of x86, "total store order": each process
//! has a buffer of stores, which reach the memory later, one after the other.
//! Atomic operations that read and write empty the buffer first.
//!
//! A program is a function that is run again for each access to the memory. In
//! each run the earlier accesses return what they have returned before, then one
//! access is done, and then the function is left with a panic. So a state of the
//! search consists of the memory, the buffers, and what each program has read.

use std::cell::RefCell;
use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::hash::{Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr::NonNull;
use std::sync::atomic::Ordering;

use ngx_ipc::message::memory::Memory;

/// The most accesses of one program.
const MOST: usize = 2000;

#[derive(Clone, Default, Hash)]
pub struct State {
    words: BTreeMap<usize, u64>,
    buffers: Vec<VecDeque<(usize, u64)>>,
    bells: u64,
    read: Vec<Vec<u64>>,
    is_done: Vec<bool>,
    pub dead: Option<usize>,
    /// The program that has run last.
    last: Option<usize>,
    /// The number of times that a program was interrupted.
    interruptions: u32,
}

/// How an access to the memory is done.
#[derive(Clone, Copy, PartialEq)]
enum Mode {
    /// At once, outside a search.
    Direct,
    /// As the next access of a program.
    Program {
        index: usize,
        at: usize,
        is_over: bool,
    },
}

struct Model {
    state: State,
    mode: Mode,
    size: usize,
    noted: Vec<u64>,
}

thread_local! {
    static MODEL: RefCell<Model> = const {
        RefCell::new(Model {
            state: State {
                words: BTreeMap::new(),
                buffers: Vec::new(),
                bells: 0,
                read: Vec::new(),
                is_done: Vec::new(),
                dead: None,
                last: None,
                interruptions: 0,
            },
            mode: Mode::Direct,
            size: 0,
            noted: Vec::new(),
        })
    };
}

/// Leaves a program after an access.
struct Leave;

/// The memory of the model.
#[derive(Clone, Copy, Debug)]
pub struct Cells;

impl Cells {
    /// Empties the memory.
    pub fn new(size: usize) -> Self {
        MODEL.with_borrow_mut(|model| {
            model.state = State::default();
            model.mode = Mode::Direct;
            model.size = size;
        });

        Self
    }
}

/// Adds a number to what the running program has noted.
pub fn note(number: u64) {
    MODEL.with_borrow_mut(|model| model.noted.push(number));
}

/// Waits until another program has rung the bell of a slot.
pub fn sleep(slot: u32) {
    access(|state, _| {
        let bit = 1 << slot;
        let is_rung = state.bells & bit != 0;

        state.bells &= !bit;
        is_rung.then_some(0)
    });
}

impl State {
    fn load(&self, at: usize, index: Option<usize>) -> u64 {
        let buffered = index.and_then(|index| {
            let newest = self.buffers[index].iter().rev();

            newest
                .clone()
                .find(|(to, _)| *to == at)
                .map(|(_, value)| *value)
        });

        buffered.unwrap_or_else(|| self.words.get(&at).copied().unwrap_or(0))
    }

    fn store(&mut self, at: usize, value: u64, index: Option<usize>) {
        match index {
            Some(index) => self.buffers[index].push_back((at, value)),
            // A word that is not there is 0.
            None if value == 0 => {
                self.words.remove(&at);
            }
            None => {
                self.words.insert(at, value);
            }
        }
    }

    fn flush(&mut self, index: usize) -> bool {
        let oldest = self.buffers[index].pop_front();

        if let Some((at, value)) = oldest {
            self.store(at, value, None);
        }

        oldest.is_some()
    }

    fn update(&mut self, at: usize, index: Option<usize>, to: impl FnOnce(u64) -> u64) -> u64 {
        while index.is_some_and(|index| self.flush(index)) {}

        let old = self.load(at, None);

        self.store(at, to(old), None);
        old
    }
}

/// Does an access. `what` returns `None` if the access must wait.
fn access(what: impl FnOnce(&mut State, Option<usize>) -> Option<u64>) -> u64 {
    let result = MODEL.with_borrow_mut(|model| match &mut model.mode {
        Mode::Direct => what(&mut model.state, None),
        Mode::Program { index, at, is_over } => {
            let earlier = model.state.read[*index].get(*at).copied();

            *at += 1;
            assert!(*at < MOST, "a program does not end");

            if earlier.is_some() || *is_over {
                return earlier;
            }

            *is_over = true;

            let value = what(&mut model.state, Some(*index))?;

            model.state.read[*index].push(value);
            Some(value)
        }
    });

    result.unwrap_or_else(|| resume_unwind(Box::new(Leave)))
}

impl Memory for Cells {
    fn size(&self) -> usize {
        MODEL.with_borrow(|model| model.size)
    }

    fn load(&self, at: usize, _: Ordering) -> u64 {
        access(|state, index| Some(state.load(at, index)))
    }

    fn store(&self, at: usize, value: u64, _: Ordering) {
        access(|state, index| {
            state.store(at, value, index);
            Some(0)
        });
    }

    fn swap(&self, at: usize, value: u64) -> u64 {
        access(|state, index| Some(state.update(at, index, |_| value)))
    }

    fn replace(&self, at: usize, from: u64, to: u64) -> bool {
        let old = access(|state, index| {
            Some(state.update(at, index, |old| if old == from { to } else { old }))
        });

        old == from
    }

    fn set_bits(&self, at: usize, bits: u64) {
        access(|state, index| Some(state.update(at, index, |old| old | bits)));
    }

    fn clear_bits(&self, at: usize, bits: u64) {
        access(|state, index| Some(state.update(at, index, |old| old & !bits)));
    }

    fn fence(&self) {
        access(|state, index| {
            while index.is_some_and(|index| state.flush(index)) {}

            Some(0)
        });
    }

    fn write(&self, at: usize, bytes: &[u8]) {
        for (word, chunk) in bytes.chunks(8).enumerate() {
            let mut whole = [0; 8];

            whole[..chunk.len()].copy_from_slice(chunk);
            self.store(at + word * 8, u64::from_ne_bytes(whole), Ordering::Relaxed);
        }
    }

    fn read(&self, at: usize, to: &mut [u8]) {
        for (word, chunk) in to.chunks_mut(8).enumerate() {
            let whole = self.load(at + word * 8, Ordering::Relaxed).to_ne_bytes();

            chunk.copy_from_slice(&whole[..chunk.len()]);
        }
    }

    fn address(&self, _: usize, _: usize) -> Option<NonNull<u8>> {
        None
    }

    fn ring(&self, slot: u32) {
        access(|state, index| {
            while index.is_some_and(|index| state.flush(index)) {}

            state.bells |= 1 << slot;
            Some(0)
        });
    }

    fn now(&self) -> u64 {
        0
    }

    fn give_back(&self, _: usize, _: usize) {}
}

/// A program of a search.
pub type Program<'a> = &'a dyn Fn();

/// What one access of a program has led to.
enum Step {
    Access,
    /// The program waits.
    Blocked,
}

fn step(programs: &[Program<'_>], state: &State, index: usize) -> (Step, State) {
    run(programs, state, index, false);

    MODEL.with_borrow_mut(|model| {
        let next = std::mem::take(&mut model.state);

        if next.read[index].len() == state.read[index].len() && !next.is_done[index] {
            (Step::Blocked, next)
        } else {
            (Step::Access, next)
        }
    })
}

fn run(programs: &[Program<'_>], state: &State, index: usize, is_over: bool) {
    MODEL.with_borrow_mut(|model| {
        model.state = state.clone();
        model.noted.clear();
        model.mode = Mode::Program {
            index,
            at: 0,
            is_over,
        };
    });

    let result = catch_unwind(AssertUnwindSafe(programs[index]));

    MODEL.with_borrow_mut(|model| {
        model.mode = Mode::Direct;
        model.state.is_done[index] |= result.is_ok();
    });

    if let Err(payload) = result
        && !payload.is::<Leave>()
    {
        resume_unwind(payload);
    }
}

/// Runs the programs in all ways in which they are interrupted at most `most`
/// times. A program that ends or waits is not interrupted. If `mortal` is a program, it
/// can also die at any time. Calls `judge` for each state in which no program can
/// continue, with the notes of each program; the memory has the contents of this state
/// then. Returns the number of states.
pub fn search(
    programs: &[Program<'_>],
    mortal: Option<usize>,
    most: u32,
    mut judge: impl FnMut(&State, &[Vec<u64>]),
) -> usize {
    let mut first = MODEL.with_borrow(|model| model.state.clone());

    first.buffers = vec![VecDeque::new(); programs.len()];
    first.read = vec![Vec::new(); programs.len()];
    first.is_done = vec![false; programs.len()];

    let mut known = HashSet::new();
    let mut open = vec![first];

    while let Some(state) = open.pop() {
        let mut next = Vec::new();

        for index in 0..programs.len() {
            let mut flushed = state.clone();

            if flushed.flush(index) {
                next.push(flushed);
            }

            if state.is_done[index] || state.dead == Some(index) {
                continue;
            }

            if mortal == Some(index) && state.dead.is_none() {
                let mut dead = state.clone();

                dead.dead = Some(index);
                next.push(dead);
            }

            if let (Step::Access, mut after) = step(programs, &state, index) {
                // No other program sees a store that goes into the buffer. So it can
                // come first, whatever the others do.
                if after.buffers[index].len() > state.buffers[index].len() {
                    next.retain(|other: &State| other.dead == Some(index));
                    next.push(after);
                    break;
                }

                after.last = (most < u32::MAX).then_some(index);
                next.push(after);
            }
        }

        let last = next
            .iter()
            .any(|after| after.last.is_some() && after.last == state.last);

        for after in &mut next {
            if last && after.last != state.last {
                after.interruptions += 1;
            }
        }

        let is_end = next.iter().all(|after| after.dead != state.dead);

        if is_end {
            let noted: Vec<Vec<u64>> = (0..programs.len())
                .map(|index| {
                    run(programs, &state, index, true);
                    MODEL.with_borrow(|model| model.noted.clone())
                })
                .collect();

            MODEL.with_borrow_mut(|model| model.state = state.clone());
            judge(&state, &noted);
        }

        for after in next {
            let mut hasher = DefaultHasher::new();

            after.hash(&mut hasher);

            if after.interruptions <= most && known.insert(hasher.finish()) {
                open.push(after);
            }
        }
    }

    known.len()
}
