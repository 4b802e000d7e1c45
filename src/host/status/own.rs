//! Numbers of the program, which it shows with those of the library.

use std::ffi::c_char;
use std::slice;

use super::escape::EscapedText;
use crate::config::ngx_int_t;
use crate::sys::text::Text;

/// A number of the program for ngx_ipc_print_status().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ngx_ipc_number_t {
    /// The name in text and JSON; NULL: not shown there.
    pub name: *const c_char,
    /// The name of the metric, such as "shop_orders_total". It is a counter, which
    /// never decreases, if it ends with "_total", and else a gauge. NULL: no metric.
    pub metric: *const c_char,
    /// The text that explains the metric; NULL: none.
    pub help: *const c_char,
    /// The value.
    pub value: ngx_int_t,
}

/// The numbers of the program.
///
/// Invariant: each text is NULL or a string that lives for `'a`.
#[derive(Clone, Copy)]
pub struct OwnNumbers<'a>(&'a [ngx_ipc_number_t]);

impl<'a> OwnNumbers<'a> {
    /// Makes a handle of the `n` numbers at `numbers`. NULL has none.
    ///
    /// # Safety
    ///
    /// `numbers` is NULL or has `n` elements, which live for `'a`, as do their texts,
    /// which are NULL or strings.
    pub unsafe fn from_ptr(numbers: *const ngx_ipc_number_t, n: usize) -> Self {
        if numbers.is_null() {
            return Self(&[]);
        }

        // SAFETY: the caller passes an array with `n` elements that lives for `'a`.
        Self(unsafe { slice::from_raw_parts(numbers, n) })
    }

    /// The names and the values of the numbers that have a name.
    pub fn named(self) -> impl Iterator<Item = (EscapedText, ngx_int_t)> {
        self.0
            .iter()
            .filter(|number| !number.name.is_null())
            .map(|number| (text(number.name), number.value))
    }

    /// The metrics of the numbers that have one.
    pub fn metrics(self) -> impl Iterator<Item = OwnMetric> {
        self.0
            .iter()
            .filter(|number| !number.metric.is_null())
            .map(|number| OwnMetric {
                name: text(number.metric),
                help: text(number.help),
                value: number.value,
            })
    }
}

/// A metric of the program.
pub struct OwnMetric {
    /// The name.
    pub name: EscapedText,
    /// The text that explains the metric.
    pub help: EscapedText,
    /// The value.
    pub value: ngx_int_t,
}

impl OwnMetric {
    /// The type of the metric.
    pub fn kind(&self) -> &'static str {
        let EscapedText(name) = self.name;

        match name.bytes() {
            Some(name) if name.ends_with(b"_total") => "counter",
            _ => "gauge",
        }
    }
}

fn text(text: *const c_char) -> EscapedText {
    // SAFETY: the text is one of an `OwnNumbers`, so it is NULL or a string that lives
    // longer than the page is printed (the type's invariant).
    EscapedText(unsafe { Text::from_ptr(text) })
}
