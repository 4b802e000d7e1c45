/* The processors that a process may use. */

#include <ngx_config.h>
#include <ngx_core.h>


static void
ngx_log_processors(ngx_cpuset_t *set, ngx_log_t *log)
{
    int         left;
    ngx_uint_t  cpu;

    left = CPU_COUNT(set);

    for (cpu = 0; left > 0; cpu++) {

        if (CPU_ISSET(cpu, set)) {
            ngx_log_error(NGX_LOG_NOTICE, log, 0,
                          "sched_setaffinity(): using cpu #%ui", cpu);
            left--;
        }
    }
}


void
ngx_setaffinity(ngx_cpuset_t *cpu_affinity, ngx_log_t *log)
{
    ngx_log_processors(cpu_affinity, log);

    if (sched_setaffinity(0, sizeof(*cpu_affinity), cpu_affinity) != 0) {
        ngx_log_error(NGX_LOG_ALERT, log, ngx_errno,
                      "sched_setaffinity() failed");
    }
}
