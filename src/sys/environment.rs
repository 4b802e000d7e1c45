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

/// Returns all variables for `execve(2)`, each as the text "NAME=VALUE". `text` is
/// such a text, and replaces the variable of the same name. The last element is
/// NULL. The strings are valid until the program changes the environment.
///
/// Returns `ENOMEM` if there is no memory.
pub fn with(text: &CStr) -> Result<Vec<*const c_char>, Errno> {
    let bytes = text.to_bytes();
    let name = bytes
        .split_inclusive(|&byte| byte == b'=')
        .next()
        .unwrap_or(bytes);

    // SAFETY: the C library sets `environ`, and the program has one thread.
    let all = unsafe { environ };
    let n = if all.is_null() { 0 } else { usize::MAX };

    let others = (0..n)
        // SAFETY: `environ` is an array of C strings that ends with NULL, and
        // nothing behind the NULL is read.
        .map(|i| unsafe { *all.add(i) })
        .take_while(|variable| !variable.is_null())
        .filter(|&variable| {
            // SAFETY: the variable is a C string of the environment.
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
