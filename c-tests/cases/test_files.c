
/* Tests of ngx_files.h and ngx_file.h: files, locks, names. */


#include "t_os.h"


static char  dir[] = "/tmp/ngx_ipc_test_XXXXXX";


static u_char *
path(const char *name)
{
    static int   i;
    static char  buf[4][100];

    i = (i + 1) % 4;
    snprintf(buf[i], sizeof(buf[i]), "%s/%s", dir, name);

    return (u_char *) buf[i];
}


static void
a_directory(void)
{
    T_REQUIRE(mkdtemp(dir) != NULL);
}


static ngx_fd_t
a_file(const char *name)
{
    ngx_fd_t  fd;

    fd = ngx_open_file(path(name), NGX_FILE_RDWR, NGX_FILE_TRUNCATE,
                       NGX_FILE_DEFAULT_ACCESS);
    T_REQUIRE(fd != NGX_INVALID_FILE);

    return fd;
}


static void
test_open(void)
{
    u_char           buf[8];
    ngx_fd_t         fd;
    ngx_file_info_t  fi;

    a_directory();

    T_EQ(ngx_open_file(path("a"), NGX_FILE_RDONLY, NGX_FILE_OPEN, 0),
         NGX_INVALID_FILE);
    T_EQ(ngx_errno, NGX_ENOENT);

    fd = ngx_open_file(path("a"), NGX_FILE_APPEND, NGX_FILE_CREATE_OR_OPEN,
                       NGX_FILE_OWNER_ACCESS);
    T_REQUIRE(fd != NGX_INVALID_FILE);
    T_EQ(ngx_write_fd(fd, (u_char *) "abc", 3), 3);
    T_EQ(lseek(fd, 0, SEEK_SET), 0);
    T_EQ(ngx_write_fd(fd, (u_char *) "de", 2), 2);

    T_EQ(ngx_fd_info(fd, &fi), 0);
    T_EQ(ngx_file_size(&fi), 5);
    T_EQ(ngx_file_access(&fi), 0600);
    T_OK(ngx_is_file(&fi));
    T_OK(!ngx_is_dir(&fi) && !ngx_is_link(&fi) && !ngx_is_exec(&fi));
    T_EQ(ngx_close_file(fd), 0);

    fd = ngx_open_file(path("a"), NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);
    T_EQ(ngx_read_fd(fd, buf, 8), 5);
    T_EQ(memcmp(buf, "abcde", 5), 0);
    ngx_close_file(fd);

    T_EQ(ngx_change_file_access(path("a"), 0700), 0);
    T_EQ(ngx_rename_file(path("a"), path("b")), 0);
    T_EQ(ngx_file_info(path("a"), &fi), NGX_FILE_ERROR);
    T_EQ(ngx_file_info(path("b"), &fi), 0);
    T_OK(ngx_is_exec(&fi));

    T_EQ(symlink("b", (char *) path("c")), 0);
    T_EQ(ngx_link_info(path("c"), &fi), 0);
    T_OK(ngx_is_link(&fi));
    T_EQ(ngx_open_file(path("c"), NGX_FILE_RDONLY|NGX_FILE_NOFOLLOW,
                       NGX_FILE_OPEN, 0), NGX_INVALID_FILE);

    fd = ngx_open_file(dir, NGX_FILE_SEARCH, NGX_FILE_OPEN, 0);
    T_REQUIRE(fd != NGX_INVALID_FILE);
    T_EQ(ngx_file_at_info(fd, "b", &fi, 0), 0);
    T_EQ(ngx_file_size(&fi), 5);
    ngx_close_file(fd);

    T_EQ(ngx_delete_file(path("b")), 0);
    T_EQ(ngx_delete_file(path("c")), 0);
    T_EQ(ngx_delete_dir(dir), 0);
}


static void
test_fs_size(void)
{
    ngx_file_info_t  fi;

    memset(&fi, 0, sizeof(fi));
    fi.st_blksize = 4096;

    fi.st_size = 100;
    fi.st_blocks = 8;
    T_EQ(ngx_file_fs_size(&fi), 4096);

    fi.st_size = 100000;
    T_EQ(ngx_file_fs_size(&fi), 100000);

    fi.st_size = 100;
    fi.st_blocks = 1000;
    T_EQ(ngx_file_fs_size(&fi), 100);

    fi.st_blocks = 0;
    T_EQ(ngx_file_fs_size(&fi), 100);

    T_EQ(ngx_dir_access(0644), 0755);
    T_EQ(ngx_dir_access(0600), 0700);
}


static void
test_tempfile(void)
{
    ngx_fd_t         fd;
    ngx_file_info_t  fi;

    a_directory();
    umask(0);

    fd = ngx_open_tempfile(path("t"), 0, 0);
    T_REQUIRE(fd != NGX_INVALID_FILE);
    T_EQ(ngx_fd_info(fd, &fi), 0);
    T_EQ(fi.st_nlink, 0);
    T_EQ(ngx_file_access(&fi), 0600);
    T_EQ(ngx_write_fd(fd, dir, 4), 4);
    T_EQ(lseek(fd, 0, SEEK_SET), 0);
    T_EQ(ngx_read_fd(fd, &fi, 10), 4);
    ngx_close_file(fd);

    fd = ngx_open_tempfile(path("t"), 1, 0640);
    T_REQUIRE(fd != NGX_INVALID_FILE);
    ngx_close_file(fd);
    T_EQ(ngx_file_info(path("t"), &fi), 0);
    T_EQ(ngx_file_access(&fi), 0640);

    T_EQ(ngx_open_tempfile(path("t"), 0, 0), NGX_INVALID_FILE);
    T_EQ(ngx_errno, NGX_EEXIST);
    T_EQ(ngx_delete_file(path("t")), 0);
    T_EQ(ngx_delete_dir(dir), 0);
}


static void
test_file_time(void)
{
    ngx_fd_t         fd;
    ngx_file_info_t  fi;

    ngx_time_init();
    a_directory();
    fd = a_file("t");

    T_EQ(ngx_set_file_time(path("t"), fd, 1000000007), NGX_OK);
    T_EQ(ngx_fd_info(fd, &fi), 0);
    T_EQ(ngx_file_mtime(&fi), 1000000007);
    T_EQ(fi.st_atime, ngx_time());
    T_EQ(ngx_set_file_time(path("none"), fd, 1), NGX_ERROR);
    T_EQ(ngx_errno, NGX_ENOENT);

    ngx_close_file(fd);
    ngx_delete_file(path("t"));
    ngx_delete_dir(dir);
}


/* ngx_read_file() and ngx_write_file() */

static void
test_read_write(void)
{
    u_char      buf[100];
    ngx_file_t  file;

    a_directory();
    memset(&file, 0, sizeof(file));
    memset(buf, 0, sizeof(buf));
    file.fd = a_file("f");
    file.name.data = path("f");
    file.log = t_log();

    T_EQ(ngx_write_file(&file, (u_char *) "0123456789", 10, 0), 10);
    T_EQ(file.offset, 10);
    T_EQ(ngx_write_file(&file, (u_char *) "ab", 2, 4), 2);
    T_EQ(file.offset, 12);
    T_EQ(ngx_write_file(&file, buf, 0, 4), 0);

    file.offset = 0;
    T_EQ(ngx_read_file(&file, buf, 100, 3), 7);
    T_EQ(memcmp(buf, "3ab6789", 7), 0);
    T_EQ(file.offset, 7);
    T_EQ(ngx_read_file(&file, buf, 100, 10), 0);
    T_EQ(t_logged(NGX_LOG_CRIT, ""), 0);

    T_EQ(ngx_read_file(&file, buf, 100, -1), NGX_ERROR);
    T_EQ(t_loggedf(NGX_LOG_CRIT, "pread() \"%s\" failed (22: ",
                   (char *) path("f")), 1);
    T_EQ(ngx_write_file(&file, buf, 100, -1), NGX_ERROR);
    T_EQ(t_loggedf(NGX_LOG_CRIT, "pwrite() \"%s\" failed (22: ",
                   (char *) path("f")), 1);
    T_EQ(file.offset, 7);

    ngx_close_file(file.fd);
    ngx_delete_file(path("f"));
    ngx_delete_dir(dir);
}


/* The limit of the size of a file makes the kernel write a part first. */

static void
test_write_parts(void)
{
    u_char         buf[100];
    ngx_file_t     file;
    struct rlimit  rl = { 60, 60 };

    a_directory();
    memset(&file, 0, sizeof(file));
    memset(buf, 'x', sizeof(buf));
    file.fd = a_file("f");
    file.name.data = path("f");
    file.log = t_log();
    unlink((char *) path("f"));
    ngx_delete_dir(dir);

    signal(SIGXFSZ, SIG_IGN);
    T_REQUIRE(setrlimit(RLIMIT_FSIZE, &rl) == 0);

    T_EQ(ngx_write_file(&file, buf, 100, 0), NGX_ERROR);
    T_EQ(file.offset, 60);
    ngx_close_file(file.fd);
}


static void
test_mapping(void)
{
    ngx_fd_t            fd;
    ngx_file_mapping_t  fm;

    a_directory();
    memset(&fm, 0, sizeof(fm));
    fm.name = path("m");
    fm.size = 8192;
    fm.log = t_log();

    T_EQ(ngx_create_file_mapping(&fm), NGX_OK);
    memcpy(fm.addr, "mapped", 6);
    ngx_close_file_mapping(&fm);
    T_OK(!t_is_open(fm.fd));

    fd = ngx_open_file(path("m"), NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);
    T_EQ(ngx_read_fd(fd, fm.name, 6), 6);
    T_EQ(memcmp(fm.name, "mapped", 6), 0);
    T_EQ(lseek(fd, 0, SEEK_END), 8192);
    ngx_close_file(fd);
    ngx_delete_file(path("m"));
    ngx_delete_dir(dir);
}


static void
test_mapping_fails(void)
{
    int                 open_before;
    ngx_file_mapping_t  fm;

    open_before = t_open_fds();
    memset(&fm, 0, sizeof(fm));
    fm.size = 8192;
    fm.log = t_log();

    fm.name = (u_char *) "/nothing/here";
    T_EQ(ngx_create_file_mapping(&fm), NGX_ERROR);
    T_EQ(t_logged(NGX_LOG_CRIT, "open() \"/nothing/here\" failed (2: "), 1);

    fm.name = (u_char *) "/dev/null";
    T_EQ(ngx_create_file_mapping(&fm), NGX_ERROR);
    T_EQ(t_logged(NGX_LOG_CRIT, "ftruncate() \"/dev/null\" failed (22: "), 1);

    a_directory();
    fm.name = path("m");
    fm.size = 0;
    T_EQ(ngx_create_file_mapping(&fm), NGX_ERROR);
    T_EQ(t_logged(NGX_LOG_CRIT, "mmap(0) \""), 1);
    T_EQ(t_open_fds(), open_before);

    fm.fd = 4000;
    fm.addr = (void *) 1;
    ngx_close_file_mapping(&fm);
    T_EQ(t_logged(NGX_LOG_CRIT, "munmap(0) \""), 1);
    T_EQ(t_logged(NGX_LOG_ALERT, "close() \""), 1);

    ngx_delete_file(path("m"));
    ngx_delete_dir(dir);
}


/* Another process has the lock. */

static void
test_lock(void)
{
    int       ready[2], go[2];
    char      c;
    pid_t     pid;
    ngx_fd_t  fd;

    a_directory();
    fd = a_file("l");
    ngx_delete_file(path("l"));
    ngx_delete_dir(dir);
    T_REQUIRE(pipe(ready) == 0 && pipe(go) == 0);

    pid = fork();
    T_REQUIRE(pid != -1);

    if (pid == 0) {
        T_EQ(ngx_trylock_fd(fd), 0);
        T_EQ(write(ready[1], "x", 1), 1);
        T_EQ(read(go[0], &c, 1), 1);
        T_EQ(ngx_unlock_fd(fd), 0);
        T_EQ(write(ready[1], "x", 1), 1);
        T_EQ(read(go[0], &c, 1), 1);
        _exit(0);
    }

    T_EQ(read(ready[0], &c, 1), 1);
    T_EQ(ngx_trylock_fd(fd), NGX_EAGAIN);

    T_EQ(write(go[1], "x", 1), 1);
    T_EQ(ngx_lock_fd(fd), 0);
    T_EQ(read(ready[0], &c, 1), 1);
    T_EQ(ngx_trylock_fd(fd), 0);
    T_EQ(ngx_unlock_fd(fd), 0);

    T_EQ(write(go[1], "x", 1), 1);
    T_EQ(t_wait(pid), 0);

    T_EQ(ngx_trylock_fd(4000), NGX_EBADF);
    T_EQ(ngx_lock_fd(4000), NGX_EBADF);
    T_EQ(ngx_unlock_fd(4000), NGX_EBADF);

    close(ready[0]);
    close(ready[1]);
    close(go[0]);
    close(go[1]);
    ngx_close_file(fd);
}


static void
test_advice(void)
{
    ngx_fd_t       fd;
    struct statfs  fs;

    t_os_init();
    a_directory();
    fd = a_file("f");
    T_REQUIRE(statfs(dir, &fs) == 0);

    T_EQ(ngx_read_ahead(fd, 100), NGX_OK);
    T_EQ(ngx_read_ahead(4000, 100), NGX_ERROR);
    T_EQ(ngx_errno, NGX_EBADF);

    if (ngx_directio_on(fd) == 0) {
        T_OK(fcntl(fd, F_GETFL) & O_DIRECT);
        T_EQ(ngx_directio_off(fd), 0);
    }

    T_OK(!(fcntl(fd, F_GETFL) & O_DIRECT));
    T_EQ(ngx_directio_on(4000), -1);
    T_EQ(ngx_directio_off(4000), -1);

    T_EQ(ngx_fs_bsize((u_char *) dir), fs.f_bsize);
    T_EQ(ngx_fs_bsize((u_char *) "/nothing/here"), 512);
    T_OK(ngx_fs_available((u_char *) dir) > 0);
    T_EQ(ngx_fs_available((u_char *) "/proc"), 0);
    T_EQ(ngx_fs_available((u_char *) "/nothing/here"), NGX_MAX_OFF_T_VALUE);

    ngx_close_file(fd);
    ngx_delete_file(path("f"));
    ngx_delete_dir(dir);
}


static void
test_full_name(void)
{
    ngx_str_t    prefix = ngx_string("/usr/local/"), name;
    ngx_pool_t  *pool;

    pool = ngx_create_pool(1024, t_log());
    T_REQUIRE(pool != NULL);

    ngx_str_set(&name, "logs/pid");
    T_EQ(ngx_get_full_name(pool, &prefix, &name), NGX_OK);
    T_EQ(name.len, 19);
    T_EQ(strcmp((char *) name.data, "/usr/local/logs/pid"), 0);

    T_EQ(ngx_get_full_name(pool, &prefix, &name), NGX_OK);
    T_EQ(name.len, 19);

    ngx_str_set(&name, "");
    T_EQ(ngx_get_full_name(pool, &prefix, &name), NGX_OK);
    T_EQ(strcmp((char *) name.data, "/usr/local/"), 0);

    ngx_str_null(&prefix);
    ngx_str_set(&name, "logs/pid");
    T_EQ(ngx_get_full_name(pool, &prefix, &name), NGX_OK);
    T_EQ(strcmp((char *) name.data, "logs/pid"), 0);

    name.len = SIZE_MAX / 2;
    name.data = (u_char *) "x";
    T_EQ(ngx_get_full_name(pool, &prefix, &name), NGX_ERROR);
    T_EQ(name.len, SIZE_MAX / 2);
    T_EQ(*name.data, 'x');

    ngx_destroy_pool(pool);
}


static void
test_paths(void)
{
    u_char  buf[NGX_MAX_PATH], *p;

    T_OK(ngx_realpath("/usr/../usr/.", buf) == buf);
    T_EQ(strcmp((char *) buf, "/usr"), 0);

    T_EQ(chdir("/usr"), 0);
    T_EQ(ngx_getcwd(buf, sizeof(buf)), 1);
    T_EQ(strcmp((char *) buf, "/usr"), 0);
    T_EQ(ngx_getcwd(buf, 2), 0);

    T_OK(ngx_path_separator('/') && !ngx_path_separator('\\'));

    p = buf;
    ngx_linefeed(p);
    T_OK(p == buf + NGX_LINEFEED_SIZE && buf[0] == '\n');
}


int
main(void)
{
    t_begin();

    t_run("files are opened, renamed and deleted", test_open);
    t_run("sizes and permissions", test_fs_size);
    t_run("ngx_open_tempfile()", test_tempfile);
    t_run("ngx_set_file_time()", test_file_time);
    t_run("ngx_read_file() and ngx_write_file()", test_read_write);
    t_run("a file that is written in parts", test_write_parts);
    t_run("a file in memory", test_mapping);
    t_run("a file that cannot be mapped", test_mapping_fails);
    t_run("locks on files", test_lock);
    t_run("direct I/O, reading ahead, file systems", test_advice);
    t_run("ngx_get_full_name()", test_full_name);
    t_run("paths", test_paths);

    return t_end();
}
