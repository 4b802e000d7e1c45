//! A lock for data of a program that has one thread.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Guards a static variable that the program changes.
///
/// The programs that use this library have one thread, so the lock is free
/// whenever a function takes it. The lock exists because Rust demands one for a
/// static variable that changes. Code that runs while the lock is held must not
/// take it again, because the process would wait for itself for ever. A signal
/// handler may take the lock only if it has interrupted `sigsuspend(2)`, because
/// no code of the program holds the lock then.
pub struct Lock<T>(Mutex<T>);

impl<T> Lock<T> {
    /// Makes a lock around `value`.
    pub const fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    /// Takes the lock if it is free. For a function that can run at any time, such as
    /// an exit handler.
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        self.0.try_lock().ok()
    }

    /// Takes the lock. It is released when the result is dropped.
    ///
    /// A poisoned lock is not an error: a panic in code of the library ends the process,
    /// with `panic = "abort"` or, in a Rust program that unwinds, in the function that
    /// the panic would leave for C code. So no code uses data that is half changed.
    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
