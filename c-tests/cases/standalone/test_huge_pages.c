
/* Tests of shared memory in huge pages. */


#include "t_shmem.h"

#include <stdio.h>


#define T_HUGE  (8 * 1024 * 1024)


/*
 * Returns 1 if the file shows the option in brackets, as in "never [advise]",
 * which means that the option is chosen.
 */

static int
is_chosen(const char *path, const char *option)
{
    int    fd;
    char   text[256], chosen[32];
    ssize_t  n;

    fd = open(path, O_RDONLY|O_CLOEXEC);
    if (fd == -1) {
        return 0;
    }

    n = read(fd, text, sizeof(text) - 1);
    close(fd);

    text[n < 0 ? 0 : n] = '\0';
    snprintf(chosen, sizeof(chosen), "[%s]", option);

    return strstr(text, chosen) != NULL;
}


/* Returns 1 if the memory at addr consists of huge pages. */

static int
is_huge(void *addr)
{
    int   here;
    char  line[512], start[32];
    FILE  *f;

    f = fopen("/proc/self/smaps", "re");
    T_REQUIRE(f != NULL);

    here = 0;
    snprintf(start, sizeof(start), "%lx-", (unsigned long) addr);

    while (fgets(line, sizeof(line), f) != NULL) {

        if (strncmp(line, start, strlen(start)) == 0) {
            here = 1;
        }

        if (here && strncmp(line, "ShmemPmdMapped:", 15) == 0) {
            fclose(f);
            return atol(line + 15) > 0;
        }
    }

    fclose(f);

    return 0;
}


static void
test_huge_pages(void)
{
    size_t       i;
    ngx_uint_t   refused;
    const char  *shmem, *size;
    ngx_shm_t    shm;

    shmem = "/sys/kernel/mm/transparent_hugepage/shmem_enabled";
    size = "/sys/kernel/mm/transparent_hugepage/hugepages-2048kB/shmem_enabled";

    refused = is_chosen(size, "never")
              || (!is_chosen(size, "always") && !is_chosen(size, "advise")
                  && !is_chosen(size, "within_size")
                  && !is_chosen(shmem, "always") && !is_chosen(shmem, "advise")
                  && !is_chosen(shmem, "within_size")
                  && !is_chosen(shmem, "force"));

    t_shm_init(&shm, T_HUGE);
    ngx_ipc_huge_pages = 1;
    T_EQ(ngx_shm_alloc(&shm), NGX_OK);
    ngx_ipc_huge_pages = 0;

    T_EQ(t_logged(NGX_LOG_WARN, ""), refused);
    T_EQ(t_logged(NGX_LOG_WARN, "no huge pages are used"), refused);

    T_OK(t_is_filled(shm.addr, T_HUGE, 0));

    for (i = 0; i < T_HUGE; i += 4096) {
        shm.addr[i] = 1;
    }

    T_EQ(is_huge(shm.addr), !refused);

    ngx_shm_free(&shm);
}


/*
 * Without the option, and for small sizes, the library does not ask for huge
 * pages.
 */

static void
test_no_huge_pages(void)
{
    ngx_shm_t  shm;

    t_shm_init(&shm, T_HUGE);
    T_EQ(ngx_shm_alloc(&shm), NGX_OK);
    memset(shm.addr, 1, T_HUGE);
    T_EQ(is_huge(shm.addr),
         is_chosen("/sys/kernel/mm/transparent_hugepage/shmem_enabled",
                   "always"));
    ngx_shm_free(&shm);

    ngx_ipc_huge_pages = 1;
    t_shm_init(&shm, T_SIZE);
    T_EQ(ngx_shm_alloc(&shm), NGX_OK);
    ngx_shm_free(&shm);
    ngx_ipc_huge_pages = 0;

    T_EQ(t_logged(NGX_LOG_WARN, ""), 0);
}


int
main(void)
{
    t_begin();

    t_run("huge pages", test_huge_pages);
    t_run("no huge pages", test_no_huge_pages);

    return t_end();
}
