/* The one device that ESP-IDF's names mean. No other file of src/ keeps a pointer to one: all below src/idf/ is given it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "idf/device_current.h"

#include "esp_log.h"

static otter_device_t *current;

void otter_device_set_current(otter_device_t *device)
{
    current = device;
}

otter_device_t *otter_device_current(void)
{
    return current;
}

otter_device_t *device_or_complain(const char *tag)
{
    if (current == NULL) {
        ESP_LOGE(tag, "no device: a program that is no firmware of `otter run` opens one and says which, by "
                      "otter_device_set_current()");
    }
    return current;
}
