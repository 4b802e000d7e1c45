/*
 * Compares functions of the library with nginx's own: this program is linked
 * once with the library and once with nginx's objects, and both must print the
 * same.
 *
 * A subject calls one function, or a few that belong together, with random
 * inputs.  The program prints a digest of the results of each block of inputs.
 * To find a difference, checks/compare.sh runs the block again, and then the
 * programs print each input and result.
 */


#ifndef _COMPARE_H_INCLUDED_
#define _COMPARE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_md5.h>
#include <ngx_sha1.h>


/* Calls the function with one random input. */

typedef void (*t_subject_pt)(void);

typedef struct {
    const char    *name;
    t_subject_pt   run;
} t_subject_t;


/* The subjects of each file; the last one has no name. */

extern const t_subject_t  t_bytes_subjects[];
extern const t_subject_t  t_search_subjects[];
extern const t_subject_t  t_number_subjects[];
extern const t_subject_t  t_encode_subjects[];
extern const t_subject_t  t_format_subjects[];
extern const t_subject_t  t_digest_subjects[];
extern const t_subject_t  t_tree_subjects[];
extern const t_subject_t  t_container_subjects[];
extern const t_subject_t  t_slab_subjects[];


/* Random inputs. */

/*
 * A number from 0 to n - 1.  An expression must not call these functions twice
 * unless the order is defined, because compilers choose different orders.
 */

size_t t_random(size_t n);
uint64_t t_random64(void);

/* A number with a random number of bits, but for the highest "less" bits. */

uint64_t t_random_bits(size_t less);

/* A length: most are small, few are large. */

size_t t_length(void);

/*
 * Random bytes.  A buffer ends at the end of a page, and the next page cannot be
 * read.  The characters of t_text() and t_cstring() are from a set; NULL: all
 * bytes, in t_cstring() but NUL.
 */

u_char *t_text(size_t len, const char *set);
u_char *t_cstring(size_t len, const char *set);

/* A set of characters, chosen at random. */

const char *t_set(void);

/* A buffer for output, filled with 0xee, that ends at the end of a page. */

u_char *t_buffer(size_t size);

/* Makes the last buffer free for another one. */

void t_drop(void);

/* A pool that is destroyed after the input. */

ngx_pool_t *t_pool(void);


/* Results: they enter the digest. */

void t_number(const char *what, int64_t value);
void t_bytes(const char *what, const u_char *p, size_t len);

/* The position of p in a buffer, which may be NULL. */

void t_position(const char *what, const u_char *buf, const u_char *p);

/* Only the sign of a comparison is a result. */

void t_sign(const char *what, ngx_int_t value);


#endif /* _COMPARE_H_INCLUDED_ */
