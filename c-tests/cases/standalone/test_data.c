/* Functions of data that behave differently from nginx's. */


#include "t_memory.h"


static void
high_bytes(void)
{
    u_char  text[] = "a \xc3\xa4 b";

    T_OK(ngx_strcasestrn(text, "\xc3\xa4", 1) == text + 2);
    T_OK(ngx_strcasestrn(text, "\xc3\xa5", 1) == NULL);
}


static void
full_array(void)
{
    int          *p;
    void         *first;
    ngx_pool_t   *pool;
    ngx_array_t   a;

    pool = ngx_create_pool(256, t_log());
    T_REQUIRE(pool != NULL);
    T_EQ(ngx_array_init(&a, pool, 1, sizeof(int)), NGX_OK);

    first = a.elts;
    p = ngx_array_push(&a);
    *p = 7;
    T_OK(p == first);

    p = ngx_array_push(&a);
    T_OK(a.elts != first);
    T_OK(p == (int *) a.elts + 1);
    T_EQ(*(int *) a.elts, 7);
    T_EQ(a.nalloc, 2);

    /* an array without room, in which nginx would write behind the room */

    T_EQ(ngx_array_init(&a, pool, 0, sizeof(int)), NGX_OK);
    T_OK(ngx_array_push(&a) != NULL);
    T_EQ(a.nelts, 1);
    T_EQ(a.nalloc, 2);

    ngx_array_destroy(&a);
    ngx_destroy_pool(pool);
}


static ngx_int_t
compare(const void *a, const void *b)
{
    return *(const int *) a - *(const int *) b;
}


static void
sort_without_memory(void)
{
    int  numbers[] = { 3, 1, 2 };

#if defined(__SANITIZE_ADDRESS__)
    t_skip("AddressSanitizer has its own malloc()");
#endif

    t_memory = t_shared(sizeof(t_memory_t));
    t_memory->lasting = 1;
    t_memory->left = 0;
    ngx_sort(numbers, 3, sizeof(int), compare);
    t_disarm();

    T_EQ(numbers[0], 1);
    T_EQ(numbers[1], 2);
    T_EQ(numbers[2], 3);
}


int
main(void)
{
    t_begin();
    t_run("a string that begins with a byte above 0x7f", high_bytes);
    t_run("a full array moves", full_array);
    t_run("ngx_sort without memory", sort_without_memory);

    return t_end();
}
