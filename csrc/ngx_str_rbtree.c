/* Red-black trees of strings, sorted by hash, then by length, then by bytes. */

#include <ngx_config.h>
#include <ngx_core.h>


/* Returns a number below 0, 0, or above 0, as memcmp(3). */

static int
ngx_str_rbtree_cmp(ngx_rbtree_key_t hash, const ngx_str_t *name,
    ngx_rbtree_node_t *node)
{
    ngx_str_node_t  *n;

    n = ngx_rbtree_data(node, ngx_str_node_t, node);

    if (hash != node->key) {
        return (hash < node->key) ? -1 : 1;
    }

    if (name->len != n->str.len) {
        return (name->len < n->str.len) ? -1 : 1;
    }

    return ngx_memcmp(name->data, n->str.data, name->len);
}


/* The side of a node on which a new node belongs. */

static ngx_rbtree_node_t **
ngx_str_rbtree_side(ngx_rbtree_node_t *at, ngx_rbtree_node_t *node)
{
    ngx_str_node_t  *str;

    str = ngx_rbtree_data(node, ngx_str_node_t, node);

    if (ngx_str_rbtree_cmp(node->key, &str->str, at) < 0) {
        return &at->left;
    }

    return &at->right;
}


void
ngx_str_rbtree_insert_value(ngx_rbtree_node_t *temp, ngx_rbtree_node_t *node,
    ngx_rbtree_node_t *sentinel)
{
    ngx_rbtree_node_t  **side;

    side = ngx_str_rbtree_side(temp, node);

    while (*side != sentinel) {
        temp = *side;
        side = ngx_str_rbtree_side(temp, node);
    }

    ngx_rbt_red(node);
    node->left = node->right = sentinel;
    node->parent = temp;
    *side = node;
}


ngx_str_node_t *
ngx_str_rbtree_lookup(ngx_rbtree_t *rbtree, ngx_str_t *name, uint32_t hash)
{
    int                 rc;
    ngx_rbtree_node_t  *node;

    node = rbtree->root;

    while (node != rbtree->sentinel) {

        rc = ngx_str_rbtree_cmp(hash, name, node);

        if (rc == 0) {
            return ngx_rbtree_data(node, ngx_str_node_t, node);
        }

        node = (rc < 0) ? node->left : node->right;
    }

    return NULL;
}
