//! The zones of a process. A zone is shared memory that begins with a pool.

use nix::errno::Errno;

use crate::sys::heap;
use crate::sys::other_process::OtherProcess;
use crate::sys::proc_maps::{Mapping, hex, shared};
use crate::zone::FILE_NAME;
use crate::zone::slab::layout::{HEADER, Sizes, field};

/// The longest text of `log_ctx` that is read, in bytes.
pub const CONTEXT: usize = 256;

/// The beginning of the name of a file in memory in a list of mappings.
const MEMFD: &[u8] = b"/memfd:";

/// A zone of another process.
pub struct Zone<'a> {
    /// The address of the zone there.
    pub start: usize,
    /// The size in bytes.
    pub size: usize,
    /// The name, which is empty if the zone does not tell it.
    pub name: Vec<u8>,
    /// The file of the memory.
    pub file: &'a [u8],
}

/// Finds the zones of a process whose mappings are `maps`. Shared memory at the address
/// `wanted` counts as a zone, whatever its bytes are.
pub fn zones<'a>(
    process: &OtherProcess,
    maps: &'a [u8],
    wanted: Option<usize>,
) -> Result<Vec<Zone<'a>>, Errno> {
    let mut zones = Vec::new();

    for mapping in shared(maps) {
        let mut header = [0; HEADER];

        match process.read(mapping.start, &mut header) {
            Ok(()) => {}
            // The mapping has gone, or it is one of a device or behind the end of a file.
            Err(Errno::EFAULT) => continue,
            Err(err) => return Err(err),
        }

        let size = match size_of_pool(&header, &mapping) {
            Some(size) => size,
            None if wanted == Some(mapping.start) => mapping.end - mapping.start,
            None => continue,
        };

        heap::push(
            &mut zones,
            Zone {
                start: mapping.start,
                size,
                name: name(process, &header, mapping.start, size, mapping.name)?,
                file: mapping.name,
            },
        )?;
    }

    Ok(zones)
}

/// A field of a header.
fn value(header: &[u8; HEADER], at: usize) -> usize {
    let bytes = header.get(at..).and_then(<[u8]>::first_chunk);

    bytes.map_or(0, |bytes| usize::from_ne_bytes(*bytes))
}

/// The size of the pool at the beginning of a mapping; `None` if the header is that of none.
/// Only fields are checked that no operation changes, and not all of them, so that a damaged
/// pool still counts.
fn size_of_pool(header: &[u8; HEADER], mapping: &Mapping<'_>) -> Option<usize> {
    let size = value(header, field::END).checked_sub(mapping.start)?;
    let shift = value(header, field::MIN_SHIFT);
    let is_pool = value(header, field::ADDR) == mapping.start
        && (HEADER..=mapping.end - mapping.start).contains(&size)
        && shift < Sizes::get().shift;

    is_pool.then_some(size)
}

/// The name of a zone. The modules of nginx set a text for log lines in the zone, such as
/// ` in limit_req zone "one"`. A zone that survives an upgrade or a restart has a file with its
/// name.
fn name(
    process: &OtherProcess,
    header: &[u8; HEADER],
    start: usize,
    size: usize,
    file: &[u8],
) -> Result<Vec<u8>, Errno> {
    let at = value(header, field::LOG_CTX).wrapping_sub(start);
    let mut context = [0; CONTEXT];
    let text = context
        .get_mut(..CONTEXT.min(size.saturating_sub(at)))
        .unwrap_or_default();

    // The text can be anywhere, and it need not be there.
    let text = match process.read(start.wrapping_add(at), text) {
        Ok(()) => text.split(|&byte| byte == 0).next().unwrap_or_default(),
        Err(_) => &[],
    };
    let file = file.strip_suffix(b" (deleted)").unwrap_or(file);
    let of_memory = file
        .strip_prefix(MEMFD)
        .and_then(|file| file.strip_prefix(FILE_NAME));
    let of_file = file
        .rsplit(|&byte| byte == b'/')
        .next()
        .and_then(|file| file.strip_suffix(b".zone"));

    match (quoted(text).or(of_memory), of_file) {
        (Some(name), _) => heap::collect(name.iter().copied()),
        (None, Some(name)) => heap::collect(unescaped(name)),
        (None, None) => heap::collect(text.trim_ascii().iter().copied()),
    }
}

/// The bytes of a name in which `%XX` is the byte with this code.
fn unescaped(mut name: &[u8]) -> impl Iterator<Item = u8> {
    std::iter::from_fn(move || {
        let (&first, behind) = name.split_first()?;
        let code = behind
            .get(..2)
            .filter(|_| first == b'%')
            .and_then(|digits| u8::try_from(hex(digits)?).ok());

        name = match code {
            Some(_) => behind.get(2..).unwrap_or_default(),
            None => behind,
        };

        Some(code.unwrap_or(first))
    })
}

/// The text between the quotes of `text`, if it has some.
fn quoted(text: &[u8]) -> Option<&[u8]> {
    let begin = text.iter().position(|&byte| byte == b'"')? + 1;
    let end = text.iter().rposition(|&byte| byte == b'"')?;

    text.get(begin..end).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_in_quotes() {
        assert_eq!(quoted(b" in cache keys zone \"one\""), Some(&b"one"[..]));
        assert_eq!(quoted(b" in \"a\"b\""), Some(&b"a\"b"[..]));

        for text in [&b""[..], b"one", b"\"", b"\"\"", b"one\""] {
            assert_eq!(quoted(text), None);
        }
    }

    #[test]
    fn a_name_of_a_file_is_escaped() {
        let name = |text: &[u8]| unescaped(text).collect::<Vec<_>>();

        assert_eq!(name(b"one-2_"), b"one-2_");
        assert_eq!(name(b"%2E%2Fa%FF"), b"./a\xff");
        assert_eq!(name(b"%"), b"%");
        assert_eq!(name(b"a%2"), b"a%2");
        assert_eq!(name(b"%zz%41"), b"%zzA");
    }

    #[test]
    fn a_pool_agrees_with_its_mapping() {
        let maps = b"10000-20000 rw-s 00000000 00:01 5    x";
        let mapping = shared(maps).next().unwrap();
        let header = |at: usize, value: usize| {
            let mut header = [0; HEADER];
            let mut set = |at: usize, value: usize| {
                header[at..at + 8].copy_from_slice(&value.to_ne_bytes());
            };

            set(field::ADDR, 0x10000);
            set(field::END, 0x20000);
            set(field::MIN_SHIFT, 3);
            set(at, value);
            header
        };
        let size = |at, value| size_of_pool(&header(at, value), &mapping);

        assert_eq!(size(field::PAGES, 0), Some(0x10000));
        assert_eq!(size(field::END, 0x1f234), Some(0xf234));
        assert_eq!(size(field::ADDR, 0x10008), None);
        assert_eq!(size(field::END, 0x20001), None);
        assert_eq!(size(field::END, 0x10000 + HEADER - 1), None);
        assert_eq!(size(field::END, 0), None);
        assert_eq!(size(field::MIN_SHIFT, 64), None);
    }
}
