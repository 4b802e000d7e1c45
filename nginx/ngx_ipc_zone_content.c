
/*
 * The structures in the zones that ngx_ipc_keep_zones.c keeps: a tree of keys,
 * and a queue of the same keys.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#if (NGX_HTTP_CACHE)
#include <ngx_http.h>
#endif

#include "ngx_ipc_zone_content.h"


/* The library calls this function. */

const char *ngx_ipc_zone_content(u_char *start, size_t size);


#if (NGX_IPC_ZONES)


/* what the structures of all kept zones begin with */

typedef struct {
    ngx_rbtree_t       tree;
    ngx_rbtree_node_t  sentinel;
    ngx_queue_t        queue;
} ngx_ipc_keys_t;


/* the largest length of the id of a session */

#define NGX_IPC_SSL_ID  32


/* the zone whose content ngx_ipc_zone_content() checks, and its empty tree */

static ngx_ipc_kind_e         ngx_ipc_kind;
static ngx_rbtree_insert_pt   ngx_ipc_insert;


static ngx_ipc_keys_t *
ngx_ipc_zone_keys(u_char *start, size_t size)
{
    u_char           *keys;
    ngx_slab_pool_t  *pool;

    pool = (ngx_slab_pool_t *) start;
    keys = pool->data;

    if (size < sizeof(ngx_slab_pool_t) + 256
        || keys < start
        || keys > start + size - 256
        || (uintptr_t) keys % sizeof(uintptr_t))
    {
        return NULL;
    }

    return (ngx_ipc_keys_t *) keys;
}


ngx_uint_t
ngx_ipc_zone_is_known(ngx_shm_t *shm, ngx_ipc_kind_e kind)
{
    ngx_ipc_keys_t  *keys;

    keys = ngx_ipc_zone_keys(shm->addr, shm->size);

    if (keys == NULL
        || keys->tree.root != &keys->sentinel
        || keys->tree.sentinel != &keys->sentinel
        || keys->queue.next != &keys->queue
        || keys->queue.prev != &keys->queue)
    {
        return 0;
    }

    ngx_ipc_kind = kind;
    ngx_ipc_insert = keys->tree.insert;

    return 1;
}


/*
 * Workers can write to zones, so no link is followed that leads out of the zone,
 * and at most as many as the zone has room for.
 */

static ngx_uint_t
ngx_ipc_is_in_zone(void *p, size_t len, u_char *start, size_t size)
{
    uintptr_t  at;

    at = (uintptr_t) p - (uintptr_t) start;

    return at % sizeof(uintptr_t) == 0 && at < size && len <= size - at;
}


/* Returns the number of nodes of the tree, or -1 if a link is wrong. */

static ngx_int_t
ngx_ipc_count_nodes(ngx_ipc_keys_t *keys, u_char *start, size_t size)
{
    ngx_int_t           n, most;
    ngx_rbtree_node_t  *root, *node, *child, *parent, *next, *sentinel;

    sentinel = &keys->sentinel;
    root = keys->tree.root;

    if (keys->tree.sentinel != sentinel) {
        return -1;
    }

    if (root == sentinel) {
        return 0;
    }

    if (!ngx_ipc_is_in_zone(root, sizeof(ngx_rbtree_node_t), start, size)) {
        return -1;
    }

    most = size / sizeof(ngx_rbtree_node_t);
    node = root;

    for (n = 1; n <= most; n++) {

        parent = node;
        next = (node->left != sentinel) ? node->left : node->right;

        /* behind a leaf follows the right node of the nearest parent with one */

        while (next == sentinel) {

            if (parent == root) {
                return n;
            }

            child = parent;
            parent = child->parent;
            next = (child == parent->left) ? parent->right : sentinel;
        }

        if (!ngx_ipc_is_in_zone(next, sizeof(ngx_rbtree_node_t), start, size)
            || next->parent != parent)
        {
            return -1;
        }

        node = next;
    }

    return -1;
}


/* Returns the number of elements of the queue, or -1 if a link is wrong. */

static ngx_int_t
ngx_ipc_count_queue(ngx_queue_t *head, u_char *start, size_t size)
{
    ngx_int_t     n, most;
    ngx_queue_t  *q;

    most = size / sizeof(ngx_rbtree_node_t);
    q = head;

    for (n = 0; n <= most; n++) {

        if (!ngx_ipc_is_in_zone(q->next, sizeof(ngx_queue_t), start, size)
            || q->next->prev != q)
        {
            return -1;
        }

        q = q->next;

        if (q == head) {
            return n;
        }
    }

    return -1;
}


/* the end of a node of limit_req, from its queue on */

typedef struct {
    ngx_queue_t  queue;
    ngx_msec_t   last;
    ngx_uint_t   excess;
    ngx_uint_t   count;
} ngx_ipc_limit_req_node_t;


/*
 * The next functions run before the links are counted, because what they write
 * can be a link if a worker has overwritten the zone.
 *
 * No process of this nginx uses a node yet.  Its time is that since the start of
 * the machine, and so it is in the future after another start.
 */

static ngx_int_t
ngx_ipc_release_requests(ngx_queue_t *head, u_char *start, size_t size)
{
    ngx_uint_t                 n;
    ngx_queue_t               *q;
    ngx_ipc_limit_req_node_t  *node;

    for (n = 0, q = head->next; q != head; n++, q = q->next) {
        node = ngx_queue_data(q, ngx_ipc_limit_req_node_t, queue);

        if (n > size / sizeof(ngx_rbtree_node_t)
            || !ngx_ipc_is_in_zone(node, sizeof(ngx_ipc_limit_req_node_t),
                                   start, size))
        {
            return NGX_ERROR;
        }

        node->count = 0;

        if ((ngx_msec_int_t) (ngx_current_msec - node->last) < 0) {
            node->last = ngx_current_msec;
        }
    }

    return NGX_OK;
}


#if (NGX_HTTP_CACHE)

/*
 * No process of this nginx uses an entry yet.  The loader looks for the files
 * that the earlier nginx has written since.
 */

static ngx_int_t
ngx_ipc_release_entries(ngx_ipc_keys_t *keys, u_char *start, size_t size)
{
    ngx_uint_t                   n;
    ngx_queue_t                 *q;
    ngx_http_file_cache_sh_t    *sh;
    ngx_http_file_cache_node_t  *node;

    for (n = 0, q = keys->queue.next; q != &keys->queue; n++, q = q->next) {
        node = ngx_queue_data(q, ngx_http_file_cache_node_t, queue);

        if (n > size / sizeof(ngx_rbtree_node_t)
            || !ngx_ipc_is_in_zone(node, sizeof(ngx_http_file_cache_node_t),
                                   start, size))
        {
            return NGX_ERROR;
        }

        node->count = 0;
        node->updating = 0;
        node->deleting = 0;
    }

    sh = (ngx_http_file_cache_sh_t *) keys;

    sh->cold = 1;
    sh->loading = 0;

    return NGX_OK;
}

#endif


#if (NGX_SSL)

/* The workers copy and clear as many bytes as a node says. */

static ngx_int_t
ngx_ipc_check_sessions(ngx_queue_t *head, u_char *start, size_t size)
{
    ngx_uint_t          n;
    ngx_queue_t        *q;
    ngx_ssl_sess_id_t  *node;

    for (n = 0, q = head->next; q != head; n++, q = q->next) {
        node = ngx_queue_data(q, ngx_ssl_sess_id_t, queue);

        if (n > size / sizeof(ngx_rbtree_node_t)
            || !ngx_ipc_is_in_zone(node, sizeof(ngx_ssl_sess_id_t), start, size)
            || node->len > NGX_SSL_MAX_SESSION_SIZE
            || !ngx_ipc_is_in_zone(node->session, node->len, start, size)
            || node->node.data > NGX_IPC_SSL_ID
            || !ngx_ipc_is_in_zone(node->id, node->node.data, start, size))
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}

#endif


/*
 * The library calls this function when a new zone has the content of an earlier
 * nginx.  Returns NULL, or why the content cannot be used.
 */

const char *
ngx_ipc_zone_content(u_char *start, size_t size)
{
    ngx_int_t        n, rc;
    ngx_ipc_keys_t  *keys;

    keys = ngx_ipc_zone_keys(start, size);
    if (keys == NULL) {
        return "its structure is not known";
    }

    rc = NGX_OK;

    if (ngx_ipc_kind == NGX_IPC_LIMIT_REQ) {
        rc = ngx_ipc_release_requests(&keys->queue, start, size);
    }

#if (NGX_HTTP_CACHE)
    if (ngx_ipc_kind == NGX_IPC_CACHE) {
        rc = ngx_ipc_release_entries(keys, start, size);
    }
#endif

#if (NGX_SSL)
    if (ngx_ipc_kind == NGX_IPC_SSL_SESSIONS) {
        rc = ngx_ipc_check_sessions(&keys->queue, start, size);
    }
#endif

    if (rc != NGX_OK) {
        return "it is damaged";
    }

    n = ngx_ipc_count_nodes(keys, start, size);

    if (n == -1 || n != ngx_ipc_count_queue(&keys->queue, start, size)) {
        return "a process has died while it changed the structure";
    }

    keys->tree.insert = ngx_ipc_insert;

    return NULL;
}


#else


const char *
ngx_ipc_zone_content(u_char *start, size_t size)
{
    return "its structure is not known";
}


#endif
