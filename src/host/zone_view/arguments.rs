//! The command line of `ngx-ipc-zone`.

use crate::sys::proc_maps::hex;

/// How the program is called.
pub const USAGE: &str = "usage: ngx-ipc-zone [-v] PID [ZONE]\n       ngx-ipc-zone -d PID ZONE";

/// The text for `--help`.
pub const HELP: &str = "\
usage: ngx-ipc-zone [-v] PID [ZONE]
       ngx-ipc-zone -d PID ZONE

Shows the zones of shared memory of a process of nginx or ngx-ipc.
ZONE is a name or an address.

  -v, --verify   checks the zones
  -d, --dump     writes the bytes of the zone to standard output
  -h, --help     shows this text
  -V, --version  shows the version

Exit code: 0 all is well, 1 a zone is damaged, 2 there is no answer.";

/// What to do with the zones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Shows them.
    Show,
    /// Checks them.
    Verify,
    /// Writes the bytes of one.
    Dump,
}

/// What to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// What to do.
    pub action: Action,
    /// The pid of the process.
    pub pid: i32,
    /// The name or the address of the zone; `None`: all zones.
    pub zone: Option<&'a [u8]>,
}

/// What the command line asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// The text about the program.
    Help,
    /// The version.
    Version,
    /// A look at zones.
    Look(Request<'a>),
}

/// Reads the command line. Returns what is wrong with it, if it is wrong.
pub fn read<'a>(arguments: impl Iterator<Item = &'a [u8]>) -> Result<Wanted<'a>, &'static str> {
    let mut action = None;
    let mut operands = [None; 2];
    let mut n = 0;
    let mut has_options = true;

    for argument in arguments {
        let option = match argument {
            b"--" if has_options => {
                has_options = false;
                continue;
            }
            b"-h" | b"--help" if has_options => return Ok(Wanted::Help),
            b"-V" | b"--version" if has_options => return Ok(Wanted::Version),
            b"-v" | b"--verify" if has_options => Some(Action::Verify),
            b"-d" | b"--dump" if has_options => Some(Action::Dump),
            [b'-', _, ..] if has_options => return Err("there is no such option"),
            _ => None,
        };

        if option.is_some() {
            if action.is_some() && action != option {
                return Err("-v and -d exclude each other");
            }

            action = option;
        } else {
            *operands.get_mut(n).ok_or("there are too many arguments")? = Some(argument);
            n += 1;
        }
    }

    let [pid, zone] = operands;
    let pid = pid.ok_or("the pid of a process is missing")?;
    let pid = str::from_utf8(pid).ok().and_then(|pid| pid.parse().ok());

    if action == Some(Action::Dump) && zone.is_none() {
        return Err("-d needs a zone");
    }

    Ok(Wanted::Look(Request {
        action: action.unwrap_or(Action::Show),
        pid: pid.filter(|&pid| pid > 0).ok_or("the pid is not valid")?,
        zone,
    }))
}

/// The address in an argument, such as 0x7f0000000000; `None` if it is a name.
pub fn address(argument: &[u8]) -> Option<usize> {
    argument.strip_prefix(b"0x").and_then(hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<Wanted<'_>, &'static str> {
        read(text.split_ascii_whitespace().map(str::as_bytes))
    }

    #[test]
    fn arguments_are_read() {
        let request = |action, zone: Option<&'static str>| {
            Ok(Wanted::Look(Request {
                action,
                pid: 7,
                zone: zone.map(str::as_bytes),
            }))
        };

        assert_eq!(read_text("7"), request(Action::Show, None));
        assert_eq!(read_text("7 one"), request(Action::Show, Some("one")));
        assert_eq!(read_text("7 -v"), request(Action::Verify, None));
        assert_eq!(
            read_text("--verify 7 one"),
            request(Action::Verify, Some("one"))
        );
        assert_eq!(read_text("-d -d 7 one"), request(Action::Dump, Some("one")));
        assert_eq!(read_text("7 -- -v"), request(Action::Show, Some("-v")));
        assert_eq!(read_text("7 -"), request(Action::Show, Some("-")));
        assert_eq!(read_text("7 -h"), Ok(Wanted::Help));
        assert_eq!(read_text("--version"), Ok(Wanted::Version));
    }

    #[test]
    fn wrong_arguments_are_refused() {
        for text in [
            "",
            "0",
            "-- -7",
            "x",
            "7 one two",
            "-x 7",
            "-v -d 7 one",
            "-d 7",
            "99999999999",
        ] {
            assert!(read_text(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_address_is_no_name() {
        assert_eq!(address(b"0x7f00"), Some(0x7f00));
        assert_eq!(address(b"7f00"), None);
        assert_eq!(address(b"0xone"), None);
    }
}
