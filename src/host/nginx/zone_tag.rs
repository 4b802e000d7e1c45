//! The tags of typed zones.
//!
//! nginx keeps the memory of a zone over a reload if name, size and tag of the zone stay the same.
//! So zones have the same tag exactly if their types have the same name, version and size of the
//! root. The types are remembered as long as the process runs.

use std::ffi::c_void;
use std::ptr;

use nix::errno::Errno;

use crate::sys::heap;
use crate::sys::lock::Lock;
use crate::zone::typed::Type;

/// A type that has a tag.
struct Known {
    name: Vec<u8>,
    version: usize,
    root_size: usize,
}

/// The types. The tag of a type is its place here, plus 1.
static KNOWN: Lock<Vec<Known>> = Lock::new(Vec::new());

/// The tag for zones of a type whose root has `root_size` bytes. It is a small number and not the
/// address of anything, so it differs from the tags of all modules.
pub fn tag_of(id: Type<'_>, root_size: usize) -> Result<*mut c_void, Errno> {
    let mut known = KNOWN.lock();
    let is_same = |known: &Known| {
        (&*known.name, known.version, known.root_size) == (id.name, id.version, root_size)
    };
    let place = match known.iter().position(is_same) {
        Some(place) => place,
        None => {
            let name = heap::collect(id.name.iter().copied())?;

            heap::push(
                &mut known,
                Known {
                    name,
                    version: id.version,
                    root_size,
                },
            )?;
            known.len().saturating_sub(1)
        }
    };

    Ok(ptr::without_provenance_mut(place.saturating_add(1)))
}
