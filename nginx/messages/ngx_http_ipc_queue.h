
#ifndef _NGX_HTTP_IPC_QUEUE_H_INCLUDED_
#define _NGX_HTTP_IPC_QUEUE_H_INCLUDED_


#include "ngx_http_ipc.h"
#include "ngx_ipc_messages.h"


/* what an item is */
#define NGX_HTTP_IPC_QUEUE_MESSAGE   0
#define NGX_HTTP_IPC_QUEUE_OUTCOME   1
#define NGX_HTTP_IPC_QUEUE_GAP       2
/* a queue has no light thread */
#define NGX_HTTP_IPC_QUEUE_THREAD    3

/* the status of an outcome, beside those of the library: there was no memory for it */
#define NGX_HTTP_IPC_QUEUE_NO_MEMORY  16


/* An item of a queue.  lua/resty/ngx_ipc/ffi.lua declares the fields before "link". */

typedef struct {
    u_char                     *data;
    size_t                      len;
    ngx_int_t                   worker;     /* the sender; -1: it is none */
    ngx_ipc_to_t                from;
    ngx_uint_t                  request;    /* 0: the sender waits for no reply */
    ngx_uint_t                  what;
    ngx_uint_t                  id;         /* of a request, or a queue */
    ngx_uint_t                  status;     /* outcome, or cause of a gap */
    ngx_uint_t                  count;      /* clients, status of a reply, or
                                               lost messages */
    ngx_queue_t                 link;
} ngx_http_ipc_item_t;


/* ngx_http_lua_ffi_sema_post() */

typedef int (*ngx_http_ipc_wake_pt)(void *semaphore, int n);


typedef struct ngx_http_ipc_thread_s  ngx_http_ipc_thread_t;


struct ngx_http_ipc_queue_s {
    ngx_http_ipc_wake_pt        wake;       /* NULL: the program has closed it */
    void                       *semaphore;

    ngx_queue_t                 items;
    size_t                      size;       /* bytes of all items */
    ngx_http_ipc_item_t        *taken;      /* the program handles it */

    ngx_http_ipc_thread_t      *thread;     /* NULL: no light thread handles it */
    ngx_http_ipc_item_t         ask;        /* asks for a light thread */

    unsigned                    waiting:1;  /* a light thread waits */
    unsigned                    full:1;
    unsigned                    overfull:1;
    unsigned                    asks:1;     /* "ask" is in the queue of outcomes */
    unsigned                    lacks:1;    /* it has had no light thread for a while */

    ngx_http_ipc_type_t        *type;       /* NULL: the queue of outcomes */
    ngx_http_ipc_queue_t       *next;
};


/* The functions that Lua calls are not here: see their comments. */

/* Makes an item with a copy of the data, whose other fields are zero. */

ngx_http_ipc_item_t *ngx_http_ipc_queue_item(const void *data, size_t len);

/* Adds an item. */

void ngx_http_ipc_queue_insert(ngx_http_ipc_queue_t *queue,
    ngx_http_ipc_item_t *item);

/* Makes and adds an item. */

ngx_http_ipc_item_t *ngx_http_ipc_queue_push(ngx_http_ipc_queue_t *queue,
    const void *data, size_t len);

/* Wakes up the light thread that waits for an item. */

void ngx_http_ipc_queue_wake(ngx_http_ipc_queue_t *queue);

/* Holds messages back, or does not any more. */

void ngx_http_ipc_queue_flow(void);

/* A light thread does not wait for an item any more.  Returns whether one has waited. */

ngx_uint_t ngx_http_ipc_queue_end_wait(ngx_http_ipc_queue_t *queue);

/* Sets the timer that looks for queues without a light thread. */

void ngx_http_ipc_queue_watch_threads(void);

/* Prepares for the end of the worker, when the first queue is opened. */

ngx_int_t ngx_http_ipc_queue_begin(void);

/* Counts messages of this worker that Lua has not handled: one more, or one less. */

void ngx_http_ipc_unhandled_add(ngx_int_t n);

/* Forgets the messages that were counted, which the log has. */

void ngx_http_ipc_unhandled_clear(void);

/* Returns the messages that the worker before this one had not handled; once. */

ngx_uint_t ngx_http_ipc_unhandled_before(void);


extern ngx_http_ipc_queue_t  *ngx_http_ipc_queues;
extern ngx_http_ipc_queue_t  *ngx_http_ipc_queue_outcomes;

/* light threads that wait for an item */
extern ngx_uint_t             ngx_http_ipc_queue_waiting;

/* the queue of outcomes has no light thread: the next publish() or call() starts it */
extern ngx_uint_t             ngx_http_ipc_queue_unguarded;

/* requests that have no outcome yet */
extern ngx_uint_t             ngx_http_ipc_queue_asked;

/* the light threads have ended: nothing is taken any more */
extern ngx_uint_t             ngx_http_ipc_queue_ended;

/* messages that came too late for a light thread */
extern ngx_uint_t             ngx_http_ipc_queue_late;


#endif /* _NGX_HTTP_IPC_QUEUE_H_INCLUDED_ */
