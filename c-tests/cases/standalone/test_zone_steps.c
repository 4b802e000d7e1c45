
/*
 * A process is killed after each instruction of a whole call: before it has the lock of the zone,
 * with the lock, and after it has released the lock.  The next process gets the lock, and finds a
 * pool that is right, with the content before the call or after it.
 *
 * What the next process finds depends on the memory only, and on whether the owner of the lock
 * runs.  So the process runs one instruction at a time.  After each change of the memory, a dead
 * process becomes the owner, and this process does what the next one does.  Then it restores the
 * memory.  At one instruction the process is really killed.
 */


#include "t_zone.h"

#include <ngx_rbtree.h>
#include <sys/ptrace.h>


#define PAGE   4096
#define PAGES  24
#define SLOTS  9


typedef void (*work_pt)(void);


/* A process finds out its start time before its first lock, which takes many instructions. */

static void
lock_first(void)
{
    ngx_shmtx_t     lock;
    ngx_shmtx_sh_t  words;

    memset(&lock, 0, sizeof(lock));
    memset(&words, 0, sizeof(words));
    T_REQUIRE(ngx_shmtx_create(&lock, &words, NULL) == NGX_OK);
    ngx_shmtx_lock(&lock);
    ngx_shmtx_unlock(&lock);
}


/* Starts a process that is stopped before "work". */

static pid_t
start_process(work_pt work)
{
    int    status;
    pid_t  pid;

    pid = fork();
    T_REQUIRE(pid != -1);

    if (pid == 0) {
        ngx_pid = ngx_getpid();
        lock_first();
        (void) ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        work();
        _exit(0);
    }

    T_REQUIRE(waitpid(pid, &status, 0) == pid && WIFSTOPPED(status));

    return pid;
}


/* Runs one instruction of the process.  Returns 0 if the process has exited. */

static int
step(pid_t pid)
{
    int  status;

    T_REQUIRE(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) == 0);
    T_REQUIRE(waitpid(pid, &status, 0) == pid);

    if (WIFSTOPPED(status)) {
        return 1;
    }

    T_REQUIRE(WIFEXITED(status) && WEXITSTATUS(status) == 0);

    return 0;
}


/* Replaces the number of a process in the words of a lock by that of a dead one. */

static void
replace_owner(ngx_slab_pool_t *p, pid_t pid)
{
    size_t      i;
    uint64_t   *words = (uint64_t *) p;

    static pid_t  dead;

    if (dead == 0) {
        dead = fork();
        T_REQUIRE(dead != -1);

        if (dead == 0) {
            _exit(0);
        }

        T_EQ(waitpid(dead, NULL, 0), dead);
    }

    for (i = 0; i < sizeof(ngx_shmtx_sh_t) / sizeof(uint64_t); i++) {
        if ((uint32_t) words[i] == (uint32_t) pid) {
            words[i] = (uint32_t) dead;
        }
    }
}


/* Kills a process after each instruction of "work".  Then "check" is called. */

static void
kill_at_each(const char *name, ngx_slab_pool_t *p, size_t len, work_pt work, work_pt check)
{
    pid_t        pid;
    u_char      *first, *now;
    ngx_uint_t   n, i, changes;

    first = malloc(len);
    now = malloc(len);
    T_REQUIRE(first != NULL && now != NULL);
    memcpy(first, p, len);
    memcpy(now, p, len);
    pid = start_process(work);

    for (n = 0, changes = 0; step(pid); n++) {
        if (memcmp(now, p, len) != 0) {
            changes++;
            memcpy(now, p, len);
            replace_owner(p, pid);
            check();
            memcpy(p, now, len);
        }
    }

    check();
    memcpy(p, first, len);

    /* A real kill. */

    pid = start_process(work);

    for (i = 0; i < n / 2; i++) {
        T_REQUIRE(step(pid));
    }

    T_EQ(kill(pid, SIGKILL), 0);
    T_EQ(waitpid(pid, NULL, 0), pid);
    check();
    memcpy(p, first, len);

    free(first);
    free(now);

    t_diag("%s: %ld instructions, %ld changes", name, (long) n, (long) changes);
    T_OK(changes > 1);
}


/* A pool, and the piece or the size of a call. */

static ngx_slab_pool_t  *pool;
static u_char           *piece;
static size_t            request;

/* The end of the transaction in which a process dies. */

static ngx_uint_t        old_keys, new_keys;


/* What is allocated in the pool: the number of chunks of each size, and of pages. */

typedef struct {
    ngx_uint_t  used[SLOTS];
    ngx_uint_t  pages;
} content_t;


static content_t  ends[2];


static content_t
content_of(void)
{
    ngx_uint_t  i;
    content_t   content;

    for (i = 0; i < SLOTS; i++) {
        content.used[i] = pool->stats[i].used;
    }

    content.pages = pool->pfree;

    return content;
}


static int
is_same(content_t one, content_t other)
{
    return memcmp(&one, &other, sizeof(content_t)) == 0;
}


static void
make_pool(void)
{
    pool = mmap(NULL, PAGES * PAGE, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANON, -1, 0);
    T_REQUIRE(pool != MAP_FAILED);

    pool->end = (u_char *) pool + PAGES * PAGE;
    pool->min_shift = 3;
    pool->addr = pool;
    T_EQ(ngx_shmtx_create(&pool->mutex, &pool->lock, NULL), NGX_OK);
    ngx_slab_init(pool);
}


static void
do_alloc(void)
{
    (void) ngx_slab_alloc(pool, request);
}


static void
do_calloc(void)
{
    (void) ngx_slab_calloc(pool, request);
}


static void
do_free(void)
{
    ngx_slab_free(pool, piece);
}


/* The next process works with the pool. */

static void
check_pool(void)
{
    void       *p;
    content_t   now;

    p = ngx_slab_alloc(pool, request);
    T_OK((p != NULL) == (request < PAGES * PAGE));

    if (p != NULL) {
        ngx_slab_free(pool, p);
    }

    T_EQ(ngx_slab_verify(pool, NULL), NGX_OK);

    now = content_of();
    T_OK(is_same(now, ends[0]) || is_same(now, ends[1]));
}


static void
kill_call(const char *name, work_pt work)
{
    u_char  *first;

    first = malloc(PAGES * PAGE);
    T_REQUIRE(first != NULL);

    memcpy(first, pool, PAGES * PAGE);
    ends[0] = content_of();
    work();
    ends[1] = content_of();
    memcpy(pool, first, PAGES * PAGE);
    free(first);

    kill_at_each(name, pool, PAGES * PAGE, work, check_pool);
}


static void
test_slab(void)
{
    void        *p[8];
    size_t       i, j;

    static const size_t  sizes[] = { 8, 64, 512, 2 * PAGE };

    if (t_under_valgrind()) {
        t_skip("valgrind traces the process itself");
    }

    make_pool();
    ngx_cycle = t_cycle();

    for (i = 0; i < t_nitems(sizes); i++) {
        request = sizes[i];
        kill_call("first", do_alloc);

        for (j = 0; j < 3; j++) {
            p[j] = ngx_slab_alloc(pool, request);
            T_REQUIRE(p[j] != NULL);
        }

        piece = p[1];
        kill_call("next", do_alloc);
        kill_call("next, zeros", do_calloc);
        kill_call("free", do_free);
        ngx_slab_free(pool, p[0]);
        kill_call("free beside a free one", do_free);
        ngx_slab_free(pool, p[2]);
        kill_call("free the only one", do_free);
        ngx_slab_free(pool, p[1]);
    }

    /* The line in the log is written without the lock. */

    request = PAGES * PAGE;
    kill_call("no memory", do_alloc);

    T_EQ(munmap(pool, PAGES * PAGE), 0);
}


/* A typed zone with a queue, a table and a tree. */

typedef struct {
    ngx_queue_t         queue;
    ngx_rbtree_node_t   node;
} item_t;

typedef struct {
    void               *hash;
    ngx_queue_t         items;
    ngx_rbtree_t        tree;
    ngx_rbtree_node_t   sentinel;
} root_t;


static ngx_int_t
init_root(ngx_shm_zone_t *z, void *data)
{
    root_t  *root = data;

    ngx_queue_init(&root->items);
    ngx_rbtree_init(&root->tree, &root->sentinel, NULL);

    if (ngx_ipc_zone_begin(z) != NGX_OK) {
        return NGX_ERROR;
    }

    root->hash = ngx_ipc_zone_hash_create(z, 4, sizeof(ngx_uint_t));

    return (ngx_ipc_zone_commit(z) == NGX_OK && root->hash) ? NGX_OK : NGX_ERROR;
}


/* Adds an item with this key to all three.  Returns whether it has. */

static int
add(ngx_uint_t key)
{
    item_t  *item;
    root_t  *root = zone->data;

    item = ngx_ipc_zone_alloc(zone, sizeof(item_t));

    if (item == NULL) {
        return 0;
    }

    item->node.key = key;

    return ngx_ipc_zone_queue_insert_head(zone, &root->items, &item->queue) == NGX_OK
           && ngx_ipc_zone_tree_insert(zone, &root->tree, &item->node) == NGX_OK
           && ngx_ipc_zone_hash_set(zone, root->hash, (u_char *) &key, sizeof(key), &key,
                                    sizeof(key)) == NGX_OK;
}


/* Deletes the item with this key.  Returns whether it has. */

static int
delete(ngx_uint_t key)
{
    item_t             *item;
    root_t             *root = zone->data;
    ngx_rbtree_node_t  *node;

    node = ngx_ipc_zone_tree_find(zone, &root->tree, key);

    if (node == NULL) {
        return 0;
    }

    item = ngx_rbtree_data(node, item_t, node);

    return ngx_ipc_zone_tree_delete(zone, &root->tree, node) == NGX_OK
           && ngx_ipc_zone_queue_remove(zone, &item->queue) == NGX_OK
           && ngx_ipc_zone_hash_delete(zone, root->hash, (u_char *) &key, sizeof(key)) == NGX_OK
           && ngx_ipc_zone_free(zone, item) == NGX_OK;
}


static void
do_commit(void)
{
    if (ngx_ipc_zone_begin(zone) != NGX_OK || !add(5) || !delete(2)
        || ngx_ipc_zone_commit(zone) != NGX_OK)
    {
        _exit(1);
    }
}


static void
do_abort(void)
{
    if (ngx_ipc_zone_begin(zone) != NGX_OK || !add(5) || !delete(2)
        || ngx_ipc_zone_abort(zone) != NGX_OK)
    {
        _exit(1);
    }
}


/* The transaction of a process that has died must be undone first. */

static void
do_recovery(void)
{
    if (ngx_ipc_zone_begin(zone) != NGX_OK || ngx_ipc_zone_commit(zone) != NGX_OK) {
        _exit(1);
    }
}


/* The keys in the tree, as the bits of a number.  Queue and table have the same keys. */

static ngx_uint_t
keys(void)
{
    root_t             *root = zone->data;
    ngx_int_t           n;
    ngx_uint_t          bits, key, *value;
    ngx_queue_t        *q;
    ngx_rbtree_node_t  *node;

    bits = 0;

    for (node = ngx_ipc_zone_tree_min(zone, &root->tree);
         node != NULL;
         node = ngx_ipc_zone_tree_next(zone, &root->tree, node))
    {
        key = node->key;
        value = ngx_ipc_zone_hash_get(zone, root->hash, (u_char *) &key, sizeof(key), sizeof(key));
        T_OK(key < 32 && value != NULL && *value == key);
        bits |= (ngx_uint_t) 1 << key;
    }

    n = 0;

    for (q = ngx_ipc_zone_queue_next(zone, &root->items, &root->items);
         q != NULL;
         q = ngx_ipc_zone_queue_next(zone, &root->items, q))
    {
        key = ngx_queue_data(q, item_t, queue)->node.key;
        T_OK(key < 32 && (bits & (ngx_uint_t) 1 << key));
        n++;
    }

    T_EQ(n, __builtin_popcountl(bits));
    T_EQ(ngx_ipc_zone_hash_count(zone, root->hash), n);
    T_EQ(ngx_ipc_zone_tree_count(zone, &root->tree), n);

    return bits;
}


/* The next process finds one of two contents, and changes it. */

static void
check_zone(void)
{
    ngx_uint_t  bits;

    T_REQUIRE(ngx_ipc_zone_begin(zone) == NGX_OK);
    bits = keys();
    T_OK(bits == old_keys || bits == new_keys);
    T_EQ(ngx_slab_verify(pool_of(zone), NULL), NGX_OK);
    T_OK(add(20));
    T_EQ(keys(), bits | 1 << 20);
    T_EQ(ngx_ipc_zone_commit(zone), NGX_OK);
}


static void
kill_transaction(const char *name, work_pt work)
{
    kill_at_each(name, pool_of(zone), size, work, check_zone);
}


/* A process dies in a transaction, which has changed all that it changes. */

static void
do_half(void)
{
    if (ngx_ipc_zone_begin(zone) == NGX_OK && add(5) && delete(2)) {
        kill(ngx_pid, SIGKILL);
    }
}


static ngx_int_t
check_transactions(ngx_cycle_t *cycle)
{
    pid_t       pid;
    sigset_t    set;
    ngx_uint_t  key;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    T_EQ(sigprocmask(SIG_BLOCK, &set, NULL), 0);

    T_REQUIRE(ngx_ipc_zone_begin(zone) == NGX_OK);

    for (key = 0; key < 10; key += 2) {
        T_OK(add(key));
        old_keys |= (ngx_uint_t) 1 << key;
    }

    T_EQ(ngx_ipc_zone_commit(zone), NGX_OK);

    new_keys = old_keys;
    kill_transaction("abort", do_abort);
    new_keys = (old_keys | 1 << 5) & ~(ngx_uint_t) (1 << 2);
    kill_transaction("commit", do_commit);

    /* The process that recovers the zone is killed too. */

    new_keys = old_keys;
    pid = fork();
    T_REQUIRE(pid != -1);

    if (pid == 0) {
        ngx_pid = ngx_getpid();
        do_half();
        _exit(1);
    }

    T_EQ(waitpid(pid, NULL, 0), pid);
    T_OK(header_of(zone)->state != 0);
    kill_transaction("recovery", do_recovery);
    T_OK(logged("undid the transaction in which process"));

    _exit(0);
}


static void
test_transactions(void)
{
    if (t_under_valgrind()) {
        t_skip("valgrind traces the process itself");
    }

    memset(&type, 0, sizeof(type));
    ngx_str_set(&type.name, "steps");
    type.version = 1;
    type.root_size = sizeof(root_t);
    type.init = init_root;
    size = SIZE;

    T_EQ(run(check_transactions), 0);
}


int
main(void)
{
    t_begin();

    t_run("a process is killed at any instruction of a call of the allocator", test_slab);
    t_run("a process is killed at any instruction of a transaction", test_transactions);

    return t_end();
}
