
/* Tests of the zones on the page of ngx_ipc_print_status(). */


#include "t_logger.h"


#define SIZE  (16 * 4096)


static char            page[256 * 1024];
static size_t          len;

static ngx_int_t       (*check)(ngx_cycle_t *cycle);
static ngx_shm_zone_t  *zone;


static void
collect(void *data, const char *text, size_t n)
{
    (void) data;

    T_REQUIRE(len + n < sizeof(page));

    memcpy(page + len, text, n);
    len += n;
    page[len] = '\0';
}


/* Whether the page in this format has the text. */

static int
has(ngx_uint_t format, const char *text)
{
    len = 0;
    page[0] = '\0';

    T_EQ(ngx_ipc_print_status(format, NULL, 0, collect, NULL), NGX_OK);

    return strstr(page, text) != NULL;
}


static char *
init_conf(ngx_cycle_t *cycle, void *unused)
{
    static ngx_str_t  name = ngx_string("a \"b\"");

    zone = ngx_ipc_shared_memory_add(cycle, &name, SIZE, &name);

    return (zone != NULL) ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static ngx_int_t
init_process(ngx_cycle_t *cycle)
{
    return check(cycle);
}


/* Runs the check in a single process that has one zone. */

static int
run(ngx_int_t (*function)(ngx_cycle_t *cycle))
{
    pid_t              pid;
    ngx_core_conf_t    conf;
    ngx_core_module_t  context = { ngx_string("own"), NULL, init_conf };
    ngx_module_t       own = { NGX_MODULE_V1, .ctx = &context,
                               .type = NGX_CORE_MODULE,
                               .init_process = init_process };
    ngx_module_t      *modules[] = { &own, NULL };

    t_catch_stderr();

    pid = fork();
    T_REQUIRE(pid != -1);

    if (pid == 0) {
        check = function;

        ngx_ipc_conf_init(&conf);
        conf.master = 0;
        conf.modules = modules;
        conf.error_log = "stderr";

        _exit(ngx_ipc_main(&conf, 0, NULL));
    }

    return WEXITSTATUS(t_wait(pid));
}


/* 15 pages: one of chunks of 128 bytes, two in use, 4 free, and 8 free at the end. */

static ngx_int_t
check_numbers(ngx_cycle_t *cycle)
{
    void             *hole;
    ngx_slab_pool_t  *pool;

    (void) cycle;

    pool = (ngx_slab_pool_t *) zone->shm.addr;

    T_OK(has(NGX_IPC_TEXT, "\nzone:\"a \\\"b\\\"\" size:65536 pages:15 free:15 runs:1"
                           " longest:15 fragmentation:0 chunks:0 used:0 holder:0\n"));

    T_OK(ngx_slab_alloc(pool, 100) != NULL);
    hole = ngx_slab_alloc(pool, 4 * 4096);
    T_OK(hole != NULL && ngx_slab_alloc(pool, 2 * 4096) != NULL);
    ngx_slab_free(pool, hole);

    T_OK(has(NGX_IPC_TEXT, "\nzone:\"a \\\"b\\\"\" size:65536 pages:15 free:12 runs:2"
                           " longest:8 fragmentation:33 chunks:4096 used:128"
                           " holder:0\n"));
    T_OK(has(NGX_IPC_JSON, "\"zones\":[\n{\"name\":\"a \\\"b\\\"\",\"size\":65536,"
                           "\"pages\":15,\"free\":12,\"runs\":2,\"longest\":8,"
                           "\"fragmentation\":33,\"chunks\":4096,\"used\":128,"
                           "\"holder\":0}\n],"));
    T_OK(has(NGX_IPC_PROMETHEUS, "\n# TYPE ngx_ipc_zone_free_pages gauge\n"
                                 "ngx_ipc_zone_free_pages{zone=\"a \\\"b\\\"\"} 12\n"));
    T_OK(has(NGX_IPC_PROMETHEUS, "\nngx_ipc_zone_fragmentation_percent"
                                 "{zone=\"a \\\"b\\\"\"} 33\n"));
    T_OK(has(NGX_IPC_PROMETHEUS, "\nngx_ipc_zone_lock_holder_pid"
                                 "{zone=\"a \\\"b\\\"\"} 0\n"));

    _exit(0);
}


static void
test_numbers(void)
{
    T_EQ(run(check_numbers), 0);
}


/* The page is there while a process holds the lock. */

static ngx_int_t
check_lock(ngx_cycle_t *cycle)
{
    char              text[64];
    ngx_slab_pool_t  *pool;

    (void) cycle;

    pool = (ngx_slab_pool_t *) zone->shm.addr;
    ngx_shmtx_lock(&pool->mutex);

    snprintf(text, sizeof(text), " holder:%d\n", (int) getpid());
    T_OK(has(NGX_IPC_TEXT, text));

    ngx_shmtx_unlock(&pool->mutex);
    T_OK(has(NGX_IPC_TEXT, " holder:0\n"));

    _exit(0);
}


static void
test_lock(void)
{
    T_EQ(run(check_lock), 0);
}


/* A pool that a process has overwritten has no pages. */

static ngx_int_t
check_damaged(ngx_cycle_t *cycle)
{
    size_t   i;
    u_char  *addr;

    (void) cycle;

    addr = zone->shm.addr;

    for (i = sizeof(ngx_shmtx_sh_t); i < SIZE; i++) {
        addr[i] = (u_char) (i * 167 + (i >> 8));
    }

    T_OK(has(NGX_IPC_TEXT, " size:65536 pages:0 free:0 runs:0 longest:0"
                           " fragmentation:0 chunks:0 used:0 holder:0\n"));

    _exit(0);
}


static void
test_damaged(void)
{
    T_EQ(run(check_damaged), 0);
}


/* A program without zones has none on its page. */

static void
test_none(void)
{
    T_EQ(ngx_ipc_init(t_cycle()), NGX_OK);

    T_OK(has(NGX_IPC_JSON, "\"zones\":[],") || has(NGX_IPC_JSON, "\"zones\":[\n],"));
    T_OK(!has(NGX_IPC_TEXT, "\nzone:"));
    T_OK(!has(NGX_IPC_PROMETHEUS, "ngx_ipc_zone_"));
}


int
main(void)
{
    t_begin();

    t_run("the numbers of a zone", test_numbers);
    t_run("the process that holds a lock", test_lock);
    t_run("a damaged zone", test_damaged);
    t_run("a program without zones", test_none);

    return t_end();
}
