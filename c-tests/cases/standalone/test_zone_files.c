
/*
 * Tests of zones whose memory is a file in zones_directory.  Each run of the program is a
 * server, which ends without a clean-up, so that the next server finds its zone.
 */


#include "t_zone.h"

#include <dirent.h>
#include <stdio.h>


typedef struct {
    ngx_uint_t  number;
    ngx_pid_t   told;           /* the process of whose death the module was told */
} root_t;

/* The numbers in the header of a file, behind the zone of 64k. */

#define HEADER    SIZE
#define IDENTITY  (HEADER + 24)


static char           dir[64], path[128];

/* What a server tells the test. */

typedef struct {
    u_char     *addr, *root;
    pid_t       pid;
    ngx_uint_t  exists;
    ngx_uint_t  number;         /* in the function init of the zone */
    int         fds;            /* descriptors of files in the directory */
} told_t;

static told_t        *told;
static ngx_int_t      init_result;


static root_t *
root(void)
{
    return zone->data;
}


static ngx_int_t
init_zone(ngx_shm_zone_t *z, void *data)
{
    told->exists = z->shm.exists;
    told->number = ((root_t *) z->data)->number;

    return init_result;
}


static void
set_init(ngx_cycle_t *cycle)
{
    zone->init = init_zone;
}


static ngx_int_t
migrate(ngx_shm_zone_t *z, void *new, const ngx_ipc_zone_old_t *old)
{
    *(root_t *) new = *(root_t *) old->root;

    return NGX_OK;
}


static void
owner_died(ngx_shm_zone_t *z, void *r, ngx_pid_t pid)
{
    if (ngx_ipc_zone_save(z, r, sizeof(root_t)) == NGX_OK) {
        ((root_t *) r)->told = pid;
    }
}


/* The number of files in the directory. */

static int
count_files(void)
{
    int             n = 0;
    DIR            *d = opendir(dir);
    struct dirent  *entry;

    while (d != NULL && (entry = readdir(d)) != NULL) {
        n += (entry->d_name[0] != '.');
    }

    if (d != NULL) {
        closedir(d);
    }

    return n;
}


/* The number of descriptors of files in the directory, and of the directory. */

static int
count_fds(void)
{
    int      i, n = 0;
    char     name[32], text[256];
    ssize_t  len;

    for (i = STDERR_FILENO + 1; i < T_FDS_MAX; i++) {
        snprintf(name, sizeof(name), "/proc/self/fd/%d", i);
        len = readlink(name, text, sizeof(text) - 1);

        if (len > 0) {
            text[len] = '\0';
            n += (strncmp(text, dir, strlen(dir)) == 0);
        }
    }

    return n;
}


static void
clean(void)
{
    char            text[512];
    DIR            *d = opendir(dir);
    struct dirent  *entry;

    while (d != NULL && (entry = readdir(d)) != NULL) {
        snprintf(text, sizeof(text), "%s/%s", dir, entry->d_name);
        (void) unlink(text);
    }

    if (d != NULL) {
        closedir(d);
    }

    (void) rmdir(dir);
}


static void
start(void)
{
    clean();
    told = t_shared(sizeof(told_t));

    memset(&type, 0, sizeof(type));
    ngx_str_set(&type.name, "numbers");
    type.version = 1;
    type.root_size = sizeof(root_t);
    type.on_owner_died = owner_died;
    size = SIZE;
    noreuse = 0;
    undeclared = 0;
    declare_more = set_init;
    init_result = NGX_OK;
    directory = dir;
    keep = 0;
}


static void
add_one(void)
{
    T_EQ(ngx_slab_verify(pool_of(zone), NULL), NGX_OK);
    T_EQ(ngx_ipc_zone_begin(zone), NGX_OK);
    T_EQ(ngx_ipc_zone_save(zone, root(), sizeof(root_t)), NGX_OK);
    root()->number++;
    T_EQ(ngx_ipc_zone_commit(zone), NGX_OK);
}


static void
tell(void)
{
    told->addr = zone->shm.addr;
    told->root = zone->data;
    told->pid = getpid();
    told->fds = count_fds();
}


/* Adds 1 to the number, and ends with it as the exit code. */

static ngx_int_t
count(ngx_cycle_t *cycle)
{
    T_EQ(zone->shm.exists, 0);
    add_one();
    tell();
    _exit((int) root()->number);
}


/* Runs a server that finds the zone of the server before it, with this number. */

static void
continues(ngx_uint_t number)
{
    T_EQ(run(count), (int) number + 1);
    T_EQ(told->exists, 1);
    T_EQ(told->number, number);
    T_EQ(told->fds, 0);
    T_OK(logged("[notice]"));
    T_OK(logged(": the zone \"accounts\" has the content of an earlier server\n"));
    T_EQ(t_lines(t_contents(STDERR_FILENO)), 1);
    T_EQ(count_files(), 1);
}


/* Runs a server that begins with an empty zone, with so many lines in its log. */

static void
begins(int lines)
{
    T_EQ(run(count), 1);
    T_EQ(told->exists, 0);
    T_EQ(told->fds, 0);
    T_EQ(t_lines(t_contents(STDERR_FILENO)), lines);
}


static void
test_kept(void)
{
    u_char       *addr;
    struct stat   st;

    start();
    begins(0);
    addr = told->addr;

    T_EQ(stat(path, &st), 0);
    T_EQ(st.st_mode & 07777, 0600);

    continues(1);
    T_OK(told->addr == addr);
    continues(2);
    T_OK(told->addr == addr);

    /* A zone with a file is kept over an upgrade in this way too. */

    keep = 1;
    continues(3);
    clean();
}


/* Ends in the middle of a transaction. */

static ngx_int_t
die(ngx_cycle_t *cycle)
{
    tell();
    T_EQ(ngx_ipc_zone_begin(zone), NGX_OK);
    T_EQ(ngx_ipc_zone_save(zone, root(), sizeof(root_t)), NGX_OK);
    T_OK(ngx_ipc_zone_alloc(zone, 5000) != NULL);
    root()->number = 77;
    raise(SIGKILL);
    _exit(99);
}


/* The module is told of the death of the server before. */

static ngx_int_t
count_told(ngx_cycle_t *cycle)
{
    T_EQ(pool_of(zone)->lock.lock, 0);
    add_one();
    T_EQ(root()->told, told->pid);
    _exit((int) root()->number);
}


static void
test_transaction(void)
{
    char  line[256];

    start();
    begins(0);
    (void) run(die);
    T_EQ(run(count_told), 2);

    /* When the function init of the zone was called, the transaction was undone. */

    T_EQ(told->exists, 1);
    T_EQ(told->number, 1);

    snprintf(line, sizeof(line), ": shared memory zone \"accounts\": undid the transaction"
             " in which process %d has died\n", (int) told->pid);
    T_OK(logged(line));

    continues(2);
    clean();
}


/* Ends with the lock, without a transaction. */

static ngx_int_t
die_locked(ngx_cycle_t *cycle)
{
    tell();
    ngx_shmtx_lock(&pool_of(zone)->mutex);
    root()->number = 5;
    raise(SIGKILL);
    _exit(99);
}


static void
test_lock(void)
{
    start();
    begins(0);
    (void) run(die_locked);
    T_EQ(run(count_told), 6);
    T_EQ(told->number, 5);
    clean();
}


static void
change(off_t at, const void *bytes, size_t n)
{
    int  fd = open(path, O_RDWR|O_CLOEXEC);

    T_REQUIRE(fd != -1);
    T_EQ(pwrite(fd, bytes, n, at), (ssize_t) n);
    close(fd);
}


static void
cut(void)
{
    T_EQ(truncate(path, 100), 0);
}


static void
shorten(void)
{
    T_EQ(truncate(path, SIZE), 0);
}


static void
change_format(void)
{
    change(HEADER, "X", 1);
}


/* The header is that of a larger zone than the file has room for. */

static void
enlarge(void)
{
    size = 4 * SIZE;
    change(HEADER + 16, &size, sizeof(size));
}


static void
change_identity(void)
{
    change(IDENTITY, "X", 1);
}


static void
damage(void)
{
    size_t  n = 3;

    change(offsetof(ngx_slab_pool_t, pfree), &n, sizeof(n));
}


static void
damage_header(void)
{
    size_t  n = 0;

    change(offsetof(ngx_slab_pool_t, end), &n, sizeof(n));
}


static void
take_address(void)
{
    T_OK(mmap(told->addr, 4096, PROT_NONE, MAP_PRIVATE|MAP_ANON|MAP_FIXED, -1, 0)
         == told->addr);
}


static void
other_size(void)
{
    size = 2 * SIZE;
}


static void
other_version(void)
{
    type.version = 2;
}


static void
other_type(void)
{
    ngx_str_set(&type.name, "others");
}


static void
allow_others(void)
{
    T_EQ(chmod(path, 0640), 0);
}


static void
add_name(void)
{
    char  other[160];

    snprintf(other, sizeof(other), "%s/other", dir);
    T_EQ(link(path, other), 0);
}


static void
change_owner(void)
{
    T_EQ(chown(path, 65534, -1), 0);
}


/*
 * The file that spoil has changed is not used for this reason.  The server has a new zone,
 * which the next one gets.
 */

static void
refused(void (*spoil)(void), const char *why)
{
    char  line[256], other[160];

    start();
    begins(0);
    spoil();
    begins(1);
    snprintf(line, sizeof(line),
             ": the kept content of the zone \"accounts\" is not used: %s\n", why);

    if (!T_OK(logged("[warn]") && logged(line))) {
        t_diag("%s", t_contents(STDERR_FILENO));
    }

    snprintf(other, sizeof(other), "%s/other", dir);
    (void) unlink(other);
    T_EQ(count_files(), 1);
    continues(1);
    clean();
}


static void
test_damaged(void)
{
    refused(cut, "it cannot be read (5: Input/output error)");
    refused(shorten, "it is damaged");
    refused(change_format, "it is damaged");
    refused(enlarge, "it is damaged");
    refused(damage, "it is damaged");
    refused(damage_header, "it is damaged");
}


static void
test_others(void)
{
    refused(change_identity,
            "it is that of another zone, version of the library or start of the machine");
    refused(other_size, "it has another size");
    refused(other_version, "its type has another version");
    refused(other_type, "it has another type");
}


static void
test_address(void)
{
    start();
    begins(0);
    take_address();
    begins(1);
    T_OK(logged("is not used: its address is not free in this process\n"));
    continues(1);
    clean();
}


static void
test_users(void)
{
    refused(allow_others, "another user can change it");
    refused(add_name, "another user can change it");

    if (geteuid() == 0) {
        refused(change_owner, "another user can change it");
    }
}


static void
test_migrated(void)
{
    start();
    begins(0);
    continues(1);

    type.migrate = migrate;
    type.version = 2;
    size = 2 * SIZE;
    T_EQ(run(count), 3);
    T_EQ(told->exists, 0);
    T_EQ(told->fds, 0);
    T_EQ(count_files(), 1);
    continues(3);
    clean();
}


/* A process that uses the file: a worker that has survived its master, or another server. */

static u_char *
map_file(void)
{
    int     fd = open(path, O_RDWR|O_CLOEXEC);
    u_char *map;

    T_REQUIRE(fd != -1);
    map = mmap(NULL, SIZE, PROT_READ|PROT_WRITE, MAP_SHARED, fd, 0);
    T_REQUIRE(map != MAP_FAILED);
    close(fd);

    return map;
}


static ino_t
inode(void)
{
    struct stat  st;

    T_EQ(stat(path, &st), 0);

    return st.st_ino;
}


static void
test_used(void)
{
    ino_t    ino;
    u_char  *map, copy[SIZE];

    for (keep = 0; keep < 2; keep++) {
        ngx_flag_t  kept = keep;

        start();
        begins(0);
        map = map_file();
        memcpy(copy, map, SIZE);
        ino = inode();
        keep = kept;

        begins(1);
        T_OK(logged("[warn]"));
        T_OK(logged(": the zone \"accounts\" is not kept: another server uses its file\n"));
        T_OK(memcmp(copy, map, SIZE) == 0);
        T_EQ(inode(), ino);
        T_EQ(count_files(), 1);

        munmap(map, SIZE);
        continues(1);
        clean();
    }
}


/* The process that uses the file is the old binary, as the environment variable says. */

static ngx_int_t
count_without_variable(ngx_cycle_t *cycle)
{
    T_OK(getenv("NGX_IPC_ZONE_FILES") == NULL);

    return count(cycle);
}


static void
test_upgrade(void)
{
    char         text[128];
    size_t       i;
    u_char      *map, *addr;
    ngx_uint_t  *number;
    struct stat  st;

    static const char *const  wrong[] = { "", "2", "1", "1;", "1;7", "1;7:8", "1;7:8;" };

    start();
    begins(0);
    addr = told->addr;
    map = map_file();
    number = (ngx_uint_t *) (map + (told->root - addr));
    T_EQ(*number, 1);
    T_EQ(stat(path, &st), 0);

    for (i = 0; i < t_nitems(wrong); i++) {
        T_EQ(setenv("NGX_IPC_ZONE_FILES", wrong[i], 1), 0);
        begins(1);
        T_OK(logged("another server uses its file\n"));
    }

    snprintf(text, sizeof(text), "1;5:6;%ju:%ju", (uintmax_t) st.st_dev,
             (uintmax_t) st.st_ino);
    T_EQ(setenv("NGX_IPC_ZONE_FILES", text, 1), 0);
    T_EQ(run(count_without_variable), 2);
    T_EQ(told->exists, 1);
    T_OK(told->addr == addr);
    T_EQ(t_lines(t_contents(STDERR_FILENO)), 0);

    /* Both use the same memory. */

    T_EQ(*number, 2);
    T_EQ(inode(), st.st_ino);

    unsetenv("NGX_IPC_ZONE_FILES");
    munmap(map, SIZE);
    continues(2);
    clean();
}


/* A reload keeps the file, or makes another one, or removes it. */

static ngx_cycle_t *
reload(ngx_cycle_t *cycle)
{
    ngx_cycle_t  *new = ngx_init_cycle(cycle);

    T_EQ(count_fds(), 0);

    return new;
}


static ngx_int_t
check_reload(ngx_cycle_t *cycle)
{
    ino_t  ino = inode();

    add_one();
    cycle = reload(cycle);
    T_REQUIRE(cycle != NULL);
    T_EQ(told->exists, 1);
    T_EQ(inode(), ino);

    /* A reload that fails changes nothing, whatever the zone would get. */

    init_result = NGX_ERROR;
    T_OK(reload(cycle) == NULL);
    size = 2 * SIZE;
    T_OK(reload(cycle) == NULL);
    T_EQ(inode(), ino);
    T_EQ(count_files(), 1);

    init_result = NGX_OK;
    cycle = reload(cycle);
    T_REQUIRE(cycle != NULL);
    T_EQ(told->exists, 0);
    T_OK(inode() != ino);
    T_EQ(count_files(), 1);
    add_one();

    ino = inode();
    noreuse = 1;
    cycle = reload(cycle);
    T_REQUIRE(cycle != NULL);
    T_EQ(count_files(), 0);

    noreuse = 0;
    cycle = reload(cycle);
    T_REQUIRE(cycle != NULL);
    T_EQ(count_files(), 0);

    _exit(1);
}


static void
test_reload(void)
{
    start();
    T_EQ(run(check_reload), 1);
    clean();
}


/* A zone that the configuration does not have any more. */

static ngx_int_t
check_dropped(ngx_cycle_t *cycle)
{
    T_EQ(count_files(), 1);
    undeclared = 1;
    T_OK(reload(cycle) != NULL);
    T_EQ(count_files(), 0);
    _exit(1);
}


static void
test_dropped(void)
{
    start();
    T_EQ(run(check_dropped), 1);
    clean();
}


static void
test_directory(void)
{
    static char  path_too_long[5000];

    start();
    T_EQ(mkdir(dir, 0700), 0);
    T_EQ(chmod(dir, 0777), 0);
    begins(1);
    T_OK(logged("[warn]"));
    T_OK(logged(": the zone \"accounts\" is not kept: its file cannot be made"
                " (1: Operation not permitted)\n"));
    T_EQ(count_files(), 0);
    T_EQ(chmod(dir, 0700), 0);
    begins(0);
    continues(1);
    clean();

    directory = "/nonexistent/directory";
    begins(1);
    T_OK(logged("is not kept: its file cannot be made (2: No such file or directory)\n"));

    /* The kernel takes no such path. */

    memset(path_too_long, 'x', sizeof(path_too_long) - 1);
    directory = path_too_long;
    told->pid = 0;
    T_EQ(run(count), 1);
    T_EQ(told->pid, 0);
    T_OK(logged("[emerg]"));
    T_OK(logged(": zones_directory cannot be used (36: File name too long)\n"));
}


/* A zone without a type, whose name is not one of a file. */

static ngx_shm_zone_t  *plain;


static ngx_int_t
init_plain(ngx_shm_zone_t *z, void *data)
{
    ngx_slab_pool_t  *pool = pool_of(z);

    T_OK(data == NULL);
    told->exists = z->shm.exists;

    if (!z->shm.exists) {
        pool->data = ngx_slab_calloc(pool, sizeof(ngx_uint_t));
    }

    return pool->data ? NGX_OK : NGX_ERROR;
}


static void
declare_plain(ngx_cycle_t *cycle)
{
    ngx_str_t  name = ngx_string("../a b\377");

    plain = ngx_ipc_shared_memory_add(cycle, &name, SIZE, &plain);
    T_REQUIRE(plain != NULL);
    plain->init = init_plain;
}


static ngx_int_t
count_plain(ngx_cycle_t *cycle)
{
    _exit((int) ++*(ngx_uint_t *) pool_of(plain)->data);
}


static void
test_plain(void)
{
    char  other[160];

    start();
    declare_more = declare_plain;
    T_EQ(run(count_plain), 1);
    T_EQ(told->exists, 0);
    T_EQ(count_files(), 2);
    snprintf(other, sizeof(other), "%s/%%2E%%2E%%2Fa%%20b%%FF.zone", dir);
    T_EQ(access(other, R_OK), 0);

    T_EQ(run(count_plain), 2);
    T_EQ(told->exists, 1);
    T_EQ(count_files(), 2);

    /* The file of one zone is not that of another one. */

    T_EQ(rename(path, other), 0);
    T_EQ(run(count_plain), 1);
    T_OK(logged("is not used: it is that of another zone, version of the library or"));
    clean();
}


/* The zone is in no file in memory, so it cannot be given. */

static ngx_int_t
check_given(ngx_cycle_t *cycle)
{
    T_EQ(ngx_ipc_zone_fd(zone, NGX_IPC_ZONE_READ_ONLY), -1);
    T_OK(logged("the zone \"accounts\" cannot be given: its memory is no file in memory"));
    _exit(1);
}


static void
test_given(void)
{
    start();
    keep = 1;
    T_EQ(run(check_given), 1);
    clean();
}


int
main(void)
{
    t_begin();
    snprintf(dir, sizeof(dir), "/dev/shm/ngx_ipc_zone_files.%d", (int) getpid());
    snprintf(path, sizeof(path), "%s/accounts.zone", dir);

    t_run("a zone survives the end of the server", test_kept);
    t_run("a zone without a type", test_plain);
    t_run("a server is killed in a transaction", test_transaction);
    t_run("a server is killed with the lock", test_lock);
    t_run("a file that is damaged", test_damaged);
    t_run("a file that does not fit", test_others);
    t_run("a file that others can change", test_users);
    t_run("the address of a file is in use", test_address);
    t_run("a file is migrated", test_migrated);
    t_run("a file that processes use", test_used);
    t_run("the file of the old binary", test_upgrade);
    t_run("reloads and files", test_reload);
    t_run("the file of a zone that is not declared", test_dropped);
    t_run("a directory that cannot be used", test_directory);
    t_run("a zone with a file is not given", test_given);
    clean();

    return t_end();
}
