#!/bin/sh

# inject.sh DIR BACKEND: runs a program again and again, and makes a system
# call of it fail each time.
#
# DIR contains the library with this backend of shared memory.  The program is
# that of fixtures/inject/.  Each row below runs one of the program's commands,
# and says which calls fail and what the program must then print.
#
#   T_ONLY=text    runs only the rows whose names contain the text

. "$(dirname "$0")/../harness/strace.sh"

library=$1
backend=$2

build()
{
    program=$tmp/inject
    cc -std=gnu11 -g -Wall -Wextra -Werror -Wno-unused-parameter \
        "-I$library/include" "$top"/c-tests/fixtures/inject/*.c -o "$program" \
        "-L$library" -lngx_ipc "-Wl,-rpath,$library"
}

# printed: prints the line that contains the program's result
printed()
{
    sed -n '/^result=/p' "$tmp/printed"
}

# has_logged TEXT: succeeds if the program has logged the text; if TEXT is "-",
# succeeds if it has logged no line above level notice
has_logged()
{
    if [ "$1" != - ]; then
        printed | grep -q -F -e "$1" || { echo "it has not logged \"$1\""; return 1; }
        return
    fi

    ! printed | grep -q 'log=.*\[\(emerg\|alert\|crit\|error\|warn\)\]' \
        || { echo "it has logged a line above level notice"; return 1; }
}

# reacts COMMAND FAULTS RESULT LOG [OTHER]: runs the command with the faults;
# succeeds if its output is as the other arguments say, see row()
reacts()
{
    with_faults "$1" "$2" || return 1

    case ${5:-} in
        *leak=*) leak=' leak=' ;;
        *)       leak=' leak=0 ' ;;
    esac

    for pattern in "^result=$3 " "$leak" "${5:-.}"; do
        printed | grep -q -e "$pattern" || { echo "it does not print \"$pattern\""; return 1; }
    done

    has_logged "$4"
}

# explained COMMAND FAULTS RESULT LOG [OTHER]: calls reacts(), and then prints
# the program's output
explained()
{
    : > "$tmp/printed"
    : > "$tmp/errors"

    explained_code=0
    reacts "$@" || explained_code=1

    printed
    cat "$tmp/errors"
    return $explained_code
}

# row COMMAND FAULTS RESULT LOG [OTHER]: a test that runs the command with
# FAULTS, which harness/strace.sh explains.  The program's result must match
# the pattern RESULT, and its output the pattern OTHER.  The text LOG must be
# in its log; if LOG is "-", the log must have no line above level notice
row()
{
    case "$1, $2" in
        *"${T_ONLY:-}"*) ok "$1, $2" explained "$@" ;;
    esac
}


if ! why=$(strace_works); then
    skip "fault injection" "$why"
    end
    exit
fi

build || exit 1

none="pid=-1 channel=-1,-1 "
live="pid=[1-9][0-9]* channel=[1-9][0-9]*,-1 "

# Rows for ngx_spawn_process().

row spawn - '[1-9][0-9]*' - "$live"
text='[alert] socketpair() failed while spawning "worker" '
row spawn socketpair:EMFILE -1 "$text(24: Too many open files)" "$none"
row spawn socketpair:ENFILE -1 "$text(23: Too many open files in system)" \
    "$none"
row spawn socketpair:ENOMEM -1 "$text(12: Cannot allocate memory)" "$none"

text='[alert] fork() failed while spawning "worker" '
row spawn fork:EAGAIN -1 "$text(11: Resource temporarily unavailable)" "$none"
row spawn fork:ENOMEM -1 "$text(12: Cannot allocate memory)" "$none"
row spawn fork:ENOSYS -1 "$text(38: Function not implemented)" "$none"

# The program closes no descriptor when strace makes close() fail, because
# strace does not execute the call.  So one descriptor stays open: leak=1.
row spawn close:EIO '[1-9][0-9]*' - "${live}fds=.* leak=1 "

row spawn-detached - '[1-9][0-9]*' - 'pid=[1-9][0-9]* channel=-1,-1 '
row spawn-detached fork:EAGAIN -1 "$text(11: Resource temporarily" "$none"
row spawn-detached fork:ENOMEM -1 "$text(12: Cannot allocate memory)" "$none"

# strace delays the return of fork() in the parent by a second.  Meanwhile the child
# exits.  So SIGCHLD arrives before the parent knows the pid of the child.

row spawn-exits - 1 -
row spawn-exits fork:delay_exit=1000000 1 -

# Rows for ngx_execute().

program_runs='pid=[1-9][0-9]* channel=-1,-1 '
row execute - '[1-9][0-9]*' - "$program_runs"
row execute pipe2:EMFILE '[1-9][0-9]*' - "$program_runs"
row execute pipe2:ENFILE '[1-9][0-9]*' - "$program_runs"
row execute read:EINTR '[1-9][0-9]*' - "$program_runs"

text='[alert] fork() failed while spawning "program" '
row execute fork:EAGAIN -1 "$text(11: Resource temporarily" "$none"
row execute fork:ENOMEM -1 "$text(12: Cannot allocate memory)" "$none"

text='[alert] execve() failed while executing program "/bin/true" '
row execute child/execve:ENOEXEC -1 "$text(8: Exec format error)" "$none"
row execute child/execve:EACCES -1 "$text(13: Permission denied)" "$none"
row execute child/execve:E2BIG -1 "$text(7: Argument list too long)" "$none"
row execute child/execve:ENOMEM -1 "$text(12: Cannot allocate memory)" "$none"
row execute child/execve:ETXTBSY -1 "$text(26: Text file busy)" "$none"

# pipe2() fails, so the child has no pipe through which it could report to the
# parent that execve() failed, and logs the failure itself.
row execute pipe2:EMFILE+child/execve:ENOEXEC '[1-9][0-9]*' \
    "$text(8: Exec format error)"

text='[alert] execve() failed while executing program "/nonexistent" '
row execute-missing - -1 "$text(2: No such file or directory)" "$none"
row execute-missing wait4:EINTR -1 "$text(2: No such file" "$none"
row execute-missing read:EINTR -1 "$text(2: No such file" "$none"

row execute-exits - 1 - 'more=0 '
row execute-exits fork:delay_exit=1000000 1 - 'more=0 '

# SIGIO arrives in the child while the child still has the handlers of its parent,
# whose memory it shares.  A handler would set ngx_sigio of the parent.  The child
# handles the signal when it has reset the handlers, and the signal kills it.
row execute-exits child/rt_sigaction:signal=SIGIO:30 1 \
    '[alert] program' 'more=0 .*exited on signal 29'

# Rows for ngx_ipc_exit_fd().

row exit-fd - '[1-9][0-9]*' '[notice] start worker'
text='[alert] pidfd_open() failed '
row exit-fd pidfd_open:ENOSYS:1 -1 "$text(38: Function not implemented)"
row exit-fd pidfd_open:EPERM:1 -1 "$text(1: Operation not permitted)"
row exit-fd pidfd_open:EMFILE:2 -1 "$text(24: Too many open files)"
row exit-fd pidfd_open:ESRCH:2 '[1-9][0-9]*' '[notice] start worker'
text='[alert] epoll_create() failed '
row exit-fd epoll_create1:EMFILE -1 "$text(24: Too many open files)"
row exit-fd eventfd2:ENOMEM -1 "$text(12: Cannot allocate memory)"
row exit-fd epoll_ctl:ENOMEM:1 -1 "$text(12: Cannot allocate memory)"
text='[alert] epoll_ctl() of a pidfd failed '
row exit-fd epoll_ctl:ENOSPC:2 -1 "$text(28: No space left on device)"

# ngx_write_channel() calls sendmsg() for a message with a descriptor, and
# sendto() for another message.  Failures of both calls have the same log text.

for pair in write:sendto write-fd:sendmsg; do
    how=${pair%:*} call=${pair#*:}
    row $how - 0 - 'more=32 '
    row $how $call:EAGAIN -2 - 'more=-1 '
    row $how $call:ETOOMANYREFS -2 - 'more=-1 '
    row $how $call:EINTR -1 \
        '[alert] sendmsg() failed (4: Interrupted system call)' 'more=-1 '
    row $how $call:ENOBUFS -1 \
        '[alert] sendmsg() failed (105: No buffer space available)' 'more=-1 '
    row $how $call:EPIPE -1 \
        '[alert] sendmsg() failed (32: Broken pipe)' 'more=-1 '
    row $how $call:ENOMEM -1 \
        '[alert] sendmsg() failed (12: Cannot allocate memory)' 'more=-1 '
done

# Rows for ngx_read_channel().

row read - 32 - 'more=-1 '
row read recvmsg:EAGAIN -2 -
row read recvmsg:EINTR -1 \
    '[alert] recvmsg() failed (4: Interrupted system call)'
row read recvmsg:ENOMEM -1 \
    '[alert] recvmsg() failed (12: Cannot allocate memory)'

# The other end was closed while it had unread data.  The messages that it has
# sent before follow.
row read recvmsg:ECONNRESET 32 -

# Rows for ngx_close_channel().

text='[alert] close() channel failed '
row close - -1 - 'more=-1 '
row close close:EIO:1 -1 "$text(5: Input/output error)" 'leak=1 more=-1 '
row close close:EIO:2 -1 "$text(5: Input/output error)" 'leak=1 more=-1 '
row close close:EINTR:1 -1 "$text(4: Interrupted system call)" \
    'leak=1 more=-1 '

# ngx_shm_alloc(), ngx_shm_free(): a function rows_NAME for each backend of
# src/shmem/backends.  A new backend needs such a function.

rows_map_anon()
{
    text='[alert] mmap(MAP_ANON|MAP_SHARED, 65536) failed '
    row shm mmap:ENOMEM -1 "$text(12: Cannot allocate memory)" 'more=0 '
    row shm mmap:EAGAIN -1 "$text(11: Resource temporarily" 'more=0 '
    row shm mmap:EPERM -1 "$text(1: Operation not permitted)" 'more=0 '
    row shm munmap:EINVAL 0 ', 65536) failed (22: Invalid argument)' 'more=1 '
}

rows_map_devzero()
{
    text='[alert] open("/dev/zero") failed '
    row shm openat:EACCES -1 "$text(13: Permission denied)" 'more=0 '
    row shm openat:EMFILE -1 "$text(24: Too many open files)" 'more=0 '
    row shm openat:ENOENT -1 "$text(2: No such file or" 'more=0 '
    text='[alert] mmap(/dev/zero, MAP_SHARED, 65536) failed '
    row shm mmap:ENOMEM -1 "$text(12: Cannot allocate memory)" 'more=0 '
    row shm mmap:EAGAIN -1 "$text(11: Resource temporarily" 'more=0 '
    row shm close:EIO 0 '' 'leak=1 more=1 '
    row shm munmap:EINVAL 0 ', 65536) failed (22: Invalid argument)' 'more=1 '
}

rows_sysvshm()
{
    text='[alert] shmget(65536) failed '
    row shm shmget:ENOSPC -1 "$text(28: No space left on device)" 'more=0 '
    row shm shmget:ENOMEM -1 "$text(12: Cannot allocate memory)" 'more=0 '
    row shm shmget:EPERM -1 "$text(1: Operation not permitted)" 'more=0 '
    text='[alert] shmat() failed '
    row shm shmat:ENOMEM -1 "$text(12: Cannot allocate memory)" 'more=0 '
    row shm shmat:EMFILE -1 "$text(24: Too many open files)" 'more=0 '
    row shm shmctl:EPERM 0 \
        '[alert] shmctl(IPC_RMID) failed (1: Operation not permitted)' 'more=11 '
    row shm shmdt:EINVAL 0 ') failed (22: Invalid argument)' 'more=11 '
}

row shm - 0 - 'more=1 '
command -v "rows_$backend" > /dev/null || { echo "no rows for $backend"; exit 1; }
"rows_$backend"

# The log of a file.  After write() fails with ENOSPC, no line is written for
# the rest of the second.

row log - 2 - 'more=3 '
row log write:ENOSPC:1 0 - 'more=1 '
row log write:ENOSPC:2 1 - 'more=2 '
row log write:EIO:1 1 - 'more=2 '
row log write:EINTR:1 '[12]' - 'more=[23] '
row log write:EAGAIN:1 1 - 'more=2 '

text='[alert] could not open error log file: open() "/tmp/test_inject.log"'
row log-init - 0 -
row log-init openat:EMFILE 1 "$text failed (24: Too many open files)"
row log-init openat:EACCES 1 "$text failed (13: Permission denied)"
row log-init openat:EROFS 1 "$text failed (30: Read-only file system)"

# ngx_add_channel_event(): a call fails with the system call, and the next call
# succeeds.

text='[emerg] epoll_create() failed '
row event - 0 - 'more=0 '
row event epoll_create1:EMFILE -1 "$text(24: Too many open files)" 'more=0 '
row event epoll_create1:ENOMEM -1 "$text(12: Cannot allocate memory)" \
    'more=0 '
row event eventfd2:EMFILE -1 "$text(24: Too many open files)" 'more=0 '
row event epoll_ctl:ENOMEM:1 -1 "$text(12: Cannot allocate memory)" 'more=0 '
row event epoll_ctl:ENOSPC:1 -1 "$text(28: No space left on device)" 'more=0 '

text='[alert] epoll_ctl(1, '
row event epoll_ctl:ENOMEM:2 -1 "$text" 'more=0 .*) failed (12: Cannot'
row event epoll_ctl:ENOSPC:2 -1 "$text" 'more=0 .*) failed (28: No space'
row event epoll_ctl:EPERM:2 -1 "$text" 'more=0 .*) failed (1: Operation'

# ngx_process_events_and_timers(): the timer expires although epoll_wait()
# fails.

wait=epoll_wait

if ! makes wait epoll_wait; then
    wait=epoll_pwait
fi

row wait - 1 - 'more=1 '
row wait $wait:EINTR:1 1 '[info] epoll_wait() failed (4: Interrupted system' \
    'more=[12] '
row wait $wait:EBADF:1 1 '[alert] epoll_wait() failed (9: Bad file' \
    'more=[12] '

# ngx_init_signals(), ngx_signal_worker_processes() and
# ngx_os_signal_process().

row signals - 0 -
row signals rt_sigaction:EINVAL:1 -1 '[emerg] sigaction(SIG'
row signals rt_sigaction:EINVAL:5 -1 'failed (22: Invalid argument)'

text=', 9) failed '
row kill - 1 - 'more=0 '

if makes kill pidfd_open; then
    row kill pidfd_open:ENOSYS 1 - 'more=0 '
    row kill pidfd_open:EMFILE 1 - 'more=0 '
    row kill pidfd_send_signal:EPERM 1 - 'more=0 '
    row kill pidfd_send_signal:EPERM+kill!:EPERM 0 \
        "$text(1: Operation not permitted)" 'more=0 .*\[alert\] kill('
    row kill pidfd_send_signal:ESRCH 1 "$text(3: No such process)" 'more=1 '
    row kill pidfd_open:ENOSYS+kill!:EPERM 0 \
        "$text(1: Operation not permitted)" 'more=0 .*\[alert\] kill('
else
    row kill kill:EPERM 0 "$text(1: Operation not permitted)" \
        'more=0 .*\[alert\] kill('
    row kill kill:ESRCH 1 "$text(3: No such process)" 'more=1 '
fi

row os-signal - 0 -
row os-signal kill:EPERM 1 ', 1) failed (1: Operation not permitted)'
row os-signal kill:ESRCH 1 ', 1) failed (3: No such process)'

end
