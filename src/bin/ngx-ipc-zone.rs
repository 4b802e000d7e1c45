//! Shows, checks and copies the zones of a running program. `docs/man/ngx-ipc-zone.1.in` is its
//! manual page.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

use ngx_ipc::host::zone_view;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let code = zone_view::run(arguments.iter().map(|argument| argument.as_bytes()));

    ExitCode::from(code)
}
