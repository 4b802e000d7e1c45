/*
 * Red-black trees: T. Cormen and others, "Introduction to Algorithms".
 *
 * Each step exists once for both sides: a side is 0 for left, 1 for right.
 */

#include <ngx_config.h>
#include <ngx_core.h>


#define ngx_rbtree_side(node)  ((node) == (node)->parent->right)


static ngx_rbtree_node_t **
ngx_rbtree_child(ngx_rbtree_node_t *node, ngx_uint_t side)
{
    return side ? &node->right : &node->left;
}


/* Puts a subtree, which may be empty, into the place of the node. */

static void
ngx_rbtree_replace(ngx_rbtree_t *tree, ngx_rbtree_node_t *node,
    ngx_rbtree_node_t *by)
{
    if (node == tree->root) {
        tree->root = by;

    } else {
        *ngx_rbtree_child(node->parent, ngx_rbtree_side(node)) = by;
    }

    by->parent = node->parent;
}


/* Moves the node down to this side; its child of the other side takes its place. */

static void
ngx_rbtree_rotate(ngx_rbtree_t *tree, ngx_rbtree_node_t *node, ngx_uint_t side)
{
    ngx_rbtree_node_t  *up, **inner, **outer;

    outer = ngx_rbtree_child(node, !side);
    up = *outer;
    inner = ngx_rbtree_child(up, side);

    ngx_rbtree_replace(tree, node, up);

    *outer = *inner;

    if (*inner != tree->sentinel) {
        (*inner)->parent = node;
    }

    *inner = node;
    node->parent = up;
}


void
ngx_rbtree_insert(ngx_rbtree_t *tree, ngx_rbtree_node_t *node)
{
    ngx_uint_t          side;
    ngx_rbtree_node_t  *parent, *grand, *uncle;

    if (tree->root == tree->sentinel) {
        node->parent = NULL;
        node->left = tree->sentinel;
        node->right = tree->sentinel;
        ngx_rbt_black(node);
        tree->root = node;

        return;
    }

    tree->insert(tree->root, node, tree->sentinel);

    /* a red node must not have a red parent */

    while (node != tree->root && ngx_rbt_is_red(node->parent)) {

        parent = node->parent;
        grand = parent->parent;
        side = ngx_rbtree_side(parent);
        uncle = *ngx_rbtree_child(grand, !side);

        if (ngx_rbt_is_red(uncle)) {
            ngx_rbt_black(parent);
            ngx_rbt_black(uncle);
            ngx_rbt_red(grand);
            node = grand;
            continue;
        }

        if (ngx_rbtree_side(node) != side) {
            ngx_rbtree_rotate(tree, parent, side);
            node = parent;
        }

        ngx_rbt_black(node->parent);
        ngx_rbt_red(grand);
        ngx_rbtree_rotate(tree, grand, !side);
    }

    ngx_rbt_black(tree->root);
}


/*
 * Restores the number of black nodes on each path, after one has been removed
 * from the paths through the node.  The node can be the sentinel, whose parent
 * is then its parent for the time of the call.
 */

static void
ngx_rbtree_add_black(ngx_rbtree_t *tree, ngx_rbtree_node_t *node)
{
    ngx_uint_t          side;
    ngx_rbtree_node_t  *parent, *sibling, *near, *far;

    while (node != tree->root && ngx_rbt_is_black(node)) {

        parent = node->parent;
        side = ngx_rbtree_side(node);
        sibling = *ngx_rbtree_child(parent, !side);

        if (ngx_rbt_is_red(sibling)) {
            ngx_rbt_black(sibling);
            ngx_rbt_red(parent);
            ngx_rbtree_rotate(tree, parent, side);
            sibling = *ngx_rbtree_child(parent, !side);
        }

        near = *ngx_rbtree_child(sibling, side);
        far = *ngx_rbtree_child(sibling, !side);

        if (ngx_rbt_is_black(near) && ngx_rbt_is_black(far)) {
            ngx_rbt_red(sibling);
            node = parent;
            continue;
        }

        if (ngx_rbt_is_black(far)) {
            ngx_rbt_black(near);
            ngx_rbt_red(sibling);
            ngx_rbtree_rotate(tree, sibling, !side);
            far = sibling;
            sibling = near;
        }

        ngx_rbt_copy_color(sibling, parent);
        ngx_rbt_black(parent);
        ngx_rbt_black(far);
        ngx_rbtree_rotate(tree, parent, side);
        node = tree->root;
    }

    ngx_rbt_black(node);
}


void
ngx_rbtree_delete(ngx_rbtree_t *tree, ngx_rbtree_node_t *node)
{
    ngx_uint_t          red;
    ngx_rbtree_node_t  *next, *child;

    if (node->left == tree->sentinel || node->right == tree->sentinel) {

        child = (node->left == tree->sentinel) ? node->right : node->left;
        red = ngx_rbt_is_red(node);
        ngx_rbtree_replace(tree, node, child);

    } else {

        /* the next node, which has no left child, takes the place of the node */

        next = ngx_rbtree_min(node->right, tree->sentinel);
        child = next->right;
        red = ngx_rbt_is_red(next);

        ngx_rbtree_replace(tree, next, child);
        ngx_rbtree_replace(tree, node, next);

        ngx_rbt_copy_color(next, node);
        next->left = node->left;
        next->left->parent = next;
        next->right = node->right;

        if (next->right != tree->sentinel) {
            next->right->parent = next;
        }

        if (child->parent == node) {
            child->parent = next;
        }
    }

    if (!red) {
        ngx_rbtree_add_black(tree, child);
    }

    node->key = 0;
    node->left = NULL;
    node->right = NULL;
    node->parent = NULL;
}


static void
ngx_rbtree_add_leaf(ngx_rbtree_node_t *parent, ngx_uint_t side,
    ngx_rbtree_node_t *node, ngx_rbtree_node_t *sentinel)
{
    *ngx_rbtree_child(parent, side) = node;

    node->parent = parent;
    node->left = sentinel;
    node->right = sentinel;
    ngx_rbt_red(node);
}


void
ngx_rbtree_insert_value(ngx_rbtree_node_t *root, ngx_rbtree_node_t *node,
    ngx_rbtree_node_t *sentinel)
{
    ngx_uint_t          side;
    ngx_rbtree_node_t  *parent;

    do {
        parent = root;
        side = node->key >= parent->key;
        root = *ngx_rbtree_child(parent, side);

    } while (root != sentinel);

    ngx_rbtree_add_leaf(parent, side, node, sentinel);
}


void
ngx_rbtree_insert_timer_value(ngx_rbtree_node_t *root,
    ngx_rbtree_node_t *node, ngx_rbtree_node_t *sentinel)
{
    ngx_uint_t          side;
    ngx_rbtree_node_t  *parent;

    do {
        parent = root;
        side = (ngx_rbtree_key_int_t) (node->key - parent->key) >= 0;
        root = *ngx_rbtree_child(parent, side);

    } while (root != sentinel);

    ngx_rbtree_add_leaf(parent, side, node, sentinel);
}


ngx_rbtree_node_t *
ngx_rbtree_next(ngx_rbtree_t *tree, ngx_rbtree_node_t *node)
{
    if (node->right != tree->sentinel) {
        return ngx_rbtree_min(node->right, tree->sentinel);
    }

    while (node != tree->root) {

        if (!ngx_rbtree_side(node)) {
            return node->parent;
        }

        node = node->parent;
    }

    return NULL;
}
