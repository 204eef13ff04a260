/* The table of what is mounted. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "esp_log.h"
#include "vfs.h"

static const char TAG[] = "vfs";

#define PATH_MIN   2 /* "/a" */
#define MOUNTS_MAX 16

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static mount_t mounts[MOUNTS_MAX];

bool vfs_is_base(const char *base)
{
    const size_t len = base != NULL ? strlen(base) : 0;
    return len >= PATH_MIN && len <= ESP_VFS_PATH_MAX && base[0] == '/' && base[len - 1] != '/';
}

/** With the lock held. */
static mount_t *find(const char *base)
{
    for (size_t i = 0; i < MOUNTS_MAX; i++) {
        if (mounts[i].used && strcmp(mounts[i].base, base) == 0) {
            return &mounts[i];
        }
    }
    return NULL;
}

/** With the lock held. */
static mount_t *find_free(void)
{
    for (size_t i = 0; i < MOUNTS_MAX; i++) {
        if (!mounts[i].used) {
            return &mounts[i];
        }
    }
    return NULL;
}

esp_err_t vfs_mount(const mount_t *mount)
{
    (void)pthread_mutex_lock(&lock); /* a plain one: this cannot fail */
    mount_t *place = find_free();
    esp_err_t err = place == NULL ? ESP_ERR_NO_MEM : ESP_OK;
    if (find(mount->base) != NULL) {
        err = ESP_ERR_INVALID_STATE;
    } else if (err == ESP_OK) {
        free(place->folder);
        *place = *mount;
        place->used = true;
    }
    (void)pthread_mutex_unlock(&lock);
    return err;
}

const mount_t *vfs_find(const char *base)
{
    (void)pthread_mutex_lock(&lock);
    const mount_t *mount = find(base);
    (void)pthread_mutex_unlock(&lock);
    return mount;
}

esp_err_t vfs_unmount(const char *base)
{
    (void)pthread_mutex_lock(&lock);
    mount_t *mount = base != NULL ? find(base) : NULL;
    if (mount != NULL) {
        mount->used = false;
    }
    (void)pthread_mutex_unlock(&lock);
    return mount != NULL ? ESP_OK : ESP_ERR_INVALID_STATE;
}

/** The longest mounted path above this one, as ESP-IDF has it. */
static const mount_t *mount_above(const char *path)
{
    const mount_t *found = NULL;
    size_t longest = 0;
    (void)pthread_mutex_lock(&lock);
    for (size_t i = 0; i < MOUNTS_MAX; i++) {
        size_t len = strlen(mounts[i].base);
        if (mounts[i].used && len > longest && strncmp(path, mounts[i].base, len) == 0 &&
            (path[len] == '/' || path[len] == '\0')) {
            found = &mounts[i];
            longest = len;
        }
    }
    (void)pthread_mutex_unlock(&lock);
    return found;
}

static bool leads_up(const char *path)
{
    const size_t len = strlen(path);
    return strstr(path, "/../") != NULL || (len >= 3 && strcmp(path + len - 3, "/..") == 0);
}

bool vfs_place(const char *path, place_t *place)
{
    *place = (place_t){0};
    if (path == NULL || path[0] != '/' || (place->mount = mount_above(path)) == NULL) {
        return true;
    }
    place->rest = path + strlen(place->mount->base);
    if (leads_up(place->rest)) {
        errno = ENOENT;
        return false;
    }
    return place->mount->folder == NULL ||
           asprintf(&place->host, "%s%s", place->mount->folder, place->rest) >= 0;
}

void vfs_place_free(place_t *place)
{
    int code = errno; /* of the call that this ends */
    free(place->host);
    errno = code;
}

esp_err_t esp_vfs_register(const char *base_path, const esp_vfs_t *vfs, void *ctx)
{
    if (vfs == NULL || base_path == NULL || (base_path[0] != '\0' && !vfs_is_base(base_path))) {
        return ESP_ERR_INVALID_ARG;
    }
    if (base_path[0] == '\0') {
        ESP_LOGE(TAG, "paths of nobody else are this machine's: a file system has a path of its own");
        return ESP_ERR_NOT_SUPPORTED;
    }
    mount_t mount = {.fs = *vfs, .ctx = ctx, .read_only = (vfs->flags & ESP_VFS_FLAG_READONLY_FS) != 0};
    memcpy(mount.base, base_path, strlen(base_path) + 1);
    return vfs_mount(&mount);
}

esp_err_t esp_vfs_unregister(const char *base_path)
{
    return vfs_unmount(base_path);
}
