//! Shows what the processes of a program do, as text, JSON or metrics of Prometheus. A
//! server calls this from the handler of a request; nginx's module ngx_ipc_status
//! does, too. Each number has one row in `numbers`, for all formats.

mod escape;
mod json;
mod listed;
mod messages;
mod metric;
mod metrics;
mod metrics_messages;
mod numbers;
mod own;
mod page;
mod printer;
mod text;
mod zones;

pub use self::own::{OwnNumbers, ngx_ipc_number_t};
use self::page::Page;
use self::printer::Print;
pub use self::printer::{Printer, ngx_ipc_print_pt};
use crate::config::ngx_uint_t;
use crate::status::{Result, Status};

/// A line for each process, and lines about messages.
pub const NGX_IPC_TEXT: ngx_uint_t = 0;
/// One object of JSON, RFC 8259.
pub const NGX_IPC_JSON: ngx_uint_t = 1;
/// Metrics in Prometheus' text format 0.0.4.
pub const NGX_IPC_PROMETHEUS: ngx_uint_t = 2;

/// The object of [`NGX_IPC_JSON`] without the numbers of pairs of processes.
pub const NGX_IPC_JSON_SUMMARY: ngx_uint_t = 3;

/// Prints the page in a format, with numbers of the program.
///
/// Returns an error, and prints nothing, if there is no printer, no such format, or no
/// memory.
pub fn print(format: ngx_uint_t, own: OwnNumbers<'_>, printer: Option<Printer>) -> Result {
    let printer = printer.ok_or(Status::Error)?;
    let page = Page::read(own).or(Err(Status::Error))?;
    let print: Print<'_> = &|line| printer.line(line);

    match format {
        NGX_IPC_TEXT => text::print(&page, print),
        NGX_IPC_JSON => json::print(&page, print, false),
        NGX_IPC_PROMETHEUS => metrics::print(&page, print),
        NGX_IPC_JSON_SUMMARY => json::print(&page, print, true),
        _ => return Err(Status::Error),
    }

    Ok(())
}
