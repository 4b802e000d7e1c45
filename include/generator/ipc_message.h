/* The address of the worker n of the sender's generation. */
#define NGX_IPC_TO_WORKER(n)   (NGX_IPC_TO_WORKER_0 + (uint32_t) (n))

/*
 * The address of the process in the slot of ngx_processes, or its replacement;
 * -1: the master.
 */
#define NGX_IPC_TO_SLOT(slot)  (NGX_IPC_TO_SLOT_0 + (uint32_t) (slot))

/* The address of one process of a set, such as NGX_IPC_WORKERS. */
#define NGX_IPC_TO_ONE_OF(set)  (NGX_IPC_TO_ONE_OF_0 + (uint32_t) (set))

/*
 * Registers a type of messages: calls ngx_ipc_message_register_size() with the
 * size of the structure in these headers.
 */
#define ngx_ipc_message_register(type)                                        \
    ngx_ipc_message_register_size(type, sizeof(ngx_ipc_message_type_t))

/*
 * Fills a structure with the numbers of the next type: calls
 * ngx_ipc_message_next_type_size() with the size of the structure in these headers.
 */
#define ngx_ipc_message_next_type(counts)                                     \
    ngx_ipc_message_next_type_size(counts, sizeof(ngx_ipc_message_counts_t))

/*
 * Fills a structure with the numbers of the next pair of processes: calls
 * ngx_ipc_message_next_pair_size() with the size of the structure in these headers.
 */
#define ngx_ipc_message_next_pair(pair)                                       \
    ngx_ipc_message_next_pair_size(pair, sizeof(ngx_ipc_message_pair_t))

/*
 * Adds functions for other events than messages: calls
 * ngx_ipc_message_watch_size() with the size of the structure in these headers.
 */
#define ngx_ipc_message_watch(watch)                                          \
    ngx_ipc_message_watch_size(watch, sizeof(ngx_ipc_message_watch_t))

/*
 * Writes to load, a ngx_ipc_load_t, how much waits for a process: calls
 * ngx_ipc_message_load_size() with the size of the structure in these headers.
 */
#define ngx_ipc_message_load(to, load)                                        \
    ngx_ipc_message_load_size(to, load, sizeof(ngx_ipc_load_t))
