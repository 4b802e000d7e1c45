/*
 * ngx_files.h: files and directories.
 * Part of ngx-ipc; the names are nginx's.
 *
 * A function that is a macro has the results and the errno of the system's
 * function.  Its name with "_n" is the system's name of the function, for log
 * lines.
 */

#ifndef _NGX_FILES_H_INCLUDED_
#define _NGX_FILES_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#ifdef __cplusplus
extern "C" {
#endif


typedef ino_t  ngx_file_uniq_t;

/* A file in memory, see ngx_create_file_mapping(). */
typedef struct {
    u_char     *name;
    size_t      size;
    void       *addr;
    ngx_fd_t    fd;
    ngx_log_t  *log;
} ngx_file_mapping_t;

/* A directory whose entries are read, see ngx_open_dir(). */
typedef struct {
    DIR            *dir;
    struct dirent  *de;
    struct stat     info;

    unsigned        type:8;
    unsigned        valid_info:1;
} ngx_dir_t;

/* Names of files that match a pattern, see ngx_open_glob(). */
typedef struct {
    size_t       n;
    glob_t       pglob;
    u_char      *pattern;
    ngx_log_t   *log;
    ngx_uint_t   test;
} ngx_glob_t;


#define NGX_INVALID_FILE           -1
#define NGX_FILE_ERROR             -1

/* How ngx_open_file() opens a file: the mode, */
#define NGX_FILE_RDONLY            O_RDONLY
#define NGX_FILE_WRONLY            O_WRONLY
#define NGX_FILE_RDWR              O_RDWR
#define NGX_FILE_APPEND            (O_WRONLY|O_APPEND)
#define NGX_FILE_NONBLOCK          O_NONBLOCK
#define NGX_FILE_NOFOLLOW          O_NOFOLLOW
#define NGX_FILE_DIRECTORY         O_DIRECTORY
#define NGX_FILE_SEARCH            (O_PATH|O_RDONLY|NGX_FILE_DIRECTORY)

/* what it does if there is no file, */
#define NGX_FILE_OPEN              0
#define NGX_FILE_CREATE_OR_OPEN    O_CREAT
#define NGX_FILE_TRUNCATE          (O_CREAT|O_TRUNC)

/* and the permissions of a new file. */
#define NGX_FILE_DEFAULT_ACCESS    0644
#define NGX_FILE_OWNER_ACCESS      0600

#define NGX_AT_FDCWD               (ngx_fd_t) AT_FDCWD

#define NGX_HAVE_MAX_PATH          1
#define NGX_MAX_PATH               PATH_MAX

#define NGX_HAVE_READ_AHEAD        1


#define ngx_open_file(name, mode, create, access)                             \
    open((const char *) (name), (mode) | (create), access)
#define ngx_open_file_n            "open()"

#define ngx_openat_file(fd, name, mode, create, access)                       \
    openat(fd, (const char *) (name), (mode) | (create), access)
#define ngx_openat_file_n          "openat()"

#define ngx_close_file             close
#define ngx_close_file_n           "close()"

#define ngx_delete_file(name)      unlink((const char *) (name))
#define ngx_delete_file_n          "unlink()"

#define ngx_rename_file(from, to)                                             \
    rename((const char *) (from), (const char *) (to))
#define ngx_rename_file_n          "rename()"

#define ngx_change_file_access(name, access)                                  \
    chmod((const char *) (name), access)
#define ngx_change_file_access_n   "chmod()"

#define ngx_read_fd                read
#define ngx_read_fd_n              "read()"

#define ngx_write_console          ngx_write_fd
#define ngx_write_fd_n             "write()"

#define ngx_set_stderr(fd)         dup2(fd, STDERR_FILENO)
#define ngx_set_stderr_n           "dup2(STDERR_FILENO)"

/* Appends the end of a line to the text at p. */
#define ngx_linefeed(p)            *(p)++ = LF;
#define NGX_LINEFEED               "\x0a"
#define NGX_LINEFEED_SIZE          1


/* What stat(2) says of a file. */

#define ngx_file_info(name, info)  stat((const char *) (name), info)
#define ngx_file_info_n            "stat()"

#define ngx_fd_info(fd, info)      fstat(fd, info)
#define ngx_fd_info_n              "fstat()"

#define ngx_link_info(name, info)  lstat((const char *) (name), info)
#define ngx_link_info_n            "lstat()"

#define ngx_file_at_info(fd, name, info, flag)                                \
    fstatat(fd, (const char *) (name), info, flag)
#define ngx_file_at_info_n         "fstatat()"

#define ngx_is_dir(info)           S_ISDIR((info)->st_mode)
#define ngx_is_file(info)          S_ISREG((info)->st_mode)
#define ngx_is_link(info)          S_ISLNK((info)->st_mode)
#define ngx_is_exec(info)          (((info)->st_mode & S_IXUSR) != 0)
#define ngx_file_access(info)      ((info)->st_mode & 0777)
#define ngx_file_size(info)        (info)->st_size
#define ngx_file_mtime(info)       (info)->st_mtime
#define ngx_file_uniq(info)        (info)->st_ino

/*
 * The number of bytes that a file needs on its disk.  A file with holes, and
 * one for which the file system has reserved blocks in advance, count with
 * their size.
 */
#define ngx_file_fs_size(info)                                                \
    (((info)->st_blocks * 512 <= (info)->st_size                              \
      || (info)->st_blocks * 512                                              \
         >= (info)->st_size + 8 * (info)->st_blksize)                         \
     ? (info)->st_size : (info)->st_blocks * 512)


/* Paths and directories. */

#define ngx_realpath(path, to)                                                \
    (u_char *) realpath((char *) (path), (char *) (to))
#define ngx_realpath_n             "realpath()"

/* Writes the current directory to buf.  The result is 1, or 0 on an error. */
#define ngx_getcwd(buf, size)      (getcwd((char *) (buf), size) != NULL)
#define ngx_getcwd_n               "getcwd()"

#define ngx_path_separator(c)      ((c) == '/')

#define ngx_create_dir(name, access)                                          \
    mkdir((const char *) (name), access)
#define ngx_create_dir_n           "mkdir()"

#define ngx_delete_dir(name)       rmdir((const char *) (name))
#define ngx_delete_dir_n           "rmdir()"

/* Permissions of a directory: a user who can read the directory can also search it. */
#define ngx_dir_access(access)     ((access) | ((access) & 0444) >> 2)

#define ngx_close_dir(entries)     closedir((entries)->dir)
#define ngx_close_dir_n            "closedir()"

#define ngx_open_dir_n             "opendir()"
#define ngx_read_dir_n             "readdir()"


/* The entry that ngx_read_dir() has read. */

#define ngx_de_name(entries)       ((u_char *) (entries)->de->d_name)
#define ngx_de_namelen(entries)    strlen((entries)->de->d_name)

#define ngx_de_info_n              "stat()"

#define ngx_de_link_info(name, entries)                                       \
    lstat((const char *) (name), &(entries)->info)
#define ngx_de_link_info_n         "lstat()"

/*
 * Some file systems do not tell the type of an entry, d_type of readdir(3).
 * Then the type is 0, and ngx_de_info() or ngx_de_link_info() must be called
 * before these three.
 */
#define ngx_de_is_dir(entries)                                                \
    ((entries)->type ? (entries)->type == DT_DIR                              \
                     : ngx_is_dir(&(entries)->info))
#define ngx_de_is_file(entries)                                               \
    ((entries)->type ? (entries)->type == DT_REG                              \
                     : ngx_is_file(&(entries)->info))
#define ngx_de_is_link(entries)                                               \
    ((entries)->type ? (entries)->type == DT_LNK                              \
                     : ngx_is_link(&(entries)->info))

#define ngx_de_access(entries)     ngx_file_access(&(entries)->info)
#define ngx_de_size(entries)       (entries)->info.st_size
#define ngx_de_mtime(entries)      (entries)->info.st_mtime
#define ngx_de_fs_size(entries)                                               \
    ngx_max((entries)->info.st_size, (entries)->info.st_blocks * 512)


#define ngx_open_tempfile_n        "open()"
#define ngx_read_file_n            "pread()"
#define ngx_set_file_time_n        "utimes()"
#define ngx_open_glob_n            "glob()"
#define ngx_trylock_fd_n           "fcntl(F_SETLK, F_WRLCK)"
#define ngx_lock_fd_n              "fcntl(F_SETLKW, F_WRLCK)"
#define ngx_unlock_fd_n            "fcntl(F_SETLK, F_UNLCK)"
#define ngx_read_ahead_n           "posix_fadvise(POSIX_FADV_SEQUENTIAL)"
#define ngx_directio_on_n          "fcntl(O_DIRECT)"
#define ngx_directio_off_n         "fcntl(!O_DIRECT)"


/*
 * Creates a file and opens it for reading and writing.  access has the
 * permissions; 0: only the user may use the file.  Unless persistent is 1, the
 * file has no name afterwards, and ends when its descriptor is closed.
 *
 * Returns the descriptor, or NGX_INVALID_FILE and sets errno, also if the file
 * exists.
 *
 * References: open(2), unlink(2); nginx's src/os/unix/ngx_files.c.
 */
ngx_fd_t ngx_open_tempfile(u_char *name, ngx_uint_t persistent,
    ngx_uint_t access);

/*
 * Sets the time of access of the file name to the cached time, and the time of
 * modification to s.  fd is not used.
 *
 * Returns NGX_OK, or NGX_ERROR and sets errno.
 *
 * References: utimes(2).
 */
ngx_int_t ngx_set_file_time(u_char *name, ngx_fd_t fd, time_t s);

/*
 * Reads at most size bytes at offset of a file into buf, and adds their number
 * to file->offset.
 *
 * Returns the number of bytes, 0 at the end of the file; or NGX_ERROR, with a
 * critical line in file->log.
 *
 * References: pread(2).
 */
ssize_t ngx_read_file(ngx_file_t *file, u_char *buf, size_t size,
    off_t offset);

/*
 * Writes the size bytes at buf to a file, at offset, and adds their number to
 * file->offset.
 *
 * Returns size; or NGX_ERROR, with a critical line in file->log.  The bytes
 * that were written before an error are in file->offset.
 *
 * References: pwrite(2).
 */
ssize_t ngx_write_file(ngx_file_t *file, u_char *buf, size_t size,
    off_t offset);

/*
 * Creates the file fm->name, or empties it, and maps fm->size bytes of it to
 * fm->addr.
 *
 * Returns NGX_OK; or NGX_ERROR, with a critical line in fm->log and no
 * descriptor open.
 *
 * References: mmap(2); nginx's src/os/unix/ngx_files.c.
 */
ngx_int_t ngx_create_file_mapping(ngx_file_mapping_t *fm);

/* Removes the mapping of a file and closes its descriptor. */
void ngx_close_file_mapping(ngx_file_mapping_t *fm);

/*
 * Opens the directory name, so that ngx_read_dir() can read its entries and
 * ngx_close_dir() closes it.
 *
 * Returns NGX_OK, or NGX_ERROR and sets errno.
 *
 * References: opendir(3).
 */
ngx_int_t ngx_open_dir(ngx_str_t *name, ngx_dir_t *dir);

/*
 * Reads the next entry of a directory into dir->de.
 *
 * Returns NGX_OK; or NGX_ERROR on an error and at the end of the directory.  At
 * the end errno does not change, so set it to 0 before: then it is
 * NGX_ENOMOREFILES.
 *
 * References: readdir(3).
 */
ngx_int_t ngx_read_dir(ngx_dir_t *dir);

/*
 * Finds the files whose names match gl->pattern.
 *
 * Returns NGX_OK; or NGX_ERROR, also if no file matches and gl->test is 0.
 *
 * References: glob(3).
 */
ngx_int_t ngx_open_glob(ngx_glob_t *gl);

/*
 * Sets name to the next name that ngx_open_glob() has found.  gl->n, which the
 * caller sets to 0 first, counts the names.  Returns NGX_OK, or NGX_DONE if
 * there are no more.  name is valid until ngx_close_glob().
 */
ngx_int_t ngx_read_glob(ngx_glob_t *gl, ngx_str_t *name);

/* Frees the names that ngx_open_glob() has found. */
void ngx_close_glob(ngx_glob_t *gl);

/*
 * Takes a lock on the whole file, if no other process has one.
 *
 * Returns 0, or the errno: NGX_EAGAIN or NGX_EACCES if another process has a
 * lock.
 *
 * References: F_SETLK in fcntl(2).
 */
ngx_err_t ngx_trylock_fd(ngx_fd_t fd);

/* Takes a lock on the whole file, and waits for it.  Returns 0 or the errno. */
ngx_err_t ngx_lock_fd(ngx_fd_t fd);

/* Releases the lock on a file.  Returns 0 or the errno. */
ngx_err_t ngx_unlock_fd(ngx_fd_t fd);

/*
 * Makes the kernel read more of a file in advance.  n is not used.  Returns
 * NGX_OK, or NGX_ERROR and sets errno.
 *
 * References: posix_fadvise(2).
 */
ngx_int_t ngx_read_ahead(ngx_fd_t fd, size_t n);

/*
 * Makes reads and writes of a file bypass the cache of the kernel.  The result
 * is that of fcntl(2): -1 on an error, with errno.
 */
ngx_int_t ngx_directio_on(ngx_fd_t fd);

/* Undoes ngx_directio_on(). */
ngx_int_t ngx_directio_off(ngx_fd_t fd);

/*
 * The size of the blocks, in bytes, of the file system with the file name.
 * Returns 512 if the system does not tell it, or if a block is larger than
 * ngx_pagesize.
 *
 * References: statfs(2).
 */
size_t ngx_fs_bsize(u_char *name);

/*
 * The number of bytes that are free for users in the file system with the file
 * name.  Returns NGX_MAX_OFF_T_VALUE if the system does not tell it.
 */
off_t ngx_fs_available(u_char *name);


/*
 * Writes at most n bytes to a descriptor, as write(2).  The compiler does not
 * warn if a program ignores the result.
 */
static ngx_inline ssize_t
ngx_write_fd(ngx_fd_t fd, void *buf, size_t n)
{
    return write(fd, buf, n);
}


/* Gets the information about the entry with this path, as stat(2). */
static ngx_inline ngx_int_t
ngx_de_info(u_char *name, ngx_dir_t *dir)
{
    dir->type = 0;

    return stat((const char *) name, &dir->info);
}


#ifdef __cplusplus
}
#endif

#endif /* _NGX_FILES_H_INCLUDED_ */
