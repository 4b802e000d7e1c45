//! The pid file: what its writer replaces, and who removes it.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};

use crate::support::server::Server;
use crate::support::sys;

/// The names of the files in the server's directory.
fn names(server: &Server) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(&server.directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();

    names.sort();
    names
}

/// A daemon has the umask 0, so its pid file must not have the mode 0666.
#[test]
fn only_the_owner_of_a_pid_file_may_change_it() {
    let server = Server::echo("pid_mode");

    server.start(1, &["-d"]);

    let mode = fs::metadata(server.pidfile()).unwrap().mode();

    assert_eq!(mode & 0o777, 0o644);
    server.quit(&[]);
}

/// A program of a user who is not root replaces a symbolic link that has the name
/// of the pid file, instead of the file that the link names.
#[test]
fn a_pid_file_replaces_a_symbolic_link() {
    if !sys::is_root() {
        eprintln!("SKIP: only root can start a program as another user");
        return;
    }

    let server = Server::configurable("pid_link");
    let user = sys::new_user();
    let precious = server.directory.join("precious");

    fs::write(&precious, "precious\n").unwrap();
    chown(&precious, Some(user), Some(user)).unwrap();
    symlink(&precious, server.pidfile()).unwrap();

    let mut before = names(&server);
    let master = server.spawn_limited(user, 10, &["-w", "1"]);

    assert_eq!(fs::read_to_string(&precious).unwrap(), "precious\n");
    assert!(!server.pidfile().is_symlink());
    assert_eq!(server.master(), master);
    server.wait_for_workers(1);
    server.quit(&[]);

    // Nothing else is left in the directory.
    before.retain(|name| name != "pid");
    assert_eq!(
        names(&server)
            .iter()
            .filter(|name| !["log", "stdout", "stderr"].contains(&name.as_str()))
            .collect::<Vec<_>>(),
        before.iter().collect::<Vec<_>>()
    );
}

/// A user who may not make files in the directory, but owns the pid file there, as
/// some packages arrange it, can start the program.
#[test]
fn a_pid_file_is_written_where_no_file_can_be_made() {
    if !sys::is_root() {
        eprintln!("SKIP: only root can start a program as another user");
        return;
    }

    let mut server = Server::configurable("pid_in_place");
    let user = sys::new_user();
    let pidfile = server.pidfile();

    for path in [&pidfile, &server.logfile()] {
        fs::write(path, "").unwrap();
        chown(path, Some(user), Some(user)).unwrap();
    }

    fs::set_permissions(&server.directory, fs::Permissions::from_mode(0o755)).unwrap();

    let before = fs::metadata(&pidfile).unwrap().ino();
    let mut command = server.command(&["-w", "1"]);

    std::os::unix::process::CommandExt::uid(&mut command, user);
    server.spawn_command(command, &[]);
    server.wait_for_workers(1);
    assert_eq!(fs::metadata(&pidfile).unwrap().ino(), before);
    assert!(
        !names(&server)
            .iter()
            .any(|name| name.starts_with(".ngx_ipc"))
    );

    // This user cannot remove the file.
    server.signal(libc::SIGQUIT);
    assert!(server.wait_for_exit().success());
    server.check_log(&["unlink()"]);
    fs::remove_file(&pidfile).unwrap();
    server.instead.clear();
}

/// A master that exits late leaves the pid file of another instance, which has
/// been started since (D35).
#[test]
fn the_pid_file_of_another_instance_stays() {
    for single in [false, true] {
        let server = Server::configurable(if single { "pid_single" } else { "pid_other" });
        let other = std::process::id().to_string();

        let master = if single {
            server.spawn(&["-1"])
        } else {
            server.start(1, &[])
        };

        fs::write(server.pidfile(), &other).unwrap();
        assert!(sys::kill(master, libc::SIGQUIT));
        assert!(server.wait_for_exit().success());

        assert_eq!(fs::read_to_string(server.pidfile()).unwrap(), other);
        assert_eq!(server.lines("stays, because process").len(), 1);
        fs::remove_file(server.pidfile()).unwrap();
        server.finish(&[]);
    }
}
