//! Runs of pages, nginx's `ngx_slab_alloc_pages()` and `ngx_slab_free_pages()`.

use super::change::Change;
use super::layout::{KIND_MASK, KIND_PAGE, PAGE, RUN_FREE, RUN_START, field, page};
use super::pool::{Fault, Result};

/// Removes a page from the list that it is in.
pub fn unlink(change: &mut Change<'_>, descriptor: usize) -> Result {
    let next = change.page_field(descriptor, page::NEXT)?;
    let prev = change.page_field(descriptor, page::PREV)?;

    change.set_page(prev & !KIND_MASK, page::NEXT, next)?;
    change.set_page(next, page::PREV, prev)
}

/// Inserts a page at the front of the list with the head `head`.
pub fn link(change: &mut Change<'_>, head: usize, descriptor: usize, kind: usize) -> Result {
    let first = change.page_field(head, page::NEXT)?;

    change.set_page(descriptor, page::NEXT, first)?;
    change.set_page(descriptor, page::PREV, head | kind)?;
    change.set_page(first, page::PREV, descriptor | kind)?;
    change.set_page(head, page::NEXT, descriptor)
}

/// Sets `next` and `prev` of a page that is in no list.
pub fn set_alone(change: &mut Change<'_>, descriptor: usize, kind: usize) -> Result {
    change.set_page(descriptor, page::NEXT, 0)?;
    change.set_page(descriptor, page::PREV, kind)
}

/// Takes a page that has no free chunk any more out of its list.
#[cold]
#[inline(never)]
pub fn take_out(mut change: Change<'_>, descriptor: usize, kind: usize) -> Result {
    unlink(&mut change, descriptor)?;
    set_alone(&mut change, descriptor, kind)
}

/// The descriptor `n` descriptors after this one.
fn after(descriptor: usize, n: usize) -> usize {
    descriptor.wrapping_add(n.wrapping_mul(PAGE))
}

/// Allocates a run of `n` pages, the first of the first free run that is long enough.
/// Returns the descriptor of the first page.
pub fn alloc(change: &mut Change<'_>, n: usize) -> Result<usize> {
    let (descriptor, len) = find(change, n)?;

    if len > n {
        let rest = after(descriptor, n);
        let next = change.page_field(descriptor, page::NEXT)?;
        let prev = change.page_field(descriptor, page::PREV)?;

        change.set_page(after(descriptor, len - 1), page::PREV, rest)?;
        change.set_page(rest, page::SLAB, len - n)?;
        change.set_page(rest, page::NEXT, next)?;
        change.set_page(rest, page::PREV, prev)?;
        change.set_page(prev, page::NEXT, rest)?;
        change.set_page(next, page::PREV, rest)?;
    } else {
        unlink(change, descriptor)?;

        if n > 1 {
            // Only for the record: fill_busy() writes this field, too.
            change.set_page(after(descriptor, n - 1), page::PREV, 0)?;
        }
    }

    change.set_page(descriptor, page::SLAB, n | RUN_START)?;
    set_alone(change, descriptor, KIND_PAGE)?;
    change.add(change.pool().at(field::PFREE), n.wrapping_neg())?;

    if n > 1 {
        change.fill_busy(after(descriptor, 1), n - 1)?;
    }

    Ok(descriptor)
}

/// Finds the first free run of at least `n` pages: its first descriptor, and its
/// number of pages.
fn find(change: &Change<'_>, n: usize) -> Result<(usize, usize)> {
    let head = change.pool().at(field::FREE);
    let mut descriptor = change.page_field(head, page::NEXT)?;

    // A list that a process has overwritten can have a loop.
    for _ in 0..=change.pool().most_pages() {
        if descriptor == head {
            return Err(Fault::NoMemory);
        }

        let len = change.page_field(descriptor, page::SLAB)?;

        if len >= n {
            return Ok((descriptor, len));
        }

        descriptor = change.page_field(descriptor, page::NEXT)?;
    }

    Err(Fault::Damaged)
}

/// Frees a run of `n` pages, or a page of chunks, and joins it with the free runs
/// before and behind it.
pub fn free(change: &mut Change<'_>, descriptor: usize, n: usize) -> Result {
    change.add(change.pool().at(field::PFREE), n)?;
    change.set_page(descriptor, page::SLAB, n)?;

    if n > 1 {
        change.fill_free(after(descriptor, 1), n - 1)?;
    }

    // A page of chunks is in the list of its size.
    if change.page_field(descriptor, page::NEXT)? != 0 {
        unlink(change, descriptor)?;
    }

    let len = n.wrapping_add(take_behind(change, descriptor, n)?);
    let (first, len) = take_before(change, descriptor, len)?;

    if len > 1 {
        change.set_page(after(first, len - 1), page::PREV, first)?;
    }

    link(change, change.pool().at(field::FREE), first, KIND_PAGE)
}

/// Joins the run `descriptor` of `n` pages with the free run behind it. Returns the
/// number of pages of this one, or 0.
fn take_behind(change: &mut Change<'_>, descriptor: usize, n: usize) -> Result<usize> {
    let other = after(descriptor, n);

    if other >= change.pool().field(field::LAST)? || !is_free(change, other)? {
        return Ok(0);
    }

    let len = change.page_field(other, page::SLAB)?;

    change.set_page(descriptor, page::SLAB, n.wrapping_add(len))?;
    unlink(change, other)?;
    change.set_page(other, page::SLAB, RUN_FREE)?;
    set_alone(change, other, KIND_PAGE)?;

    Ok(len)
}

/// Joins the run `descriptor` of `n` pages with the free run before it. Returns the
/// first descriptor of the run, and its number of pages.
fn take_before(change: &mut Change<'_>, descriptor: usize, n: usize) -> Result<(usize, usize)> {
    let mut other = descriptor.wrapping_sub(PAGE);

    if descriptor <= change.pool().field(field::PAGES)? || change.pool().kind(other)? != KIND_PAGE {
        return Ok((descriptor, n));
    }

    if change.page_field(other, page::SLAB)? == RUN_FREE {
        other = change.page_field(other, page::PREV)? & !KIND_MASK;
    }

    if change.page_field(other, page::NEXT)? == 0 {
        return Ok((descriptor, n));
    }

    let len = n.wrapping_add(change.page_field(other, page::SLAB)?);

    change.set_page(other, page::SLAB, len)?;
    unlink(change, other)?;
    change.set_page(descriptor, page::SLAB, RUN_FREE)?;
    set_alone(change, descriptor, KIND_PAGE)?;

    Ok((other, len))
}

/// Whether a descriptor is the first one of a free run.
fn is_free(change: &Change<'_>, descriptor: usize) -> Result<bool> {
    Ok(change.pool().kind(descriptor)? == KIND_PAGE
        && change.page_field(descriptor, page::NEXT)? != 0)
}
