/* What is mounted where: folders of this machine, and file systems that the application has written itself. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "esp_vfs.h"

/** A mounted file system. Its memory stays when it is unmounted: somebody may be in a call of it. */
typedef struct {
    bool used;
    char base[ESP_VFS_PATH_MAX + 1];
    char *folder; /* of this machine, else NULL: it is the application's */
    bool read_only, makes_folders;
    esp_vfs_t fs;
    void *ctx;
} mount_t;

/** Where a path leads. */
typedef struct {
    const mount_t *mount; /* NULL: to this machine's own file of that name */
    const char *rest;     /* of the path, behind the mounted one: "/a" */
    char *host;           /* the path in the folder, else NULL; place_free() */
} place_t;

/** @return false, with errno: ENOMEM; ENOENT: a path that leads out of what is mounted by ".." */
bool vfs_place(const char *path, place_t *place);
void vfs_place_free(place_t *place);

/** @return ESP_OK; ESP_ERR_NO_MEM; ESP_ERR_INVALID_STATE: something is mounted there */
esp_err_t vfs_mount(const mount_t *mount);
/** The mounted file system of that path, else NULL. */
const mount_t *vfs_find(const char *base);
esp_err_t vfs_unmount(const char *base);
/** Whether esp_vfs_register() takes it: "/" and a name, 15 characters at most, no "/" at its end. */
bool vfs_is_base(const char *base);

/** A descriptor of this machine that stands for one of the application's file system, which it takes over.
    @return below 0, with errno */
int vfs_adopt(const mount_t *mount, int own);

/* The C library's functions, as the linker names them when calls come here (--wrap). */
int __real_open(const char *path, int flags, ...);
int __real_close(int fd);
FILE *__real_fopen(const char *path, const char *mode);
int __real_mkdir(const char *path, mode_t mode);
int __real_stat(const char *path, struct stat *st);
int __real_rename(const char *from, const char *to);
int __real_rmdir(const char *path);
int __real_unlink(const char *path);

ssize_t __wrap_read(int fd, void *to, size_t size);
ssize_t __wrap_write(int fd, const void *data, size_t size);
off_t __wrap_lseek(int fd, off_t offset, int whence);
int __wrap_close(int fd);
