//! The text of `/proc/PID/maps`: the mappings of a process.

/// A mapping that a process shares with others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapping<'a> {
    /// The address of its first byte.
    pub start: usize,
    /// The address behind its last byte.
    pub end: usize,
    /// The name of its file, such as `/dev/zero (deleted)` for memory without a file.
    pub name: &'a [u8],
    /// The offset in the file.
    offset: usize,
    /// The device and the inode of the file.
    file: (&'a [u8], &'a [u8]),
}

impl Mapping<'_> {
    /// Whether `next` continues this mapping. The kernel divides a mapping if a part of it gets
    /// other properties, for example at `mlock(2)`.
    fn is_continued_by(&self, next: &Self) -> bool {
        next.start == self.end
            && next.file == self.file
            && next.offset == self.offset.wrapping_add(self.end - self.start)
    }
}

/// The shared mappings of a text, in the order of their addresses. Lines that the kernel does
/// not write are left out.
pub fn shared(text: &[u8]) -> impl Iterator<Item = Mapping<'_>> {
    let mut lines = text
        .split(|&byte| byte == b'\n')
        .filter_map(line)
        .peekable();

    std::iter::from_fn(move || {
        let mut mapping = lines.next()?;

        while let Some(next) = lines.next_if(|next| mapping.is_continued_by(next)) {
            mapping.end = next.end;
        }

        Some(mapping)
    })
}

/// The mapping of a line; `None` if it is not shared or cannot be read.
///
/// # References
///
/// `proc_pid_maps(5)`.
fn line(line: &[u8]) -> Option<Mapping<'_>> {
    let mut rest = line;
    let mut next = || {
        let len = rest.iter().position(|&byte| byte == b' ');
        let (field, behind) = rest.split_at_checked(len.unwrap_or(rest.len()))?;

        rest = behind.trim_ascii_start();
        Some(field)
    };
    let range = next()?;
    let (access, offset, device, inode) = (next()?, next()?, next()?, next()?);
    let dash = range.iter().position(|&byte| byte == b'-')?;
    let (start, end) = (hex(range.get(..dash)?)?, hex(range.get(dash + 1..)?)?);
    let is_shared = access.first() == Some(&b'r') && access.last() == Some(&b's');

    (is_shared && start < end).then_some(Mapping {
        start,
        end,
        name: rest,
        offset: hex(offset)?,
        file: (device, inode),
    })
}

/// Reads a number with the base 16, without a prefix.
pub fn hex(digits: &[u8]) -> Option<usize> {
    usize::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] = b"\
55f0-55f8 r-xp 00000000 08:01 77                         /bin/program\n\
1000-3000 rw-s 00000000 00:01 5                          /dev/zero (deleted)\n\
3000-4000 rw-s 00002000 00:01 5                          /dev/zero (deleted)\n\
4000-5000 rw-s 00000000 00:01 6                          /dev/zero (deleted)\n\
5000-6000 -w-s 00000000 00:01 7                          /memfd:x (deleted)\n\
6000-7000 r--s 00000000 00:01 8\n\
garbage\n\
9000-8000 rw-s 00000000 00:01 9 \n\
zz-8000 rw-s 00000000 00:01 9 \n";

    #[test]
    fn shared_mappings_are_found() {
        let found: Vec<_> = shared(TEXT)
            .map(|mapping| (mapping.start, mapping.end, mapping.name))
            .collect();

        assert_eq!(
            found,
            [
                (0x1000, 0x4000, &b"/dev/zero (deleted)"[..]),
                (0x4000, 0x5000, b"/dev/zero (deleted)"),
                (0x6000, 0x7000, b""),
            ]
        );
    }
}
