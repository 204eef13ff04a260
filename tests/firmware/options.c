/* A firmware that prints what the options of its build are for the application and for the library. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "esp_app_desc.h"
#include "esp_event.h"
#include "esp_https_ota.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"
#include "freertos/task.h"
#include "otter/device.h"
#include "otter/system.h"

static const char *TAG = "options";

ESP_EVENT_DEFINE_BASE(OPTIONS_EVENT);

static unsigned long ms_since(int64_t start_us)
{
    return (unsigned long)((otter_now_us() - start_us) / 1000);
}

static void print_ticks(void)
{
    int64_t start = otter_now_us();
    TickType_t ticks = xTaskGetTickCount();
    vTaskDelay(pdMS_TO_TICKS(200));
    unsigned long ms = ms_since(start);
    printf("%u Hz: 200 ms took %lu ms and %u ticks\n", (unsigned)configTICK_RATE_HZ, ms,
           (unsigned)(xTaskGetTickCount() - ticks));
}

static void end(void *arg)
{
    (void)arg;
}

static void print_names(void)
{
    TaskHandle_t task;
    xTaskCreate(end, "a task whose name is long", 4096, NULL, 1, &task);
    printf("%d bytes of name: '%s'\n", (int)configMAX_TASK_NAME_LEN, pcTaskGetName(NULL));
    printf("%d digits: %d\n", (int)CONFIG_APP_RETRIEVE_LEN_ELF_SHA,
           (int)strlen(esp_app_get_elf_sha256_str()));
}

static void print_levels(void)
{
    ESP_LOGD(TAG, "the application's debug line");
    esp_https_ota_handle_t handle;
    esp_https_ota_begin(NULL,
                        &handle); /* there is no loop for its event, which the library says in a debug line */
    esp_log_level_set("*", ESP_LOG_VERBOSE);
    ESP_LOGV(TAG, "the application's verbose line");
    esp_https_ota_begin(NULL, &handle);
    esp_log_level_set("*", (esp_log_level_t)CONFIG_LOG_DEFAULT_LEVEL);
}

static void wait_for_release(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)base, (void)id, (void)data;
    xSemaphoreTake(arg, portMAX_DELAY);
}

/** How many events find room while a handler works, and how long the library waits for room. */
static void print_events(void)
{
    SemaphoreHandle_t release = xSemaphoreCreateCounting(1000, 0);
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    ESP_ERROR_CHECK(esp_event_handler_register(OPTIONS_EVENT, 0, wait_for_release, release));
    int posted = 0;
    while (esp_event_post(OPTIONS_EVENT, 0, NULL, 0, pdMS_TO_TICKS(300)) == ESP_OK) {
        posted++;
    }
    int64_t start = otter_now_us();
    esp_https_ota_handle_t handle;
    esp_https_ota_begin(NULL, &handle);
    printf("%d events: %d found room, the next waited %lu ms\n", (int)CONFIG_ESP_SYSTEM_EVENT_QUEUE_SIZE,
           posted - 1, ms_since(start)); /* the first one is with the handler */
    for (int i = 0; i < posted; i++) {
        xSemaphoreGive(release);
    }
}

void app_main(void)
{
    print_ticks();
    print_names();
    print_levels();
    print_events();
#ifdef CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE
    printf("rollback: application on, library %s\n", otter_device_current()->config.rollback ? "on" : "off");
#else
    printf("rollback: application off, library %s\n", otter_device_current()->config.rollback ? "on" : "off");
#endif
}
