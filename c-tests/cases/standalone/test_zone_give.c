
/*
 * Tests of zones that a process gives to another one, ngx_ipc_zone_fd() and
 * ngx_ipc_zone_attach().  The other process is this program, executed again.
 */


#include "t_zone.h"

#include <ngx_ipc_counters.h>
#include <stdio.h>


/* A zone without a program around it, in a sealed file. */

#define SEALS  (F_SEAL_SHRINK|F_SEAL_GROW|F_SEAL_SEAL)

static char             *program;      /* the path of this program */

static int               fd;
static u_char           *old;
static ngx_slab_pool_t  *pool;
static ngx_shm_t         shm;


/* What the zone of the other tests contains. */

typedef struct {
    ngx_atomic_t  sum;
    u_char       *bytes;
    u_char        counters[];
} root_t;

enum { REQUESTS, ACTIVE };

#define PROCESSES  8


static void
make_zone(int seals)
{
    fd = memfd_create("zone", MFD_ALLOW_SEALING|MFD_CLOEXEC);
    T_REQUIRE(fd != -1);
    T_EQ(ftruncate(fd, SIZE), 0);
    T_EQ(fcntl(fd, F_ADD_SEALS, seals), 0);

    /* Nothing else is mapped there. */

    old = mmap((void *) 0x200000000000, SIZE, PROT_READ|PROT_WRITE, MAP_SHARED, fd, 0);
    T_REQUIRE(old != MAP_FAILED);

    pool = (ngx_slab_pool_t *) old;
    pool->end = old + SIZE;
    pool->min_shift = 3;
    pool->addr = old;
    T_EQ(ngx_shmtx_create(&pool->mutex, &pool->lock, NULL), NGX_OK);
    ngx_slab_init(pool);

    pool->data = ngx_slab_alloc(pool, 100);
    T_REQUIRE(pool->data != NULL);
    memset(pool->data, 7, 100);

    t_log_clear();
    memset(&shm, 0, sizeof(shm));
    shm.log = t_log();
}


static void
end_zone(void)
{
    munmap(old, SIZE);
    close(fd);
}


static void
test_attach(void)
{
    int     fds;
    u_char *data;

    make_zone(SEALS);
    data = pool->data;
    munmap(old, SIZE);
    fds = t_open_fds();

    T_EQ(ngx_ipc_zone_attach(&shm, fd, 0), NGX_OK);
    T_OK(shm.addr == old && shm.size == SIZE && shm.exists == 1);
    T_EQ(t_open_fds(), fds);

    T_OK(pool->data == data && t_is_filled(data, 100, 7));
    ngx_slab_free(pool, data);
    T_OK(ngx_slab_alloc(pool, 100) == data);
    T_EQ(pool->lock.lock, 0);

    /* The same zone a second time. */

    shm.addr = NULL;
    T_EQ(ngx_ipc_zone_attach(&shm, fd, 0), NGX_ERROR);
    shm.addr = old;

    ngx_ipc_zone_detach(&shm);
    T_OK(shm.addr == NULL);
    T_OK(!t_is_mapped(old));
    ngx_ipc_zone_detach(&shm);
    ngx_ipc_zone_detach(NULL);

    T_EQ(t_logged(NGX_LOG_ERR, "its address is not free in this process"), 1);
    T_EQ(t_logged(NGX_LOG_ALERT, ""), 0);
    close(fd);
}


static void
test_attach_read_only(void)
{
    off_t    at;
    u_char  *far;

    make_zone(SEALS);
    munmap(old, SIZE);

    T_EQ(ngx_ipc_zone_attach(&shm, fd, NGX_IPC_ZONE_READ_ONLY), NGX_OK);
    T_OK(shm.addr == old && t_is_filled(pool->data, 100, 7));
    T_EQ(ngx_slab_verify(pool, NULL), NGX_OK);

    /* What a process writes to the header later does not lead out of the zone. */

    far = pool->end + ((size_t) 1 << 40);
    at = (u_char *) &pool->end - (u_char *) pool;
    T_EQ(pwrite(fd, &far, sizeof(far), at), (ssize_t) sizeof(far));
    at = (u_char *) &pool->last - (u_char *) pool;
    T_EQ(pwrite(fd, &far, sizeof(far), at), (ssize_t) sizeof(far));
    T_OK(pool->end == far);
    T_EQ(ngx_slab_verify(pool, NULL), NGX_ERROR);

    ngx_ipc_zone_detach(&shm);
    T_OK(!t_is_mapped(old));
    T_EQ(t_logged(NGX_LOG_ERR, ""), 0);
    close(fd);
}


/* Neither way attaches the zone; why is the reason in the log. */

static void
refused(int number, const char *why)
{
    int         fds;
    ngx_uint_t  flags;

    fds = t_open_fds();

    for (flags = 0; flags <= NGX_IPC_ZONE_READ_ONLY; flags++) {
        t_log_clear();
        shm.addr = (u_char *) 1;

        T_EQ(ngx_ipc_zone_attach(&shm, number, flags), NGX_ERROR);
        T_OK(shm.addr == NULL);
        T_EQ(t_loggedf(NGX_LOG_ERR, "the zone of descriptor %d cannot be attached: %s",
                       number, why), 1);
    }

    T_EQ(t_open_fds(), fds);
}


static void
test_other_files(void)
{
    int           p[2], null, small;
    size_t        i;
    const char   *why = "it is no file in memory whose size is final";

    static const int  seals[] = {
        0, F_SEAL_SHRINK, F_SEAL_SHRINK|F_SEAL_GROW, F_SEAL_GROW|F_SEAL_SEAL
    };

    for (i = 0; i < t_nitems(seals); i++) {
        make_zone(seals[i]);
        munmap(old, SIZE);
        refused(fd, why);
        T_OK(!t_is_mapped(old));
        close(fd);
    }

    null = open("/dev/null", O_RDWR);
    T_REQUIRE(null != -1 && pipe(p) == 0);
    refused(null, why);
    refused(p[0], why);
    refused(1000000, why);
    refused(-1, why);

    small = memfd_create("small", MFD_ALLOW_SEALING);
    T_REQUIRE(small != -1 && ftruncate(small, 100) == 0);
    T_EQ(fcntl(small, F_ADD_SEALS, SEALS), 0);
    refused(small, "it is too small");

    T_EQ(ngx_ipc_zone_attach(NULL, small, 0), NGX_ERROR);

    close(null);
    close(p[0]);
    close(p[1]);
    close(small);
}


static void
test_address(void)
{
    make_zone(SEALS);
    refused(fd, "its address is not free in this process");
    T_OK(t_is_mapped(old));
    end_zone();
}


static void
test_damaged(void)
{
    size_t  i, step;

    step = t_under_valgrind() ? 128 : 8;

    /* Fields of the header that do not change, and then what is behind them. */

    for (i = 0; i < 2000; i += step) {
        make_zone(SEALS);
        memset(old + i, 0x55, 8);

        if (i < 2 * sizeof(ngx_atomic_t) || ngx_slab_verify(pool, NULL) == NGX_OK) {
            end_zone();             /* the lock, and texts */
            continue;
        }

        munmap(old, SIZE);
        refused(fd, "it is damaged");
        T_OK(!t_is_mapped(old));
        close(fd);
    }

    for (i = 0; i < 3; i++) {
        make_zone(SEALS);

        switch (i) {
        case 0:
            pool->addr = old + 4096;
            break;
        case 1:
            pool->end--;
            break;
        default:
            pool->addr = NULL;
            pool->end = (u_char *) SIZE;
        }

        munmap(old, SIZE);
        refused(fd, "it is damaged");
        close(fd);
    }
}


static void
test_locked(void)
{
    make_zone(SEALS);
    ngx_shmtx_lock(&pool->mutex);
    munmap(old, SIZE);

    /* A process that only reads does not need the lock. */

    T_EQ(ngx_ipc_zone_attach(&shm, fd, NGX_IPC_ZONE_READ_ONLY), NGX_OK);
    ngx_ipc_zone_detach(&shm);

    T_EQ(ngx_ipc_zone_attach(&shm, fd, 0), NGX_ERROR);
    T_EQ(t_logged(NGX_LOG_ERR, "cannot be attached: its lock is held"), 1);
    T_OK(!t_is_mapped(old));
    close(fd);
}


/* The tests of whole programs */


static root_t *
root(void)
{
    return zone->data;
}


static void
start(void)
{
    memset(&type, 0, sizeof(type));
    ngx_str_set(&type.name, "root");
    type.version = 1;
    type.root_size = sizeof(root_t) + ngx_ipc_counters_size(1, 1, PROCESSES);
    size = SIZE;
    keep = 1;
}


static int
is_cloexec(int number)
{
    return fcntl(number, F_GETFD) == FD_CLOEXEC;
}


static ngx_int_t
check_read_only(ngx_cycle_t *cycle)
{
    int     n, fds, again;
    char    path[32];
    u_char *p;

    fds = t_open_fds();
    n = ngx_ipc_zone_fd(zone, NGX_IPC_ZONE_READ_ONLY);
    T_REQUIRE(n > STDERR_FILENO);
    T_OK(is_cloexec(n));

    T_EQ(fcntl(n, F_GETFL) & O_ACCMODE, O_RDONLY);
    T_EQ(fcntl(n, F_GET_SEALS) & SEALS, SEALS);
    T_OK(write(n, "x", 1) == -1 && errno == EBADF);
    T_OK(pwrite(n, "x", 1, 0) == -1 && errno == EBADF);
    T_OK(ftruncate(n, 0) == -1);
    T_OK(fallocate(n, FALLOC_FL_PUNCH_HOLE|FALLOC_FL_KEEP_SIZE, 0, SIZE) == -1);

    p = mmap(NULL, SIZE, PROT_READ|PROT_WRITE, MAP_SHARED, n, 0);
    T_OK(p == MAP_FAILED && errno == EACCES);

    p = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, n, 0);
    T_REQUIRE(p != MAP_FAILED);
    T_OK(mprotect(p, SIZE, PROT_READ|PROT_WRITE) == -1 && errno == EACCES);
    T_EQ(memcmp(p, zone->shm.addr, SIZE), 0);
    munmap(p, SIZE);

    /* The file is opened again by a process of another user, and of the same one. */

    snprintf(path, sizeof(path), "/proc/self/fd/%d", n);

    if (geteuid() == 0) {
        T_EQ(seteuid(65534), 0);
        T_OK(open(path, O_RDWR) == -1 && errno == EACCES);
        again = ngx_ipc_zone_fd(zone, NGX_IPC_ZONE_READ_ONLY);
        T_OK(again != -1);
        close(again);
        T_EQ(seteuid(0), 0);

    } else {
        T_OK(open(path, O_RDWR) == -1 && errno == EACCES);
    }

    close(n);
    T_EQ(t_open_fds(), fds);
    _exit(0);
}


static void
test_read_only(void)
{
    start();
    T_EQ(run(check_read_only), 0);
    T_OK(!logged("cannot be given"));
}


static ngx_int_t
check_writable(ngx_cycle_t *cycle)
{
    int     n;
    u_char *p;

    n = ngx_ipc_zone_fd(zone, 0);
    T_REQUIRE(n > STDERR_FILENO);
    T_OK(is_cloexec(n));
    T_OK(ftruncate(n, 0) == -1 && errno == EPERM);
    T_OK(ftruncate(n, 2 * SIZE) == -1 && errno == EPERM);

    p = mmap(NULL, SIZE, PROT_READ|PROT_WRITE, MAP_SHARED, n, 0);
    T_REQUIRE(p != MAP_FAILED);
    ((root_t *) (p + ((u_char *) root() - zone->shm.addr)))->sum = 5;
    T_EQ(root()->sum, 5);
    munmap(p, SIZE);
    close(n);

    T_EQ(ngx_ipc_zone_fd(NULL, 0), -1);

    t_no_more_fds();
    T_EQ(ngx_ipc_zone_fd(zone, 0), -1);
    T_EQ(ngx_ipc_zone_fd(zone, NGX_IPC_ZONE_READ_ONLY), -1);
    _exit(0);
}


static void
test_writable(void)
{
    start();
    t_need_fds_limit();
    T_EQ(run(check_writable), 0);
    T_OK(logged("[error]"));
    T_OK(logged("the zone \"accounts\" cannot be given: opening its file failed "
                "(24: Too many open files)"));
}


static ngx_int_t
check_no_file(ngx_cycle_t *cycle)
{
    T_EQ(ngx_ipc_zone_fd(zone, 0), -1);
    T_EQ(ngx_ipc_zone_fd(zone, NGX_IPC_ZONE_READ_ONLY), -1);
    _exit(0);
}


static void
test_no_file(void)
{
    start();
    keep = 0;
    T_EQ(run(check_no_file), 0);
    T_OK(logged("the zone \"accounts\" cannot be given: its memory is no file in memory, "
                "see keep_zones"));
}


/*
 * A process that is no relative gets a descriptor through the socket s, and attaches the
 * zone.  It answers with one byte for each step.
 */

static int
receive(int s)
{
    int             number;
    char            byte;
    struct iovec    iov = { &byte, 1 };
    struct cmsghdr *control;

    union {
        struct cmsghdr  header;
        char            space[CMSG_SPACE(sizeof(int))];
    } room;

    struct msghdr   msg = {
        .msg_iov = &iov, .msg_iovlen = 1,
        .msg_control = room.space, .msg_controllen = sizeof(room.space)
    };

    if (recvmsg(s, &msg, MSG_CMSG_CLOEXEC) != 1 || (control = CMSG_FIRSTHDR(&msg)) == NULL) {
        return -1;
    }

    memcpy(&number, CMSG_DATA(control), sizeof(int));

    return number;
}


static int
stranger(int s, ngx_uint_t flags)
{
    int                  number;
    char                 byte;
    root_t              *there;
    ngx_shm_t            memory = { .log = NULL };
    ngx_slab_pool_t     *p;
    ngx_ipc_counters_t   counters;

    number = receive(s);

    if (number == -1 || ngx_ipc_zone_attach(&memory, number, flags) != NGX_OK) {
        return 10;
    }

    close(number);
    p = (ngx_slab_pool_t *) memory.addr;
    there = ((t_zone_header_t *) p->data)->root
            ? (root_t *) ((t_zone_header_t *) p->data)->root : NULL;

    if (there == NULL || there->sum != 40 || !t_is_filled(there->bytes, 1000, 0xee)
        || ngx_ipc_counters_init(&counters, there->counters, 1, 1, PROCESSES) != NGX_OK
        || ngx_ipc_counters_get(&counters, REQUESTS) != 3
        || ngx_ipc_counters_get(&counters, ACTIVE) != 2
        || ngx_slab_verify(p, NULL) != NGX_OK)
    {
        return 11;
    }

    if (flags == NGX_IPC_ZONE_READ_ONLY) {
        ngx_ipc_zone_detach(&memory);
        return memory.addr == NULL ? 0 : 12;
    }

    /* Both processes take the lock in turn, and allocate. */

    ngx_shmtx_lock(&p->mutex);
    there->sum += 2;
    ngx_slab_free_locked(p, there->bytes);
    there->bytes = ngx_slab_alloc_locked(p, 2000);
    memset(there->bytes, 0xdd, 2000);

    /* It says that it has the lock, and is killed with it. */

    if (send(s, "l", 1, 0) != 1 || recv(s, &byte, 1, 0) != 1) {
        return 13;
    }

    return 14;
}


static pid_t
start_stranger(int *s, int number, ngx_uint_t flags)
{
    char   text[16], how[2] = { (char) ('0' + flags), '\0' };
    pid_t  pid;

    T_REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET|SOCK_CLOEXEC, 0, s) == 0);
    pid = fork();
    T_REQUIRE(pid != -1);

    if (pid == 0) {
        snprintf(text, sizeof(text), "%d", s[1]);
        (void) fcntl(s[1], F_SETFD, 0);
        execl(program, "stranger", text, how, NULL);
        _exit(99);
    }

    close(s[1]);
    T_EQ(t_send(s[0], "z", 1, &number, 1), 1);

    return pid;
}


static void
fill(ngx_ipc_counters_t *counters)
{
    root()->sum = 40;
    root()->bytes = ngx_slab_alloc(pool_of(zone), 1000);
    T_REQUIRE(root()->bytes != NULL);
    memset(root()->bytes, 0xee, 1000);

    T_EQ(ngx_ipc_counters_init(counters, root()->counters, 1, 1, PROCESSES), NGX_OK);
    ngx_ipc_counters_add(counters, REQUESTS, 3);
    ngx_ipc_counters_add(counters, ACTIVE, 2);
}


static ngx_int_t
check_reader(ngx_cycle_t *cycle)
{
    int                 s[2], number;
    pid_t               pid;
    ngx_ipc_counters_t  counters;

    fill(&counters);
    number = ngx_ipc_zone_fd(zone, NGX_IPC_ZONE_READ_ONLY);
    T_REQUIRE(number != -1);

    pid = start_stranger(s, number, NGX_IPC_ZONE_READ_ONLY);
    T_EQ(t_wait(pid), 0);
    _exit(0);
}


static void
test_reader(void)
{
    start();
    T_EQ(run(check_reader), 0);
}


static ngx_int_t
check_writer(ngx_cycle_t *cycle)
{
    int                 s[2], number;
    char                byte;
    pid_t               pid;
    ngx_ipc_counters_t  counters;

    fill(&counters);
    number = ngx_ipc_zone_fd(zone, 0);
    T_REQUIRE(number != -1);

    pid = start_stranger(s, number, 0);
    T_EQ(recv(s[0], &byte, 1, 0), 1);
    T_EQ((pid_t) pool_of(zone)->lock.lock, pid);
    T_EQ(kill(pid, SIGKILL), 0);
    T_EQ(t_wait(pid), SIGKILL);

    /* This process waits for the lock, and gets it from the dead one. */

    ngx_shmtx_lock(&pool_of(zone)->mutex);
    T_EQ(root()->sum, 42);
    T_OK(t_is_filled(root()->bytes, 2000, 0xdd));
    ngx_shmtx_unlock(&pool_of(zone)->mutex);
    ngx_slab_free(pool_of(zone), root()->bytes);
    T_EQ(ngx_slab_verify(pool_of(zone), NULL), NGX_OK);
    _exit(0);
}


static void
test_writer(void)
{
    start();
    T_EQ(run(check_writer), 0);
    T_OK(logged("has exited and held the lock"));
}


int
main(int argc, char **argv)
{
    if (argc == 3) {
        return stranger(atoi(argv[1]), (ngx_uint_t) atoi(argv[2]));
    }

    program = realpath(argv[0], NULL);

    if (program == NULL) {
        return 1;
    }

    t_begin();

    t_run("a zone is attached", test_attach);
    t_run("a zone is attached to read", test_attach_read_only);
    t_run("other files are refused", test_other_files);
    t_run("the address is not free", test_address);
    t_run("a damaged zone is refused", test_damaged);
    t_run("another process holds the lock", test_locked);
    t_run("a descriptor to read", test_read_only);
    t_run("a descriptor to write", test_writable);
    t_run("a zone without a file", test_no_file);
    t_run("another program reads a zone", test_reader);
    t_run("another program is killed with the lock", test_writer);

    free(program);

    return t_end();
}
