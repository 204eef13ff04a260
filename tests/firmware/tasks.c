/*
 * Many tasks at once on everything that tasks share: flash, partitions, maps, updates, the event loop, the log. Each checks what
 * only it can have written; TASKS="nvs,maps" picks some of them. With OTA_URL and OTA_CA two more tasks update over HTTPS and
 * look on; those must be picked by name.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esp_event.h"
#include "esp_http_client.h"
#include "esp_https_ota.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_partition.h"
#include "esp_system.h"
#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"
#include "freertos/task.h"

#define SECTOR 4096u
#define IMAGE  (64u * 1024) /* bytes of what runs that are copied as an update */
#define ROUNDS 400

static const char TAG[] = "tasks";

static SemaphoreHandle_t ended;
static atomic_int faults;

#define EXPECT(condition)                                                                                    \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            atomic_fetch_add(&faults, 1);                                                                    \
            ESP_LOGE(TAG, "%s:%d: not so: %s", __func__, __LINE__, #condition);                              \
        }                                                                                                    \
    } while (0)

static const esp_partition_t *find_data(const char *label)
{
    return esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY, label);
}

/** Erases, writes and reads back a partition of its own, sector by sector. */
static void write_and_read(const char *label)
{
    const esp_partition_t *part = find_data(label);
    uint8_t out[256], in[256];
    for (int round = 0; round < ROUNDS; round++) {
        uint32_t sector = (uint32_t)round % (part->size / SECTOR) * SECTOR;
        EXPECT(esp_partition_erase_range(part, sector, SECTOR) == ESP_OK);
        for (uint32_t at = 0; at < SECTOR; at += sizeof(out)) {
            memset(out, (int)((uint32_t)round + at / sizeof(out)), sizeof(out));
            EXPECT(esp_partition_write(part, sector + at, out, sizeof(out)) == ESP_OK);
        }
        for (uint32_t at = 0; at < SECTOR; at += sizeof(out)) {
            memset(out, (int)((uint32_t)round + at / sizeof(out)), sizeof(out));
            EXPECT(esp_partition_read(part, sector + at, in, sizeof(in)) == ESP_OK);
            EXPECT(memcmp(in, out, sizeof(in)) == 0);
        }
    }
}

static void use_nvs(void)
{
    write_and_read("nvs");
}

static void use_store(void)
{
    write_and_read("store");
}

/** Copies the beginning of what runs into the next slot as an update, which is none and is refused at the end. */
static void update(void)
{
    static uint8_t bytes[SECTOR], written[SECTOR];
    const esp_partition_t *from = esp_ota_get_running_partition();
    const esp_partition_t *to = esp_ota_get_next_update_partition(NULL);
    for (int round = 0; round < ROUNDS / 4 + 1; round++) {
        esp_ota_handle_t handle;
        EXPECT(esp_ota_begin(to, OTA_WITH_SEQUENTIAL_WRITES, &handle) == ESP_OK);
        for (uint32_t at = 0; at < IMAGE; at += SECTOR) {
            EXPECT(esp_partition_read(from, at, bytes, sizeof(bytes)) == ESP_OK);
            EXPECT(esp_ota_write(handle, bytes, sizeof(bytes)) == ESP_OK);
        }
        for (uint32_t at = 0; at < IMAGE; at += SECTOR) {
            EXPECT(esp_partition_read(from, at, bytes, sizeof(bytes)) == ESP_OK);
            EXPECT(esp_partition_read(to, at, written, sizeof(written)) == ESP_OK);
            EXPECT(memcmp(bytes, written, sizeof(bytes)) == 0);
        }
        EXPECT(round % 2 == 0 ? esp_ota_end(handle) == ESP_ERR_OTA_VALIDATE_FAILED
                              : esp_ota_abort(handle) == ESP_OK);
    }
}

/** Asks what others change meanwhile. */
static void ask(void)
{
    const esp_partition_t *running = esp_ota_get_running_partition();
    for (int round = 0; round < ROUNDS * 4; round++) {
        esp_ota_img_states_t state;
        esp_app_desc_t desc;
        EXPECT(esp_ota_get_running_partition() == running);
        EXPECT(esp_ota_get_boot_partition() != NULL);
        EXPECT(esp_ota_get_next_update_partition(NULL) != NULL);
        EXPECT(esp_ota_get_partition_description(running, &desc) == ESP_OK);
        (void)esp_ota_get_state_partition(running, &state);
        (void)esp_ota_check_rollback_is_possible();
        (void)esp_ota_mark_app_valid_cancel_rollback();
    }
}

static void map(void)
{
    static const char *const labels[] = {"phy_init", "store"};
    for (int round = 0; round < ROUNDS * 10; round++) {
        const esp_partition_t *part = find_data(labels[round % 2]);
        const void *bytes;
        esp_partition_mmap_handle_t handle;
        EXPECT(esp_partition_mmap(part, part->size - SECTOR, SECTOR, ESP_PARTITION_MMAP_DATA, &bytes,
                                  &handle) == ESP_OK);
        esp_partition_munmap(handle);
    }
}

/** Each task of this kind has a place of its own, behind the last partition of the table. */
static void register_partitions(void)
{
    static atomic_uint next = 0x7F0000;
    const uint32_t place = atomic_fetch_add(&next, SECTOR);
    for (int round = 0; round < ROUNDS * 10; round++) {
        char label[16];
        snprintf(label, sizeof(label), "own%x", (unsigned)place);
        const esp_partition_t *part = NULL;
        EXPECT(esp_partition_register_external(NULL, place, SECTOR, label, ESP_PARTITION_TYPE_DATA,
                                               (esp_partition_subtype_t)0x50, &part) == ESP_OK);
        EXPECT(find_data(label) == part);
        EXPECT(esp_partition_deregister_external(part) == ESP_OK);
        EXPECT(find_data(label) == NULL);
    }
}

static void log_lines(void)
{
    static const char *const tags[] = {"red", "green", "blue"};
    for (int round = 0; round < ROUNDS * 4; round++) {
        const char *tag = tags[round % 3];
        esp_log_level_set(tag, round % 2 == 0 ? ESP_LOG_NONE : ESP_LOG_ERROR);
        esp_log_level_t level = esp_log_level_get(tag); /* once: the other task changes it meanwhile */
        EXPECT(level == ESP_LOG_NONE || level == ESP_LOG_ERROR);
        ESP_LOGE(tag, "a line");
        ESP_LOGD(tag, "another");
    }
}

ESP_EVENT_DEFINE_BASE(TEST_EVENT);

static void take_event(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)base;
    (void)id;
    EXPECT(arg == TAG && strcmp(data, "data") == 0);
}

static void post_events(void)
{
    for (int round = 0; round < ROUNDS * 20; round++) {
        esp_err_t err = esp_event_post(TEST_EVENT, round, "data", 5, portMAX_DELAY);
        EXPECT(err == ESP_OK || err == ESP_ERR_INVALID_STATE);
        if (err != ESP_OK) {
            taskYIELD(); /* there is no loop just now */
        }
    }
}

static void restart_loop(void)
{
    for (int round = 0; round < ROUNDS * 5; round++) {
        EXPECT(esp_event_loop_create_default() == ESP_OK);
        esp_event_handler_instance_t instance = NULL;
        EXPECT(esp_event_handler_instance_register(TEST_EVENT, ESP_EVENT_ANY_ID, take_event,
                                                   (void *)(uintptr_t)TAG, &instance) == ESP_OK);
        EXPECT(esp_event_post(TEST_EVENT, -2, "data", 5, portMAX_DELAY) == ESP_OK);
        EXPECT(esp_event_handler_instance_unregister(TEST_EVENT, ESP_EVENT_ANY_ID, instance) == ESP_OK);
        EXPECT(esp_event_loop_delete_default() == ESP_OK);
    }
}

static void end_loop_for_ever(void *unused)
{
    (void)unused;
    for (;;) {
        if (esp_event_loop_delete_default() != ESP_OK) {
            vTaskDelay(1);
        }
    }
}

static void post_for_ever(void *unused)
{
    (void)unused;
    for (;;) {
        if (esp_event_post(TEST_EVENT, 1, NULL, 0, portMAX_DELAY) != ESP_OK) {
            vTaskDelay(1);
        }
    }
}

static void take_slowly(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)arg, (void)base, (void)id, (void)data;
    vTaskDelay(1);
}

/** Tasks are deleted in the middle of deleting the loop and of waiting for room in it; it can be made again each time. */
static void delete_tasks_in_the_loop(void)
{
    for (int round = 0; round < ROUNDS / 20; round++) {
        while (esp_event_loop_create_default() != ESP_OK) {
            vTaskDelay(1); /* the last one is ending still */
        }
        (void)esp_event_handler_register(TEST_EVENT, 1, take_slowly, NULL);
        TaskHandle_t ending = NULL, posting = NULL;
        EXPECT(xTaskCreate(post_for_ever, "posting", 4096, NULL, 5, &posting) == pdPASS);
        vTaskDelay(1);
        EXPECT(xTaskCreate(end_loop_for_ever, "ending", 4096, NULL, 5, &ending) == pdPASS);
        vTaskDelay((TickType_t)round % 3);
        vTaskDelete(ending);
        vTaskDelete(posting);
        (void)esp_event_loop_delete_default();
    }
}

static void handle_shutdown(void)
{
}

/** Handles of the client are its own; what clients share are their events and the log. */
static void use_small_things(void)
{
    for (int round = 0; round < ROUNDS * 4; round++) {
        (void)esp_register_shutdown_handler(handle_shutdown);
        (void)esp_unregister_shutdown_handler(handle_shutdown);
        vTaskPrioritySet(NULL, (UBaseType_t)round % 5);
        esp_http_client_config_t config = {.url = "http://127.0.0.1:1/", .timeout_ms = 1000};
        esp_http_client_handle_t client = esp_http_client_init(&config);
        EXPECT(client != NULL);
        EXPECT(round % 10 != 0 || esp_http_client_perform(client) == ESP_ERR_HTTP_CONNECT);
        EXPECT(esp_http_client_cleanup(client) == ESP_OK);
    }
}

static SemaphoreHandle_t download_begun, download_over;
static esp_https_ota_handle_t download;

/** An update as applications do it; the other task looks on until it is told that the handle goes. */
static void update_over_https(void)
{
    esp_http_client_config_t http = {
        .url = getenv("OTA_URL"), .cert_pem = getenv("OTA_CA"), .timeout_ms = 5000};
    esp_https_ota_config_t config = {.http_config = &http};
    EXPECT(esp_https_ota_begin(&config, &download) == ESP_OK);
    esp_err_t err = download != NULL ? ESP_ERR_HTTPS_OTA_IN_PROGRESS : ESP_FAIL;
    xSemaphoreGive(download_begun);
    while (err == ESP_ERR_HTTPS_OTA_IN_PROGRESS) {
        err = esp_https_ota_perform(download);
    }
    EXPECT(err == ESP_OK && esp_https_ota_is_complete_data_received(download));
    xSemaphoreTake(download_over, portMAX_DELAY);
    EXPECT(esp_https_ota_finish(download) == ESP_OK);
}

static void look_on(void)
{
    esp_http_client_config_t config = {.url = getenv("OTA_URL"),
                                       .cert_pem = getenv("OTA_CA"),
                                       .method = HTTP_METHOD_HEAD,
                                       .timeout_ms = 5000};
    esp_http_client_handle_t client = esp_http_client_init(&config);
    EXPECT(esp_http_client_perform(client) == ESP_OK); /* both tasks connect, and neither is the first */
    EXPECT(esp_http_client_cleanup(client) == ESP_OK);
    xSemaphoreTake(download_begun, portMAX_DELAY);
    int size = esp_https_ota_get_image_size(download), last = -1;
    EXPECT(size > 0 && esp_https_ota_get_status_code(download) == 200);
    while (download != NULL && !esp_https_ota_is_complete_data_received(download)) {
        int now = esp_https_ota_get_image_len_read(download);
        EXPECT(now >= last && now <= size);
        last = now;
        (void)esp_ota_get_boot_partition();
        taskYIELD();
    }
    xSemaphoreGive(download_over);
}

static const struct {
    const char *name;
    void (*work)(void);
    int tasks;
} kinds[] = {
    {"nvs", use_nvs, 1},
    {"store", use_store, 1},
    {"update", update, 1},
    {"ask", ask, 2},
    {"maps", map, 2},
    {"register", register_partitions, 3},
    {"log", log_lines, 2},
    {"post", post_events, 3},
    {"loop", restart_loop, 1},
    {"small", use_small_things, 2},
    {"deletions", delete_tasks_in_the_loop, 0}, /* these are picked by name only */
    {"https", update_over_https, 0},            /* picked by name only: needs a server */
    {"https", look_on, 0},
};

static void run(void *arg)
{
    void (*work)(void);
    memcpy(&work, arg, sizeof(work));
    work();
    xSemaphoreGive(ended);
    vTaskDelete(NULL);
}

static int start_tasks(void)
{
    const char *picked = getenv("TASKS");
    int started = 0;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        bool wanted = picked == NULL || strstr(picked, kinds[i].name) != NULL;
        int tasks = kinds[i].tasks == 0 && picked != NULL ? 1 : kinds[i].tasks;
        for (int n = 0; n < tasks && wanted; n++) {
            void *work = (void *)(uintptr_t)&kinds[i].work;
            started += xTaskCreate(run, kinds[i].name, 16384, work, 5, NULL) == pdPASS;
        }
    }
    return started;
}

void app_main(void)
{
    esp_log_level_set("HTTP_CLIENT", ESP_LOG_NONE); /* refused connections are meant to be */
    ended = xSemaphoreCreateCounting(32, 0);
    download_begun = xSemaphoreCreateBinary();
    download_over = xSemaphoreCreateBinary();
    int started = start_tasks();
    for (int i = 0; i < started; i++) {
        xSemaphoreTake(ended, portMAX_DELAY);
    }
    ESP_LOGI(TAG, "%d tasks ended, %d faults", started, atomic_load(&faults));
}
