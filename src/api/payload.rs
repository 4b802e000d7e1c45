//! [`Payload`]: what a message carries.

use crate::host::messages::types::ngx_ipc_message_t;

/// A value that a message carries.
///
/// Integers have the byte order of the machine, because both processes are on one
/// machine. A program implements the trait for a type of its own without `unsafe`:
///
/// ```
/// use ngx_ipc::api::Payload;
///
/// #[derive(Debug, PartialEq)]
/// struct Purge {
///     zone: u32,
///     key: String,
/// }
///
/// impl Payload for Purge {
///     fn encode(&self, bytes: &mut Vec<u8>) {
///         self.zone.encode(bytes);
///         self.key.encode(bytes);
///     }
///
///     fn decode(bytes: &[u8]) -> Option<Self> {
///         let (zone, key) = bytes.split_at_checked(4)?;
///
///         Some(Self { zone: u32::decode(zone)?, key: String::decode(key)? })
///     }
/// }
///
/// let purge = Purge { zone: 3, key: "/index".to_string() };
/// let mut bytes = Vec::new();
///
/// purge.encode(&mut bytes);
/// assert_eq!(Purge::decode(&bytes), Some(purge));
/// assert_eq!(Purge::decode(b"?"), None);
/// ```
pub trait Payload: Sized {
    /// Appends the value to `bytes`.
    fn encode(&self, bytes: &mut Vec<u8>);

    /// Makes a value of all `bytes`. Returns `None` to refuse the bytes: another
    /// process has sent them, so they can be anything.
    fn decode(bytes: &[u8]) -> Option<Self>;
}

/// The bytes of a value.
pub fn bytes_of<T: Payload>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();

    value.encode(&mut bytes);
    bytes
}

/// The payload of a message; `None` if its bytes are no `T`.
pub fn payload_of<T: Payload>(message: &ngx_ipc_message_t) -> Option<T> {
    let mut bytes = vec![0; message.len];

    // The bytes are in shared memory, which another process can change at any time. So
    // `T::decode` gets a copy.
    if message.len != 0 {
        // SAFETY: a message has `len` bytes at `data` until its handler returns, and
        // `bytes` has as many.
        unsafe {
            bytes
                .as_mut_ptr()
                .copy_from_nonoverlapping(message.data.cast(), message.len);
        }
    }

    T::decode(&bytes)
}

macro_rules! numbers {
    ($($type:ty)*) => {
        $(impl Payload for $type {
            fn encode(&self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.to_ne_bytes());
            }

            fn decode(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self::from_ne_bytes)
            }
        })*
    };
}

numbers!(u8 i8 u16 i16 u32 i32 u64 i64 u128 i128 usize isize f32 f64);

impl Payload for () {
    fn encode(&self, _bytes: &mut Vec<u8>) {}

    fn decode(bytes: &[u8]) -> Option<Self> {
        bytes.is_empty().then_some(())
    }
}

impl Payload for bool {
    fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.push((*self).into());
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0] => Some(false),
            [1] => Some(true),
            _ => None,
        }
    }
}

impl<const N: usize> Payload for [u8; N] {
    fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(self);
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok()
    }
}

impl Payload for Vec<u8> {
    fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(self);
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        Some(bytes.to_vec())
    }
}

impl Payload for String {
    fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(self.as_bytes());
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        std::str::from_utf8(bytes).ok().map(str::to_string)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_value_are_refused() {
        assert_eq!(u32::decode(&[1, 2, 3]), None);
        assert_eq!(bool::decode(&[2]), None);
        assert_eq!(<[u8; 2]>::decode(&[1]), None);
        assert_eq!(<()>::decode(&[1]), None);
        assert_eq!(String::decode(&[0xff]), None);
    }

    #[test]
    fn a_value_is_decoded() {
        assert_eq!(u64::decode(&bytes_of(&7_u64)), Some(7));
        assert_eq!(bool::decode(&bytes_of(&true)), Some(true));
        assert_eq!(Vec::decode(&bytes_of(&vec![1, 2])), Some(vec![1_u8, 2]));
        assert_eq!(<()>::decode(&bytes_of(&())), Some(()));
    }
}
