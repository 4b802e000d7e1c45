/*
 * ngx_ipc_message.h: messages between processes.
 * Part of ngx-ipc; the names are nginx's.
 *
 * Generated: edit these sources, then run "make headers".
 *
 *   src/abi/ipc_message.rs
 *   src/abi/ipc_message_fds.rs
 *   src/abi/ipc_message_place.rs
 *   src/abi/message_counts.rs
 *   src/host/messages/types.rs
 *   src/host/messages/counts.rs
 *   include/generator/ipc_message.h
 */

#ifndef _NGX_IPC_MESSAGE_H_INCLUDED_
#define _NGX_IPC_MESSAGE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#ifdef __cplusplus
extern "C" {
#endif


/*
 * The address of a process: NGX_IPC_TO_MASTER, NGX_IPC_TO_WORKER(),
 * NGX_IPC_TO_SLOT(), NGX_IPC_TO_ONE_OF(), or the field to of a
 * ngx_ipc_peer_t.
 */
typedef uint64_t ngx_ipc_to_t;

/*
 * A process that sends or receives messages. The library makes this
 * structure, and later versions can add fields.
 */
typedef struct {
    /*
     * The address of this process and no other: neither of its replacement nor
     * of a later process in the slot.
     */
    ngx_ipc_to_t to;
    /*
     * The slot in ngx_processes of the master that has started the process; -1: a
     * master, or a dead process of which no more is known.
     */
    ngx_int_t slot;
    /* The number of the worker, from 0; -1 if the process is not a worker. */
    ngx_int_t worker;
    /* The generation of the process: the number of its configuration. */
    ngx_uint_t generation;
    /*
     * A number that differs from those of earlier processes with the same memory for
     * messages, and that grows when the process is replaced.
     */
    ngx_uint_t incarnation;
    /* The role: NGX_PROCESS_MASTER, NGX_PROCESS_WORKER, NGX_PROCESS_HELPER or 0. */
    ngx_uint_t role;
} ngx_ipc_peer_t;

/*
 * A message that has arrived. The library makes this structure, and later
 * versions can add fields. The structure, sender, data and fds are valid
 * until the handler returns.
 */
typedef struct {
    /* The field ctx of the type of the message; NULL in a reply. */
    void *ctx;
    /*
     * The payload, in shared memory, at an address that is a multiple of 16. A
     * process that was taken over by an attacker can change it at any time: a
     * handler that checks the payload copies it first.
     */
    void *data;
    /* The length of the payload in bytes. */
    size_t len;
    /* The sender. */
    const ngx_ipc_peer_t *sender;
    /*
     * The number for ngx_ipc_message_reply(); 0 if the sender waits for no
     * reply.
     */
    ngx_uint_t request;
    /*
     * The descriptors that have come with the message, or NULL. The library
     * closes them when the handler returns. A handler that keeps one sets its
     * element to -1.
     */
    ngx_fd_t *fds;
    /* The number of elements of fds. */
    ngx_uint_t fds_n;
} ngx_ipc_message_t;

/*
 * Handles a message. The handler can call all functions of this file and
 * ngx_spawn_process(). It must not block, because no other messages and events
 * are handled before it returns.
 */
typedef void (*ngx_ipc_message_handler_pt)(ngx_ipc_message_t *m);

/*
 * A type of messages. The program sets the first fields, and the others are 0.
 * The structure lives as long as the program.
 */
typedef struct {
    /*
     * The name, at most 48 bytes. All processes use the same name, and two
     * modules use different names, such as "cache_purge".
     */
    const char *name;
    /*
     * The function that is called for each message; NULL: this process only
     * sends messages of the type.
     */
    ngx_ipc_message_handler_pt handler;
    /*
     * A pointer of the program, which the handler finds in the field ctx of a
     * message.
     */
    void *ctx;
    /*
     * 0, or a sum of NGX_IPC_MESSAGE_CONTROL, NGX_IPC_MESSAGE_THIS_PROCESS,
     * NGX_IPC_MESSAGE_ONCE_PER_KEY, NGX_IPC_MESSAGE_RETAINED,
     * NGX_IPC_MESSAGE_DESCRIPTORS and NGX_IPC_MESSAGE_TIMED.
     */
    ngx_uint_t flags;
    /* Set by ngx_ipc_message_register(). Programs do not use this field. */
    ngx_uint_t number;
} ngx_ipc_message_type_t;

/* How much waits for a process. Later versions can add fields. */
typedef struct {
    /*
     * The number of messages of this process that wait there. It includes records of
     * the library: about one for 30 small messages, and up to two when nothing was sent
     * for a second.
     */
    ngx_uint_t messages;
    /*
     * The memory in bytes that the messages of this process use there, a multiple of
     * 4096. It is at least 4096 until this process has sent nothing for a while.
     */
    size_t used;
    /*
     * The largest value of used. Messages of other types than those with
     * NGX_IPC_MESSAGE_CONTROL are refused when it is reached.
     */
    size_t limit;
    /*
     * The memory in bytes that is used for messages of all processes. Messages are
     * refused when it is memory.
     */
    size_t memory_used;
    /*
     * The memory in bytes for messages, other than that which is reserved for types
     * with NGX_IPC_MESSAGE_CONTROL.
     */
    size_t memory;
} ngx_ipc_load_t;

/*
 * A function that is called with the outcome of a request: NGX_IPC_REPLIED,
 * NGX_IPC_TOO_LATE or NGX_IPC_DIED. ctx is the argument of
 * ngx_ipc_message_request(). reply is the reply if the outcome is
 * NGX_IPC_REPLIED, else NULL; it is valid until the function returns. The
 * function can do what a handler of messages can do.
 */
typedef void (*ngx_ipc_reply_pt)(void *ctx,
                                 ngx_uint_t outcome,
                                 ngx_ipc_message_t *reply);

/*
 * A function that is called for a process. ctx is the field of the
 * ngx_ipc_message_watch_t. peer is valid until the function returns. The
 * function can do what a handler of messages can do.
 */
typedef void (*ngx_ipc_peer_pt)(void *ctx, const ngx_ipc_peer_t *peer);

/*
 * Messages that were lost. The library makes this structure, and later
 * versions can add fields. The structure, sender and receiver are valid until the
 * function returns.
 */
typedef struct {
    /* The process that has sent the messages. */
    const ngx_ipc_peer_t *sender;
    /*
     * The number of the first lost message, for logs: a program does not learn the
     * numbers of messages that arrive.
     */
    ngx_uint_t first;
    /*
     * The number of lost messages. If the cause is NGX_IPC_GAP_DAMAGED, they can
     * be fewer.
     */
    ngx_uint_t count;
    /*
     * NGX_IPC_GAP_DAMAGED, NGX_IPC_GAP_NOT_FOR_US, NGX_IPC_GAP_HANDLED,
     * NGX_IPC_GAP_DESCRIPTORS or NGX_IPC_GAP_NO_PROCESS.
     */
    ngx_uint_t cause;
    /*
     * In a master: the process for which the messages were, which is dead and has no
     * replacement. NULL: the process that is told, or one that had its slot before.
     */
    const ngx_ipc_peer_t *receiver;
} ngx_ipc_gap_t;

/*
 * A function that is called when messages were lost. ctx is the field of the
 * ngx_ipc_message_watch_t. The function can do what a handler of messages can
 * do.
 */
typedef void (*ngx_ipc_gap_pt)(void *ctx, const ngx_ipc_gap_t *gap);

/*
 * Functions for other events than messages. A function can be NULL. The
 * program zeroes the structure before it sets the fields. The structure stays at
 * its address as long as the program runs.
 */
typedef struct {
    /* The first argument of the functions. */
    void *ctx;
    /*
     * A process runs and receives messages. Called for each process that runs,
     * and then for each that starts.
     */
    ngx_ipc_peer_pt peer_up;
    /*
     * A process is dead. All messages that it has sent to this process were
     * handled before.
     */
    ngx_ipc_peer_pt peer_down;
    /*
     * Messages to this process were lost, or to a process that had its slot
     * before. A master is also told of lost messages to a process that is dead and
     * has no replacement. If no structure has this function, the loss is logged.
     */
    ngx_ipc_gap_pt gap;
    /*
     * A process that was full has room, or may have room. Called once after a function
     * has returned NGX_AGAIN for a message to this process.
     */
    ngx_ipc_peer_pt room;
} ngx_ipc_message_watch_t;

/*
 * The numbers of one type of messages, see ngx_ipc_message_next_type(). The
 * program sets the first three fields, and the library the others. The numbers
 * are counted since the program was started, over all generations.
 */
typedef struct {
    /*
     * Before the call the number of the previous type, -1 for the first one. After
     * the call the number of this type.
     */
    ngx_int_t number;
    /*
     * The processes whose messages are counted: a sum of NGX_IPC_WORKERS,
     * NGX_IPC_HELPERS, NGX_IPC_MASTER and NGX_IPC_OTHERS, of all generations; 0: all
     * processes.
     */
    ngx_uint_t set;
    /*
     * The number of a worker: only messages of the workers with this number are
     * counted. -1: of all processes of the set.
     */
    ngx_int_t worker;
    /*
     * The name of the type, which ends with a zero byte; "(replies)" for replies
     * to requests.
     */
    char name[56];
    /* Messages that these processes have sent. */
    ngx_uint_t sent;
    /* Messages that they could not send, because a receiver was full. */
    ngx_uint_t refused;
    /* Messages that they have received. */
    ngx_uint_t received;
    /*
     * The messages of received that they have dropped, because they had no
     * handler.
     */
    ngx_uint_t unknown;
    /*
     * Messages to them that were lost. Those that were overwritten belong to no
     * type.
     */
    ngx_uint_t lost;
    /* Messages of the type that wait, for all processes of the program. */
    ngx_uint_t waiting;
    /*
     * The largest number of messages of the type that waited at one time, for all
     * processes of the program. Each sender looks about each second.
     */
    ngx_uint_t deepest;
    /*
     * The number of messages to these processes whose time was measured, from the
     * function that sends to the handler.
     */
    ngx_uint_t timed;
    /* The sum of the measured times, in nanoseconds. */
    ngx_uint_t time;
    /*
     * The measured times: times[k] is the number of times that were less than 2^k
     * nanoseconds, and not less than 2^(k - 1). times[39] has all longer times too.
     */
    ngx_uint_t times[40];
} ngx_ipc_message_counts_t;

/*
 * The numbers of the messages from one process to another, see
 * ngx_ipc_message_next_pair(). The program sets the first field, and the library
 * all. A process that is started again continues the numbers of its predecessor.
 * After a reload, other processes can continue them.
 */
typedef struct {
    /*
     * Before the call the number of the previous pair, -1 for the first one. After
     * the call the number of this pair.
     */
    ngx_int_t number;
    /* The slot of the sender in ngx_processes; -1: the master. */
    ngx_int_t sender;
    /* The slot of the receiver in ngx_processes; -1: the master. */
    ngx_int_t receiver;
    /* The number of the worker that sends; -1 if the sender is not a worker. */
    ngx_int_t sender_worker;
    /* The number of the worker that receives; -1 if the receiver is not a worker. */
    ngx_int_t receiver_worker;
    /* Messages that were sent. The number can be some seconds old. */
    ngx_uint_t sent;
    /*
     * Messages that could not be sent, because the receiver was full. The number
     * can be some seconds old.
     */
    ngx_uint_t refused;
    /* Messages that were received. */
    ngx_uint_t received;
    /* Messages that wait. */
    ngx_uint_t waiting;
    /*
     * The largest number of messages that waited at one time. The sender looks each
     * time it has filled 32 KiB, and about each second.
     */
    ngx_uint_t deepest;
    /* Messages that were lost. */
    ngx_uint_t lost;
} ngx_ipc_message_pair_t;

/* The messages of the type overtake messages of other types. */
#define NGX_IPC_MESSAGE_CONTROL 1

/*
 * The replacement of a process that dies does not get the messages of the type that
 * the process has not received. It is told of a gap.
 */
#define NGX_IPC_MESSAGE_THIS_PROCESS 2

/*
 * For ngx_ipc_message_send_by_key(): a message is dropped while another one of
 * the type, with the same key, waits. Has no effect together with
 * NGX_IPC_MESSAGE_THIS_PROCESS.
 */
#define NGX_IPC_MESSAGE_ONCE_PER_KEY 4

/*
 * The last broadcast of the type is kept: a process that starts later, or registers
 * the type later, gets it, if it has a role of the set and is not of an earlier
 * generation. A process of the set that had no room, or whose message was lost with
 * its sender, gets it too. A message that is older than one that a process has got
 * already is dropped. The payload has at most 1 MiB, even if message_max is larger,
 * and there are at most 32 such types.
 */
#define NGX_IPC_MESSAGE_RETAINED 8

/*
 * Descriptors can come with messages of the type, see
 * ngx_ipc_message_send_fds(). The master registers the type before it starts its
 * first process, and makes two more descriptors for each process.
 */
#define NGX_IPC_MESSAGE_DESCRIPTORS 16

/*
 * The time from the function that sends to the handler is measured for each
 * message of the type, and not only for one in 61. Each measurement costs the time
 * to read the clock twice.
 */
#define NGX_IPC_MESSAGE_TIMED 32

/* Set of processes: the workers of the sender's generation, without the sender. */
#define NGX_IPC_WORKERS 1

/* Set of processes: the helpers of the sender's generation, without the sender. */
#define NGX_IPC_HELPERS 2

/* Set of processes: the master of the sender's binary. */
#define NGX_IPC_MASTER 4

/* Set of processes: processes that the program has spawned itself. */
#define NGX_IPC_OTHERS 8

/*
 * Added to a set: processes of other generations too. After a reload these are
 * the old workers, which shut down. During an upgrade these are also the processes
 * of the other binary, and its master.
 */
#define NGX_IPC_ALL_GENERATIONS 16

/* Added to a set: the sender too, if the set has its role. */
#define NGX_IPC_SELF 32

/* The address of the master of the sender's binary. */
#define NGX_IPC_TO_MASTER 144115188075855872

/* Part of NGX_IPC_TO_WORKER(). */
#define NGX_IPC_TO_WORKER_0 72057594037927936

/* Part of NGX_IPC_TO_SLOT(). */
#define NGX_IPC_TO_SLOT_0 144115188075855873

/* Part of NGX_IPC_TO_ONE_OF(). */
#define NGX_IPC_TO_ONE_OF_0 288230376151711744

/* Cause of a gap: another process has overwritten the messages. */
#define NGX_IPC_GAP_DAMAGED 1

/*
 * Cause of a gap: the messages were for a process that had the slot before. It
 * was killed, and their type has NGX_IPC_MESSAGE_THIS_PROCESS; or they were sent
 * while it exited, and this process is not its replacement.
 */
#define NGX_IPC_GAP_NOT_FOR_US 2

/* Cause of a gap: the previous process died while it handled the message. */
#define NGX_IPC_GAP_HANDLED 3

/*
 * Cause of a gap: the descriptors of the message were lost, because the previous
 * process had received them and died, or because this process has too many open
 * descriptors, see RLIMIT_NOFILE.
 */
#define NGX_IPC_GAP_DESCRIPTORS 4

/*
 * Cause of a gap, in a master: the messages were for a process that is dead and has
 * no replacement.
 */
#define NGX_IPC_GAP_NO_PROCESS 5

/* Outcome of a request: the reply has arrived. */
#define NGX_IPC_REPLIED 1

/* Outcome of a request: no reply has arrived in time. */
#define NGX_IPC_TOO_LATE 2

/* Outcome of a request: the process that was asked is dead. */
#define NGX_IPC_DIED 3

/* The number of the type that ngx_ipc_message_next_type() returns for replies. */
#define NGX_IPC_MESSAGE_REPLIES 256

/*
 * Registers a type of messages, whose structure has size bytes. Programs call
 * the macro ngx_ipc_message_register(), in init_module or init_process of
 * each process that sends or receives the type, or in main() before
 * ngx_ipc_main(): then all processes know the type.
 *
 * A program has messages if its master has registered a type before it starts
 * the first process, or if the configuration has messages. Registering a
 * type once more does nothing.
 *
 * Returns NGX_OK. Returns NGX_ERROR, with an alert in the log, if type is NULL or
 * size is less than in version 0.1; if the name is missing, is too long, begins with
 * an opening parenthesis, or is used by another structure; if the field flags has
 * unknown bits; if there are 256 types already, or 32 with NGX_IPC_MESSAGE_RETAINED; if
 * there is no memory; or if this process is a worker or helper and the program has no
 * messages. errno is EINVAL if the name is missing, is too long or begins with a
 * parenthesis.
 *
 * Safety: type is NULL or lives as long as the program, as does its name.
 */
ngx_int_t ngx_ipc_message_register_size(ngx_ipc_message_type_t *type,
                                        size_t size);

/*
 * Sends a copy of the len bytes at data to one process.
 *
 * to is NGX_IPC_TO_WORKER(), NGX_IPC_TO_SLOT(), NGX_IPC_TO_MASTER,
 * NGX_IPC_TO_ONE_OF(), or the field to of a ngx_ipc_peer_t. A worker number
 * means the worker of the sender's generation; while it is started again, the
 * message waits for its replacement. NGX_IPC_TO_ONE_OF() chooses the process of the
 * set that has the fewest messages to handle, a sleeping one first, and another one if
 * the chosen one is full. The messages of ngx_ipc_message_unhandled() count too.
 *
 * Returns NGX_OK: the message is in the receiver's memory. Otherwise nothing was
 * sent, and errno says more: NGX_AGAIN if the memory of the receiver is full,
 * then the function room is called later; NGX_DECLINED if the payload is
 * larger than message_max; NGX_ERROR with ESRCH if there is no such process,
 * with EBUSY while a message to it is reserved, with EINVAL if the type is not
 * registered in this process or an argument is wrong, with ENOMEM if this process
 * has no memory, with ENOTSUP if the program has no messages, with ESHUTDOWN if this
 * process is a master that exits and has left: it has given back its slot.
 *
 * Safety: type is NULL or a type; data has len bytes.
 */
ngx_int_t ngx_ipc_message_send(ngx_ipc_message_type_t *type,
                               ngx_ipc_to_t to,
                               const void *data,
                               size_t len);

/*
 * Sends a copy of the len bytes at data to the process of a set that has the
 * key, which has key_len bytes. As long as the set does not change, the same
 * key always goes to the same process, for all types and all senders. When a
 * worker is added or removed, only the keys of that worker move.
 *
 * If the type has NGX_IPC_MESSAGE_ONCE_PER_KEY, and a message of the type with
 * this key waits already, nothing is sent, and the result is NGX_OK. A message
 * waits until its handler is called.
 *
 * Returns the results of ngx_ipc_message_send().
 *
 * Safety: type is NULL or a type; key has key_len bytes and data has len
 * bytes.
 */
ngx_int_t ngx_ipc_message_send_by_key(ngx_ipc_message_type_t *type,
                                      ngx_uint_t set,
                                      const void *key,
                                      size_t key_len,
                                      const void *data,
                                      size_t len);

/*
 * Returns the address of the process of a set that has the key, which has key_len
 * bytes: the process to which ngx_ipc_message_send_by_key() sends. So a request, a
 * message with descriptors, or a message that is built in place can be sent by key.
 * The address is used at once, because another process has the key when the set
 * changes.
 *
 * Returns 0 if there is none, with errno ESRCH: the set has no process; EINVAL: an
 * argument is wrong; ENOMEM: this process has no memory; ENOTSUP: the program has no
 * messages; ESHUTDOWN: this process is a master that has left.
 *
 * Safety: key has key_len bytes.
 */
ngx_ipc_to_t ngx_ipc_message_to_key(ngx_uint_t set,
                                    const void *key,
                                    size_t key_len);

/*
 * Writes to load, a structure of size bytes, how much waits for a process.
 * Programs call the macro ngx_ipc_message_load(). to is an address as for
 * ngx_ipc_message_send(), but not NGX_IPC_TO_ONE_OF(). A program that can send later
 * holds back before a message is refused.
 *
 * Returns NGX_OK. Returns NGX_ERROR, and changes nothing, with errno ESRCH if there
 * is no such process, EINVAL if an argument is wrong or size is less than in
 * version 0.1, ENOMEM if this process has no memory, ENOTSUP if the program has no
 * messages, ESHUTDOWN if this process is a master that has left.
 *
 * Safety: load is NULL or has size writable bytes.
 */
ngx_int_t ngx_ipc_message_load_size(ngx_ipc_to_t to,
                                    ngx_ipc_load_t *load,
                                    size_t size);

/*
 * Adds n, which can be negative, to the number of messages that this process has
 * received and not handled. The number does not become negative. NGX_IPC_TO_ONE_OF()
 * counts these messages: a module whose handler only begins the work of a message adds 1
 * in the handler, and -1 at the end of the work.
 *
 * Returns NGX_OK. Returns NGX_ERROR, and changes nothing, with errno ENOMEM if this
 * process has no memory, ENOTSUP if the program has no messages, ESHUTDOWN if this
 * process is a master that has left.
 */
ngx_int_t ngx_ipc_message_unhandled(ngx_int_t n);

/*
 * Sends a copy of the len bytes at data to all processes of a set, such as
 * NGX_IPC_WORKERS, or NGX_IPC_WORKERS|NGX_IPC_SELF.
 *
 * Returns the number of processes to which the message was sent; 0 also if the
 * set has no process. ngx_ipc_message_missed() returns the processes of the set
 * to which it was not sent, most often because they have no room; the function
 * room is called for those. If the payload is too large or an argument is
 * wrong, the message was sent to none, and the result is NGX_DECLINED or
 * NGX_ERROR, with errno as after ngx_ipc_message_send(). A payload of more than
 * 1 MiB is too large for a type with NGX_IPC_MESSAGE_RETAINED. The result is NGX_AGAIN
 * if the type has NGX_IPC_MESSAGE_RETAINED and three other processes are keeping a
 * message of the type, for example because they were stopped; the function room
 * is not called then.
 *
 * Safety: type is NULL or a type; data has len bytes.
 */
ngx_int_t ngx_ipc_message_broadcast(ngx_ipc_message_type_t *type,
                                    ngx_uint_t set,
                                    const void *data,
                                    size_t len);

/*
 * Returns the addresses of the processes that the last
 * ngx_ipc_message_broadcast() has missed, and writes their number to n. The
 * array is valid until the next broadcast.
 *
 * Safety: n is NULL or writable.
 */
const ngx_ipc_to_t *ngx_ipc_message_missed(ngx_uint_t *n);

/*
 * Returns the number of the worker with an address of ngx_ipc_message_missed(), or of a
 * ngx_ipc_peer_t; -1: the process is not a worker, or is dead.
 */
ngx_int_t ngx_ipc_message_worker(ngx_ipc_to_t to);

/*
 * Sends a message to one process, as ngx_ipc_message_send() does, and asks for a
 * reply. The library calls handler with ctx and the outcome exactly once, within
 * timeout milliseconds and the time to handle the messages that wait then. Only the
 * process that runs now gets the message, not its replacement.
 *
 * If the result is not NGX_OK, nothing was sent and handler is not called.
 *
 * Safety: type is NULL or a type; data has len bytes; handler can be called with
 * ctx.
 */
ngx_int_t ngx_ipc_message_request(ngx_ipc_message_type_t *type,
                                  ngx_ipc_to_t to,
                                  const void *data,
                                  size_t len,
                                  ngx_msec_t timeout,
                                  ngx_ipc_reply_pt handler,
                                  void *ctx);

/*
 * Replies to a request. to is sender->to of the request, and request its
 * field request; the program can keep both and reply later.
 *
 * Returns the results of ngx_ipc_message_send(). A reply that comes too late is
 * dropped by the process that asked.
 *
 * Safety: data has len bytes.
 */
ngx_int_t ngx_ipc_message_reply(ngx_ipc_to_t to,
                                ngx_uint_t request,
                                const void *data,
                                size_t len);

/*
 * Adds functions that are called for other events than messages. watch has size
 * bytes. Programs call the macro ngx_ipc_message_watch(). If the program adds a
 * structure again, its functions are replaced.
 *
 * Returns NGX_OK. Returns NGX_ERROR, with an alert in the log, if watch is NULL,
 * if size is less than in version 0.1, or if there is no memory.
 *
 * Safety: watch is NULL or has size bytes. Its functions can be called with its data
 * as long as the program runs.
 */
ngx_int_t ngx_ipc_message_watch_size(ngx_ipc_message_watch_t *watch,
                                     size_t size);

/*
 * Returns the descriptor that becomes readable when there is something for
 * ngx_ipc_message_process(), or -1 if this process has no messages or no memory, or is a
 * master that has left. The descriptor belongs to the library: the program only watches it.
 * Only a program with its own event loop needs it. A master first registers its types.
 */
ngx_fd_t ngx_ipc_message_fd(void);

/*
 * Handles the messages that have arrived. A program with its own event loop calls it before
 * it waits for the first time, and whenever the descriptor of ngx_ipc_message_fd() is readable
 * or the time is over. In a handler: only returns 0.
 *
 * Returns the milliseconds after which the program calls the function again if the descriptor
 * has not become readable; 0: at once, after other events; -1: no limit.
 */
ngx_int_t ngx_ipc_message_process(void);

/*
 * Sends a copy of the len bytes at data to one process, with copies of the
 * n descriptors at fds, 1 to 16. The type has NGX_IPC_MESSAGE_DESCRIPTORS.
 * to is an address as for ngx_ipc_message_send().
 *
 * Returns the results of ngx_ipc_message_send(). The result is NGX_AGAIN also if
 * too many descriptors are on the way to the receiver, or from all processes of the
 * user, see RLIMIT_NOFILE in unix(7). It is NGX_ERROR with EBADF if one of the
 * descriptors is not open. The caller's descriptors stay open.
 *
 * Safety: type is NULL or a type; data has len bytes; fds has n elements.
 */
ngx_int_t ngx_ipc_message_send_fds(ngx_ipc_message_type_t *type,
                                   ngx_ipc_to_t to,
                                   const void *data,
                                   size_t len,
                                   const ngx_fd_t *fds,
                                   ngx_uint_t n);

/*
 * Sends a copy of the len bytes at data to all processes of a set, with copies
 * of the n descriptors at fds, 1 to 16. The type has NGX_IPC_MESSAGE_DESCRIPTORS.
 * The message is not kept for processes that come later.
 *
 * Returns the results of ngx_ipc_message_broadcast().
 *
 * Safety: type is NULL or a type; data has len bytes; fds has n elements.
 */
ngx_int_t ngx_ipc_message_broadcast_fds(ngx_ipc_message_type_t *type,
                                        ngx_uint_t set,
                                        const void *data,
                                        size_t len,
                                        const ngx_fd_t *fds,
                                        ngx_uint_t n);

/*
 * Makes room for a message of len bytes to one process, so that the program
 * builds the payload in place. to is an address as for ngx_ipc_message_send().
 *
 * Returns the address of the payload, a multiple of 16, or NULL with errno set
 * as by ngx_ipc_message_send(). Until ngx_ipc_message_commit() or
 * ngx_ipc_message_cancel() no other message can be sent to this process: functions
 * that send to it fail with EBUSY, and a broadcast misses it. Types with
 * NGX_IPC_MESSAGE_CONTROL and types without it do not disturb each other.
 *
 * Safety: type is NULL or a type.
 */
void *ngx_ipc_message_reserve(ngx_ipc_message_type_t *type,
                              ngx_ipc_to_t to,
                              size_t len);

/*
 * Sends a reserved message with the first len bytes of its payload. data is
 * the address that ngx_ipc_message_reserve() has returned.
 *
 * Returns NGX_OK. Returns NGX_ERROR, and nothing is sent, with errno EINVAL if
 * nothing is reserved at data, ESRCH if the process has died and gets no
 * replacement, or ESHUTDOWN if this process is a master that has left. The memory
 * at data can belong to another message then: do not write to it.
 */
ngx_int_t ngx_ipc_message_commit(void *data,
                                 size_t len);

/*
 * Gives a reserved message back: nothing is sent. data is the address that
 * ngx_ipc_message_reserve() has returned.
 *
 * Returns NGX_OK, also if the process has died or this process is a master that has
 * left, or NGX_ERROR with EINVAL if nothing is reserved at data.
 */
ngx_int_t ngx_ipc_message_cancel(void *data);

/*
 * Fills counts, a structure of size bytes, with the numbers of the type after
 * counts->number. For the first type, set counts->number to -1. Programs call
 * the macro ngx_ipc_message_next_type(), in any process.
 *
 * The fields set and worker choose the processes whose messages are counted:
 * 0 and -1 mean all processes. In this case all types are returned, and otherwise
 * those of which these processes have sent or received a message. Replies are the
 * last type, with the number NGX_IPC_MESSAGE_REPLIES.
 *
 * The numbers of a worker are those of all processes that have had its number. So
 * they continue over a reload.
 *
 * Returns NGX_OK, NGX_DECLINED if there is no further type or if the program has no
 * messages, or NGX_ERROR if size is too small or counts is NULL. Nothing is
 * written unless the result is NGX_OK.
 *
 * Safety: counts is NULL or points to a structure with size bytes, whose first three
 * fields are set.
 */
ngx_int_t ngx_ipc_message_next_type_size(ngx_ipc_message_counts_t *counts,
                                         size_t size);

/*
 * Fills pair, a structure of size bytes, with the numbers of the messages from
 * one process to another: of the pair after pair->number. For the first pair, set
 * pair->number to -1. Programs call the macro ngx_ipc_message_next_pair(), in any
 * process.
 *
 * Pairs that have sent nothing are left out. A process that sends to itself is a
 * pair, too.
 *
 * Returns NGX_OK, NGX_DECLINED if there is no further pair or if the program has no
 * messages, or NGX_ERROR if size is too small or pair is NULL. Nothing is
 * written unless the result is NGX_OK.
 *
 * Safety: pair is NULL or points to a structure with size bytes, whose first field is
 * set.
 */
ngx_int_t ngx_ipc_message_next_pair_size(ngx_ipc_message_pair_t *pair,
                                         size_t size);


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


#ifdef __cplusplus
}
#endif

#endif /* _NGX_IPC_MESSAGE_H_INCLUDED_ */
