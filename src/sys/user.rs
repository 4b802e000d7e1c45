//! The user of a process, and its limits.

use std::ffi::{CStr, c_int};
use std::path::Path;

use nix::errno::Errno;
use nix::unistd::{Gid, Uid};

use super::path::CPath;
use super::{name_files, name_service};

/// A user and a group.
#[derive(Clone, Copy, Debug)]
pub struct Identity<'a> {
    /// The name of the user, for `initgroups(3)`.
    pub name: &'a CStr,
    /// The user's id.
    pub user: Uid,
    /// The group's id.
    pub group: Gid,
}

/// Whether this process runs as root, so that it may change its user.
pub fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// The largest number of bytes that are read from `/proc/PID/status`. The line
/// "Uid:" is one of the first.
const MAX_STATUS: usize = 1024;

/// The real user of the process `pid`; `None` if there is no such process.
///
/// # References
///
/// `proc_pid_status(5)`.
pub fn of_process(pid: libc::pid_t) -> Option<libc::uid_t> {
    let path = CPath::formatted(format_args!("/proc/{pid}/status")).ok()?;
    let mut buffer = [0; MAX_STATUS];
    let status = super::file::read(path.as_path(), &mut buffer).ok()?;
    let status = str::from_utf8(status).ok()?;
    let (_, ids) = status.split_once("\nUid:")?;

    ids.split_whitespace().next()?.parse().ok()
}

/// The user that `chown(2)` makes the owner; `None` for -1, which leaves the
/// owner as it is.
pub fn owner(user: libc::uid_t) -> Option<libc::uid_t> {
    (user != libc::uid_t::MAX).then_some(user)
}

/// Finds the user `name`, and the group `group`. If `group` is `None`, takes
/// the user's own group.
///
/// Returns ENOENT if there is no such user or group.
///
/// # References
///
/// `getpwnam(3)`, `getgrnam(3)`.
pub fn find<'a>(name: &'a CStr, group: Option<&CStr>) -> Result<Identity<'a>, Errno> {
    let (user, own) = find_user(name)?;

    Ok(Identity {
        name,
        user,
        group: group.map_or(Ok(own), find_group)?,
    })
}

/// Finds the user `name`, and the user's own group, `getpwnam(3)`. In a static program
/// finds it in `/etc/passwd`.
///
/// Returns ENOENT if there is no such user.
pub fn find_user(name: &CStr) -> Result<(Uid, Gid), Errno> {
    let Some(getpwnam) = name_service::getpwnam() else {
        return name_files::user(&name_files::passwd()?, text(name)?).ok_or(Errno::ENOENT);
    };

    Errno::clear();

    // SAFETY: `name` is a C string.
    let user = unsafe { getpwnam(name.as_ptr()).as_ref() }.ok_or_else(not_found)?;

    Ok((Uid::from_raw(user.pw_uid), Gid::from_raw(user.pw_gid)))
}

/// Finds the group `name`, `getgrnam(3)`. In a static program finds it in `/etc/group`.
///
/// Returns ENOENT if there is no such group.
pub fn find_group(name: &CStr) -> Result<Gid, Errno> {
    let Some(getgrnam) = name_service::getgrnam() else {
        return name_files::group_named(&name_files::group()?, text(name)?).ok_or(Errno::ENOENT);
    };

    Errno::clear();

    // SAFETY: `name` is a C string.
    let group = unsafe { getgrnam(name.as_ptr()).as_ref() }.ok_or_else(not_found)?;

    Ok(Gid::from_raw(group.gr_gid))
}

/// The name of a user or group in a file. Returns ENOENT for a name that is not UTF-8.
fn text(name: &CStr) -> Result<&str, Errno> {
    name.to_str().or(Err(Errno::ENOENT))
}

/// The errno if a user or group does not exist.
fn not_found() -> Errno {
    match Errno::last_raw() {
        0 => Errno::ENOENT,
        err => Errno::from_raw(err),
    }
}

/// Sets the group of this process, `setgid(2)`.
pub fn setgid(group: Gid) -> Result<(), Errno> {
    nix::unistd::setgid(group)
}

/// Sets the supplementary groups of this process to the groups of the user
/// `name` and to `group`, `initgroups(3)`. In a static program finds them in
/// `/etc/group`.
pub fn initgroups(name: &CStr, group: Gid) -> Result<(), Errno> {
    let Some(initgroups) = name_service::initgroups() else {
        let groups = name_files::groups_of(&name_files::group()?, text(name)?, group)?;

        return nix::unistd::setgroups(&groups);
    };

    // SAFETY: `name` is a C string.
    Errno::result(unsafe { initgroups(name.as_ptr(), group.as_raw()) }).map(drop)
}

/// Sets the user of this process, `setuid(2)`.
pub fn setuid(user: Uid) -> Result<(), Errno> {
    nix::unistd::setuid(user)
}

/// Changes the working directory of this process, `chdir(2)`.
pub fn chdir(path: &Path) -> Result<(), Errno> {
    nix::unistd::chdir(CPath::of(path)?.as_c_str())
}

/// Sets the nice value of this process, `setpriority(2)`.
pub fn setpriority(priority: c_int) -> Result<(), Errno> {
    // SAFETY: setpriority() accesses no memory.
    Errno::result(unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, priority) }).map(drop)
}

/// Sets the soft and the hard limit of a resource, `setrlimit(2)`.
pub fn setrlimit(resource: Resource, limit: u64) -> Result<(), Errno> {
    let limits = libc::rlimit {
        rlim_cur: limit,
        rlim_max: limit,
    };
    let resource = match resource {
        Resource::Nofile => libc::RLIMIT_NOFILE,
        Resource::Core => libc::RLIMIT_CORE,
    };

    // SAFETY: the kernel reads `limits`, which is local.
    Errno::result(unsafe { libc::setrlimit(resource, &raw const limits) }).map(drop)
}

/// A resource for [`setrlimit`].
#[derive(Clone, Copy)]
pub enum Resource {
    /// `RLIMIT_NOFILE`: the number of open descriptors.
    Nofile,
    /// `RLIMIT_CORE`: the size of a core in bytes.
    Core,
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::sys::testing::in_child;

    /// A user that every system has.
    const NOBODY: libc::uid_t = 65534;

    #[test]
    fn a_process_changes_its_user() {
        let (pid, user) = (std::process::id().cast_signed(), nix::unistd::getuid());

        assert_eq!(of_process(pid), Some(user.as_raw()));
        assert_eq!(is_root(), nix::unistd::geteuid().is_root());

        if !user.is_root() {
            println!("skipped: only root changes its user");
            return;
        }

        in_child(|| {
            let root = find(c"root", None).unwrap();

            assert_eq!((root.user.as_raw(), root.group.as_raw()), (0, 0));
            setgid(Gid::from_raw(NOBODY)).unwrap();
            assert_eq!(nix::unistd::getegid().as_raw(), NOBODY);
            initgroups(c"root", Gid::from_raw(NOBODY)).unwrap();

            let groups = nix::unistd::getgroups().unwrap();

            assert!(groups.iter().any(|group| group.as_raw() == NOBODY));
            setuid(Uid::from_raw(NOBODY)).unwrap();
            assert_eq!(nix::unistd::getuid().as_raw(), NOBODY);
            assert_eq!(of_process(crate::sys::process::getpid()), Some(NOBODY));
            assert!(!is_root());
            assert_eq!(setuid(Uid::from_raw(0)), Err(Errno::EPERM));
        });
    }

    #[test]
    fn users_and_groups_are_found() {
        let found = find(c"nobody", Some(c"root")).unwrap();

        assert_eq!((found.user.as_raw(), found.group.as_raw()), (NOBODY, 0));
        assert_eq!(found.name, c"nobody");
        assert_eq!(find(c"no-such-user", None).err(), Some(Errno::ENOENT));
        assert_eq!(
            find(c"root", Some(c"no-such-group")).err(),
            Some(Errno::ENOENT)
        );
        assert_eq!(of_process(libc::pid_t::MAX), None);
        assert_eq!(owner(NOBODY), Some(NOBODY));
        assert_eq!(owner(libc::uid_t::MAX), None);
    }

    #[test]
    fn a_process_gets_its_settings() {
        in_child(|| {
            chdir(Path::new("/proc")).unwrap();
            assert_eq!(std::env::current_dir().unwrap(), PathBuf::from("/proc"));
            assert_eq!(chdir(Path::new("/nonexistent")), Err(Errno::ENOENT));

            setpriority(19).unwrap();
            // SAFETY: getpriority() accesses no memory.
            assert_eq!(unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) }, 19);

            for (resource, number) in [
                (Resource::Nofile, libc::RLIMIT_NOFILE),
                (Resource::Core, libc::RLIMIT_CORE),
            ] {
                let mut limits = libc::rlimit {
                    rlim_cur: 0,
                    rlim_max: 0,
                };

                setrlimit(resource, 20).unwrap();
                // SAFETY: the kernel writes `limits`, which is local.
                unsafe { libc::getrlimit(number, &raw mut limits) };
                assert_eq!((limits.rlim_cur, limits.rlim_max), (20, 20));
            }
        });
    }
}
