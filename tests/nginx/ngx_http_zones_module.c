
/*
 * A module with which tests/nginx/zones_killed.rs uses the pools and locks of
 * nginx's zones, dies in the middle, and looks at what is left.
 *
 * Its directive "zones;" makes a location do what the argument "do" says:
 *
 *   do=check           checks the pools of all zones, and answers with what is
 *                      wrong, or "right"
 *   do=lock            takes the lock of the first zone, and stops
 *   do=use             takes and releases the lock of the first zone
 *   do=steps&op=N&by=M runs operation N on the pool of the first zone. A child is
 *                      killed after each M-th instruction of the operation.  Then
 *                      another child uses the pool and checks it.  Answers with
 *                      the numbers of instructions and of wrong pools
 *
 * The stock nginx and the one on the library load the same source.  The checks use
 * only nginx's own structures, and ngx_slab_verify() if the program has it.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <stdio.h>
#include <sys/wait.h>


static char *ngx_http_zones(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* the library's function, which nginx's headers do not declare */
ngx_int_t ngx_slab_verify(ngx_slab_pool_t *pool,
    void (*report)(ngx_slab_pool_t *pool, const char *text))
    __attribute__ ((weak));


#define NGX_HTTP_ZONES_ANSWER  512
#define NGX_HTTP_ZONES_PAGE    4096
#define NGX_HTTP_ZONES_LONG    10


static ngx_command_t  ngx_http_zones_commands[] = {

    { ngx_string("zones"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_zones,
      0,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_zones_module_ctx = {
    NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
};


ngx_module_t  ngx_http_zones_module = {
    NGX_MODULE_V1,
    &ngx_http_zones_module_ctx,            /* module context */
    ngx_http_zones_commands,               /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


/* nginx's configure writes these variables for a dynamic module. */

ngx_module_t  *ngx_modules[] = { &ngx_http_zones_module, NULL };
char          *ngx_module_names[] = { "ngx_http_zones_module", NULL };
char          *ngx_module_order[] = { NULL };


/* Returns what is wrong with the free pages of a pool, or NULL. */

static char *
ngx_http_zones_check_free(ngx_slab_pool_t *pool)
{
    ngx_uint_t        n;
    ngx_slab_page_t  *page, *prev;

    n = 0;
    prev = &pool->free;

    for (page = pool->free.next; page != &pool->free; page = page->next) {
        if (page < pool->pages || page >= pool->last) {
            return "a link of a free run";
        }

        if ((ngx_slab_page_t *) page->prev != prev) {
            return "a link back of a free run";
        }

        if (page->slab == 0 || page->slab > (uintptr_t) (pool->last - page)) {
            return "the length of a free run";
        }

        n += page->slab;
        prev = page;

        if (n > (ngx_uint_t) (pool->last - pool->pages)) {
            return "the list of free runs";
        }
    }

    return (n == pool->pfree) ? NULL : "the number of free pages";
}


/* Returns what is wrong with the pages that have free chunks, or NULL. */

static char *
ngx_http_zones_check_slots(ngx_slab_pool_t *pool)
{
    ngx_uint_t        i, n, links;
    ngx_slab_page_t  *slots, *page, *prev;

    n = ngx_pagesize_shift - pool->min_shift;
    slots = (ngx_slab_page_t *) ((u_char *) pool + sizeof(ngx_slab_pool_t));
    links = 0;

    for (i = 0; i < n; i++) {
        prev = &slots[i];

        for (page = slots[i].next;
             page != &slots[i] && page != NULL;
             page = page->next)
        {
            if (page < pool->pages || page >= pool->last) {
                return "a link of a page";
            }

            if ((page->prev & ~(uintptr_t) 3) != (uintptr_t) prev) {
                return "a link back of a page";
            }

            if (++links > (ngx_uint_t) (pool->last - pool->pages)) {
                return "a list of pages";
            }

            prev = page;
        }
    }

    return NULL;
}


static char  ngx_http_zones_finding[128];


static void
ngx_http_zones_report(ngx_slab_pool_t *pool, const char *text)
{
    snprintf(ngx_http_zones_finding, sizeof(ngx_http_zones_finding), "%s",
             text);
}


/* Returns what is wrong with a pool, which the caller has locked, or NULL. */

static char *
ngx_http_zones_check_pool(ngx_slab_pool_t *pool)
{
    void  *p;
    char  *finding;

    /* The first operation undoes one in which another process has died. */

    p = ngx_slab_alloc_locked(pool, 8);

    if (p != NULL) {
        ngx_slab_free_locked(pool, p);
    }

    finding = ngx_http_zones_check_free(pool);

    if (finding == NULL) {
        finding = ngx_http_zones_check_slots(pool);
    }

    if (finding == NULL
        && ngx_slab_verify
        && ngx_slab_verify(pool, ngx_http_zones_report) != NGX_OK)
    {
        finding = ngx_http_zones_finding;
    }

    return finding;
}


static ngx_slab_pool_t *
ngx_http_zones_first(void)
{
    ngx_shm_zone_t  *zone;

    zone = ngx_cycle->shared_memory.part.elts;

    return (ngx_slab_pool_t *) zone[0].shm.addr;
}


static void
ngx_http_zones_check(char *answer)
{
    char             *finding;
    size_t            len;
    ngx_uint_t        i;
    ngx_shm_zone_t   *zone;
    ngx_list_part_t  *part;
    ngx_slab_pool_t  *pool;

    len = 0;

    for (part = (ngx_list_part_t *) &ngx_cycle->shared_memory.part;
         part != NULL;
         part = part->next)
    {
        zone = part->elts;

        for (i = 0; i < part->nelts; i++) {
            pool = (ngx_slab_pool_t *) zone[i].shm.addr;

            ngx_shmtx_lock(&pool->mutex);
            finding = ngx_http_zones_check_pool(pool);
            ngx_shmtx_unlock(&pool->mutex);

            if (finding != NULL && len < NGX_HTTP_ZONES_ANSWER) {
                len += snprintf(answer + len, NGX_HTTP_ZONES_ANSWER - len,
                                "%.*s: %s\n", (int) zone[i].shm.name.len,
                                (char *) zone[i].shm.name.data, finding);
            }
        }
    }

    if (len == 0) {
        snprintf(answer, NGX_HTTP_ZONES_ANSWER, "right");
    }
}


#if (__x86_64__)

/* The trap flag, with which the processor raises SIGTRAP after an instruction. */

#define ngx_http_zones_trap(change)                                           \
    __asm__ volatile ("lea -128(%%rsp), %%rsp; pushfq; " change               \
                      " (%%rsp); popfq; lea 128(%%rsp), %%rsp"                \
                      ::: "memory", "cc")

static volatile ngx_int_t  ngx_http_zones_left;
static volatile ngx_int_t  ngx_http_zones_all;


static void
ngx_http_zones_trapped(int signo)
{
    ngx_http_zones_all++;

    if (ngx_http_zones_left-- == 0) {
        kill(getpid(), SIGKILL);
    }
}


typedef struct {
    ngx_slab_pool_t  *pool;
    void             *piece[3];
} ngx_http_zones_scene_t;


/* An operation, on pieces of three, two and one pages that lie side by side. */

static void
ngx_http_zones_run(ngx_http_zones_scene_t *scene, ngx_int_t op)
{
    switch (op) {

    case 0:
        ngx_slab_free(scene->pool, scene->piece[1]);
        break;

    case 1:
        (void) ngx_slab_alloc(scene->pool, 3 * NGX_HTTP_ZONES_PAGE);
        break;

    default:
        (void) ngx_slab_alloc(scene->pool, 1000);
        break;
    }
}


/*
 * Forks a child that runs the operation, and is killed after so many
 * instructions.  Returns the number of instructions of the operation if it has
 * ended before, or -1 if the child was killed.
 */

static ngx_int_t
ngx_http_zones_die(ngx_http_zones_scene_t *scene, ngx_int_t op, ngx_int_t after)
{
    int        status, fds[2];
    ssize_t    n;
    ngx_int_t  all;
    ngx_pid_t  pid;

    if (pipe(fds) == -1) {
        return -1;
    }

    pid = fork();

    if (pid == 0) {
        ngx_pid = ngx_getpid();
        signal(SIGTRAP, ngx_http_zones_trapped);

        /* the first operation with a lock is longer than the others */
        ngx_shmtx_lock(&scene->pool->mutex);
        ngx_shmtx_unlock(&scene->pool->mutex);

        ngx_http_zones_left = after;
        ngx_http_zones_all = 0;

        ngx_http_zones_trap("orq $0x100,");
        ngx_http_zones_run(scene, op);
        ngx_http_zones_trap("andq $~0x100,");

        all = ngx_http_zones_all;
        n = write(fds[1], &all, sizeof(all));
        _exit(n != sizeof(all));
    }

    (void) close(fds[1]);
    (void) waitpid(pid, &status, 0);

    n = read(fds[0], &all, sizeof(all));
    (void) close(fds[0]);

    /* as nginx's master does when a worker has exited */
    (void) ngx_shmtx_force_unlock(&scene->pool->mutex, pid);

    return (n == sizeof(all)) ? all : -1;
}


/* Succeeds if another process finds a pool that it can use and that is right. */

static ngx_uint_t
ngx_http_zones_survives(ngx_http_zones_scene_t *scene, ngx_uint_t *pfree)
{
    int               status;
    void             *p;
    char             *finding;
    ngx_pid_t         pid;
    ngx_slab_pool_t  *pool;

    pool = scene->pool;
    pid = fork();

    if (pid == 0) {
        ngx_pid = ngx_getpid();
        signal(SIGSEGV, SIG_DFL);
        signal(SIGALRM, SIG_DFL);
        (void) alarm(NGX_HTTP_ZONES_LONG);

        ngx_shmtx_lock(&pool->mutex);

        finding = ngx_http_zones_check_pool(pool);
        p = ngx_slab_alloc_locked(pool, 2 * NGX_HTTP_ZONES_PAGE);

        if (p != NULL) {
            ngx_slab_free_locked(pool, p);
        }

        if (finding == NULL) {
            finding = ngx_http_zones_check_pool(pool);
        }

        ngx_shmtx_unlock(&pool->mutex);

        /* neither lost nor given out twice */
        _exit(finding != NULL || p == NULL
              || (pool->pfree != pfree[0] && pool->pfree != pfree[1]));
    }

    (void) waitpid(pid, &status, 0);

    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}


static void
ngx_http_zones_steps(ngx_int_t op, ngx_int_t by, char *answer)
{
    size_t                   size;
    u_char                  *before;
    ngx_int_t                n, after;
    ngx_uint_t               i, wrong, pfree[2];
    ngx_http_zones_scene_t   scene;

    scene.pool = ngx_http_zones_first();

    for (i = 0; i < 3; i++) {
        scene.piece[i] = ngx_slab_alloc(scene.pool,
                                        (3 - i) * NGX_HTTP_ZONES_PAGE);
    }

    /* free runs before and behind the second piece */
    ngx_slab_free(scene.pool, scene.piece[0]);
    ngx_slab_free(scene.pool, scene.piece[2]);

    size = scene.pool->end - (u_char *) scene.pool;
    before = malloc(size);

    if (before == NULL) {
        return;
    }

    ngx_memcpy(before, scene.pool, size);

    pfree[0] = scene.pool->pfree;
    n = ngx_http_zones_die(&scene, op, -1);
    pfree[1] = scene.pool->pfree;

    wrong = 0;

    for (after = 0; after < n; after += by) {
        ngx_memcpy(scene.pool, before, size);

        if (ngx_http_zones_die(&scene, op, after) != -1) {
            break;
        }

        wrong += !ngx_http_zones_survives(&scene, pfree);
    }

    ngx_memcpy(scene.pool, before, size);
    ngx_slab_free(scene.pool, scene.piece[1]);
    free(before);

    snprintf(answer, NGX_HTTP_ZONES_ANSWER, "%s:%d wrong:%d",
             (after >= n) ? "instructions" : "ended early after",
             (int) ngx_min(after, n), (int) wrong);
}

#else

static void
ngx_http_zones_steps(ngx_int_t op, ngx_int_t by, char *answer)
{
    snprintf(answer, NGX_HTTP_ZONES_ANSWER, "no steps on this processor");
}

#endif


static ngx_int_t
ngx_http_zones_handler(ngx_http_request_t *r)
{
    char                      answer[NGX_HTTP_ZONES_ANSWER];
    sigset_t                  mask, old;
    ngx_str_t                 what, op, by, type = ngx_string("text/plain");
    ngx_slab_pool_t          *pool;
    ngx_http_complex_value_t  cv;

    if (ngx_http_arg(r, (u_char *) "do", 2, &what) != NGX_OK) {
        return NGX_HTTP_BAD_REQUEST;
    }

    answer[0] = '\0';
    pool = ngx_http_zones_first();

    if (what.len == 5 && ngx_strncmp(what.data, "check", 5) == 0) {
        ngx_http_zones_check(answer);

    } else if (what.len == 5 && ngx_strncmp(what.data, "steps", 5) == 0
               && ngx_http_arg(r, (u_char *) "op", 2, &op) == NGX_OK
               && ngx_http_arg(r, (u_char *) "by", 2, &by) == NGX_OK)
    {
        /* nginx's handler of SIGCHLD would reap the children */
        sigemptyset(&mask);
        sigaddset(&mask, SIGCHLD);
        sigprocmask(SIG_BLOCK, &mask, &old);
        ngx_http_zones_steps(ngx_atoi(op.data, op.len),
                             ngx_max(ngx_atoi(by.data, by.len), 1), answer);
        sigprocmask(SIG_SETMASK, &old, NULL);

    } else if (what.len == 4 && ngx_strncmp(what.data, "lock", 4) == 0) {
        ngx_shmtx_lock(&pool->mutex);
        raise(SIGSTOP);

    } else if (what.len == 3 && ngx_strncmp(what.data, "use", 3) == 0) {
        ngx_shmtx_lock(&pool->mutex);
        ngx_shmtx_unlock(&pool->mutex);
        snprintf(answer, sizeof(answer), "used");
    }

    ngx_memzero(&cv, sizeof(cv));
    cv.value.data = (u_char *) answer;
    cv.value.len = ngx_strlen(answer);

    return ngx_http_send_response(r, NGX_HTTP_OK, &type, &cv);
}


static char *
ngx_http_zones(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_zones_handler;

    return NGX_CONF_OK;
}
