
/*
 * Tests of trees in typed zones: ngx_ipc_zone_tree_insert(), ngx_ipc_zone_tree_delete(),
 * ngx_ipc_zone_tree_find(), ngx_ipc_zone_tree_min(), ngx_ipc_zone_tree_lower_bound(),
 * ngx_ipc_zone_tree_next() and ngx_ipc_zone_tree_count().
 */


#include "t_zone.h"

#include <ngx_rbtree.h>


#define NODES  300
#define KEYS   100


typedef struct {
    ngx_uint_t          number;
    ngx_rbtree_node_t   node;
} item_t;

typedef struct {
    ngx_rbtree_t        tree;
    ngx_rbtree_node_t   sentinel;
} root_t;


/* The items that the tree must contain, in its order. */

static item_t      *model[NODES], *before[NODES];
static ngx_uint_t   n, before_n, inserted;


static ngx_int_t
init_root(ngx_shm_zone_t *z, void *data)
{
    root_t  *root = data;

    ngx_rbtree_init(&root->tree, &root->sentinel, NULL);

    return NGX_OK;
}


static void
start(void)
{
    memset(&type, 0, sizeof(type));
    ngx_str_set(&type.name, "tree");
    type.version = 1;
    type.root_size = sizeof(root_t);
    type.log_size = 16384;
    type.init = init_root;
    size = 2 * SIZE;
}


static item_t *
item_of(ngx_rbtree_node_t *node)
{
    return node ? ngx_rbtree_data(node, item_t, node) : NULL;
}


/* The number of the first item of the model whose key is not less. */

static ngx_uint_t
bound(ngx_uint_t key)
{
    ngx_uint_t  i;

    for (i = 0; i < n && model[i]->node.key < key; i++) { /* void */ }

    return i;
}


static void
insert(ngx_uint_t key)
{
    item_t      *item;
    root_t      *root = zone->data;
    ngx_uint_t   at;

    item = ngx_ipc_zone_alloc(zone, sizeof(item_t));
    T_REQUIRE(item != NULL);

    item->number = ++inserted;
    item->node.key = key;
    item->node.data = (u_char) inserted;
    T_EQ(ngx_ipc_zone_tree_insert(zone, &root->tree, &item->node), NGX_OK);

    at = bound(key + 1);
    memmove(&model[at + 1], &model[at], (n - at) * sizeof(model[0]));
    model[at] = item;
    n++;
}


static void
delete(ngx_uint_t at)
{
    item_t  *item = model[at];
    root_t  *root = zone->data;

    T_EQ(ngx_ipc_zone_tree_delete(zone, &root->tree, &item->node), NGX_OK);
    T_EQ(ngx_ipc_zone_free(zone, item), NGX_OK);

    n--;
    memmove(&model[at], &model[at + 1], (n - at) * sizeof(model[0]));
}


static void
change(void)
{
    int  i;

    for (i = random() % 8; i > 0; i--) {
        if (n == NODES || (n > 0 && random() % 2)) {
            delete(random() % n);

        } else {
            insert(random() % KEYS);
        }
    }
}


static void
save_model(void)
{
    memcpy(before, model, sizeof(model));
    before_n = n;
}


static void
restore_model(void)
{
    memcpy(model, before, sizeof(model));
    n = before_n;
}


/* Compares the tree with the model.  nginx's functions find the same nodes. */

static void
compare(void)
{
    root_t             *root = zone->data;
    ngx_uint_t          i, key, at;
    ngx_rbtree_node_t  *node, *its;

    node = ngx_ipc_zone_tree_min(zone, &root->tree);
    its = (n > 0) ? ngx_rbtree_min(root->tree.root, &root->sentinel) : NULL;

    for (i = 0; i < n && node != NULL; i++) {
        T_OK(item_of(node) == model[i]);
        T_OK(node == its);
        T_EQ(node->data, (u_char) model[i]->number);
        node = ngx_ipc_zone_tree_next(zone, &root->tree, node);
        its = ngx_rbtree_next(&root->tree, its);
    }

    T_EQ(i, n);
    T_OK(node == NULL && its == NULL);
    T_EQ(ngx_ipc_zone_tree_count(zone, &root->tree), (ngx_int_t) n);

    for (key = 0; key <= KEYS; key++) {
        at = bound(key);
        T_OK(item_of(ngx_ipc_zone_tree_lower_bound(zone, &root->tree, key))
             == (at < n ? model[at] : NULL));
        T_OK(item_of(ngx_ipc_zone_tree_find(zone, &root->tree, key))
             == (at < n && model[at]->node.key == key ? model[at] : NULL));
    }
}


/* A process makes changes, and is killed in its transaction. */

static void
die(void)
{
    pid_t  pid;

    pid = fork();
    T_REQUIRE(pid != -1);

    if (pid == 0) {
        ngx_pid = ngx_getpid();

        if (ngx_ipc_zone_begin(zone) == NGX_OK) {
            change();
        }

        kill(ngx_pid, SIGKILL);
    }

    T_EQ(waitpid(pid, NULL, 0), pid);
}


static ngx_int_t
check_model(ngx_cycle_t *cycle)
{
    int       i;
    sigset_t  set;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    T_EQ(sigprocmask(SIG_BLOCK, &set, NULL), 0);
    srandom(7);

    for (i = 0; i < 2000; i++) {
        T_REQUIRE(ngx_ipc_zone_begin(zone) == NGX_OK);
        save_model();
        change();

        if (i % 3 == 0) {
            T_EQ(ngx_ipc_zone_abort(zone), NGX_OK);
            restore_model();

        } else {
            T_EQ(ngx_ipc_zone_commit(zone), NGX_OK);
        }

        if (i % 100 == 0) {
            die();
        }

        if (i % 25 == 0) {
            T_REQUIRE(ngx_ipc_zone_begin(zone) == NGX_OK);
            compare();
            T_EQ(ngx_ipc_zone_commit(zone), NGX_OK);
            T_EQ(ngx_slab_verify(pool_of(zone), NULL), NGX_OK);
        }
    }

    /* All memory comes back. */

    while (n > 0) {
        T_REQUIRE(ngx_ipc_zone_begin(zone) == NGX_OK);
        delete(random() % n);
        T_EQ(ngx_ipc_zone_commit(zone), NGX_OK);
    }

    T_REQUIRE(ngx_ipc_zone_begin(zone) == NGX_OK);
    compare();
    T_EQ(ngx_ipc_zone_commit(zone), NGX_OK);
    T_EQ(pool_of(zone)->stats[3].used, 1);      /* the root */

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


/* nginx's functions and these change one tree. */

static ngx_int_t
check_nginx(ngx_cycle_t *cycle)
{
    int       i;
    root_t   *root = zone->data;
    item_t   *item;

    ngx_rbtree_init(&root->tree, &root->sentinel, ngx_rbtree_insert_value);

    for (i = 0; i < 200; i++) {
        item = ngx_slab_alloc(pool_of(zone), sizeof(item_t));
        T_REQUIRE(item != NULL);
        item->number = ++inserted;
        item->node.data = (u_char) inserted;
        item->node.key = i * 7 % KEYS;
        ngx_rbtree_insert(&root->tree, &item->node);
        model[n++] = item;
    }

    /* In the order of the tree: the keys are 0, 0, 1, 1 and so on. */

    for (i = 0, item = item_of(ngx_rbtree_min(root->tree.root, &root->sentinel)); item; i++) {
        model[i] = item;
        item = item_of(ngx_rbtree_next(&root->tree, &item->node));
    }

    T_EQ(i, 200);

    for (i = 0; i < 150; i++) {
        T_REQUIRE(ngx_ipc_zone_begin(zone) == NGX_OK);
        delete(i * 11 % n);
        compare();
        T_EQ(ngx_ipc_zone_commit(zone), NGX_OK);

        item = model[i * 5 % n];
        memmove(&model[i * 5 % n], &model[i * 5 % n + 1],
                (n - i * 5 % n - 1) * sizeof(model[0]));
        n--;
        ngx_rbtree_delete(&root->tree, &item->node);
        ngx_slab_free(pool_of(zone), item);

        T_REQUIRE(ngx_ipc_zone_begin(zone) == NGX_OK);
        compare();
        insert(i);
        insert(i);
        T_EQ(ngx_ipc_zone_commit(zone), NGX_OK);
    }

    _exit(0);
}


static void
test_nginx(void)
{
    start();
    T_EQ(run(check_nginx), 0);
}


static ngx_int_t
check_wrong(ngx_cycle_t *cycle)
{
    int                 local[20];
    size_t              i, j;
    root_t             *root = zone->data;
    item_t             *item;
    uintptr_t          *word, old;
    ngx_rbtree_t       *tree = &root->tree;
    ngx_rbtree_node_t  *node;

    /* Without a zone, and without a transaction. */

    T_EQ(ngx_ipc_zone_tree_insert(NULL, NULL, NULL), NGX_ERROR);
    T_EQ(ngx_ipc_zone_tree_delete(NULL, NULL, NULL), NGX_ERROR);
    T_OK(ngx_ipc_zone_tree_find(NULL, NULL, 0) == NULL);
    T_OK(ngx_ipc_zone_tree_min(NULL, NULL) == NULL);
    T_OK(ngx_ipc_zone_tree_lower_bound(NULL, NULL, 0) == NULL);
    T_OK(ngx_ipc_zone_tree_next(NULL, NULL, NULL) == NULL);
    T_EQ(ngx_ipc_zone_tree_count(NULL, NULL), NGX_ERROR);
    T_EQ(t_lines(t_contents(STDERR_FILENO)), 0);
    T_EQ(ngx_ipc_zone_tree_insert(zone, tree, &root->sentinel), NGX_ERROR);
    T_EQ(ngx_ipc_zone_tree_delete(zone, tree, &root->sentinel), NGX_ERROR);
    T_OK(ngx_ipc_zone_tree_find(zone, tree, 0) == NULL);
    T_OK(ngx_ipc_zone_tree_min(zone, tree) == NULL);
    T_OK(ngx_ipc_zone_tree_lower_bound(zone, tree, 0) == NULL);
    T_OK(ngx_ipc_zone_tree_next(zone, tree, &root->sentinel) == NULL);
    T_EQ(ngx_ipc_zone_tree_count(zone, tree), NGX_ERROR);
    T_EQ(t_lines(t_contents(STDERR_FILENO)), 7);

    /* An empty tree. */

    T_EQ(ngx_ipc_zone_begin(zone), NGX_OK);
    T_OK(ngx_ipc_zone_tree_min(zone, tree) == NULL);
    T_OK(ngx_ipc_zone_tree_find(zone, tree, 0) == NULL);
    T_EQ(ngx_ipc_zone_tree_count(zone, tree), 0);
    T_EQ(t_lines(t_contents(STDERR_FILENO)), 7);
    T_EQ(ngx_ipc_zone_commit(zone), NGX_OK);

    /* A failure undoes what was done before it. */

    T_EQ(ngx_ipc_zone_begin(zone), NGX_OK);
    insert(5);
    item = model[0];
    T_EQ(ngx_ipc_zone_tree_delete(zone, tree, &root->sentinel), NGX_ERROR);
    T_OK(logged("it is no tree, or the tree is damaged\n"));
    T_EQ(ngx_ipc_zone_tree_insert(zone, tree, local), NGX_ERROR);
    T_OK(logged("the bytes are not in the pool\n"));
    T_EQ(ngx_ipc_zone_commit(zone), NGX_ERROR);
    T_OK(tree->root == &root->sentinel);
    n = 0;

    T_EQ(ngx_ipc_zone_begin(zone), NGX_OK);

    for (i = 0; i < 10; i++) {
        insert(i);
    }

    /* Twice. */

    item = model[3];
    delete(3);
    T_EQ(ngx_ipc_zone_commit(zone), NGX_OK);
    T_EQ(ngx_ipc_zone_begin(zone), NGX_OK);
    T_EQ(ngx_ipc_zone_tree_delete(zone, tree, &item->node), NGX_ERROR);
    T_OK(ngx_ipc_zone_tree_find(zone, local, 0) == NULL);
    T_EQ(ngx_ipc_zone_tree_count(zone, (u_char *) tree + 1), NGX_ERROR);
    T_EQ(ngx_ipc_zone_abort(zone), NGX_OK);

    /* Another process overwrites the links.  A walk ends. */

    for (i = 0; i < 2 + 4 * n; i++) {
        word = (i < 2) ? (uintptr_t *) tree + i
                       : (uintptr_t *) &model[(i - 2) / 4]->node + (i - 2) % 4;
        old = *word;

        uintptr_t  values[] = {
            (uintptr_t) &model[0]->node, (uintptr_t) &model[8]->node, (uintptr_t) tree->root,
            (uintptr_t) &root->sentinel, 0, 1, (uintptr_t) local, (uintptr_t) -8,
            (uintptr_t) (pool_of(zone)->end - 8)
        };

        for (j = 0; j < t_nitems(values); j++) {
            size_t  steps = 0;

            *word = values[j];
            T_EQ(ngx_ipc_zone_begin(zone), NGX_OK);

            for (node = ngx_ipc_zone_tree_min(zone, tree);
                 node != NULL;
                 node = ngx_ipc_zone_tree_next(zone, tree, node))
            {
                T_REQUIRE(++steps < 20);
            }

            (void) ngx_ipc_zone_tree_count(zone, tree);
            (void) ngx_ipc_zone_tree_lower_bound(zone, tree, 4);
            (void) ngx_ipc_zone_tree_delete(zone, tree, &model[5]->node);
            T_EQ(ngx_ipc_zone_abort(zone), NGX_OK);
            *word = old;
        }
    }

    T_EQ(ngx_ipc_zone_begin(zone), NGX_OK);
    compare();
    T_EQ(ngx_ipc_zone_commit(zone), NGX_OK);

    _exit(0);
}


static void
test_wrong(void)
{
    start();
    T_EQ(run(check_wrong), 0);
}


/* The undo log is full in the middle of an insertion. */

static ngx_int_t
check_full(ngx_cycle_t *cycle)
{
    root_t      *root = zone->data;
    ngx_int_t    rc;
    ngx_uint_t   i, at, failed;

    for (i = 0, failed = 0; i < 200; i++) {
        item_t  *item = ngx_slab_alloc(pool_of(zone), sizeof(item_t));

        T_REQUIRE(item != NULL && ngx_ipc_zone_begin(zone) == NGX_OK);
        item->number = i;
        item->node.key = i * 37 % KEYS;
        rc = ngx_ipc_zone_tree_insert(zone, &root->tree, &item->node);
        T_EQ(ngx_ipc_zone_commit(zone), rc);

        if (rc != NGX_OK) {
            failed++;
            ngx_slab_free(pool_of(zone), item);

        } else {
            item->node.data = (u_char) item->number;
            at = bound(item->node.key + 1);
            memmove(&model[at + 1], &model[at], (n - at) * sizeof(model[0]));
            model[at] = item;
            n++;
        }
    }

    T_OK(failed > 0);
    T_OK(n > 10);
    T_OK(logged("the undo log is full\n"));

    T_EQ(ngx_ipc_zone_begin(zone), NGX_OK);
    compare();
    T_EQ(ngx_ipc_zone_commit(zone), NGX_OK);

    _exit(0);
}


static void
test_full(void)
{
    start();
    type.log_size = 330;
    T_EQ(run(check_full), 0);
}


int
main(void)
{
    t_begin();

    t_run("random transactions with a tree", test_model);
    t_run("nginx's functions change the same tree", test_nginx);
    t_run("wrong arguments and damaged trees", test_wrong);
    t_run("the undo log has no room for a tree", test_full);

    return t_end();
}
