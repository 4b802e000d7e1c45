
/* Attacks of t_attack.h: memory of other processes. */


#include "t_attack.h"

#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>


#if !(T_NGINX)

#ifndef SYS_pidfd_open
#define SYS_pidfd_open  434
#endif

#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd  438
#endif


/*
 * Finds the memory that the library shares with this process: not the memory of
 * the harness, and not a file.
 */

size_t
t_shared_mappings(t_mapping_t *m, size_t max)
{
    char           line[512], name[256];
    FILE          *maps;
    size_t         n;
    unsigned long  begin, end;

    maps = fopen("/proc/self/maps", "re");
    n = 0;

    while (maps && n < max && fgets(line, sizeof(line), maps)) {
        name[0] = '\0';

        if (sscanf(line, "%lx-%lx %4s %*s %*s %*s %255[^\n]", &begin, &end,
                   m[n].mode, name) < 3
            || m[n].mode[3] != 's'
            || (strncmp(name, "/dev/zero", 9) && strncmp(name, "/memfd:", 7)
                && strncmp(name, "/SYSV", 5))
            || t_is_own_mapping((void *) begin))
        {
            continue;
        }

        m[n].start = (u_char *) begin;
        m[n].size = end - begin;
        n++;
    }

    if (maps) {
        fclose(maps);
    }

    return n;
}


/* Fills all memory that the library shares and that this process may write. */

void
t_overwrite_shared(int byte)
{
    size_t     i, n;
    t_mapping_t  m[64];

    n = t_shared_mappings(m, t_nitems(m));

    for (i = 0; i < n; i++) {
        if (m[i].mode[1] == 'w'
            || mprotect(m[i].start, m[i].size, PROT_READ|PROT_WRITE) == 0)
        {
            memset(m[i].start, byte, m[i].size);
        }
    }
}


static void
overwrite(void)
{
    size_t  i;

    static const int  bytes[] = { 0xff, 0x7f, 0x01, 0x00 };

    for (i = 0; i < t_nitems(bytes); i++) {
        t_overwrite_shared(bytes[i]);
    }
}


/* Frees the pages of shared memory, or makes the file behind it shorter. */

static void
remove_pages(void)
{
    int        fd;
    char       path[64];
    size_t     i, n;
    t_mapping_t  m[64];

    n = t_shared_mappings(m, t_nitems(m));

    for (i = 0; i < n; i++) {
        snprintf(path, sizeof(path), "/proc/self/map_files/%lx-%lx",
                 (unsigned long) m[i].start,
                 (unsigned long) (m[i].start + m[i].size));

        fd = open(path, O_RDWR|O_CLOEXEC);

        if (fd != -1) {
            (void) !ftruncate(fd, 0);
            close(fd);
        }

        (void) madvise(m[i].start, m[i].size, MADV_REMOVE);
        (void) mlock(m[i].start, m[i].size);
    }
}


/* Opens the memory and the descriptors of a process through /proc. */

static void
open_files_of(pid_t pid)
{
    int     fd, i;
    char    path[64];

    snprintf(path, sizeof(path), "/proc/%d/mem", (int) pid);
    fd = open(path, O_RDWR|O_CLOEXEC);

    if (fd != -1) {
        (void) !pwrite(fd, "x", 1, (off_t) (uintptr_t) ngx_processes);
        close(fd);
    }

    for (i = 3; i < 64; i++) {
        snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int) pid, i);
        fd = open(path, O_RDWR|O_NONBLOCK|O_CLOEXEC);

        if (fd != -1) {
            (void) !write(fd, "x", 1);
            close(fd);
        }
    }
}


static void
attack_memory_of(pid_t pid)
{
    int           fd, i;
    char          zero[4096] = { 0 };
    struct iovec  ours = { zero, sizeof(zero) };
    struct iovec  theirs = { ngx_processes, sizeof(zero) };

    open_files_of(pid);
    (void) process_vm_writev(pid, &ours, 1, &theirs, 1, 0);

    fd = (int) syscall(SYS_pidfd_open, pid, 0);

    for (i = 3; i < 64; i++) {
        (void) syscall(SYS_pidfd_getfd, fd, i, 0);
    }

    if (ptrace(PTRACE_ATTACH, pid, NULL, NULL) == 0) {
        (void) waitpid(pid, NULL, __WALL);
        (void) ptrace(PTRACE_KILL, pid, NULL, NULL);
    }

    (void) ptrace(PTRACE_SEIZE, pid, NULL, NULL);
}


static void
memory_of_master(void)
{
    attack_memory_of(t_master());
}


static void
memory_of_sibling(void)
{
    attack_memory_of(t_victim());
}


const t_attack_t  t_memory_attacks[] = {
    { "shared memory overwritten", overwrite },
    { "shared memory removed", remove_pages },
    { "the memory of the master", memory_of_master },
    { "the memory of a sibling", memory_of_sibling },
    { NULL, NULL }
};

#endif
