
/*
 * Metrics in the format of Prometheus, and those of messages.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ipc.h>

#include "ngx_ipc_status.h"
#include "ngx_ipc_status_messages.h"


/*
 * The buckets of Prometheus are the times less than 2^10 ns, 2^11 ns and so on
 * to 2^34 ns, which are 17 seconds.
 */

#define NGX_IPC_STATUS_FIRST    10
#define NGX_IPC_STATUS_LAST     34


static const ngx_ipc_status_number_t  ngx_ipc_status_latency = {
    NULL, "messages_latency_seconds", "histogram",
    "Measured times from the function that sends to the handler.", 0
};


/*
 * The metrics of the processes that have the same role and the same number: a
 * sum and a maximum.  After a reload a worker has another slot, so a label with
 * the slot would begin a new series.
 */

static const ngx_ipc_status_number_t  ngx_ipc_status_waiting = {
    NULL, "process_messages_waiting", "gauge",
    "Messages of modules that wait for the processes.",
    offsetof(ngx_ipc_process_t, messages_waiting)
};


static const ngx_ipc_status_number_t  ngx_ipc_status_deepest = {
    NULL, "process_messages_deepest", "gauge",
    "The most messages of one sender that waited for one of them.",
    offsetof(ngx_ipc_process_t, messages_deepest)
};


void
ngx_ipc_status_metric(ngx_buf_t *b, const ngx_ipc_status_number_t *number)
{
    ngx_ipc_status_print(b, "# HELP ngx_ipc_%s %s\n# TYPE ngx_ipc_%s %s\n",
                         number->metric, number->help,
                         number->metric, number->type);
}


static ngx_uint_t
ngx_ipc_status_is_same(ngx_ipc_process_t *one, ngx_ipc_process_t *other)
{
    return one->role == other->role && one->worker == other->worker;
}


/* Writes a line for each role and number of a worker. */

static void
ngx_ipc_status_receiver(ngx_buf_t *b, ngx_ipc_process_t *p, ngx_uint_t n,
    const ngx_ipc_status_number_t *number, ngx_uint_t is_sum)
{
    ngx_int_t   value, more;
    ngx_uint_t  i, j;

    ngx_ipc_status_metric(b, number);

    for (i = 0; i < n; i++) {

        for (j = 0; !ngx_ipc_status_is_same(&p[j], &p[i]); j++) { /* void */ }

        if (j < i) {
            continue;
        }

        value = ngx_ipc_status_value(&p[i], number);

        for (j = i + 1; j < n; j++) {
            if (ngx_ipc_status_is_same(&p[j], &p[i])) {
                more = ngx_ipc_status_value(&p[j], number);
                value = is_sum ? value + more : ngx_max(value, more);
            }
        }

        ngx_ipc_status_print(b, "ngx_ipc_%s{role=\"%s\",worker=\"%i\"} %i\n",
                             number->metric, ngx_ipc_status_role(&p[i]),
                             p[i].worker, value);
    }
}


void
ngx_ipc_status_receivers(ngx_buf_t *b, ngx_ipc_process_t *p, ngx_uint_t n)
{
    ngx_ipc_status_receiver(b, p, n, &ngx_ipc_status_waiting, 1);
    ngx_ipc_status_receiver(b, p, n, &ngx_ipc_status_deepest, 0);
}


/* The lines of the histogram of a type.  Prometheus adds the buckets up. */

static void
ngx_ipc_status_histogram(ngx_buf_t *b, ngx_ipc_message_counts_t *counts)
{
    u_char       name[NGX_IPC_STATUS_NAME];
    uint64_t     limit;
    ngx_uint_t   k, sum;
    const char  *metric;

    metric = ngx_ipc_status_latency.metric;
    (void) ngx_ipc_status_name(name, counts);

    for (k = 0, sum = 0; k <= NGX_IPC_STATUS_LAST; k++) {
        sum += counts->times[k];

        if (k < NGX_IPC_STATUS_FIRST) {
            continue;
        }

        limit = (uint64_t) 1 << k;

        ngx_ipc_status_print(b, "ngx_ipc_%s_bucket{type=\"%s\","
                             "le=\"%uL.%09uL\"} %ui\n", metric, name,
                             limit / 1000000000, limit % 1000000000, sum);
    }

    ngx_ipc_status_print(b, "ngx_ipc_%s_bucket{type=\"%s\",le=\"+Inf\"} %ui\n",
                         metric, name, counts->timed);
    ngx_ipc_status_print(b, "ngx_ipc_%s_sum{type=\"%s\"} %ui.%09ui\n", metric,
                         name, counts->time / 1000000000,
                         counts->time % 1000000000);
    ngx_ipc_status_print(b, "ngx_ipc_%s_count{type=\"%s\"} %ui\n", metric, name,
                         counts->timed);
}


void
ngx_ipc_status_messages_prometheus(ngx_buf_t *b,
    ngx_ipc_status_messages_t *messages)
{
    u_char                          name[NGX_IPC_STATUS_NAME];
    ngx_uint_t                      i, j;
    ngx_ipc_message_counts_t       *counts;
    const ngx_ipc_status_number_t  *number;

    if (messages->types.nelts == 0) {
        return;
    }

    counts = messages->processes.elts;

    for (j = 0; j < NGX_IPC_STATUS_COUNTERS; j++) {
        number = &ngx_ipc_status_type_counters[j];
        ngx_ipc_status_metric(b, number);

        for (i = 0; i < messages->processes.nelts; i++) {
            ngx_ipc_status_print(b, "ngx_ipc_%s{type=\"%s\",role=\"%s\","
                                 "worker=\"%i\"} %i\n", number->metric,
                                 ngx_ipc_status_name(name, &counts[i]),
                                 ngx_ipc_status_role_of(&counts[i]),
                                 counts[i].worker,
                                 ngx_ipc_status_value(&counts[i], number));
        }
    }

    counts = messages->types.elts;

    for (j = 0; j < NGX_IPC_STATUS_GAUGES; j++) {
        number = &ngx_ipc_status_type_gauges[j];
        ngx_ipc_status_metric(b, number);

        for (i = 0; i < messages->types.nelts; i++) {
            ngx_ipc_status_print(b, "ngx_ipc_%s{type=\"%s\"} %i\n",
                                 number->metric,
                                 ngx_ipc_status_name(name, &counts[i]),
                                 ngx_ipc_status_value(&counts[i], number));
        }
    }

    ngx_ipc_status_metric(b, &ngx_ipc_status_latency);

    for (i = 0; i < messages->types.nelts; i++) {
        ngx_ipc_status_histogram(b, &counts[i]);
    }
}
