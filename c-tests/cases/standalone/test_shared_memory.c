
/*
 * Tests of zones of shared memory: ngx_ipc_shared_memory_add(),
 * ngx_shared_memory_add(), and what a reload does with zones.
 */


#include "t_logger.h"
#include "t_shmem.h"


#define SIZE   (16 * 4096)
#define ZONES  12


static void            (*declare)(ngx_cycle_t *cycle);
static ngx_int_t       (*check)(ngx_cycle_t *cycle);
static ngx_core_conf_t   conf;
static ngx_flag_t        keep;
static ngx_shm_zone_t   *zone;

static char              tag, other_tag;
static int               data[2];

/* What the function init of the zone has got, and what it returns. */

static int               calls;
static void             *got;
static ngx_int_t         result;


static ngx_shm_zone_t *
add(ngx_cycle_t *cycle, const char *name, size_t size, void *zone_tag)
{
    ngx_str_t  text;

    text.data = (u_char *) name;
    text.len = strlen(name);

    return ngx_ipc_shared_memory_add(cycle, &text, size, zone_tag);
}


static ngx_int_t
init_zone(ngx_shm_zone_t *z, void *old)
{
    T_OK(z->shm.addr != NULL && t_is_mapped(z->shm.addr));
    T_OK(z->shm.exists == (old != NULL));
    T_EQ(ngx_slab_verify((ngx_slab_pool_t *) z->shm.addr, NULL), NGX_OK);

    calls++;
    got = old;

    return result;
}


/* Declares the zone "counters". */

static void
declare_one_of(ngx_cycle_t *cycle, size_t size, void *zone_tag)
{
    zone = add(cycle, "counters", size, zone_tag);
    T_REQUIRE(zone != NULL);

    zone->init = init_zone;
    zone->data = &data[!ngx_is_init_cycle(cycle->old_cycle)];
}


static void
declare_one(ngx_cycle_t *cycle)
{
    declare_one_of(cycle, SIZE, &tag);
}


static char *
init_conf(ngx_cycle_t *cycle, void *unused)
{
    declare(cycle);

    return NGX_CONF_OK;
}


static ngx_int_t
init_process(ngx_cycle_t *cycle)
{
    return check(cycle);
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


/* Runs a single process whose module declares zones and calls the check. */

static int
run(void (*zones)(ngx_cycle_t *cycle), ngx_int_t (*function)(ngx_cycle_t *cycle))
{
    pid_t          pid;
    ngx_module_t  *modules[] = { &own_module, NULL };

    t_catch_stderr();

    pid = fork();
    T_REQUIRE(pid != -1);

    if (pid == 0) {
        declare = zones;
        check = function;

        ngx_ipc_conf_init(&conf);
        conf.master = 0;
        conf.keep_zones = keep;
        conf.modules = modules;
        conf.error_log = "stderr";

        _exit(ngx_ipc_main(&conf, 0, NULL));
    }

    return WEXITSTATUS(t_wait(pid));
}


/* The number of mappings of shared memory in this process. */

static int
count_mappings(void)
{
    int    n;
    char   line[512];
    FILE  *maps;

    maps = fopen("/proc/self/maps", "r");
    T_REQUIRE(maps != NULL);

    for (n = 0; fgets(line, sizeof(line), maps) != NULL; /* void */ ) {
        n += (strstr(line, " rw-s ") != NULL);
    }

    fclose(maps);

    return n;
}


static ngx_int_t
check_first(ngx_cycle_t *cycle)
{
    ngx_slab_pool_t  *pool;

    pool = (ngx_slab_pool_t *) zone->shm.addr;
    T_OK(pool->addr == pool && pool->data == NULL);
    T_OK(pool->end == zone->shm.addr + SIZE);
    T_EQ(pool->min_shift, 3);
    T_EQ(pool->min_size, 8);
    T_OK(ngx_shmtx_trylock(&pool->mutex));
    ngx_shmtx_unlock(&pool->mutex);
    T_OK(ngx_slab_alloc(pool, 100) != NULL);

    /* A process that holds the lock must call the functions for this. */

    ngx_shmtx_lock(&pool->mutex);
    T_OK(ngx_slab_alloc(pool, 100) == NULL);
    T_OK(ngx_slab_alloc_locked(pool, 100) != NULL);
    T_OK(pool->lock.lock != 0);
    ngx_shmtx_unlock(&pool->mutex);
    T_EQ(pool->stats[4].used, 2);

    T_EQ(calls, 1);
    T_OK(got == NULL);
    T_OK(zone->data == &data[0] && zone->tag == &tag);
    T_EQ(zone->shm.size, SIZE);
    T_EQ(zone->shm.name.len, 8);
    T_OK(memcmp(zone->shm.name.data, "counters", 9) == 0);
    T_OK(zone->shm.log == cycle->log);
    T_EQ(zone->shm.exists, 0);
    T_EQ(cycle->shared_memory.part.nelts, 1);
    T_OK(cycle->shared_memory.part.elts == zone);

    _exit(0);
}


static void
test_first(void)
{
    T_EQ(run(declare_one, check_first), 0);
}


static void
child_proc(ngx_cycle_t *cycle, void *unused)
{
    memset(zone->shm.addr + SIZE - 16, 7, 16);
    _exit(0);
}


static ngx_int_t
check_child(ngx_cycle_t *cycle)
{
    sigset_t  set;

    /* The handler of SIGCHLD must not take the status of the child. */

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    T_EQ(sigprocmask(SIG_BLOCK, &set, NULL), 0);

    T_EQ(t_wait(ngx_spawn_process(cycle, child_proc, NULL, "child",
                                  NGX_PROCESS_NORESPAWN)), 0);
    T_EQ(zone->shm.addr[SIZE - 1], 7);

    _exit(0);
}


static void
test_child(void)
{
    T_EQ(run(declare_one, check_child), 0);
}


static void
killed_proc(ngx_cycle_t *cycle, void *unused)
{
    ngx_slab_pool_t  *pool;

    pool = (ngx_slab_pool_t *) zone->shm.addr;
    ngx_shmtx_lock(&pool->mutex);
    kill(ngx_getpid(), SIGKILL);
    _exit(3);
}


/* The lock is free as soon as the process is reaped, although no process waits for it. */

static ngx_int_t
check_killed(ngx_cycle_t *cycle)
{
    ngx_pid_t         pid;
    ngx_slab_pool_t  *pool;

    pool = (ngx_slab_pool_t *) zone->shm.addr;
    pid = ngx_spawn_process(cycle, killed_proc, NULL, "killed",
                            NGX_PROCESS_NORESPAWN);
    T_REQUIRE(pid != NGX_INVALID_PID);

    while (!ngx_reap) {
        ngx_process_events_and_timers(cycle);
    }

    T_EQ(kill(pid, 0), -1);
    T_EQ(pool->lock.lock, 0);
    T_OK(ngx_slab_alloc(pool, 8) != NULL);

    _exit(0);
}


static void
test_killed(void)
{
    T_EQ(run(declare_one, check_killed), 0);
    T_OK(strstr(t_contents(STDERR_FILENO), "exited and held the lock") != NULL);
}


/* Reloads, and checks that the zone has the same memory with its content. */

static ngx_int_t
check_kept(ngx_cycle_t *cycle)
{
    int               i, mappings, fds;
    u_char           *addr;
    ngx_shm_zone_t   *old;

    old = zone;
    addr = zone->shm.addr;
    memset(addr + SIZE / 2, 5, SIZE / 2);
    mappings = count_mappings();
    fds = t_open_fds();

    cycle = ngx_init_cycle(cycle);
    T_REQUIRE(cycle != NULL);

    T_OK(zone != old && zone->shm.addr == addr);
    T_EQ(calls, 2);
    T_OK(got == &data[0]);
    T_EQ(addr[SIZE - 1], 5);
    T_EQ(zone->shm.exists, 0);

    for (i = 0; i < 10; i++) {
        cycle = ngx_init_cycle(cycle);
        T_REQUIRE(cycle != NULL && zone->shm.addr == addr);
    }

    T_EQ(addr[SIZE / 2], 5);
    T_EQ(calls, 12);
    T_EQ(count_mappings(), mappings);
    T_EQ(t_open_fds(), fds);

    _exit(0);
}


static void
test_kept(void)
{
    for (keep = 0; keep < 2; keep++) {
        T_EQ(run(declare_one, check_kept), 0);
    }
}


/* Reloads with another declaration: the memory is new, and the old one is freed. */

static void
renewed(ngx_cycle_t *cycle, void (*next)(ngx_cycle_t *cycle), size_t size)
{
    u_char  *addr;
    int      mappings;

    addr = zone->shm.addr;
    memset(addr + SIZE / 2, 5, SIZE / 2);
    mappings = count_mappings();
    calls = 0;

    declare = next;
    cycle = ngx_init_cycle(cycle);
    T_REQUIRE(cycle != NULL);

    T_EQ(calls, 1);
    T_OK(got == NULL);
    T_OK(zone->shm.addr != addr);
    T_OK(!t_is_mapped(addr));
    T_EQ(zone->shm.size, size);
    T_EQ(zone->shm.addr[size - 1], 0);
    T_EQ(count_mappings(), mappings);

    _exit(0);
}


static void
declare_larger(ngx_cycle_t *cycle)
{
    declare_one_of(cycle, 2 * SIZE, &tag);
}


static ngx_int_t
check_larger(ngx_cycle_t *cycle)
{
    renewed(cycle, declare_larger, 2 * SIZE);
    return NGX_OK;
}


static void
declare_other(ngx_cycle_t *cycle)
{
    declare_one_of(cycle, SIZE, &other_tag);
}


static ngx_int_t
check_other(ngx_cycle_t *cycle)
{
    renewed(cycle, declare_other, SIZE);
    return NGX_OK;
}


static void
declare_new(ngx_cycle_t *cycle)
{
    declare_one(cycle);
    zone->noreuse = 1;
}


static ngx_int_t
check_new(ngx_cycle_t *cycle)
{
    renewed(cycle, declare_new, SIZE);
    return NGX_OK;
}


static void
test_renewed(void)
{
    for (keep = 0; keep < 2; keep++) {
        T_EQ(run(declare_one, check_larger), 0);
        T_EQ(run(declare_one, check_other), 0);
        T_EQ(run(declare_one, check_new), 0);
    }
}


static void
declare_nothing(ngx_cycle_t *cycle)
{
}


static ngx_int_t
check_dropped(ngx_cycle_t *cycle)
{
    int      mappings, fds;
    u_char  *addr;

    addr = zone->shm.addr;
    mappings = count_mappings();
    fds = t_open_fds();
    declare = declare_nothing;
    cycle = ngx_init_cycle(cycle);
    T_REQUIRE(cycle != NULL);
    T_OK(!t_is_mapped(addr));
    T_EQ(count_mappings(), mappings - 1);
    T_EQ(t_open_fds(), fds - keep);

    _exit(0);
}


static void
test_dropped(void)
{
    for (keep = 0; keep < 2; keep++) {
        T_EQ(run(declare_one, check_dropped), 0);
    }
}


/*
 * A process without a master keeps an old cycle as long as a connection uses it.  The
 * zone of this cycle stays mapped, also if a later cycle has taken it over and then does
 * not have it any more.
 */

static ngx_int_t
check_retired(ngx_cycle_t *cycle)
{
    u_char            *addr;
    ngx_connection_t  *c;

    addr = zone->shm.addr;
    c = ngx_get_connection(0, cycle->log);
    T_REQUIRE(c != NULL);

    cycle = ngx_init_cycle(cycle);
    T_REQUIRE(cycle != NULL && zone->shm.addr == addr);

    declare = declare_nothing;
    cycle = ngx_init_cycle(cycle);
    T_REQUIRE(cycle != NULL);
    T_OK(t_is_mapped(addr));

    ngx_free_connection(c);
    cycle = ngx_init_cycle(cycle);
    T_REQUIRE(cycle != NULL);
    T_OK(!t_is_mapped(addr));

    _exit(0);
}


static void
test_retired(void)
{
    for (keep = 0; keep < 2; keep++) {
        T_EQ(run(declare_one, check_retired), 0);
    }
}


/* The lists of a cycle have parts of four elements. */

static void
declare_many(ngx_cycle_t *cycle)
{
    int              i;
    char             name[16];
    ngx_shm_zone_t  *first, *z;

    first = NULL;

    for (i = 0; i < ZONES; i++) {
        snprintf(name, sizeof(name), "zone %d", i);
        z = add(cycle, name, SIZE, &tag);
        T_REQUIRE(z != NULL && z->shm.size == SIZE);
        z->init = init_zone;
        z->data = &data[0];
        first = (i == 0) ? z : first;
    }

    T_OK(add(cycle, "zone 0", SIZE, &tag) == first);
    T_OK(add(cycle, "zone 11", 0, &tag) == z);
    zone = z;
}


static ngx_int_t
check_many(ngx_cycle_t *cycle)
{
    int      mappings;
    u_char  *addr;

    addr = zone->shm.addr;
    mappings = count_mappings();
    T_EQ(calls, ZONES);

    cycle = ngx_init_cycle(cycle);
    T_REQUIRE(cycle != NULL);
    T_EQ(calls, 2 * ZONES);
    T_OK(zone->shm.addr == addr);
    T_EQ(count_mappings(), mappings);

    _exit(0);
}


static void
test_many(void)
{
    T_EQ(run(declare_many, check_many), 0);
}


/* A reload that fails leaves the zone and its content as they are. */

static void
declare_then_fail(ngx_cycle_t *cycle)
{
    declare_one(cycle);
    T_OK(add(cycle, "nothing", 0, &tag) != NULL);
}


static void
declare_more(ngx_cycle_t *cycle)
{
    declare_one(cycle);
    T_OK(add(cycle, "more", SIZE, &tag) != NULL);
}


static void
declare_larger_and_none(ngx_cycle_t *cycle)
{
    declare_larger(cycle);
    T_OK(add(cycle, "nothing", 0, &tag) != NULL);
}


static void
declare_small(ngx_cycle_t *cycle)
{
    declare_one_of(cycle, 4096, &tag);
}


static void
declare_tiny(ngx_cycle_t *cycle)
{
    declare_one_of(cycle, 10, &tag);
}


static ngx_int_t
check_refused(ngx_cycle_t *cycle)
{
    size_t           i;
    int              mappings;
    u_char          *addr, *copy;
    ngx_shm_zone_t   before, *old;

    static struct {
        void        (*declare)(ngx_cycle_t *cycle);
        ngx_int_t     result;
    } refused[] = {
        { declare_then_fail, NGX_OK },
        { declare_larger_and_none, NGX_OK },
        { declare_larger, NGX_ERROR },
        { declare_more, NGX_ERROR },
        { declare_one, NGX_DECLINED },
        { declare_small, NGX_OK },
        { declare_tiny, NGX_OK },
    };

    old = zone;
    addr = zone->shm.addr;
    memset(addr + SIZE / 2, 5, SIZE / 2);
    copy = malloc(SIZE);
    T_REQUIRE(copy != NULL);
    memcpy(copy, addr, SIZE);
    before = *zone;
    mappings = count_mappings();

    for (i = 0; i < t_nitems(refused); i++) {
        declare = refused[i].declare;
        result = refused[i].result;

        T_OK(ngx_init_cycle(cycle) == NULL);
        T_OK(memcmp(addr, copy, SIZE) == 0);
        T_OK(memcmp(old, &before, sizeof(before)) == 0);
        T_EQ(count_mappings(), mappings);
    }

    declare = declare_one;
    result = NGX_OK;
    cycle = ngx_init_cycle(cycle);
    T_REQUIRE(cycle != NULL);
    T_OK(zone->shm.addr == addr && memcmp(addr, copy, SIZE) == 0);
    T_EQ(count_mappings(), mappings);

    free(copy);
    _exit(0);
}


static void
test_refused(void)
{
    for (keep = 0; keep < 2; keep++) {
        T_EQ(run(declare_one, check_refused), 0);
    }

    T_OK(strstr(t_contents(STDERR_FILENO),
                "zero size shared memory zone \"nothing\"") != NULL);
    T_OK(strstr(t_contents(STDERR_FILENO),
                "shared memory zone \"counters\" could not be initialized")
         != NULL);
    T_OK(strstr(t_contents(STDERR_FILENO),
                "shared memory zone \"counters\" is too small: it has 10 bytes,"
                " it needs 8192 at least") != NULL);
}


static void
declare_wrong(ngx_cycle_t *cycle)
{
    ngx_str_t   name = ngx_string("counters");
    ngx_conf_t  cf;

    declare_one(cycle);

    T_OK(add(cycle, "counters", SIZE, &other_tag) == NULL);
    T_OK(add(cycle, "counters", SIZE + 1, &tag) == NULL);
    T_OK(add(NULL, "counters", SIZE, &tag) == NULL);
    T_OK(ngx_ipc_shared_memory_add(cycle, NULL, SIZE, &tag) == NULL);

    memset(&cf, 0, sizeof(cf));
    cf.cycle = cycle;
    T_OK(ngx_shared_memory_add(&cf, &name, SIZE, &tag) == zone);
    T_EQ(zone->shm.size, SIZE);

    name.len = 7;
    T_OK(ngx_shared_memory_add(&cf, &name, SIZE, &tag) != zone);
}


static ngx_int_t
check_wrong(ngx_cycle_t *cycle)
{
    T_EQ(cycle->shared_memory.part.nelts, 2);
    T_OK(add(cycle, "late", SIZE, &tag) == NULL);
    T_OK(add(t_cycle(), "other", SIZE, &tag) == NULL);
    T_EQ(cycle->shared_memory.part.nelts, 2);

    _exit(0);
}


static void
test_wrong(void)
{
    size_t       i;
    const char  *log;

    static const char *const  lines[] = {
        "[emerg] %: the shared memory zone \"counters\" is already declared"
        " for a different use\n",
        "[emerg] %: the size 65537 of shared memory zone \"counters\""
        " conflicts with already declared size 65536\n",
        "[emerg] %: shared memory zone \"late\" is declared too late, only"
        " create_conf and init_conf can declare zones\n",
    };

    T_EQ(run(declare_wrong, check_wrong), 0);

    log = t_contents(STDERR_FILENO);

    for (i = 0; i < t_nitems(lines); i++) {
        T_OK(strstr(log, strchr(lines[i], ':')) != NULL);
    }

    T_EQ(t_lines(log), 3);
}


int
main(void)
{
    t_begin();

    t_run("a zone gets new memory", test_first);
    t_run("a child shares the memory", test_child);
    t_run("the lock of a process that was killed", test_killed);
    t_run("a reload keeps the memory", test_kept);
    t_run("another size, another tag, noreuse: new memory", test_renewed);
    t_run("a zone that is not declared again is freed", test_dropped);
    t_run("a connection uses the zone of an old cycle", test_retired);
    t_run("twelve zones", test_many);
    t_run("a refused reload changes nothing", test_refused);
    t_run("wrong declarations", test_wrong);

    return t_end();
}
