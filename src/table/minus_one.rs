//! Atomic integers that start as -1, for tables of all slots. There -1 means
//! "none".
//!
//! The memory contains the number with all bits inverted, so -1 is zero in
//! memory. A static table of zeros takes no space in the program's file. New
//! shared memory, which the kernel fills with zeros, is a table in which each
//! number is -1.

use std::sync::atomic::{AtomicI32, AtomicIsize, AtomicUsize, Ordering};

use crate::sys::shm::impl_share;

macro_rules! minus_one {
    ($name:ident, $atomic:ident, $int:ident) => {
        /// An atomic integer that starts as -1. An unsigned integer starts as its
        /// largest number, which has the same bits.
        pub struct $name {
            inverted: $atomic,
        }

        impl_share!($name { inverted });

        impl $name {
            /// -1.
            pub const fn new() -> Self {
                Self {
                    inverted: $atomic::new(0),
                }
            }

            /// The number.
            pub fn load(&self, order: Ordering) -> $int {
                !self.inverted.load(order)
            }

            /// Sets the number.
            pub fn store(&self, number: $int, order: Ordering) {
                self.inverted.store(!number, order);
            }

            /// Sets the number, and returns the number from before.
            pub fn swap(&self, number: $int, order: Ordering) -> $int {
                !self.inverted.swap(!number, order)
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }
    };
}

minus_one!(MinusOneI32, AtomicI32, i32);
minus_one!(MinusOneIsize, AtomicIsize, isize);
minus_one!(MinusOneUsize, AtomicUsize, usize);

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering::Relaxed;

    use super::*;

    #[test]
    fn zero_in_memory_is_minus_one() {
        let number = MinusOneI32::new();

        assert_eq!(number.inverted.load(Relaxed), 0);
        assert_eq!(number.load(Relaxed), -1);
        assert_eq!(number.swap(7, Relaxed), -1);
        assert_eq!(number.load(Relaxed), 7);
        assert_eq!(MinusOneUsize::new().load(Relaxed), usize::MAX);
        assert_eq!(MinusOneIsize::new().load(Relaxed), -1);
    }
}
