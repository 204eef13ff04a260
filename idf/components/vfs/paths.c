/* What the C library does with paths, for those below a mounted one. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "vfs.h"

#define OPEN_FOLDERS_MAX 32

static int refuse(int code)
{
    errno = code;
    return -1;
}

static bool has_ctx(const mount_t *mount)
{
    return (mount->fs.flags & ESP_VFS_FLAG_CONTEXT_PTR) != 0;
}

/** SPIFFS has no folders, and takes "/" as a part of a name: there must be one here for it. */
static void make_folders(const place_t *place)
{
    for (char *at = place->host + strlen(place->mount->folder) + 1; (at = strchr(at, '/')) != NULL; at++) {
        *at = '\0';
        (void)__real_mkdir(place->host, 0777); /* it may be there; what follows fails where it is not */
        *at = '/';
    }
}

/* ---- open ---- */

static int open_own(const place_t *place, int flags, int mode)
{
    const esp_vfs_t *fs = &place->mount->fs;
    if (fs->open == NULL) {
        return refuse(ENOSYS);
    }
    int own = has_ctx(place->mount) ? fs->open_p(place->mount->ctx, place->rest, flags, mode)
                                    : fs->open(place->rest, flags, mode);
    return own < 0 ? own : vfs_adopt(place->mount, own);
}

static int open_place(const place_t *place, const char *path, int flags, mode_t mode)
{
    const mount_t *mount = place->mount;
    if (mount == NULL) {
        return __real_open(path, flags, mode);
    }
    if (mount->read_only && (flags & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)) != 0) {
        return refuse(EROFS);
    }
    if (mount->folder == NULL) {
        return open_own(place, flags, (int)mode);
    }
    if (mount->makes_folders && (flags & O_CREAT) != 0) {
        make_folders(place);
    }
    return __real_open(place->host, flags, (flags & O_CREAT) != 0 ? mode | S_IRUSR | S_IWUSR : mode);
}

static int open_path(const char *path, int flags, mode_t mode)
{
    place_t place;
    if (!vfs_place(path, &place)) {
        return -1;
    }
    int fd = open_place(&place, path, flags, mode);
    vfs_place_free(&place);
    return fd;
}

int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = __OPEN_NEEDS_MODE(flags) ? va_arg(args, mode_t) : 0;
    va_end(args);
    return open_path(path, flags, mode);
}

int __wrap_open64(const char *path, int flags, ...) __attribute__((alias("__wrap_open")));

int __wrap_creat(const char *path, mode_t mode);
int __wrap_creat(const char *path, mode_t mode)
{
    return open_path(path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

/* ---- streams ---- */

/** @return the flags of open(), below 0: that is no mode */
static int flags_of(const char *mode)
{
    static const struct {
        char letter;
        int alone, both;
    } modes[] = {
        {'r', O_RDONLY, O_RDWR},
        {'w', O_WRONLY | O_CREAT | O_TRUNC, O_RDWR | O_CREAT | O_TRUNC},
        {'a', O_WRONLY | O_CREAT | O_APPEND, O_RDWR | O_CREAT | O_APPEND},
    };
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        if (modes[i].letter == mode[0]) {
            return strchr(mode, '+') != NULL ? modes[i].both : modes[i].alone;
        }
    }
    return refuse(EINVAL);
}

static ssize_t read_stream(void *cookie, char *to, size_t size)
{
    return __wrap_read((int)(intptr_t)cookie, to, size);
}

static ssize_t write_stream(void *cookie, const char *data, size_t size)
{
    ssize_t done = __wrap_write((int)(intptr_t)cookie, data, size);
    return done < 0 ? 0 : done; /* so the C library wants it of a stream's function */
}

static int seek_stream(void *cookie, off64_t *offset, int whence)
{
    off_t at = __wrap_lseek((int)(intptr_t)cookie, *offset, whence);
    *offset = at;
    return at < 0 ? -1 : 0;
}

static int close_stream(void *cookie)
{
    return __wrap_close((int)(intptr_t)cookie);
}

/** A stream over calls of the application's file system. */
static FILE *open_cookie(const char *path, const char *mode)
{
    int flags = flags_of(mode), fd = flags >= 0 ? open_path(path, flags, 0666) : -1;
    if (fd < 0) {
        return NULL;
    }
    const cookie_io_functions_t functions = {read_stream, write_stream, seek_stream, close_stream};
    FILE *file = fopencookie((void *)(intptr_t)fd, mode, functions); // NOLINT(performance-no-int-to-ptr)
    if (file == NULL) {
        __wrap_close(fd);
    }
    return file;
}

FILE *__wrap_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode)
{
    place_t place;
    if (!vfs_place(path, &place)) {
        return NULL;
    }
    FILE *file = NULL;
    if (place.mount == NULL) {
        file = __real_fopen(path, mode);
    } else if (place.host == NULL) {
        file = open_cookie(path, mode);
    } else if (place.mount->read_only && strpbrk(mode, "wa+") != NULL) {
        errno = EROFS;
    } else {
        if (place.mount->makes_folders && strpbrk(mode, "wa") != NULL) {
            make_folders(&place);
        }
        file = __real_fopen(place.host, mode);
    }
    vfs_place_free(&place);
    return file;
}

FILE *__wrap_fopen64(const char *path, const char *mode) __attribute__((alias("__wrap_fopen")));

/* ---- calls with one path ---- */

typedef int (*path_call_t)(const char *path);

/** @param writes it changes something */
static int call_path(const char *path, path_call_t real, int (*const *own)(const char *),
                     int (*const *own_p)(void *, const char *), const place_t *place, bool writes)
{
    if (place->mount == NULL) {
        return real(path);
    }
    if (writes && place->mount->read_only) {
        return refuse(EROFS);
    }
    if (place->host != NULL) {
        return real(place->host);
    }
    if (*own == NULL) {
        return refuse(ENOSYS);
    }
    return has_ctx(place->mount) ? (*own_p)(place->mount->ctx, place->rest) : (*own)(place->rest);
}

static int unlink_by(const char *path, path_call_t real)
{
    place_t place;
    if (!vfs_place(path, &place)) {
        return -1;
    }
    const esp_vfs_t *fs = place.mount != NULL ? &place.mount->fs : &(esp_vfs_t){0};
    int result = call_path(path, real, &fs->unlink, &fs->unlink_p, &place, true);
    vfs_place_free(&place);
    return result;
}

int __wrap_unlink(const char *path);
int __wrap_unlink(const char *path)
{
    return unlink_by(path, __real_unlink);
}

int __real_remove(const char *path);
int __wrap_remove(const char *path);
int __wrap_remove(const char *path)
{
    return unlink_by(path, __real_remove);
}

int __wrap_rmdir(const char *path);
int __wrap_rmdir(const char *path)
{
    place_t place;
    if (!vfs_place(path, &place)) {
        return -1;
    }
    const esp_vfs_t *fs = place.mount != NULL ? &place.mount->fs : &(esp_vfs_t){0};
    int result = call_path(path, __real_rmdir, &fs->rmdir, &fs->rmdir_p, &place, true);
    vfs_place_free(&place);
    return result;
}

/* ---- what asks about a path ---- */

static int stat_own(const place_t *place, struct stat *st)
{
    const esp_vfs_t *fs = &place->mount->fs;
    if (fs->stat == NULL) {
        return refuse(ENOSYS);
    }
    return has_ctx(place->mount) ? fs->stat_p(place->mount->ctx, place->rest, st) : fs->stat(place->rest, st);
}

static int stat_by(const char *path, struct stat *st, int (*real)(const char *, struct stat *))
{
    place_t place;
    if (!vfs_place(path, &place)) {
        return -1;
    }
    int result;
    if (place.mount == NULL) {
        result = real(path, st);
    } else {
        result = place.host != NULL ? real(place.host, st) : stat_own(&place, st);
    }
    vfs_place_free(&place);
    return result;
}

int __wrap_stat(const char *path, struct stat *st);
int __wrap_stat(const char *path, struct stat *st)
{
    return stat_by(path, st, __real_stat);
}

int __real_lstat(const char *path, struct stat *st);
int __wrap_lstat(const char *path, struct stat *st);
int __wrap_lstat(const char *path, struct stat *st)
{
    return stat_by(path, st, __real_lstat);
}

int __real_access(const char *path, int mode);
int __wrap_access(const char *path, int mode);
int __wrap_access(const char *path, int mode)
{
    place_t place;
    if (!vfs_place(path, &place)) {
        return -1;
    }
    const mount_t *mount = place.mount;
    int result;
    if (mount == NULL || place.host != NULL) {
        result = __real_access(place.host != NULL ? place.host : path, mode);
    } else if (mount->fs.access != NULL) {
        result = has_ctx(mount) ? mount->fs.access_p(mount->ctx, place.rest, mode)
                                : mount->fs.access(place.rest, mode);
    } else {
        result = refuse(ENOSYS);
    }
    vfs_place_free(&place);
    return result;
}

/* ---- what changes names and lengths ---- */

static int rename_places(const place_t *a, const place_t *b)
{
    const mount_t *mount = a->mount;
    if (mount != b->mount) {
        return refuse(EXDEV);
    }
    if (mount->read_only) {
        return refuse(EROFS);
    }
    if (a->host != NULL) {
        return __real_rename(a->host, b->host);
    }
    if (mount->fs.rename == NULL) {
        return refuse(ENOSYS);
    }
    return has_ctx(mount) ? mount->fs.rename_p(mount->ctx, a->rest, b->rest)
                          : mount->fs.rename(a->rest, b->rest);
}

int __wrap_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to)
{
    place_t a, b;
    if (!vfs_place(from, &a)) {
        return -1;
    }
    int result = -1;
    if (vfs_place(to, &b)) {
        result = a.mount == NULL && b.mount == NULL ? __real_rename(from, to) : rename_places(&a, &b);
        vfs_place_free(&b);
    }
    vfs_place_free(&a);
    return result;
}

static int mkdir_place(const place_t *place, mode_t mode)
{
    const mount_t *mount = place->mount;
    if (mount->read_only) {
        return refuse(EROFS);
    }
    if (mount->makes_folders) {
        return refuse(ENOTSUP); /* SPIFFS has none */
    }
    if (place->host != NULL) {
        return __real_mkdir(place->host, mode | S_IRWXU);
    }
    if (mount->fs.mkdir == NULL) {
        return refuse(ENOSYS);
    }
    return has_ctx(mount) ? mount->fs.mkdir_p(mount->ctx, place->rest, mode)
                          : mount->fs.mkdir(place->rest, mode);
}

int __wrap_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode)
{
    place_t place;
    if (!vfs_place(path, &place)) {
        return -1;
    }
    int result = place.mount != NULL ? mkdir_place(&place, mode) : __real_mkdir(path, mode);
    vfs_place_free(&place);
    return result;
}

static int truncate_place(const place_t *place, off_t length, int (*real)(const char *, off_t))
{
    const mount_t *mount = place->mount;
    if (mount->read_only) {
        return refuse(EROFS);
    }
    if (place->host != NULL) {
        return real(place->host, length);
    }
    if (mount->fs.truncate == NULL) {
        return refuse(ENOSYS);
    }
    return has_ctx(mount) ? mount->fs.truncate_p(mount->ctx, place->rest, length)
                          : mount->fs.truncate(place->rest, length);
}

int __real_truncate(const char *path, off_t length);
int __wrap_truncate(const char *path, off_t length);
int __wrap_truncate(const char *path, off_t length)
{
    place_t place;
    if (!vfs_place(path, &place)) {
        return -1;
    }
    int result =
        place.mount != NULL ? truncate_place(&place, length, __real_truncate) : __real_truncate(path, length);
    vfs_place_free(&place);
    return result;
}

/* ---- folders ---- */

static pthread_mutex_t folders_lock = PTHREAD_MUTEX_INITIALIZER;
static DIR *folders[OPEN_FOLDERS_MAX]; /* open ones below what is mounted: no "." and ".." is read of them */

/** Puts `after` in the place of `before`. @return false: it is not there */
static bool replace_folder(const DIR *before, DIR *after)
{
    bool found = false;
    (void)pthread_mutex_lock(&folders_lock);
    for (size_t i = 0; i < OPEN_FOLDERS_MAX && !found; i++) {
        if (folders[i] == before) {
            folders[i] = after;
            found = true;
        }
    }
    (void)pthread_mutex_unlock(&folders_lock);
    return found;
}

static bool is_ours(DIR *folder)
{
    return replace_folder(folder, folder);
}

DIR *__real_opendir(const char *path);
DIR *__wrap_opendir(const char *path);
DIR *__wrap_opendir(const char *path)
{
    place_t place;
    if (!vfs_place(path, &place)) {
        return NULL;
    }
    DIR *folder = NULL;
    if (place.mount == NULL) {
        folder = __real_opendir(path);
    } else if (place.host == NULL) {
        errno = ENOSYS;
    } else {
        folder = __real_opendir(place.host);
        (void)(folder != NULL &&
               replace_folder(NULL, folder)); /* with more open ones "." and ".." are read, too */
    }
    vfs_place_free(&place);
    return folder;
}

struct dirent *__real_readdir(DIR *folder);
struct dirent *__wrap_readdir(DIR *folder);
struct dirent *__wrap_readdir(DIR *folder)
{
    struct dirent *entry = __real_readdir(folder);
    while (entry != NULL && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) &&
           is_ours(folder)) {
        entry = __real_readdir(folder);
    }
    return entry;
}

int __real_closedir(DIR *folder);
int __wrap_closedir(DIR *folder);
int __wrap_closedir(DIR *folder)
{
    (void)replace_folder(folder, NULL); /* others are not in it */
    return __real_closedir(folder);
}
