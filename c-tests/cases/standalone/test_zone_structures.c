
/*
 * Tests of queues and tables in typed zones: ngx_ipc_zone_queue_insert_head(),
 * ngx_ipc_zone_queue_insert_tail(), ngx_ipc_zone_queue_remove(), ngx_ipc_zone_queue_next(),
 * ngx_ipc_zone_queue_count(), ngx_ipc_zone_hash_create(), ngx_ipc_zone_hash_get(),
 * ngx_ipc_zone_hash_set(), ngx_ipc_zone_hash_delete(), ngx_ipc_zone_hash_count() and
 * ngx_ipc_zone_hash_next().
 */


#include "t_zone.h"


#define KEYS   200
#define ITEMS  20


typedef struct {
    ngx_uint_t   number;
    ngx_queue_t  queue;
} item_t;

typedef struct {
    void        *hash;
    ngx_queue_t  items;
    ngx_uint_t   n;
} root_t;


/* What the hash and the queue must contain. */

static ngx_uint_t  model[KEYS];
static ngx_uint_t  present[KEYS];
static ngx_uint_t  list[ITEMS + 1], list_n;


static ngx_int_t
init_root(ngx_shm_zone_t *z, void *data)
{
    root_t  *root = data;

    ngx_queue_init(&root->items);

    /* The lists are short of keys, so that they have several. */

    if (ngx_ipc_zone_begin(z) != NGX_OK) {
        return NGX_ERROR;
    }

    root->hash = ngx_ipc_zone_hash_create(z, 20, sizeof(ngx_uint_t));

    return (ngx_ipc_zone_commit(z) == NGX_OK && root->hash) ? NGX_OK : NGX_ERROR;
}


static void
start(void)
{
    memset(&type, 0, sizeof(type));
    ngx_str_set(&type.name, "structures");
    type.version = 1;
    type.root_size = sizeof(root_t);
    type.init = init_root;
    size = SIZE;
}


/* Key n has 0 to 40 bytes.  Many have the same first ones. */

static size_t
key_of(int n, u_char *key)
{
    memset(key, 'k', 40);

    return (n == 0) ? 0 : (size_t) ngx_sprintf(key + n % 3 * 10, "%d", n) - (size_t) key;
}


static ngx_uint_t *
get(int n)
{
    u_char   key[64];
    size_t   len;
    root_t  *root = zone->data;

    len = key_of(n, key);

    return ngx_ipc_zone_hash_get(zone, root->hash, key, len, sizeof(ngx_uint_t));
}


static ngx_int_t
set(int n, ngx_uint_t value)
{
    u_char   key[64];
    size_t   len;
    root_t  *root = zone->data;

    len = key_of(n, key);

    return ngx_ipc_zone_hash_set(zone, root->hash, key, len, &value, sizeof(value));
}


static ngx_int_t
del(int n)
{
    u_char   key[64];
    size_t   len;
    root_t  *root = zone->data;

    len = key_of(n, key);

    return ngx_ipc_zone_hash_delete(zone, root->hash, key, len);
}


static void
push(ngx_uint_t number, int at_head)
{
    item_t  *item;
    root_t  *root = zone->data;

    item = ngx_ipc_zone_alloc(zone, sizeof(item_t));
    T_REQUIRE(item != NULL);
    item->number = number;

    if (at_head) {
        T_EQ(ngx_ipc_zone_queue_insert_head(zone, &root->items, &item->queue), NGX_OK);

    } else {
        T_EQ(ngx_ipc_zone_queue_insert_tail(zone, &root->items, &item->queue), NGX_OK);
    }
}


static void
pull(ngx_queue_t *q)
{
    T_EQ(ngx_ipc_zone_queue_remove(zone, q), NGX_OK);
    T_EQ(ngx_ipc_zone_free(zone, ngx_queue_data(q, item_t, queue)), NGX_OK);
}


/* The number of the key of an entry, or -1. */

static int
number_of(ngx_ipc_zone_hash_walk_t *walk)
{
    int     n;
    u_char  key[64];

    for (n = 0; n < KEYS; n++) {
        if (key_of(n, key) == walk->len && memcmp(key, walk->key, walk->len) == 0) {
            return n;
        }
    }

    return -1;
}


/* Walks over the table, and compares it with the model. */

static void
compare_walk(void)
{
    int                        n;
    root_t                    *root = zone->data;
    ngx_int_t                  rc, count;
    ngx_uint_t                 found[KEYS];
    ngx_ipc_zone_hash_walk_t   walk;

    memset(found, 0, sizeof(found));
    memset(&walk, 0, sizeof(walk));
    count = 0;

    while ((rc = ngx_ipc_zone_hash_next(zone, root->hash, &walk, sizeof(ngx_uint_t))) == NGX_OK) {
        n = number_of(&walk);
        T_REQUIRE(n != -1);
        T_EQ(found[n]++, 0);
        T_OK(present[n] && *(ngx_uint_t *) walk.value == model[n]);
        count++;
    }

    T_EQ(rc, NGX_DECLINED);
    T_EQ(ngx_ipc_zone_hash_next(zone, root->hash, &walk, sizeof(ngx_uint_t)), NGX_DECLINED);
    T_EQ(ngx_ipc_zone_hash_count(zone, root->hash), count);

    for (n = 0; n < KEYS; n++) {
        T_EQ(found[n], present[n]);
    }
}


/* Compares hash and queue with the model, in a transaction. */

static void
compare(void)
{
    int           n;
    root_t       *root = zone->data;
    ngx_uint_t    i, *value;
    ngx_queue_t  *q;

    for (n = 0; n < KEYS; n++) {
        value = get(n);
        T_OK((value != NULL) == present[n]);
        T_OK(value == NULL || *value == model[n]);
    }

    for (i = 0, q = ngx_queue_head(&root->items);
         q != ngx_queue_sentinel(&root->items) && i < list_n;
         i++, q = ngx_queue_next(q))
    {
        T_EQ(ngx_queue_data(q, item_t, queue)->number, list[i]);
        T_OK(ngx_queue_prev(ngx_queue_next(q)) == q);
    }

    T_EQ(i, list_n);
    T_OK(q == ngx_queue_sentinel(&root->items));
    T_EQ(ngx_ipc_zone_queue_count(zone, &root->items), (ngx_int_t) list_n);

    for (i = 0, q = &root->items; i < list_n; i++) {
        q = ngx_ipc_zone_queue_next(zone, &root->items, q);
        T_REQUIRE(q != NULL);
        T_EQ(ngx_queue_data(q, item_t, queue)->number, list[i]);
    }

    T_OK(ngx_ipc_zone_queue_next(zone, &root->items, q) == NULL);
    compare_walk();
    T_EQ(ngx_slab_verify(pool_of(zone), NULL), NGX_OK);
}


/* A few random operations.  The model has the same if they are to be committed. */

static void
change(int is_kept)
{
    int           n, i;
    root_t       *root = zone->data;
    ngx_uint_t    value, before;

    for (i = random() % 6; i > 0; i--) {
        n = random() % KEYS;
        value = random();
        before = (get(n) != NULL);

        switch (random() % 4) {

        case 0:
            T_EQ(del(n), before ? NGX_OK : NGX_DECLINED);
            T_OK(get(n) == NULL);

            if (is_kept) {
                present[n] = 0;
            }

            break;

        case 1:
            if (root->n == ITEMS) {
                pull(ngx_queue_last(&root->items));
                T_EQ(ngx_ipc_zone_save(zone, &root->n, sizeof(root->n)), NGX_OK);
                root->n--;
                list_n -= is_kept;
            }

            push(value, 1);
            T_EQ(ngx_ipc_zone_save(zone, &root->n, sizeof(root->n)), NGX_OK);
            root->n++;

            if (is_kept) {
                memmove(&list[1], &list[0], ITEMS * sizeof(list[0]));
                list[0] = value;
                list_n++;
            }

            break;

        case 2:
            if (root->n == ITEMS) {
                break;
            }

            push(value, 0);
            T_EQ(ngx_ipc_zone_save(zone, &root->n, sizeof(root->n)), NGX_OK);
            root->n++;

            if (is_kept) {
                list[list_n++] = value;
            }

            break;

        default:
            T_EQ(set(n, value), NGX_OK);
            T_REQUIRE(get(n) != NULL);
            T_EQ(*get(n), value);

            if (is_kept) {
                present[n] = 1;
                model[n] = value;
            }
        }
    }
}


static ngx_int_t
check_model(ngx_cycle_t *cycle)
{
    int            i, n, status;
    pid_t          pid;
    root_t        *root = zone->data;
    sigset_t       set;
    ngx_queue_t   *q, *next;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    T_EQ(sigprocmask(SIG_BLOCK, &set, NULL), 0);
    srandom(5);

    for (i = 0; i < 3000; i++) {
        T_REQUIRE(ngx_ipc_zone_begin(zone) == NGX_OK);

        if (i % 3 == 0) {
            change(0);
            T_EQ(ngx_ipc_zone_abort(zone), NGX_OK);

        } else {
            change(1);
            T_EQ(ngx_ipc_zone_commit(zone), NGX_OK);
        }

        if (i % 100 == 0) {

            /* A process dies in a transaction. */

            pid = fork();
            T_REQUIRE(pid != -1);

            if (pid == 0) {
                ngx_pid = ngx_getpid();
                (void) ngx_ipc_zone_begin(zone);
                change(0);
                change(0);
                kill(ngx_pid, SIGKILL);
            }

            T_EQ(waitpid(pid, &status, 0), pid);
        }

        if (i % 50 == 0) {
            T_REQUIRE(ngx_ipc_zone_begin(zone) == NGX_OK);
            compare();
            T_EQ(ngx_ipc_zone_commit(zone), NGX_OK);
        }
    }

    /* All memory comes back. */

    for (n = 0; n < KEYS; n++) {
        T_EQ(ngx_ipc_zone_begin(zone), NGX_OK);
        T_EQ(del(n), present[n] ? NGX_OK : NGX_DECLINED);
        T_EQ(ngx_ipc_zone_commit(zone), NGX_OK);
    }

    for (q = ngx_queue_head(&root->items); q != &root->items; q = next) {
        next = ngx_queue_next(q);
        T_EQ(ngx_ipc_zone_begin(zone), NGX_OK);
        pull(q);
        T_EQ(ngx_ipc_zone_commit(zone), NGX_OK);
    }

    T_OK(ngx_queue_empty(&root->items));
    T_EQ(pool_of(zone)->stats[2].used + pool_of(zone)->stats[3].used
         + pool_of(zone)->stats[4].used, 1);

    _exit(0);
}


static void
test_model(void)
{
    if (t_under_valgrind()) {
        t_skip("too slow under valgrind");
    }

    start();
    T_EQ(run(check_model), 0);
}


/* Deletes each key whose number is a multiple of n, when a walk has found it. */

static void
delete_while_walking(void *hash, int n)
{
    int                        number;
    ngx_int_t                  before, seen, deleted;
    ngx_ipc_zone_hash_walk_t   walk;

    memset(&walk, 0, sizeof(walk));
    before = ngx_ipc_zone_hash_count(zone, hash);
    seen = 0;
    deleted = 0;

    while (ngx_ipc_zone_hash_next(zone, hash, &walk, sizeof(ngx_uint_t)) == NGX_OK) {
        number = *(ngx_uint_t *) walk.value;
        seen++;

        if (number % n == 0) {
            T_EQ(ngx_ipc_zone_hash_delete(zone, hash, walk.key, walk.len), NGX_OK);
            deleted++;
        }
    }

    T_EQ(seen, before);
    T_EQ(ngx_ipc_zone_hash_count(zone, hash), before - deleted);
}


/* Adds a key for each one that a walk finds.  Others are found once. */

static void
add_while_walking(void *hash)
{
    int                        n;
    u_char                     key[64];
    ngx_uint_t                 value, found[KEYS];
    ngx_ipc_zone_hash_walk_t   walk;

    memset(&walk, 0, sizeof(walk));
    memset(found, 0, sizeof(found));

    while (ngx_ipc_zone_hash_next(zone, hash, &walk, sizeof(ngx_uint_t)) == NGX_OK) {
        value = *(ngx_uint_t *) walk.value;

        if (value >= KEYS) {
            continue;
        }

        found[value]++;
        value += KEYS;
        T_EQ(ngx_ipc_zone_hash_set(zone, hash, key, key_of(value, key), &value, sizeof(value)),
             NGX_OK);
    }

    for (n = 0; n < KEYS; n++) {
        T_EQ(found[n], 1);
    }

    T_EQ(ngx_ipc_zone_hash_count(zone, hash), 2 * KEYS);
}


static void
fill(void *hash)
{
    int         n;
    u_char      key[64];
    ngx_uint_t  value;

    for (n = 0; n < KEYS; n++) {
        value = n;
        T_EQ(ngx_ipc_zone_hash_set(zone, hash, key, key_of(n, key), &value, sizeof(value)), NGX_OK);
    }
}


/* The lists of the tables have one entry, some, and all. */

static ngx_int_t
check_walk(ngx_cycle_t *cycle)
{
    int     n, lists;
    void   *hash;
    u_char  key[64];

    for (lists = 1; lists <= 1024; lists *= 32) {
        T_EQ(ngx_ipc_zone_begin(zone), NGX_OK);
        hash = ngx_ipc_zone_hash_create(zone, lists, sizeof(ngx_uint_t));
        T_REQUIRE(hash != NULL);
        fill(hash);
        T_EQ(ngx_ipc_zone_commit(zone), NGX_OK);

        T_EQ(ngx_ipc_zone_begin(zone), NGX_OK);
        add_while_walking(hash);
        T_EQ(ngx_ipc_zone_abort(zone), NGX_OK);

        T_EQ(ngx_ipc_zone_begin(zone), NGX_OK);
        delete_while_walking(hash, 1);
        T_EQ(ngx_ipc_zone_hash_count(zone, hash), 0);
        T_EQ(ngx_ipc_zone_abort(zone), NGX_OK);

        T_EQ(ngx_ipc_zone_begin(zone), NGX_OK);
        T_EQ(ngx_ipc_zone_hash_count(zone, hash), KEYS);
        delete_while_walking(hash, 3);
        T_EQ(ngx_ipc_zone_commit(zone), NGX_OK);

        T_EQ(ngx_ipc_zone_begin(zone), NGX_OK);

        for (n = 0; n < KEYS; n++) {
            T_OK((ngx_ipc_zone_hash_get(zone, hash, key, key_of(n, key), sizeof(ngx_uint_t))
                  != NULL)
                 == (n % 3 != 0));
        }

        delete_while_walking(hash, 2);
        delete_while_walking(hash, 1);
        T_EQ(ngx_ipc_zone_commit(zone), NGX_OK);
    }

    T_EQ(ngx_slab_verify(pool_of(zone), NULL), NGX_OK);
    T_EQ(t_lines(t_contents(STDERR_FILENO)), 0);

    _exit(0);
}


static void
test_walk(void)
{
    start();
    type.log_size = 65536;
    size = 16 * SIZE;
    T_EQ(run(check_walk), 0);
}


/* A zone with the size that docs/typed-zones.md says has room for the keys, and for few more. */

static ngx_int_t
check_size(ngx_cycle_t *cycle)
{
    int         n;
    void       *hash;
    u_char      key[17];
    ngx_uint_t  value;

    T_EQ(ngx_ipc_zone_begin(zone), NGX_OK);
    hash = ngx_ipc_zone_hash_create(zone, 1024, sizeof(ngx_uint_t));
    T_EQ(ngx_ipc_zone_commit(zone), NGX_OK);

    T_REQUIRE(hash != NULL);

    for (n = 0; n < 3000; n++) {
        value = n;
        (void) ngx_sprintf(key, "%016d", n);
        T_EQ(ngx_ipc_zone_begin(zone), NGX_OK);
        T_EQ(ngx_ipc_zone_hash_set(zone, hash, key, 16, &value, sizeof(value)), NGX_OK);
        T_EQ(ngx_ipc_zone_commit(zone), NGX_OK);
    }

    T_OK(pool_of(zone)->pfree <= 1);

    _exit(0);
}


static void
test_size(void)
{
    start();

    /*
     * Header and log, the root, the table of init_root(), the table with 3 pages, and a page
     * for the descriptions of these pages.
     */

    size = ngx_slab_zone_size(3000, 24 + 16 + 8) + (1 + 1 + 1 + 3 + 1) * getpagesize();
    T_EQ(run(check_size), 0);
}


/* The log says how much memory a table and a key would have taken. */

static ngx_int_t
check_table_without_memory(ngx_cycle_t *cycle)
{
    T_EQ(ngx_ipc_zone_begin(zone), NGX_OK);
    T_OK(ngx_ipc_zone_hash_create(zone, (1 << 20) - 1, 8) == NULL);
    T_OK(logged(", 8388640 bytes requested"));      /* 32, and 8 for each list */
    T_EQ(ngx_ipc_zone_abort(zone), NGX_OK);

    _exit(0);
}


static ngx_int_t
check_key_without_memory(ngx_cycle_t *cycle)
{
    int         n;
    u_char      key[17];
    root_t     *root = zone->data;
    ngx_int_t   rc;
    ngx_uint_t  value = 1;

    for (n = 0, rc = NGX_OK; rc == NGX_OK && n < 10000; n++) {
        (void) ngx_sprintf(key, "%016d", n);
        T_EQ(ngx_ipc_zone_begin(zone), NGX_OK);
        rc = ngx_ipc_zone_hash_set(zone, root->hash, key, 16, &value, sizeof(value));
        T_EQ((rc == NGX_OK) ? ngx_ipc_zone_commit(zone) : ngx_ipc_zone_abort(zone), NGX_OK);
    }

    T_EQ(rc, NGX_ERROR);
    T_OK(logged(", 48 bytes requested"));           /* 24, the key and the value */
    T_EQ(ngx_slab_verify(pool_of(zone), NULL), NGX_OK);

    _exit(0);
}


static void
test_no_memory(void)
{
    start();
    T_EQ(run(check_table_without_memory), 0);
    T_EQ(run(check_key_without_memory), 0);
}


/* Calls the functions that walk, which must end. */

static void
walk_over(void *hash, ngx_queue_t *h)
{
    ngx_uint_t                 i;
    ngx_queue_t               *q;
    ngx_ipc_zone_hash_walk_t   walk;

    memset(&walk, 0, sizeof(walk));

    while (ngx_ipc_zone_hash_next(zone, hash, &walk, sizeof(ngx_uint_t)) == NGX_OK) { }

    (void) ngx_ipc_zone_hash_count(zone, hash);
    (void) ngx_ipc_zone_queue_count(zone, h);

    for (i = 0, q = h; q != NULL; i++) {
        T_REQUIRE(i < 10);
        q = ngx_ipc_zone_queue_next(zone, h, q);
    }
}


/* Another process overwrites the links of a queue with three elements. */

static void
check_damaged_queue(root_t *root)
{
    int           local;
    size_t        i, j;
    uintptr_t     before;
    ngx_queue_t  *q;

    T_EQ(ngx_ipc_zone_begin(zone), NGX_OK);
    push(1, 1);
    push(2, 1);
    push(3, 1);
    T_EQ(ngx_ipc_zone_queue_count(zone, &root->items), 3);
    T_EQ(ngx_ipc_zone_commit(zone), NGX_OK);

    for (i = 0, q = &root->items; i < 8; i++) {
        uintptr_t  *word = (i % 2) ? (uintptr_t *) &q->next : (uintptr_t *) &q->prev;
        uintptr_t   values[] = {
            (uintptr_t) q, (uintptr_t) q->next, (uintptr_t) q->next->next, 0, 1,
            (uintptr_t) &local, (uintptr_t) -8, (uintptr_t) (pool_of(zone)->end - 8)
        };

        before = *word;

        for (j = 0; j < t_nitems(values); j++) {
            *word = values[j];
            T_EQ(ngx_ipc_zone_begin(zone), NGX_OK);
            walk_over(root->hash, &root->items);
            T_EQ(ngx_ipc_zone_queue_count(zone, &root->items),
                 (values[j] == before) ? 3 : NGX_ERROR);
            T_EQ(ngx_ipc_zone_abort(zone), NGX_OK);
        }

        *word = before;
        q = (i % 2) ? q->next : q;
    }

    T_OK(logged("it is no queue, or the queue is damaged\n"));
}


static ngx_int_t
check_wrong(ngx_cycle_t *cycle)
{
    int                        local;
    u_char                    *key = (u_char *) "key";
    size_t                     i;
    root_t                    *root = zone->data;
    uintptr_t                 *word = root->hash;
    uintptr_t                  before[40];
    ngx_uint_t                 value = 1;
    ngx_ipc_zone_hash_walk_t   walk;

    /* Without a zone, and without a transaction. */

    T_EQ(ngx_ipc_zone_queue_insert_head(NULL, NULL, NULL), NGX_ERROR);
    T_EQ(ngx_ipc_zone_queue_insert_tail(NULL, NULL, NULL), NGX_ERROR);
    T_EQ(ngx_ipc_zone_queue_remove(NULL, NULL), NGX_ERROR);
    T_OK(ngx_ipc_zone_hash_create(NULL, 1, 8) == NULL);
    T_OK(ngx_ipc_zone_hash_get(NULL, NULL, NULL, 0, 8) == NULL);
    T_EQ(ngx_ipc_zone_hash_set(NULL, NULL, NULL, 0, NULL, 8), NGX_ERROR);
    T_EQ(ngx_ipc_zone_hash_delete(NULL, NULL, NULL, 0), NGX_ERROR);
    memset(&walk, 0, sizeof(walk));
    T_OK(ngx_ipc_zone_queue_next(NULL, NULL, NULL) == NULL);
    T_EQ(ngx_ipc_zone_queue_count(NULL, NULL), NGX_ERROR);
    T_EQ(ngx_ipc_zone_hash_count(NULL, NULL), NGX_ERROR);
    T_EQ(ngx_ipc_zone_hash_next(NULL, NULL, &walk, 8), NGX_ERROR);
    T_EQ(ngx_ipc_zone_hash_next(zone, root->hash, NULL, 8), NGX_ERROR);
    T_EQ(t_lines(t_contents(STDERR_FILENO)), 0);
    T_EQ(set(1, 1), NGX_ERROR);
    T_OK(get(1) == NULL);
    T_EQ(del(1), NGX_ERROR);
    T_EQ(ngx_ipc_zone_queue_remove(zone, &root->items), NGX_ERROR);
    T_EQ(t_lines(t_contents(STDERR_FILENO)), 4);
    T_OK(ngx_ipc_zone_queue_next(zone, &root->items, &root->items) == NULL);
    T_EQ(ngx_ipc_zone_queue_count(zone, &root->items), NGX_ERROR);
    T_EQ(ngx_ipc_zone_hash_count(zone, root->hash), NGX_ERROR);
    T_EQ(ngx_ipc_zone_hash_next(zone, root->hash, &walk, 8), NGX_ERROR);
    T_EQ(t_lines(t_contents(STDERR_FILENO)), 8);

    /* What is no table, and values of another size. */

    T_EQ(ngx_ipc_zone_begin(zone), NGX_OK);
    T_EQ(set(1, 1), NGX_OK);
    T_OK(ngx_ipc_zone_hash_get(zone, root->hash, key, 3, 4) == NULL);
    T_OK(logged("it is no table with values of this size, or the table is damaged\n"));
    T_OK(ngx_ipc_zone_hash_get(zone, root, key, 3, 8) == NULL);
    T_OK(ngx_ipc_zone_hash_get(zone, &local, key, 3, 8) == NULL);
    T_OK(ngx_ipc_zone_hash_get(zone, NULL, key, 3, 8) == NULL);
    T_EQ(ngx_ipc_zone_hash_next(zone, root->hash, &walk, 4), NGX_ERROR);
    T_EQ(ngx_ipc_zone_hash_count(zone, &local), NGX_ERROR);
    T_EQ(ngx_ipc_zone_hash_set(zone, root->hash, key, 3, &value, 4), NGX_ERROR);
    T_OK(ngx_ipc_zone_hash_create(zone, (ngx_uint_t) -1, 8) == NULL);
    T_OK(ngx_ipc_zone_hash_create(zone, (ngx_uint_t) 1 << 62, 8) == NULL);
    T_EQ(ngx_ipc_zone_queue_insert_head(zone, (ngx_queue_t *) &local, &root->items),
         NGX_ERROR);
    T_EQ(ngx_ipc_zone_abort(zone), NGX_OK);

    /* Another process overwrites the table: rings, and addresses outside. */

    T_EQ(ngx_ipc_zone_begin(zone), NGX_OK);
    T_EQ(set(1, 1), NGX_OK);
    T_EQ(ngx_ipc_zone_commit(zone), NGX_OK);
    memcpy(before, word, 36 * sizeof(uintptr_t));

    for (i = 0; i < 36; i++) {
        uintptr_t  values[] = {
            (uintptr_t) &word[i], 0, 1, (uintptr_t) &local, (uintptr_t) -8,
            (uintptr_t) (pool_of(zone)->end - 8), (uintptr_t) 1 << 62
        };
        size_t     j;

        for (j = 0; j < t_nitems(values); j++) {
            word[i] = values[j];
            T_EQ(ngx_ipc_zone_begin(zone), NGX_OK);
            (void) get(1);
            (void) set(2, 2);
            (void) del(1);
            walk_over(root->hash, &root->items);
            T_EQ(ngx_ipc_zone_abort(zone), NGX_OK);
            memcpy(word, before, 36 * sizeof(uintptr_t));
        }
    }

    T_EQ(ngx_ipc_zone_begin(zone), NGX_OK);
    T_OK(get(1) != NULL && *get(1) == 1);
    T_EQ(ngx_ipc_zone_commit(zone), NGX_OK);

    check_damaged_queue(root);

    _exit(0);
}


static void
test_wrong(void)
{
    start();
    T_EQ(run(check_wrong), 0);
}


int
main(void)
{
    t_begin();

    t_run("random transactions with a table and a queue", test_model);
    t_run("a walk deletes what it finds", test_walk);
    t_run("the size of a zone for a number of keys", test_size);
    t_run("no memory for a table and for a key", test_no_memory);
    t_run("wrong arguments and damaged tables", test_wrong);

    return t_end();
}
