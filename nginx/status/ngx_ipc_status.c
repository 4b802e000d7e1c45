
/*
 * Makes the page of ngx_ipc_status.  Each number of a process, each shared
 * counter and each format is a row of a table in this file.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ipc.h>

#include "ngx_counters_module.h"
#include "ngx_ipc_status.h"
#include "ngx_ipc_status_messages.h"


typedef struct {
    ngx_int_t    accepted;
    ngx_int_t    handled;
    ngx_int_t    requests;
    ngx_int_t    active;
    ngx_int_t    writing;
} ngx_ipc_status_counters_t;


/* The data that the page shows. */

struct ngx_ipc_status_page_s {
    ngx_ipc_process_t          *processes;
    ngx_uint_t                  n;
    ngx_ipc_status_counters_t   counters;
    ngx_ipc_status_messages_t   messages;
};


/*
 * The largest numbers of bytes that a process and a number take in any format.
 */
#define NGX_IPC_STATUS_PROCESS  1024
#define NGX_IPC_STATUS_LINES    512


static void ngx_ipc_status_text(ngx_buf_t *b, ngx_ipc_status_page_t *page);
static void ngx_ipc_status_json(ngx_buf_t *b, ngx_ipc_status_page_t *page);
static void ngx_ipc_status_prometheus(ngx_buf_t *b,
    ngx_ipc_status_page_t *page);


const ngx_ipc_status_format_t  ngx_ipc_status_formats[] = {

    { ngx_string("text"),
      ngx_string("text/plain"),
      ngx_ipc_status_text },

    { ngx_string("json"),
      ngx_string("application/json"),
      ngx_ipc_status_json },

    { ngx_string("prometheus"),
      ngx_string("text/plain; version=0.0.4"),
      ngx_ipc_status_prometheus },

    { ngx_null_string, ngx_null_string, NULL }
};


/* Numbers without a metric here are in other metrics, of types or of receivers. */

static const ngx_ipc_status_number_t  ngx_ipc_status_numbers[] = {

    { "respawns", "respawns_total", "counter",
      "How often the process was started again.",
      offsetof(ngx_ipc_process_t, respawns) },

    { "sent", "control_messages_sent_total", "counter",
      "Control messages that the master has sent through its channel.",
      offsetof(ngx_ipc_process_t, sent) },

    { "queued", "control_messages_queued_total", "counter",
      "Control messages that were queued because its channel was full.",
      offsetof(ngx_ipc_process_t, queued) },

    { "queued_max", "control_messages_queued_max", "gauge",
      "The most control messages that its queue has held at one time.",
      offsetof(ngx_ipc_process_t, queued_max) },

    { "dropped", "control_messages_dropped_total", "counter",
      "Control messages that were dropped because it had exited.",
      offsetof(ngx_ipc_process_t, dropped) },

    { "messages_sent", NULL, NULL, NULL,
      offsetof(ngx_ipc_process_t, messages_sent) },

    { "messages_refused", NULL, NULL, NULL,
      offsetof(ngx_ipc_process_t, messages_refused) },

    { "messages_received", NULL, NULL, NULL,
      offsetof(ngx_ipc_process_t, messages_received) },

    { "messages_waiting", NULL, NULL, NULL,
      offsetof(ngx_ipc_process_t, messages_waiting) },

    { "messages_deepest", NULL, NULL, NULL,
      offsetof(ngx_ipc_process_t, messages_deepest) },

    { "messages_lost", NULL, NULL, NULL,
      offsetof(ngx_ipc_process_t, messages_lost) },

    { "messages_unknown", NULL, NULL, NULL,
      offsetof(ngx_ipc_process_t, messages_unknown) }
};


/* The counters that all processes share. */

static const ngx_ipc_status_number_t  ngx_ipc_status_counters[] = {

    { "accepted", "connections_accepted_total", "counter",
      "Connections with at least one request.",
      offsetof(ngx_ipc_status_counters_t, accepted) },

    { "handled", "connections_handled_total", "counter",
      "The same number: nginx shows modules no other connections.",
      offsetof(ngx_ipc_status_counters_t, handled) },

    { "requests", "requests_total", "counter",
      "Requests.",
      offsetof(ngx_ipc_status_counters_t, requests) },

    { "active", "requests_active", "gauge",
      "Requests that have not ended.",
      offsetof(ngx_ipc_status_counters_t, active) },

    { "writing", "requests_writing", "gauge",
      "Requests that are being answered.",
      offsetof(ngx_ipc_status_counters_t, writing) }
};


/*
 * The metric whose labels are the texts about a process, such as its role and
 * its state.
 */

static const ngx_ipc_status_number_t  ngx_ipc_status_process = {
    NULL, "process", "gauge", "A process in the process table.", 0
};


void
ngx_ipc_status_print(ngx_buf_t *b, const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    b->last = ngx_vslprintf(b->last, b->end, fmt, args);
    va_end(args);
}


ngx_int_t
ngx_ipc_status_value(void *data, const ngx_ipc_status_number_t *number)
{
    return *(ngx_int_t *) ((u_char *) data + number->offset);
}


const char *
ngx_ipc_status_role(ngx_ipc_process_t *process)
{
    switch (process->role) {
    case NGX_PROCESS_WORKER:
        return "worker";
    case NGX_PROCESS_HELPER:
        return "helper";
    default:
        return "other";
    }
}


static const char *
ngx_ipc_status_state(ngx_ipc_process_t *process)
{
    switch (process->state) {
    case NGX_IPC_RUNNING:
        return "running";
    case NGX_IPC_EXITING:
        return "exiting";
    default:
        return "waiting";
    }
}


static void
ngx_ipc_status_text(ngx_buf_t *b, ngx_ipc_status_page_t *page)
{
    ngx_uint_t                      i, j;
    ngx_ipc_process_t              *p;
    const ngx_ipc_status_number_t  *number;

    for (i = 0; i < page->n; i++) {
        p = &page->processes[i];

        ngx_ipc_status_print(b, "slot:%i pid:%P %s:%i generation:%ui %s",
                             p->slot, p->pid, ngx_ipc_status_role(p),
                             p->worker, p->generation,
                             ngx_ipc_status_state(p));

        for (j = 0; j < ngx_ipc_status_n(ngx_ipc_status_numbers); j++) {
            number = &ngx_ipc_status_numbers[j];

            ngx_ipc_status_print(b, " %s:%i", number->name,
                                 ngx_ipc_status_value(p, number));
        }

        ngx_ipc_status_print(b, "\n");
    }

    for (i = 0; i < ngx_ipc_status_n(ngx_ipc_status_counters); i++) {
        number = &ngx_ipc_status_counters[i];

        ngx_ipc_status_print(b, "%s:%i\n", number->name,
                             ngx_ipc_status_value(&page->counters, number));
    }

    ngx_ipc_status_messages_text(b, &page->messages);
}


static void
ngx_ipc_status_json(ngx_buf_t *b, ngx_ipc_status_page_t *page)
{
    ngx_uint_t                      i, j;
    ngx_ipc_process_t              *p;
    const ngx_ipc_status_number_t  *number;

    ngx_ipc_status_print(b, "{\"processes\":[");

    for (i = 0; i < page->n; i++) {
        p = &page->processes[i];

        ngx_ipc_status_print(b, "%s\n{\"slot\":%i,\"pid\":%P,\"role\":\"%s\","
                             "\"worker\":%i,\"generation\":%ui,"
                             "\"state\":\"%s\"",
                             i == 0 ? "" : ",", p->slot, p->pid,
                             ngx_ipc_status_role(p), p->worker, p->generation,
                             ngx_ipc_status_state(p));

        for (j = 0; j < ngx_ipc_status_n(ngx_ipc_status_numbers); j++) {
            number = &ngx_ipc_status_numbers[j];

            ngx_ipc_status_print(b, ",\"%s\":%i", number->name,
                                 ngx_ipc_status_value(p, number));
        }

        ngx_ipc_status_print(b, "}");
    }

    ngx_ipc_status_print(b, "\n],\n\"counters\":{");

    for (i = 0; i < ngx_ipc_status_n(ngx_ipc_status_counters); i++) {
        number = &ngx_ipc_status_counters[i];

        ngx_ipc_status_print(b, "%s\"%s\":%i", i == 0 ? "" : ",", number->name,
                             ngx_ipc_status_value(&page->counters, number));
    }

    ngx_ipc_status_print(b, "},\n\"messages\":");
    ngx_ipc_status_messages_json(b, &page->messages);
    ngx_ipc_status_print(b, "}\n");
}


static void
ngx_ipc_status_prometheus(ngx_buf_t *b, ngx_ipc_status_page_t *page)
{
    ngx_uint_t                      i, j;
    ngx_ipc_process_t              *p;
    const ngx_ipc_status_number_t  *number;

    ngx_ipc_status_metric(b, &ngx_ipc_status_process);

    for (i = 0; i < page->n; i++) {
        p = &page->processes[i];

        ngx_ipc_status_print(b, "ngx_ipc_process{slot=\"%i\",pid=\"%P\","
                             "role=\"%s\",worker=\"%i\",generation=\"%ui\","
                             "state=\"%s\"} 1\n",
                             p->slot, p->pid, ngx_ipc_status_role(p),
                             p->worker, p->generation,
                             ngx_ipc_status_state(p));
    }

    for (j = 0; j < ngx_ipc_status_n(ngx_ipc_status_numbers); j++) {
        number = &ngx_ipc_status_numbers[j];

        if (number->metric == NULL) {
            continue;
        }

        ngx_ipc_status_metric(b, number);

        for (i = 0; i < page->n; i++) {
            p = &page->processes[i];

            ngx_ipc_status_print(b, "ngx_ipc_%s{slot=\"%i\"} %i\n",
                                 number->metric, p->slot,
                                 ngx_ipc_status_value(p, number));
        }
    }

    for (i = 0; i < ngx_ipc_status_n(ngx_ipc_status_counters); i++) {
        number = &ngx_ipc_status_counters[i];

        ngx_ipc_status_metric(b, number);
        ngx_ipc_status_print(b, "ngx_ipc_%s %i\n", number->metric,
                             ngx_ipc_status_value(&page->counters, number));
    }

    if (page->messages.types.nelts > 0) {
        ngx_ipc_status_receivers(b, page->processes, page->n);
    }

    ngx_ipc_status_messages_prometheus(b, &page->messages);
}


static void
ngx_ipc_status_read_processes(ngx_ipc_status_page_t *page)
{
    ngx_ipc_process_t  *processes;

    processes = page->processes;
    processes[0].slot = -1;

    for (page->n = 0; page->n < NGX_MAX_PROCESSES; page->n++) {

        if (page->n > 0) {
            processes[page->n].slot = processes[page->n - 1].slot;
        }

        if (ngx_ipc_next_process(&processes[page->n]) != NGX_OK) {
            break;
        }
    }
}


static void
ngx_ipc_status_read_counters(ngx_ipc_status_counters_t *counters)
{
    ngx_counters_now_t  now;

    ngx_counters_sum(&now);

    counters->accepted = (ngx_int_t) ngx_counters->accepted;
    counters->handled = (ngx_int_t) ngx_counters->handled;
    counters->requests = (ngx_int_t) ngx_counters->requests;
    counters->active = now.active;
    counters->writing = now.writing;
}


ngx_buf_t *
ngx_ipc_status(ngx_pool_t *pool, const ngx_ipc_status_format_t *format)
{
    size_t                  size;
    ngx_buf_t              *b;
    ngx_ipc_status_page_t   page;

    page.processes = ngx_palloc(pool,
                                NGX_MAX_PROCESSES * sizeof(ngx_ipc_process_t));
    if (page.processes == NULL) {
        return NULL;
    }

    ngx_ipc_status_read_processes(&page);
    ngx_ipc_status_read_counters(&page.counters);

    if (ngx_ipc_status_read_messages(pool, &page.messages) != NGX_OK) {
        return NULL;
    }

    size = page.n * NGX_IPC_STATUS_PROCESS
           + (ngx_ipc_status_n(ngx_ipc_status_counters)
              + ngx_ipc_status_n(ngx_ipc_status_numbers) + 3)
             * NGX_IPC_STATUS_LINES
           + ngx_ipc_status_messages_size(&page.messages);

    b = ngx_create_temp_buf(pool, size);
    if (b == NULL) {
        return NULL;
    }

    format->write(b, &page);

    return b;
}
