/*
 * Comparisons of strings.  "Case" means that upper case letters of ASCII are
 * equal to lower case letters.
 */

#include <ngx_config.h>
#include <ngx_core.h>


ngx_int_t
ngx_strcasecmp(u_char *s1, u_char *s2)
{
    return ngx_strncasecmp(s1, s2, (size_t) -1);
}


ngx_int_t
ngx_strncasecmp(u_char *s1, u_char *s2, size_t n)
{
    size_t  i;
    u_char  c1, c2;

    for (i = 0; i < n; i++) {

        c1 = ngx_tolower(s1[i]);
        c2 = ngx_tolower(s2[i]);

        if (c1 != c2 || c1 == '\0') {
            return c1 - c2;
        }
    }

    return 0;
}


ngx_int_t
ngx_rstrncmp(u_char *s1, u_char *s2, size_t n)
{
    while (n--) {

        if (s1[n] != s2[n]) {
            return s1[n] - s2[n];
        }
    }

    return 0;
}


ngx_int_t
ngx_rstrncasecmp(u_char *s1, u_char *s2, size_t n)
{
    u_char  c1, c2;

    while (n--) {

        c1 = ngx_toupper(s1[n]);
        c2 = ngx_toupper(s2[n]);

        if (c1 != c2) {
            return c1 - c2;
        }
    }

    return 0;
}


ngx_int_t
ngx_memn2cmp(u_char *s1, u_char *s2, size_t n1, size_t n2)
{
    int  rc;

    rc = ngx_memcmp(s1, s2, ngx_min(n1, n2));

    if (rc != 0 || n1 == n2) {
        return rc;
    }

    return (n1 < n2) ? -1 : 1;
}


ngx_int_t
ngx_dns_strcmp(u_char *s1, u_char *s2)
{
    size_t  i;
    u_char  c1, c2;

    for (i = 0; /* void */ ; i++) {

        c1 = ngx_tolower(s1[i]);
        c2 = ngx_tolower(s2[i]);

        if (c1 != c2 || c1 == '\0') {
            break;
        }
    }

    /*
     * A dot comes before all other characters of a name, so that a domain comes
     * before its subdomains: "-" would be before it.
     */

    if (c1 == '.') {
        c1 = ' ';
    }

    if (c2 == '.') {
        c2 = ' ';
    }

    return c1 - c2;
}


ngx_int_t
ngx_filename_cmp(u_char *s1, u_char *s2, size_t n)
{
    size_t  i;
    u_char  c1, c2;

    for (i = 0; i < n; i++) {

        c1 = s1[i];
        c2 = s2[i];

        if (c1 == c2) {

            if (c1 == '\0') {
                return 0;
            }

            continue;
        }

        if (c1 == '\0' || c2 == '\0') {
            return c1 - c2;
        }

        /* a directory comes before files whose names begin with its name */

        return ((c1 == '/') ? 0 : c1) - ((c2 == '/') ? 0 : c2);
    }

    return 0;
}
