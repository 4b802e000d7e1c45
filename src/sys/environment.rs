//! The environment variables of this process.

use std::ffi::{CStr, c_char};
use std::ptr;

use nix::errno::Errno;

use super::heap;

unsafe extern "C" {
    static environ: *const *const c_char;
}

/// The value of a variable, `getenv(3)`; `None` if the variable is not set or
/// not UTF-8. The value is valid until the program changes the variable.
pub fn get(name: &CStr) -> Option<&'static str> {
    // SAFETY: `name` is a C string. The program has one thread, so no other
    // thread changes the environment meanwhile.
    let value = unsafe { libc::getenv(name.as_ptr()) };

    if value.is_null() {
        return None;
    }

    // SAFETY: getenv() returns NULL or a C string of the environment.
    unsafe { CStr::from_ptr(value) }.to_str().ok()
}

/// Removes a variable, `unsetenv(3)`.
pub fn remove(name: &CStr) {
    // SAFETY: `name` is a C string. The program has one thread, so no other thread
    // uses the environment meanwhile.
    unsafe { libc::unsetenv(name.as_ptr()) };
}

/// Returns all variables for `execve(2)`, each as the text "NAME=VALUE". `text` is
/// such a text, and replaces the variable of the same name. The last element is
/// NULL. The strings are valid until the program changes the environment.
///
/// Returns `ENOMEM` if there is no memory.
pub fn with(text: &CStr) -> Result<Vec<*const c_char>, Errno> {
    // SAFETY: the C library sets `environ`, and the program has one thread. It is
    // NULL or an array of C strings that ends with NULL.
    unsafe { add(environ, text) }
}

/// Returns the variables of `all` for `execve(2)`, with `text` as [`with`] does.
///
/// # Safety
///
/// `all` is NULL or an array of strings that ends with NULL. The strings are valid as
/// long as the result is used.
pub unsafe fn add(all: *const *const c_char, text: &CStr) -> Result<Vec<*const c_char>, Errno> {
    let bytes = text.to_bytes();
    let name = bytes
        .split_inclusive(|&byte| byte == b'=')
        .next()
        .unwrap_or(bytes);

    let n = if all.is_null() { 0 } else { usize::MAX };

    let others = (0..n)
        // SAFETY: the caller passes an array of C strings that ends with NULL, and
        // nothing behind the NULL is read.
        .map(|i| unsafe { *all.add(i) })
        .take_while(|variable| !variable.is_null())
        .filter(|&variable| {
            // SAFETY: the caller passes an array of C strings.
            let text = unsafe { CStr::from_ptr(variable) };

            !text.to_bytes().starts_with(name)
        });

    heap::collect(others.chain([text.as_ptr(), ptr::null()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_variable_is_replaced() {
        let before = std::env::vars_os()
            .filter(|(name, _)| name != "PATH")
            .count();
        let text = c"PATH=a:b";
        let all = with(text).unwrap();

        assert_eq!(all.len(), before + 2);
        assert_eq!(all[before], text.as_ptr());
        assert!(all[before + 1].is_null());
        assert_eq!(get(c"NGX_IPC_NO_SUCH_VARIABLE"), None);
        assert_eq!(get(c"PATH").map(str::to_string), std::env::var("PATH").ok());
    }
}
