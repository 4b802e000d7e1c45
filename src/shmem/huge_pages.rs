//! Huge pages for shared memory, if a program asks for huge pages.
//!
//! The kernel uses huge pages for shared memory only if the administrator has
//! enabled them in two files of sysfs. If they are not enabled, a warning is
//! logged.

use std::path::Path;

use crate::log::{Level, Log};
use crate::sys::file;
use crate::sys::shm::{HUGE_PAGE, Segment};

/// The file in which the administrator enables huge pages of all sizes for
/// shared memory.
const ALLOWED: &str = "/sys/kernel/mm/transparent_hugepage/shmem_enabled";

/// The file in which the administrator enables huge pages of 2 MiB for shared
/// memory. If the file says "inherit", the file [`ALLOWED`] decides. Older
/// kernels have only the file [`ALLOWED`].
const ALLOWED_HUGE: &str = "/sys/kernel/mm/transparent_hugepage/hugepages-2048kB/shmem_enabled";

/// The largest number of bytes that are read from one of these files.
const MAX_FILE: usize = 128;

/// Requests huge pages for a new segment, to which nothing has been written
/// yet. Does nothing if the segment is smaller than a huge page.
pub fn use_for(log: Log, segment: &Segment) {
    if segment.size() < HUGE_PAGE {
        return;
    }

    if let Err(err) = segment.advise_huge_pages() {
        log.error(
            Level::Warn,
            Some(err),
            format_args!(
                "madvise(MADV_HUGEPAGE, {}) failed, no huge pages are used",
                segment.size()
            ),
        );
    } else if !are_allowed() {
        log.error(
            Level::Warn,
            None,
            format_args!(
                "no huge pages are used for {} bytes of shared memory, \
                 the system does not allow it, see {ALLOWED}",
                segment.size()
            ),
        );
    }
}

/// Whether the two files enable huge pages. Each file lists all possible
/// values, with the current value in brackets.
fn are_allowed() -> bool {
    let (mut all, mut huge) = ([0; MAX_FILE], [0; MAX_FILE]);

    do_allow(chosen(ALLOWED, &mut all), chosen(ALLOWED_HUGE, &mut huge))
}

/// Whether these current values of the two files enable huge pages. `None` is the
/// value of a file that does not exist.
fn do_allow(of_all_sizes: Option<&str>, of_huge: Option<&str>) -> bool {
    if of_all_sizes == Some("deny") {
        return false;
    }

    match of_huge {
        Some("always" | "within_size" | "advise") => true,
        Some("never") => false,
        _ => !matches!(of_all_sizes, None | Some("never")),
    }
}

/// The current value in a file, which is read into `buffer`.
fn chosen<'a>(path: &str, buffer: &'a mut [u8]) -> Option<&'a str> {
    let text = str::from_utf8(file::read(Path::new(path), buffer).ok()?).ok()?;
    let (_, rest) = text.split_once('[')?;

    rest.split_once(']').map(|(chosen, _)| chosen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_files_decide() {
        let (always, advise, never) = (Some("always"), Some("advise"), Some("never"));
        let (deny, within_size, inherit) = (Some("deny"), Some("within_size"), Some("inherit"));

        for of_huge in [always, within_size, advise] {
            assert!(do_allow(never, of_huge) && do_allow(None, of_huge));
            assert!(!do_allow(deny, of_huge));
        }

        for of_all_sizes in [always, within_size, advise, Some("force")] {
            assert!(do_allow(of_all_sizes, inherit) && do_allow(of_all_sizes, None));
            assert!(!do_allow(of_all_sizes, never));
        }

        for of_all_sizes in [never, deny, None] {
            assert!(!do_allow(of_all_sizes, inherit) && !do_allow(of_all_sizes, None));
        }
    }

    #[test]
    fn the_value_in_brackets_is_chosen() {
        let path = std::env::temp_dir().join(format!("ngx-ipc-chosen-{}", std::process::id()));
        let name = path.to_str().unwrap();

        assert_eq!(chosen(name, &mut [0; MAX_FILE]), None);

        for (text, value) in [
            ("always [advise] never\n", Some("advise")),
            ("[never]", Some("never")),
            ("always", None),
            ("[always", None),
        ] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(chosen(name, &mut [0; MAX_FILE]), value);
        }

        file::remove(&path).unwrap();
    }
}
