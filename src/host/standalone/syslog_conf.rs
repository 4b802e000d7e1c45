//! Parses what the field `error_log` says about a syslog server. The syntax and the log
//! texts are nginx's: `syslog:server=ADDRESS[,PARAMETER=VALUE]...`.

use crate::log::{Level, Log};
use crate::status::{Result, Status};
use crate::sys::log_socket::Server;

/// The port of a syslog server, if the configuration names no port.
const PORT: u16 = 514;
/// The longest tag in bytes, as RFC 3164 says.
pub const LONGEST_TAG: usize = 32;
/// The facility, if the configuration names none: local7.
const FACILITY: u8 = 23;

/// The names of the facilities; the index is the number in a message.
const FACILITIES: [&str; 24] = [
    "kern", "user", "mail", "daemon", "auth", "intern", "lpr", "news", "uucp", "clock", "authpriv",
    "ftp", "ntp", "audit", "alert", "cron", "local0", "local1", "local2", "local3", "local4",
    "local5", "local6", "local7",
];

/// The names of the severities, which are those of nginx's levels.
const SEVERITIES: [&str; 8] = [
    "emerg", "alert", "crit", "error", "warn", "notice", "info", "debug",
];

/// The parameters of a syslog server.
pub struct Parameters<'a> {
    /// The address of the server.
    pub server: Server,
    /// The number of the facility.
    pub facility: u8,
    /// The tag of the messages; `None`: the name of the program.
    pub tag: Option<&'a str>,
    /// Whether the messages have the name of the host.
    pub hostname: bool,
}

/// Parses the text behind "syslog:".
///
/// Returns an error, with an emergency in the log, if the text is invalid.
pub fn parse<'a>(text: &'a str, log: Log) -> Result<Parameters<'a>> {
    let refuse = |text: std::fmt::Arguments<'_>| {
        log.error(Level::Emerg, None, text);
        Status::Error
    };
    let (mut server, mut facility, mut severity, mut tag) = (None, None, None, None);
    let mut hostname = true;

    for parameter in text.split(',') {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let duplicate = match name {
            "server" => server.is_some(),
            "facility" => facility.is_some(),
            "severity" => severity.is_some(),
            "tag" => tag.is_some(),
            _ => false,
        };

        if duplicate {
            return Err(refuse(format_args!("duplicate syslog \"{name}\"")));
        }

        match name {
            "server" => server = Some(server_of(value, &refuse)?),
            "facility" => facility = Some(facility_of(value, &refuse)?),
            // The severity of a message is the level of its line, as in nginx.
            "severity" if SEVERITIES.contains(&value) => severity = Some(()),
            "severity" => {
                return Err(refuse(format_args!("unknown syslog severity \"{value}\"")));
            }
            "tag" => tag = Some(check_tag(value, &refuse)?),
            "nohostname" if parameter == name => hostname = false,
            _ => {
                return Err(refuse(format_args!(
                    "unknown syslog parameter \"{parameter}\""
                )));
            }
        }
    }

    Ok(Parameters {
        server: server.ok_or_else(|| refuse(format_args!("no syslog server specified")))?,
        facility: facility.unwrap_or(FACILITY),
        tag,
        hostname,
    })
}

/// Logs an emergency. Returns the error for the caller.
type Refuse<'a> = &'a dyn Fn(std::fmt::Arguments<'_>) -> Status;

fn server_of(address: &str, refuse: Refuse<'_>) -> Result<Server> {
    Server::parse(address, PORT)
        .map_err(|why| refuse(format_args!("{why} in syslog server \"{address}\"")))
}

fn facility_of(value: &str, refuse: Refuse<'_>) -> Result<u8> {
    (0..)
        .zip(FACILITIES)
        .find_map(|(number, name)| (name == value).then_some(number))
        .ok_or_else(|| refuse(format_args!("unknown syslog facility \"{value}\"")))
}

fn check_tag<'a>(tag: &'a str, refuse: Refuse<'_>) -> Result<&'a str> {
    if tag.len() > LONGEST_TAG {
        return Err(refuse(format_args!(
            "syslog tag length exceeds {LONGEST_TAG}"
        )));
    }

    if !tag.bytes().all(is_of_tag) {
        return Err(refuse(format_args!(
            "syslog \"tag\" only allows alphanumeric characters and underscore"
        )));
    }

    Ok(tag)
}

/// Whether a tag can have this character.
pub fn is_of_tag(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::log::RawLog;

    fn parsed(text: &str) -> Option<Parameters<'_>> {
        parse(text, Log::new(RawLog::none())).ok()
    }

    #[test]
    fn parameters_are_parsed() {
        let all = parsed("server=[::1]:5140,facility=local3,tag=my_1,severity=info,nohostname");
        let all = all.unwrap();

        assert_eq!(
            (all.facility, all.tag, all.hostname),
            (19, Some("my_1"), false)
        );

        let default = parsed("server=127.0.0.1").unwrap();

        assert_eq!(
            (default.facility, default.tag, default.hostname),
            (23, None, true)
        );

        for server in [
            "localhost",
            "[::1]",
            "127.0.0.1:1",
            "unix:/dev/log",
            "unix:@log",
        ] {
            assert!(parsed(&format!("server={server}")).is_some(), "{server}");
        }
    }

    #[test]
    fn invalid_parameters_are_refused() {
        for text in [
            "",
            "facility=user",
            "server=",
            "server=:514",
            "server=127.0.0.1:0",
            "server=127.0.0.1:+5",
            "server=127.0.0.1:65536",
            "server=[::1",
            "server=unix:",
            "server=no such host",
            "server=127.0.0.1,server=127.0.0.1",
            "server=127.0.0.1,facility=local8",
            "server=127.0.0.1,severity=warning",
            "server=127.0.0.1,tag=a-b",
            "server=127.0.0.1,tag=123456789012345678901234567890123",
            "server=127.0.0.1,nohostname=1",
            "server=127.0.0.1,x",
            "server=127.0.0.1,",
        ] {
            assert!(parsed(text).is_none(), "{text}");
        }
    }
}
