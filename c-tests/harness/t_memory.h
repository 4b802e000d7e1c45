
/*
 * Failing memory allocations.  Only programs that include this file, each in
 * one source file, replace malloc() and the like of the C library.
 *
 * A case calls a function again and again: each time another allocation fails,
 * until the function needs fewer allocations.
 */


#ifndef _T_MEMORY_H_INCLUDED_
#define _T_MEMORY_H_INCLUDED_


#include "test.h"

#include <sys/time.h>


/* More allocations than any call makes. */

#define T_ALLOCATIONS  300

/* The exit code of a child in which an allocation has failed. */

#define T_HAS_FAILED   3


void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *p);


/*
 * The processes of a case share this data, so that the allocations of a
 * process that the function starts are counted too.
 */

typedef struct {
    int   armed;                /* the value for "left" in t_arm() */
    int   left;                 /* allocations until one fails; -1: none fails */
    int   lasting;              /* all later allocations fail too */
    int   failed;               /* an allocation has failed */

    int   blocks;               /* blocks that two calls leave allocated if
                                   no allocation fails */
    int   fds;
} t_memory_t;


/*
 * A call of a function, with everything that makes it possible and undoes it.
 * It returns 1 if the function has succeeded.  It returns 0 if the function
 * has failed as it must without memory, and left no more than before.
 */

typedef int (*t_call_pt)(void);

typedef struct {
    const char  *name;
    t_case_pt    prepare;
    t_call_pt    call;
    int          late;          /* the call itself calls t_arm() */
} t_call_t;


static volatile t_memory_t  *t_memory;
static int                   t_blocks;     /* allocated and not freed */


static inline int
t_fails(void)
{
    if (t_memory == NULL || t_memory->left == -1 || t_memory->left-- > 0) {
        return 0;
    }

    t_memory->left = t_memory->lasting ? 0 : -1;
    t_memory->failed = 1;
    errno = ENOMEM;

    return 1;
}


static inline void *
t_counted(void *p)
{
    t_blocks += (p != NULL);

    return p;
}


#if !defined(__SANITIZE_ADDRESS__)

void *
malloc(size_t size)
{
    return t_fails() ? NULL : t_counted(__libc_malloc(size));
}


void *
calloc(size_t n, size_t size)
{
    return t_fails() ? NULL : t_counted(__libc_calloc(n, size));
}


void *
realloc(void *p, size_t size)
{
    void  *new;

    if (t_fails()) {
        return NULL;
    }

    new = __libc_realloc(p, size);
    t_blocks += (new != NULL) - (p != NULL && (new != NULL || size == 0));

    return new;
}


int
posix_memalign(void **p, size_t alignment, size_t size)
{
    if (t_fails()) {
        return ENOMEM;
    }

    *p = t_counted(__libc_memalign(alignment, size));

    return *p ? 0 : ENOMEM;
}


void *
aligned_alloc(size_t alignment, size_t size)
{
    return t_fails() ? NULL : t_counted(__libc_memalign(alignment, size));
}


void
free(void *p)
{
    t_blocks -= (p != NULL);
    __libc_free(p);
}

#endif


/*
 * Makes allocations fail from now on.  Calls with "late" call this themselves.
 */

static inline void
t_arm(void)
{
    t_memory->left = t_memory->armed;
    t_memory->armed = -1;
}


static void
t_disarm(void)
{
    t_memory->left = -1;
    t_memory->armed = -1;
}


/*
 * The body of a child: allocation n of the first call fails, or none if n is
 * -1.  The second call must succeed.
 */

static void
t_call_twice(const t_call_t *c, int n)
{
    int  blocks, failed, fds, ok;

    if (c->prepare) {
        c->prepare();
    }

    /* The C library allocates memory for the time zone at the first line. */

    ngx_time_update();
    ngx_log_error(NGX_LOG_ALERT, t_log(), ENOMEM, "a line");
    T_OK(t_logged(T_ANY, "12: "));

    t_log_clear();
    fds = t_open_fds();
    blocks = t_blocks;

    t_memory->failed = 0;
    t_memory->armed = n;
    t_memory->left = c->late ? -1 : n;

    ok = c->call();

    t_disarm();
    failed = t_memory->failed;

    if (!ok) {
        T_OK(failed);

        /* getpwnam(3) does not always say that there was no memory. */

        if (!T_OK(t_logged(T_ANY, "malloc(") || t_logged(T_ANY, "12: ")
                  || t_logged(T_ANY, "cannot be respawned")
                  || t_logged(T_ANY, "or its group not found")))
        {
            t_diag("allocation %d", n);
        }
    }

    T_OK(c->call());

    fds = t_open_fds() - fds;
    blocks = t_blocks - blocks;

    if (n == -1) {
        t_memory->fds = fds;
        t_memory->blocks = blocks;

    } else {
        T_EQ(fds, t_memory->fds);
        T_OK(blocks <= t_memory->blocks);
    }

    T_EQ(waitpid(-1, NULL, WNOHANG), -1);

    _exit(failed ? T_HAS_FAILED : 0);
}


/* Returns 0 when no allocation fails any more, or after a failure. */

static int
t_call_in_child(const t_call_t *c, int n)
{
    int    status;
    pid_t  pid;

    t_disarm();

    pid = fork();
    T_REQUIRE(pid != -1);

    if (pid == 0) {
        t_call_twice(c, n);
    }

    status = t_wait(pid);

    if (status == 0) {
        return 0;
    }

    if (!T_EQ(status, T_HAS_FAILED << 8)) {
        t_diag("%s: allocation %d%s", c->name, n,
               t_memory->lasting ? " and all later ones" : "");
        return 0;
    }

    return 1;
}


/* Makes each allocation of a call fail, alone and with all later ones. */

static void
t_call_without_memory(const t_call_t *c)
{
    int  n;

    if (t_under_valgrind()) {
        t_skip("valgrind has its own malloc()");
    }

#if defined(__SANITIZE_ADDRESS__)
    t_skip("AddressSanitizer has its own malloc()");
#endif

    t_memory = t_shared(sizeof(t_memory_t));
    t_disarm();

    T_OK(t_call_in_child(c, -1) == 0);

    for (t_memory->lasting = 0; t_memory->lasting < 2; t_memory->lasting++) {

        for (n = 0; n < T_ALLOCATIONS; n++) {

            if (!t_call_in_child(c, n)) {
                break;
            }
        }

        T_OK(n < T_ALLOCATIONS);
        t_diag("%s: %d allocations", c->name, n);
    }

    t_memory = NULL;
}


static const t_call_t  *t_current_call;


static void
t_current_without_memory(void)
{
    t_call_without_memory(t_current_call);
}


/* Runs a case for each call. */

static inline void
t_run_without_memory(const t_call_t *calls, size_t n)
{
    char    name[100];
    size_t  i;

    for (i = 0; i < n; i++) {
        t_current_call = &calls[i];
        snprintf(name, sizeof(name), "%s without memory", calls[i].name);
        t_run(name, t_current_without_memory);
    }
}


/*
 * Runs a function that does not return, in a child, and meanwhile calls
 * watch(), unless it is NULL.  Returns the exit code of the child, or -1 if a
 * signal has killed it.  Afterwards no allocation fails.
 *
 * SIGCHLD is blocked until then, because the library's handler would reap the
 * child.
 */

static inline int
t_exits_with(void (*run)(void), void (*watch)(pid_t pid))
{
    int       status;
    pid_t     pid;
    sigset_t  set, before;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, &before);

    pid = fork();
    T_REQUIRE(pid != -1);

    if (pid == 0) {
        sigprocmask(SIG_SETMASK, &before, NULL);
        run();
        _exit(99);
    }

    if (watch) {
        watch(pid);
    }

    status = t_wait(pid);
    sigprocmask(SIG_SETMASK, &before, NULL);
    t_disarm();

    if (!WIFEXITED(status)) {
        T_EQ(status, 0);
        return -1;
    }

    return WEXITSTATUS(status);
}


#endif /* _T_MEMORY_H_INCLUDED_ */
