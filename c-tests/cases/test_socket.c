
/* Tests of ngx_socket.h and ngx_setaffinity.h. */


#include "test.h"


static void
test_nonblocking(void)
{
    int  s[2], n;

    T_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);

    T_EQ(ngx_nonblocking(s[0]), 0);
    T_OK(fcntl(s[0], F_GETFL) & O_NONBLOCK);
    T_OK(!(fcntl(s[1], F_GETFL) & O_NONBLOCK));
    T_EQ(ngx_nonblocking(s[0]), 0);
    T_OK(fcntl(s[0], F_GETFL) & O_NONBLOCK);

    T_EQ(ngx_blocking(s[0]), 0);
    T_OK(!(fcntl(s[0], F_GETFL) & O_NONBLOCK));

    T_EQ(write(s[1], "abc", 3), 3);
    T_EQ(ngx_socket_nread(s[0], &n), 0);
    T_EQ(n, 3);

    T_EQ(ngx_shutdown_socket(s[0], NGX_WRITE_SHUTDOWN), 0);
    T_EQ(read(s[1], &n, 1), 0);

    T_EQ(ngx_close_socket(s[0]), 0);
    T_EQ(ngx_close_socket(s[1]), 0);

    T_EQ(ngx_nonblocking(s[0]), -1);
    T_EQ(ngx_errno, NGX_EBADF);
    T_EQ(ngx_blocking(s[0]), -1);
}


static int
corked(int s)
{
    int        on = -1;
    socklen_t  len = sizeof(on);

    T_EQ(getsockopt(s, IPPROTO_TCP, TCP_CORK, &on, &len), 0);

    return on;
}


static void
test_nopush(void)
{
    int  s;

    s = ngx_socket(AF_INET, SOCK_STREAM, 0);
    T_REQUIRE(s != -1);

    T_EQ(corked(s), 0);
    T_EQ(ngx_tcp_nopush(s), 0);
    T_EQ(corked(s), 1);
    T_EQ(ngx_tcp_push(s), 0);
    T_EQ(corked(s), 0);

    T_EQ(ngx_close_socket(s), 0);
    T_EQ(ngx_tcp_nopush(s), -1);
    T_EQ(ngx_tcp_push(s), -1);
    T_EQ(ngx_errno, NGX_EBADF);
}


static void
test_affinity(void)
{
    int           cpu;
    ngx_cpuset_t  set, now;

    T_REQUIRE(sched_getaffinity(0, sizeof(set), &set) == 0);

    for (cpu = 0; !CPU_ISSET(cpu, &set); cpu++) { /* void */ }

    CPU_ZERO(&set);
    CPU_SET(cpu, &set);

    ngx_setaffinity(&set, t_log());

    T_EQ(t_loggedf(NGX_LOG_NOTICE, "sched_setaffinity(): using cpu #%d", cpu),
         1);
    T_EQ(t_logged(NGX_LOG_NOTICE, "using cpu"), 1);
    T_EQ(sched_getaffinity(0, sizeof(now), &now), 0);
    T_OK(CPU_EQUAL(&set, &now));

    CPU_ZERO(&set);
    ngx_setaffinity(&set, t_log());
    T_EQ(t_logged(NGX_LOG_ALERT, "sched_setaffinity() failed (22: "), 1);
}


int
main(void)
{
    t_begin();

    t_run("ngx_nonblocking() and ngx_blocking()", test_nonblocking);
    t_run("ngx_tcp_nopush() and ngx_tcp_push()", test_nopush);
    t_run("ngx_setaffinity()", test_affinity);

    return t_end();
}
