//! [`Server`]: a master with workers that serve clients.

use std::ffi::{CStr, CString, c_char, c_void};
use std::fmt;
use std::io;
use std::path::Path;
use std::ptr;
use std::sync::atomic::AtomicPtr;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::connection::{self, Connection};
use super::exit::{IntoExitCode, guard};
use super::thread::{self, InLoop};
use super::worker::Worker;
use crate::config::{NGX_ERROR, NGX_OK, ngx_int_t, ngx_uint_t};
use crate::host::standalone::conf_defaults::DEFAULTS;
use crate::host::standalone::connection::Connection as Handle;
use crate::host::standalone::listening::{DEFAULTS as LISTENING, ngx_listening_t};
use crate::host::standalone::main;
use crate::host::standalone::program_conf::ProgramConf;
use crate::host::standalone::types::{
    ngx_connection_t, ngx_core_conf_t, ngx_cycle_t, ngx_module_t,
};
use crate::sys::stdout;

pub use crate::log::Level;

/// A program with a master and workers that serve clients, as nginx.
///
/// The master starts the workers, starts those again that fail, loads the program again
/// at SIGHUP, and exits at SIGTERM and SIGINT, or gracefully at SIGQUIT. The exit is
/// that of the library: no destructor of the program runs.
///
/// ```no_run
/// use std::io::{Read, Write};
///
/// use ngx_ipc::api::{Connection, Server};
///
/// let error = Server::builder()
///     .workers(4)
///     .listen("127.0.0.1:7000", || {
///         let mut buffer = [0; 4096];
///
///         move |client: &mut Connection| loop {
///             match client.read(&mut buffer)? {
///                 0 => return Ok(()),
///                 n => client.write_all(&buffer[..n])?,
///             }
///         }
///     })
///     .run();
///
/// eprintln!("{error}");
/// ```
#[derive(Debug)]
pub struct Server(());

impl Server {
    /// Returns a builder with the defaults: one worker for each processor, and the log
    /// on stderr.
    pub fn builder() -> Builder {
        Builder {
            conf: DEFAULTS,
            addresses: Vec::new(),
            hooks: Hooks::default(),
            is_invalid: false,
        }
    }
}

/// Makes the handler of a new connection.
type Accept = Box<dyn Fn() -> connection::Handler>;

/// A closure that runs in each worker, with the result `R`.
type Hook<R> = Box<dyn Fn(&Worker) -> R>;

/// The closures of the program.
#[derive(Default)]
struct Hooks {
    accept: Vec<(&'static CStr, Accept)>,
    init_worker: Vec<Hook<u8>>,
    exit_worker: Vec<Hook<()>>,
}

/// The closures of the program that runs. They live as long as the program.
static HOOKS: AtomicPtr<Hooks> = AtomicPtr::new(ptr::null_mut());

fn hooks() -> Option<&'static Hooks> {
    // SAFETY: `run` has stored NULL or a box that is never freed, and no code changes
    // it after that.
    unsafe { HOOKS.load(Relaxed).as_ref() }
}

/// Builds a [`Server`]. [`Builder::run`] runs it.
#[must_use = "a server runs when run() is called"]
pub struct Builder {
    conf: ngx_core_conf_t,
    addresses: Vec<ngx_listening_t>,
    hooks: Hooks,
    /// Whether a text has a zero byte.
    is_invalid: bool,
}

impl Builder {
    /// Sets the number of workers, at most 1024; 0: one for each processor.
    pub fn workers(mut self, n: u16) -> Self {
        self.conf.worker_processes = n as ngx_int_t;
        self
    }

    /// Makes the program go into the background.
    pub fn daemon(mut self, on: bool) -> Self {
        self.conf.daemon = on.into();
        self
    }

    /// Sets the file to which the master writes its pid.
    pub fn pid_file(mut self, path: impl AsRef<Path>) -> Self {
        self.conf.pid = self
            .text(path.as_ref().as_os_str().as_encoded_bytes())
            .as_ptr();
        self
    }

    /// Sets the file of the log.
    pub fn error_log(mut self, path: impl AsRef<Path>) -> Self {
        self.conf.error_log = self
            .text(path.as_ref().as_os_str().as_encoded_bytes())
            .as_ptr();
        self
    }

    /// Sets the level of the log: it has lines of this level and more severe ones.
    pub fn log_level(mut self, level: Level) -> Self {
        self.conf.log_level = level as ngx_uint_t;
        self
    }

    /// Sets the user of the workers, if the master is root.
    pub fn user(mut self, name: &str) -> Self {
        self.conf.username = self.text(name.as_bytes()).as_ptr();
        self
    }

    /// Sets the time after which a worker that shuts down closes all connections.
    pub fn shutdown_timeout(mut self, timeout: Duration) -> Self {
        self.conf.shutdown_timeout = usize::try_from(timeout.as_millis()).unwrap_or(usize::MAX);
        self
    }

    /// Adds an address: "IPV4:PORT", "\[IPV6\]:PORT", "*:PORT" or "unix:PATH".
    ///
    /// A worker calls `accept` for each new connection, and the result of `accept` each
    /// time when the client has sent something. When the result returns `Ok`, the worker
    /// sends what was written, and closes the connection; after
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) it waits for the client; after any other
    /// error it closes the connection at once.
    ///
    /// If a closure panics, the worker logs an alert and exits, and the master starts
    /// another one.
    pub fn listen<A, H>(mut self, address: &str, accept: A) -> Self
    where
        A: Fn() -> H + 'static,
        H: FnMut(&mut Connection) -> io::Result<()> + 'static,
    {
        let address = self.text(address.as_bytes());

        self.addresses.push(ngx_listening_t {
            address: address.as_ptr(),
            handler: Some(on_accept),
            ..LISTENING
        });
        self.hooks
            .accept
            .push((address, Box::new(move || Box::new(accept()))));
        self
    }

    /// Adds a closure that each worker calls when it starts. If the closure fails, the
    /// worker exits with the code 2 and is not started again.
    pub fn init_worker<R: IntoExitCode>(mut self, f: impl Fn(&Worker) -> R + 'static) -> Self {
        self.hooks
            .init_worker
            .push(Box::new(move |worker| f(worker).into_exit_code()));
        self
    }

    /// Adds a closure that each worker calls before it exits.
    pub fn exit_worker(mut self, f: impl Fn(&Worker) + 'static) -> Self {
        self.hooks.exit_worker.push(Box::new(f));
        self
    }

    /// Runs the server. Returns only if the server could not be set up, with the reason.
    ///
    /// The program must have one thread: see [Fork](super::Program#fork). The master
    /// forks its workers later, too, so a closure that runs in the master starts no
    /// thread.
    #[must_use = "the reason why the server could not be set up"]
    pub fn run(mut self) -> io::Error {
        if self.is_invalid {
            return io::Error::new(io::ErrorKind::InvalidInput, "a text has a zero byte");
        }

        let entered = thread::start().and_then(|()| InLoop::enter());
        let _in_loop = match entered {
            Ok(in_loop) => in_loop,
            Err(err) => return err,
        };
        let reason = Box::into_raw(Box::new(None::<String>));
        let modules = Box::leak(Box::new([
            &raw mut *Box::leak(Box::new(module())),
            ptr::null_mut(),
        ]));
        let addresses = self.addresses.leak();

        HOOKS.store(Box::into_raw(Box::new(self.hooks)), Relaxed);
        self.conf.listening = addresses.as_mut_ptr();
        self.conf.listening_n = addresses.len();
        self.conf.modules = modules.as_mut_ptr();
        self.conf.report = Some(report);
        self.conf.report_data = reason.cast();

        let conf: &ngx_core_conf_t = Box::leak(Box::new(self.conf));

        // SAFETY: the configuration has all fields, and what it points to is never
        // freed. There are no arguments.
        unsafe { main::run(ProgramConf::from_ptr(conf), 0, ptr::null_mut()) };

        // SAFETY: `report` is not called after the set-up has failed.
        let reason = unsafe { Box::from_raw(reason) };

        io::Error::other(reason.unwrap_or_else(|| "the server cannot be set up".to_string()))
    }

    /// A copy of a text that lives as long as the program.
    fn text(&mut self, text: &[u8]) -> &'static CStr {
        match CString::new(text) {
            Ok(text) => Box::leak(text.into_boxed_c_str()),
            Err(_) => {
                self.is_invalid = true;
                c""
            }
        }
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let addresses = self.hooks.accept.iter().map(|(address, _)| address);

        f.debug_struct("Builder")
            .field("workers", &self.conf.worker_processes)
            .field("addresses", &addresses.collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// The module that calls the closures.
fn module() -> ngx_module_t {
    ngx_module_t {
        ctx_index: ngx_uint_t::MAX,
        index: ngx_uint_t::MAX,
        name: ptr::null_mut(),
        spare0: 0,
        spare1: 0,
        version: 0,
        signature: ptr::null(),
        ctx: ptr::null_mut(),
        commands: ptr::null_mut(),
        r#type: 0,
        init_master: None,
        init_module: None,
        init_process: Some(on_init_worker),
        init_thread: None,
        exit_thread: None,
        exit_process: Some(on_exit_worker),
        exit_master: None,
        spare_hook0: 0,
        spare_hook1: 0,
        spare_hook2: 0,
        spare_hook3: 0,
        spare_hook4: 0,
        spare_hook5: 0,
        spare_hook6: 0,
        spare_hook7: 0,
    }
}

extern "C" fn on_init_worker(_cycle: *mut ngx_cycle_t) -> ngx_int_t {
    let worker = Worker::new();
    let mut closures = hooks().into_iter().flat_map(|hooks| &hooks.init_worker);

    match guard(|| closures.all(|f| f(&worker) == 0)) {
        true => NGX_OK,
        false => NGX_ERROR,
    }
}

extern "C" fn on_exit_worker(_cycle: *mut ngx_cycle_t) {
    let worker = Worker::new();

    for f in hooks().into_iter().flat_map(|hooks| &hooks.exit_worker) {
        guard(|| f(&worker));
    }

    stdout::flush();
}

/// Serves a new connection with the closure of its address.
///
/// # Safety
///
/// `c` is a new connection of a listening socket.
unsafe extern "C" fn on_accept(c: *mut ngx_connection_t) {
    // SAFETY: the library calls this function with a new connection.
    let Some(handle) = (unsafe { Handle::from_ptr(c) }) else {
        return;
    };
    // SAFETY: the listening socket of a new connection lives as long as the connection,
    // and its address is a copy of a text of `Builder::listen`.
    let address = handle
        .listening()
        .map(|listening| unsafe { CStr::from_ptr((*listening.as_ptr()).address) });
    let accept = hooks()
        .into_iter()
        .flat_map(|hooks| &hooks.accept)
        .find(|(known, _)| Some(*known) == address);

    match accept {
        Some((_, accept)) => connection::accept(handle, guard(accept)),
        None => handle.close(),
    }
}

/// Keeps the last line that the set-up has logged: the reason why it fails.
///
/// # Safety
///
/// `data` points to an `Option<String>`, `text` is a string.
unsafe extern "C" fn report(level: ngx_uint_t, text: *const c_char, data: *mut c_void) {
    // A notice says that the program is set up.
    if level <= Level::Warn as ngx_uint_t {
        // SAFETY: the library passes the pointer of `Builder::run` and a string.
        unsafe {
            *data.cast::<Option<String>>() =
                Some(CStr::from_ptr(text).to_string_lossy().into_owned());
        }
    }
}
