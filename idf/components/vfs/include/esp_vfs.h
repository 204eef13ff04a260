/* ESP-IDF's virtual file systems: those of an application, below a path. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "esp_err.h"
#include "freertos/FreeRTOS.h"
#include "sdkconfig.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ESP_VFS_PATH_MAX         15
#define ESP_VFS_FLAG_DEFAULT     (1 << 0)
#define ESP_VFS_FLAG_CONTEXT_PTR (1 << 1)
#define ESP_VFS_FLAG_READONLY_FS (1 << 2)
#define ESP_VFS_FLAG_STATIC      (1 << 3)

/** What a file system does for files below its path, which it gets as "/name"; NULL: ENOSYS. */
typedef struct {
    int flags;
    union {
        ssize_t (*write_p)(void *ctx, int fd, const void *data, size_t size);
        ssize_t (*write)(int fd, const void *data, size_t size);
    };
    union {
        off_t (*lseek_p)(void *ctx, int fd, off_t size, int mode);
        off_t (*lseek)(int fd, off_t size, int mode);
    };
    union {
        ssize_t (*read_p)(void *ctx, int fd, void *dst, size_t size);
        ssize_t (*read)(int fd, void *dst, size_t size);
    };
    union {
        int (*open_p)(void *ctx, const char *path, int flags, int mode);
        int (*open)(const char *path, int flags, int mode);
    };
    union {
        int (*close_p)(void *ctx, int fd);
        int (*close)(int fd);
    };
    union {
        int (*fstat_p)(void *ctx, int fd, struct stat *st);
        int (*fstat)(int fd, struct stat *st);
    };
    union {
        int (*stat_p)(void *ctx, const char *path, struct stat *st);
        int (*stat)(const char *path, struct stat *st);
    };
    union {
        int (*unlink_p)(void *ctx, const char *path);
        int (*unlink)(const char *path);
    };
    union {
        int (*rename_p)(void *ctx, const char *src, const char *dst);
        int (*rename)(const char *src, const char *dst);
    };
    union {
        int (*fcntl_p)(void *ctx, int fd, int cmd, int arg);
        int (*fcntl)(int fd, int cmd, int arg);
    };
    union {
        int (*ioctl_p)(void *ctx, int fd, int cmd, va_list args);
        int (*ioctl)(int fd, int cmd, va_list args);
    };
    union {
        int (*fsync_p)(void *ctx, int fd);
        int (*fsync)(int fd);
    };
    union {
        int (*mkdir_p)(void *ctx, const char *name, mode_t mode);
        int (*mkdir)(const char *name, mode_t mode);
    };
    union {
        int (*rmdir_p)(void *ctx, const char *name);
        int (*rmdir)(const char *name);
    };
    union {
        int (*access_p)(void *ctx, const char *path, int amode);
        int (*access)(const char *path, int amode);
    };
    union {
        int (*truncate_p)(void *ctx, const char *path, off_t length);
        int (*truncate)(const char *path, off_t length);
    };
} esp_vfs_t;

/**
 * Calls of the C library with paths below it go to the file system (copied), and those with descriptors that its open() gave.
 * Not there: folders to read (opendir()), select(), terminals. Of what is linked as a shared library nothing comes here.
 * @param base_path "/" and a name, 15 characters at most; ESP-IDF's "", for paths of nobody else, is not to be had
 * @return ESP_OK; ESP_ERR_INVALID_ARG: a path that ESP-IDF does not take, or NULL; ESP_ERR_NOT_SUPPORTED: ""; ESP_ERR_NO_MEM:
 * there are sixteen; ESP_ERR_INVALID_STATE: there is one
 */
esp_err_t esp_vfs_register(const char *base_path, const esp_vfs_t *vfs, void *ctx);
/** What is open stays open. @return ESP_OK; ESP_ERR_INVALID_STATE: nothing is registered there */
esp_err_t esp_vfs_unregister(const char *base_path);

#define esp_vfs_select select

#ifdef __cplusplus
}
#endif
