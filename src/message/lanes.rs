//! A table of the lanes of a process, in one direction and of one class: at most one
//! lane for each slot.
//!
//! The table reserves the memory for all lanes when it is made, so that a message
//! does not fail for lack of memory. The kernel allocates a page of it when it is touched.

use nix::errno::Errno;

use crate::sys::heap;

/// The lanes, found by slot.
#[derive(Clone, Debug)]
pub struct Lanes<T> {
    /// For each slot: the index of its lane in `lanes`, plus 1; 0 if it has
    /// none.
    index: Vec<u16>,
    lanes: Vec<T>,
}

impl<T> Lanes<T> {
    /// Makes room for one lane for each slot. Fails with `ENOMEM`.
    pub fn new(slots: u32) -> Result<Self, Errno> {
        let mut lanes = Vec::new();

        lanes
            .try_reserve_exact(slots as usize)
            .or(Err(Errno::ENOMEM))?;

        Ok(Self {
            index: heap::zeros(slots as usize)?,
            lanes,
        })
    }

    /// The lane of a slot; `None` if it was never used.
    #[inline]
    pub fn get(&self, slot: u32) -> Option<&T> {
        let index = *self.index.get(slot as usize)?;

        self.lanes.get(usize::from(index).wrapping_sub(1))
    }

    /// The lane of a slot; `None` if it was never used.
    #[inline]
    pub fn get_mut(&mut self, slot: u32) -> Option<&mut T> {
        let index = *self.index.get(slot as usize)?;

        self.lanes.get_mut(usize::from(index).wrapping_sub(1))
    }

    /// The lane of a slot, which `load` makes when it is used for the first
    /// time. Fails with `EINVAL` if there is no such slot, or with the error of
    /// `load`; then there is no lane.
    #[inline]
    pub fn load(
        &mut self,
        slot: u32,
        load: impl FnOnce() -> Result<T, Errno>,
    ) -> Result<&mut T, Errno> {
        if self.get(slot).is_none() {
            self.add(slot, load)?;
        }

        self.get_mut(slot).ok_or(Errno::EINVAL)
    }

    #[cold]
    fn add(&mut self, slot: u32, load: impl FnOnce() -> Result<T, Errno>) -> Result<(), Errno> {
        let index = self.index.get_mut(slot as usize).ok_or(Errno::EINVAL)?;

        heap::push(&mut self.lanes, load()?)?;
        *index = self.lanes.len() as u16;

        Ok(())
    }

    /// All lanes that were used.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.lanes.iter()
    }

    /// All lanes that were used.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.lanes.iter_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_is_made_once() {
        let mut lanes = Lanes::new(3).unwrap();

        assert_eq!(lanes.load(2, || Ok("first")), Ok(&mut "first"));
        assert_eq!(lanes.load(2, || Ok("second")), Ok(&mut "first"));
        assert_eq!(lanes.load(3, || Ok("outside")), Err(Errno::EINVAL));
        assert_eq!(lanes.load(0, || Err(Errno::ENOMEM)), Err(Errno::ENOMEM));
        assert_eq!(lanes.get(0), None);
        assert_eq!(lanes.iter().count(), 1);
    }
}
