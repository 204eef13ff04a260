/* The smallest firmware: says which image runs, from where and why, and counts what it is told to do. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "esp_app_desc.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_system.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

static const char *TAG = "hello";

void app_main(void)
{
    const esp_partition_t *running = esp_ota_get_running_partition();
    ESP_LOGI(TAG, "Hello from version %s in %s, reset reason %d", esp_app_get_description()->version,
             running->label, esp_reset_reason());
    vTaskDelay(pdMS_TO_TICKS(100));
    ESP_LOGI(TAG, "Good bye");
}
