
/*
 * The test calls each exported function once for each allocation that the
 * function makes, and makes this allocation fail.  The function then fails
 * with a line in the log, or succeeds without the memory.  It leaks nothing,
 * and the next call succeeds.  This file has the functions that start no
 * process; test_no_memory_program.c has the others.
 */


#include "t_memory.h"
#include "t_queue.h"
#include "t_event.h"

#include <stdio.h>
#include <stdarg.h>


#define MANY  70                        /* more than one block of memory has */

static int               sock[2];
static int               expired;
static ngx_event_t       timers[MANY];
static ngx_pool_t       *pool;
static ngx_connection_t *conn;


static void
count(ngx_event_t *ev)
{
    expired++;
}


static void
sockets(void)
{
    ngx_time_init();
    t_message_pair(sock);
}


static void
a_connection(void)
{
    sockets();
    conn = ngx_get_connection(sock[0], t_log());
    T_REQUIRE(conn != NULL);
    conn->read->handler = count;
}


static void
a_pool(void)
{
    pool = ngx_create_pool(256, t_log());
    T_REQUIRE(pool != NULL);
}


/* Timers: nginx allocates no memory for them, so no call may fail. */

static int
call_ngx_event_add_timer(void)
{
    int  i;

    expired = 0;

    for (i = 0; i < MANY; i++) {
        timers[i].handler = count;
        timers[i].log = t_log();
        ngx_event_add_timer(&timers[i], i % 3);
        T_OK(timers[i].timer_set);
    }

    ngx_event_del_timer(&timers[3]);
    T_OK(ngx_event_no_timers_left() == NGX_AGAIN);

    while (ngx_event_no_timers_left() == NGX_AGAIN) {
        ngx_process_events_and_timers(t_cycle());
    }

    T_EQ(expired, MANY - 1);

    return 1;
}


static int
call_ngx_event_process_posted(void)
{
    int          n;
    ngx_event_t  ev;

    memset(&ev, 0, sizeof(ev));
    ev.handler = count;
    ev.log = t_log();

    for (n = 0; n < 2; n++) {
        expired = 0;

        ngx_post_event(&ev, n ? &ngx_posted_next_events : &ngx_posted_events);
        ngx_event_move_posted_next(t_cycle());
        ngx_event_process_posted(t_cycle(), &ngx_posted_events);

        T_EQ(expired, 1);
    }

    return 1;
}


static int
call_ngx_close_listening_sockets(void)
{
    ngx_close_listening_sockets(t_cycle());
    T_EQ(t_cycle()->listening.nelts, 0);

    return 1;
}


static int
call_ngx_get_connection(void)
{
    int                i, n;
    ngx_connection_t  *c[MANY];

    for (i = 0, n = 0; i < MANY; i++) {
        c[i] = ngx_get_connection(sock[0], t_log());
        n += (c[i] != NULL);
    }

    for (i = 0; i < MANY; i++) {
        if (c[i]) {
            T_EQ(c[i]->fd, sock[0]);
            ngx_free_connection(c[i]);
        }
    }

    return n == MANY;
}


static int
call_ngx_handle_event(void)
{
    conn->read->ready = 0;
    T_OK(ngx_handle_read_event(conn->read, 0) == NGX_OK);
    conn->write->ready = 0;
    T_OK(ngx_handle_write_event(conn->write, 0) == NGX_OK);

    conn->write->ready = 1;
    T_OK(ngx_handle_write_event(conn->write, 0) == NGX_OK);

    expired = 0;
    T_EQ(write(sock[1], "x", 1), 1);
    ngx_process_events_and_timers(t_cycle());
    T_EQ(expired, 1);
    T_EQ(read(sock[0], &expired, 1), 1);

    return 1;
}


static int
call_ngx_close_connection(void)
{
    int                fd;
    ngx_connection_t  *c;

    fd = dup(sock[0]);
    c = ngx_get_connection(fd, t_log());

    if (c == NULL) {
        close(fd);
        return 0;
    }

    ngx_close_connection(c);
    T_OK(!t_is_open(fd));

    return 1;
}


/* Channels. */

static int
call_ngx_add_channel_event(void)
{
    int  fd[2];

    fd[0] = dup(sock[0]);
    fd[1] = dup(sock[1]);

    if (ngx_add_channel_event(t_cycle(), fd[0], NGX_READ_EVENT, count)
        != NGX_OK)
    {
        close(fd[0]);
        close(fd[1]);
        return 0;
    }

    ngx_close_channel(fd, t_log());
    T_EQ(fd[0], -1);
    T_EQ(fd[1], -1);

    return 1;
}


static int
call_ngx_write_channel(void)
{
    ngx_channel_t  ch;

    t_message(&ch, NGX_CMD_OPEN_CHANNEL, sock[0]);
    T_EQ(ngx_write_channel(sock[0], &ch, sizeof(ngx_channel_t), t_log()),
         NGX_OK);
    T_EQ(ngx_read_channel(sock[1], &ch, sizeof(ngx_channel_t), t_log()),
         sizeof(ngx_channel_t));
    T_EQ(ch.command, NGX_CMD_OPEN_CHANNEL);
    close(ch.fd);

    T_EQ(write(sock[0], "short", 5), 5);
    T_EQ(ngx_read_channel(sock[1], &ch, sizeof(ngx_channel_t), t_log()),
         NGX_AGAIN);

    return 1;
}


static void
a_channel(void)
{
    a_connection();
    ngx_channel = sock[0];
    ngx_process = NGX_PROCESS_WORKER;
    ngx_process_slot = 7;
}


static int
call_ngx_channel_handler(void)
{
    ngx_channel_t  ch;

    memset(&ch, 0, sizeof(ngx_channel_t));
    ch.command = NGX_CMD_OPEN_CHANNEL;
    ch.slot = 2;
    ch.pid = T_FIRST_PID;
    ch.fd = sock[1];

    T_EQ(ngx_write_channel(sock[1], &ch, sizeof(ngx_channel_t), t_log()),
         NGX_OK);
    ngx_channel_handler(conn->read);
    T_EQ(ngx_processes[2].pid, T_FIRST_PID);

    ch.command = NGX_CMD_CLOSE_CHANNEL;
    T_EQ(ngx_ipc_channel_command(&ch, t_log()), NGX_OK);
    T_EQ(ngx_processes[2].pid, -1);

    return 1;
}


static int
call_ngx_ipc_init_channel(void)
{
    int        fd[2];
    ngx_int_t  rc;

    fd[0] = dup(sock[0]);
    fd[1] = -1;

    ngx_channel = fd[0];
    rc = ngx_ipc_init_channel(t_cycle(), count);
    ngx_channel = -1;
    ngx_close_channel(fd, t_log());

    return rc == NGX_OK;
}


/*
 * Messages to a process whose channel is full.  Even if no message could be
 * queued, the process later gets the state of each slot.
 */

static void
check_told(void)
{
    int            fd;
    ngx_int_t      slot;
    ngx_pid_t      pid[T_PROCESSES];
    ngx_channel_t  ch;

    memset(pid, 0, sizeof(pid));

    /* At first the channel is full of other messages. */

    do {
        while (t_receive(T_TO, &ch) == sizeof(ngx_channel_t)) {

            if (ch.command == NGX_CMD_OPEN_CHANNEL) {
                pid[ch.slot] = ch.pid;
                close(ch.fd);

            } else if (ch.command == NGX_CMD_CLOSE_CHANNEL) {
                pid[ch.slot] = -1;
            }
        }

        fd = t_unread(ngx_processes[T_TO].channel[0]);
        t_send_queues();

    } while (fd > 0 || t_unread(t_peer[T_TO]) > 0);

    for (slot = 1; slot < T_PROCESSES; slot++) {
        T_EQ(pid[slot], slot == 2 ? -1 : T_FIRST_PID + slot);
    }
}


static int
call_ngx_pass_open_channel(void)
{
    ngx_int_t      slot;
    ngx_channel_t  ch;

    t_fill_channel(ngx_processes[T_TO].channel[0]);

    for (slot = 1; slot < T_PROCESSES; slot++) {
        t_message(&ch, NGX_CMD_OPEN_CHANNEL, ngx_processes[slot].channel[0]);
        ch.slot = slot;
        ch.pid = ngx_processes[slot].pid;
        ngx_process_slot = slot;
        ngx_pass_open_channel(t_cycle(), &ch);
    }

    /* Process 2 exits. */

    T_EQ(t_tell_close(T_TO, 2), NGX_OK);
    t_table_remove(2);

    t_send_queues();
    check_told();

    for (slot = 1; slot < T_PROCESSES; slot++) {
        while (slot != 2
               && t_receive(slot, &ch) == sizeof(ngx_channel_t))
        {
            close(ch.fd);
        }
    }

    t_table_add(2, T_FIRST_PID + 2);

    return 1;
}


/* Pools. */

static int
call_ngx_create_pool(void)
{
    ngx_pool_t  *p;

    p = ngx_create_pool(256, t_log());

    if (p == NULL) {
        return 0;
    }

    ngx_destroy_pool(p);

    return 1;
}


static int
call_ngx_palloc(void)
{
    return ngx_palloc(pool, 200) && ngx_palloc(pool, 100000);
}


static int
call_ngx_pnalloc(void)
{
    return ngx_pnalloc(pool, 199) && ngx_pnalloc(pool, 100000);
}


static int
call_ngx_pcalloc(void)
{
    return ngx_pcalloc(pool, 200) && ngx_pcalloc(pool, 100000);
}


static int
call_ngx_pool_cleanup_add(void)
{
    return ngx_pool_cleanup_add(pool, 1000) != NULL;
}


/* Arrays and lists. */

static int
call_ngx_array_push(void)
{
    ngx_int_t     n;
    ngx_uint_t    old;
    ngx_array_t  *a;

    a = ngx_array_create(pool, 2, 100);

    if (a == NULL) {
        return 0;
    }

    for (n = 0; n < MANY; n++) {
        old = a->nelts;

        if (ngx_array_push(a) == NULL || ngx_array_push_n(a, 2) == NULL) {
            T_OK(a->nelts - old <= 1);
            T_OK(a->nelts <= a->nalloc);
            return 0;
        }
    }

    T_EQ(a->nelts, 3 * MANY);
    ngx_array_destroy(a);

    return 1;
}


static int
call_ngx_list_push(void)
{
    ngx_int_t         n;
    ngx_list_t       *list;
    ngx_list_part_t  *last;

    list = ngx_list_create(pool, 2, 100);

    if (list == NULL) {
        return 0;
    }

    for (n = 0; n < MANY; n++) {
        last = list->last;

        if (ngx_list_push(list) == NULL) {
            T_OK(list->last == last && last->next == NULL);
            return 0;
        }
    }

    T_EQ(list->last->nelts, 2);

    return 1;
}


static int
call_ngx_pstrdup(void)
{
    u_char     *p;
    ngx_str_t   s;

    ngx_str_set(&s, "a string");
    p = ngx_pstrdup(pool, &s);

    if (p == NULL) {
        return 0;
    }

    T_OK(ngx_memcmp(p, s.data, s.len) == 0);
    s.len = 1000;
    s.data = (u_char *) ngx_palloc(pool, 1000);

    return s.data && ngx_pstrdup(pool, &s);
}


static int
call_ngx_hash_init(void)
{
    u_char           text[] = "a name";
    ngx_hash_key_t   name;
    ngx_hash_init_t  hinit;

    name.key.len = 6;
    name.key.data = text;
    name.key_hash = ngx_hash_key_lc(text, 6);
    name.value = &name;

    memset(&hinit, 0, sizeof(hinit));
    hinit.max_size = 512;
    hinit.bucket_size = 64;
    hinit.name = (char *) "hash";
    hinit.pool = pool;

    if (ngx_hash_init(&hinit, &name, 1) != NGX_OK) {
        return 0;
    }

    T_OK(ngx_hash_find(hinit.hash, name.key_hash, text, 6) == &name);

    return 1;
}


/* Texts, logs and times: no allocation. */

static void
format(char *buf, ...)
{
    va_list  args;

    va_start(args, buf);
    *ngx_vslprintf((u_char *) buf, (u_char *) buf + 99, "%s %d", args) = '\0';
    va_end(args);
}


static int
call_ngx_sprintf(void)
{
    char  buf[100];

    *ngx_sprintf((u_char *) buf, "%s", "a") = '\0';
    T_OK(strcmp(buf, "a") == 0);
    *ngx_snprintf((u_char *) buf, 99, "%uz", (size_t) 7) = '\0';
    T_OK(strcmp(buf, "7") == 0);
    *ngx_slprintf((u_char *) buf, (u_char *) buf + 99, "%P", 8) = '\0';
    T_OK(strcmp(buf, "8") == 0);
    format(buf, "a", 1);
    T_OK(strcmp(buf, "a 1") == 0);

    return 1;
}


static int
call_ngx_log(void)
{
    u_char  buf[100];

    ngx_log_error_core(NGX_LOG_INFO, t_log(), ENOENT, "a %s", "line");
    ngx_log_abort(ENOENT, "a %s", "line");
    ngx_log_stderr(ENOENT, "# a %s", "line");
    T_OK(ngx_log_errno(buf, buf + 99, ENOENT) > buf);
    T_OK(ngx_log_get_file_log(t_log()) == NULL
         || ngx_log_get_file_log(t_log())->file != NULL);

    T_EQ(ngx_strerror_init(), NGX_OK);
    T_OK(ngx_strerror(ENOENT, buf, 99) > buf);

    ngx_time_init();
    ngx_time_update();
    ngx_time_sigsafe_update();

    return 1;
}


static int
call_ngx_log_init(void)
{
    ngx_log_t  *log;

    log = ngx_log_init((u_char *) "/dev", (u_char *) "null");
    T_REQUIRE(log != NULL);
    T_OK(log->file->fd > 2);
    close(log->file->fd);

    return 1;
}


/* Shared memory. */

static int
call_ngx_shm_alloc(void)
{
    ngx_shm_t  shm;

    memset(&shm, 0, sizeof(ngx_shm_t));
    shm.size = 4 * 1024 * 1024;
    shm.log = t_log();
    ngx_ipc_huge_pages = 1;

    T_EQ(ngx_shm_alloc(&shm), NGX_OK);
    ngx_shm_free(&shm);

    return 1;
}


static const t_call_t  calls[] = {
    { "ngx_event_add_timer", sockets, call_ngx_event_add_timer, 0 },
    { "ngx_close_listening_sockets", sockets,
      call_ngx_close_listening_sockets, 0 },
    { "ngx_event_process_posted", sockets, call_ngx_event_process_posted, 0 },
    { "ngx_get_connection", sockets, call_ngx_get_connection, 0 },
    { "ngx_handle_read_event", a_connection, call_ngx_handle_event, 0 },
    { "ngx_close_connection", sockets, call_ngx_close_connection, 0 },
    { "ngx_add_channel_event", sockets, call_ngx_add_channel_event, 0 },
    { "ngx_write_channel", sockets, call_ngx_write_channel, 0 },
    { "ngx_channel_handler", a_channel, call_ngx_channel_handler, 0 },
    { "ngx_ipc_init_channel", sockets, call_ngx_ipc_init_channel, 0 },
    { "ngx_pass_open_channel", t_table_open, call_ngx_pass_open_channel, 0 },
    { "ngx_create_pool", NULL, call_ngx_create_pool, 0 },
    { "ngx_palloc", a_pool, call_ngx_palloc, 0 },
    { "ngx_pnalloc", a_pool, call_ngx_pnalloc, 0 },
    { "ngx_pcalloc", a_pool, call_ngx_pcalloc, 0 },
    { "ngx_pool_cleanup_add", a_pool, call_ngx_pool_cleanup_add, 0 },
    { "ngx_array_push", a_pool, call_ngx_array_push, 0 },
    { "ngx_list_push", a_pool, call_ngx_list_push, 0 },
    { "ngx_hash_init", a_pool, call_ngx_hash_init, 0 },
    { "ngx_pstrdup", a_pool, call_ngx_pstrdup, 0 },
    { "ngx_sprintf", NULL, call_ngx_sprintf, 0 },
    { "ngx_log_error_core", NULL, call_ngx_log, 0 },
    { "ngx_log_init", NULL, call_ngx_log_init, 0 },
    { "ngx_shm_alloc", NULL, call_ngx_shm_alloc, 0 },
};

int
main(void)
{
    t_begin();
    t_run_without_memory(calls, t_nitems(calls));

    return t_end();
}
