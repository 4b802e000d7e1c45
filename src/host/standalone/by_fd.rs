//! Finds the connection that has a descriptor.
//!
//! The set is a hash table. Each bucket has a list of connections. The links of
//! the lists are fields of the connections, so adding a connection allocates no
//! memory.

use std::iter;
use std::os::fd::RawFd;

use super::connection::Connection;

/// The number of buckets. The kernel assigns the lowest free descriptor, so the
/// connections are spread evenly over the buckets.
const BUCKETS: usize = 1024;

/// A set of connections. No two of them have the same descriptor.
pub struct ByFd([Option<Connection>; BUCKETS]);

impl ByFd {
    /// Makes an empty set.
    pub const fn empty() -> Self {
        Self([None; BUCKETS])
    }

    /// Finds the connection with the descriptor `fd`.
    pub fn find(&self, fd: RawFd) -> Option<Connection> {
        let first = *self.0.get(bucket(fd))?;

        iter::successors(first, |c| c.next()).find(|c| c.known_as() == Some(fd))
    }

    /// Adds `c`. A connection that had the same descriptor is removed and returned.
    pub fn add(&mut self, c: Connection) -> Option<Connection> {
        let fd = c.fd();

        if c.known_as() == Some(fd) {
            return None;
        }

        self.remove(c);

        let other = self.find(fd);

        if let Some(other) = other {
            self.remove(other);
        }

        if let Some(first) = self.0.get_mut(bucket(fd)) {
            c.set_known_as(Some(fd));
            c.set_next(first.replace(c));
        }

        other
    }

    /// Removes `c`. Does nothing if the set does not have `c`.
    pub fn remove(&mut self, c: Connection) {
        let Some(fd) = c.known_as() else { return };
        let Some(first) = self.0.get_mut(bucket(fd)) else {
            return;
        };

        if *first == Some(c) {
            *first = c.next();
        } else {
            let before = iter::successors(*first, |c| c.next()).find(|b| b.next() == Some(c));

            if let Some(before) = before {
                before.set_next(c.next());
            }
        }

        c.set_known_as(None);
        c.set_next(None);
    }
}

fn bucket(fd: RawFd) -> usize {
    fd.cast_unsigned() as usize % BUCKETS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::standalone::entry::ENTRY_SIZE;
    use crate::sys::heap;

    fn open(fd: RawFd) -> Connection {
        let place = heap::allocate(ENTRY_SIZE).unwrap();
        // SAFETY: the place has the size of an entry, and is never freed.
        let c = unsafe { Connection::at(place, 0) };

        c.open(fd, None, None, None);
        c
    }

    #[test]
    fn connections_are_found_by_their_descriptors() {
        let mut set = ByFd::empty();
        let n = BUCKETS as RawFd;
        let [a, b, c] = [7, 7 + n, 7 + 2 * n].map(open);

        for c in [a, b, c, b] {
            set.add(c);
        }

        assert_eq!(set.find(7), Some(a));
        set.remove(b);
        set.remove(b);
        assert_eq!(set.find(7), Some(a));
        assert_eq!(set.find(7 + n), None);
        assert_eq!(set.find(7 + 2 * n), Some(c));
        assert_eq!(set.find(-1), None);
    }

    #[test]
    fn the_last_connection_with_a_descriptor_is_found() {
        let mut set = ByFd::empty();
        let [old, new] = [3, 3].map(open);

        assert_eq!(set.add(old), None);
        assert_eq!(set.add(new), Some(old));
        assert_eq!(set.add(new), None);
        assert_eq!(set.find(3), Some(new));

        // The program has changed the descriptor.
        new.mark_closed();
        set.remove(new);
        assert_eq!(set.find(3), None);
    }
}
