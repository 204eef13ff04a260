/* ESP-IDF's eventfd(), which is this machine's. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <sys/eventfd.h>

#include "esp_err.h"

#define EFD_SUPPORT_ISR 0 /* this machine's may be written anywhere */

typedef struct {
    size_t max_fds; /* there may be more */
} esp_vfs_eventfd_config_t;

#define ESP_VFS_EVENTD_CONFIG_DEFAULT()                                                                      \
    (esp_vfs_eventfd_config_t)                                                                               \
    {                                                                                                        \
        .max_fds = 5                                                                                         \
    }

static inline esp_err_t esp_vfs_eventfd_register(const esp_vfs_eventfd_config_t *config)
{
    return config != NULL ? ESP_OK : ESP_ERR_INVALID_ARG;
}

static inline esp_err_t esp_vfs_eventfd_unregister(void)
{
    return ESP_OK;
}
