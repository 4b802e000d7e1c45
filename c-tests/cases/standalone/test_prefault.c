
/* Tests of ngx_shm_prefault(). */


#include "t_shmem.h"

#include <stdio.h>


#define POPULATE_WRITE  23      /* MADV_POPULATE_WRITE, since Linux 5.14 */


/* The number of pages of the memory to which the kernel has given memory. */

static ngx_uint_t
resident(ngx_shm_t *shm)
{
    u_char      pages[64];
    size_t      i, size, n;

    size = (size_t) getpagesize();
    n = (shm->size + size - 1) / size;
    T_REQUIRE(n <= sizeof(pages) && mincore(shm->addr, shm->size, pages) == 0);

    for (i = size = 0; i < n; i++) {
        size += pages[i] & 1;
    }

    return size;
}


static void
prefault(void)
{
    ngx_shm_t  shm;

    t_shm_init(&shm, T_SIZE - 100);
    T_REQUIRE(ngx_shm_alloc(&shm) == NGX_OK);
    t_log_clear();

    memset(shm.addr + 5000, 0xa5, 10000);
    T_OK(resident(&shm) < 6);

    T_EQ(ngx_shm_prefault(&shm), NGX_OK);
    T_EQ(resident(&shm), T_SIZE / (size_t) getpagesize());

    T_OK(t_is_filled(shm.addr, 5000, 0));
    T_OK(t_is_filled(shm.addr + 5000, 10000, 0xa5));
    T_OK(t_is_filled(shm.addr + 15000, T_SIZE - 15100, 0));

    T_EQ(ngx_shm_prefault(&shm), NGX_OK);
    ngx_shm_free(&shm);
    T_EQ(t_logged(T_ANY, ""), 0);
}


static void
test_prefault(void)
{
    prefault();
}


static void
test_old_kernel(void)
{
    t_need_seccomp();
    t_fail_syscall_arg(SYS_madvise, EINVAL, 2, POPULATE_WRITE);
    prefault();
}


/* Another process counts in the memory meanwhile. */

static volatile ngx_atomic_t  *counter;
static volatile int           *stop;


static void
count(void)
{
    while (!*stop) {
        (void) ngx_atomic_fetch_add(counter, 1);
    }

    _exit(0);
}


static void
test_in_use(void)
{
    int             i;
    pid_t           pid;
    ngx_shm_t       shm;
    ngx_atomic_t    own;

    t_need_seccomp();
    t_fail_syscall_arg(SYS_madvise, EINVAL, 2, POPULATE_WRITE);

    t_shm_init(&shm, T_SIZE);
    T_REQUIRE(ngx_shm_alloc(&shm) == NGX_OK);
    counter = (ngx_atomic_t *) shm.addr;
    stop = t_shared(sizeof(int));
    pid = t_fork_run(count);

    for (own = 0, i = 0; i < 2000; i++) {
        T_REQUIRE(ngx_shm_prefault(&shm) == NGX_OK);

        /* A sum that was lost would make the number smaller. */

        T_REQUIRE(*counter >= own);
        own = ngx_atomic_fetch_add(counter, 1) + 1;
    }

    *stop = 1;
    T_EQ(t_wait(pid), 0);
    ngx_shm_free(&shm);
}


/* A mapping that is longer than its file: an access to its end raises SIGBUS. */

static void
no_memory(void)
{
    int        fd;
    ngx_shm_t  shm;

    t_shm_init(&shm, T_SIZE);
    fd = memfd_create("short", 0);
    T_REQUIRE(fd != -1);
    T_EQ(ftruncate(fd, T_SIZE / 2), 0);

    shm.addr = mmap(NULL, T_SIZE, PROT_READ|PROT_WRITE, MAP_SHARED, fd, 0);
    T_REQUIRE(shm.addr != MAP_FAILED);
    memset(shm.addr, 0xa5, T_SIZE / 2);

    T_EQ(ngx_shm_prefault(&shm), NGX_ERROR);
    T_EQ(t_loggedf(NGX_LOG_ALERT, "not all pages of the %d bytes of shared memory at "
                   "%016lX could be allocated (14: Bad address)", T_SIZE,
                   (unsigned long) shm.addr), 1);
    T_EQ(t_logged(T_ANY, ""), 1);
    T_OK(t_is_filled(shm.addr, T_SIZE / 2, 0xa5));

    munmap(shm.addr, T_SIZE);
    close(fd);
}


static void
test_no_memory(void)
{
    no_memory();
}


static void
test_no_memory_old_kernel(void)
{
    t_need_seccomp();
    t_fail_syscall_arg(SYS_madvise, EINVAL, 2, POPULATE_WRITE);
    no_memory();
}


static void
test_refused(void)
{
    ngx_shm_t  shm;

    T_EQ(ngx_shm_prefault(NULL), NGX_ERROR);

    t_shm_init(&shm, T_SIZE);
    T_EQ(ngx_shm_prefault(&shm), NGX_ERROR);
    T_EQ(t_logged(T_ANY, ""), 0);

    t_need_seccomp();
    T_REQUIRE(ngx_shm_alloc(&shm) == NGX_OK);
    t_fail_syscall_arg(SYS_madvise, ENOMEM, 2, POPULATE_WRITE);
    T_EQ(ngx_shm_prefault(&shm), NGX_ERROR);
    T_EQ(t_logged(NGX_LOG_ALERT, "could be allocated (12: Cannot allocate memory)"), 1);
    ngx_shm_free(&shm);
}


int
main(void)
{
    t_begin();

    t_run("all pages are allocated", test_prefault);
    t_run("all pages are allocated, with an old kernel", test_old_kernel);
    t_run("another process uses the memory", test_in_use);
    t_run("a page cannot be allocated", test_no_memory);
    t_run("a page cannot be allocated, with an old kernel", test_no_memory_old_kernel);
    t_run("no memory, and no address", test_refused);

    return t_end();
}
