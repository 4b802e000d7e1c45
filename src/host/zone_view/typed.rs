//! What the details of a zone say of its type, and of the transaction in progress.

use std::fmt;

use super::failure::Result;
use super::output::{Name, Output};
use super::snapshot::Snapshot;
use crate::zone::typed::{Header, NAME_MAX, word};
use crate::zone::undo_log::FINAL;

/// The transaction of a zone.
struct Transaction {
    /// The pid of the process that has begun it; 0 if it is not known.
    owner: usize,
    /// The bytes of the undo log in use, and the bit [`FINAL`].
    state: usize,
    /// Whether no process can be in it now. So its process has died.
    is_left: bool,
}

impl fmt::Display for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let next = match self.state & FINAL {
            0 => "undoes",
            _ => "completes",
        };

        match self.owner {
            0 if self.state == 0 => return f.write_str("none"),
            0 => f.write_str("a process")?,
            owner => write!(f, "process {owner}")?,
        }

        if self.is_left {
            write!(f, " has died in it, the next process {next} it")
        } else {
            f.write_str(" is in it")
        }
    }
}

/// Writes the type of the zone and its transaction. Writes nothing if the zone has no type.
pub fn print(Snapshot { pool, is_whole }: &Snapshot, output: &mut Output) -> Result {
    let Some(header) = Header::find(pool) else {
        return Ok(());
    };
    let mut name = [0; NAME_MAX];
    let (Ok(kind), Ok(root), Ok(log), Ok(owner), Ok(dead), Ok(state)) = (
        header.type_in(&mut name),
        header.get(word::ROOT_SIZE),
        header.get(word::LOG_SIZE),
        header.get(word::OWNER),
        header.get(word::DEAD),
        header.get(word::STATE),
    ) else {
        return output.line(format_args!("type:          damaged"));
    };
    let transaction = Transaction {
        owner,
        state,
        is_left: *is_whole,
    };

    output.line(format_args!(
        "type:          {}, version {}",
        Name(kind.name),
        kind.version
    ))?;
    output.line(format_args!("root:          {root} bytes"))?;
    output.line(format_args!(
        "undo log:      {log} bytes, {} in use",
        state & !FINAL
    ))?;
    output.line(format_args!("transaction:   {transaction}"))?;

    if dead != 0 {
        output.line(format_args!(
            "death:         process {dead} had the lock, the module does not know it yet"
        ))?;
    }

    Ok(())
}
