//! The header in the file of a zone: where its processes have mapped the zone, and what a later
//! program must have in common with them.
//!
//! The file has the bytes of the zone, and behind them, at a multiple of 64 KiB, the header, which
//! workers have not mapped.

use std::os::fd::OwnedFd;

use nix::errno::Errno;

use super::slab::DAMAGED;
use super::zone_file::Refused;
use crate::sys::shm::Segment;
use crate::sys::zone_file::{read_at, size, write_at};

/// What a header begins with. It changes when the layout of files changes.
const FORMAT: [u8; 8] = *b"ngxipcz1";
/// The size of a header, in bytes.
const HEADER: usize = 4096;
/// The part of a header before the identity: the format, the address and the size.
const NUMBERS: usize = 24;
/// No page of memory is larger.
const LARGEST_PAGE: usize = 65536;

/// Where the header of the file of a zone of `zone` bytes begins.
const fn header_at(zone: usize) -> usize {
    match zone.checked_next_multiple_of(LARGEST_PAGE) {
        Some(at) => at,
        None => usize::MAX,
    }
}

/// The size of the file of a zone of `zone` bytes. No file has the size of a zone that is too
/// large.
pub const fn file_size(zone: usize) -> usize {
    header_at(zone).saturating_add(HEADER)
}

/// The header of a file.
pub struct Header {
    bytes: [u8; HEADER],
}

impl Header {
    /// The header of a zone; `None` if there is no room for the identity.
    fn new(address: usize, size: usize, identity: &[u8]) -> Option<Self> {
        let mut bytes = [0; HEADER];
        let numbers = [address.to_ne_bytes(), size.to_ne_bytes()];
        let parts = [&FORMAT[..], numbers.as_flattened(), identity];
        let mut rest = &mut bytes[..];

        for part in parts {
            let (to, behind) = rest.split_at_mut_checked(part.len())?;

            to.copy_from_slice(part);
            rest = behind;
        }

        Some(Self { bytes })
    }

    /// Writes the header of a zone to its file. Fails with ENAMETOOLONG if there is no room for
    /// the identity.
    pub fn write(file: &OwnedFd, zone: &Segment, identity: &[u8]) -> Result<(), Errno> {
        let header = Self::new(zone.addr().addr().get(), zone.size(), identity)
            .ok_or(Errno::ENAMETOOLONG)?;

        write_at(file, &header.bytes, header_at(zone.size()))
    }

    /// Reads the header of a file. A file with a header has the size that the header says.
    pub fn read(file: &OwnedFd) -> Result<Self, Refused> {
        let mut bytes = [0; HEADER];
        let file_has = size(file)?;
        let at = file_has.checked_sub(HEADER).ok_or(Errno::EIO)?;

        read_at(file, &mut bytes, at)?;

        let header = Self { bytes };

        if header.part(0, 8) == Some(&FORMAT[..]) && file_has == file_size(header.size()) {
            Ok(header)
        } else {
            Err(Refused::Unfit(DAMAGED))
        }
    }

    fn part(&self, from: usize, to: usize) -> Option<&[u8]> {
        self.bytes.get(from..to)
    }

    fn number(&self, at: usize) -> usize {
        let bytes = self.part(at, NUMBERS).and_then(<[u8]>::first_chunk);

        bytes.copied().map_or(0, usize::from_ne_bytes)
    }

    /// The address of the zone.
    pub fn address(&self) -> usize {
        self.number(8)
    }

    /// The size of the zone in bytes.
    pub fn size(&self) -> usize {
        self.number(16)
    }

    /// Checks that the content fits a zone of `size` bytes. `other` is the reason if it does not
    /// have this identity.
    pub fn check(&self, size: usize, identity: &[u8], other: &'static str) -> Result<(), Refused> {
        let wanted = Self::new(self.address(), size, identity).ok_or(Errno::ENAMETOOLONG)?;

        if self.size() != size {
            Err(Refused::Unfit("it has another size"))
        } else if self.part(NUMBERS, HEADER) != wanted.part(NUMBERS, HEADER) {
            Err(Refused::Unfit(other))
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_has_the_numbers_and_the_identity() {
        let header = Header::new(0x2000_0000, 65537, b"one").unwrap();
        let why = |size, identity: &[u8]| match header.check(size, identity, "it is another") {
            Err(Refused::Unfit(why)) => Some(why),
            _ => None,
        };

        assert_eq!((header.address(), header.size()), (0x2000_0000, 65537));
        assert_eq!(why(65537, b"one"), None);
        assert_eq!(why(65536, b"one"), Some("it has another size"));
        assert_eq!(why(65537, b"on"), Some("it is another"));
        assert_eq!(why(65537, b"one "), Some("it is another"));
        assert!(Header::new(0, 0, &[b'x'; HEADER]).is_none());
        assert_eq!(file_size(65536), 65536 + HEADER);
        assert_eq!(file_size(65537), 2 * 65536 + HEADER);
        assert_eq!(file_size(usize::MAX - 1), usize::MAX);
    }
}
