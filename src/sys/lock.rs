//! A lock for data of a program that has one thread.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Guards a static that the program changes.
///
/// The programs that use this library have one thread, so the lock is free
/// whenever it is taken; it exists because Rust demands one for a mutable
/// static. Code that may run while the lock is held must not take it again:
/// it would wait for itself. A signal handler may take it only if it has
/// interrupted `sigsuspend(2)`, during which no code of the program holds it.
pub struct Lock<T>(Mutex<T>);

impl<T> Lock<T> {
    /// Makes a lock around `value`.
    pub const fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    /// Takes the lock. It is released when the result is dropped.
    ///
    /// A panic ends the process (`panic = "abort"`), so no panic can have left
    /// the data half changed.
    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
