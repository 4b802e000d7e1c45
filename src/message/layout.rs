//! The layout of the region: which word lies where.
//!
//! | part | size | contents |
//! | --- | --- | --- |
//! | head | 4 KiB | [`RegionHead`]: version, sizes, used slots |
//! | slots | 960 bytes for each slot | [`Slot`]: identity, sleep word, bitmaps |
//! | lanes | 64 bytes for each pair | [`LaneHead`], data lanes and then control lanes, those of one receiver together |
//! | owners | 8 bytes for each chunk | one owner word for each chunk, see [`Owner`](super::words::Owner) |
//! | chunks | 4 KiB each | the pools, one for each receiver |
//!
//! The kernel allocates a page when it is touched for the first time, so a part
//! that is not used costs address space only.

use std::mem::offset_of;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

pub use super::class::Class;
use super::memory::Memory;

/// The size of a chunk in bytes, a page.
pub const CHUNK: u32 = 4096;
/// The largest number of slots.
pub const MAX_SLOTS: u32 = 1024;
/// The largest number of chunks in a pool.
pub const MAX_CHUNKS: u32 = 65_536;
/// The largest payload in bytes that the header of a record can describe.
pub const MAX_PAYLOAD: usize = 0xff_ffff;
/// The version of the layout and of the protocol. It changes whenever a binary
/// of another version would misread the region or the board.
pub const VERSION: u64 = 4;

/// "ngxipcms" in the byte order of the machine.
const MAGIC: u64 = u64::from_ne_bytes(*b"ngxipcms");
/// The number of words of a bitmap with one bit for each slot.
pub const WORDS: usize = MAX_SLOTS as usize / 64;
const PAGE: usize = 4096;

/// The first words of the region.
#[repr(C)]
pub struct RegionHead {
    /// Says that this is a region. Written last.
    pub magic: u64,
    /// [`VERSION`].
    pub version: u64,
    /// The size of the region in bytes.
    pub size: u64,
    /// The number of slots.
    pub slots: u64,
    /// The number of chunks in each pool.
    pub chunks: u64,
    /// The number of chunks in each pool that only control lanes use.
    pub control_chunks: u64,
    /// The number of chunks that one sender may use in a pool.
    pub quota: u64,
    /// The last slot that was ever used, plus 1, see `used`.
    pub used: u64,
}

/// What the region knows of the process in one slot.
#[repr(C, align(64))]
pub struct Slot {
    /// The state and the incarnation, see `peers`.
    pub state: u64,
    /// The first incarnation whose messages a successor takes over.
    pub line: u64,
    /// The worker number; -1 if the process has none.
    pub worker: u64,
    /// The generation.
    pub generation: u64,
    /// The role, a number that this directory does not interpret.
    pub role: u64,
    /// The slot and the incarnation of the master that has started the process.
    pub master: u64,
    /// The number of the process in the table of its master, plus 1; 0: a master.
    pub place: u64,
    /// The pid; 0 until the process uses the region.
    pub pid: u64,
    /// Odd while the process sleeps. Each sleep has another number.
    pub sleep: u64,
    /// The number of messages that the process has received and not handled, as the
    /// program says. It is beside `sleep`, because a sender reads both.
    pub unhandled: u64,
    pad_sleep: [u64; 6],
    /// 1 if a bit of `waiters` is set.
    pub waited_for: u64,
    /// A checksum of the identity, see `peers`.
    pub seal: u64,
    pad_waited_for: [u64; 6],
    /// The senders that have committed records in their control lane.
    pub control: [u64; WORDS],
    /// The senders that have committed records in their data lane.
    pub data: [u64; WORDS],
    /// The receivers whose pools have room again.
    pub room: [u64; WORDS],
    /// The senders that wait until this pool has room.
    pub waiters: [u64; WORDS],
    /// The senders that have ever opened their control lane.
    pub known_control: [u64; WORDS],
    /// The senders that have ever opened their data lane.
    pub known_data: [u64; WORDS],
}

/// The shared words of one lane. They fill a cache line. The receiver writes
/// `place`, `done`, `received` and `gaps`; the sender writes the others, and accesses
/// the head at most once for some chunks, because the receiver uses it all the time.
#[repr(C, align(64))]
pub struct LaneHead {
    /// Where the lane was opened last, see [`First`](super::words::First).
    pub first: u64,
    /// How far the receiver has come, see [`Place`](super::words::Place).
    pub place: u64,
    /// The number after the last record that the receiver has handled.
    pub done: u64,
    /// The number of messages that the receiver has taken.
    pub received: u64,
    /// The numbers of lost records, see [`HANDLED`](super::statistics::HANDLED).
    pub gaps: u64,
    /// The number of messages that were sent.
    pub sent: u64,
    /// The number of messages that were refused because there was no room.
    pub refused: u64,
    /// The largest number of records that waited in the lane when the sender has
    /// looked.
    pub deepest: u64,
}

const _: () = assert!(size_of::<Slot>() == 960 && size_of::<LaneHead>() == 64);

/// One of the bitmaps of a slot.
#[derive(Clone, Copy, Debug)]
pub enum Bitmap {
    /// Lanes with records that the receiver may not have seen.
    Ready(Class),
    /// Lanes that were ever opened.
    Known(Class),
    /// Receivers whose pools have room again.
    Room,
    /// Senders that wait for room.
    Waiters,
}

/// The lane from a sender to a receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lane {
    /// The class.
    pub class: Class,
    /// The slot of the receiver, in whose pool the records lie.
    pub receiver: u32,
    /// The slot of the sender.
    pub sender: u32,
}

/// The sizes that the configuration sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// The number of slots, at most [`MAX_SLOTS`].
    pub slots: u32,
    /// The number of chunks of 4 KiB in the pool of each receiver, at most
    /// [`MAX_CHUNKS`].
    pub chunks: u32,
    /// The number of these chunks that only control lanes use.
    pub control_chunks: u32,
    /// The number of chunks of a pool that one sender may use.
    pub quota: u32,
}

impl Default for Sizes {
    /// 512 slots, 4 MiB for each receiver, half of it for each sender.
    fn default() -> Self {
        Self {
            slots: 512,
            chunks: 1024,
            control_chunks: 16,
            quota: 512,
        }
    }
}

/// Why a region cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// The sizes are 0 or too large.
    Sizes,
    /// The memory does not contain a region.
    NoRegion,
    /// The region has this version, not [`VERSION`].
    Version(u64),
}

/// The sizes of a region, and the offsets of its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The configured sizes.
    pub sizes: Sizes,
    lanes: usize,
    owners: usize,
    pools: usize,
    end: usize,
}

impl Layout {
    /// Computes the layout. Fails if a size is 0 or too large.
    pub fn new(sizes: Sizes) -> Result<Self, Mismatch> {
        let Sizes { slots, chunks, .. } = sizes;

        if slots == 0
            || slots > MAX_SLOTS
            || chunks == 0
            || chunks > MAX_CHUNKS
            || sizes.control_chunks >= chunks
            || sizes.quota == 0
        {
            return Err(Mismatch::Sizes);
        }

        let (slots, chunks) = (slots as usize, chunks as usize);
        let pages = |bytes: usize| bytes.next_multiple_of(PAGE);
        let lanes = PAGE + pages(slots * size_of::<Slot>());
        let owners = lanes + 2 * pages(slots * slots * size_of::<LaneHead>());
        let pools = owners + pages(slots * chunks * size_of::<u64>());
        let end = pools + slots * chunks * CHUNK as usize;

        Ok(Self {
            sizes,
            lanes,
            owners,
            pools,
            end,
        })
    }

    /// The size of the region in bytes.
    pub fn size(&self) -> usize {
        self.end
    }

    /// The words of the head, and their values. The last one says that there is a
    /// region.
    fn head(&self) -> [(usize, u64); 7] {
        let Sizes {
            slots,
            chunks,
            control_chunks,
            quota,
        } = self.sizes;

        [
            (offset_of!(RegionHead, version), VERSION),
            (offset_of!(RegionHead, size), self.end as u64),
            (offset_of!(RegionHead, slots), slots.into()),
            (offset_of!(RegionHead, chunks), chunks.into()),
            (
                offset_of!(RegionHead, control_chunks),
                control_chunks.into(),
            ),
            (offset_of!(RegionHead, quota), quota.into()),
            (offset_of!(RegionHead, magic), MAGIC),
        ]
    }

    /// Writes the head of a new region into memory that contains zeros.
    pub fn create<M: Memory>(&self, memory: &M) {
        for (at, value) in self.head() {
            memory.store(at, value, Release);
        }
    }

    /// Writes the head again, if another process has changed it.
    pub fn assert_head<M: Memory>(&self, memory: &M) {
        for (at, value) in self.head() {
            if memory.load(at, Relaxed) != value {
                memory.store(at, value, Release);
            }
        }
    }

    /// Reads the layout of the region in `memory`. Fails if the memory has no
    /// region, if another version has written the region, or if the sizes in
    /// its head do not fit together.
    pub fn attach<M: Memory>(memory: &M) -> Result<Self, Mismatch> {
        let get = |at| memory.load(at, Relaxed);
        let small = |at| u32::try_from(get(at)).map_err(|_| Mismatch::Sizes);

        if memory.load(offset_of!(RegionHead, magic), Acquire) != MAGIC {
            return Err(Mismatch::NoRegion);
        }

        let version = get(offset_of!(RegionHead, version));

        if version != VERSION {
            return Err(Mismatch::Version(version));
        }

        let layout = Self::new(Sizes {
            slots: small(offset_of!(RegionHead, slots))?,
            chunks: small(offset_of!(RegionHead, chunks))?,
            control_chunks: small(offset_of!(RegionHead, control_chunks))?,
            quota: small(offset_of!(RegionHead, quota))?,
        })?;
        let size = get(offset_of!(RegionHead, size));

        if size != layout.end as u64 || memory.size() < layout.end {
            return Err(Mismatch::Sizes);
        }

        Ok(layout)
    }

    /// The offset of a slot. The caller adds the offset of a field.
    #[inline]
    pub fn slot(&self, slot: u32) -> usize {
        PAGE + self.bound(slot) * size_of::<Slot>()
    }

    /// The offset of the word of a bitmap that has the bit of `bit`, and the
    /// bit.
    #[inline]
    pub fn bit(&self, slot: u32, bitmap: Bitmap, bit: u32) -> (usize, u64) {
        let at = self.bitmap(slot, bitmap) + self.bound(bit) / 64 * size_of::<u64>();

        (at, 1 << (bit % 64))
    }

    /// The offset of the first word of a bitmap.
    #[inline]
    pub fn bitmap(&self, slot: u32, bitmap: Bitmap) -> usize {
        self.slot(slot)
            + match bitmap {
                Bitmap::Ready(Class::Control) => offset_of!(Slot, control),
                Bitmap::Ready(Class::Data) => offset_of!(Slot, data),
                Bitmap::Known(Class::Control) => offset_of!(Slot, known_control),
                Bitmap::Known(Class::Data) => offset_of!(Slot, known_data),
                Bitmap::Room => offset_of!(Slot, room),
                Bitmap::Waiters => offset_of!(Slot, waiters),
            }
    }

    /// The number of words of a bitmap that are in use.
    #[inline]
    pub fn words(&self) -> usize {
        (self.sizes.slots as usize).div_ceil(64)
    }

    /// The bits of a word of a bitmap that belong to slots.
    #[inline]
    pub fn mask(&self, word: usize) -> u64 {
        let slots = (self.sizes.slots as usize).saturating_sub(word * 64);

        if slots >= 64 {
            u64::MAX
        } else {
            (1 << slots) - 1
        }
    }

    /// The offset of the head of a lane.
    #[inline]
    pub fn lane(&self, lane: Lane) -> usize {
        let slots = self.sizes.slots as usize;
        let table = match lane.class {
            Class::Data => self.lanes,
            Class::Control => self.lanes + (self.owners - self.lanes) / 2,
        };
        let index = self.bound(lane.receiver) * slots + self.bound(lane.sender);

        table + index * size_of::<LaneHead>()
    }

    /// The offset of the owner word of a chunk.
    #[inline]
    pub fn owner(&self, pool: u32, chunk: u32) -> usize {
        self.owners + self.chunk_index(pool, chunk) * size_of::<u64>()
    }

    /// The offset of a chunk.
    #[inline]
    pub fn chunk(&self, pool: u32, chunk: u32) -> usize {
        self.pools + self.chunk_index(pool, chunk) * CHUNK as usize
    }

    #[inline]
    fn chunk_index(&self, pool: u32, chunk: u32) -> usize {
        debug_assert!(chunk < self.sizes.chunks, "chunk {chunk}");

        self.bound(pool) * self.sizes.chunks as usize + chunk.min(self.sizes.chunks - 1) as usize
    }

    /// A slot number as an index. A number outside becomes the last slot, so
    /// that no offset leads outside; callers check numbers before.
    #[inline]
    fn bound(&self, slot: u32) -> usize {
        debug_assert!(slot < self.sizes.slots, "slot {slot}");

        slot.min(self.sizes.slots - 1) as usize
    }
}
