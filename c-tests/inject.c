
/*
 * inject COMMAND: does one thing with the library, and says what came of it.
 * inject.sh has system calls of it fail.
 *
 * Prints one line:
 *
 *   result=R pid=P channel=A,B fds=BEFORE,AFTER leak=N more=M log=LINES
 *
 * P, A and B are those of the slot that ngx_process_slot names; leak is what
 * is left open when all that was made has been closed again, the descriptors
 * of an event loop not counted; what "more" is depends on the command.  Lines
 * have their levels in front and " | " between them.
 *
 * What is done lies between two calls that nobody makes otherwise, MARK_BEGIN
 * and MARK_END: so the script finds out how many calls came before.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_channel.h>
#include <ngx_ipc.h>

#include <dirent.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/uio.h>


#define MARK_BEGIN  -4242
#define MARK_END    -4243

#define LINES_SIZE  65536
#define SHM_SIZE    65536


typedef struct {
    ngx_int_t  result;
    long       more;
    int        loop;               /* an event loop has been made */
} outcome_t;


typedef struct {
    const char   *name;
    void        (*prepare)(void);
    void        (*act)(outcome_t *outcome);
    void        (*clean)(outcome_t *outcome);
} command_t;


/* what any process has logged, and whether a spawned one runs; it is shared */

typedef struct {
    size_t        len;
    char          text[LINES_SIZE];
    volatile int  running;
} lines_t;


static lines_t       *lines;
static ngx_log_t      memory_log;
static ngx_cycle_t    cycle;

static int            pair[2];
static ngx_channel_t  message;
static ngx_shm_t      shm;
static ngx_pid_t      child;
static ngx_event_t    timer;
static int            calls;
static int            console;
static int            file;
static ngx_log_t      file_log;
static ngx_open_file_t  open_file;


/* The log. */

static void
keep_line(ngx_log_t *log, ngx_uint_t level, u_char *buf, size_t len)
{
    char  *text, *end;

    /* from "[level]" on, but without the process's number */

    text = memchr(buf, '[', len);
    end = (char *) buf + len - 1;

    if (text == NULL || lines->len + len + 4 > LINES_SIZE) {
        return;
    }

    if (lines->len) {
        lines->len += (size_t) sprintf(lines->text + lines->len, " | ");
    }

    while (text < end && *text != ' ') {
        lines->text[lines->len++] = *text++;
    }

    text = memchr(text, ':', (size_t) (end - text));

    while (text && ++text < end) {
        lines->text[lines->len++] = *text;
    }
}


static void *
shared(size_t size)
{
    void  *p;

    p = mmap(NULL, size, PROT_READ|PROT_WRITE, MAP_ANONYMOUS|MAP_SHARED, -1,
             0);

    if (p == MAP_FAILED) {
        perror("mmap");
        exit(2);
    }

    return p;
}


static void
init(void)
{
    ngx_time_init();

    lines = shared(sizeof(lines_t));

    memory_log.log_level = NGX_LOG_INFO;
    memory_log.writer = keep_line;

    cycle.log = &memory_log;
    ngx_cycle = &cycle;
    ngx_use_stderr = 0;

    ngx_pid = getpid();
    ngx_process = NGX_PROCESS_MASTER;

    /* the channels are asynchronous */

    signal(SIGIO, SIG_IGN);
}


static int
open_fds(void)
{
    int   n;
    DIR  *dir;

    dir = opendir("/proc/self/fd");

    if (dir == NULL) {
        perror("/proc/self/fd");
        exit(2);
    }

    for (n = 0; readdir(dir); n++) {
        /* void */
    }

    closedir(dir);

    return n - 3;
}


/* Processes. */

static void
pause_proc(ngx_cycle_t *cycle, void *data)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);

    for ( ;; ) {
        pause();
    }
}


static void
running_proc(ngx_cycle_t *cycle, void *data)
{
    lines->running = 1;
    pause_proc(cycle, data);
}


/* Until the process runs: what it had to say before it has said. */

static void
act_spawn(outcome_t *outcome)
{
    outcome->result = ngx_spawn_process(&cycle, running_proc, NULL, "worker",
                                        NGX_PROCESS_RESPAWN);

    while (outcome->result > 0 && !lines->running) {
        sched_yield();
    }
}


static void
act_spawn_detached(outcome_t *outcome)
{
    outcome->result = ngx_spawn_process(&cycle, pause_proc, NULL, "worker",
                                        NGX_PROCESS_DETACHED);
}


static void
clean_process(outcome_t *outcome)
{
    ngx_process_t  *process;

    process = &ngx_processes[ngx_process_slot];

    if (process->pid > 0) {
        kill(process->pid, SIGKILL);
        waitpid(process->pid, NULL, 0);
        ngx_close_channel(process->channel, &memory_log);
    }
}


/* A program ends by itself, and may have something to say before. */

static void
clean_program(outcome_t *outcome)
{
    if (ngx_processes[ngx_process_slot].pid > 0) {
        waitpid(ngx_processes[ngx_process_slot].pid, NULL, 0);
    }
}


static void
execute(outcome_t *outcome, char *path)
{
    char            *argv[2], *envp[1];
    ngx_exec_ctx_t   ctx;

    argv[0] = path;
    argv[1] = NULL;
    envp[0] = NULL;

    ctx.path = path;
    ctx.name = "program";
    ctx.argv = argv;
    ctx.envp = envp;

    outcome->result = ngx_execute(&cycle, &ctx);
}


static void
act_execute(outcome_t *outcome)
{
    execute(outcome, "/bin/true");
}


static void
act_execute_missing(outcome_t *outcome)
{
    execute(outcome, "/nonexistent");
}


/* Channels. */

static void
prepare_pair(void)
{
    if (socketpair(AF_UNIX, SOCK_STREAM|SOCK_NONBLOCK|SOCK_CLOEXEC, 0, pair)
        == -1)
    {
        perror("socketpair");
        exit(2);
    }

    memset(&message, 0, sizeof(ngx_channel_t));
    message.command = NGX_CMD_QUIT;
    message.fd = -1;
}


static void
prepare_read(void)
{
    prepare_pair();

    if (ngx_write_channel(pair[0], &message, sizeof(ngx_channel_t),
                          &memory_log) != NGX_OK)
    {
        exit(2);
    }
}


static void
act_write(outcome_t *outcome)
{
    ssize_t  n;

    outcome->result = ngx_write_channel(pair[0], &message,
                                        sizeof(ngx_channel_t), &memory_log);

    /* how much has arrived */

    n = recv(pair[1], &message, sizeof(ngx_channel_t), MSG_PEEK);
    outcome->more = n;
}


static void
act_write_fd(outcome_t *outcome)
{
    message.command = NGX_CMD_OPEN_CHANNEL;
    message.fd = 0;

    act_write(outcome);
}


static void
act_read(outcome_t *outcome)
{
    outcome->result = ngx_read_channel(pair[1], &message,
                                       sizeof(ngx_channel_t), &memory_log);
    outcome->more = message.fd;
}


static void
act_close(outcome_t *outcome)
{
    ngx_close_channel(pair, &memory_log);

    outcome->result = pair[0];
    outcome->more = pair[1];
}


static void
clean_pair(outcome_t *outcome)
{
    close(pair[0]);
    close(pair[1]);
}


/* Shared memory. */

static void
prepare_shm(void)
{
    memset(&shm, 0, sizeof(ngx_shm_t));
    shm.size = SHM_SIZE;
    shm.log = &memory_log;
    ngx_str_set(&shm.name, "zone");
}


/* more is 1 if there is an address, and it is one. */

static void
act_shm(outcome_t *outcome)
{
    outcome->result = ngx_shm_alloc(&shm);
    outcome->more = shm.addr != NULL;

    if (outcome->result == NGX_OK) {
        memset(shm.addr, 0xa5, SHM_SIZE);
    }

    ngx_shm_free(&shm);
}


/* A segment that could not be removed, or detached, is still there. */

static void
clean_shm(outcome_t *outcome)
{
    int    id, cpid;
    FILE  *f;
    char   line[512];

    f = fopen("/proc/sysvipc/shm", "r");

    if (f == NULL) {
        return;
    }

    while (fgets(line, sizeof(line), f)) {

        if (sscanf(line, "%*d %d %*o %*u %d", &id, &cpid) == 2
            && cpid == (int) getpid())
        {
            outcome->more += 10;

            if (shmctl(id, IPC_RMID, NULL) == -1) {
                perror("shmctl");
            }
        }
    }

    fclose(f);
}


/* Logs. */

static void
prepare_log(void)
{
    file = memfd_create("log", MFD_CLOEXEC);

    open_file.fd = file;
    file_log.file = &open_file;
    file_log.log_level = NGX_LOG_NOTICE;
}


static long
count_lines(int fd)
{
    long     n;
    ssize_t  i, len;
    char     text[8192];

    len = pread(fd, text, sizeof(text), 0);

    for (n = 0, i = 0; i < len; i++) {
        n += (text[i] == '\n');
    }

    return n;
}


/* Two lines within a second, and a third one later. */

static void
act_log(outcome_t *outcome)
{
    ngx_log_error(NGX_LOG_NOTICE, &file_log, 0, "one");
    ngx_log_error(NGX_LOG_NOTICE, &file_log, 0, "two");
    outcome->result = count_lines(file);

    if (file_log.disk_full_time) {
        file_log.disk_full_time--;
    }

    ngx_log_error(NGX_LOG_NOTICE, &file_log, 0, "three");
    outcome->more = count_lines(file);
}


static void
clean_log(outcome_t *outcome)
{
    close(file);
}


static void
prepare_log_init(void)
{
    int  fd;

    console = dup(STDERR_FILENO);
    fd = memfd_create("stderr", MFD_CLOEXEC);
    dup2(fd, STDERR_FILENO);
    close(fd);
}


/* The line that is on stderr counts as one of the log. */

static void
act_log_init(outcome_t *outcome)
{
    char        text[4096];
    ssize_t     n;
    ngx_log_t  *log;

    log = ngx_log_init((u_char *) "/tmp", (u_char *) "test_inject.log");
    outcome->result = log->file->fd == STDERR_FILENO;

    n = pread(STDERR_FILENO, text, sizeof(text) - 1, 0);

    if (n > 0) {
        text[n - 1] = '\0';
        lines->len += (size_t) sprintf(lines->text + lines->len, "%s", text);
    }

    if (log->file->fd != STDERR_FILENO) {
        close(log->file->fd);
        unlink("/tmp/test_inject.log");
    }
}


static void
clean_log_init(outcome_t *outcome)
{
    dup2(console, STDERR_FILENO);
    close(console);
}


/* Events. */

static void
count_call(ngx_event_t *ev)
{
    calls++;
}


/* more is whether it succeeds the second time. */

static void
act_event(outcome_t *outcome)
{
    outcome->result = ngx_add_channel_event(&cycle, pair[1], NGX_READ_EVENT,
                                            count_call);

    if (outcome->result == NGX_OK) {
        outcome->more = NGX_OK;

    } else {
        outcome->more = ngx_add_channel_event(&cycle, pair[1], NGX_READ_EVENT,
                                              count_call);
    }

    outcome->loop = (outcome->more == NGX_OK);
}


static void
clean_event(outcome_t *outcome)
{
    ngx_close_channel(pair, &memory_log);
}


static void
prepare_wait(void)
{
    outcome_t  outcome;

    prepare_pair();
    act_event(&outcome);

    timer.handler = count_call;
    timer.log = &memory_log;
}


/* The result is how often a handler was called in at most three rounds. */

static void
act_wait(outcome_t *outcome)
{
    int  i;

    ngx_time_update();
    ngx_add_timer(&timer, 10);

    for (i = 0; i < 3 && calls == 0; i++) {
        ngx_process_events_and_timers(&cycle);
    }

    outcome->result = calls;
    outcome->more = i;
}


/* Signals. */

static void
act_signals(outcome_t *outcome)
{
    outcome->result = ngx_init_signals(&memory_log);
}


static void
prepare_child(void)
{
    child = ngx_spawn_process(&cycle, pause_proc, NULL, "worker",
                              NGX_PROCESS_RESPAWN);

    if (child <= 0) {
        exit(2);
    }

    memset(lines, 0, sizeof(lines_t));
}


/* The result is whether the worker counts as one that was told to exit. */

static void
act_kill(outcome_t *outcome)
{
    ngx_signal_worker_processes(&cycle, SIGKILL);

    outcome->result = ngx_processes[0].exiting;
    outcome->more = ngx_processes[0].exited;
}


static void
act_os_signal(outcome_t *outcome)
{
    outcome->result = ngx_os_signal_process(&cycle, "reload", child);
}


static command_t  commands[] = {
    { "spawn", NULL, act_spawn, clean_process },
    { "spawn-detached", NULL, act_spawn_detached, clean_process },
    { "execute", NULL, act_execute, clean_program },
    { "execute-missing", NULL, act_execute_missing,
      clean_program },
    { "write", prepare_pair, act_write, clean_pair },
    { "write-fd", prepare_pair, act_write_fd, clean_pair },
    { "read", prepare_read, act_read, clean_pair },
    { "close", prepare_pair, act_close, NULL },
    { "shm", prepare_shm, act_shm, clean_shm },
    { "log", prepare_log, act_log, clean_log },
    { "log-init", prepare_log_init, act_log_init, clean_log_init },
    { "event", prepare_pair, act_event, clean_event },
    { "wait", prepare_wait, act_wait, clean_event },
    { "signals", NULL, act_signals, NULL },
    { "kill", prepare_child, act_kill, clean_process },
    { "os-signal", prepare_child, act_os_signal, clean_process }
};


/* By writev(), since write() may be the call that fails. */

static void
say(const char *fmt, ...)
{
    int            n;
    va_list        args;
    static char    text[LINES_SIZE + 1024];
    struct iovec   iov;

    va_start(args, fmt);
    n = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    iov.iov_base = text;
    iov.iov_len = (size_t) n;

    if (writev(STDOUT_FILENO, &iov, 1) != n) {
        _exit(2);
    }
}


static void
mark(int fd)
{
    (void) lseek(fd, 0, SEEK_CUR);
}


static int
run(command_t *command)
{
    int             before, during, after, start;
    outcome_t       outcome;
    ngx_process_t   slot;

    memset(&outcome, 0, sizeof(outcome_t));

    init();
    start = open_fds();

    if (command->prepare) {
        command->prepare();
    }

    before = open_fds();

    mark(MARK_BEGIN);
    command->act(&outcome);
    mark(MARK_END);

    during = open_fds();
    slot = ngx_processes[ngx_process_slot];

    if (command->clean) {
        command->clean(&outcome);
    }

    after = open_fds() - (outcome.loop ? 2 : 0);

    if (command->prepare == prepare_wait) {
        after -= 2;
    }

    say("result=%d pid=%d channel=%d,%d fds=%d,%d leak=%d more=%ld log=%s\n",
        (int) outcome.result, (int) slot.pid, slot.channel[0],
        slot.channel[1], before, during, after - start, outcome.more,
        lines->text);

    return 0;
}


int
main(int argc, char *const *argv)
{
    size_t  i;

    for (i = 0; argc == 2 && i < sizeof(commands) / sizeof(commands[0]); i++)
    {
        if (strcmp(argv[1], commands[i].name) == 0) {
            return run(&commands[i]);
        }
    }

    fprintf(stderr, "usage: inject COMMAND\n");

    return 2;
}
