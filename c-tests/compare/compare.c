/*
 * compare [SUBJECT]: prints a digest of the results of each block of inputs, of
 * all subjects or of one.
 * compare SUBJECT BLOCK: prints the inputs and results of one block.
 *
 * Environment: T_INPUTS, the inputs for each subject; T_SEED, the seed.
 */

#include "compare.h"

#include <sys/mman.h>
#include <stdio.h>


#define T_BLOCK    1000            /* inputs */
#define T_ARENAS   6               /* buffers of one input, at most */
#define T_ROOM     (64 * 1024)     /* bytes of a buffer, at most */


static const t_subject_t  *t_files[] = {
    t_bytes_subjects, t_search_subjects, t_number_subjects, t_encode_subjects,
    t_format_subjects, t_digest_subjects, t_tree_subjects,
    t_container_subjects, t_slab_subjects
};

static uint64_t     t_state;
static uint64_t     t_digest;
static int          t_shown;
static u_char      *t_arenas[T_ARENAS];
static size_t       t_arena;
static ngx_pool_t  *t_current_pool;
static ngx_log_t    t_log;


uint64_t
t_random64(void)
{
    uint64_t  x;

    /* splitmix64 */

    t_state += 0x9e3779b97f4a7c15;
    x = t_state;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;

    return x ^ x >> 31;
}


size_t
t_random(size_t n)
{
    return (size_t) (t_random64() >> 11) % n;
}


uint64_t
t_random_bits(size_t less)
{
    size_t  shift;

    shift = less + t_random(64 - less);

    return t_random64() >> shift;
}


size_t
t_length(void)
{
    switch (t_random(16)) {

    case 0:
        return 0;

    case 1:
        return t_random(300);

    case 2:
        return t_random(70);

    default:
        return t_random(12);
    }
}


static void
t_map(void)
{
    size_t   i, page;
    u_char  *p;

    page = (size_t) sysconf(_SC_PAGESIZE);

    for (i = 0; i < T_ARENAS; i++) {

        p = mmap(NULL, T_ROOM + page, PROT_READ|PROT_WRITE,
                 MAP_PRIVATE|MAP_ANONYMOUS, -1, 0);

        if (p == MAP_FAILED || mprotect(p + T_ROOM, page, PROT_NONE) != 0) {
            perror("mmap");
            exit(2);
        }

        t_arenas[i] = p + T_ROOM;
    }
}


static u_char *
t_take(size_t size)
{
    if (t_arena == T_ARENAS || size > T_ROOM) {
        fprintf(stderr, "too many buffers, or one of %zu bytes\n", size);
        exit(2);
    }

    return t_arenas[t_arena++] - size;
}


u_char *
t_text(size_t len, const char *set)
{
    size_t   i, n;
    u_char  *p;

    p = t_take(len);
    n = set ? strlen(set) : 256;

    for (i = 0; i < len; i++) {
        p[i] = set ? (u_char) set[t_random(n)] : (u_char) t_random(n);
    }

    t_bytes("in", p, len);

    return p;
}


u_char *
t_cstring(size_t len, const char *set)
{
    size_t   i, n;
    u_char  *p;

    p = t_take(len + 1);
    n = set ? strlen(set) : 255;

    for (i = 0; i < len; i++) {
        p[i] = set ? (u_char) set[t_random(n)] : (u_char) (1 + t_random(n));
    }

    p[len] = '\0';
    t_bytes("in", p, len);

    return p;
}


const char *
t_set(void)
{
    static const char  *sets[] = {
        NULL, "ab", "aAbB", "a.-/ ", "aB\xc3\xe1/.", "0123456789",
        "@[`{AZaz", "abcdefghijklmnopqrstuvwxyz"
    };

    return sets[t_random(sizeof(sets) / sizeof(sets[0]))];
}


u_char *
t_buffer(size_t size)
{
    u_char  *p;

    p = t_take(size);
    memset(p, 0xee, size);

    return p;
}


void
t_drop(void)
{
    if (t_arena) {
        t_arena--;
    }
}


ngx_pool_t *
t_pool(void)
{
    if (t_current_pool == NULL) {
        t_current_pool = ngx_create_pool(512, &t_log);
    }

    return t_current_pool;
}


void
t_bytes(const char *what, const u_char *p, size_t len)
{
    size_t  i;

    /* FNV-1a */

    for (i = 0; i < len; i++) {
        t_digest = (t_digest ^ p[i]) * 0x100000001b3;
    }

    t_digest = (t_digest ^ len) * 0x100000001b3;

    if (!t_shown) {
        return;
    }

    printf(" %s \"", what);

    for (i = 0; i < len; i++) {
        printf((p[i] >= ' ' && p[i] < 0x7f && p[i] != '"' && p[i] != '\\')
               ? "%c" : "\\x%02x", p[i]);
    }

    printf("\"");
}


void
t_number(const char *what, int64_t value)
{
    t_digest = (t_digest ^ (uint64_t) value) * 0x100000001b3;
    t_digest ^= t_digest >> 32;

    if (t_shown) {
        printf(" %s %lld", what, (long long) value);
    }
}


void
t_position(const char *what, const u_char *buf, const u_char *p)
{
    t_number(what, p ? p - buf : -1);
}


void
t_sign(const char *what, ngx_int_t value)
{
    t_number(what, (value > 0) - (value < 0));
}


static void
t_run_block(const t_subject_t *subject, uint64_t seed, size_t block, size_t n)
{
    size_t       i;
    const char  *p;

    t_state = seed;

    for (p = subject->name; *p; p++) {
        t_state = (t_state ^ (u_char) *p) * 0x100000001b3;
    }

    t_state += block << 32;
    t_digest = 0xcbf29ce484222325;

    for (i = 0; i < n; i++) {

        if (t_shown) {
            printf("%s %zu:", subject->name, block * T_BLOCK + i);
        }

        t_arena = 0;
        subject->run();

        if (t_current_pool) {
            ngx_destroy_pool(t_current_pool);
            t_current_pool = NULL;
        }

        if (t_shown) {
            printf("\n");
        }
    }
}


/* Sets what nginx's functions use and its main() would set. */

static void
t_begin(void)
{
    static ngx_cycle_t  cycle;

    cycle.log = &t_log;
    ngx_cycle = &cycle;

    ngx_pagesize = (ngx_uint_t) sysconf(_SC_PAGESIZE);
    ngx_cacheline_size = 64;

    ngx_crc32_table_init();
    ngx_time_init();
}


static size_t
t_env(const char *name, size_t otherwise)
{
    const char  *value;

    value = getenv(name);

    return (value && *value) ? strtoul(value, NULL, 0) : otherwise;
}


/* Runs all blocks, or one, and prints the digests. */

static void
t_run_subject(const t_subject_t *subject, uint64_t seed, size_t inputs,
    const char *only)
{
    size_t  block;

    for (block = 0; block * T_BLOCK < inputs; block++) {

        if (only && block != strtoul(only, NULL, 10)) {
            continue;
        }

        t_run_block(subject, seed, block,
                    ngx_min(T_BLOCK, inputs - block * T_BLOCK));

        if (only == NULL) {
            printf("%s %zu %016llx\n", subject->name, block,
                   (unsigned long long) t_digest);
        }
    }
}


int
main(int argc, char **argv)
{
    size_t              seed, inputs, i;
    const t_subject_t  *subject;

    setvbuf(stdout, NULL, _IOFBF, 65536);

    seed = t_env("T_SEED", 1);
    inputs = t_env("T_INPUTS", 100000);
    t_shown = argc > 2;

    t_begin();
    t_map();

    printf("# seed %zu, %zu inputs for each function\n", seed, inputs);

    for (i = 0; i < sizeof(t_files) / sizeof(t_files[0]); i++) {

        for (subject = t_files[i]; subject->name; subject++) {

            if (argc < 2 || strcmp(subject->name, argv[1]) == 0) {
                t_run_subject(subject, seed, inputs, t_shown ? argv[2] : NULL);
            }
        }
    }

    return 0;
}
