//! The types of messages that the program has registered in this process.

pub mod asking;

use std::ptr::{self, NonNull};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicPtr};

use nix::errno::Errno;

use super::shared::Region;
use super::types::{
    NGX_IPC_MESSAGE_CONTROL, NGX_IPC_MESSAGE_DESCRIPTORS, NGX_IPC_MESSAGE_ONCE_PER_KEY,
    NGX_IPC_MESSAGE_RETAINED, NGX_IPC_MESSAGE_THIS_PROCESS, NGX_IPC_MESSAGE_TIMED,
    first_size_of_type, ngx_ipc_message_type_t,
};
use super::variables::ngx_process;
use super::{descriptors, epoch, settings, shared};
use crate::config::{ngx_pid_t, ngx_uint_t};
use crate::host::sized;
use crate::log::{Level, Log};
use crate::messaging::kind::Kind;
use crate::messaging::{names, retained};
use crate::status::Result;
use crate::sys::lock::Lock;
use crate::sys::text::Text;
use crate::sys::{errno, heap};
use crate::table::role::{NGX_PROCESS_HELPER, NGX_PROCESS_WORKER};

/// The flags of a type.
const ALL_FLAGS: ngx_uint_t = NGX_IPC_MESSAGE_CONTROL
    | NGX_IPC_MESSAGE_THIS_PROCESS
    | NGX_IPC_MESSAGE_ONCE_PER_KEY
    | NGX_IPC_MESSAGE_RETAINED
    | NGX_IPC_MESSAGE_DESCRIPTORS
    | NGX_IPC_MESSAGE_TIMED;

/// Why a program without types has no messages: the end of a line of the log.
#[cfg(feature = "standalone")]
const SETTING: &str = "the field \"messages\" of the configuration is 0";
#[cfg(not(feature = "standalone"))]
const SETTING: &str = "the configuration has no \"ipc_messages on;\"";

/// A type of the program.
///
/// Invariant: the pointer points to a structure that has the fields of version 0.1.
/// It lives as long as the program, or, in nginx, until the program has another
/// configuration and `forget_older` was called.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TypePtr(NonNull<ngx_ipc_message_type_t>);

// SAFETY: the static below needs a `Send` type. The program has one thread,
// which alone uses the structure.
unsafe impl Send for TypePtr {}

impl TypePtr {
    /// The structure.
    pub fn get(&self) -> &ngx_ipc_message_type_t {
        // SAFETY: the structure lives as long as this value is used (the type's
        // invariant). Only `set_number` changes it, while no reference exists.
        unsafe { self.0.as_ref() }
    }

    /// The name.
    pub fn name(&self) -> Text {
        // SAFETY: the name is NULL or a string that lives as long as the
        // structure, as `register` requires.
        unsafe { Text::from_ptr(self.get().name) }
    }

    fn set_number(self, number: ngx_uint_t) {
        // SAFETY: the structure lives as long as this value is used (the type's
        // invariant), and `get` has given out no reference that is still used.
        unsafe { (*self.0.as_ptr()).number = number };
    }
}

/// An entry of the list of types.
struct Registered {
    /// The type; `None` if it was forgotten.
    pointer: Option<TypePtr>,
    /// The configuration for which it was registered.
    epoch: usize,
    flags: ngx_uint_t,
    /// The process that has asked for the kept message of the type.
    asked: ngx_pid_t,
    /// The number in the records; `None` until there is shared memory.
    number: Option<u16>,
}

/// The types, in the order in which they were registered. The field `number` of
/// a type is its index here, plus 1.
static TYPES: Lock<Vec<Registered>> = Lock::new(Vec::new());
/// The types by the numbers in the records.
static BY_NUMBER: [AtomicPtr<ngx_ipc_message_type_t>; names::MAX_TYPES as usize] =
    [const { AtomicPtr::new(ptr::null_mut()) }; names::MAX_TYPES as usize];

impl Registered {
    fn has_name(&self, name: &[u8]) -> bool {
        self.pointer
            .is_some_and(|pointer| pointer.name().bytes() == Some(name))
    }

    /// Whether this type was not forgotten, and has another name.
    fn is_other(&self, name: &[u8]) -> bool {
        self.pointer.is_some() && !self.has_name(name)
    }

    /// Whether the last message is kept and this process has a handler for it.
    fn gets_kept(&self) -> bool {
        self.flags & NGX_IPC_MESSAGE_RETAINED != 0
            && self
                .pointer
                .is_some_and(|pointer| pointer.get().handler.is_some())
    }
}

/// Whether a type was registered whose last message is kept.
static HAS_KEPT_TYPES: AtomicBool = AtomicBool::new(false);

/// Makes [`find`] find a type, or no type.
fn set_number(number: Option<u16>, pointer: Option<TypePtr>) {
    let Some(number) = number else { return };

    if let Some(entry) = BY_NUMBER.get(usize::from(number)) {
        let pointer = pointer.map_or(ptr::null_mut(), |pointer| pointer.0.as_ptr());

        entry.store(pointer, Relaxed);
    }
}

/// Whether a type was registered.
pub fn is_any() -> bool {
    TYPES.lock().iter().any(|known| known.pointer.is_some())
}

/// Whether the program has messages: the configuration wants them, or a type was
/// registered.
pub fn has_messages() -> bool {
    settings::get().always || is_any()
}

/// Forgets the types that were registered for an older configuration, whose
/// modules can be gone.
#[cfg(not(feature = "standalone"))]
pub fn forget_older() {
    let epoch = epoch::current();

    for known in TYPES.lock().iter_mut() {
        if known.epoch != epoch && known.pointer.take().is_some() {
            set_number(known.number.take(), None);
        }
    }
}

/// Whether a type with descriptors was registered.
pub fn is_any_with_descriptors() -> bool {
    TYPES
        .lock()
        .iter()
        .any(|known| known.flags & NGX_IPC_MESSAGE_DESCRIPTORS != 0)
}

/// Registers a type of the program, whose structure has `size` bytes. Returns an
/// error, with an alert in the log, if the type cannot be registered.
///
/// # Safety
///
/// The structure has `size` bytes and lives as long as the program, and so does
/// its name. Its handler can be called with a message.
pub unsafe fn register(log: Log, pointer: NonNull<ngx_ipc_message_type_t>, size: usize) -> Result {
    if !sized::is_valid(size, first_size_of_type()) {
        return Err(log.refuse(format_args!("invalid size {size} of a message type")));
    }

    let pointer = TypePtr(pointer);
    let text = pointer.name();
    let name = text.bytes().unwrap_or_default();

    if !names::is_valid(name) {
        let refused = log.refuse(format_args!(
            "invalid name \"{text}\" of a message type, it has 1 to {} bytes and does not \
             begin with \"(\"",
            names::MAX_NAME
        ));

        errno::set(Errno::EINVAL);
        return Err(refused);
    }

    let flags = pointer.get().flags;

    if flags & !ALL_FLAGS != 0 {
        return Err(log.refuse(format_args!(
            "invalid flags {flags:#x} of the message type \"{text}\""
        )));
    }

    let role = ngx_process.load(Relaxed);
    let is_child = role == NGX_PROCESS_WORKER || role == NGX_PROCESS_HELPER;

    if shared::get().is_none() && is_child {
        return Err(log.refuse(format_args!(
            "message type \"{text}\": the program has no messages, because the master has \
             registered no type, and {SETTING}"
        )));
    }

    add(log, pointer, name)?;

    if flags & NGX_IPC_MESSAGE_DESCRIPTORS != 0 {
        descriptors::add_sockets(log)?;
    }

    Ok(())
}

fn add(log: Log, pointer: TypePtr, name: &[u8]) -> Result {
    let text = pointer.name();
    let mut types = TYPES.lock();
    let known = types.iter().position(|known| known.has_name(name));

    if let Some(known) = known.and_then(|index| types.get_mut(index)) {
        if known.pointer == Some(pointer) {
            known.epoch = epoch::current();
            return Ok(());
        }

        if known.epoch == epoch::current() {
            drop(types);
            return Err(log.refuse(format_args!("message type \"{text}\" is registered twice")));
        }
    }

    let flags = pointer.get().flags;
    let region = shared::get();
    let number = region.and_then(|region| number_of(&region, name, flags));

    if number.is_none() && (region.is_some() || is_full(&types, name, flags)) {
        drop(types);
        return Err(log.refuse(format_args!(
            "message type \"{text}\": there are {} types already, or {} whose last message \
             is kept",
            names::MAX_TYPES,
            retained::MAX_KEPT
        )));
    }

    let registered = Registered {
        pointer: Some(pointer),
        epoch: epoch::current(),
        flags,
        asked: 0,
        number,
    };

    if let Err(err) = store(&mut types, known, pointer, registered) {
        drop(types);
        return Err(log.fail(Level::Alert, err, format_args!("message type \"{text}\"")));
    }

    set_number(number, Some(pointer));

    if flags & NGX_IPC_MESSAGE_RETAINED != 0 {
        HAS_KEPT_TYPES.store(true, Relaxed);
    }

    Ok(())
}

/// Stores an entry in place of the entry `known`, which has its name, or of a forgotten
/// one, or at the end of the list. A module that was replaced at a reload has another
/// structure for the name.
fn store(
    types: &mut Vec<Registered>,
    known: Option<usize>,
    pointer: TypePtr,
    registered: Registered,
) -> std::result::Result<(), Errno> {
    let index = known.or_else(|| types.iter().position(|known| known.pointer.is_none()));

    match index.and_then(|index| Some((index, types.get_mut(index)?))) {
        Some((index, known)) => {
            *known = registered;
            pointer.set_number(index + 1);
        }
        None => {
            heap::push(types, registered)?;
            pointer.set_number(types.len());
        }
    }

    Ok(())
}

/// Whether the table in the shared memory, which is not made yet, has no room for one
/// more type.
fn is_full(types: &[Registered], name: &[u8], flags: ngx_uint_t) -> bool {
    let kept = flags & NGX_IPC_MESSAGE_RETAINED;
    let others = || types.iter().filter(|known| known.is_other(name));

    others().count() >= usize::from(names::MAX_TYPES)
        || kept != 0
            && others().filter(|known| known.flags & kept != 0).count()
                >= usize::from(retained::MAX_KEPT)
}

/// The number of a type. `None` if there are too many types.
fn number_of(region: &Region, name: &[u8], flags: ngx_uint_t) -> Option<u16> {
    let number = names::register(&region.board, name)?;
    let is_kept = flags & NGX_IPC_MESSAGE_RETAINED != 0;

    (!is_kept || retained::add(&region.board, number)).then_some(number)
}

/// Gives numbers to the types that were registered before there was shared
/// memory.
pub fn number_all(log: Log) {
    let Some(region) = shared::get() else { return };
    let mut left_over = 0;

    for known in TYPES.lock().iter_mut() {
        let Some(pointer) = known.pointer else {
            continue;
        };

        known.number = pointer
            .name()
            .bytes()
            .and_then(|name| number_of(&region, name, known.flags));
        set_number(known.number, Some(pointer));
        left_over += u32::from(known.number.is_none());
    }

    if left_over > 0 {
        log.refuse(format_args!("{left_over} message types have no number"));
    }
}

/// Whether the last message of a type that this process has registered is kept.
pub fn has_kept_types() -> bool {
    HAS_KEPT_TYPES.load(Relaxed)
}

/// The types for whose kept messages this process has a handler. The list is not
/// locked while the caller uses a number.
pub fn kept_types() -> impl Iterator<Item = u16> {
    let most = if has_kept_types() { usize::MAX } else { 0 };
    let number = move |index| {
        let types = TYPES.lock();
        let known: &Registered = types.get(index)?;

        Some(known.number.filter(|_| known.gets_kept()))
    };

    (0..most).map_while(number).flatten()
}

/// What a message of a type is; `None` if the type is not registered in this
/// process.
pub fn kind_of(pointer: NonNull<ngx_ipc_message_type_t>) -> Option<Kind> {
    // SAFETY: the caller passes a type of the program, of which the field
    // `number` of version 0.1 is read.
    let index = unsafe { (&raw const (*pointer.as_ptr()).number).read() };
    let types = TYPES.lock();
    let known = types.get(index.checked_sub(1)?)?;

    if known.pointer != Some(TypePtr(pointer)) {
        return None;
    }

    Some(Kind {
        number: known.number?,
        control: known.flags & NGX_IPC_MESSAGE_CONTROL != 0,
        exact: known.flags & NGX_IPC_MESSAGE_THIS_PROCESS != 0,
        retained: known.flags & NGX_IPC_MESSAGE_RETAINED != 0,
        descriptors: known.flags & NGX_IPC_MESSAGE_DESCRIPTORS != 0,
        once: known.flags & NGX_IPC_MESSAGE_ONCE_PER_KEY != 0,
        timed: known.flags & NGX_IPC_MESSAGE_TIMED != 0,
    })
}

/// The type with the number of a record; `None` if this process has not
/// registered it.
pub fn find(number: u16) -> Option<TypePtr> {
    let pointer = BY_NUMBER.get(usize::from(number))?.load(Relaxed);

    NonNull::new(pointer).map(TypePtr)
}
