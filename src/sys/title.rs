//! Process titles, which ps shows in place of a program's arguments.

use std::ffi::{CStr, c_char};
use std::ptr;

use super::lock::Lock;
use super::memory_map;

/// The memory that ps shows as the title of the process.
struct Area {
    start: *mut c_char,
    len: usize,
    /// Whether this file has allocated the memory.
    is_own: bool,
}

// SAFETY: `start` points to memory that lives as long as the process and belongs to
// no thread.
unsafe impl Send for Area {}

static AREA: Lock<Option<Area>> = Lock::new(None);

/// The room in bytes for the part of a title that is not in the arguments.
const ROOM: usize = 256;

/// Prepares for process titles. The kernel shows memory that this function
/// maps as the arguments of the process, `PR_SET_MM_MAP` of `prctl(2)`. So the
/// arguments and the environment keep their contents, and the program can go on
/// using pointers to them.
///
/// If the kernel refuses this, titles overwrite the arguments, as nginx's titles do.
/// They never overwrite the environment.
///
/// # Safety
///
/// `argv` is NULL or the argument of main().
pub unsafe fn init_title(argv: *mut *mut c_char) {
    super::text::keep_program_name();

    // SAFETY: the caller passes NULL or the argument of main().
    let arguments = unsafe { area_of_arguments(argv) };
    let len = ROOM + arguments.as_ref().map_or(0, |area| area.len);

    let mut area = AREA.lock();

    // The memory stays in use if a program calls this function again.
    if !area.as_ref().is_some_and(|area| area.is_own) {
        *area = own_area(len).or(arguments);
    }
}

/// Maps memory for titles, and makes the kernel show it as the arguments of this
/// process. `None` if there is no memory or the kernel refuses this.
fn own_area(len: usize) -> Option<Area> {
    // SAFETY: the kernel chooses an address that is not in use.
    let start = unsafe {
        libc::mmap(
            ptr::null_mut(),
            len,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        )
    };

    if start == libc::MAP_FAILED {
        return None;
    }

    if memory_map::show_as_arguments(start.addr(), len).is_err() {
        // SAFETY: mmap() has returned this memory, and no code uses it.
        unsafe { libc::munmap(start, len) };
        return None;
    }

    let start = start.cast();

    Some(Area {
        start,
        len,
        is_own: true,
    })
}

/// The memory of the arguments, which the kernel has put one behind the other.
/// Skips an argument at another place, because the program has replaced it.
///
/// # Safety
///
/// `argv` is NULL, or an array of strings that ends with NULL.
unsafe fn area_of_arguments(argv: *mut *mut c_char) -> Option<Area> {
    // SAFETY: `arg` goes from element to element of `argv`, up to the NULL.
    unsafe {
        if argv.is_null() || (*argv).is_null() {
            return None;
        }

        let start = *argv;
        let mut end = start;
        let mut arg = argv;

        while !(*arg).is_null() {
            if *arg == end {
                end = end.add(CStr::from_ptr(*arg).count_bytes() + 1);
            }
            arg = arg.add(1);
        }

        Some(Area {
            start,
            len: end.offset_from_unsigned(start),
            is_own: false,
        })
    }
}

/// Sets the title that `ps(1)` shows to "NAME: TITLE". TITLE is the parts of
/// `title`, joined. A title that is longer than the memory for it is cut.
pub fn set_title<'a>(name: &[u8], title: impl Iterator<Item = &'a [u8]>) {
    let guard = AREA.lock();

    let Some(area) = guard.as_ref() else { return };
    let mut at = 0;

    // SAFETY: after the call of `init_title` no other code uses the area.
    unsafe { area.start.write_bytes(0, area.len) };

    let mut append = |part: &[u8]| {
        let n = part.len().min(area.len.saturating_sub(at + 1));

        // SAFETY: `at` + `n` is less than the size of the area, and `part` lies
        // elsewhere.
        unsafe { ptr::copy_nonoverlapping(part.as_ptr(), area.start.cast::<u8>().add(at), n) };

        at += n;
    };

    append(name);
    append(b": ");
    title.for_each(append);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::testing::{in_child, refuse};
    use crate::sys::text;

    /// The title that ps shows, without the NULs behind it.
    fn shown() -> String {
        let title = std::fs::read_to_string("/proc/self/cmdline").unwrap();

        title.trim_end_matches('\0').into()
    }

    #[test]
    fn a_title_leaves_the_arguments() {
        in_child(|| {
            let mut memory = *b"program\0an argument\0end";
            let start: *mut c_char = memory.as_mut_ptr().cast();
            let name = text::program_name().to_vec();
            // SAFETY: the second argument begins at the offset 8.
            let mut argv = [start, unsafe { start.add(8) }, ptr::null_mut()];

            // SAFETY: `argv` is an array of strings that ends with NULL.
            unsafe { init_title(argv.as_mut_ptr()) };

            set_title(b"test", [&b"a "[..], b"title"].into_iter());
            assert_eq!(shown(), "test: a title");

            let long = [b'x'; 1000];

            set_title(b"test", [&long[..]].into_iter());
            assert_eq!(shown(), "test: ".to_owned() + &"x".repeat(ROOM + 20 - 7));

            assert_eq!(&memory, b"program\0an argument\0end");
            assert_eq!(text::program_name(), name);
        });
    }

    #[test]
    fn a_title_needs_no_arguments() {
        in_child(|| {
            // SAFETY: NULL is allowed.
            unsafe { init_title(ptr::null_mut()) };

            set_title(b"test", [&b"a title"[..]].into_iter());
            assert_eq!(shown(), "test: a title");
        });
    }

    /// Where the kernel refuses PR_SET_MM_MAP, the title overwrites the arguments, and
    /// not what lies behind them.
    #[test]
    fn a_refused_title_overwrites_the_arguments() {
        in_child(|| {
            let mut memory = *b"program\0an argument\0end";
            let start: *mut c_char = memory.as_mut_ptr().cast();
            // SAFETY: the second argument begins at the offset 8.
            let mut argv = [start, unsafe { start.add(8) }, ptr::null_mut()];

            refuse(libc::SYS_prctl);
            // SAFETY: `argv` is an array of strings that ends with NULL.
            unsafe { init_title(argv.as_mut_ptr()) };

            set_title(b"test", [&b"too long "[..], b"a title"].into_iter());
            assert_eq!(&memory, b"test: too long a ti\0end");
        });
    }
}
