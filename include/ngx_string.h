/*
 * ngx_string.h: strings and formatted output.
 * Part of ngx-ipc; the names are nginx's.
 */

#ifndef _NGX_STRING_H_INCLUDED_
#define _NGX_STRING_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_rbtree.h>

#ifdef __cplusplus
extern "C" {
#endif


/* A name with its value. */
typedef struct {
    ngx_str_t  key;
    ngx_str_t  value;
} ngx_keyval_t;

/* The value of a variable, as nginx's scripts have it. */
typedef struct {
    unsigned   len:28;

    unsigned   valid:1;
    unsigned   no_cacheable:1;
    unsigned   not_found:1;
    unsigned   escape:1;

    u_char    *data;
} ngx_variable_value_t;


#define ngx_string(str)      { sizeof(str) - 1, (u_char *) str }
#define ngx_null_string      { 0, NULL }
#define ngx_str_set(str, text)                                                \
    (str)->len = sizeof(text) - 1; (str)->data = (u_char *) text
#define ngx_str_null(str)    (str)->len = 0; (str)->data = NULL

#define ngx_strncmp(s1, s2, n)  strncmp((const char *) s1, (const char *) s2, n)
#define ngx_strcmp(s1, s2)      strcmp((const char *) s1, (const char *) s2)
#define ngx_strstr(s1, s2)      strstr((const char *) s1, (const char *) s2)
#define ngx_strlen(s)           strlen((const char *) s)
#define ngx_strchr(s1, c)       strchr((const char *) s1, (int) c)

#define ngx_memzero(buf, n)       (void) memset(buf, 0, n)
#define ngx_memset(buf, c, n)     (void) memset(buf, c, n)
#define ngx_memcpy(dst, src, n)   (void) memcpy(dst, src, n)
#define ngx_cpymem(dst, src, n)   (((u_char *) memcpy(dst, src, n)) + (n))
#define ngx_copy                  ngx_cpymem
#define ngx_memmove(dst, src, n)  (void) memmove(dst, src, n)
#define ngx_movemem(dst, src, n)  (((u_char *) memmove(dst, src, n)) + (n))
#define ngx_memcmp(s1, s2, n)     memcmp(s1, s2, n)

/* A character of ASCII in lower or upper case; other bytes are unchanged. */
#define ngx_tolower(c)                                                        \
    ((u_char) (((c) >= 'A' && (c) <= 'Z') ? ((c) | 0x20) : (c)))
#define ngx_toupper(c)                                                        \
    ((u_char) (((c) >= 'a' && (c) <= 'z') ? ((c) & ~0x20) : (c)))

/* nginx's name of qsort(3). */
#define ngx_qsort                 qsort

#define ngx_value_helper(n)  #n
#define ngx_value(n)         ngx_value_helper(n)


/*
 * Formatted output, also of log lines.  The directives:
 *
 *   %d %ud  int             %i %ui  ngx_int_t       %l %ul  long
 *   %D %uD  int32_t         %L %uL  int64_t         %z %uz  ssize_t, size_t
 *   %P  ngx_pid_t           %M  ngx_msec_t          %T  time_t
 *   %O  off_t               %r  rlim_t              %p  void *
 *   %f  double, %.3f        %c  char                %%  %
 *   %V  ngx_str_t *         %s  NUL-terminated      %*s  size_t and bytes
 *   %Z  NUL                 %N  line feed           %A %uA  as %i
 *   %v  ngx_variable_value_t *
 *
 * A number can have a width, with a leading 0 for zero padding, as in "%02d".
 * x or X before the letter, as in "%xd" and "%Xz", prints a number as unsigned
 * hexadecimal, and %xs, %xV and %xv print each byte as two hexadecimal digits.
 *
 * The functions write no terminating NUL and return the position after the last
 * byte.  ngx_snprintf(), ngx_slprintf() and ngx_vslprintf() truncate the output
 * at buf + max or at last.
 */

u_char *ngx_sprintf(u_char *buf, const char *fmt, ...);
u_char *ngx_snprintf(u_char *buf, size_t max, const char *fmt, ...);
u_char *ngx_slprintf(u_char *buf, u_char *last, const char *fmt, ...);
u_char *ngx_vslprintf(u_char *buf, u_char *last, const char *fmt,
    va_list args);

#define ngx_vsnprintf(buf, max, fmt, args)                                    \
    ngx_vslprintf(buf, buf + (max), fmt, args)


/*
 * Copies n bytes from src to dst, with letters of ASCII in lower case.
 *
 * Safety: src and dst have n bytes.  They may be the same.
 */
void ngx_strlow(u_char *dst, u_char *src, size_t n);

/*
 * Counts the bytes at p before the first NUL.
 *
 * Returns the number, which is n if there is no NUL in the first n bytes.
 *
 * Safety: p has n bytes, or a NUL before.
 */
size_t ngx_strnlen(u_char *p, size_t n);

/*
 * Finds the byte c between p and last.
 *
 * Returns the address of the first such byte, or NULL.
 *
 * Safety: p to last is a buffer.
 */
static ngx_inline u_char *
ngx_strlchr(u_char *p, u_char *last, u_char c)
{
    return (p < last) ? (u_char *) memchr(p, c, (size_t) (last - p)) : NULL;
}

/*
 * Sets n bytes to 0, also if nothing reads them afterwards.
 *
 * The compiler does not leave this out, so a password does not stay in memory.
 *
 * Safety: buf has n bytes.
 */
void ngx_explicit_memzero(void *buf, size_t n);

/*
 * Copies a NUL-terminated string into a buffer of n bytes, and cuts it to n - 1
 * bytes.
 *
 * Returns the address of the NUL that ends the copy.  If n is 0, writes nothing
 * and returns dst.
 *
 * Safety: dst has n bytes.  src has n - 1 bytes, or a NUL before.
 */
u_char *ngx_cpystrn(u_char *dst, u_char *src, size_t n);

/*
 * Copies a string into the memory of a pool, without a terminating NUL.
 *
 * Returns the address of the copy, or NULL, with an emergency in the log, if
 * there is no memory.
 *
 * Safety: pool is a pool, and src is a string.
 */
u_char *ngx_pstrdup(ngx_pool_t *pool, ngx_str_t *src);


/*
 * Compares two NUL-terminated strings; upper and lower case of ASCII are equal.
 *
 * Returns a number below 0, 0, or above 0, as strcmp(3).
 *
 * Safety: s1 and s2 end with a NUL.
 */
ngx_int_t ngx_strcasecmp(u_char *s1, u_char *s2);

/*
 * Compares at most n bytes of two strings as ngx_strcasecmp().
 *
 * Returns a number below 0, 0, or above 0.
 *
 * Safety: s1 and s2 have n bytes, or a NUL before.
 */
ngx_int_t ngx_strncasecmp(u_char *s1, u_char *s2, size_t n);

/*
 * Compares n bytes from the last to the first.
 *
 * Returns the difference of the first two bytes that differ, or 0.
 *
 * Safety: s1 and s2 have n bytes.
 */
ngx_int_t ngx_rstrncmp(u_char *s1, u_char *s2, size_t n);

/*
 * Compares n bytes as ngx_rstrncmp(); upper and lower case of ASCII are equal.
 *
 * Returns the difference of the first two bytes that differ, or 0.
 *
 * Safety: s1 and s2 have n bytes.
 */
ngx_int_t ngx_rstrncasecmp(u_char *s1, u_char *s2, size_t n);

/*
 * Compares n1 bytes with n2 bytes.  A string is before all longer ones that
 * begin with it.
 *
 * Returns a number below 0, 0, or above 0, as memcmp(3).
 *
 * Safety: s1 has n1 bytes, and s2 has n2 bytes.
 */
ngx_int_t ngx_memn2cmp(u_char *s1, u_char *s2, size_t n1, size_t n2);

/*
 * Compares two names of DNS as ngx_strcasecmp(); a dot is before each other
 * character.
 *
 * Returns a number below 0, 0, or above 0.
 *
 * Safety: s1 and s2 end with a NUL.
 */
ngx_int_t ngx_dns_strcmp(u_char *s1, u_char *s2);

/*
 * Compares at most n bytes of two file names; a slash is before each other
 * character.
 *
 * Returns a number below 0, 0, or above 0.
 *
 * Safety: s1 and s2 have n bytes, or a NUL before.
 */
ngx_int_t ngx_filename_cmp(u_char *s1, u_char *s2, size_t n);


/*
 * Finds the NUL-terminated string s2 in the first n bytes of s1.  The search
 * ends at a NUL in s1.
 *
 * Returns the address of the first match, or NULL.
 *
 * Safety: s1 has n bytes, or a NUL before.  s2 is not empty.
 */
u_char *ngx_strnstr(u_char *s1, char *s2, size_t n);

/*
 * Finds the string s2, which has n + 1 bytes, in the NUL-terminated string s1.
 *
 * Returns the address of the first match, or NULL.
 *
 * Safety: s1 ends with a NUL, and s2 has n + 1 bytes.
 */
u_char *ngx_strstrn(u_char *s1, char *s2, size_t n);

/*
 * Finds a string as ngx_strstrn(); upper and lower case of ASCII are equal.
 *
 * Returns the address of the first match, or NULL.
 *
 * Safety: s1 ends with a NUL, and s2 has n + 1 bytes.
 */
u_char *ngx_strcasestrn(u_char *s1, char *s2, size_t n);

/*
 * Finds the string s2, which has n + 1 bytes, between s1 and last; upper and
 * lower case of ASCII are equal.
 *
 * Returns the address of the first match, or NULL.
 *
 * Safety: s1 to last is a buffer, and s2 has n + 1 bytes.
 */
u_char *ngx_strlcasestrn(u_char *s1, u_char *last, u_char *s2, size_t n);


/*
 * Converts n decimal digits to a number.
 *
 * Returns the number.  Returns NGX_ERROR if n is 0, if there is another
 * character, or if the number is too large.
 *
 * Safety: line has n bytes.
 */
ngx_int_t ngx_atoi(u_char *line, size_t n);

/*
 * Converts a decimal number with at most point digits behind a dot.
 *
 * Returns the number times 10 to the power of point: 1050 for "10.5" and 2.
 * Returns NGX_ERROR as ngx_atoi(), and if there are more digits.
 *
 * Safety: line has n bytes.
 */
ngx_int_t ngx_atofp(u_char *line, size_t n, size_t point);

/*
 * Converts n decimal digits to a size.
 *
 * Returns the size, or NGX_ERROR as ngx_atoi().
 *
 * Safety: line has n bytes.
 */
ssize_t ngx_atosz(u_char *line, size_t n);

/*
 * Converts n decimal digits to an offset in a file.
 *
 * Returns the offset, or NGX_ERROR as ngx_atoi().
 *
 * Safety: line has n bytes.
 */
off_t ngx_atoof(u_char *line, size_t n);

/*
 * Converts n decimal digits to a time.
 *
 * Returns the time, or NGX_ERROR as ngx_atoi().
 *
 * Safety: line has n bytes.
 */
time_t ngx_atotm(u_char *line, size_t n);

/*
 * Converts n hexadecimal digits to a number.
 *
 * Returns the number, or NGX_ERROR as ngx_atoi().
 *
 * Safety: line has n bytes.
 */
ngx_int_t ngx_hextoi(u_char *line, size_t n);

/*
 * Writes each of len bytes as two hexadecimal digits in lower case.
 *
 * Returns the position after the last digit.
 *
 * Safety: src has len bytes, and dst has room for 2 * len bytes.
 */
u_char *ngx_hex_dump(u_char *dst, u_char *src, size_t len);


/* The bytes that len bytes need when they are encoded or decoded, at most. */
#define ngx_base64_encoded_length(len)  ((((len) + 2) / 3) * 4)
#define ngx_base64_decoded_length(len)  ((((len) + 3) / 4) * 3)

/*
 * Encodes a string in base64, with padding.  Sets dst->len.
 *
 * Safety: dst->data has room for ngx_base64_encoded_length(src->len) bytes.
 *
 * References: RFC 4648.
 */
void ngx_encode_base64(ngx_str_t *dst, ngx_str_t *src);

/*
 * Encodes a string in base64 with the alphabet for URLs, without padding.  Sets
 * dst->len.
 *
 * Safety: dst->data has room for ngx_base64_encoded_length(src->len) bytes.
 */
void ngx_encode_base64url(ngx_str_t *dst, ngx_str_t *src);

/*
 * Decodes a string in base64 up to a "=", and sets dst->len.
 *
 * Returns NGX_OK, or NGX_ERROR if there is a wrong character or number of
 * characters; nothing is written then.
 *
 * Safety: dst->data has room for ngx_base64_decoded_length(src->len) bytes.  It
 * can be src->data.
 */
ngx_int_t ngx_decode_base64(ngx_str_t *dst, ngx_str_t *src);

/*
 * Decodes a string as ngx_decode_base64(), with the alphabet for URLs.
 *
 * Returns NGX_OK, or NGX_ERROR as ngx_decode_base64().
 *
 * Safety: as for ngx_decode_base64().
 */
ngx_int_t ngx_decode_base64url(ngx_str_t *dst, ngx_str_t *src);


/*
 * Decodes the character of UTF-8 at *p, which is not one of ASCII, and moves *p
 * behind the character.
 *
 * Returns the character.  Returns 0xfffffffe, and does not move *p, if n bytes
 * are not the whole character.  Returns another number above 0x10ffff if the
 * bytes are no character; *p is then behind the first wrong byte.
 *
 * Safety: *p has n bytes, at least 1.
 */
uint32_t ngx_utf8_decode(u_char **p, size_t n);

/*
 * Counts the characters in n bytes of UTF-8.
 *
 * Returns the number of characters, or n if the bytes are not UTF-8.
 *
 * Safety: p has n bytes.
 */
size_t ngx_utf8_length(u_char *p, size_t n);

/*
 * Copies at most n - 1 characters of UTF-8, and a NUL.  The copy ends before a
 * NUL, and before bytes that are no character.
 *
 * Returns the address of the NUL that ends the copy.  If n is 0, writes nothing
 * and returns dst.
 *
 * Safety: src has len bytes.  dst has room for 4 * n bytes.
 */
u_char *ngx_utf8_cpystrn(u_char *dst, u_char *src, size_t n, size_t len);


#define NGX_ESCAPE_URI            0
#define NGX_ESCAPE_ARGS           1
#define NGX_ESCAPE_URI_COMPONENT  2
#define NGX_ESCAPE_HTML           3
#define NGX_ESCAPE_REFRESH        4
#define NGX_ESCAPE_MEMCACHED      5
#define NGX_ESCAPE_MAIL_AUTH      6
#define NGX_ESCAPE_MAIL_XTEXT     7

#define NGX_UNESCAPE_URI          1
#define NGX_UNESCAPE_REDIRECT     2

/*
 * Writes size bytes with "%" and two hexadecimal digits for each byte that has a
 * meaning, or is not allowed, at the place that type stands for.
 *
 * type is one of NGX_ESCAPE_...  NGX_ESCAPE_MAIL_XTEXT writes "+" instead of
 * "%".  Returns the position after the last byte.  If dst is NULL, writes
 * nothing and returns the number of bytes to escape.
 *
 * Safety: src has size bytes.  dst is NULL, or has room for size bytes and 2
 * more for each byte to escape.
 *
 * References: RFC 3986, RFC 3461.
 */
uintptr_t ngx_escape_uri(u_char *dst, u_char *src, size_t size,
    ngx_uint_t type);

/*
 * Copies size bytes, with one byte for each "%" and two hexadecimal digits.
 * Moves *dst and *src behind the bytes that were written and read.
 *
 * type is 0 or one of these.  NGX_UNESCAPE_URI stops behind a "?".
 * NGX_UNESCAPE_REDIRECT does so, too, and keeps "%" and digits that stand for
 * a control character, a byte above 0x7e, or a character up to "%".
 *
 * Safety: *src has size bytes, and *dst has room for them.  They may be the
 * same.
 */
void ngx_unescape_uri(u_char **dst, u_char **src, size_t size, ngx_uint_t type);

/*
 * Writes size bytes with an entity of HTML for each of < > & and ".
 *
 * Returns the position after the last byte.  If dst is NULL, writes nothing and
 * returns by how many bytes the result is longer.
 *
 * Safety: src has size bytes.  dst is NULL or has room for the result.
 */
uintptr_t ngx_escape_html(u_char *dst, u_char *src, size_t size);

/*
 * Writes size bytes as a part of a string in JSON.
 *
 * Returns the position after the last byte.  If dst is NULL, writes nothing and
 * returns by how many bytes the result is longer.
 *
 * Safety: src has size bytes.  dst is NULL or has room for the result.
 */
uintptr_t ngx_escape_json(u_char *dst, u_char *src, size_t size);


/*
 * Sorts n elements of size bytes.  Elements that are equal stay in their order.
 * The time grows with the square of n.
 *
 * cmp returns a number above 0 if its first element belongs behind its second
 * one.
 *
 * Safety: base has n elements.
 */
void ngx_sort(void *base, size_t n, size_t size,
    ngx_int_t (*cmp)(const void *, const void *));


/*
 * A node of a tree of strings.  The key of the node is a hash of the string,
 * which the program computes.
 */
typedef struct {
    ngx_rbtree_node_t  node;
    ngx_str_t          str;
} ngx_str_node_t;

/*
 * The function insert of a tree of ngx_str_node_t.
 *
 * Safety: ngx_rbtree_insert() calls the function.
 */
void ngx_str_rbtree_insert_value(ngx_rbtree_node_t *temp,
    ngx_rbtree_node_t *node, ngx_rbtree_node_t *sentinel);

/*
 * Finds a string, which has this hash, in a tree.
 *
 * Returns the node of the string, or NULL if the tree does not have the string.
 *
 * Safety: rbtree is a tree whose nodes ngx_str_rbtree_insert_value() has
 * inserted.
 */
ngx_str_node_t *ngx_str_rbtree_lookup(ngx_rbtree_t *rbtree, ngx_str_t *name,
    uint32_t hash);


#ifdef __cplusplus
}
#endif

#endif /* _NGX_STRING_H_INCLUDED_ */
