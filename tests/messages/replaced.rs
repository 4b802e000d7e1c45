//! A process that has written garbage to the region is dead, and is replaced. All
//! processes, the replacement too, send and receive as before.

use std::sync::atomic::Ordering::Relaxed;

use ngx_ipc::message::memory::Memory;
use ngx_ipc::message::words::{Header, Kind as RecordKind, pair};

use super::garbage::{CHOICES, garbage, words};
use super::hostile::Random;
use super::replaced_world::{HOSTILE, PROCESSES, SIZES, Shared, all_talk, before_death};

/// Seeds whose garbage has once made a message arrive damaged, or a reply get lost.
const FOUND: [u64; 6] = [104, 156, 161, 294, 411, 460];

/// Whether the longer form of the tests runs.
fn is_long() -> bool {
    std::env::var_os("T_LONG").is_some()
}

/// Tries garbage in the words of `choose`, which gets all words.
fn try_garbage(choose: impl FnOnce(&Shared, &[(usize, String)])) -> Result<(), String> {
    let shared = Shared::new();
    let mut processes = before_death(&shared);

    choose(&shared, &words(&shared));
    processes[HOSTILE as usize] = shared.replace();

    all_talk(&shared, &mut processes)
}

#[test]
fn garbage_in_each_word_of_a_dead_process_does_not_harm_its_replacement() {
    let shared = Shared::new();
    let count = {
        let _processes = before_death(&shared);
        words(&shared).len()
    };
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut failed = Vec::new();

    let all = 0..count * CHOICES;
    // Each fourth word gets one kind of garbage; in the longer form, each word gets all.
    let step = if is_long() { 1 } else { 4 * CHOICES + 1 };

    for case in all.step_by(step) {
        let (index, choice) = (case / CHOICES, case % CHOICES);
        let mut what = String::new();
        let result = try_garbage(|shared, words| {
            let (at, name) = &words[index];
            let value = garbage(shared, *at, choice, &mut random);

            what = format!("{name}: {:#x} is now {value:#x}", shared.load(*at));
            shared.memory().store(*at, value, Relaxed);
        });

        if let Err(why) = result {
            failed.push(format!("{what}: {why}"));
        }
    }

    println!("{count} words");
    assert_none(&failed);
}

fn assert_none(failed: &[String]) {
    assert!(
        failed.is_empty(),
        "{} fail:\n{}",
        failed.len(),
        failed.join("\n")
    );
}

#[test]
fn garbage_in_all_words_of_a_dead_process_does_not_harm_its_replacement() {
    let mut failed = Vec::new();

    let seeds = 1..=if is_long() { 500 } else { 20 };

    for seed in seeds.chain(FOUND) {
        let mut random = Random(u64::wrapping_mul(seed, 0x9e37_79b9_7f4a_7c15) | 1);
        let rate = [1, 2, 8][random.below(3)];
        let result = try_garbage(|shared, words| {
            for (at, _) in words {
                let choice = random.below(CHOICES);
                let value = garbage(shared, *at, choice, &mut random);

                if random.below(rate) == 0 {
                    shared.memory().store(*at, value, Relaxed);
                }
            }
        });

        if let Err(why) = result {
            failed.push(format!("seed {seed}: {why}"));
        }
    }

    assert_none(&failed);
}

/// A record of a dead process names a block outside the pool.
#[test]
fn a_replacement_does_not_keep_a_block_that_does_not_exist() {
    for (chunk, pool) in [
        (u32::MAX - 1, 0),
        (u32::MAX, HOSTILE),
        (7, 0),
        (u32::MAX - 1, 9),
    ] {
        let result = try_garbage(|shared, _| {
            for pool_of in (0..PROCESSES).filter(|&slot| slot != HOSTILE) {
                for at in 0..SIZES.chunks {
                    let start = shared.layout.chunk(pool_of, at);
                    let is_large = |word: &usize| {
                        let header = Header::unpack(shared.load(start + word * 8));

                        header.is_some_and(|header| header.kind == RecordKind::Large)
                    };

                    for word in (0..512).step_by(2).filter(is_large) {
                        shared
                            .memory()
                            .store(start + word * 8 + 16, pair(chunk, pool), Relaxed);
                    }
                }
            }
        });

        assert_eq!(result, Ok(()), "chunk {chunk} of pool {pool}");
    }
}
