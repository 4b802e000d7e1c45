/* Searches for a string in a string. */

#include <ngx_config.h>
#include <ngx_core.h>


u_char *
ngx_strnstr(u_char *s1, char *s2, size_t n)
{
    size_t   len;
    u_char  *last;

    len = ngx_strlen(s2);
    last = s1 + ngx_strnlen(s1, n);

    for ( /* void */ ; len <= (size_t) (last - s1) && s1 < last; s1++) {

        if (ngx_memcmp(s1, s2, len) == 0) {
            return s1;
        }
    }

    return NULL;
}


u_char *
ngx_strstrn(u_char *s1, char *s2, size_t n)
{
    for ( /* void */ ; *s1 != '\0'; s1++) {

        if (ngx_strncmp(s1, s2, n + 1) == 0) {
            return s1;
        }
    }

    return NULL;
}


u_char *
ngx_strcasestrn(u_char *s1, char *s2, size_t n)
{
    for ( /* void */ ; *s1 != '\0'; s1++) {

        if (ngx_strncasecmp(s1, (u_char *) s2, n + 1) == 0) {
            return s1;
        }
    }

    return NULL;
}


u_char *
ngx_strlcasestrn(u_char *s1, u_char *last, u_char *s2, size_t n)
{
    u_char  c;

    c = ngx_tolower(s2[0]);

    for ( /* void */ ; s1 < last && n < (size_t) (last - s1); s1++) {

        if (ngx_tolower(s1[0]) == c
            && ngx_strncasecmp(s1 + 1, s2 + 1, n) == 0)
        {
            return s1;
        }
    }

    return NULL;
}
