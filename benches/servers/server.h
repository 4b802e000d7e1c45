/*
 * What the echo servers that are compared with examples/echo.c share: the listening
 * socket, and the master that forks the workers.
 */

#ifndef _SERVER_H_INCLUDED_
#define _SERVER_H_INCLUDED_


#define _GNU_SOURCE

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>


/* Exits with a message if "ok" is 0. */

static void
check(int ok, const char *what)
{
    if (!ok) {
        perror(what);
        exit(1);
    }
}


/* Returns a non-blocking listening socket with the address "127.0.0.1:PORT". */

static int
listen_on(const char *address)
{
    int                 fd, on = 1;
    struct sockaddr_in  sin = { .sin_family = AF_INET };

    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sin.sin_port = htons((uint16_t) atoi(strchr(address, ':') + 1));

    fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    check(bind(fd, (struct sockaddr *) &sin, sizeof(sin)) == 0, "bind");
    check(listen(fd, 511) == 0, "listen");

    return fd;
}


/*
 * SERVER -w WORKERS 127.0.0.1:PORT: starts workers that call "work" with the
 * listening socket.  The workers exit when the master exits.
 */

static int
run_master(int argc, char **argv, void (*work)(int listening))
{
    int  fd;

    check(argc == 4, "usage");
    fd = listen_on(argv[3]);

    for (int i = atoi(argv[2]); i > 0; i--) {
        if (fork() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGTERM);
            work(fd);
            exit(1);
        }
    }

    for ( ;; ) {
        pause();
    }
}


#endif /* _SERVER_H_INCLUDED_ */
