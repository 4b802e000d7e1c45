/*
 * ngx_rbtree.h: red-black trees.
 * Part of ngx-ipc; the names are nginx's.
 *
 * A program puts an ngx_rbtree_node_t into its own structure, and
 * ngx_rbtree_data() finds this structure again.  The functions allocate no
 * memory.
 */

#ifndef _NGX_RBTREE_H_INCLUDED_
#define _NGX_RBTREE_H_INCLUDED_


#include <ngx_config.h>


typedef ngx_uint_t  ngx_rbtree_key_t;
typedef ngx_int_t   ngx_rbtree_key_int_t;

typedef struct ngx_rbtree_node_s  ngx_rbtree_node_t;
typedef struct ngx_rbtree_s       ngx_rbtree_t;

/*
 * A node of a tree.  The program sets key before it inserts the node, and uses
 * data as it likes.  A missing child is the sentinel of the tree.
 */
struct ngx_rbtree_node_s {
    ngx_rbtree_key_t    key;
    ngx_rbtree_node_t  *left;
    ngx_rbtree_node_t  *right;
    ngx_rbtree_node_t  *parent;
    u_char              color;
    u_char              data;
};

/*
 * A function that finds the place of a new node in a tree that is not empty, and
 * inserts it there as a red leaf.
 */
typedef void (*ngx_rbtree_insert_pt)(ngx_rbtree_node_t *root,
    ngx_rbtree_node_t *node, ngx_rbtree_node_t *sentinel);

/* A tree.  The root of an empty tree is the sentinel. */
struct ngx_rbtree_s {
    ngx_rbtree_node_t    *root;
    ngx_rbtree_node_t    *sentinel;
    ngx_rbtree_insert_pt  insert;
};


/*
 * The types stand before ngx_core.h, because the structures in headers that it
 * includes have members of these types.
 */

#include <ngx_core.h>

#ifdef __cplusplus
extern "C" {
#endif


/* The color of a node: 1 is red, 0 is black. */
#define ngx_rbt_red(node)               ((node)->color = 1)
#define ngx_rbt_black(node)             ((node)->color = 0)
#define ngx_rbt_is_red(node)            ((node)->color)
#define ngx_rbt_is_black(node)          (!ngx_rbt_is_red(node))
#define ngx_rbt_copy_color(n1, n2)      ((n1)->color = (n2)->color)

/* Makes a node a sentinel.  A sentinel is black. */
#define ngx_rbtree_sentinel_init(node)  ngx_rbt_black(node)

/* Makes an empty tree with the sentinel s, which inserts nodes with i. */
#define ngx_rbtree_init(tree, s, i)                                           \
    ((void) (ngx_rbtree_sentinel_init(s), (tree)->insert = (i),               \
             (tree)->root = (s), (tree)->sentinel = (s)))

/* The structure of the type whose member, named link, is the node. */
#define ngx_rbtree_data(node, type, link)                                     \
    ((type *) (void *) ((u_char *) (node) - offsetof(type, link)))


/*
 * Inserts a node into a tree: calls the function insert of the tree, and then
 * balances the tree.
 *
 * Safety: tree is a tree, and node is in no tree.
 */
void ngx_rbtree_insert(ngx_rbtree_t *tree, ngx_rbtree_node_t *node);

/*
 * Removes a node from a tree.  Afterwards the pointers of the node are NULL and
 * its key is 0.
 *
 * Safety: tree is a tree, and node is in this tree.
 */
void ngx_rbtree_delete(ngx_rbtree_t *tree, ngx_rbtree_node_t *node);

/*
 * The function insert of a tree that is sorted by key.
 *
 * A node goes behind the nodes with the same key.
 *
 * Safety: ngx_rbtree_insert() calls the function.
 */
void ngx_rbtree_insert_value(ngx_rbtree_node_t *root, ngx_rbtree_node_t *node,
    ngx_rbtree_node_t *sentinel);

/*
 * The function insert of a tree that is sorted by key, where the keys are times
 * in milliseconds that can overflow.
 *
 * The key a is before the key b if the difference a - b is negative as an
 * ngx_rbtree_key_int_t.
 *
 * Safety: ngx_rbtree_insert() calls the function.
 */
void ngx_rbtree_insert_timer_value(ngx_rbtree_node_t *root,
    ngx_rbtree_node_t *node, ngx_rbtree_node_t *sentinel);

/*
 * Finds the node that follows a node in the order of the tree.
 *
 * Returns the node, or NULL if node is the last one.
 *
 * Safety: tree is a tree, and node is in this tree.
 */
ngx_rbtree_node_t *ngx_rbtree_next(ngx_rbtree_t *tree,
    ngx_rbtree_node_t *node);


/*
 * Finds the first node of the tree, or part of a tree, with the root node.
 *
 * Returns the first node.
 *
 * Safety: node is in a tree with this sentinel, and is not the sentinel.
 */
static ngx_inline ngx_rbtree_node_t *
ngx_rbtree_min(ngx_rbtree_node_t *node, ngx_rbtree_node_t *sentinel)
{
    ngx_rbtree_node_t  *next;

    for (next = node; next != sentinel; next = next->left) {
        node = next;
    }

    return node;
}


#ifdef __cplusplus
}
#endif

#endif /* _NGX_RBTREE_H_INCLUDED_ */
