//! The environment variables of this process.

use std::env;
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;

/// The value of a variable, `getenv(3)`; `None` if the variable is not set or
/// not UTF-8.
pub fn get(name: &str) -> Option<String> {
    env::var(name).ok()
}

/// All variables as "NAME=VALUE" for `execve(2)`, with `name` set to `value`.
pub fn with(name: &str, value: &str) -> Vec<CString> {
    env::vars_os()
        .filter(|(other, _)| other != name)
        .filter_map(|(name, value)| {
            CString::new([name.as_bytes(), b"=", value.as_bytes()].concat()).ok()
        })
        .chain(CString::new(format!("{name}={value}")).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_variable_is_replaced() {
        let before = env::vars_os().filter(|(name, _)| name != "PATH").count();
        let texts = with("PATH", "a:b");

        assert_eq!(texts.last().unwrap().as_bytes(), b"PATH=a:b");
        assert_eq!(texts.len(), before + 1);
        assert_eq!(get("NGX_IPC_NO_SUCH_VARIABLE"), None);
    }
}
