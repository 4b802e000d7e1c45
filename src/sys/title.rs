//! Process titles, which ps shows in place of a program's arguments.

use std::ffi::{CStr, c_char};
use std::ptr;

use super::lock::Lock;

/// The memory of the program's arguments, which ps shows as the title of the
/// process.
struct Area {
    start: *mut c_char,
    len: usize,
}

// SAFETY: `start` points to the memory of the arguments, which lives as long as
// the process and belongs to no thread.
unsafe impl Send for Area {}

static AREA: Lock<Option<Area>> = Lock::new(None);

/// Prepares for process titles. A title overwrites the program's arguments and
/// the environment behind them, so this function first moves the environment to
/// other memory.
///
/// # Safety
///
/// `argv` is NULL or the argument of main(). After the first title, the program
/// uses neither the arguments nor pointers to the environment that it got
/// before this call.
pub unsafe fn init_title(argv: *mut *mut c_char) {
    super::text::keep_program_name();

    // SAFETY: as this function demands, `argv` is NULL or the argument of
    // main(), which is a NULL-terminated array.
    if argv.is_null() || unsafe { (*argv).is_null() } {
        return;
    }

    // SAFETY: `argv` has a first string. The kernel has put the strings of the
    // arguments and the environment one behind the other, so that they are one
    // piece of memory, from `start` to `end`.
    unsafe {
        let start = *argv;
        let end = end_of_environment(end_of_arguments(argv));

        *argv.add(1) = ptr::null_mut();
        *AREA.lock() = Some(Area {
            start,
            len: end.offset_from_unsigned(start),
        });
    }
}

/// The end of the memory of the arguments, which the kernel has put one behind
/// the other. Skips an argument at another place, because the program has
/// replaced it.
///
/// # Safety
///
/// `argv` is a NULL-terminated array of strings with a first element.
unsafe fn end_of_arguments(argv: *mut *mut c_char) -> *mut c_char {
    // SAFETY: `arg` goes from element to element of `argv`, up to the NULL.
    unsafe {
        let mut end = *argv;
        let mut arg = argv;

        while !(*arg).is_null() {
            if *arg == end {
                end = end.add(CStr::from_ptr(*arg).count_bytes() + 1);
            }
            arg = arg.add(1);
        }

        end
    }
}

/// Copies the strings of the environment that lie one behind the other from
/// `end` on to other memory. Returns the end of the strings that were copied:
/// the first one that could not be copied, for lack of memory, begins there.
///
/// # Safety
///
/// `end` points behind the arguments of main().
unsafe fn end_of_environment(mut end: *mut c_char) -> *mut c_char {
    unsafe extern "C" {
        static mut environ: *mut *mut c_char;
    }

    // SAFETY: `environ` is NULL or a NULL-terminated array of strings, whose
    // elements the program may replace. `env` goes from element to element.
    unsafe {
        let mut env = environ;

        while !env.is_null() && !(*env).is_null() {
            if *env == end {
                let text = CStr::from_ptr(*env);
                let copy = libc::strdup(text.as_ptr());

                if copy.is_null() {
                    break;
                }

                end = end.add(text.count_bytes() + 1);
                *env = copy;
            }
            env = env.add(1);
        }
    }

    end
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
    use crate::sys::testing::in_child;
    use crate::sys::text;

    /// The arguments of the test are "program" and "an argument", in memory that ends
    /// with "end".
    #[test]
    fn a_title_overwrites_the_arguments() {
        in_child(|| {
            let mut memory = *b"program\0an argument\0end";
            let start: *mut c_char = memory.as_mut_ptr().cast();
            let name = text::program_name().to_vec();
            // SAFETY: the second argument begins at the offset 8.
            let mut argv = [start, unsafe { start.add(8) }, ptr::null_mut()];

            // SAFETY: `argv` is an array of strings that ends with NULL, as that of
            // main(), and only this code uses the strings.
            unsafe { init_title(argv.as_mut_ptr()) };

            set_title(b"test", [&b"a "[..], b"title"].into_iter());
            assert_eq!(&memory, b"test: a title\0\0\0\0\0\0\0end");

            set_title(b"test", [&b"too long "[..], b"a title"].into_iter());
            assert_eq!(&memory, b"test: too long a ti\0end");

            assert!(argv[1].is_null());
            assert_eq!(text::program_name(), name);
        });
    }
}
