"""A master in Python starts a worker and sends it a number over its channel. The worker
writes the square to shared memory and exits.

The declarations are those of nginx's ABI, which docs/compatibility.md lists: they never
change. So no C compiler is needed, and ngx_cycle_t is only a pointer.
"""

import ctypes
import os
import sys

import cffi

ffi = cffi.FFI()
ffi.cdef("""
    typedef struct ngx_cycle_s ngx_cycle_t;
    typedef struct ngx_log_s ngx_log_t;
    typedef struct ngx_event_s ngx_event_t;

    typedef struct { uintptr_t command; int pid; intptr_t slot; int fd; } ngx_channel_t;
    typedef struct { size_t len; unsigned char *data; } ngx_str_t;
    typedef struct {
        unsigned char *addr; size_t size; ngx_str_t name; ngx_log_t *log; uintptr_t exists;
    } ngx_shm_t;
    typedef struct {
        int pid; int status; int channel[2]; void *proc; void *data; char *name; unsigned bits;
    } ngx_process_t;

    intptr_t ngx_ipc_init(ngx_cycle_t *cycle);
    int ngx_spawn_process(ngx_cycle_t *cycle, void (*proc)(ngx_cycle_t *, void *),
                          void *data, char *name, intptr_t respawn);
    intptr_t ngx_ipc_init_channel(ngx_cycle_t *cycle, void (*handler)(ngx_event_t *));
    intptr_t ngx_ipc_channel_command(ngx_channel_t *ch, ngx_log_t *log);
    intptr_t ngx_read_channel(int s, ngx_channel_t *ch, size_t size, ngx_log_t *log);
    intptr_t ngx_write_channel(int s, ngx_channel_t *ch, size_t size, ngx_log_t *log);
    intptr_t ngx_shm_alloc(ngx_shm_t *shm);
    void ngx_process_events_and_timers(ngx_cycle_t *cycle);
    uintptr_t ngx_reap_children(ngx_cycle_t *cycle);

    extern intptr_t ngx_process_slot;
    extern int ngx_channel;
    extern ngx_process_t ngx_processes[1024];
""")
lib = ffi.dlopen("libngx_ipc.so.1")

NGX_OK = 0
NGX_DECLINED = -5
NGX_PROCESS_NORESPAWN = -1
SQUARE = 31     # a command of this program

memory = ffi.new("ngx_shm_t *")
answer = None


@ffi.callback("void (ngx_event_t *)")
def handler(_event):
    ch = ffi.new("ngx_channel_t *")
    if lib.ngx_read_channel(lib.ngx_channel, ch, ffi.sizeof(ch[0]), ffi.NULL) < 0:
        os._exit(1)     # the master has exited
    if lib.ngx_ipc_channel_command(ch, ffi.NULL) == NGX_DECLINED and ch.command == SQUARE:
        answer[0] = ch.slot * ch.slot
        os._exit(0)


@ffi.callback("void (ngx_cycle_t *, void *)")
def worker(cycle, _data):
    ctypes.pythonapi.PyOS_AfterFork_Child()     # as os.fork() does
    lib.ngx_ipc_init_channel(cycle, handler)
    while True:
        lib.ngx_process_events_and_timers(cycle)


def main():
    global answer
    # The library writes to the structure, and needs no more than this space.
    space = ffi.new("char[4096]")
    cycle = ffi.cast("ngx_cycle_t *", space)
    name = ffi.new("char[]", b"worker process")
    memory.size = 4096

    if lib.ngx_ipc_init(cycle) != NGX_OK or lib.ngx_shm_alloc(memory) != NGX_OK:
        return 1
    answer = ffi.cast("intptr_t *", memory.addr)

    if lib.ngx_spawn_process(cycle, worker, ffi.NULL, name, NGX_PROCESS_NORESPAWN) == -1:
        return 1
    slot = lib.ngx_process_slot
    ch = ffi.new("ngx_channel_t *", {"command": SQUARE, "slot": 12, "fd": -1})
    lib.ngx_write_channel(lib.ngx_processes[slot].channel[0], ch, ffi.sizeof(ch[0]), ffi.NULL)

    while lib.ngx_reap_children(cycle):
        lib.ngx_process_events_and_timers(cycle)

    print("the square is", answer[0])
    return lib.ngx_processes[slot].status


if __name__ == "__main__":
    sys.exit(main())
