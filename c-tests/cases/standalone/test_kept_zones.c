
/*
 * Tests of the zones that an old binary hands down.  The test is the old binary: it
 * makes a zone in a file in memory, and describes it in the environment variable.
 */


#include "t_logger.h"
#include "t_shmem.h"

#include <stdio.h>
#include <sys/mman.h>


#define SIZE   (16 * 4096 + 1)      /* not a multiple of a word */


static int               fd;
static u_char           *old;
static ngx_slab_pool_t  *pool;
static u_char           *data;

static ngx_core_conf_t   conf;
static ngx_shm_zone_t   *zone;
static ngx_uint_t        noreuse;
static size_t            size;
static int               taken;


/* Makes the zone of the old binary, which contains one piece of memory. */

static void
make_zone(void)
{
    fd = memfd_create("zone", MFD_ALLOW_SEALING);
    T_REQUIRE(fd != -1);
    T_EQ(ftruncate(fd, SIZE), 0);
    T_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK|F_SEAL_GROW|F_SEAL_SEAL), 0);

    /* Nothing else is mapped there. */

    old = mmap((void *) 0x200000000000, SIZE, PROT_READ|PROT_WRITE, MAP_SHARED,
               fd, 0);
    T_REQUIRE(old != MAP_FAILED);

    pool = (ngx_slab_pool_t *) old;
    pool->end = old + SIZE;
    pool->min_shift = 3;
    pool->addr = old;
    T_EQ(ngx_shmtx_create(&pool->mutex, &pool->lock, NULL), NGX_OK);
    ngx_slab_init(pool);

    data = ngx_slab_alloc(pool, 100);
    T_REQUIRE(data != NULL);
    memset(data, 7, 100);
    pool->data = data;

    size = SIZE;
    noreuse = 0;
    taken = 0;
}


static void
describe(const char *fmt, ...)
{
    char     text[256];
    va_list  args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    T_EQ(setenv("NGX_IPC_ZONES", text, 1), 0);
}


static ngx_int_t
init_zone(ngx_shm_zone_t *z, void *unused)
{
    T_OK(unused == NULL);
    taken = z->shm.exists;

    return NGX_OK;
}


static char *
init_conf(ngx_cycle_t *cycle, void *unused)
{
    ngx_str_t  name = ngx_string("a;b:1");

    zone = ngx_ipc_shared_memory_add(cycle, &name, size, &zone);
    T_REQUIRE(zone != NULL);
    zone->init = init_zone;
    zone->noreuse = noreuse;

    return NGX_CONF_OK;
}


/* The number of descriptors of the file of the old zone. */

static int
count_files(void)
{
    int      n, i;
    char     name[32], text[64];
    ssize_t  len;

    for (n = 0, i = STDERR_FILENO + 1; i < T_FDS_MAX; i++) {
        snprintf(name, sizeof(name), "/proc/self/fd/%d", i);
        len = readlink(name, text, sizeof(text) - 1);

        if (len > 0) {
            text[len] = '\0';
            n += (strncmp(text, "/memfd:zone", 11) == 0);
        }
    }

    return n;
}


/* Exits with 1 if the zone is that of the old binary, and with 0 if it is not. */

static ngx_int_t
init_process(ngx_cycle_t *cycle)
{
    ngx_slab_pool_t  *now;

    now = (ngx_slab_pool_t *) zone->shm.addr;

    T_OK(getenv("NGX_IPC_ZONES") == NULL);
    T_EQ(zone->shm.exists, 0);
    T_EQ(count_files(), taken);
    T_EQ(ngx_slab_verify(now, NULL), NGX_OK);
    T_OK(ngx_slab_alloc(now, 8) != NULL);

    if (taken) {
        T_OK(t_is_open(fd) && (fcntl(fd, F_GETFD) & FD_CLOEXEC));
        T_OK(now == pool && now->data == data && data[99] == 7);

    } else {
        T_OK(now != pool && now->data == NULL);
    }

    _exit(taken);
}


static ngx_core_module_t  context = {
    ngx_string("own"), NULL, init_conf
};

static ngx_module_t       own_module = {
    NGX_MODULE_V1,
    &context, NULL, NGX_CORE_MODULE,
    NULL, NULL, init_process, NULL, NULL, NULL, NULL,
    NGX_MODULE_V1_PADDING
};


/* Runs the new binary: a single process.  unmap says that the address is free. */

static int
run(int unmap)
{
    pid_t          pid;
    ngx_module_t  *modules[] = { &own_module, NULL };

    t_catch_stderr();

    pid = fork();
    T_REQUIRE(pid != -1);

    if (pid == 0) {
        if (unmap) {
            munmap(old, SIZE);
        }

        ngx_ipc_conf_init(&conf);
        conf.master = 0;
        conf.keep_zones = 1;
        conf.modules = modules;
        conf.error_log = "stderr";

        _exit(ngx_ipc_main(&conf, 0, NULL));
    }

    return WEXITSTATUS(t_wait(pid));
}


static void
describe_zone(void)
{
    describe("1;%d:%zu:%d:5:a;b:1", fd, (size_t) old, SIZE);
}


static void
end(void)
{
    unsetenv("NGX_IPC_ZONES");
    munmap(old, SIZE);
    close(fd);
}


static void
test_taken(void)
{
    make_zone();
    describe_zone();
    T_EQ(run(1), 1);
    T_EQ(t_lines(t_contents(STDERR_FILENO)), 0);

    /* The new binary has allocated a piece in the zone that both use. */

    T_EQ(ngx_slab_verify(pool, NULL), NGX_OK);
    T_OK(pool->stats[0].used == 1);
    end();
}


static void
refused(const char *why)
{
    char  line[256];

    snprintf(line, sizeof(line),
             "[warn] %%: the zone \"a;b:1\" of the old binary is not used: %s\n",
             why);
    T_OK(strstr(t_contents(STDERR_FILENO), strchr(line, ':')) != NULL);
    T_EQ(t_lines(t_contents(STDERR_FILENO)), 1);
}


static void
test_size(void)
{
    make_zone();
    describe_zone();
    size = 2 * SIZE;
    T_EQ(run(1), 0);
    refused("it has another size");
    end();
}


static void
test_address(void)
{
    make_zone();
    describe_zone();
    T_EQ(run(0), 0);
    refused("its address is not free in this process");
    end();
}


/* What the header must say is not changed, and the old binary still uses the zone. */

static void
test_header(void)
{
    size_t  i;

    static const size_t  fields[] = {
        offsetof(ngx_slab_pool_t, min_shift),
        offsetof(ngx_slab_pool_t, end),
        offsetof(ngx_slab_pool_t, mutex),
        offsetof(ngx_slab_pool_t, addr),
    };

    for (i = 0; i < t_nitems(fields); i++) {
        make_zone();
        describe_zone();
        old[fields[i]] ^= 1;
        T_EQ(run(1), 0);
        refused("it is damaged");
        T_EQ(pool->lock.lock, 0);

        old[fields[i]] ^= 1;
        T_EQ(ngx_slab_verify(pool, NULL), NGX_OK);
        end();
    }
}


static void
test_damaged(void)
{
    size_t  i;

    /* Bytes of the header, and of the descriptors behind it. */

    for (i = offsetof(ngx_slab_pool_t, pages); i < 2000;
         i += t_under_valgrind() ? 128 : 8)
    {
        make_zone();
        describe_zone();
        memset(old + i, 0x55, 8);

        if (ngx_slab_verify(pool, NULL) != NGX_OK) {
            T_EQ(run(1), 0);
            refused("it is damaged");
        }

        end();
    }
}


static void
test_locked(void)
{
    make_zone();
    describe_zone();
    ngx_shmtx_lock(&pool->mutex);
    T_EQ(run(1), 0);
    refused("its lock is held");
    T_OK(pool->lock.lock != 0);
    ngx_shmtx_unlock(&pool->mutex);
    end();
}


static void
test_noreuse(void)
{
    make_zone();
    describe_zone();
    noreuse = 1;
    T_EQ(run(1), 0);
    T_EQ(t_lines(t_contents(STDERR_FILENO)), 0);
    end();
}


/* A zone that the new binary does not declare is closed. */

static void
test_other_name(void)
{
    make_zone();
    describe("1;%d:%zu:%d:5:other", fd, (size_t) old, SIZE);
    T_EQ(run(1), 0);
    T_EQ(t_lines(t_contents(STDERR_FILENO)), 0);
    end();
}


static void
test_variable(void)
{
    size_t  i;

    static const char *const  texts[] = { "", "2", "1;", "1;9", "1x" };

    for (i = 0; i < t_nitems(texts); i++) {
        make_zone();
        close(fd);
        describe("%s", texts[i]);
        T_EQ(run(1), 0);
        T_OK(strstr(t_contents(STDERR_FILENO),
                    ": the zones of the old binary are not used: the environment"
                    " variable is not valid\n") != NULL);
        end();
    }

    /* Descriptors that are not zones. */

    make_zone();
    close(fd);
    describe("1;0:%zu:%d:5:a;b:1;77:4096:4096:1:c", (size_t) old, SIZE);
    T_EQ(run(1), 0);
    T_EQ(t_lines(t_contents(STDERR_FILENO)), 0);
    end();
}


int
main(void)
{
    t_begin();

    t_run("the zone of an old binary is used", test_taken);
    t_run("another size", test_size);
    t_run("the address is in use", test_address);
    t_run("a zone with another header", test_header);
    t_run("a damaged zone", test_damaged);
    t_run("a zone whose lock is held", test_locked);
    t_run("a zone that is not to be reused", test_noreuse);
    t_run("a zone that is not declared", test_other_name);
    t_run("a variable that is not valid", test_variable);

    return t_end();
}
