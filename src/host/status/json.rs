//! The page as JSON: one object.

use std::cell::Cell;
use std::fmt;

use super::escape::{EscapedArray, EscapedText};
use super::messages::{counted, of_some};
use super::numbers::{
    Numbers, OF_MESSAGES, OF_PAIR, OF_ROOM, OF_SOME, OF_TIMES, OF_TYPE, OF_ZONE, Style, of_process,
    of_program,
};
use super::page::{Page, Process};
use super::printer::Print;
use crate::config::ngx_uint_t;
use crate::host::introspect::{name, role, state};
use crate::host::messages::counts::ngx_ipc_message_counts_t;
use crate::host::messages::statistics;

/// A comma before each element but the first.
struct Comma(Cell<bool>);

impl Comma {
    fn new() -> Self {
        Self(Cell::new(false))
    }

    fn next(&self) -> &'static str {
        if self.0.replace(true) { "," } else { "" }
    }
}

/// Prints the page. Each element of an array is a line. The number of pairs is the square
/// of that of processes, so a summary has none.
pub fn print(page: &Page<'_>, print: Print<'_>, is_summary: bool) {
    let program = &page.program;

    print(format_args!(
        "{{\"program\":{{\"version\":\"{}\",\"library\":\"{}\"{}}},",
        EscapedText(program.version()),
        EscapedText(program.library()),
        Numbers(Style::Json, of_program(), program),
    ));
    print_processes(page, print);
    print_own(page, print);
    print_zones(page, print);
    print(format_args!("\"messages\":{{\"types\":["));
    print_types(print);
    print(format_args!("],\"processes\":["));
    print_of_some(print);

    if !is_summary {
        print(format_args!("],\"pairs\":["));
        print_pairs(print);
    }

    print(format_args!("]}}}}"));
}

fn print_processes(page: &Page<'_>, print: Print<'_>) {
    let comma = Comma::new();

    print(format_args!("\"processes\":["));

    for process in &page.processes {
        let Process {
            data: process,
            proc_state,
            room,
            ..
        } = process;

        print(format_args!(
            "{}{{\"slot\":{},\"pid\":{},\"role\":\"{}\",\"worker\":{},\"name\":\"{}\",\
             \"generation\":{},\"state\":\"{}\",\"proc_state\":\"{}\"{}{}{}}}",
            comma.next(),
            process.slot,
            process.pid,
            role(process),
            process.worker,
            EscapedText(name(process)),
            process.generation,
            state(process),
            proc_state.unwrap_or('?'),
            Numbers(Style::Json, of_process(), process),
            Numbers(Style::Json, &OF_MESSAGES, process),
            Numbers(Style::Json, &OF_ROOM, &room.unwrap_or_default()),
        ));
    }

    print(format_args!("],"));
}

fn print_own(page: &Page<'_>, print: Print<'_>) {
    let comma = Comma::new();

    print(format_args!("\"counters\":{{"));

    for (name, value) in page.own.named() {
        print(format_args!("{}\"{name}\":{value}", comma.next()));
    }

    print(format_args!("}},"));
}

fn print_zones(page: &Page<'_>, print: Print<'_>) {
    let comma = Comma::new();

    print(format_args!("\"zones\":["));

    for zone in &page.zones {
        print(format_args!(
            "{}{{\"name\":\"{}\"{},\"holder\":{}}}",
            comma.next(),
            zone.name(),
            Numbers(Style::Json, &OF_ZONE, &zone.usage),
            zone.holder,
        ));
    }

    print(format_args!("],"));
}

fn print_types(print: Print<'_>) {
    let comma = Comma::new();

    for counts in statistics::types() {
        print(format_args!(
            "{}{{\"type\":\"{}\"{}{}{},\"times\":[{}]}}",
            comma.next(),
            EscapedArray(&counts.name),
            Numbers(Style::Json, &counted(&OF_SOME), &counts),
            Numbers(Style::Json, &counted(&OF_TYPE), &counts),
            Numbers(Style::Json, &OF_TIMES, &counts),
            Times(&counts.times),
        ));
    }
}

/// The elements of an array.
struct Times<'a>(&'a [ngx_uint_t]);

impl fmt::Display for Times<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let comma = Comma::new();

        for n in self.0 {
            write!(f, "{}{n}", comma.next())?;
        }

        Ok(())
    }
}

fn print_of_some(print: Print<'_>) {
    let comma = Comma::new();

    of_some(&mut |role: &str, counts: &ngx_ipc_message_counts_t| {
        print(format_args!(
            "{}{{\"type\":\"{}\",\"role\":\"{role}\",\"worker\":{}{}}}",
            comma.next(),
            EscapedArray(&counts.name),
            counts.worker,
            Numbers(Style::Json, &counted(&OF_SOME), counts),
        ));
    });
}

fn print_pairs(print: Print<'_>) {
    let comma = Comma::new();

    for pair in statistics::pairs() {
        print(format_args!(
            "{}{{\"from\":{},\"to\":{}{}}}",
            comma.next(),
            pair.sender,
            pair.receiver,
            Numbers(Style::Json, &OF_PAIR, &pair),
        ));
    }
}
