//! Files of zones that nginx does not use: each is replaced by that of a new zone, with the
//! reason in the log.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::{FileExt, PermissionsExt, chown, symlink};
use std::path::Path;

use crate::nginx::{Nginx, Which};
use crate::support::upgrade::{change_binary, retire};
use crate::support::{sys, wait_until};
use crate::zones::{SSL, certificate, connect};
use crate::zones_kept::{LIMIT_REQ, WORKERS, ask_limited, file, files, main_of, start, stop};

/// Stops an nginx whose limit is reached, changes the file of its zone with `spoil`, and starts
/// nginx with a zone of `size`. nginx logs `why`, and begins with an empty zone, which is kept.
fn refused(test: &str, spoil: impl FnOnce(&Path), size: &str, why: &str) {
    let main = main_of(Which::Ipc);
    let nginx = Nginx::new(test, Which::Ipc, &main, &LIMIT_REQ.replace("SIZE", "64k"));

    start(&nginx);
    assert_eq!(ask_limited(&nginx, 3), ["200", "200", "429"]);
    stop(&nginx);
    spoil(&file(&nginx, "r"));
    nginx.configure(&main, &LIMIT_REQ.replace("SIZE", size));
    start(&nginx);
    assert_eq!(ask_limited(&nginx, 3), ["200", "200", "429"], "{why}");

    let text = format!("the kept content of the zone \"r\" is not used: {why}");

    assert_eq!(nginx.lines(&text).len(), 1, "{:?}", nginx.lines("[warn]"));
    stop(&nginx);
    start(&nginx);
    assert_eq!(ask_limited(&nginx, 1), ["429"], "{why}");
    stop(&nginx);
    assert_eq!(files(&nginx).len(), 1);
}

fn write(path: &Path, at: u64, bytes: &[u8]) {
    let file = OpenOptions::new().write(true).open(path).expect("a file");

    file.write_all_at(bytes, at).expect("bytes");
}

fn word(path: &Path, at: u64) -> u64 {
    let mut bytes = [0; 8];

    fs::File::open(path)
        .and_then(|file| file.read_exact_at(&mut bytes, at))
        .expect("a word");
    u64::from_ne_bytes(bytes)
}

/// The offset in the file of an address in the zone. The field `addr` of a pool is its address.
fn offset(path: &Path, address: u64) -> u64 {
    address - word(path, 192)
}

/// The offset of the header, which is behind the zone of 64k.
const HEADER: u64 = 65536;

#[test]
fn another_size() {
    refused("kept_size", |_| {}, "128k", "it has another size");
}

#[test]
fn a_file_without_a_header() {
    let cut = |path: &Path| {
        let file = OpenOptions::new().write(true).open(path).expect("a file");

        file.set_len(100).expect("a size");
    };

    refused("kept_cut", cut, "64k", "it cannot be read");
}

#[test]
fn another_format() {
    refused(
        "kept_format",
        |path| write(path, HEADER, b"X"),
        "64k",
        "it is damaged",
    );
}

/// The identity begins with the version of nginx.
#[test]
fn another_version() {
    let spoil = |path: &Path| write(path, HEADER + 24, b"other/");

    refused(
        "kept_version",
        spoil,
        "64k",
        "it is that of another module, configuration or build of nginx",
    );
}

/// The kernel maps nothing at this address for a program.
#[test]
fn an_address_that_is_not_free() {
    let spoil = |path: &Path| write(path, HEADER + 8, &(1_u64 << 62).to_ne_bytes());

    refused(
        "kept_address",
        spoil,
        "64k",
        "its address is not free in this process",
    );
}

/// The pages of the pool begin elsewhere.
#[test]
fn another_pool() {
    refused(
        "kept_pool",
        |path| write(path, 88, &8_u64.to_ne_bytes()),
        "64k",
        "its pool has another layout",
    );
}

/// The number of free pages is wrong.
#[test]
fn a_damaged_pool() {
    refused(
        "kept_damaged",
        |path| write(path, 80, &3_u64.to_ne_bytes()),
        "64k",
        "it is damaged",
    );
}

/// The first node of the tree points back to no node.
#[test]
fn a_tree_that_is_half_changed() {
    let spoil = |path: &Path| {
        let keys = offset(path, word(path, 184));
        let root = offset(path, word(path, keys));

        // The node has itself as a child.
        write(path, root + 8, &word(path, keys).to_ne_bytes());
    };

    refused(
        "kept_tree",
        spoil,
        "64k",
        "a process has died while it changed the structure",
    );
}

/// A node is in the tree, but not in the queue.
#[test]
fn a_queue_that_is_half_changed() {
    let spoil = |path: &Path| {
        let keys = word(path, 184);
        let queue = keys + 24 + 40;

        for at in [queue, queue + 8] {
            write(path, offset(path, at), &queue.to_ne_bytes());
        }
    };

    refused(
        "kept_queue",
        spoil,
        "64k",
        "a process has died while it changed the structure",
    );
}

/// The offset in the file of the first node of the tree.
fn first_node(path: &Path) -> u64 {
    offset(path, word(path, offset(path, word(path, 184))))
}

/// A session says that it has more bytes than the zone.
#[test]
fn a_session_that_is_too_long() {
    let main = main_of(Which::Ipc);
    let nginx = Nginx::new("kept_session", Which::Ipc, &main, SSL);

    certificate(&nginx);
    start(&nginx);
    assert_eq!(connect(&nginx, "-sess_out"), "reused:.");
    assert_eq!(connect(&nginx, "-sess_in"), "reused:r");
    stop(&nginx);

    let path = file(&nginx, "s");

    write(&path, first_node(&path) + 40, &(1_u64 << 40).to_ne_bytes());
    start(&nginx);
    nginx.wait_for_line("the kept content of the zone \"s\" is not used: it is damaged");
    assert_eq!(connect(&nginx, "-sess_in"), "reused:.");
    stop(&nginx);
}

/// The machine was started again: the times in the zone are in the future. A key that was
/// limited is not limited for ever.
#[test]
fn times_in_the_future() {
    const HTTP: &str = "
        limit_req_zone $uri zone=r:64k rate=10r/s;
        server {
            listen 127.0.0.1:PORT;
            location / { limit_req zone=r; limit_req_status 429; empty_gif; }
        }";

    let main = main_of(Which::Ipc);
    let nginx = Nginx::new("kept_times", Which::Ipc, &main, HTTP);

    start(&nginx);
    assert_eq!(ask_limited(&nginx, 2), ["200", "429"]);
    stop(&nginx);

    let path = file(&nginx, "r");
    let last = first_node(&path) + 56;
    let days = 30 * 24 * 60 * 60 * 1000;

    write(&path, last, &(word(&path, last) + days).to_ne_bytes());
    start(&nginx);
    wait_until("a request that is allowed", || {
        ask_limited(&nginx, 1) == ["200"]
    });
    assert_eq!(nginx.lines("[warn]"), [""; 0]);
    stop(&nginx);
}

#[test]
fn a_lock_that_is_held() {
    refused(
        "kept_locked",
        |path| write(path, 0, &(1_u64 << 32 | 1).to_ne_bytes()),
        "64k",
        "a process has died while it changed it",
    );
}

const OTHERS: &str = "another user can change it";

#[test]
fn a_file_of_another_user() {
    if !sys::is_root() {
        println!("skipped: only root gives files to other users");
        return;
    }

    refused(
        "kept_owner",
        |path| chown(path, Some(65534), None).expect("an owner"),
        "64k",
        OTHERS,
    );
}

#[test]
fn a_file_that_others_can_write() {
    let spoil =
        |path: &Path| fs::set_permissions(path, fs::Permissions::from_mode(0o622)).expect("rights");

    refused("kept_rights", spoil, "64k", OTHERS);
}

#[test]
fn a_symbolic_link() {
    let spoil = |path: &Path| {
        let other = path.with_extension("other");

        fs::rename(path, &other).expect("another name");
        symlink(path.parent().unwrap().join("../link"), path).expect("a link");
        fs::rename(other, path.parent().unwrap().join("../link")).expect("another name");
    };

    refused("kept_link", spoil, "64k", OTHERS);
}

/// A process that was killed while it made a file has left the name that the file has for a
/// moment.
#[test]
fn a_file_that_is_not_complete() {
    let main = main_of(Which::Ipc);
    let nginx = Nginx::new(
        "kept_half",
        Which::Ipc,
        &main,
        &LIMIT_REQ.replace("SIZE", "64k"),
    );

    fs::create_dir(nginx.directory.join("zones")).expect("a directory");
    fs::write(file(&nginx, "r").with_extension("new"), b"half").expect("a file");
    start(&nginx);
    assert_eq!(ask_limited(&nginx, 3), ["200", "200", "429"]);
    stop(&nginx);
    assert_eq!(Vec::from_iter(files(&nginx).keys()), ["r.zone"]);
    assert_eq!(nginx.lines("[warn]"), [""; 0]);
}

/// The memory of the zone is that of an nginx without the directive then.
#[test]
fn a_directory_that_others_can_write() {
    let main = main_of(Which::Ipc);
    let nginx = Nginx::new(
        "kept_directory",
        Which::Ipc,
        &main,
        &LIMIT_REQ.replace("SIZE", "64k"),
    );
    let directory = nginx.directory.join("zones");

    fs::create_dir(&directory).expect("a directory");
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o777)).expect("rights");
    start(&nginx);
    nginx.wait_for_line("the zone \"r\" is not kept: its file cannot be made");
    assert_eq!(ask_limited(&nginx, 3), ["200", "200", "429"]);
    nginx.reload();
    assert_eq!(ask_limited(&nginx, 1), ["429"]);
    assert_eq!(files(&nginx).len(), 0);
    stop(&nginx);
}

/// A second nginx with the same directory gets memory of its own, and leaves the files of the
/// first one alone, also at an upgrade.
#[test]
fn a_second_nginx() {
    let http = LIMIT_REQ.replace("SIZE", "64k");
    let first = Nginx::new("kept_first", Which::Ipc, &main_of(Which::Ipc), &http);
    let zones = first.directory.join("zones").display().to_string();
    let main = main_of(Which::Ipc).replace("DIRECTORY/zones", &zones);
    let second = Nginx::new("kept_second", Which::Ipc, &main, &http);

    start(&first);
    assert_eq!(ask_limited(&first, 3), ["200", "200", "429"]);

    let before = files(&first);

    start(&second);
    second.wait_for_line("the zone \"r\" is not kept: another nginx uses its file");
    assert_eq!(ask_limited(&second, 3), ["200", "200", "429"]);
    assert_eq!(files(&first), before);

    let (old, _) = change_binary(&second, WORKERS);

    second.wait_for_lines(2, "the zone \"r\" is not kept: another nginx uses its file");
    retire(&second, old);
    assert_eq!(ask_limited(&second, 3), ["200", "200", "429"]);
    assert_eq!(files(&first), before);
    stop(&second);
    assert_eq!(files(&first), before);
    assert_eq!(ask_limited(&first, 1), ["429"]);
    stop(&first);
    start(&first);
    assert_eq!(ask_limited(&first, 1), ["429"]);
    stop(&first);
}
