//! nginx's lists, whose elements keep their addresses.

use std::ptr::{self, NonNull};

use super::containers::{ngx_list_part_t, ngx_list_t};
use super::palloc::Pool;
use crate::status::Result;

/// The elements of a list.
///
/// # Safety
///
/// The elements of the list are of the type `T`, and the list lives as long as the result
/// is used.
pub unsafe fn iter<T>(list: *const ngx_list_t) -> impl Iterator<Item = NonNull<T>> {
    // SAFETY: the caller passes a list.
    let mut part = unsafe { &raw const (*list).part };
    let mut next = 0;

    std::iter::from_fn(move || {
        // SAFETY: `part` is NULL or a part of the list. The elements of a part are one
        // array of `nelts` elements.
        unsafe {
            while next == part.as_ref()?.nelts {
                part = (*part).next;
                next = 0;
            }

            let element = (*part).elts.cast::<T>().add(next);

            next += 1;
            NonNull::new(element)
        }
    })
}

/// Adds an element to a list. Returns an error, with an emergency in the log of `pool`, if
/// there is no memory.
///
/// # Safety
///
/// The elements of the list are of the type `T`. The list has a first part and lives as
/// long as `pool`. No other code uses the list meanwhile.
pub unsafe fn push<T>(list: *mut ngx_list_t, pool: Pool, value: T) -> Result<NonNull<T>> {
    // SAFETY: the caller passes a list that no other code uses, and whose last part has
    // room for `nalloc` elements, of which `nelts` are used.
    unsafe {
        if (*(*list).last).nelts == (*list).nalloc {
            let part = pool.put(ngx_list_part_t {
                elts: pool.allocate((*list).nalloc * size_of::<T>())?.as_ptr(),
                nelts: 0,
                next: ptr::null_mut(),
            })?;

            (*(*list).last).next = part.as_ptr();
            (*list).last = part.as_ptr();
        }

        let part = (*list).last;
        let element = (*part).elts.cast::<T>().add((*part).nelts);

        element.write(value);
        (*part).nelts += 1;

        Ok(NonNull::new_unchecked(element))
    }
}
