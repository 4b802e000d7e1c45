/* Functions that search a string in a string. */

#include "compare.h"


static const char *
t_small_set(void)
{
    static const char  *sets[] = { "a", "ab", "aAbB", "ab\xe1\xc1", NULL };

    return sets[t_random(sizeof(sets) / sizeof(sets[0]))];
}


/* A string of at least one byte, often a part of the text. */

static u_char *
t_needle(const u_char *text, size_t len, size_t *n)
{
    size_t   at;
    u_char  *s;

    *n = 1 + t_random(t_random(3) ? 3 : 10);
    s = t_cstring(*n, t_small_set());

    if (*n <= len && t_random(2)) {
        at = t_random(len - *n + 1);
        memcpy(s, text + at, *n);

        if (t_random(4) == 0) {
            s[0] = ngx_toupper(s[0]);
        }
    }

    t_bytes("in", s, *n);

    return s;
}


static void
t_strnstr(void)
{
    size_t   len, n, max;
    u_char  *s1, *s2;

    len = t_length();
    s1 = t_random(2) ? t_cstring(len, t_small_set()) : t_text(len, "ab");
    s2 = t_needle(s1, len, &n);
    max = t_random(len + 1);

    t_number("max", (int64_t) max);
    t_position("at", s1, ngx_strnstr(s1, (char *) s2, max));
    t_position("at", s1, ngx_strnstr(s1, (char *) s2, len));
}


static void
t_strstrn(void)
{
    size_t   len, n;
    u_char  *s1, *s2;

    len = t_length();
    s1 = t_cstring(len, t_small_set());
    s2 = t_needle(s1, len, &n);

    t_position("strstrn", s1, ngx_strstrn(s1, (char *) s2, n - 1));

    /*
     * Where char is signed, nginx finds no string that begins with a byte above
     * 0x7f.  The library finds it on all systems.
     */

    if (s2[0] > 0x7f) {
        return;
    }

    t_position("strcasestrn", s1, ngx_strcasestrn(s1, (char *) s2, n - 1));
}


static void
t_strlcasestrn(void)
{
    size_t   len, n;
    u_char  *s1, *s2;

    len = t_length();
    s1 = t_text(len, t_random(4) ? t_small_set() : "ab");
    s2 = t_needle(s1, len, &n);

    if (t_random(8) == 0) {
        s2[t_random(n)] = '\0';
        t_bytes("in", s2, n);
    }

    t_position("at", s1, ngx_strlcasestrn(s1, s1 + len, s2, n - 1));
}


const t_subject_t  t_search_subjects[] = {
    { "ngx_strnstr", t_strnstr },
    { "ngx_strstrn", t_strstrn },
    { "ngx_strlcasestrn", t_strlcasestrn },
    { NULL, NULL }
};
