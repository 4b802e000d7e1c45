//! The page as text.

use super::escape::EscapedText;
use super::listed::is_partial;
use super::messages::{counted, of_some};
use super::numbers::{Numbers, OF_MESSAGES, OF_SOME, OF_ZONE, Style, of_process, of_program};
use super::page::Page;
use super::printer::Print;
use crate::host::introspect::{ngx_ipc_process_t, print_line, role, state};
use crate::host::messages::listing::{self, Name};
use crate::host::messages::statistics;

/// Prints the page: the program, the processes, the numbers of the program, the zones,
/// and the messages.
pub fn print(page: &Page<'_>, print: Print<'_>) {
    let program = &page.program;

    print(format_args!(
        "program version:\"{}\" library:{}{}",
        EscapedText(program.version()),
        EscapedText(program.library()),
        Numbers(Style::Text, of_program(), program),
    ));

    for process in &page.processes {
        if is_partial() {
            print_part(print, &process.data);
        } else {
            print_line(print, &process.data);
        }
    }

    for (name, value) in page.own.named() {
        print(format_args!("{name}:{value}"));
    }

    for zone in &page.zones {
        print(format_args!(
            "zone:\"{}\"{} holder:{}",
            zone.name(),
            Numbers(Style::Text, &OF_ZONE, &zone.usage),
            zone.holder,
        ));
    }

    for counts in statistics::types() {
        listing::print_type(print, "", &counts);
    }

    of_some(&mut |role, counts| {
        print(format_args!(
            "type:\"{}\" {role}:{}{}",
            Name(&counts.name),
            counts.worker,
            Numbers(Style::Text, &counted(&OF_SOME), counts),
        ));
    });

    for pair in statistics::pairs() {
        listing::print_pair(print, "", &pair);
    }
}

/// Prints the line of a process whose master counts nothing. Then it has messages, or it
/// would not be known.
fn print_part(print: Print<'_>, process: &ngx_ipc_process_t) {
    print(format_args!(
        "slot:{} pid:{} {}:{} generation:{} {}{}{}",
        process.slot,
        process.pid,
        role(process),
        process.worker,
        process.generation,
        state(process),
        Numbers(Style::Text, of_process(), process),
        Numbers(Style::Text, &OF_MESSAGES, process),
    ));
}
