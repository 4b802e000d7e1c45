
/* Tests of ngx_shm_alloc() and ngx_shm_free(). */


#include "t_shmem.h"

#include <stdio.h>


static void
test_alloc(void)
{
    u_char     *addr;
    ngx_shm_t   shm;

    t_shm_init(&shm, T_SIZE);

    T_REQUIRE(ngx_shm_alloc(&shm) == NGX_OK);
    T_OK(shm.addr != NULL);
    T_EQ((uintptr_t) shm.addr % (size_t) getpagesize(), 0);
    T_EQ(shm.size, T_SIZE);
    T_EQ(shm.name.len, 4);
    T_OK(shm.log == t_log());
    T_EQ(shm.exists, 0);
    T_OK(t_is_filled(shm.addr, T_SIZE, 0));

    memset(shm.addr, 0xa5, T_SIZE);

    addr = shm.addr;
    T_OK(t_is_mapped(addr));
    ngx_shm_free(&shm);
    T_OK(!t_is_mapped(addr));

    T_EQ(t_logged(NGX_LOG_ALERT, ""), 0);
}


static void
test_odd_size(void)
{
    ngx_shm_t  shm;

    t_shm_init(&shm, 5000);

    T_REQUIRE(ngx_shm_alloc(&shm) == NGX_OK);
    T_EQ((uintptr_t) shm.addr % (size_t) getpagesize(), 0);
    T_EQ(shm.size, 5000);
    T_OK(t_is_filled(shm.addr, 5000, 0));

    shm.addr[4999] = 1;

    ngx_shm_free(&shm);

    T_EQ(t_logged(NGX_LOG_ALERT, ""), 0);
}


static void
test_one_byte(void)
{
    ngx_shm_t  shm;

    t_shm_init(&shm, 1);

    T_REQUIRE(ngx_shm_alloc(&shm) == NGX_OK);
    shm.addr[0] = 1;
    ngx_shm_free(&shm);

    T_EQ(t_logged(NGX_LOG_ALERT, ""), 0);
}


static void
test_large(void)
{
    size_t     size;
    ngx_shm_t  shm;

    size = (size_t) 1024 * 1024 * 1024;
    t_shm_init(&shm, size);

    /* The kernel allocates pages when the process first accesses them. */

    T_REQUIRE(ngx_shm_alloc(&shm) == NGX_OK);
    T_EQ(shm.addr[0], 0);
    T_EQ(shm.addr[size - 1], 0);
    shm.addr[0] = 1;
    shm.addr[size - 1] = 2;
    T_EQ(shm.addr[0], 1);
    T_EQ(shm.addr[size - 1], 2);

    ngx_shm_free(&shm);

    T_EQ(t_logged(NGX_LOG_ALERT, ""), 0);
}


static void
test_two(void)
{
    ngx_shm_t  a, b;

    t_shm_init(&a, T_SIZE);
    t_shm_init(&b, T_SIZE);

    T_REQUIRE(ngx_shm_alloc(&a) == NGX_OK);
    T_REQUIRE(ngx_shm_alloc(&b) == NGX_OK);
    T_OK(a.addr + T_SIZE <= b.addr || b.addr + T_SIZE <= a.addr);

    memset(a.addr, 1, T_SIZE);
    T_OK(t_is_filled(b.addr, T_SIZE, 0));

    ngx_shm_free(&a);
    T_OK(t_is_mapped(b.addr));
    ngx_shm_free(&b);
}


static void
test_shared(void)
{
    int        i;
    pid_t      pid[4];
    ngx_shm_t  shm;

    t_shm_init(&shm, T_SIZE);
    T_REQUIRE(ngx_shm_alloc(&shm) == NGX_OK);
    memset(shm.addr, 7, T_SIZE);

    for (i = 0; i < 4; i++) {
        pid[i] = fork();

        if (pid[i] == 0) {

            if (shm.addr[0] != 7 || shm.addr[T_SIZE - 1] != 7) {
                _exit(1);
            }

            shm.addr[100 + i] = (u_char) (i + 1);
            _exit(0);
        }
    }

    for (i = 0; i < 4; i++) {
        T_EQ(t_wait(pid[i]), 0);
        T_EQ(shm.addr[100 + i], i + 1);
    }

    ngx_shm_free(&shm);
}


static void
test_freed_in_child(void)
{
    pid_t      pid;
    ngx_shm_t  shm;

    t_shm_init(&shm, T_SIZE);
    T_REQUIRE(ngx_shm_alloc(&shm) == NGX_OK);
    shm.addr[0] = 7;

    pid = fork();

    if (pid == 0) {
        ngx_shm_free(&shm);
        _exit(0);
    }

    T_EQ(t_wait(pid), 0);
    T_EQ(shm.addr[0], 7);

    ngx_shm_free(&shm);

    T_EQ(t_logged(NGX_LOG_ALERT, ""), 0);
}


static void
test_no_descriptors_left(void)
{
    int        n;
    ngx_shm_t  shm;

    n = t_open_fds();
    t_shm_init(&shm, T_SIZE);

    T_REQUIRE(ngx_shm_alloc(&shm) == NGX_OK);
    T_EQ(t_open_fds(), n);

    ngx_shm_free(&shm);
    T_EQ(t_open_fds(), n);
}


static void
test_worker(void)
{
    static ngx_shm_t  shm;

    /*
     * The master allocates before it spawns the workers, as nginx's modules
     * do, so that the workers share the memory.
     */

    t_shm_init(&shm, T_SIZE);
    T_REQUIRE(ngx_shm_alloc(&shm) == NGX_OK);

    if (fork() == 0) {
        shm.addr[8] = 9;
        kill(getpid(), SIGKILL);
    }

    T_OK(waitpid(-1, NULL, 0) > 0);
    T_EQ(shm.addr[8], 9);

    ngx_shm_free(&shm);
}


/*
 * Returns the number of System V segments that the process has created.  The
 * library marks a segment for removal when it has attached the segment.  So
 * the kernel removes it when the last process detaches it, also when that
 * process is killed (shmctl(2)).
 */

static int
segments_of(pid_t pid)
{
    int    cpid, n;
    FILE  *f;
    char   line[512];

    f = fopen("/proc/sysvipc/shm", "r");

    if (f == NULL) {
        t_skip("no System V shared memory");
    }

    n = 0;

    while (fgets(line, sizeof(line), f)) {

        if (sscanf(line, "%*d %*d %*o %*u %d", &cpid) == 1 && cpid == pid) {
            n++;
        }
    }

    fclose(f);

    return n;
}


static void
test_segment_freed(void)
{
    ngx_shm_t  shm;

    T_EQ(segments_of(getpid()), 0);

    t_shm_init(&shm, T_SIZE);
    T_REQUIRE(ngx_shm_alloc(&shm) == NGX_OK);

#if (T_SYSV)
    T_EQ(segments_of(getpid()), 1);
    T_EQ(t_logged(NGX_LOG_DEBUG, "shmget id: "), 1);
#else
    T_EQ(segments_of(getpid()), 0);
    T_EQ(t_logged(T_ANY, ""), 0);
#endif

    ngx_shm_free(&shm);
    T_EQ(segments_of(getpid()), 0);
}


static void
test_segment_of_killed(void)
{
    int        status;
    pid_t      pid;
    ngx_shm_t  shm;

    pid = fork();

    if (pid == 0) {
        t_shm_init(&shm, T_SIZE);

        if (ngx_shm_alloc(&shm) != NGX_OK) {
            _exit(1);
        }

        kill(getpid(), SIGKILL);
    }

    status = t_wait(pid);

    T_OK(WIFSIGNALED(status));
    T_EQ(segments_of(pid), 0);
}


static void
test_segment_of_failed(void)
{
    ngx_shm_t  shm;

    t_shm_init(&shm, SIZE_MAX);
    T_EQ(ngx_shm_alloc(&shm), NGX_ERROR);
    T_EQ(segments_of(getpid()), 0);
}


int
main(void)
{
    t_begin();

    t_run("memory is aligned, zeroed and writable", test_alloc);
    t_run("a size that is no multiple of a page", test_odd_size);
    t_run("one byte", test_one_byte);
    t_run("1 GiB of which few pages are touched", test_large);
    t_run("two allocations are two", test_two);
    t_run("memory is shared by parent and children", test_shared);
    t_run("ngx_shm_free() in a child does not affect the parent",
          test_freed_in_child);
    t_run("no descriptor is kept", test_no_descriptors_left);
    t_run("memory that a killed worker wrote", test_worker);
    t_run("no segment is left by a free", test_segment_freed);
    t_run("no segment is left by a kill", test_segment_of_killed);
    t_run("no segment is left by a failure", test_segment_of_failed);

    return t_end();
}
