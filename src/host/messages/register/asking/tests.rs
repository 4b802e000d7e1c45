//! Tests of the types whose kept message this process asks for.

use std::cell::RefCell;
use std::mem;
use std::ptr::NonNull;

use super::super::TypePtr;
use super::*;
use crate::host::messages::types::{
    NGX_IPC_MESSAGE_RETAINED, ngx_ipc_message_t, ngx_ipc_message_type_t,
};

unsafe extern "C" fn handle(_: *mut ngx_ipc_message_t) {}

fn registered(number: u16, flags: usize) -> Registered {
    // SAFETY: all fields can be zero: they are numbers, pointers and an `Option` of a
    // function pointer.
    let mut described: ngx_ipc_message_type_t = unsafe { mem::zeroed() };

    described.handler = Some(handle);

    Registered {
        pointer: Some(TypePtr(NonNull::from(Box::leak(Box::new(described))))),
        epoch: 0,
        flags,
        asked: 0,
        number: Some(number),
    }
}

/// The types for which this process asks. The message of one of them cannot be read.
fn asked(fails: Option<u16>) -> Vec<u16> {
    let numbers = RefCell::new(Vec::new());

    ask_for_kept(|number| {
        numbers.borrow_mut().push(number);

        if fails == Some(number) {
            Err(GaveUp)
        } else {
            Ok(())
        }
    });

    numbers.into_inner()
}

#[test]
fn a_kept_message_that_could_not_be_read_is_asked_for_again() {
    TYPES.lock().extend([
        registered(200, 0),
        registered(201, NGX_IPC_MESSAGE_RETAINED),
        registered(202, NGX_IPC_MESSAGE_RETAINED),
    ]);

    assert_eq!(asked(Some(201)), [201, 202]);
    assert!(has_unasked());
    assert_eq!(asked(Some(201)), [201]);
    assert_eq!(asked(None), [201]);
    assert!(!has_unasked());
    assert_eq!(asked(None), [0; 0]);
}
