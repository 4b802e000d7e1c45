/*
 * Red-black trees.  The shape and the colors of a tree after each sequence of
 * changes are results.
 */

#include "compare.h"


#define T_NODES  40


static ngx_rbtree_t       tree;
static ngx_rbtree_node_t  sentinel;


static void
t_walk(ngx_rbtree_node_t *node)
{
    if (node == &sentinel) {
        t_number("-", 0);
        return;
    }

    t_number("node", node->data);
    t_number("red", ngx_rbt_is_red(node) != 0);
    t_number("key", (int64_t) node->key);
    t_number("linked", (node == tree.root)
             + (node->left == &sentinel || node->left->parent == node)
             + (node->right == &sentinel || node->right->parent == node));

    t_walk(node->left);
    t_walk(node->right);
}


static void
t_in_order(void)
{
    ngx_rbtree_node_t  *node;

    if (tree.root == &sentinel) {
        return;
    }

    for (node = ngx_rbtree_min(tree.root, &sentinel); node;
         node = ngx_rbtree_next(&tree, node))
    {
        t_number("next", node->data);
    }

    t_number("sentinel", ngx_rbt_is_red(&sentinel));
}


static void
t_change(ngx_rbtree_node_t *(*at)(size_t i), void (*prepare)(size_t i))
{
    size_t              i, n, changes;
    u_char              in[T_NODES];
    ngx_rbtree_node_t  *node;

    memset(in, 0, sizeof(in));
    n = 1 + t_random(T_NODES);
    changes = t_random(t_random(4) ? 12 : 100);

    while (changes--) {

        i = t_random(n);
        node = at(i);

        if (in[i]) {
            ngx_rbtree_delete(&tree, node);
            t_number("deleted", (int64_t) i);
            t_number("left", node->key == 0 && node->left == NULL
                             && node->right == NULL && node->parent == NULL);

        } else {
            prepare(i);
            node->data = (u_char) i;
            ngx_rbtree_insert(&tree, node);
            t_number("inserted", (int64_t) i);
        }

        in[i] = !in[i];

        if (t_random(4) == 0 || changes == 0) {
            t_walk(tree.root);
        }
    }

    t_in_order();
}


static ngx_rbtree_node_t  nodes[T_NODES];
static size_t             keys;
static ngx_rbtree_key_t   first_key;


static ngx_rbtree_node_t *
t_node(size_t i)
{
    return &nodes[i];
}


static void
t_key(size_t i)
{
    nodes[i].key = first_key + t_random(keys);
}


static void
t_rbtree(void)
{
    ngx_rbtree_init(&tree, &sentinel, ngx_rbtree_insert_value);

    first_key = t_random(2) ? 0 : (ngx_rbtree_key_t) -10;
    keys = 1 + t_random(t_random(2) ? 10 : 1000);
    t_change(t_node, t_key);
}


static void
t_rbtree_timer(void)
{
    ngx_rbtree_init(&tree, &sentinel, ngx_rbtree_insert_timer_value);

    first_key = t_random(2) ? 0 : (ngx_rbtree_key_t) -1 / 2;
    first_key -= t_random(50);
    keys = 1 + t_random(100);
    t_change(t_node, t_key);
}


static ngx_str_node_t  strings[T_NODES];
static u_char          texts[T_NODES][4];


static ngx_rbtree_node_t *
t_string(size_t i)
{
    return &strings[i].node;
}


static void
t_string_key(size_t i)
{
    size_t  n;

    strings[i].str.len = t_random(4);
    strings[i].str.data = texts[i];

    for (n = 0; n < strings[i].str.len; n++) {
        texts[i][n] = (u_char) "ab\xff"[t_random(3)];
    }

    strings[i].node.key = (ngx_rbtree_key_t) t_random(3) * 0x7fffffff;
}


static void
t_str_rbtree(void)
{
    size_t           i;
    ngx_str_t        name;
    ngx_str_node_t  *found;

    ngx_rbtree_init(&tree, &sentinel, ngx_str_rbtree_insert_value);
    t_change(t_string, t_string_key);

    for (i = 0; i < 4; i++) {
        name.len = t_random(4);
        name.data = t_text(name.len, "ab\xff");
        found = ngx_str_rbtree_lookup(&tree, &name,
                                      (uint32_t) t_random(3) * 0x7fffffff);
        t_number("found", found ? found - strings : -1);
    }
}


const t_subject_t  t_tree_subjects[] = {
    { "ngx_rbtree_insert_value", t_rbtree },
    { "ngx_rbtree_insert_timer_value", t_rbtree_timer },
    { "ngx_str_rbtree_lookup", t_str_rbtree },
    { NULL, NULL }
};
