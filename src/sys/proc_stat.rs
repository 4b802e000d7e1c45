//! The text of `/proc/PID/stat`, which describes a process.

use std::path::Path;

use nix::errno::Errno;

use super::file;
use super::path::CPath;

/// The room that the text needs.
pub const ROOM: usize = 2048;

/// The number of the field with the start time.
const START_TIME: usize = 22;

/// The fields of a text.
pub struct Fields<'a> {
    /// Field 1, the pid.
    pub pid: libc::pid_t,
    /// The fields behind the name of the program, from field 3 on.
    rest: &'a str,
}

impl<'a> Fields<'a> {
    /// Reads the text of the process `pid` into `buffer`. Returns an error if there is no
    /// such process, if `/proc` is not mounted, or if it hides the process.
    ///
    /// # References
    ///
    /// `proc_pid_stat(5)`.
    pub fn of(pid: libc::pid_t, buffer: &'a mut [u8; ROOM]) -> Result<Self, Errno> {
        let path = CPath::formatted(format_args!("/proc/{pid}/stat"))?;

        Self::parse(file::read(path.as_path(), buffer)?).ok_or(Errno::EINVAL)
    }

    /// Reads the text of this process, `/proc/self/stat`. If the mounted `/proc` is that of
    /// another PID namespace, the pid is another one than that of `getpid(2)`.
    pub fn own(buffer: &'a mut [u8; ROOM]) -> Result<Self, Errno> {
        let text = file::read(Path::new("/proc/self/stat"), buffer)?;

        Self::parse(text).ok_or(Errno::EINVAL)
    }

    /// Finds the fields in a text. `None` if the text has no pid, or no name of a program.
    pub fn parse(text: &'a [u8]) -> Option<Self> {
        // The name, in parentheses, can have any bytes.
        let begin = text.iter().position(|&byte| byte == b'(')?;
        let end = text.iter().rposition(|&byte| byte == b')')?;
        let pid = str::from_utf8(text.get(..begin)?).ok()?;

        Some(Self {
            pid: pid.trim_ascii_end().parse().ok()?,
            rest: str::from_utf8(text.get(end + 1..)?).ok()?,
        })
    }

    /// The state of the process, field 3: a letter, such as 'R' if the process runs, 'S' or
    /// 'D' if it sleeps, and 'T' if it is stopped.
    pub fn state(&self) -> Option<char> {
        self.rest
            .trim_ascii_start()
            .chars()
            .next()
            .filter(char::is_ascii_alphabetic)
    }

    /// The value of a field, which is a number. The state of the process is field 3.
    pub fn number(&self, field: usize) -> Option<u64> {
        self.rest
            .split_ascii_whitespace()
            .nth(field.checked_sub(3)?)?
            .parse()
            .ok()
    }
}

/// When the process `pid` was started, in clock ticks since the boot of the machine.
/// `None` if the process is unknown, see [`Fields::of`]. `exec` does not change the
/// number. A later process with the same pid has another one.
pub fn start_time(pid: libc::pid_t) -> Option<u64> {
    Fields::of(pid, &mut [0; ROOM]).ok()?.number(START_TIME)
}

/// The start time of this process, whose pid is `own`, see [`start_time`]. `None` also if the mounted `/proc`
/// is that of another PID namespace, because pids mean other processes there.
pub fn own_start_time(own: libc::pid_t) -> Option<u64> {
    let mut buffer = [0; ROOM];
    let fields = Fields::own(&mut buffer).ok()?;

    if fields.pid == own {
        fields.number(START_TIME)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_have_parentheses() {
        let fields = Fields::parse(b"7 (a) 1 2) \xff)) S 4 5").unwrap();

        assert_eq!(fields.number(3), None);
        assert_eq!(fields.state(), Some('S'));
        assert_eq!(fields.number(4), Some(4));
        assert_eq!(fields.number(5), Some(5));
        assert_eq!(fields.number(6), None);
        assert_eq!(fields.number(2), None);
        assert_eq!(fields.pid, 7);
        assert!(Fields::parse(b"7 a S 4").is_none());
        assert!(Fields::parse(b"(a) S 4").is_none());
        assert!(Fields::parse(b"7 (a) \xff").is_none());
    }

    #[test]
    fn a_process_has_one_start_time() {
        let own = std::process::id().cast_signed();

        assert!(start_time(own).is_some_and(|time| time > 0));
        assert_eq!(start_time(own), own_start_time(own));
        assert_eq!(start_time(-1), None);
    }
}
