/* File systems of an application, which find no place. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_vfs.h"

#include "esp_log.h"

static const char TAG[] = "vfs";

#define PATH_MIN 2 /* "/a" */

esp_err_t esp_vfs_register(const char *base_path, const esp_vfs_t *vfs, void *ctx)
{
    (void)ctx;
    const size_t len = base_path != NULL ? strlen(base_path) : 0;
    if (vfs == NULL || (len != 0 && (len < PATH_MIN || len > ESP_VFS_PATH_MAX || base_path[0] != '/' ||
                                     base_path[len - 1] == '/'))) {
        return ESP_ERR_INVALID_ARG;
    }
    ESP_LOGE(TAG, "%s: files are this machine's, and nothing can be put under a path",
             len > 0 ? base_path : "all paths");
    return ESP_ERR_NOT_SUPPORTED;
}

esp_err_t esp_vfs_unregister(const char *base_path)
{
    (void)base_path;
    return ESP_ERR_INVALID_STATE;
}
