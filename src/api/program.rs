//! [`Program`]: a program that spawns processes and has its own main loop.

use std::cell::RefCell;
use std::ffi::{CStr, c_void};
use std::fmt;
use std::io;
use std::rc::{Rc, Weak};
use std::sync::atomic::Ordering::{Acquire, Relaxed};

use super::exit::{self, IntoExitCode};
use super::process::{Process, Start, Status};
use super::thread::{self, InLoop};
use super::worker::{self, Worker};
use super::{error, exit::NOT_SET_UP};
use crate::config::{ngx_int_t, ngx_pid_t};
use crate::host::call::Proc;
use crate::host::globals::GLOBALS;
use crate::host::spawn::spawn_process;
use crate::host::standalone::cycle::Cycle;
use crate::host::standalone::types::ngx_cycle_t;
use crate::host::standalone::variables::{ngx_process, ngx_quit, ngx_reap, ngx_terminate};
use crate::host::standalone::{channel, init, message_loop, spawn};
use crate::process::mode::{NGX_PROCESS_NORESPAWN, NGX_PROCESS_RESPAWN};
use crate::process::{reap, respawn};
use crate::process_cycle::announce::announce;
use crate::process_cycle::signal_workers::signal_processes;
use crate::sys::text::Text;
use crate::sys::{process, stdout};
use crate::table::role::{NGX_PROCESS_MASTER, NGX_PROCESS_WORKER};

/// A program that spawns processes, as a master does.
///
/// The program reaps its processes in [`Program::turn`] and [`Program::wait`]. Use
/// [`Server`](super::Server) for a program whose workers serve clients.
///
/// # Fork
///
/// A process is a copy of the program, made with `fork(2)`. The copy has only the
/// thread that has called `spawn`, so a lock that another thread holds would never be
/// unlocked there. Therefore `spawn` fails while the program has other threads. The
/// closure itself can do everything that a program can do, and it can start threads.
/// Only the first thread can use the library there.
///
/// The process inherits what is open. When the closure returns, the process writes what
/// `print!` has buffered, and exits: no destructor of the parent's values runs in it.
/// Before the fork, the parent writes what its own `print!` has buffered. What other
/// writers of the parent have buffered belongs to both processes.
///
/// A closure can start processes with a reference to the program. Its process becomes
/// their parent, and [`Program::turn`] reaps them. [`Program::wait`] and
/// [`Program::terminate`] fail in this process, because the other processes of the
/// program are not its children.
///
/// A panic of the closure is logged, and the process exits with the code 101.
///
/// # Other children
///
/// A program can start other programs with [`std::process::Command`]. The program reaps
/// a child that no code waits for: 2 seconds after its exit, in [`Program::turn`] or
/// [`Program::wait`].
pub struct Program {
    cycle: Cycle,
    /// The process that has called [`Program::init`].
    pid: ngx_pid_t,
    processes: RefCell<Vec<Weak<Status>>>,
}

impl Program {
    /// Sets the program up: the handlers of signals, the log on stderr and the process
    /// table.
    ///
    /// The library handles these signals from then on, so they no longer end the program:
    ///
    /// | Signal | Effect |
    /// | --- | --- |
    /// | SIGTERM, SIGINT, SIGQUIT | [`Program::is_told_to_exit`] returns true, and [`Program::wait`] hands SIGTERM or SIGQUIT on to the processes. |
    /// | SIGCHLD | The program reaps its processes. |
    /// | SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH, SIGALRM, SIGIO | The program logs the signal, and does nothing else. |
    /// | SIGPIPE, SIGSYS | The program ignores the signal. |
    ///
    /// # Errors
    ///
    /// Returns an error if the program has other threads, if `/proc`, which has their
    /// number, is not mounted, if this function or [`Builder::run`](super::Builder::run)
    /// was called before, or, with the reason on stderr, if the signals cannot be set up.
    /// After the last error the function cannot be called again.
    pub fn init() -> io::Result<Self> {
        thread::start()?;
        ngx_process.store(NGX_PROCESS_MASTER, Relaxed);

        let cycle = Cycle::boot();

        reap::leave_foreign();
        init::init(Some(cycle)).map_err(|_| error::logged("no signal handlers, see the log"))?;

        Ok(Self {
            cycle,
            pid: process::getpid(),
            processes: RefCell::default(),
        })
    }

    /// Starts a process that runs `f` and exits with the code that `f` returns.
    ///
    /// `name` is the name of the process in log lines. `f` is called in the new process
    /// only. The parent drops `f` before this function returns, and so closes the
    /// descriptors that `f` owns.
    ///
    /// ```
    /// use ngx_ipc::api::{Exit, Program};
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let program = Program::init()?;
    /// let answer = program.spawn(c"answer", |_| 42)?;
    ///
    /// program.wait()?;
    /// assert_eq!(answer.exit(), Some(Exit::Code(42)));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the program has other threads, or, with the reason in the
    /// log, if the process could not be started.
    pub fn spawn<F, R>(&self, name: &'static CStr, f: F) -> io::Result<Process>
    where
        F: FnOnce(&Worker) -> R,
        R: IntoExitCode,
    {
        let mut f = Some(f);
        let data = (&raw mut f).cast();

        // SAFETY: the process calls `run_once` with its copy of `f`, which lives until
        // this function returns; in the process it does not return. The process is not
        // started again, so nothing else uses `data`.
        unsafe { self.start(name, run_once::<F, R>, data, NGX_PROCESS_NORESPAWN) }
    }

    /// Starts a process that runs `f`, and starts it again whenever it exits: with the
    /// delays that the library has for processes that fail again and again. The process
    /// is not started again after the exit code 2, or after it was told to exit.
    ///
    /// The program starts a process again in [`Program::turn`] and [`Program::wait`].
    /// While it has other threads, it cannot fork: see [Fork](Program#fork). Then it logs
    /// an alert, and starts the process when it has one thread again.
    ///
    /// The program keeps `f`, with what `f` owns, until the program ends.
    ///
    /// # Errors
    ///
    /// The errors of [`Program::spawn`]. A process that could not be started is not
    /// started later.
    pub fn keep<F, R>(&self, name: &'static CStr, f: F) -> io::Result<Process>
    where
        F: Fn(&Worker) -> R + 'static,
        R: IntoExitCode,
    {
        let data = Box::into_raw(Box::new(f));

        // SAFETY: `data` is never freed once the process was started, because the
        // library calls `run_again` with it for each new process in the slot.
        let started =
            unsafe { self.start(name, run_again::<F, R>, data.cast(), NGX_PROCESS_RESPAWN) };

        if started.is_err() {
            // SAFETY: no process was started, so the table has no slot with `data`.
            drop(unsafe { Box::from_raw(data) });
        }

        started
    }

    /// Starts a process that calls `proc` with `data`.
    ///
    /// # Safety
    ///
    /// `proc` can be called with `data` in a forked copy of this process, as often as
    /// `mode` says.
    unsafe fn start(
        &self,
        name: &'static CStr,
        proc: Proc,
        data: *mut c_void,
        mode: ngx_int_t,
    ) -> io::Result<Process> {
        thread::check_alone()?;
        stdout::flush();

        // SAFETY: the cycle and the name live as long as the program, and the caller
        // passes a `proc` that can be called with `data`.
        let pid =
            unsafe { spawn_process(self.cycle.as_ptr(), Some(proc), data, Text::new(name), mode) }
                .map_err(|_| error::logged("no process, see the log"))?;
        let start = match mode {
            NGX_PROCESS_RESPAWN => Start::Again,
            _ => Start::Once(pid),
        };
        let status = Rc::new(Status::new(GLOBALS.process_slot(), start));

        announce(&GLOBALS, self.cycle.log());
        self.processes.borrow_mut().push(Rc::downgrade(&status));

        Ok(Process(status))
    }

    /// Waits for the next events and handles them: messages, and processes that have
    /// exited. Returns after each round.
    ///
    /// # Errors
    ///
    /// Fails if a handler calls it.
    pub fn turn(&self) -> io::Result<()> {
        worker::turn()?;

        // The handler of SIGCHLD can run in another thread, and sets the flag last.
        if ngx_reap.swap(0, Acquire) != 0 {
            self.reap();
        }

        Ok(())
    }

    /// Waits until all processes have exited, and handles all messages that they have
    /// sent. Hands SIGTERM and SIGQUIT on to the processes.
    ///
    /// # Errors
    ///
    /// Fails if a handler calls it, or a process that this program has started.
    pub fn wait(&self) -> io::Result<()> {
        self.check_process()?;

        // A handler must not reap, either: a process could be started again there.
        drop(InLoop::enter()?);

        while self.reap() {
            self.hand_on();
            self.turn()?;
        }

        // The last processes can have sent messages before they have exited.
        let _in_loop = InLoop::enter()?;

        message_loop::process(self.cycle.log());
        Ok(())
    }

    /// Tells all processes to exit at once, SIGTERM, also those that would be started
    /// again.
    ///
    /// # Errors
    ///
    /// Fails if another thread uses the library, or if a process that this program has
    /// started calls it.
    pub fn terminate(&self) -> io::Result<()> {
        thread::claim()?;
        self.check_process()?;
        self.signal_all(libc::SIGTERM);
        Ok(())
    }

    /// Checks that this process has the processes of the table as its children. A process
    /// that this program has started has only a copy of the table.
    fn check_process(&self) -> io::Result<()> {
        match self.pid == process::getpid() {
            true => Ok(()),
            false => Err(error::other("the program belongs to another process")),
        }
    }

    /// Sends a signal to all processes, or the command that means the same.
    fn signal_all(&self, signo: i32) {
        signal_processes(&GLOBALS, self.cycle.log(), signo, None);
        self.note_gone();
    }

    /// Returns true if SIGTERM or SIGQUIT has told this program to exit, and
    /// [`Program::wait`] has not handed the signal on to the processes.
    #[must_use]
    pub fn is_told_to_exit(&self) -> bool {
        ngx_terminate.load(Relaxed) != 0 || ngx_quit.load(Relaxed) != 0
    }

    /// Hands SIGTERM or SIGQUIT on to the processes.
    fn hand_on(&self) {
        for (flag, signo) in [(&ngx_terminate, libc::SIGTERM), (&ngx_quit, libc::SIGQUIT)] {
            if flag.swap(0, Relaxed) != 0 {
                self.signal_all(signo);
            }
        }
    }

    /// Reaps the processes that have exited. Returns whether any process is left.
    fn reap(&self) -> bool {
        respawn::hold(!thread::is_alone());
        stdout::flush();

        let is_any_left = spawn::reap_children(Some(self.cycle));

        self.note_gone();
        is_any_left
    }

    /// Stores how processes have ended whose slots are empty now.
    fn note_gone(&self) {
        self.processes
            .borrow_mut()
            .retain(|status| match status.upgrade() {
                Some(status) => {
                    status.note_gone();
                    true
                }
                None => false,
            });
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program").finish_non_exhaustive()
    }
}

/// Runs the closure of [`Program::spawn`] in the new process.
///
/// # Safety
///
/// `data` points to an `Option<F>` that no other code uses.
unsafe extern "C" fn run_once<F, R>(_cycle: *mut ngx_cycle_t, data: *mut c_void)
where
    F: FnOnce(&Worker) -> R,
    R: IntoExitCode,
{
    // SAFETY: the caller passes a pointer to an `Option<F>` that no other code uses.
    let f = unsafe { (*data.cast::<Option<F>>()).take() };

    if let Some(f) = f {
        run(f)
    }
}

/// Runs the closure of [`Program::keep`] in a new process.
///
/// # Safety
///
/// `data` points to an `F` that is never freed.
unsafe extern "C" fn run_again<F, R>(_cycle: *mut ngx_cycle_t, data: *mut c_void)
where
    F: Fn(&Worker) -> R,
    R: IntoExitCode,
{
    // SAFETY: the caller passes a pointer to an `F` that is never freed, and only
    // shared references to it exist.
    run(unsafe { &*data.cast::<F>() })
}

/// Runs `f` in a new process, and ends the process with the exit code of `f`.
fn run<R: IntoExitCode>(f: impl FnOnce(&Worker) -> R) -> ! {
    InLoop::leave_in_child();
    ngx_process.store(NGX_PROCESS_WORKER, Relaxed);

    let code = match channel::init(Cycle::current(), Some(channel::handler)) {
        Ok(()) => exit::guard(|| f(&Worker::new()).into_exit_code()),
        Err(_) => NOT_SET_UP,
    };

    exit::exit(code)
}
