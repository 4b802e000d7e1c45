
/* Tests of directories, and of names that match a pattern. */


#include "test.h"


static char  dir[] = "/tmp/ngx_ipc_test_XXXXXX";


static char *
path(const char *name)
{
    static int   i;
    static char  buf[4][100];

    i = (i + 1) % 4;
    snprintf(buf[i], sizeof(buf[i]), "%s/%s", dir, name);

    return buf[i];
}


/* A directory with a file "file", a directory "sub", and a link "link". */

static void
a_directory(void)
{
    int  fd;

    T_REQUIRE(mkdtemp(dir) != NULL);
    T_EQ(ngx_create_dir(path("sub"), 0700), 0);
    T_EQ(ngx_create_dir(path("sub"), 0700), -1);
    T_EQ(ngx_errno, NGX_EEXIST);

    fd = open(path("file"), O_CREAT|O_WRONLY, 0640);
    T_EQ(write(fd, "12345", 5), 5);
    close(fd);

    T_EQ(symlink("file", path("link")), 0);
}


static void
no_directory(void)
{
    ngx_delete_file(path("file"));
    ngx_delete_file(path("link"));
    T_EQ(ngx_delete_dir(path("sub")), 0);
    T_EQ(ngx_delete_dir(dir), 0);
}


/* Reads the directory; "type" 0 makes the macros use the information. */

static int
entries(int with_type)
{
    int         n = 0;
    ngx_str_t   name;
    ngx_dir_t   d;
    u_char     *file;

    name.len = strlen(dir);
    name.data = (u_char *) dir;

    d.valid_info = 1;
    T_EQ(ngx_open_dir(&name, &d), NGX_OK);
    T_EQ(d.valid_info, 0);

    for ( ;; ) {
        ngx_set_errno(0);

        if (ngx_read_dir(&d) == NGX_ERROR) {
            T_EQ(ngx_errno, NGX_ENOMOREFILES);
            break;
        }

        T_EQ(ngx_de_namelen(&d), strlen((char *) ngx_de_name(&d)));

        if (ngx_de_name(&d)[0] == '.') {
            continue;
        }

        file = (u_char *) path((char *) ngx_de_name(&d));

        if (!with_type) {
            d.type = 0;
            T_EQ(ngx_de_link_info(file, &d), 0);
        }

        n += (ngx_de_is_file(&d) && strcmp(d.de->d_name, "file") == 0);
        n += 10 * (ngx_de_is_dir(&d) && strcmp(d.de->d_name, "sub") == 0);
        n += 100 * (ngx_de_is_link(&d) && strcmp(d.de->d_name, "link") == 0);

        if (ngx_de_is_file(&d)) {
            T_EQ(ngx_de_info(file, &d), 0);
            T_EQ(d.type, 0);
            T_EQ(ngx_de_size(&d), 5);
            T_EQ(ngx_de_access(&d), 0640);
            T_OK(ngx_de_fs_size(&d) >= 5);
            T_EQ(ngx_de_mtime(&d), d.info.st_mtime);
        }
    }

    T_EQ(ngx_close_dir(&d), 0);

    return n;
}


static void
test_entries(void)
{
    a_directory();
    T_EQ(entries(1), 111);
    T_EQ(entries(0), 111);
    no_directory();
}


static void
test_no_directory(void)
{
    ngx_str_t  name = ngx_string("/nothing/here");
    ngx_dir_t  d;

    T_EQ(ngx_open_dir(&name, &d), NGX_ERROR);
    T_EQ(ngx_errno, NGX_ENOENT);
}


static void
test_glob(void)
{
    ngx_str_t   name;
    ngx_glob_t  gl;

    a_directory();
    memset(&gl, 0, sizeof(gl));
    gl.pattern = (u_char *) path("*i*");
    gl.log = t_log();

    T_EQ(ngx_open_glob(&gl), NGX_OK);

    T_EQ(ngx_read_glob(&gl, &name), NGX_OK);
    T_EQ(strcmp((char *) name.data, path("file")), 0);
    T_EQ(name.len, strlen(path("file")));
    T_EQ(ngx_read_glob(&gl, &name), NGX_OK);
    T_EQ(strcmp((char *) name.data, path("link")), 0);
    T_EQ(ngx_read_glob(&gl, &name), NGX_DONE);
    T_EQ(gl.n, 2);

    ngx_close_glob(&gl);
    no_directory();
}


static void
test_no_match(void)
{
    ngx_str_t   name;
    ngx_glob_t  gl;

    memset(&gl, 0, sizeof(gl));
    gl.pattern = (u_char *) "/nothing/*";
    gl.log = t_log();

    T_EQ(ngx_open_glob(&gl), NGX_ERROR);

    gl.test = 1;
    T_EQ(ngx_open_glob(&gl), NGX_OK);
    T_EQ(ngx_read_glob(&gl, &name), NGX_DONE);
    ngx_close_glob(&gl);
}


int
main(void)
{
    t_begin();

    t_run("entries of a directory", test_entries);
    t_run("a directory that does not exist", test_no_directory);
    t_run("names that match", test_glob);
    t_run("no name matches", test_no_match);

    return t_end();
}
