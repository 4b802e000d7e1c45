//! Functions of the C library that ask the name service, `nsswitch.conf(5)`.
//!
//! In a static program of glibc these functions load shared libraries when they run, and
//! the linker prints a warning for each. So the library refers to them as weak symbols:
//! a static program does not get them from this library, and the functions of this file
//! return `None`. A program that is linked with a shared C library has all of them.
//!
//! The program's own calls bring a function into a static program. Then the library uses
//! this function, too.

use std::ffi::{c_char, c_int};
use std::mem::transmute_copy;
use std::ptr;

/// `getpwnam(3)`.
pub type GetPwNam = unsafe extern "C" fn(*const c_char) -> *mut libc::passwd;
/// `getgrnam(3)`.
pub type GetGrNam = unsafe extern "C" fn(*const c_char) -> *mut libc::group;
/// `initgroups(3)`.
pub type InitGroups = unsafe extern "C" fn(*const c_char, libc::gid_t) -> c_int;
/// `getaddrinfo(3)`.
pub type GetAddrInfo = unsafe extern "C" fn(
    *const c_char,
    *const c_char,
    *const libc::addrinfo,
    *mut *mut libc::addrinfo,
) -> c_int;
/// `freeaddrinfo(3)`.
pub type FreeAddrInfo = unsafe extern "C" fn(*mut libc::addrinfo);

// The linker writes the address of each function, or 0, to these variables. Rust has no
// weak symbols, so assembly declares them.
macro_rules! weak {
    ($($variable:ident, $function:literal;)*) => {
        $(std::arch::global_asm!(
            concat!(".weak ", $function),
            concat!(".pushsection .data.rel.ro.", stringify!($variable), ", \"aw\""),
            ".balign 8",
            concat!(".globl ", stringify!($variable)),
            concat!(".hidden ", stringify!($variable)),
            concat!(stringify!($variable), ":"),
            concat!(".quad ", $function),
            ".popsection",
        );)*

        unsafe extern "C" {
            $(static $variable: usize;)*
        }
    };
}

weak! {
    weak_getpwnam, "getpwnam";
    weak_getgrnam, "getgrnam";
    weak_initgroups, "initgroups";
    weak_getaddrinfo, "getaddrinfo";
    weak_freeaddrinfo, "freeaddrinfo";
}

/// Converts the address in `variable` to a function of the type `F`; `None` for 0.
///
/// # Safety
///
/// `variable` is 0 or the address of a function of the type `F`.
unsafe fn function<F: Copy>(variable: &usize) -> Option<F> {
    const { assert!(size_of::<F>() == size_of::<usize>()) };

    // SAFETY: the reference is valid. The caller says that the address is a function's.
    unsafe {
        let address = ptr::read_volatile(variable);

        (address != 0).then(|| transmute_copy(&address))
    }
}

/// Returns `getpwnam(3)`.
pub fn getpwnam() -> Option<GetPwNam> {
    // SAFETY: the linker writes the address of the function with this prototype.
    unsafe { function(&weak_getpwnam) }
}

/// Returns `getgrnam(3)`.
pub fn getgrnam() -> Option<GetGrNam> {
    // SAFETY: the linker writes the address of the function with this prototype.
    unsafe { function(&weak_getgrnam) }
}

/// Returns `initgroups(3)`.
pub fn initgroups() -> Option<InitGroups> {
    // SAFETY: the linker writes the address of the function with this prototype.
    unsafe { function(&weak_initgroups) }
}

/// Returns `getaddrinfo(3)` and `freeaddrinfo(3)`.
pub fn getaddrinfo() -> Option<(GetAddrInfo, FreeAddrInfo)> {
    // SAFETY: the linker writes the addresses of the functions with these prototypes.
    unsafe { function(&weak_getaddrinfo).zip(function(&weak_freeaddrinfo)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_c_library_has_all_functions() {
        assert!(getpwnam().is_some() && getgrnam().is_some());
        assert!(initgroups().is_some() && getaddrinfo().is_some());
        // SAFETY: 0 is no function.
        assert!(unsafe { function::<InitGroups>(&0) }.is_none());
    }
}
