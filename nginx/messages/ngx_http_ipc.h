
#ifndef _NGX_HTTP_IPC_H_INCLUDED_
#define _NGX_HTTP_IPC_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ipc_message.h>


/* A type of messages that locations publish or receive. */

typedef struct ngx_http_ipc_type_s   ngx_http_ipc_type_t;
typedef struct ngx_http_ipc_queue_s  ngx_http_ipc_queue_t;

struct ngx_http_ipc_type_s {
    ngx_ipc_message_type_t   message;
    ngx_uint_t               registered;  /* for the configuration in use */

    /* the clients of this process that receive the type */
    ngx_queue_t              clients;
    ngx_uint_t               n;

    /* the messages for a program in Lua; NULL: it has not subscribed */
    ngx_http_ipc_queue_t    *queue;

    ngx_http_ipc_type_t     *next;
};


/* The beginning of each reply to a request. */

typedef struct {
    uint32_t                 clients;   /* those that the worker has told */
    uint32_t                 status;    /* NGX_HTTP_IPC_REPLY_... */
} ngx_http_ipc_reply_t;

/* the message was taken, and no program in Lua has subscribed */
#define NGX_HTTP_IPC_REPLY_TAKEN    0
/* the values of a function in Lua: data, nothing, or an error message */
#define NGX_HTTP_IPC_REPLY_VALUE    1
#define NGX_HTTP_IPC_REPLY_NOTHING  2
#define NGX_HTTP_IPC_REPLY_ERROR    3
/* the worker exits */
#define NGX_HTTP_IPC_REPLY_EXITING  4


typedef enum {
    NGX_HTTP_IPC_TO_ALL,
    NGX_HTTP_IPC_TO_OTHERS,
    NGX_HTTP_IPC_TO_EXACTLY_ONE,
    NGX_HTTP_IPC_TO_WORKER
} ngx_http_ipc_to_e;


typedef struct {
    /* the directive and its place, for error messages */
    ngx_http_handler_pt      handler;
    ngx_str_t                directive;
    ngx_str_t                file;
    ngx_uint_t               line;

    ngx_http_ipc_type_t     *type;      /* NULL: the location has no directive */
    ngx_http_ipc_to_e        to;
    ngx_msec_t               timeout;
    ngx_uint_t               any;       /* a client need not be on this machine */
    ngx_array_t              names;     /* of the server, see ngx_http_ipc_access() */
} ngx_http_ipc_loc_conf_t;


/* The handlers of locations. */

ngx_int_t ngx_http_ipc_publish_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_ipc_receive_handler(ngx_http_request_t *r);

/* Refuses a request: the header "Allow" names the only method that is allowed. */

ngx_int_t ngx_http_ipc_not_allowed(ngx_http_request_t *r, const char *method);

/*
 * Sends the header of an answer.  A condition of the client, such as "If-Match", does not
 * change the answer.
 */

ngx_int_t ngx_http_ipc_send_header(ngx_http_request_t *r);

/* Whether a type can have this name. */

ngx_uint_t ngx_http_ipc_is_name(ngx_str_t *name);

/* Returns the type with this name, which is made if it does not exist. */

ngx_http_ipc_type_t *ngx_http_ipc_get_type(ngx_str_t *name, ngx_log_t *log);

/*
 * Returns the type with this name, which the configuration that is being read uses.  NULL
 * after an error, which is logged.
 */

ngx_http_ipc_type_t *ngx_http_ipc_use_type(ngx_conf_t *cf, ngx_str_t *name);

/* The types of a configuration: before and after it is read, and when it is in use. */

ngx_int_t ngx_http_ipc_types_preconfiguration(ngx_conf_t *cf);
ngx_int_t ngx_http_ipc_types_postconfiguration(ngx_conf_t *cf);
ngx_int_t ngx_http_ipc_types_init_module(ngx_cycle_t *cycle);

/* Registers a type for the configuration in use. */

ngx_int_t ngx_http_ipc_register(ngx_http_ipc_type_t *type);

/* Handles a message of a type of this module. */

void ngx_http_ipc_message_handler(ngx_ipc_message_t *m);

/* Replies to a request. */

ngx_int_t ngx_http_ipc_queue_reply(ngx_ipc_to_t to, ngx_uint_t request,
    ngx_uint_t clients, ngx_uint_t status, const void *data, size_t len);

/* The queues of messages for programs in Lua. */

ngx_int_t ngx_http_ipc_unhandled_init_module(ngx_cycle_t *cycle);
ngx_int_t ngx_http_ipc_unhandled_init_process(ngx_cycle_t *cycle);
void ngx_http_ipc_queue_exit_process(ngx_cycle_t *cycle);

/*
 * Makes this worker call the functions that follow when nginx tells it to exit, unless it
 * has been told already.  Fails if there is no free connection.
 */

ngx_int_t ngx_http_ipc_exit_watch(void);
void ngx_http_ipc_clients_quit(void);
void ngx_http_ipc_queue_quit(void);

/* Whether a program in Lua handles a queue, or will handle what waits there. */

ngx_uint_t ngx_http_ipc_queue_is_open(ngx_http_ipc_queue_t *queue);

/* Adds a message to the queue of its type.  The program replies to a request. */

void ngx_http_ipc_queue_add(ngx_http_ipc_queue_t *queue, ngx_ipc_message_t *m,
    ngx_uint_t clients);

/*
 * Prepares a timer that belongs to no connection, and that does not delay the exit of a
 * worker.
 */

void ngx_http_ipc_init_timer(ngx_event_t *ev, ngx_event_handler_pt handler);

/*
 * Refuses a client of another machine, and a page of another site in a browser on this
 * machine, unless the directive has from=any.
 */

ngx_int_t ngx_http_ipc_access(ngx_http_request_t *r);

/* Prepares ngx_http_ipc_access() for a location. */

char *ngx_http_ipc_access_init(ngx_conf_t *cf, ngx_http_ipc_loc_conf_t *lcf);


extern ngx_module_t  ngx_http_ipc_module;


#endif /* _NGX_HTTP_IPC_H_INCLUDED_ */
