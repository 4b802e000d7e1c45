
/*
 * What ngx_ipc_status says: the processes, their channels, the counters.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_ipc.h>

#include "ngx_counters_module.h"
#include "ngx_ipc_status.h"


/* how a number is called, and what Prometheus wants to know of it */

typedef struct {
    const char  *name;
    const char  *metric;
    const char  *type;
    const char  *help;
} ngx_ipc_status_name_t;


/* a number of a process */

typedef struct {
    ngx_ipc_status_name_t  n;
    size_t                 offset;
} ngx_ipc_status_number_t;


/* a shared counter */

typedef struct {
    ngx_ipc_status_name_t  n;
    ngx_int_t              value;
} ngx_ipc_status_counter_t;


#define NGX_IPC_STATUS_COUNTERS  5

/* the longest that one process, and one counter, may take in any format */
#define NGX_IPC_STATUS_PROCESS   1024
#define NGX_IPC_STATUS_LINES     512

/* the line breaks of Prometheus' format are part of it */
#define ngx_ipc_status_help(b, n)                                             \
    ngx_ipc_status_print(b, "# HELP ngx_ipc_%s %s\n# TYPE ngx_ipc_%s %s\n",   \
                         (n)->metric, (n)->help, (n)->metric, (n)->type)


static const ngx_ipc_status_name_t  ngx_ipc_status_process = {
    "process", "process", "gauge", "A process of the table."
};


static const ngx_ipc_status_number_t  ngx_ipc_status_numbers[] = {
    { { "respawns", "respawns_total", "counter",
        "How often the process was started again." },
      offsetof(ngx_ipc_process_t, respawns) },
    { { "sent", "messages_sent_total", "counter",
        "Control messages that the master has sent to the process." },
      offsetof(ngx_ipc_process_t, sent) },
    { { "queued", "messages_queued_total", "counter",
        "Control messages that were queued because its channel was full." },
      offsetof(ngx_ipc_process_t, queued) },
    { { "queued_max", "messages_queued_max", "gauge",
        "The most control messages that its queue has held at one time." },
      offsetof(ngx_ipc_process_t, queued_max) },
    { { "dropped", "messages_dropped_total", "counter",
        "Control messages that were dropped because it had exited." },
      offsetof(ngx_ipc_process_t, dropped) }
};

#define NGX_IPC_STATUS_NUMBERS                                                \
    (sizeof(ngx_ipc_status_numbers) / sizeof(ngx_ipc_status_numbers[0]))


static void
ngx_ipc_status_print(ngx_buf_t *b, const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    b->last = ngx_vslprintf(b->last, b->end, fmt, args);
    va_end(args);
}


static const char *
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


static ngx_uint_t
ngx_ipc_status_number(ngx_ipc_process_t *process, ngx_uint_t i)
{
    return *(ngx_uint_t *) ((u_char *) process
                            + ngx_ipc_status_numbers[i].offset);
}


static void
ngx_ipc_status_counters(ngx_ipc_status_counter_t *counters)
{
    ngx_uint_t           i;
    ngx_counters_now_t   now;

    static const ngx_ipc_status_counter_t  names[] = {
        { { "accepted", "connections_accepted_total", "counter",
            "Connections on which there was a request." }, 0 },
        { { "handled", "connections_handled_total", "counter",
            "The same: nginx tells modules of no others." }, 0 },
        { { "requests", "requests_total", "counter", "Requests." }, 0 },
        { { "active", "requests_active", "gauge",
            "Requests that have not come to their end." }, 0 },
        { { "writing", "requests_writing", "gauge",
            "Requests that are being answered." }, 0 }
    };

    for (i = 0; i < NGX_IPC_STATUS_COUNTERS; i++) {
        counters[i] = names[i];
    }

    ngx_counters_sum(&now);

    counters[0].value = (ngx_int_t) ngx_counters->accepted;
    counters[1].value = (ngx_int_t) ngx_counters->handled;
    counters[2].value = (ngx_int_t) ngx_counters->requests;
    counters[3].value = now.active;
    counters[4].value = now.writing;
}


static void
ngx_ipc_status_text(ngx_buf_t *b, ngx_ipc_process_t *processes, ngx_uint_t n,
    ngx_ipc_status_counter_t *counters)
{
    ngx_uint_t          i, j;
    ngx_ipc_process_t  *p;

    for (i = 0; i < n; i++) {
        p = &processes[i];

        ngx_ipc_status_print(b, "slot:%i pid:%P %s:%i generation:%ui %s",
                             p->slot, p->pid, ngx_ipc_status_role(p),
                             p->worker, p->generation,
                             ngx_ipc_status_state(p));

        for (j = 0; j < NGX_IPC_STATUS_NUMBERS; j++) {
            ngx_ipc_status_print(b, " %s:%ui", ngx_ipc_status_numbers[j].n.name,
                                 ngx_ipc_status_number(p, j));
        }

        ngx_ipc_status_print(b, "\n");
    }

    for (i = 0; i < NGX_IPC_STATUS_COUNTERS; i++) {
        ngx_ipc_status_print(b, "%s:%i\n", counters[i].n.name, counters[i].value);
    }
}


static void
ngx_ipc_status_json(ngx_buf_t *b, ngx_ipc_process_t *processes, ngx_uint_t n,
    ngx_ipc_status_counter_t *counters)
{
    ngx_uint_t          i, j;
    ngx_ipc_process_t  *p;

    ngx_ipc_status_print(b, "{\"processes\":[");

    for (i = 0; i < n; i++) {
        p = &processes[i];

        ngx_ipc_status_print(b, "%s\n{\"slot\":%i,\"pid\":%P,\"role\":\"%s\","
                             "\"worker\":%i,\"generation\":%ui,"
                             "\"state\":\"%s\"",
                             i == 0 ? "" : ",", p->slot, p->pid,
                             ngx_ipc_status_role(p), p->worker, p->generation,
                             ngx_ipc_status_state(p));

        for (j = 0; j < NGX_IPC_STATUS_NUMBERS; j++) {
            ngx_ipc_status_print(b, ",\"%s\":%ui",
                                 ngx_ipc_status_numbers[j].n.name,
                                 ngx_ipc_status_number(p, j));
        }

        ngx_ipc_status_print(b, "}");
    }

    ngx_ipc_status_print(b, "\n],\n\"counters\":{");

    for (i = 0; i < NGX_IPC_STATUS_COUNTERS; i++) {
        ngx_ipc_status_print(b, "%s\"%s\":%i", i == 0 ? "" : ",",
                             counters[i].n.name, counters[i].value);
    }

    ngx_ipc_status_print(b, "}}\n");
}


static void
ngx_ipc_status_prometheus(ngx_buf_t *b, ngx_ipc_process_t *processes,
    ngx_uint_t n, ngx_ipc_status_counter_t *counters)
{
    ngx_uint_t          i, j;
    ngx_ipc_process_t  *p;

    ngx_ipc_status_help(b, &ngx_ipc_status_process);

    for (i = 0; i < n; i++) {
        p = &processes[i];

        ngx_ipc_status_print(b, "ngx_ipc_process{slot=\"%i\",pid=\"%P\","
                             "role=\"%s\",worker=\"%i\",generation=\"%ui\","
                             "state=\"%s\"} 1\n",
                             p->slot, p->pid, ngx_ipc_status_role(p),
                             p->worker, p->generation,
                             ngx_ipc_status_state(p));
    }

    for (j = 0; j < NGX_IPC_STATUS_NUMBERS; j++) {
        ngx_ipc_status_help(b, &ngx_ipc_status_numbers[j].n);

        for (i = 0; i < n; i++) {
            ngx_ipc_status_print(b, "ngx_ipc_%s{slot=\"%i\"} %ui\n",
                                 ngx_ipc_status_numbers[j].n.metric,
                                 processes[i].slot,
                                 ngx_ipc_status_number(&processes[i], j));
        }
    }

    for (i = 0; i < NGX_IPC_STATUS_COUNTERS; i++) {
        ngx_ipc_status_help(b, &counters[i].n);
        ngx_ipc_status_print(b, "ngx_ipc_%s %i\n",
                             counters[i].n.metric, counters[i].value);
    }
}


static ngx_uint_t
ngx_ipc_status_processes(ngx_ipc_process_t *processes)
{
    ngx_uint_t  n;

    processes[0].slot = -1;

    for (n = 0; n < NGX_MAX_PROCESSES; n++) {
        if (n > 0) {
            processes[n].slot = processes[n - 1].slot;
        }

        if (ngx_ipc_next_process(&processes[n]) != NGX_OK) {
            break;
        }
    }

    return n;
}


ngx_buf_t *
ngx_ipc_status(ngx_pool_t *pool, ngx_uint_t format)
{
    size_t                     size;
    ngx_buf_t                 *b;
    ngx_uint_t                 n;
    ngx_ipc_process_t         *processes;
    ngx_ipc_status_counter_t   counters[NGX_IPC_STATUS_COUNTERS];

    processes = ngx_palloc(pool, NGX_MAX_PROCESSES * sizeof(ngx_ipc_process_t));
    if (processes == NULL) {
        return NULL;
    }

    n = ngx_ipc_status_processes(processes);
    ngx_ipc_status_counters(counters);

    size = n * NGX_IPC_STATUS_PROCESS
           + (NGX_IPC_STATUS_COUNTERS + NGX_IPC_STATUS_NUMBERS + 1)
             * NGX_IPC_STATUS_LINES;

    b = ngx_create_temp_buf(pool, size);
    if (b == NULL) {
        return NULL;
    }

    switch (format) {
    case NGX_IPC_STATUS_JSON:
        ngx_ipc_status_json(b, processes, n, counters);
        break;
    case NGX_IPC_STATUS_PROMETHEUS:
        ngx_ipc_status_prometheus(b, processes, n, counters);
        break;
    default:
        ngx_ipc_status_text(b, processes, n, counters);
    }

    return b;
}
