//! The memory that the kernel shows as the arguments of this process.

use std::ffi::c_ulong;

use nix::errno::Errno;

use super::proc_stat::{Fields, ROOM};

/// `struct prctl_mm_map` of `<linux/prctl.h>`.
#[repr(C)]
struct Map {
    start_code: u64,
    end_code: u64,
    start_data: u64,
    end_data: u64,
    start_brk: u64,
    brk: u64,
    start_stack: u64,
    arg_start: u64,
    arg_end: u64,
    env_start: u64,
    env_end: u64,
    auxv: *const u64,
    auxv_size: u32,
    exe_fd: u32,
}

/// Makes the kernel show `len` bytes at the address `start` as the arguments of this
/// process, in `/proc/PID/cmdline`. Children inherit this.
///
/// Returns an error, and changes nothing, if the kernel refuses this or `/proc` is not
/// mounted.
///
/// # References
///
/// `PR_SET_MM_MAP` of `prctl(2)`, `/proc/pid/stat` of `proc(5)`.
pub fn show_as_arguments(start: usize, len: usize) -> Result<(), Errno> {
    let mut text = [0; ROOM];
    let map = Map {
        arg_start: start as u64,
        arg_end: (start + len) as u64,
        ..present(&Fields::own(&mut text)?).ok_or(Errno::EINVAL)?
    };

    // SAFETY: the kernel reads `map`, which is local. All its other fields keep their
    // present values.
    Errno::result(unsafe {
        libc::prctl(
            libc::PR_SET_MM,
            libc::PR_SET_MM_MAP as c_ulong,
            &raw const map,
            size_of::<Map>(),
            0,
        )
    })
    .map(drop)
}

/// The present map of this process, from `/proc/self/stat`. `None` if a field is
/// missing.
fn present(fields: &Fields<'_>) -> Option<Map> {
    let field = |number| fields.number(number);

    // SAFETY: sbrk(0) changes nothing.
    let brk = unsafe { libc::sbrk(0) }.addr() as u64;

    Some(Map {
        start_code: field(26)?,
        end_code: field(27)?,
        start_stack: field(28)?,
        start_data: field(45)?,
        end_data: field(46)?,
        start_brk: field(47)?,
        brk,
        arg_start: field(48)?,
        arg_end: field(49)?,
        env_start: field(50)?,
        env_end: field(51)?,
        auxv: std::ptr::null(),
        auxv_size: 0,
        exe_fd: u32::MAX,
    })
}
