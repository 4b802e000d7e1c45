//! How much processor time and memory a process uses.

use std::ops::Add;

use super::proc_stat::{Fields, ROOM};

/// Processor time, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cpu {
    /// Time in user mode.
    pub user: usize,
    /// Time in the kernel.
    pub system: usize,
}

impl Cpu {
    /// The processor time of a child that `wait4(2)` has reaped, and of the children
    /// for which this child has waited.
    pub(super) fn new(usage: &libc::rusage) -> Self {
        let milliseconds = |time: libc::timeval| {
            let whole = usize::try_from(time.tv_sec).unwrap_or_default();
            let rest = usize::try_from(time.tv_usec / 1000).unwrap_or_default();

            whole.saturating_mul(1000).saturating_add(rest)
        };

        Self {
            user: milliseconds(usage.ru_utime),
            system: milliseconds(usage.ru_stime),
        }
    }
}

impl Add for Cpu {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            user: self.user.saturating_add(other.user),
            system: self.system.saturating_add(other.system),
        }
    }
}

/// What a process uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Processor time.
    pub own: Cpu,
    /// Processor time of the children for which the process has waited.
    pub children: Cpu,
    /// Memory that is resident, in bytes.
    pub resident: usize,
    /// What the kernel does with the process, such as 'R', 'S' or 'T'.
    pub state: char,
}

/// What the process `pid` uses. `None` if there is no such process, or if this
/// process cannot read `/proc`.
///
/// # References
///
/// `proc_pid_stat(5)`.
pub fn of(pid: libc::pid_t) -> Option<Usage> {
    let mut buffer = [0; ROOM];
    let fields = Fields::of(pid, &mut buffer).ok()?;

    read(&fields, per_second(), page_size())
}

/// Reads the numbers of `/proc/PID/stat`. `ticks` is the number of clock ticks in a
/// second, and `page` the size of a page in bytes.
fn read(fields: &Fields<'_>, ticks: usize, page: usize) -> Option<Usage> {
    let field = |number| usize::try_from(fields.number(number)?).ok();
    let time = |number| field(number)?.saturating_mul(1000).checked_div(ticks);

    Some(Usage {
        own: Cpu {
            user: time(14)?,
            system: time(15)?,
        },
        children: Cpu {
            user: time(16)?,
            system: time(17)?,
        },
        resident: field(24)?.saturating_mul(page),
        state: fields.state()?,
    })
}

/// The number of clock ticks in a second, `sysconf(3)`.
fn per_second() -> usize {
    configured(libc::_SC_CLK_TCK)
}

/// The size of a page in bytes.
pub fn page_size() -> usize {
    configured(libc::_SC_PAGESIZE)
}

fn configured(name: libc::c_int) -> usize {
    // SAFETY: sysconf() accesses no memory of this process.
    usize::try_from(unsafe { libc::sysconf(name) }).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(stat: &[u8], ticks: usize) -> Option<Usage> {
        read(&Fields::parse(stat)?, ticks, 4096)
    }

    #[test]
    fn the_numbers_of_a_line_are_read() {
        let stat = b"7 (a b) \xff) S 1 7 7 0 -1 4194560 100 0 0 0 150 30 7 2 20 0 1 0 5 9 3 18";

        assert_eq!(
            parsed(stat, 100),
            Some(Usage {
                own: Cpu {
                    user: 1500,
                    system: 300
                },
                children: Cpu {
                    user: 70,
                    system: 20
                },
                resident: 3 * 4096,
                state: 'S'
            })
        );
        assert_eq!(parsed(stat, 0), None);
        assert_eq!(parsed(b"7 (a) S 1", 100), None);
        assert_eq!(parsed(b"", 100), None);
    }

    #[test]
    fn this_process_uses_memory_and_no_other_pid_does() {
        let own = of(std::process::id().cast_signed()).unwrap();

        assert!(own.resident > 100 * 1024);
        assert_eq!(of(-1), None);
    }
}
