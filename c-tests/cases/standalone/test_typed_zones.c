
/*
 * Tests of typed zones: ngx_ipc_zone_add_size(), and what a reload and a new binary do
 * with typed zones.
 */


#include "t_zone.h"


#define ADDRESS  ((void *) 0x200000000000)


/* Version 1 has one number.  Version 2 has a list of numbers. */

typedef struct {
    ngx_uint_t   number;
} one_t;

typedef struct {
    ngx_uint_t  *numbers;
    ngx_uint_t   n;
} two_t;


static ngx_uint_t                inits, migrations, zone_inits;
static ngx_int_t                 init_result, migrate_result, zone_result;
static ngx_uint_t                old_number;
static u_char                    before[SIZE];


static ngx_int_t
init_one(ngx_shm_zone_t *z, void *root)
{
    size_t   i;
    u_char  *p = root;

    T_OK(z->data == root);
    T_OK((u_char *) root > z->shm.addr && (u_char *) root < z->shm.addr + z->shm.size);

    for (i = 0; i < type.root_size; i++) {
        T_EQ(p[i], 0);
    }

    inits++;
    memset(root, 5, sizeof(ngx_uint_t));

    return init_result;
}


static ngx_int_t
init_two(ngx_shm_zone_t *z, void *root)
{
    inits++;

    return init_result;
}


static ngx_int_t
migrate_one(ngx_shm_zone_t *z, void *root, const ngx_ipc_zone_old_t *old)
{
    two_t       *two = root;
    const one_t *one = old->root;

    T_OK(z->data == root);
    T_EQ(old->name.len, 7);
    T_OK(memcmp(old->name.data, "numbers", 7) == 0);
    T_EQ(old->version, 1);
    T_EQ(old->root_size, sizeof(one_t));
    T_OK(old->pool->lock.lock != 0);
    T_OK(old->pool->addr == old->pool && (void *) old->pool != z->shm.addr);

    migrations++;
    old_number = one->number;

    two->numbers = ngx_slab_calloc(pool_of(z), sizeof(ngx_uint_t));
    T_REQUIRE(two->numbers != NULL);
    two->numbers[0] = one->number;
    two->n = 1;

    return migrate_result;
}


static ngx_int_t
migrate_same(ngx_shm_zone_t *z, void *root, const ngx_ipc_zone_old_t *old)
{
    migrations++;
    old_number = ((one_t *) old->root)->number;
    ((one_t *) root)->number = old_number;

    return migrate_result;
}


/* The function init of the zone, which is called last. */

static ngx_int_t
init_zone(ngx_shm_zone_t *z, void *data)
{
    zone_inits++;

    return zone_result;
}


static void
set_init(ngx_cycle_t *cycle)
{
    zone->init = init_zone;
}


static void
version_one(void)
{
    memset(&type, 0, sizeof(type));
    ngx_str_set(&type.name, "numbers");
    type.version = 1;
    type.root_size = sizeof(one_t);
    type.init = init_one;
    size = SIZE;
    noreuse = 0;
    declare_more = NULL;
}


static void
version_two(void)
{
    type.version = 2;
    type.root_size = sizeof(two_t);
    type.init = init_two;
}


static void
start(void)
{
    version_one();
    keep = 0;
    inits = 0;
    migrations = 0;
    zone_inits = 0;
    init_result = NGX_OK;
    migrate_result = NGX_OK;
    zone_result = NGX_OK;
}


static ngx_int_t
check_first(ngx_cycle_t *cycle)
{
    t_zone_header_t  *header = header_of(zone);

    T_EQ(inits, 1);
    T_EQ(zone_inits, 1);
    T_EQ(zone->shm.exists, 0);
    T_EQ(((u_char *) zone->data)[0], 5);
    T_EQ(ngx_slab_verify(pool_of(zone), NULL), NGX_OK);

    T_EQ(header->version, 1);
    T_EQ(header->root, (uintptr_t) zone->data);
    T_EQ(header->root_size, sizeof(one_t));
    T_EQ(header->log_size + sizeof(t_zone_header_t), 4096);
    T_EQ(header->name_len, 7);
    T_OK(memcmp(header->name, "numbers", 8) == 0);
    T_EQ(ngx_ipc_zone_begin(zone), NGX_OK);
    T_EQ(ngx_ipc_zone_commit(zone), NGX_OK);

    _exit(0);
}


static void
test_first(void)
{
    int  i;

    for (i = 0; i < 2; i++) {
        start();
        keep = i;
        declare_more = set_init;
        T_EQ(run(check_first), 0);
        T_EQ(t_lines(t_contents(STDERR_FILENO)), 0);
    }
}


/* Reloads.  Returns the new cycle, and checks that no memory is left. */

static ngx_cycle_t *
reload(ngx_cycle_t *cycle)
{
    cycle = ngx_init_cycle(cycle);
    T_REQUIRE(cycle != NULL);
    T_EQ(zone->shm.exists, 0);
    T_EQ(ngx_slab_verify(pool_of(zone), NULL), NGX_OK);

    return cycle;
}


static ngx_int_t
check_kept(ngx_cycle_t *cycle)
{
    int      i, fds;
    void    *root;
    u_char  *addr;

    static u_char               text[] = "numbers";
    static ngx_ipc_zone_type_t  other;

    addr = zone->shm.addr;
    root = zone->data;
    ((one_t *) root)->number = 42;
    fds = t_open_fds();

    memcpy(before, addr, SIZE);

    for (i = 0; i < 3; i++) {
        cycle = reload(cycle);
        T_OK(zone->shm.addr == addr && zone->data == root);
        T_EQ(((one_t *) root)->number, 42);
        T_OK(memcmp(before, addr, SIZE) == 0);
    }

    T_EQ(inits, 1);
    T_EQ(t_open_fds(), fds);

    /* The address of the type does not matter, nor its functions. */

    other = type;
    other.name.data = text;
    other.init = NULL;
    other.migrate = migrate_same;
    type = other;
    cycle = reload(cycle);
    T_OK(zone->shm.addr == addr && zone->data == root);
    T_EQ(migrations, 0);

    /* noreuse makes the zone anew. */

    noreuse = 1;
    cycle = reload(cycle);
    T_OK(zone->shm.addr != addr);
    T_OK(!t_is_mapped(addr));
    T_EQ(((one_t *) zone->data)->number, 0);

    _exit(0);
}


static void
test_kept(void)
{
    int  i;

    for (i = 0; i < 2; i++) {
        start();
        keep = i;
        T_EQ(run(check_kept), 0);
        T_EQ(t_lines(t_contents(STDERR_FILENO)), 0);
    }
}


/* The reload fails, and no byte of the old zone has changed. */

static void
refused(ngx_cycle_t *cycle, const char *why)
{
    int              fds;
    u_char          *addr;
    ngx_shm_zone_t  *old;

    old = zone;
    addr = zone->shm.addr;
    ((one_t *) zone->data)->number = 42;
    T_EQ(ngx_ipc_zone_begin(zone), NGX_OK);
    T_EQ(ngx_ipc_zone_save(zone, zone->data, 8), NGX_OK);
    T_EQ(ngx_ipc_zone_commit(zone), NGX_OK);
    fds = t_open_fds();

    memcpy(before, addr, SIZE);

    T_OK(ngx_init_cycle(cycle) == NULL);
    T_OK(logged(why));
    T_OK(memcmp(before, addr, SIZE) == 0);
    T_EQ(old->shm.exists, 0);
    T_EQ(t_open_fds(), fds);

    /* A reload with the old type uses it. */

    version_one();
    migrate_result = NGX_OK;
    zone_result = NGX_OK;
    init_result = NGX_OK;
    cycle = reload(cycle);
    T_OK(zone->shm.addr == addr);
    T_EQ(((one_t *) zone->data)->number, 42);

    _exit(0);
}


static ngx_int_t
check_version(ngx_cycle_t *cycle)
{
    type.version = 2;
    refused(cycle, ": shared memory zone \"accounts\" of type \"numbers\", version 2"
                   " cannot use the memory of the zone before: its type has another"
                   " version\n");
    return NGX_OK;
}


static ngx_int_t
check_root(ngx_cycle_t *cycle)
{
    type.root_size = 100;
    refused(cycle, "its root has another size\n");
    return NGX_OK;
}


static ngx_int_t
check_type(ngx_cycle_t *cycle)
{
    ngx_str_set(&type.name, "number");
    refused(cycle, "\"number\", version 1 cannot use the memory of the zone before:"
                   " it has another type\n");
    return NGX_OK;
}


static ngx_int_t
check_init(ngx_cycle_t *cycle)
{
    size *= 2;
    init_result = NGX_ERROR;
    refused(cycle, ": shared memory zone \"accounts\" could not be initialized\n");
    return NGX_OK;
}


static ngx_int_t
check_migrate(ngx_cycle_t *cycle)
{
    version_two();
    type.migrate = migrate_one;
    migrate_result = NGX_ERROR;
    refused(cycle, "it could not be migrated\n");
    return NGX_OK;
}


static ngx_int_t
check_after_migrate(ngx_cycle_t *cycle)
{
    version_two();
    type.migrate = migrate_one;
    zone_result = NGX_ERROR;
    declare_more = set_init;
    refused(cycle, ": shared memory zone \"accounts\" could not be initialized\n");
    return NGX_OK;
}


static ngx_int_t
check_small(ngx_cycle_t *cycle)
{
    size = 2 * 4096;
    refused(cycle, ": shared memory zone \"accounts\" is too small for type \"numbers\","
                   " version 1\n");
    return NGX_OK;
}


static ngx_int_t
check_zero(ngx_cycle_t *cycle)
{
    size = 0;
    refused(cycle, ": zero size shared memory zone \"accounts\"\n");
    return NGX_OK;
}


static ngx_int_t
check_name(ngx_cycle_t *cycle)
{
    type.name.len = 0;
    refused(cycle, ": the name of the type of a zone must have 1 to 64 bytes\n");
    return NGX_OK;
}


static void
test_refused(void)
{
    size_t  i;

    static ngx_int_t (*const checks[])(ngx_cycle_t *cycle) = {
        check_version, check_root, check_type, check_init, check_migrate,
        check_after_migrate, check_small, check_zero, check_name
    };

    for (i = 0; i < 2 * t_nitems(checks); i++) {
        start();
        keep = i & 1;
        T_EQ(run(checks[i / 2]), 0);
    }
}


static ngx_int_t
check_migrated(ngx_cycle_t *cycle)
{
    int      fds;
    two_t   *two;
    u_char  *addr;

    fds = t_open_fds();
    addr = zone->shm.addr;
    ((one_t *) zone->data)->number = 42;

    version_two();
    type.migrate = migrate_one;
    cycle = reload(cycle);

    two = zone->data;
    T_EQ(migrations, 1);
    T_EQ(inits, 2);
    T_OK(zone->shm.addr != addr);
    T_OK(!t_is_mapped(addr));
    T_OK(two->n == 1 && two->numbers[0] == 42);
    T_EQ(t_open_fds(), fds);

    /* It is kept then. */

    addr = zone->shm.addr;
    cycle = reload(cycle);
    T_OK(zone->shm.addr == addr && zone->data == two);
    T_EQ(migrations, 1);

    _exit(0);
}


static ngx_int_t
check_size(ngx_cycle_t *cycle)
{
    u_char  *addr;

    addr = zone->shm.addr;
    ((one_t *) zone->data)->number = 42;

    size *= 2;
    type.migrate = migrate_same;
    cycle = reload(cycle);
    T_OK(zone->shm.addr != addr);
    T_EQ(((one_t *) zone->data)->number, 42);
    T_EQ(migrations, 1);
    T_EQ(inits, 2);

    /* Without a function that migrates it. */

    size *= 2;
    type.migrate = NULL;
    cycle = reload(cycle);
    T_EQ(((u_char *) zone->data)[0], 5);
    T_EQ(inits, 3);

    _exit(0);
}


static void
test_migrated(void)
{
    int  i;

    for (i = 0; i < 2; i++) {
        start();
        keep = i;
        T_EQ(run(check_migrated), 0);
        start();
        keep = i;
        T_EQ(run(check_size), 0);
        T_EQ(t_lines(t_contents(STDERR_FILENO)), 0);
    }
}


/* A process has died in a transaction of the old zone, or holds its lock. */

static ngx_int_t
check_busy(ngx_cycle_t *cycle)
{
    int         status, to[2];
    char        byte;
    sigset_t    set;
    ngx_pid_t   pid;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    T_EQ(sigprocmask(SIG_BLOCK, &set, NULL), 0);
    T_EQ(pipe(to), 0);
    ((one_t *) zone->data)->number = 42;

    pid = fork();
    T_REQUIRE(pid != -1);

    if (pid == 0) {
        ngx_pid = ngx_getpid();
        (void) ngx_ipc_zone_begin(zone);
        (void) ngx_ipc_zone_save(zone, zone->data, sizeof(one_t));
        ((one_t *) zone->data)->number = 77;
        T_EQ(write(to[1], "x", 1), 1);

        for ( ;; ) {
            pause();
        }
    }

    T_EQ(read(to[0], &byte, 1), 1);
    version_two();
    type.migrate = migrate_one;
    T_OK(ngx_init_cycle(cycle) == NULL);
    T_OK(logged("its lock is held\n"));
    T_EQ(migrations, 0);

    T_EQ(kill(pid, SIGKILL), 0);
    T_EQ(waitpid(pid, &status, 0), pid);

    cycle = reload(cycle);
    T_EQ(old_number, 42);
    T_OK(logged("shared memory zone \"accounts\": undid the transaction in which"));

    _exit(0);
}


static void
test_busy(void)
{
    start();
    T_EQ(run(check_busy), 0);
}


/* The zone of the old cycle has no type, or the one of the new cycle has none. */

static ngx_int_t
check_untyped(ngx_cycle_t *cycle)
{
    u_char  *addr;

    addr = zone->shm.addr;
    pool_of(zone)->data = NULL;
    cycle = reload(cycle);
    T_OK(zone->shm.addr != addr);
    T_EQ(inits, 2);

    _exit(0);
}


static void
declare_again(ngx_cycle_t *cycle)
{
    ngx_ipc_zone_type_t  other;

    static ngx_str_t  name = ngx_string("accounts");
    static ngx_str_t  untyped = ngx_string("untyped");

    T_OK(ngx_ipc_zone_add(cycle, &type, &name, size) == zone);
    T_OK(ngx_ipc_zone_add(cycle, &type, &name, 0) == zone);
    T_OK(ngx_ipc_zone_add(cycle, NULL, &name, size) == NULL);
    T_OK(ngx_ipc_zone_add(cycle, &type, NULL, size) == NULL);
    T_OK(ngx_ipc_zone_add(NULL, &type, &name, size) == NULL);
    T_EQ(t_lines(t_contents(STDERR_FILENO)), 0);

    T_OK(ngx_ipc_zone_add_size(cycle, &type, 8, &name, size) == NULL);
    T_OK(logged(": the size 8 of ngx_ipc_zone_type_t is not valid\n"));

    other = type;
    other.version = 2;
    T_OK(ngx_ipc_zone_add(cycle, &other, &name, size) == NULL);
    T_OK(logged(": the shared memory zone \"accounts\" is already declared for a"
                " different use\n"));
    T_OK(ngx_ipc_shared_memory_add(cycle, &name, size, &other) == NULL);

    T_OK(ngx_ipc_shared_memory_add(cycle, &untyped, size, &type) != NULL);
    T_OK(ngx_ipc_zone_add(cycle, &type, &untyped, size) == NULL);
    T_EQ(t_lines(t_contents(STDERR_FILENO)), 4);
}


static ngx_int_t
check_again(ngx_cycle_t *cycle)
{
    _exit(0);
}


static void
test_again(void)
{
    start();
    declare_more = declare_again;
    T_EQ(run(check_again), 0);

    start();
    T_EQ(run(check_untyped), 0);
}


/*
 * The test is the old binary: it makes a typed zone in a file in memory, and describes
 * it in the environment variable.
 */

static u_char  *old;
static int      fd;


static ngx_int_t
copy_zone(ngx_cycle_t *cycle)
{
    ((one_t *) zone->data)->number = 42;

    /* The file of the zone survives as that of this descriptor. */

    T_EQ(pwrite(fd, zone->shm.addr, SIZE, 0), SIZE);

    _exit(0);
}


/* Moves the addresses in a copy of the zone at from. */

static void
move(uintptr_t from)
{
    size_t      i;
    uintptr_t  *word = (uintptr_t *) old;

    for (i = 0; i < SIZE / sizeof(uintptr_t); i++) {
        if (word[i] - from <= SIZE + 3) {
            word[i] += (uintptr_t) old - from;
        }
    }
}


static void
make_old(void)
{
    char  text[256];

    start();
    fd = memfd_create("zone", MFD_ALLOW_SEALING);
    T_REQUIRE(fd != -1);
    T_EQ(ftruncate(fd, SIZE), 0);
    T_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK|F_SEAL_GROW|F_SEAL_SEAL), 0);
    T_EQ(run(copy_zone), 0);

    /* Nothing else is mapped there. */

    old = mmap(ADDRESS, SIZE, PROT_READ|PROT_WRITE, MAP_SHARED, fd, 0);
    T_REQUIRE(old == ADDRESS);
    move((uintptr_t) ((ngx_slab_pool_t *) old)->addr);
    T_EQ(ngx_slab_verify((ngx_slab_pool_t *) old, NULL), NGX_OK);
    T_EQ(munmap(old, SIZE), 0);

    snprintf(text, sizeof(text), "1;%d:%zu:%d:8:accounts", fd, (size_t) old, SIZE);
    T_EQ(setenv("NGX_IPC_ZONES", text, 1), 0);
    keep = 1;
}


static void
end_old(void)
{
    unsetenv("NGX_IPC_ZONES");
    close(fd);
}


/* Exits with 1 if the zone is that of the old binary, and with 0 if it is not. */

static ngx_int_t
check_taken(ngx_cycle_t *cycle)
{
    T_EQ(zone->shm.exists, 0);
    T_EQ(ngx_slab_verify(pool_of(zone), NULL), NGX_OK);
    T_EQ(ngx_ipc_zone_begin(zone), NGX_OK);
    T_EQ(ngx_ipc_zone_save(zone, zone->data, 8), NGX_OK);
    T_EQ(ngx_ipc_zone_commit(zone), NGX_OK);

    if (zone->shm.addr == old) {
        T_EQ(inits, 0);
        T_EQ(((one_t *) zone->data)->number, 42);
        _exit(1);
    }

    T_EQ(inits, 1);
    T_OK(!t_is_mapped(old));
    _exit(migrations ? 2 : 0);
}


static void
warned(const char *why)
{
    char  line[256];

    snprintf(line, sizeof(line),
             ": the zone \"accounts\" of the old binary is not used: %s\n", why);
    T_OK(logged(line));
    T_EQ(t_lines(t_contents(STDERR_FILENO)), 1);
}


static void
test_upgrade(void)
{
    make_old();
    T_EQ(run(check_taken), 1);
    T_EQ(t_lines(t_contents(STDERR_FILENO)), 0);
    end_old();

    make_old();
    type.version = 2;
    T_EQ(run(check_taken), 0);
    warned("its type has another version");
    end_old();

    make_old();
    ngx_str_set(&type.name, "others");
    T_EQ(run(check_taken), 0);
    warned("it has another type");
    end_old();

    make_old();
    size *= 2;
    T_EQ(run(check_taken), 0);
    warned("it has another size");
    end_old();

    make_old();
    size *= 2;
    type.migrate = migrate_same;
    T_EQ(run(check_taken), 2);
    T_EQ(t_lines(t_contents(STDERR_FILENO)), 0);
    end_old();

    make_old();
    version_two();
    type.migrate = migrate_one;
    T_EQ(run(check_taken), 2);
    T_EQ(t_lines(t_contents(STDERR_FILENO)), 0);
    end_old();
}


int
main(void)
{
    t_begin();

    t_run("a typed zone gets new memory", test_first);
    t_run("a reload keeps a typed zone", test_kept);
    t_run("a refused reload changes no byte of a typed zone", test_refused);
    t_run("a reload migrates a typed zone", test_migrated);
    t_run("the lock of a zone that is to be migrated", test_busy);
    t_run("declarations of typed zones", test_again);
    t_run("a new binary and typed zones", test_upgrade);

    return t_end();
}
