//! The pools of zones, `ngx_slab_...()`.

use std::array;
use std::ffi::c_void;
use std::fmt;
use std::ptr::NonNull;

use super::lock_owner::{lock_of, log, own, unchecked};
use super::slab_log::Context;
use crate::config::ngx_pid_t;
use crate::log::Level;
use crate::sys::parts::Parts;
use crate::sys::time::pause;
use crate::sys::words::Words;
use crate::zone::owner::{has_exited, pid_of};
use crate::zone::shmtx::{ngx_shmtx_sh_t, ngx_shmtx_t};
use crate::zone::slab::layout::{HEADER, MIN_SHIFT, Sizes, WORD, field, is_begun, ngx_slab_pool_t};
use crate::zone::slab::pool::{Fault, Pool, Result};
use crate::zone::slab::verify::verify;
use crate::zone::slab::{self, change, evict, init, known, quick, usage};
use crate::zone::typed::Header;

/// The zone of C that is to become a pool.
///
/// # Safety
///
/// `pool` is NULL, or the address of a mapping that begins with an `ngx_slab_pool_t` and
/// has as many bytes as the field `end` says, as long as the result is used.
pub unsafe fn new(pool: *mut ngx_slab_pool_t) -> Option<Pool> {
    known::forget(pool.addr());

    // SAFETY: the mapping is as `from_ptr` requires.
    unsafe { from_ptr(pool) }
}

/// A pool of C.
///
/// # Safety
///
/// `pool` is NULL, or the address of a mapping that begins with an `ngx_slab_pool_t` and
/// has as many bytes as the field `end` says, as long as the result is used.
#[inline(always)]
pub unsafe fn from_ptr(pool: *mut ngx_slab_pool_t) -> Option<Pool> {
    let start = NonNull::new(pool)?.cast::<c_void>();

    // SAFETY: the mapping begins with a header, which is not NULL, and stays mapped as long
    // as the result is used.
    let header = unsafe { Words::new(start, HEADER) }?;
    let end = header.field(field::END)?;
    let size = known::bound(header.start(), end.wrapping_sub(header.start()));

    // SAFETY: the mapping has as many bytes as the header says, or as it had when this
    // process or its parent called ngx_slab_init(), and stays mapped as long as the result is
    // used.
    unsafe { Words::new(start, size) }.map(Pool::new)
}

/// Remembers that the process `pid` has died with the lock of a zone, if it is a typed zone. The
/// next transaction tells the module.
#[cold]
#[inline(never)]
pub fn note_death(pool: &Pool, pid: ngx_pid_t) {
    if let Some(header) = Header::find(pool) {
        // A damaged pool has no word for the pid, and no transactions.
        let _ = header.note_death(pid.unsigned_abs() as usize);
    }
}

/// Releases the lock of a zone of `size` bytes, which begins at `zone`, if the process `pid` has held
/// it and has exited. If it is a typed zone, the next transaction tells the module. Returns
/// whether the lock is released. Async-signal-safe if [`lock_owner::prepare`](super::lock_owner)
/// was called before.
///
/// # Safety
///
/// `zone` is the beginning of a zone with a pool, which stays mapped until the function returns.
pub unsafe fn release_of_dead(zone: NonNull<c_void>, size: usize, pid: ngx_pid_t) -> bool {
    if size < HEADER {
        return false;
    }

    // SAFETY: the zone has room for a pool, which begins with the words of its lock, and is mapped.
    // The references do not outlive this function.
    let (lock, words) = unsafe { (lock_of(zone.cast().as_ref()), Words::new(zone, size)) };

    // The next process that takes the lock must find the note.
    if let Some(words) = words.filter(|_| lock.is_left_by(pid)) {
        note_death(&Pool::new(words), pid);
    }

    lock.force_unlock(pid, own(), log)
}

/// Makes a pool, with an alert if its memory is too small.
pub fn make(pool: &Pool) {
    if let Err(least) = init_pool(pool) {
        log().error(
            Level::Alert,
            None,
            format_args!(
                "ngx_slab_init(): the zone at {:#x} has {} bytes, it needs {least} at least",
                pool.at(0),
                pool.words().size()
            ),
        );
    }
}

/// Makes a pool of `size` zeroed bytes at `zone`, as nginx does for each zone. Fails with the
/// number of bytes that a zone needs, if there are less.
///
/// # Safety
///
/// `zone` points to `size` zeroed bytes that are mapped as long as the zone is used, and that
/// no other code uses meanwhile.
pub unsafe fn make_in(zone: NonNull<c_void>, size: usize) -> std::result::Result<(), usize> {
    let header = zone.as_ptr().cast::<ngx_slab_pool_t>();

    if size < HEADER {
        return Err(least_size(MIN_SHIFT));
    }

    // SAFETY: the memory has room for the header, and is as the caller says.
    let pool = unsafe {
        (*header).begin(size);
        new(header)
    };

    pool.map_or(Ok(()), |pool| init_pool(&pool))
}

/// How often this file tries to take a lock or to find a zone that no process changes.
pub const ATTEMPTS: usize = 100;
/// The milliseconds between two attempts.
pub const PAUSE: usize = 10;

/// Why a zone cannot be used whose content is wrong.
pub const DAMAGED: &str = "it is damaged";
/// Why a zone cannot be used whose lock another process has.
pub const LOCKED: &str = "its lock is held";

/// Checks the zone at `zone`, which another binary has made, and which its processes still
/// use. Undoes the operation in which one of them has died. If it is a typed zone, the next
/// transaction tells the module of the death. Returns why the zone cannot be used.
///
/// # Safety
///
/// `zone` points to `size` bytes that are mapped as long as the zone is used, and that only
/// processes of the other binary use meanwhile.
pub unsafe fn adopt(zone: NonNull<c_void>, size: usize) -> std::result::Result<(), &'static str> {
    // SAFETY: the memory has this size.
    let pool = unsafe { found(zone, size) }?;
    // SAFETY: the memory has room for the header, which begins with the words of the lock. They
    // are atomics.
    let words: &'static ngx_shmtx_sh_t = unsafe { zone.cast().as_ref() };
    let before = words.owner();
    let lock = lock_of(words);

    if !lock_soon(&lock) {
        return Err(LOCKED);
    }

    undo(&pool);

    let is_right = check(&pool, |_| {});

    if is_right && before != 0 && has_exited(before) {
        note_death(&pool, pid_of(before));
    }

    lock.unlock(unchecked(), log);

    if !is_right {
        return Err(DAMAGED);
    }

    known::remember(zone.addr().get(), size, true);
    init::remember(&pool);

    Ok(())
}

/// The pool of a zone that another program has made. Fails if its header is not that of one.
///
/// # Safety
///
/// `zone` points to `size` bytes that are mapped as long as the result is used.
unsafe fn found(zone: NonNull<c_void>, size: usize) -> std::result::Result<Pool, &'static str> {
    if size < HEADER {
        return Err("it is too small");
    }

    // SAFETY: the memory has this size.
    let words = unsafe { Words::new(zone, size) }.ok_or(DAMAGED)?;

    if is_begun(&words, size) {
        Ok(Pool::new(words))
    } else {
        Err(DAMAGED)
    }
}

/// The words at the beginning of a zone of which each operation changes one: the header, the heads
/// of the lists and the counters.
const HEAD: usize = 256;

/// Checks the zone at `zone`, which this process can only read, without its lock. Another process
/// can be in the middle of an operation, so a zone that seems damaged is checked again, for one
/// second, unless it has not changed meanwhile. Returns why the zone cannot be used.
///
/// # Safety
///
/// `zone` points to `size` bytes that are mapped as long as the zone is used.
pub unsafe fn check_unlocked(
    zone: NonNull<c_void>,
    size: usize,
) -> std::result::Result<(), &'static str> {
    // SAFETY: the memory has this size.
    let pool = unsafe { found(zone, size) }?;

    let mut is_right = false;

    attempts(|| {
        let before = head(&pool);

        is_right = check(&pool, |_| {});
        is_right || before.first() == Some(&0) && before == head(&pool)
    });

    is_right.then_some(()).ok_or(DAMAGED)
}

fn head(pool: &Pool) -> [usize; HEAD] {
    array::from_fn(|n| pool.load(pool.at(n * WORD)).unwrap_or_default())
}

/// Takes a lock. Returns false if it is not free for one second.
pub fn lock_soon(lock: &ngx_shmtx_t) -> bool {
    attempts(|| lock.try_lock(own(), log))
}

/// Tries `work` for one second, until it succeeds. Returns whether it has.
fn attempts(mut work: impl FnMut() -> bool) -> bool {
    (0..ATTEMPTS).any(|n| {
        if n > 0 {
            pause(PAUSE);
        }

        work()
    })
}

fn init_pool(pool: &Pool) -> std::result::Result<(), usize> {
    init::init(pool).map_err(|_| least_size(pool.field(field::MIN_SHIFT).unwrap_or_default()))
}

/// The number of bytes of the smallest pool.
fn least_size(min_shift: usize) -> usize {
    init::size_for(Sizes::get(), 1, min_shift).unwrap_or_default()
}

#[cold]
fn undo(pool: &Pool) {
    if change::undo_interrupted(pool) == Ok(true) {
        report_undone(pool);
    }
}

/// Logs that an operation was undone.
pub fn report_undone(pool: &Pool) {
    log().error(
        Level::Notice,
        None,
        format_args!(
            "slab: undid the operation in which a process has died{}",
            Context(pool)
        ),
    );
}

/// Allocates `size` bytes. The caller has locked the pool.
pub fn alloc(pool: &Pool, size: usize) -> Result<usize> {
    match slab::alloc_any(pool, size) {
        Err(Fault::Interrupted) => {
            undo(pool);
            slab::alloc_any(pool, size)
        }
        result => result,
    }
}

/// Allocates `size` bytes as [`alloc`] does. Whenever there is no memory, `free` frees pieces of
/// the pool, and returns whether it has.
pub fn alloc_or_evict(pool: &Pool, size: usize, free: impl FnMut() -> bool) -> Result<usize> {
    evict::alloc_or_evict(pool, || alloc(pool, size), free)
}

/// Allocates `size` bytes in the usual cases, if there is memory, see [`quick`].
pub fn quick_with_memory(parts: &Parts, size: usize) -> Option<usize> {
    quick::alloc(parts, size).filter(|&address| address != 0)
}

/// Allocates `size` bytes of zeros in the usual cases, see [`quick`].
pub fn quick_calloc(parts: &Parts, size: usize) -> Option<usize> {
    let address = quick::alloc(parts, size)?;

    if address != 0 {
        parts.words()?.zero(address, size);
    }

    Some(address)
}

/// Allocates `size` bytes of zeros. The caller has locked the pool.
pub fn calloc(pool: &Pool, size: usize) -> Result<usize> {
    let address = alloc(pool, size)?;

    pool.words().zero(address, size);

    Ok(address)
}

/// Frees a piece of memory. The caller has locked the pool.
pub fn free(pool: &Pool, address: usize) -> Result {
    match slab::free_any(pool, address) {
        Err(Fault::Interrupted) => {
            undo(pool);
            slab::free_any(pool, address)
        }
        result => result,
    }
}

/// Checks a pool. Calls `report` with the text of each finding, which ends with a NUL.
/// Returns whether the pool is right.
pub fn check(pool: &Pool, report: impl Fn(&[u8])) -> bool {
    let contents = verify(pool, &mut |text| {
        let mut line = crate::log::Line::new();

        let _ = fmt::Write::write_fmt(&mut line, format_args!("{text}\0"));
        report(line.bytes());
    });

    contents.findings == 0
}

/// How much of a pool is in use; `None` if it is damaged.
pub fn usage(pool: &Pool) -> Option<usage::ngx_slab_usage_t> {
    usage::usage(pool).ok()
}

/// The size of a zone for `n` pieces of `size` bytes; 0 if no zone is so large.
pub fn zone_size(n: usize, size: usize) -> usize {
    slab::zone_size(Sizes::get(), n, size).unwrap_or_default()
}
