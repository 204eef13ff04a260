/* ESP-IDF's virtual file systems, which cannot be registered: files are this machine's. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
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

/** What a file system would do for files below its path. */
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
} esp_vfs_t;

/**
 * The C library of this machine knows no paths but its own, and the log says so.
 * @return ESP_ERR_INVALID_ARG: a path that ESP-IDF does not take, or NULL; ESP_ERR_NOT_SUPPORTED
 */
esp_err_t esp_vfs_register(const char *base_path, const esp_vfs_t *vfs, void *ctx);
/** @return ESP_ERR_INVALID_STATE: nothing is registered */
esp_err_t esp_vfs_unregister(const char *base_path);

#define esp_vfs_select select

#ifdef __cplusplus
}
#endif
