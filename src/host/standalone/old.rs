//! Names that the cycle side still uses; they go as soon as it does not.
#![allow(
    missing_docs,
    clippy::missing_safety_doc,
    clippy::undocumented_unsafe_blocks
)]

pub mod event {
    use crate::config::{ngx_fd_t, ngx_int_t};
    use crate::host::standalone::event::Event;
    use crate::host::standalone::log::ErrorLog;
    use crate::host::standalone::palloc::Pool;
    use crate::host::standalone::types::*;
    use crate::status::Result;

    pub use crate::abi::event::ngx_process_events_and_timers;
    pub use crate::host::standalone::channel_event::READ_EVENT;
    pub use crate::host::standalone::wake_up::wake_up;

    pub unsafe fn add_channel(
        cycle: *mut ngx_cycle_t,
        fd: ngx_fd_t,
        event: ngx_int_t,
        handler: ngx_event_handler_pt,
    ) -> Result {
        unsafe {
            let (log, pool) = cycle.as_ref().map_or((None, None), |cycle| {
                (ErrorLog::from_ptr(cycle.log), Pool::from_ptr(cycle.pool))
            });

            crate::host::standalone::channel_event::add(fd, event, handler, log, pool)
        }
    }

    impl ngx_event_s {
        pub fn is(&self, flags: u32) -> bool {
            self.flags & flags == flags
        }
        pub fn set(&mut self, flag: u32, on: bool) {
            if on {
                self.flags |= flag;
            } else {
                self.flags &= !flag;
            }
        }
        pub fn connection(&self) -> *mut ngx_connection_t {
            self.data.cast()
        }
        pub fn log(&self) -> *mut ngx_log_t {
            self.log
        }
        pub fn take_timedout(&mut self) -> bool {
            unsafe { Event::from_ptr(self) }.is_some_and(Event::take_timedout)
        }
    }
}

pub mod connection {
    use crate::host::standalone::connection::{Connection, ngx_connection_t};
    use crate::host::standalone::event_loop;
    use crate::log::Log;
    use crate::status::Result;

    pub use crate::abi::connection::ngx_close_connection;
    pub use crate::host::standalone::connections::forget;

    pub fn open_connections() -> Vec<*mut ngx_connection_t> {
        event_loop::open_connections()
            .into_iter()
            .map(Connection::as_ptr)
            .collect()
    }

    pub fn with_loop(log: Log, _: impl FnOnce(&mut ()) -> Result<()>) -> Result {
        event_loop::create(log)
    }
}

pub mod listening {
    use std::os::fd::OwnedFd;

    use crate::host::standalone::listening::Listening;
    use crate::host::standalone::log::ErrorLog;
    use crate::host::standalone::types::*;
    use crate::log::Log;
    use crate::status::{Result, Status};
    use crate::sys::listen::Address;

    pub unsafe fn accept_on(cycle: *mut ngx_cycle_t, listening: *mut ngx_listening_t) -> Result {
        unsafe {
            let log = ErrorLog::from_ptr((*cycle).log);

            Listening::from_ptr(listening)
                .ok_or(Status::Error)?
                .start_accepting(log)
        }
    }

    pub unsafe fn stop_accepting(listening: *mut ngx_listening_t, log: Log) {
        if let Some(listening) = unsafe { Listening::from_ptr(listening) } {
            listening.stop_accepting(log);
        }
    }

    impl ngx_listening_s {
        fn handle(&self) -> Result<Listening> {
            unsafe { Listening::from_ptr(std::ptr::from_ref(self).cast_mut()) }.ok_or(Status::Error)
        }
        pub unsafe fn parse(&self, log: Log) -> Result<Address> {
            self.handle()?.address(log)
        }
        pub unsafe fn open(&mut self, log: Log, there: &mut Vec<OwnedFd>) -> Result {
            unsafe { Listening::from_ptr(self) }
                .ok_or(Status::Error)?
                .open(log, there)
        }
        pub unsafe fn remove_file(&self, log: Log) {
            if let Ok(this) = self.handle() {
                this.remove_file(log);
            }
        }
        pub fn close(&mut self, log: Log) {
            if let Some(this) = unsafe { Listening::from_ptr(self) } {
                this.close(log);
            }
        }
    }
}

pub mod log {
    use std::path::Path;

    use crate::config::{ngx_fd_t, u_char};
    use crate::host::standalone::log::ErrorLog;
    use crate::host::standalone::types::*;
    use crate::sys::text::Text;

    pub use crate::abi::log::ngx_log_init;
    pub use crate::host::standalone::log_file::open_or_stderr as open_log;
    pub use crate::host::standalone::variables::ngx_use_stderr;

    pub unsafe fn path_of<'a>(path: *const u_char) -> Option<&'a Path> {
        unsafe {
            let text = Text::from_ptr(path.cast());

            text.path().map(|path| &*std::ptr::from_ref(path))
        }
    }

    pub unsafe fn file_of(cycle: *const ngx_cycle_t) -> Option<ngx_fd_t> {
        unsafe { ErrorLog::from_ptr(cycle.as_ref()?.log) }?
            .first_with_file()?
            .file()
    }
}

pub mod palloc {
    use crate::host::standalone::log::ErrorLog;
    use crate::host::standalone::palloc::Pool;
    use crate::host::standalone::types::*;

    pub use crate::abi::palloc::{ngx_create_pool, ngx_destroy_pool, ngx_pcalloc};

    pub unsafe fn set_log(pool: *mut ngx_pool_t, log: *mut ngx_log_t) {
        unsafe {
            if let (Some(pool), Some(log)) = (Pool::from_ptr(pool), ErrorLog::from_ptr(log)) {
                pool.set_log(log);
            }
        }
    }
}
