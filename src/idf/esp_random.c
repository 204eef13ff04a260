/* ESP-IDF's random numbers on the system seam. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_random.h"

#include "otter/system.h"

uint32_t esp_random(void)
{
    uint32_t value;
    otter_random(&value, sizeof(value));
    return value;
}

void esp_fill_random(void *buf, size_t len)
{
    otter_random(buf, len);
}
