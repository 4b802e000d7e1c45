
/* ngx_shm_alloc(), ngx_shm_free(). */


#include "test.h"

#include <stdio.h>


/* the backend that the object under test was built with */

#if defined(T_SHMEM_map_devzero)

#define T_ALLOC    "mmap(/dev/zero, MAP_SHARED, %lu) failed"

#elif defined(T_SHMEM_sysvshm)

#define T_ALLOC    "shmget(%lu) failed"
#define T_SYSV     1

#elif (NGX_HAVE_MAP_ANON)

#define T_ALLOC    "mmap(MAP_ANON|MAP_SHARED, %lu) failed"

#elif (NGX_HAVE_MAP_DEVZERO)

#define T_ALLOC    "mmap(/dev/zero, MAP_SHARED, %lu) failed"

#else

#define T_ALLOC    "shmget(%lu) failed"
#define T_SYSV     1

#endif


#define T_SIZE     65536


static void
shm_init(ngx_shm_t *shm, size_t size)
{
    memset(shm, 0, sizeof(ngx_shm_t));

    shm->size = size;
    shm->log = t_log();
    ngx_str_set(&shm->name, "zone");
}


static int
is_mapped(void *addr)
{
    unsigned char  vec;

    return mincore(addr, 1, &vec) == 0;
}


static int
is_zero(const u_char *p, size_t size)
{
    size_t  i;

    for (i = 0; i < size; i++) {

        if (p[i] != 0) {
            return 0;
        }
    }

    return 1;
}


static void
test_alloc(void)
{
    u_char     *addr;
    ngx_shm_t   shm;

    shm_init(&shm, T_SIZE);

    T_REQUIRE(ngx_shm_alloc(&shm) == NGX_OK);
    T_OK(shm.addr != NULL);
    T_EQ((uintptr_t) shm.addr % (size_t) getpagesize(), 0);
    T_EQ(shm.size, T_SIZE);
    T_EQ(shm.name.len, 4);
    T_OK(shm.log == t_log());
    T_EQ(shm.exists, 0);
    T_OK(is_zero(shm.addr, T_SIZE));

    memset(shm.addr, 0xa5, T_SIZE);

    addr = shm.addr;
    T_OK(is_mapped(addr));
    ngx_shm_free(&shm);
    T_OK(!is_mapped(addr));

    T_EQ(t_logged(NGX_LOG_ALERT, ""), 0);
}


static void
test_odd_size(void)
{
    ngx_shm_t  shm;

    shm_init(&shm, 5000);

    T_REQUIRE(ngx_shm_alloc(&shm) == NGX_OK);
    T_EQ((uintptr_t) shm.addr % (size_t) getpagesize(), 0);
    T_EQ(shm.size, 5000);
    T_OK(is_zero(shm.addr, 5000));

    shm.addr[4999] = 1;

    ngx_shm_free(&shm);

    T_EQ(t_logged(NGX_LOG_ALERT, ""), 0);
}


static void
test_one_byte(void)
{
    ngx_shm_t  shm;

    shm_init(&shm, 1);

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
    shm_init(&shm, size);

    /* pages come when they are touched */

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

    shm_init(&a, T_SIZE);
    shm_init(&b, T_SIZE);

    T_REQUIRE(ngx_shm_alloc(&a) == NGX_OK);
    T_REQUIRE(ngx_shm_alloc(&b) == NGX_OK);
    T_OK(a.addr + T_SIZE <= b.addr || b.addr + T_SIZE <= a.addr);

    memset(a.addr, 1, T_SIZE);
    T_OK(is_zero(b.addr, T_SIZE));

    ngx_shm_free(&a);
    T_OK(is_mapped(b.addr));
    ngx_shm_free(&b);
}


static void
test_shared(void)
{
    int        i;
    pid_t      pid[4];
    ngx_shm_t  shm;

    shm_init(&shm, T_SIZE);
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

    shm_init(&shm, T_SIZE);
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
    shm_init(&shm, T_SIZE);

    T_REQUIRE(ngx_shm_alloc(&shm) == NGX_OK);
    T_EQ(t_open_fds(), n);

    ngx_shm_free(&shm);
    T_EQ(t_open_fds(), n);
}


static void
test_worker(void)
{
    static ngx_shm_t  shm;

    /* as a module does: allocate before the workers are spawned */

    shm_init(&shm, T_SIZE);
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
 * The lines of /proc/sysvipc/shm begin with: key shmid perms size cpid.
 * A segment is marked for removal as soon as it is attached, so that it goes
 * with its last process, however that one ends.
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

    shm_init(&shm, T_SIZE);
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
        shm_init(&shm, T_SIZE);

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

    shm_init(&shm, SIZE_MAX);
    T_EQ(ngx_shm_alloc(&shm), NGX_ERROR);
    T_EQ(segments_of(getpid()), 0);
}


/* Failures. */

static void
fails(size_t size)
{
    ngx_shm_t  shm;

    shm_init(&shm, size);

    T_EQ(ngx_shm_alloc(&shm), NGX_ERROR);
    T_EQ(t_loggedf(NGX_LOG_ALERT, T_ALLOC " (", (unsigned long) size), 1);
    T_EQ(t_logged(T_ANY, ""), 1);
}


static void
fails_with_null(size_t size)
{
    ngx_shm_t  shm;

    shm_init(&shm, size);

    T_EQ(ngx_shm_alloc(&shm), NGX_ERROR);
    T_OK(shm.addr == NULL);

    t_log_clear();
    ngx_shm_free(&shm);
    T_EQ(t_logged(T_ANY, ""), 0);
}


static void
test_zero(void)
{
    fails(0);
}


static void
test_size_max(void)
{
    fails(SIZE_MAX);
}


static void
test_too_large(void)
{
    fails(SIZE_MAX / 2);
}


static void
test_zero_null(void)
{
    fails_with_null(0);
}


static void
test_size_max_null(void)
{
    fails_with_null(SIZE_MAX);
}


static void
test_free_null(void)
{
    ngx_shm_t  shm;

    shm_init(&shm, 0);
    ngx_shm_free(&shm);

    shm_init(&shm, SIZE_MAX);
    ngx_shm_free(&shm);

    T_EQ(t_logged(T_ANY, ""), 0);
}


static void
test_free_null_of_some_size(void)
{
    ngx_shm_t  shm;

    shm_init(&shm, T_SIZE);
    ngx_shm_free(&shm);

#if (T_SYSV && T_NGINX)
    T_EQ(t_logged(NGX_LOG_ALERT, "shmdt("), 1);
#else
    T_EQ(t_logged(T_ANY, ""), 0);
#endif
}


static void
test_free_unaligned(void)
{
    u_char     *addr;
    ngx_shm_t   shm;

    shm_init(&shm, T_SIZE);
    T_REQUIRE(ngx_shm_alloc(&shm) == NGX_OK);

    addr = shm.addr;
    shm.addr = addr + 1;
    ngx_shm_free(&shm);

#if (T_SYSV)
    T_EQ(t_loggedf(NGX_LOG_ALERT, "shmdt(%016lX) failed (22: ",
                   (unsigned long) addr + 1), 1);
#else
    T_EQ(t_loggedf(NGX_LOG_ALERT, "munmap(%016lX, %d) failed (22: ",
                   (unsigned long) addr + 1, T_SIZE), 1);
#endif

    T_OK(is_mapped(addr));
    shm.addr = addr;
    ngx_shm_free(&shm);
    T_EQ(t_logged(NGX_LOG_ALERT, ""), 1);
}


#if !(T_NGINX)

#define T_HUGE  (8 * 1024 * 1024)


/* Whether the file chooses the option: "never [advise]". */

static int
is_chosen(const char *path, const char *option)
{
    int    fd;
    char   text[256], chosen[32];
    ssize_t  n;

    fd = open(path, O_RDONLY|O_CLOEXEC);
    if (fd == -1) {
        return 0;
    }

    n = read(fd, text, sizeof(text) - 1);
    close(fd);

    text[n < 0 ? 0 : n] = '\0';
    snprintf(chosen, sizeof(chosen), "[%s]", option);

    return strstr(text, chosen) != NULL;
}


/* Whether what lies at addr is made of huge pages. */

static int
is_huge(void *addr)
{
    int   here;
    char  line[512], start[32];
    FILE  *f;

    f = fopen("/proc/self/smaps", "re");
    T_REQUIRE(f != NULL);

    here = 0;
    snprintf(start, sizeof(start), "%lx-", (unsigned long) addr);

    while (fgets(line, sizeof(line), f) != NULL) {

        if (strncmp(line, start, strlen(start)) == 0) {
            here = 1;
        }

        if (here && strncmp(line, "ShmemPmdMapped:", 15) == 0) {
            fclose(f);
            return atol(line + 15) > 0;
        }
    }

    fclose(f);

    return 0;
}


static void
test_huge_pages(void)
{
    size_t       i;
    ngx_uint_t   refused;
    const char  *shmem, *size;
    ngx_shm_t    shm;

    shmem = "/sys/kernel/mm/transparent_hugepage/shmem_enabled";
    size = "/sys/kernel/mm/transparent_hugepage/hugepages-2048kB/shmem_enabled";

    refused = is_chosen(size, "never")
              || (!is_chosen(size, "always") && !is_chosen(size, "advise")
                  && !is_chosen(size, "within_size")
                  && !is_chosen(shmem, "always") && !is_chosen(shmem, "advise")
                  && !is_chosen(shmem, "within_size")
                  && !is_chosen(shmem, "force"));

    shm_init(&shm, T_HUGE);
    ngx_ipc_huge_pages = 1;
    T_EQ(ngx_shm_alloc(&shm), NGX_OK);
    ngx_ipc_huge_pages = 0;

    T_EQ(t_logged(NGX_LOG_WARN, ""), refused);
    T_EQ(t_logged(NGX_LOG_WARN, "no huge pages are used"), refused);

    T_OK(is_zero(shm.addr, T_HUGE));

    for (i = 0; i < T_HUGE; i += 4096) {
        shm.addr[i] = 1;
    }

    T_EQ(is_huge(shm.addr), !refused);

    ngx_shm_free(&shm);
}


/* What is not asked for, or too small, is as ever. */

static void
test_no_huge_pages(void)
{
    ngx_shm_t  shm;

    shm_init(&shm, T_HUGE);
    T_EQ(ngx_shm_alloc(&shm), NGX_OK);
    memset(shm.addr, 1, T_HUGE);
    T_EQ(is_huge(shm.addr),
         is_chosen("/sys/kernel/mm/transparent_hugepage/shmem_enabled",
                   "always"));
    ngx_shm_free(&shm);

    ngx_ipc_huge_pages = 1;
    shm_init(&shm, T_SIZE);
    T_EQ(ngx_shm_alloc(&shm), NGX_OK);
    ngx_shm_free(&shm);
    ngx_ipc_huge_pages = 0;

    T_EQ(t_logged(NGX_LOG_WARN, ""), 0);
}

#endif


int
main(void)
{
    t_begin();

    t_run("memory is aligned, zeroed and writable", test_alloc);
    t_run("a size that is no multiple of a page", test_odd_size);
    t_run("one byte", test_one_byte);
    t_run("1 GiB, of which little is touched", test_large);
    t_run("two allocations are two", test_two);
    t_run("children and parent see each other's bytes", test_shared);
    t_run("a child's free is the child's", test_freed_in_child);
    t_run("no descriptor is kept", test_no_descriptors_left);
    t_run("what a killed worker wrote is there", test_worker);

    t_run("no segment is left by a free", test_segment_freed);
    t_run("no segment is left by a kill", test_segment_of_killed);
    t_run("no segment is left by a failure", test_segment_of_failed);

    t_run("size 0", test_zero);
    t_run("size SIZE_MAX", test_size_max);
    t_run("size SIZE_MAX / 2", test_too_large);
    t_run("D29 size 0 leaves no address", test_zero_null);
    t_run("D29 size SIZE_MAX leaves no address", test_size_max_null);
    t_run("D29 free of NULL", test_free_null);
    t_run("free of NULL of some size", test_free_null_of_some_size);
    t_run("free of an address that is not aligned", test_free_unaligned);

#if !(T_NGINX)
    t_run("huge pages", test_huge_pages);
    t_run("no huge pages", test_no_huge_pages);
#endif

    return t_end();
}
