//! The list of zones, and the details of one.

use std::fmt;

use super::failure::{DAMAGED, Failure, GOOD, Process, Result};
use super::find::Zone;
use super::lock::{Seen, observe};
use super::output::{Name, Output, Title};
use super::snapshot::{Depth, Snapshot, take};
use super::typed;
use crate::sys::heap;
use crate::zone::slab::change::is_interrupted;
use crate::zone::slab::usage::{free_runs, ngx_slab_usage_t, sizes, usage};

/// The width of a column with this text.
fn width(text: impl fmt::Display) -> usize {
    struct Count(usize);

    impl fmt::Write for Count {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0 += text.chars().count();
            Ok(())
        }
    }

    let mut count = Count(0);
    // Counting does not fail.
    let _ = fmt::Write::write_fmt(&mut count, format_args!("{text}"));

    count.0
}

/// Spaces that fill a column of this width behind a text.
fn padding(text: impl fmt::Display, column: usize) -> usize {
    column.saturating_sub(width(text))
}

/// A line of the list.
struct Row<'a> {
    zone: &'a Zone<'a>,
    /// `None` if the pool is damaged.
    usage: Option<ngx_slab_usage_t>,
    is_whole: bool,
    lock: Seen,
}

/// Writes the list of zones. Returns the exit code.
pub fn list(process: &Process, zones: &[Zone<'_>], output: &mut Output) -> Result<u8> {
    let locks = observe(&process.memory, zones).map_err(process.failed())?;
    let mut rows = Vec::new();

    for (zone, lock) in zones.iter().zip(locks) {
        let snapshot = snapshot(process, zone)?;
        let row = Row {
            zone,
            usage: usage(&snapshot.pool).ok(),
            is_whole: snapshot.is_whole,
            lock,
        };

        heap::push(&mut rows, row).or(Err(Failure::Memory))?;
    }

    let names = rows.iter().map(|row| width(Title(row.zone)));
    let name = names.max().unwrap_or_default().max("NAME".len());

    output.line(format_args!(
        "NAME{:n$}  {:<14}  {:>10}  {:>8}  {:>8}  {:>8}  FRAGMENTED  LOCK",
        "",
        "ADDRESS",
        "SIZE",
        "PAGES",
        "FREE",
        "LONGEST",
        n = padding("NAME", name),
    ))?;

    for row in &rows {
        print_row(row, name, output)?;
    }

    let is_damaged = rows.iter().any(|row| row.is_whole && row.usage.is_none());

    Ok(if is_damaged { DAMAGED } else { GOOD })
}

fn print_row(row: &Row<'_>, name: usize, output: &mut Output) -> Result {
    let Row {
        zone,
        usage,
        is_whole,
        lock,
    } = row;
    let title = Title(zone);
    let n = padding(&title, name);
    let (start, size) = (zone.start, zone.size);
    let note = if *is_whole { "" } else { ", in use" };

    match usage {
        Some(usage) => output.line(format_args!(
            "{title}{:n$}  {start:<#14x}  {size:>10}  {:>8}  {:>8}  {:>8}  {:>9}%  {lock}{note}",
            "", usage.pages, usage.free, usage.longest, usage.fragmentation,
        )),
        None => output.line(format_args!(
            "{title}{:n$}  {start:<#14x}  {size:>10}  {:>8}  {:>8}  {:>8}  {:>10}  {lock}{note}",
            "", "damaged", "-", "-", "-",
        )),
    }
}

/// A copy of the tables of a zone.
fn snapshot(process: &Process, zone: &Zone<'_>) -> Result<Snapshot> {
    take(&process.memory, zone, Depth::Tables, |_| false).map_err(process.failed())
}

/// Writes all about a zone. Returns the exit code.
pub fn details(process: &Process, zone: &Zone<'_>, output: &mut Output) -> Result<u8> {
    let seen = observe(&process.memory, std::slice::from_ref(zone)).map_err(process.failed())?;
    let snapshot = snapshot(process, zone)?;
    let Snapshot { pool, is_whole } = &snapshot;

    output.line(format_args!("name:          {}", Name(&zone.name)))?;
    output.line(format_args!("address:       {:#x}", zone.start))?;
    output.line(format_args!("size:          {} bytes", zone.size))?;
    output.line(format_args!("memory:        {}", Name(zone.file)))?;

    for seen in &seen {
        output.line(format_args!("lock:          {seen}"))?;
    }

    let copied = if *is_whole {
        "while no operation was in progress"
    } else {
        "while the zone was in use, numbers can be of different moments"
    };

    output.line(format_args!("copied:        {copied}"))?;

    let (Ok(usage), Ok(is_interrupted)) = (usage(pool), is_interrupted(pool)) else {
        output.line(format_args!(
            "damaged:       the header or a link is impossible"
        ))?;
        return Ok(if *is_whole { DAMAGED } else { GOOD });
    };
    let operation = match (is_interrupted, *is_whole) {
        (false, _) => "none",
        (true, true) => "a process has died in it, the next operation undoes it",
        (true, false) => "in progress",
    };

    output.line(format_args!("operation:     {operation}"))?;
    typed::print(&snapshot, output)?;
    print_usage(&usage, output)?;

    output.line(format_args!(
        "\n{:>8}  {:>10}  {:>10}  {:>12}  {:>10}",
        "CHUNK", "TOTAL", "USED", "REQUESTS", "FAILS"
    ))?;

    for size in sizes(pool).into_iter().flatten().flatten() {
        output.line(format_args!(
            "{:>8}  {:>10}  {:>10}  {:>12}  {:>10}",
            size.bytes, size.total, size.used, size.reqs, size.fails
        ))?;
    }

    let mut runs = [0_usize; usize::BITS as usize];

    for len in free_runs(pool).flatten().filter(|&len| len > 0) {
        if let Some(runs) = runs.get_mut(len.ilog2() as usize) {
            *runs += 1;
        }
    }

    print_runs(&runs, output)?;

    Ok(GOOD)
}

fn print_usage(usage: &ngx_slab_usage_t, output: &mut Output) -> Result {
    output.line(format_args!(
        "pages:         {}, {} free",
        usage.pages, usage.free
    ))?;
    output.line(format_args!(
        "free runs:     {}, the longest has {} pages",
        usage.runs, usage.longest
    ))?;
    output.line(format_args!("fragmentation: {}%", usage.fragmentation))?;
    output.line(format_args!(
        "chunks:        {} bytes, {} in use",
        usage.chunks, usage.used
    ))
}

/// Writes how many free runs there are of each length. Lengths between two powers of two are
/// one line.
fn print_runs(runs: &[usize], output: &mut Output) -> Result {
    if runs.iter().all(|&runs| runs == 0) {
        return Ok(());
    }

    output.line(format_args!("\n{:>19}  {:>10}", "PAGES", "FREE RUNS"))?;

    for (n, runs) in runs.iter().enumerate().filter(|(_, runs)| **runs > 0) {
        let least = 1_usize << n;
        let most = least - 1 + least;

        if least == most {
            output.line(format_args!("{least:>19}  {runs:>10}"))?;
        } else {
            output.line(format_args!("{least:>8} to {most:>7}  {runs:>10}"))?;
        }
    }

    Ok(())
}
