/*
 * ngx_ipc_zone.h: typed zones and transactions.
 * Part of ngx-ipc; the names are nginx's.
 *
 * Generated: edit these sources, then run "make headers".
 *
 *   src/abi/ipc_zone.rs
 *   src/abi/ipc_zone_give.rs
 *   src/abi/ipc_zone_structures.rs
 *   src/abi/ipc_zone_tree.rs
 *   src/host/standalone/given_zones.rs
 *   src/host/zone_structures.rs
 *   src/host/zone_type.rs
 *   include/generator/ipc_zone.h
 */

#ifndef _NGX_IPC_ZONE_H_INCLUDED_
#define _NGX_IPC_ZONE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#ifdef __cplusplus
extern "C" {
#endif


/*
 * A function of a module that fills a new zone. root consists of zeros. If it does not
 * return NGX_OK, the zone is refused, and a reload fails.
 */
typedef ngx_int_t (*ngx_ipc_zone_init_pt)(ngx_shm_zone_t *zone, void *root);

/*
 * The old zone, from which migrate copies the content. The library makes this structure, and
 * later versions can add fields. It is valid until migrate returns.
 */
typedef struct {
    /* The name of the type. */
    ngx_str_t name;
    /* The version of the type. */
    ngx_uint_t version;
    /* The root of the old zone. The function must not change the old zone. */
    void *root;
    /* The size of the root in bytes. */
    size_t root_size;
    /* The pool of the old zone. */
    ngx_slab_pool_t *pool;
} ngx_ipc_zone_old_t;

/*
 * A function of a module that copies the content of an old zone to a new one, for which
 * init of the type was called before. Nothing in the new zone may point into the old
 * one, which is freed. The lock of the old zone is held. If the function does not return
 * NGX_OK, the new zone is refused, and a reload fails; the old zone stays as it is.
 */
typedef ngx_int_t (*ngx_ipc_zone_migrate_pt)(ngx_shm_zone_t *zone,
                                             void *root,
                                             const ngx_ipc_zone_old_t *old);

/*
 * A function of a module that ngx_ipc_zone_begin() calls after the process pid has died
 * while it held the lock of the zone, in a transaction or not. Its transaction is
 * undone or completed. The function runs in a transaction of its own. It can be called more than
 * once for a process.
 */
typedef void (*ngx_ipc_zone_owner_died_pt)(ngx_shm_zone_t *zone,
                                           void *root,
                                           ngx_pid_t pid);

/*
 * The type of a zone: which structure is in it. The program sets the first two fields and
 * root_size, and the others are 0 if it does not need them.
 */
typedef struct {
    /* The name, with 1 to 64 bytes. Different structures have different names. */
    ngx_str_t name;
    /* The version of the structure. The program changes it when it changes the structure. */
    ngx_uint_t version;
    /* The size of the root in bytes. */
    size_t root_size;
    /*
     * The size of the undo log in bytes, which limits what a transaction can change. 0: the
     * log takes a page of the zone, together with the header. A zone that is kept keeps the size
     * of its log too.
     */
    size_t log_size;
    /* Fills a new zone, or NULL. */
    ngx_ipc_zone_init_pt init;
    /* Copies the content of a zone with another size, version or type, or NULL. */
    ngx_ipc_zone_migrate_pt migrate;
    /* Is told of a process that has died with the lock, or NULL. */
    ngx_ipc_zone_owner_died_pt on_owner_died;
} ngx_ipc_zone_type_t;

/*
 * The place of a walk over a table. The program sets all fields to 0, and does not change them
 * during the walk.
 */
typedef struct {
    /* The key of the entry. */
    const u_char *key;
    /* The length of the key in bytes. */
    size_t len;
    /* The value of the entry. */
    void *value;
    /* The number of the list. This field and the next three are the library's. */
    size_t list;
    /* The link to the entry. */
    size_t link;
    /* The entry. */
    size_t entry;
    /* The number of entries so far. */
    size_t seen;
} ngx_ipc_zone_hash_walk_t;

/* The zone is given or attached only for reading. */
#define NGX_IPC_ZONE_READ_ONLY 1

/*
 * Declares a typed zone, or finds the zone of this name that the cycle has already.
 * Programs call the macro ngx_ipc_zone_add(), which passes the size of the structure
 * type. A module calls it in create_conf or init_conf with the cycle that it gets there, or in
 * the function of a directive with cf->cycle. size is that of the zone in bytes. In nginx,
 * the text of name stays valid as long as the cycle, and the module does not set init of the
 * zone.
 *
 * When all modules have their configurations, each zone gets its memory, and data of the
 * zone becomes the address of the root. The module does not change data. If the old cycle,
 * or the old binary with keep_zones, has a typed zone with this name, size, type, version
 * and size of the root, the zone gets its memory with its content. If one of them differs,
 * the zone gets new memory, and then migrate of the type is called.
 *
 * Without migrate, the zone gets a new root if only its size differs. If the type, its
 * version or the size of the root differs, a reload fails, with an emergency in the log; a
 * new binary logs a warning, and the zone gets a new root.
 *
 * Returns the zone. Returns NULL, with an emergency in the log of the cycle, if there is no
 * memory, if the type has no name or one with more than 64 bytes, if the zone was declared for
 * another use, or, in a program without nginx, if the cycle is in use already.
 *
 * Safety: cycle is NULL or a valid cycle; in nginx, one whose configuration nginx reads now. type is
 * NULL or has type_size bytes. name is NULL or valid.
 */
ngx_shm_zone_t *ngx_ipc_zone_add_size(ngx_cycle_t *cycle,
                                      const ngx_ipc_zone_type_t *type,
                                      size_t type_size,
                                      const ngx_str_t *name,
                                      size_t size);

/*
 * Begins a transaction: takes the lock of the zone, and waits as long as another running
 * process holds it.
 *
 * If a process has died in a transaction, the function first undoes its changes, or, if its
 * transaction was final, completes it, and logs a notice. If a process has died while it
 * held the lock, in a transaction or not, the function then calls on_owner_died of the
 * type.
 *
 * Returns NGX_OK: the process holds the lock until ngx_ipc_zone_commit() or
 * ngx_ipc_zone_abort(). Returns NGX_ERROR, with an alert in the log of ngx_cycle and without
 * the lock, if this process holds the lock already, if the zone is not a typed zone, if
 * on_owner_died could not save or free something, or if another process has overwritten
 * the header of the zone or its undo log.
 *
 * Safety: zone is NULL or a zone of a cycle that is in use. One thread of a process uses the zone.
 */
ngx_int_t ngx_ipc_zone_begin(ngx_shm_zone_t *zone);

/*
 * Saves size bytes at addr, before the program changes them in the transaction. They
 * get their old value again if the transaction is undone. Bytes of a piece that was
 * allocated in this transaction need not be saved, nor bytes that are saved already.
 *
 * The call takes 16 bytes of the undo log, and the words in which the saved bytes lie. The
 * log has log_size bytes; docs/typed-zones.md says what the other functions take.
 *
 * Returns NGX_OK. Returns NGX_ERROR, with an alert in the log of ngx_cycle, if the log is
 * full, if the bytes are not in the pages of the pool, or if this process has not begun a
 * transaction. The program must not change the bytes then, and ngx_ipc_zone_commit() undoes
 * the transaction.
 *
 * Safety: zone is NULL or a zone of a cycle that is in use.
 */
ngx_int_t ngx_ipc_zone_save(ngx_shm_zone_t *zone,
                            const void *addr,
                            size_t size);

/*
 * Allocates a piece of size bytes of the zone as ngx_slab_alloc() does. It is freed again
 * if the transaction is undone.
 *
 * Returns the piece, which is not cleared. Returns NULL, with a line in the log of
 * ngx_cycle, if there is no memory, if the undo log is full, or if this process has not
 * begun a transaction. The transaction can go on.
 *
 * Safety: zone is NULL or a zone of a cycle that is in use.
 */
void *ngx_ipc_zone_alloc(ngx_shm_zone_t *zone,
                         size_t size);

/*
 * Allocates a piece of size bytes as ngx_ipc_zone_alloc() does, and fills it with zeros.
 *
 * Safety: zone is NULL or a zone of a cycle that is in use.
 */
void *ngx_ipc_zone_calloc(ngx_shm_zone_t *zone,
                          size_t size);

/*
 * Frees the piece p when the transaction is committed. Until then, the program can still read
 * it. It stays allocated if the transaction is undone. If no piece begins at p, the alert
 * comes when the transaction is committed, and nothing is freed.
 *
 * Returns NGX_OK. Returns NGX_ERROR, with an alert in the log of ngx_cycle, if the undo log is
 * full, if p is not in the pages of the pool, or if this process has not begun a
 * transaction. Then ngx_ipc_zone_commit() undoes the transaction.
 *
 * Safety: zone is NULL or a zone of a cycle that is in use. No process uses the piece after the
 * transaction.
 */
ngx_int_t ngx_ipc_zone_free(ngx_shm_zone_t *zone,
                            void *p);

/*
 * Makes the transaction final, frees the pieces of ngx_ipc_zone_free(), and releases the lock. If
 * the process dies in this function, all changes of the transaction take effect, or none.
 *
 * Returns NGX_OK. Returns NGX_ERROR, with an alert in the log of ngx_cycle, if
 * ngx_ipc_zone_save() or ngx_ipc_zone_free() has failed: then the transaction is undone. Also
 * returns NGX_ERROR if this process has not begun a transaction, or if another process has
 * overwritten the undo log. The lock is released in all cases, if the process has it.
 *
 * Safety: zone is NULL or a zone of a cycle that is in use.
 */
ngx_int_t ngx_ipc_zone_commit(ngx_shm_zone_t *zone);

/*
 * Undoes the transaction: the saved bytes get their old value, and the pieces that were
 * allocated are freed. Then releases the lock.
 *
 * Returns NGX_OK. Returns NGX_ERROR, with an alert in the log of ngx_cycle, if this process
 * has not begun a transaction, or if another process has overwritten the undo log. Then the
 * zone has no further transactions.
 *
 * Safety: zone is NULL or a zone of a cycle that is in use.
 */
ngx_int_t ngx_ipc_zone_abort(ngx_shm_zone_t *zone);

/*
 * Makes a descriptor of the memory of a zone, which the program sends to another process. The
 * zone was made with keep_zones of the configuration, so that its memory is a file. The
 * descriptor is close-on-exec, and the program closes it. This function and the next two are for
 * programs without nginx.
 *
 * flags is 0 or NGX_IPC_ZONE_READ_ONLY. With NGX_IPC_ZONE_READ_ONLY, the file behind the
 * descriptor can be read and mapped for reading only, also after mprotect(2). The size of
 * the file is final.
 *
 * Returns the descriptor. Returns -1, with an error in the log of the zone, if the memory of the
 * zone is no file, if no descriptor is free, or if /proc is not mounted for
 * NGX_IPC_ZONE_READ_ONLY; -1 also if zone is NULL.
 *
 * Safety: zone is NULL or a zone of a cycle that is in use.
 *
 * References: memfd_create(2), F_SEAL_SHRINK and F_SEAL_GROW of fcntl(2), proc_pid_fd(5).
 */
ngx_fd_t ngx_ipc_zone_fd(ngx_shm_zone_t *zone,
                         ngx_uint_t flags);

/*
 * Maps the zone of another process, whose descriptor this process has got. The zone has the
 * same address in both processes.
 *
 * The program sets shm->log. flags is 0 or NGX_IPC_ZONE_READ_ONLY. With 0, the function
 * takes the lock of the pool for a moment, and undoes the operation in which a process has died.
 * Then this process can use the pool, its lock, and atomic words in it, as the others do. With
 * NGX_IPC_ZONE_READ_ONLY, it can only read: it must not call the functions of pools and locks,
 * other than ngx_slab_verify() and ngx_slab_usage(), and each byte can change at any time.
 *
 * The function checks the size and the pool. Returns NGX_OK, and sets shm->addr, shm->size,
 * and shm->exists to 1. Returns NGX_ERROR, with an error in the log, if fd is not the
 * descriptor of a zone, if something else is mapped at the address of the zone, if the zone is
 * damaged, or if another process holds the lock for one second; then shm->addr is NULL.
 * Returns NGX_ERROR also if shm is NULL. The program can close fd afterwards.
 *
 * Safety: shm is NULL or valid. The log in shm is NULL or valid.
 *
 * References: MAP_FIXED_NOREPLACE of mmap(2).
 */
ngx_int_t ngx_ipc_zone_attach(ngx_shm_t *shm,
                              ngx_fd_t fd,
                              ngx_uint_t flags);

/*
 * Unmaps a zone of ngx_ipc_zone_attach(), and sets shm->addr to NULL. Does nothing if
 * shm->addr is NULL. If the zone cannot be unmapped, an alert is logged.
 *
 * Safety: shm is NULL or valid. The program has not changed addr and size since
 * ngx_ipc_zone_attach(), does not hold the lock of the pool, and does not use the memory
 * afterwards.
 *
 * References: munmap(2).
 */
void ngx_ipc_zone_detach(ngx_shm_t *shm);

/*
 * Inserts the element x at the head of the queue h as ngx_queue_insert_head() does, in the
 * transaction that this process has begun. Head and elements are in the zone.
 *
 * Returns NGX_OK. Returns NGX_ERROR as ngx_ipc_zone_save() does, and also if another process
 * has overwritten the queue.
 *
 * Safety: zone is NULL or a zone of a cycle that is in use.
 */
ngx_int_t ngx_ipc_zone_queue_insert_head(ngx_shm_zone_t *zone,
                                         void *h,
                                         void *x);

/*
 * Inserts the element x at the tail of the queue h as ngx_ipc_zone_queue_insert_head()
 * does at the head.
 *
 * Safety: zone is NULL or a zone of a cycle that is in use.
 */
ngx_int_t ngx_ipc_zone_queue_insert_tail(ngx_shm_zone_t *zone,
                                         void *h,
                                         void *x);

/*
 * Removes the element x from its queue, as ngx_queue_remove() does. The results are those of
 * ngx_ipc_zone_queue_insert_head().
 *
 * Safety: zone is NULL or a zone of a cycle that is in use.
 */
ngx_int_t ngx_ipc_zone_queue_remove(ngx_shm_zone_t *zone,
                                    void *x);

/*
 * Finds the element after x in the queue with the head h, as ngx_queue_next() does, in the
 * transaction that this process has begun. x is the head, or an element that is in the queue. So
 * a program that removes x asks for the next element before.
 *
 * Returns the element; NULL if x is the last one. Also returns NULL, with an alert in the log of
 * ngx_cycle, if this process has not begun a transaction, or if another process has
 * overwritten the queue.
 *
 * Safety: zone is NULL or a zone of a cycle that is in use.
 */
void *ngx_ipc_zone_queue_next(ngx_shm_zone_t *zone,
                              void *h,
                              void *x);

/*
 * Counts the elements of the queue with the head h, in the transaction that this process has
 * begun.
 *
 * Returns their number. Returns NGX_ERROR, with an alert in the log of ngx_cycle, if this process
 * has not begun a transaction, or if another process has overwritten the queue.
 *
 * Safety: zone is NULL or a zone of a cycle that is in use.
 */
ngx_int_t ngx_ipc_zone_queue_count(ngx_shm_zone_t *zone,
                                   void *h);

/*
 * Makes a table in the zone, in the transaction that this process has begun: it maps keys to
 * values of size bytes. n is the expected number of keys. The table has so many lists, rounded
 * up to a power of two.
 *
 * Returns the table, or NULL as ngx_ipc_zone_alloc() does.
 *
 * Safety: zone is NULL or a zone of a cycle that is in use.
 */
void *ngx_ipc_zone_hash_create(ngx_shm_zone_t *zone,
                               ngx_uint_t n,
                               size_t size);

/*
 * Finds the value of the key of len bytes at key in a table with values of size bytes. This
 * process has begun a transaction.
 *
 * Returns the value, at an address that is a multiple of the size of a pointer. It is valid until
 * the key is deleted. A program that changes it calls ngx_ipc_zone_save() first, or
 * ngx_ipc_zone_hash_set(). Returns NULL if the table has no such key. Also returns NULL, with
 * an alert in the log of ngx_cycle, if hash is no table with values of this size, or if another
 * process has overwritten it.
 *
 * Safety: zone is NULL or a zone of a cycle that is in use. key is NULL or has len bytes.
 */
void *ngx_ipc_zone_hash_get(ngx_shm_zone_t *zone,
                            void *hash,
                            const u_char *key,
                            size_t len,
                            size_t size);

/*
 * Sets the value of the key of len bytes at key to a copy of the size bytes at value, in
 * the transaction that this process has begun.
 *
 * Returns NGX_OK. Returns NGX_ERROR, with a line in the log of ngx_cycle, if there is no memory,
 * as ngx_ipc_zone_save() does, or as ngx_ipc_zone_hash_get() does. The program then calls
 * ngx_ipc_zone_abort().
 *
 * Safety: zone is NULL or a zone of a cycle that is in use. key is NULL or has len bytes, value is
 * NULL or has size bytes.
 */
ngx_int_t ngx_ipc_zone_hash_set(ngx_shm_zone_t *zone,
                                void *hash,
                                const u_char *key,
                                size_t len,
                                const void *value,
                                size_t size);

/*
 * Deletes the key of len bytes at key, in the transaction that this process has begun.
 *
 * Returns NGX_OK, or NGX_DECLINED if the table has no such key. Returns NGX_ERROR, with an
 * alert in the log of ngx_cycle, as ngx_ipc_zone_free() and ngx_ipc_zone_hash_get() do. The
 * program then calls ngx_ipc_zone_abort().
 *
 * Safety: zone is NULL or a zone of a cycle that is in use. key is NULL or has len bytes.
 */
ngx_int_t ngx_ipc_zone_hash_delete(ngx_shm_zone_t *zone,
                                   void *hash,
                                   const u_char *key,
                                   size_t len);

/*
 * Returns the number of keys of a table, in the transaction that this process has begun. Returns
 * NGX_ERROR as ngx_ipc_zone_hash_delete() does.
 *
 * Safety: zone is NULL or a zone of a cycle that is in use.
 */
ngx_int_t ngx_ipc_zone_hash_count(ngx_shm_zone_t *zone,
                                  void *hash);

/*
 * Finds the next entry of a table with values of size bytes, in the transaction that this
 * process has begun, and sets key, len and value of walk. Before the first call, the
 * program sets all fields of walk to 0. Key and value are valid until the entry is deleted and
 * the transaction has ended.
 *
 * Each entry is found once, in any order. The program can delete the entry that was found, and
 * change values. If it adds a key, or deletes another one that was not found yet, the walk can
 * find this key or not.
 *
 * Returns NGX_OK, or NGX_DECLINED if there is no further entry. Returns NGX_ERROR, with an alert
 * in the log of ngx_cycle, as ngx_ipc_zone_hash_get() does.
 *
 * Safety: zone is NULL or a zone of a cycle that is in use. walk is NULL or valid.
 */
ngx_int_t ngx_ipc_zone_hash_next(ngx_shm_zone_t *zone,
                                 void *hash,
                                 ngx_ipc_zone_hash_walk_t *walk,
                                 size_t size);

/*
 * Inserts a node into a tree as ngx_rbtree_insert() does, in the transaction that this process has
 * begun. tree is an ngx_rbtree_t and node an ngx_rbtree_node_t, which is in no tree and whose
 * key the program has set. Tree, sentinel and nodes are in the zone. ngx_rbtree_init() makes the
 * tree; its function insert can be NULL. The node goes behind the nodes with the same key.
 *
 * Returns NGX_OK. Returns NGX_ERROR, with an alert in the log of ngx_cycle, as
 * ngx_ipc_zone_save() does, or if tree is no tree, or if another process has overwritten the
 * tree. Then ngx_ipc_zone_commit() undoes the transaction.
 *
 * Safety: zone is NULL or a zone of a cycle that is in use.
 */
ngx_int_t ngx_ipc_zone_tree_insert(ngx_shm_zone_t *zone,
                                   void *tree,
                                   void *node);

/*
 * Removes a node from a tree as ngx_rbtree_delete() does, in the transaction that this process has
 * begun. The node keeps its key. The results are those of ngx_ipc_zone_tree_insert(); the function
 * also fails if the node is not in the tree.
 *
 * Safety: zone is NULL or a zone of a cycle that is in use.
 */
ngx_int_t ngx_ipc_zone_tree_delete(ngx_shm_zone_t *zone,
                                   void *tree,
                                   void *node);

/*
 * Finds the first node of a tree that has the key key, in the transaction that this process has
 * begun. ngx_ipc_zone_tree_next() finds the other nodes with this key.
 *
 * Returns the node, an ngx_rbtree_node_t. Returns NULL if there is none. Also returns NULL, with an
 * alert in the log of ngx_cycle, if this process has not begun a transaction, if tree is no tree, or
 * if another process has overwritten it.
 *
 * Safety: zone is NULL or a zone of a cycle that is in use.
 */
void *ngx_ipc_zone_tree_find(ngx_shm_zone_t *zone,
                             void *tree,
                             ngx_uint_t key);

/*
 * Finds the first node of a tree, which has the least key, as ngx_rbtree_min() does, in the
 * transaction that this process has begun. The results are those of ngx_ipc_zone_tree_find().
 *
 * Safety: zone is NULL or a zone of a cycle that is in use.
 */
void *ngx_ipc_zone_tree_min(ngx_shm_zone_t *zone,
                            void *tree);

/*
 * Finds the first node of a tree whose key is key or greater, in the transaction that this process
 * has begun. The results are those of ngx_ipc_zone_tree_find().
 *
 * Safety: zone is NULL or a zone of a cycle that is in use.
 */
void *ngx_ipc_zone_tree_lower_bound(ngx_shm_zone_t *zone,
                                    void *tree,
                                    ngx_uint_t key);

/*
 * Finds the node after node in a tree as ngx_rbtree_next() does, in the transaction that this
 * process has begun. node is in the tree. So a program that deletes node asks for the next node
 * before. The results are those of ngx_ipc_zone_tree_find().
 *
 * Safety: zone is NULL or a zone of a cycle that is in use.
 */
void *ngx_ipc_zone_tree_next(ngx_shm_zone_t *zone,
                             void *tree,
                             void *node);

/*
 * Counts the nodes of a tree, in the transaction that this process has begun.
 *
 * Returns their number. Returns NGX_ERROR, with an alert in the log of ngx_cycle, as
 * ngx_ipc_zone_tree_find() does.
 *
 * Safety: zone is NULL or a zone of a cycle that is in use.
 */
ngx_int_t ngx_ipc_zone_tree_count(ngx_shm_zone_t *zone,
                                  void *tree);


#if (NGX_IPC_NO_TYPED_ZONES)
#error this nginx has kept its own zones, so it has no typed zones: see docs/nginx.md, "Versions"
#endif

/*
 * Declares a typed zone: calls ngx_ipc_zone_add_size() with the size of the structure in
 * these headers.
 */
#define ngx_ipc_zone_add(cycle, type, name, size)                             \
    ngx_ipc_zone_add_size(cycle, type, sizeof(ngx_ipc_zone_type_t), name, size)


#ifdef __cplusplus
}
#endif

#endif /* _NGX_IPC_ZONE_H_INCLUDED_ */
