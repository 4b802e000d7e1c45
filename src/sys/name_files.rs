//! Users and groups in `/etc/passwd` and `/etc/group`, for programs without a name
//! service, see [`name_service`](super::name_service).

use std::io;
use std::str::Split;

use nix::errno::Errno;
use nix::unistd::{Gid, Uid};

/// The largest number of groups of a user, `setgroups(2)`.
const MAX_GROUPS: usize = 65536;

/// Reads `/etc/passwd`.
pub fn passwd() -> Result<Vec<u8>, Errno> {
    read("/etc/passwd")
}

/// Reads `/etc/group`.
pub fn group() -> Result<Vec<u8>, Errno> {
    read("/etc/group")
}

fn read(path: &str) -> Result<Vec<u8>, Errno> {
    std::fs::read(path)
        .map_err(|err: io::Error| err.raw_os_error().map_or(Errno::ENOMEM, Errno::from_raw))
}

/// The fields of each line, without lines that are not UTF-8.
fn lines(file: &[u8]) -> impl Iterator<Item = Split<'_, char>> {
    file.split(|&byte| byte == b'\n')
        .filter_map(|line| Some(str::from_utf8(line).ok()?.split(':')))
}

/// Finds the user `name` and the user's group in the lines of `passwd`, `passwd(5)`.
pub fn user(passwd: &[u8], name: &str) -> Option<(Uid, Gid)> {
    lines(passwd).find_map(|mut fields| {
        fields.next().filter(|&found| found == name)?;

        let user = fields.nth(1)?.parse().ok()?;
        let group = fields.next()?.parse().ok()?;

        Some((Uid::from_raw(user), Gid::from_raw(group)))
    })
}

/// Finds the group `name` in the lines of `groups`, `group(5)`.
pub fn group_named(groups: &[u8], name: &str) -> Option<Gid> {
    lines(groups).find_map(|mut fields| {
        fields.next().filter(|&found| found == name)?;
        fields.nth(1)?.parse().ok().map(Gid::from_raw)
    })
}

/// The group `own`, and the groups in the lines of `groups` of which the user `name` is
/// a member.
///
/// Returns ENOMEM if there is no memory for the list.
pub fn groups_of(groups: &[u8], name: &str, own: Gid) -> Result<Vec<Gid>, Errno> {
    let mut list = Vec::new();
    let others = lines(groups).filter_map(|mut fields| {
        let group = fields.nth(2)?.parse().ok().map(Gid::from_raw)?;
        let mut members = fields.next()?.split(',');

        members.any(|member| member == name).then_some(group)
    });

    for group in std::iter::once(own).chain(others).take(MAX_GROUPS) {
        if !list.contains(&group) {
            list.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
            list.push(group);
        }
    }

    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &[u8] = b"root:x:0:0:root:/root:/bin/sh\nbad\nbad:x:y:1:::\n\
        \xff:x:3:3:::\nweb:x:33:34:www:/var/www:/bin/false";
    const GROUPS: &[u8] = b"root:x:0:\nbad\nweb:x:34:\nlog:*:5:www,web\nmail:x:8:web\n\
        again:x:34:web\nwebmail:x:9:webmail\n";

    #[test]
    fn users_are_found() {
        let ids = |user, group| Some((Uid::from_raw(user), Gid::from_raw(group)));

        assert_eq!(user(PASSWD, "root"), ids(0, 0));
        assert_eq!(user(PASSWD, "web"), ids(33, 34));
        assert_eq!(user(PASSWD, "bad"), None);
        assert_eq!(user(PASSWD, "we"), None);
        assert_eq!(user(&passwd().unwrap(), "root"), ids(0, 0));
    }

    #[test]
    fn groups_are_found() {
        let own = Gid::from_raw(34);
        let list = groups_of(GROUPS, "web", own).unwrap();

        assert_eq!(group_named(GROUPS, "log"), Some(Gid::from_raw(5)));
        assert_eq!(group_named(GROUPS, "bad"), None);
        assert_eq!(
            group_named(&group().unwrap(), "root"),
            Some(Gid::from_raw(0))
        );
        assert_eq!(list, [34, 5, 8].map(Gid::from_raw));
        assert_eq!(groups_of(b"", "web", own), Ok(vec![own]));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_an_error() {
        assert_eq!(read("/nonexistent"), Err(Errno::ENOENT));
    }
}
