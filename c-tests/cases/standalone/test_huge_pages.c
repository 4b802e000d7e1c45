
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


/*
 * Finds the line that begins with name about the memory at addr in the file smaps of
 * proc(5).  Copies the line without the name to line, which has size bytes.
 */

static void
memory_line(void *addr, const char *name, char *line, int size)
{
    int   here;
    char  start[32];
    FILE  *f;

    f = fopen("/proc/self/smaps", "re");
    T_REQUIRE(f != NULL);

    here = 0;
    snprintf(start, sizeof(start), "%08lx-", (unsigned long) addr);

    while (fgets(line, size, f) != NULL) {

        if (strncmp(line, start, strlen(start)) == 0) {
            here = 1;
        }

        if (here && strncmp(line, name, strlen(name)) == 0) {
            fclose(f);
            memmove(line, line + strlen(name), strlen(line + strlen(name)) + 1);
            return;
        }
    }

    fclose(f);
    line[0] = '\0';
}


/* Returns 1 if the memory at addr consists of huge pages. */

static int
is_huge(void *addr)
{
    char  line[512];

    memory_line(addr, "ShmemPmdMapped:", line, sizeof(line));

    return atol(line) > 0;
}


/* Returns 1 if huge pages were requested for the memory at addr. */

static int
is_requested(void *addr)
{
    char  line[512];

    memory_line(addr, "VmFlags:", line, sizeof(line));

    return strstr(line, " hg") != NULL;
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


/* The library requests huge pages for memory of at least the size of one. */

static void
test_huge_page_size(void)
{
    int        has_huge_pages;
    size_t     size;
    ngx_shm_t  shm;

    size = 2 * 1024 * 1024;
    has_huge_pages = access("/sys/kernel/mm/transparent_hugepage", F_OK) == 0;
    ngx_ipc_huge_pages = 1;

    t_shm_init(&shm, size);
    T_EQ(ngx_shm_alloc(&shm), NGX_OK);
    T_EQ(is_requested(shm.addr), has_huge_pages);
    ngx_shm_free(&shm);

    t_shm_init(&shm, size - 4096);
    T_EQ(ngx_shm_alloc(&shm), NGX_OK);
    T_EQ(is_requested(shm.addr), 0);
    ngx_shm_free(&shm);

    ngx_ipc_huge_pages = 0;
}


int
main(void)
{
    t_begin();

    t_run("huge pages", test_huge_pages);
    t_run("no huge pages", test_no_huge_pages);
    t_run("the size of a huge page", test_huge_page_size);

    return t_end();
}
