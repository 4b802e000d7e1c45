
/*
 * Shows the numbers of messages: of each type, of each type and process, and of
 * each pair of processes.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_ipc.h>
#include <ngx_ipc_message.h>

#include "ngx_ipc_status.h"
#include "ngx_ipc_status_messages.h"


/* The largest numbers of bytes of an entry of each array, in any format. */

#define NGX_IPC_STATUS_TYPE     16384
#define NGX_IPC_STATUS_OF_SOME  4096
#define NGX_IPC_STATUS_PAIR     512
#define NGX_IPC_STATUS_HELP     4096


/* The processes whose numbers are shown together. */

typedef struct {
    const char  *role;
    ngx_uint_t   set;
} ngx_ipc_status_role_t;


static const ngx_ipc_status_role_t  ngx_ipc_status_roles[] = {
    { "master", NGX_IPC_MASTER },
    { "helper", NGX_IPC_HELPERS },
    { "other", NGX_IPC_OTHERS },
    { "worker", NGX_IPC_WORKERS }
};


/* The numbers of a type that some processes have counted. */

const ngx_ipc_status_number_t  ngx_ipc_status_type_counters[] = {

    { "sent", "messages_sent_total", "counter",
      "Messages of the type that the processes have sent.",
      offsetof(ngx_ipc_message_counts_t, sent) },

    { "refused", "messages_refused_total", "counter",
      "Messages that they could not send, because a receiver was full.",
      offsetof(ngx_ipc_message_counts_t, refused) },

    { "received", "messages_received_total", "counter",
      "Messages that they have received.",
      offsetof(ngx_ipc_message_counts_t, received) },

    { "unknown", "messages_unknown_total", "counter",
      "Messages that they have dropped, because they had no handler.",
      offsetof(ngx_ipc_message_counts_t, unknown) },

    { "lost", "messages_lost_total", "counter",
      "Messages to them that were lost.",
      offsetof(ngx_ipc_message_counts_t, lost) }
};


/* The numbers of a type that are not of some processes only. */

const ngx_ipc_status_number_t  ngx_ipc_status_type_gauges[] = {

    { "waiting", "messages_waiting", "gauge",
      "Messages of the type that wait.",
      offsetof(ngx_ipc_message_counts_t, waiting) },

    { "deepest", "messages_deepest", "gauge",
      "The most messages of the type that waited at one time.",
      offsetof(ngx_ipc_message_counts_t, deepest) }
};


static const ngx_ipc_status_number_t  ngx_ipc_status_times[] = {

    { "timed", NULL, NULL, NULL, offsetof(ngx_ipc_message_counts_t, timed) },
    { "time", NULL, NULL, NULL, offsetof(ngx_ipc_message_counts_t, time) }
};


static const ngx_ipc_status_number_t  ngx_ipc_status_pair_numbers[] = {

    { "sent", NULL, NULL, NULL, offsetof(ngx_ipc_message_pair_t, sent) },
    { "refused", NULL, NULL, NULL, offsetof(ngx_ipc_message_pair_t, refused) },
    { "received", NULL, NULL, NULL,
      offsetof(ngx_ipc_message_pair_t, received) },
    { "waiting", NULL, NULL, NULL, offsetof(ngx_ipc_message_pair_t, waiting) },
    { "deepest", NULL, NULL, NULL, offsetof(ngx_ipc_message_pair_t, deepest) },
    { "lost", NULL, NULL, NULL, offsetof(ngx_ipc_message_pair_t, lost) }
};


/* Adds the numbers of all types.  Returns 0 if these processes have none. */

static ngx_int_t
ngx_ipc_status_read_types(ngx_array_t *types, ngx_uint_t set, ngx_int_t worker)
{
    ngx_int_t                  n;
    ngx_ipc_message_counts_t   counts, *added;

    counts.number = -1;
    counts.set = set;
    counts.worker = worker;

    for (n = 0; ngx_ipc_message_next_type(&counts) == NGX_OK; n++) {
        added = ngx_array_push(types);
        if (added == NULL) {
            return NGX_ERROR;
        }

        *added = counts;
    }

    return n;
}


static ngx_int_t
ngx_ipc_status_read_of_some(ngx_array_t *processes)
{
    ngx_uint_t                    i;
    ngx_int_t                     worker;
    const ngx_ipc_status_role_t  *role;

    for (i = 0; i < ngx_ipc_status_n(ngx_ipc_status_roles); i++) {
        role = &ngx_ipc_status_roles[i];

        if (role->set != NGX_IPC_WORKERS) {
            if (ngx_ipc_status_read_types(processes, role->set, -1) < 0) {
                return NGX_ERROR;
            }

            continue;
        }

        for (worker = 0; worker < NGX_MAX_PROCESSES; worker++) {
            if (ngx_ipc_status_read_types(processes, role->set, worker) < 0) {
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_ipc_status_read_messages(ngx_pool_t *pool,
    ngx_ipc_status_messages_t *messages)
{
    ngx_ipc_message_pair_t   pair, *added;

    if (ngx_array_init(&messages->types, pool, 4,
                       sizeof(ngx_ipc_message_counts_t))
        != NGX_OK
        || ngx_array_init(&messages->processes, pool, 4,
                          sizeof(ngx_ipc_message_counts_t))
           != NGX_OK
        || ngx_array_init(&messages->pairs, pool, 4,
                          sizeof(ngx_ipc_message_pair_t))
           != NGX_OK
        || ngx_ipc_status_read_types(&messages->types, 0, -1) < 0)
    {
        return NGX_ERROR;
    }

    if (messages->types.nelts == 0) {
        return NGX_OK;
    }

    pair.number = -1;

    while (ngx_ipc_message_next_pair(&pair) == NGX_OK) {
        added = ngx_array_push(&messages->pairs);
        if (added == NULL) {
            return NGX_ERROR;
        }

        *added = pair;
    }

    return ngx_ipc_status_read_of_some(&messages->processes);
}


size_t
ngx_ipc_status_messages_size(ngx_ipc_status_messages_t *messages)
{
    return NGX_IPC_STATUS_HELP
           + messages->types.nelts * NGX_IPC_STATUS_TYPE
           + messages->processes.nelts * NGX_IPC_STATUS_OF_SOME
           + messages->pairs.nelts * NGX_IPC_STATUS_PAIR;
}


u_char *
ngx_ipc_status_name(u_char *to, ngx_ipc_message_counts_t *counts)
{
    u_char  *last;
    char    *p;

    last = to;

    for (p = counts->name; *p != '\0'; p++) {

        if (*p == '"' || *p == '\\') {
            *last++ = '\\';
        }

        *last++ = (*p >= ' ' && *p <= '~') ? (u_char) *p : '?';
    }

    *last = '\0';

    return to;
}


const char *
ngx_ipc_status_role_of(ngx_ipc_message_counts_t *counts)
{
    ngx_uint_t  i;

    for (i = 0; i < ngx_ipc_status_n(ngx_ipc_status_roles); i++) {
        if (ngx_ipc_status_roles[i].set == counts->set) {
            break;
        }
    }

    return ngx_ipc_status_roles[i].role;
}


/* Writes numbers in the format " name:value". */

static void
ngx_ipc_status_text_numbers(ngx_buf_t *b, void *data,
    const ngx_ipc_status_number_t *number, ngx_uint_t n)
{
    for ( /* void */ ; n > 0; n--, number++) {
        ngx_ipc_status_print(b, " %s:%i", number->name,
                             ngx_ipc_status_value(data, number));
    }
}


static void
ngx_ipc_status_json_numbers(ngx_buf_t *b, void *data,
    const ngx_ipc_status_number_t *number, ngx_uint_t n)
{
    for ( /* void */ ; n > 0; n--, number++) {
        ngx_ipc_status_print(b, ",\"%s\":%i", number->name,
                             ngx_ipc_status_value(data, number));
    }
}


/* The times of a type, as in the list of processes in a log. */

static void
ngx_ipc_status_text_times(ngx_buf_t *b, ngx_ipc_message_counts_t *counts)
{
    ngx_uint_t   k;
    const char  *before;

    before = " times:";

    for (k = 0; k < ngx_ipc_status_n(counts->times); k++) {
        if (counts->times[k] > 0) {
            ngx_ipc_status_print(b, "%s%ui=%ui", before, k, counts->times[k]);
            before = ",";
        }
    }
}


void
ngx_ipc_status_messages_text(ngx_buf_t *b, ngx_ipc_status_messages_t *messages)
{
    u_char                     name[NGX_IPC_STATUS_NAME];
    ngx_uint_t                 i;
    ngx_ipc_message_pair_t    *pairs;
    ngx_ipc_message_counts_t  *counts;

    counts = messages->types.elts;

    for (i = 0; i < messages->types.nelts; i++) {
        ngx_ipc_status_print(b, "type:\"%s\"",
                             ngx_ipc_status_name(name, &counts[i]));
        ngx_ipc_status_text_numbers(b, &counts[i], ngx_ipc_status_type_counters,
                                    NGX_IPC_STATUS_COUNTERS);
        ngx_ipc_status_text_numbers(b, &counts[i], ngx_ipc_status_type_gauges,
                                    NGX_IPC_STATUS_GAUGES);
        ngx_ipc_status_text_numbers(b, &counts[i], ngx_ipc_status_times,
                                    ngx_ipc_status_n(ngx_ipc_status_times));
        ngx_ipc_status_text_times(b, &counts[i]);
        ngx_ipc_status_print(b, "\n");
    }

    counts = messages->processes.elts;

    for (i = 0; i < messages->processes.nelts; i++) {
        ngx_ipc_status_print(b, "type:\"%s\" %s:%i",
                             ngx_ipc_status_name(name, &counts[i]),
                             ngx_ipc_status_role_of(&counts[i]),
                             counts[i].worker);
        ngx_ipc_status_text_numbers(b, &counts[i], ngx_ipc_status_type_counters,
                                    NGX_IPC_STATUS_COUNTERS);
        ngx_ipc_status_print(b, "\n");
    }

    pairs = messages->pairs.elts;

    for (i = 0; i < messages->pairs.nelts; i++) {
        ngx_ipc_status_print(b, "from:%i to:%i", pairs[i].sender,
                             pairs[i].receiver);
        ngx_ipc_status_text_numbers(b, &pairs[i], ngx_ipc_status_pair_numbers,
                                ngx_ipc_status_n(ngx_ipc_status_pair_numbers));
        ngx_ipc_status_print(b, "\n");
    }
}


static void
ngx_ipc_status_json_type(ngx_buf_t *b, ngx_ipc_message_counts_t *counts)
{
    u_char      name[NGX_IPC_STATUS_NAME];
    ngx_uint_t  k;

    ngx_ipc_status_print(b, "{\"type\":\"%s\"",
                         ngx_ipc_status_name(name, counts));
    ngx_ipc_status_json_numbers(b, counts, ngx_ipc_status_type_counters,
                                    NGX_IPC_STATUS_COUNTERS);
    ngx_ipc_status_json_numbers(b, counts, ngx_ipc_status_type_gauges,
                                    NGX_IPC_STATUS_GAUGES);
    ngx_ipc_status_json_numbers(b, counts, ngx_ipc_status_times,
                                ngx_ipc_status_n(ngx_ipc_status_times));
    ngx_ipc_status_print(b, ",\"times\":[");

    for (k = 0; k < ngx_ipc_status_n(counts->times); k++) {
        ngx_ipc_status_print(b, "%s%ui", k == 0 ? "" : ",", counts->times[k]);
    }

    ngx_ipc_status_print(b, "]}");
}


void
ngx_ipc_status_messages_json(ngx_buf_t *b, ngx_ipc_status_messages_t *messages)
{
    u_char                     name[NGX_IPC_STATUS_NAME];
    ngx_uint_t                 i;
    ngx_ipc_message_pair_t    *pairs;
    ngx_ipc_message_counts_t  *counts;

    ngx_ipc_status_print(b, "{\"types\":[");
    counts = messages->types.elts;

    for (i = 0; i < messages->types.nelts; i++) {
        ngx_ipc_status_print(b, "%s\n", i == 0 ? "" : ",");
        ngx_ipc_status_json_type(b, &counts[i]);
    }

    ngx_ipc_status_print(b, "\n],\n\"processes\":[");
    counts = messages->processes.elts;

    for (i = 0; i < messages->processes.nelts; i++) {
        ngx_ipc_status_print(b, "%s\n{\"type\":\"%s\",\"role\":\"%s\","
                             "\"worker\":%i",
                             i == 0 ? "" : ",",
                             ngx_ipc_status_name(name, &counts[i]),
                             ngx_ipc_status_role_of(&counts[i]),
                             counts[i].worker);
        ngx_ipc_status_json_numbers(b, &counts[i], ngx_ipc_status_type_counters,
                                    NGX_IPC_STATUS_COUNTERS);
        ngx_ipc_status_print(b, "}");
    }

    ngx_ipc_status_print(b, "\n],\n\"pairs\":[");
    pairs = messages->pairs.elts;

    for (i = 0; i < messages->pairs.nelts; i++) {
        ngx_ipc_status_print(b, "%s\n{\"from\":%i,\"to\":%i",
                             i == 0 ? "" : ",", pairs[i].sender,
                             pairs[i].receiver);
        ngx_ipc_status_json_numbers(b, &pairs[i], ngx_ipc_status_pair_numbers,
                                ngx_ipc_status_n(ngx_ipc_status_pair_numbers));
        ngx_ipc_status_print(b, "}");
    }

    ngx_ipc_status_print(b, "\n]}");
}
