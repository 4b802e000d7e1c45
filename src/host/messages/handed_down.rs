//! The environment variable with which a binary hands down the memory of messages to
//! the binary that it executes.
//!
//! The value has numbers, with ":" between them:
//!
//! | number | contents |
//! | --- | --- |
//! | 1 | the version of the layout of the region |
//! | 2 | the descriptors, as ranges: `5-72,80`; a binary of any version can close them |
//! | 3, 4 | the slot that was claimed for the new master, and its incarnation |
//! | 5 to 8 | the sizes of the region |
//!
//! The descriptors are the file of the region, the file of the board, the eventfd of
//! each slot, and the two sockets of each slot, if there are sockets.

use std::ffi::CStr;
use std::fmt::Write;
use std::os::fd::RawFd;

use nix::errno::Errno;

use crate::message::layout::{Sizes, VERSION};
use crate::sys::heap;

/// The name of the variable.
pub const NAME: &CStr = c"NGX_IPC_MESSAGES";

/// What the variable says, apart from the descriptors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Description {
    /// The slot of the new master.
    pub slot: u32,
    /// The incarnation of the new master.
    pub incarnation: u32,
    /// The sizes of the region.
    pub sizes: Sizes,
}

/// Why a variable cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// Another version has written it.
    Version(u64),
    /// It is not what this file writes.
    Invalid,
}

/// Writes the variable, with its name and a NUL at its end.
pub fn write(
    description: &Description,
    descriptors: impl Iterator<Item = RawFd>,
) -> Result<Vec<u8>, Errno> {
    let mut text = heap::Writer::new();
    let Description {
        slot,
        incarnation,
        sizes,
    } = description;
    let Sizes {
        slots,
        chunks,
        control_chunks,
        quota,
    } = sizes;

    write!(text, "{}={VERSION}:", NAME.to_str().unwrap_or_default()).or(Err(Errno::ENOMEM))?;
    write_ranges(&mut text, descriptors).or(Err(Errno::ENOMEM))?;
    write!(
        text,
        ":{slot}:{incarnation}:{slots}:{chunks}:{control_chunks}:{quota}\0"
    )
    .or(Err(Errno::ENOMEM))?;

    Ok(text.into_bytes())
}

/// Writes numbers. Numbers that follow each other become a range.
fn write_ranges(
    text: &mut heap::Writer,
    mut descriptors: impl Iterator<Item = RawFd>,
) -> std::fmt::Result {
    let mut comma = "";
    let mut next = descriptors.next();

    while let Some(first) = next {
        let mut last = first;

        loop {
            next = descriptors.next();

            match next {
                Some(fd) if Some(fd) == last.checked_add(1) => last = fd,
                _ => break,
            }
        }

        write!(text, "{comma}{first}-{last}")?;
        comma = ",";
    }

    Ok(())
}

/// The descriptors of a variable, at most `most`; those before the first one that is
/// no number.
pub fn descriptors(value: &str, most: usize) -> impl Iterator<Item = RawFd> {
    value
        .split(':')
        .nth(1)
        .unwrap_or_default()
        .split(',')
        .map_while(|range| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));

            Some(first.parse::<RawFd>().ok()?..=last.parse::<RawFd>().ok()?)
        })
        .flatten()
        .take(most)
}

/// Reads the other numbers of a variable.
pub fn read(value: &str) -> Result<Description, Unusable> {
    let mut numbers = value.split(':');
    let version = numbers.next().and_then(|text| text.parse().ok());

    match version {
        Some(VERSION) => {}
        Some(version) => return Err(Unusable::Version(version)),
        None => return Err(Unusable::Invalid),
    }

    let mut numbers = numbers.skip(1).map(|text| text.parse().ok());
    let mut next = || numbers.next().flatten().ok_or(Unusable::Invalid);
    let description = Description {
        slot: next()?,
        incarnation: next()?,
        sizes: Sizes {
            slots: next()?,
            chunks: next()?,
            control_chunks: next()?,
            quota: next()?,
        },
    };

    match numbers.next() {
        None => Ok(description),
        Some(_) => Err(Unusable::Invalid),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DESCRIPTION: Description = Description {
        slot: 3,
        incarnation: 7,
        sizes: Sizes {
            slots: 65,
            chunks: 1024,
            control_chunks: 16,
            quota: 512,
        },
    };

    fn value(descriptors: &[RawFd]) -> String {
        let mut text = write(&DESCRIPTION, descriptors.iter().copied()).unwrap();

        assert_eq!(text.pop(), Some(0));

        let text = String::from_utf8(text).unwrap();

        text.strip_prefix("NGX_IPC_MESSAGES=").unwrap().to_string()
    }

    #[test]
    fn a_variable_survives() {
        for list in [&[][..], &[5], &[9, 5, 6, 7, 20, 21, 3]] {
            let value = value(list);

            assert_eq!(read(&value), Ok(DESCRIPTION), "{value}");
            assert!(descriptors(&value, 100).eq(list.iter().copied()), "{value}");
        }

        assert_eq!(value(&[5, 6, 7, 80]), "4:5-7,80-80:3:7:65:1024:16:512");
    }

    #[test]
    fn garbage_is_refused() {
        assert_eq!(read("1:5-7:3"), Err(Unusable::Version(1)));

        for text in [
            "",
            "x",
            "4",
            "4:5",
            "4:5:3:7:65:1024:16",
            "4:5:3:7:65:1024:16:512:1",
            "4:5:3:7:65:1024:16:-512",
            "4:5:3:7:65:1024:16:99999999999999999999",
        ] {
            assert_eq!(read(text), Err(Unusable::Invalid), "{text}");
        }

        assert_eq!(descriptors("4:0-2147483647", 10).count(), 10);
        assert_eq!(descriptors("4:7-5,9,x,10", 10).collect::<Vec<_>>(), [9]);
        assert_eq!(descriptors("4:99999999999", 10).count(), 0);
        assert_eq!(descriptors("4", 10).count(), 0);
    }
}
