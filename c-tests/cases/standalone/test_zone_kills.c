
/*
 * Processes that use one pool are killed at random instants.  Then the pool is right, no
 * piece overlaps another, and at most the piece in hand of each killed process is lost.
 *
 * A run takes 3 seconds, with T_LONG=1 a minute.  It takes longer, a minute at most, if
 * no process has died in an operation by then: operations are short.
 */


#include "test.h"

#include <stdio.h>
#include <time.h>


#define PAGE       4096
#define PAGES      64
#define PROCESSES  4
#define PIECES     48      /* of each process */
#define KILLS      100     /* in a round */


/* What a process knows about one of its pieces, in shared memory. */

enum {
    NONE = 0,
    WRITING,           /* the piece is allocated, its bytes are being written */
    FILLED,
    FREEING            /* the piece may be free already, and belong to another process */
};


typedef struct {
    u_char        *address;
    size_t         size;
    volatile int   state;
} piece_t;


typedef struct {
    piece_t        pieces[PROCESSES][PIECES];
    volatile long  operations;
    volatile int   overlaps;
} shared_t;


static ngx_slab_pool_t  *pool;
static shared_t         *shared;
static ngx_uint_t        seed = 1;
static pid_t             pids[PROCESSES];


static ngx_uint_t
below(ngx_uint_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;

    return seed % n;
}


/* Most pieces are chunks, some are of several pages. */

static size_t
some_size(void)
{
    switch (below(16)) {
    case 0:
        return 1 + below(4 * PAGE);
    case 1:
    case 2:
        return 1 + below(PAGE / 2);
    default:
        return 1 + below(200);
    }
}


static void
allocate(piece_t *piece, u_char mark)
{
    piece->size = some_size();
    piece->address = ngx_slab_alloc(pool, piece->size);

    if (piece->address != NULL) {
        piece->state = WRITING;
        memset(piece->address, mark, piece->size);
        piece->state = FILLED;
    }
}


static void
release(piece_t *piece, u_char mark)
{
    if (piece->state == FILLED && !t_is_filled(piece->address, piece->size, mark)) {
        shared->overlaps++;
    }

    piece->state = FREEING;
    ngx_slab_free(pool, piece->address);
    piece->state = NONE;
}


static void
work(ngx_uint_t n)
{
    piece_t     *piece;
    ngx_uint_t   i;

    ngx_pid = getpid();
    seed = (ngx_uint_t) ngx_pid * 2654435761u + 1;

    for ( ;; ) {
        i = below(PIECES);
        piece = &shared->pieces[n][i];

        switch (piece->state) {
        case NONE:
            allocate(piece, (u_char) (n * PIECES + i));
            break;
        case FREEING:
            /* The process has been killed here; see free_all(). */
            break;
        default:
            release(piece, (u_char) (n * PIECES + i));
        }

        shared->operations++;
    }
}


static void
start_process(ngx_uint_t n)
{
    pids[n] = fork();
    T_REQUIRE(pids[n] != -1);

    if (pids[n] == 0) {
        work(n);
    }
}


static void
kill_process(ngx_uint_t n)
{
    T_EQ(kill(pids[n], SIGKILL), 0);
    T_EQ(t_wait(pids[n]), SIGKILL);
}


static void
make_pool(void)
{
    ngx_pid = getpid();
    t_log()->log_level = NGX_LOG_INFO;

    pool = t_shared(PAGES * PAGE);
    pool->end = (u_char *) pool + PAGES * PAGE;
    pool->min_shift = 3;
    pool->addr = pool;

    T_EQ(ngx_shmtx_create(&pool->mutex, &pool->lock, NULL), NGX_OK);
    ngx_slab_init(pool);
    pool->log_nomem = 0;
    shared = t_shared(sizeof(shared_t));
}


/* The chunks and pages that are allocated. */

static ngx_uint_t
allocated(ngx_uint_t pages)
{
    ngx_uint_t  i, n;

    n = pages - pool->pfree;

    for (i = 0; i < 9; i++) {
        n += pool->stats[i].used;
    }

    return n;
}


/*
 * Frees the pieces that processes know, and then those that killed processes had in
 * hand.  Returns the number of the latter.
 */

static ngx_uint_t
free_all(ngx_uint_t pages)
{
    u_char      *p;
    piece_t     *piece;
    ngx_uint_t   n, i, left, lost;

    for (n = 0; n < PROCESSES; n++) {
        for (i = 0; i < PIECES; i++) {
            piece = &shared->pieces[n][i];

            if (piece->state == WRITING || piece->state == FILLED) {
                release(piece, (u_char) (n * PIECES + i));
            }

            piece->state = NONE;
        }
    }

    /* ngx_slab_free() refuses an address at which no piece begins. */

    t_log()->log_level = NGX_LOG_EMERG;
    left = allocated(pages);
    lost = 0;

    for (p = pool->start; p < pool->end && left > 0; p += 8) {
        ngx_slab_free(pool, p);
        lost += (allocated(pages) < left);
        left = allocated(pages);
    }

    t_log()->log_level = NGX_LOG_INFO;

    return lost;
}


static void
sleep_some(void)
{
    struct timespec  ts = { 0, 0 };

    ts.tv_nsec = (long) (100000 + below(2000000));
    nanosleep(&ts, NULL);
}


/* Kills processes, one after the other, and then all. */

static ngx_uint_t
kill_some(void)
{
    ngx_uint_t  i, n;

    for (n = 0; n < PROCESSES; n++) {
        start_process(n);
    }

    for (i = 0; i < KILLS; i++) {
        sleep_some();
        n = below(PROCESSES);
        kill_process(n);
        start_process(n);
    }

    for (n = 0; n < PROCESSES; n++) {
        kill_process(n);
    }

    return KILLS + PROCESSES;
}


static ngx_uint_t
has_undone(void)
{
    return t_logged(NGX_LOG_NOTICE, "slab: undid the operation") > 0;
}


static void
test_kills(void)
{
    void        *p;
    ngx_uint_t   pages, kills, lost, all_kills, all_lost;
    long long    start, end;

    make_pool();
    pages = pool->pfree;
    all_kills = 0;
    all_lost = 0;
    start = t_msec();
    end = start + (t_long() ? 60000 : 3000);

    do {
        kills = kill_some();

        /* The next operation repairs the pool, if a process has died in one. */

        p = ngx_slab_alloc(pool, 8);
        ngx_slab_free(pool, p);
        T_EQ(ngx_slab_verify(pool, NULL), NGX_OK);

        lost = free_all(pages);
        T_OK(lost <= kills);
        T_EQ(pool->pfree, pages);
        T_EQ(allocated(pages), 0);
        T_EQ(ngx_slab_verify(pool, NULL), NGX_OK);
        T_EQ(shared->overlaps, 0);

        all_kills += kills;
        all_lost += lost;
    } while (t_msec() < end || (!has_undone() && t_msec() < start + 60000));

    T_OK(shared->operations > (long) all_kills);
    T_OK(t_logged(NGX_LOG_ALERT, "has exited and held the lock") > 0);
    T_OK(has_undone());
    T_EQ(t_logged(NGX_LOG_EMERG, ""), 0);
    T_EQ(t_logged(NGX_LOG_ALERT, "slab"), 0);
    t_diag("%ld operations, %ld kills, %ld pieces in hand", shared->operations,
           (long) all_kills, (long) all_lost);
}


int
main(void)
{
    t_begin();

    t_run("processes that use a pool are killed", test_kills);

    return t_end();
}
