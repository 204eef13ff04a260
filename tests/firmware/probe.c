/* A firmware that tests steer: PROBE="1:confirm+restart,4:idle" gives actions for each reset reason (by number). */
/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include "esp_app_desc.h"
#include "esp_flash_partitions.h"
#include "esp_https_ota.h"
#include "esp_image_format.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_partition.h"
#include "esp_sleep.h"
#include "esp_system.h"
#include "esp_task_wdt.h"
#include "esp_timer.h"
#include "freertos/FreeRTOS.h"
#include "freertos/queue.h"
#include "freertos/task.h"
#include "otter/report.h"

static const char *TAG = "probe";

/* What is left of them by a reset tells which it was. */
static RTC_DATA_ATTR const char *rtc_text = "first";
static RTC_DATA_ATTR uint32_t rtc_data = 7;
static RTC_DATA_ATTR const uint32_t rtc_constant = 11;
static RTC_NOINIT_ATTR uint32_t rtc_noinit;
static __NOINIT_ATTR uint32_t noinit;

/** Tells the variables that outlive a boot, and counts them up. */
static void count_boots(void)
{
    ESP_LOGI(TAG, "rtc %s %u %u, noinit %x %x, woken by %d", rtc_text, (unsigned)rtc_data,
             (unsigned)rtc_constant, (unsigned)rtc_noinit, (unsigned)noinit,
             (int)esp_sleep_get_wakeup_cause());
    rtc_text = "again";
    rtc_data++;
    bool fresh = rtc_noinit == 0xA5A5A5A5;
    rtc_noinit = fresh ? 0x100 : rtc_noinit + 1;
    noinit = noinit == 0xA5A5A5A5 ? 0x200 : noinit + 1;
}

static void before_sleep(void)
{
    ESP_LOGI(TAG, "hook before sleep");
}

static void sleep_deeply(void)
{
    esp_deep_sleep_register_hook(before_sleep);
    esp_sleep_enable_timer_wakeup(300 * 1000);
    esp_deep_sleep_start();
}

static void sleep_for_an_hour(void)
{
    esp_deep_sleep(3600ULL * 1000000);
}

static void sleep_for_a_pin(void)
{
    ESP_LOGI(TAG, "ext0 %d, no pin 0x%x", esp_sleep_enable_ext0_wakeup(GPIO_NUM_4, 0),
             (unsigned)esp_sleep_enable_ext0_wakeup(GPIO_NUM_NC, 0));
    esp_deep_sleep_start();
}

static void sleep_lightly(void)
{
    int64_t before = esp_timer_get_time();
    esp_sleep_enable_timer_wakeup(50 * 1000);
    esp_err_t err = esp_light_sleep_start();
    bool long_enough = esp_timer_get_time() - before >= 50000;
    esp_err_t disabled = esp_sleep_disable_wakeup_source(ESP_SLEEP_WAKEUP_TIMER);
    esp_err_t again = esp_sleep_disable_wakeup_source(ESP_SLEEP_WAKEUP_TIMER);
    ESP_LOGI(TAG, "light sleep %d, long enough %d, woken by %d, disabled %d, again 0x%x", err, long_enough,
             (int)esp_sleep_get_wakeup_cause(), disabled, (unsigned)again);
}

static void first_handler(void)
{
    ESP_LOGI(TAG, "first shutdown handler");
}

static void second_handler(void)
{
    ESP_LOGI(TAG, "second shutdown handler");
}

static void restart(void)
{
    esp_register_shutdown_handler(first_handler);
    esp_register_shutdown_handler(second_handler);
    esp_restart();
}

static void crash(void)
{
    raise(SIGSEGV);
}

/** As ESP-IDF's OTA examples do when they start. */
static void print_bootloader_hash(void)
{
    const esp_partition_t partition = {
        .address = ESP_BOOTLOADER_OFFSET, .size = ESP_PARTITION_TABLE_OFFSET, .type = ESP_PARTITION_TYPE_APP};
    uint8_t sha_256[32] = {0};
    char text[65] = "";
    esp_err_t err = esp_partition_get_sha256(&partition, sha_256);
    for (int i = 0; i < 32; i++) {
        snprintf(text + 2 * i, 3, "%02x", sha_256[i]);
    }
    ESP_LOGI(TAG, "SHA-256 for bootloader: %s (%s, at 0x%x)", text, esp_err_to_name(err),
             (unsigned)esp_image_bootloader_offset_get());
}

/** The first boot that gets here crashes; it leaves a file for the others. */
static void crash_once(void)
{
    FILE *mark = fopen(getenv("PROBE_MARK"), "wx");
    if (mark != NULL) {
        fclose(mark);
        abort();
    }
}

static void exit_silently(void)
{
    exit(3);
}

static void hang(void)
{
    for (;;) {
        __asm__ volatile("");
    }
}

/** A hang that takes no processor from other tests: the process as a whole does nothing any more. */
static void stand_still(void)
{
    raise(SIGSTOP);
}

static void log_on(void)
{
    for (uint32_t said_ms = 0;;) {
        if (esp_log_timestamp() - said_ms > 100) {
            said_ms = esp_log_timestamp();
            ESP_LOGI(TAG, "busy");
        }
    }
}

static void ask_on(void)
{
    QueueHandle_t queue = xQueueCreate(1, sizeof(int));
    int value;
    while (xQueueReceive(queue, &value, 0) != pdTRUE) {
    }
}

static void yield_on(void)
{
    for (;;) {
        taskYIELD();
    }
}

static void subscribe(void)
{
    ESP_LOGI(TAG, "subscribe: %s", esp_err_to_name(esp_task_wdt_add(NULL)));
}

static void wait_for_ever(void)
{
    vTaskDelay(portMAX_DELAY);
}

static int minutes;

static void count_minutes(void *arg)
{
    for (; minutes < 1440; minutes++) {
        vTaskDelay(pdMS_TO_TICKS(60 * 1000));
    }
    (void)arg;
    vTaskDelete(NULL);
}

/** A day, and another task that waits for shorter times. */
static void wait_a_day(void)
{
    const uint32_t begin = esp_log_timestamp();
    (void)xTaskCreate(count_minutes, "minutes", 4096, NULL, 1, NULL);
    for (int i = 0; i < 24; i++) {
        vTaskDelay(pdMS_TO_TICKS(3600 * 1000));
    }
    vTaskDelay(pdMS_TO_TICKS(1000));
    ESP_LOGI(TAG, "a day: %u s, %d minutes", (unsigned)((esp_log_timestamp() - begin) / 1000), minutes);
}

static void wait_in_pieces(void)
{
    /* Two seconds, or until somebody minds. */
    for (int i = 0; i < 200 || esp_task_wdt_status(NULL) == ESP_OK; i++) {
        vTaskDelay(pdMS_TO_TICKS(10));
    }
}

static void wait_and_reset(void)
{
    for (int i = 0; i < 20; i++) {
        vTaskDelay(pdMS_TO_TICKS(100));
        esp_task_wdt_reset();
    }
}

static void sleep_long(void)
{
    sleep(2);
    ESP_LOGI(TAG, "slept");
}

/* Calls that block for longer than the tests' watchdog waits; each on a task of its own. */

static void block_in_read(void *ends)
{
    char byte;
    (void)!read(((int *)ends)[0], &byte, 1);
    vTaskDelete(NULL);
}

static void block_in_stdio(void *ends)
{
    char line[16];
    FILE *file = fdopen(((int *)ends)[0], "r");
    (void)!fgets(line, sizeof(line), file);
    vTaskDelete(NULL);
}

static void block_in_poll(void *ends)
{
    struct pollfd wait = {.fd = ((int *)ends)[0], .events = POLLIN};
    (void)poll(&wait, 1, -1);
    vTaskDelete(NULL);
}

static void block_in_accept(void *unused)
{
    (void)unused;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    const struct sockaddr_in anywhere = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(listener, (const struct sockaddr *)&anywhere, sizeof(anywhere)) == 0 &&
        listen(listener, 1) == 0) {
        (void)accept(listener, NULL, NULL);
    }
    vTaskDelete(NULL);
}

static void block_in_lock(void *held)
{
    pthread_mutex_lock(held);
    vTaskDelete(NULL);
}

static void block_in_queue(void *queue)
{
    int value;
    xQueueReceive(queue, &value, portMAX_DELAY);
    vTaskDelete(NULL);
}

static void block_everywhere(void)
{
    static int ends[3][2];
    static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&held);
    for (size_t i = 0; i < 3; i++) {
        if (pipe(ends[i]) != 0) {
            abort();
        }
    }
    const struct {
        TaskFunction_t function;
        void *arg;
    } tasks[] = {{block_in_read, ends[0]}, {block_in_stdio, ends[1]},
                 {block_in_poll, ends[2]}, {block_in_accept, NULL},
                 {block_in_lock, &held},   {block_in_queue, xQueueCreate(1, sizeof(int))}};
    for (size_t i = 0; i < sizeof(tasks) / sizeof(tasks[0]); i++) {
        xTaskCreate(tasks[i].function, "blocks", 4096, tasks[i].arg, 5, NULL);
    }
    usleep(2500000);
    ESP_LOGI(TAG, "all of them block, and nobody minds");
    exit(3); /* they would for ever */
}

static void beat(void)
{
    const uint32_t start_ms = esp_log_timestamp();
    while (esp_log_timestamp() - start_ms <
           1500) { /* busy for longer than the watchdog of the tests waits, with signs of life */
        esp_task_wdt_reset();
    }
}

static void sleep_on(void)
{
    vTaskDelay(pdMS_TO_TICKS(1500)); /* longer than the tests' watchdog */
}

static void stay(void)
{
    ESP_LOGI(TAG, "pid %d stays", (int)getpid());
    for (;;) {
        vTaskDelay(100);
    }
}

static void ignore_signals(void)
{
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
}

static void confirm(void)
{
    ESP_LOGI(TAG, "confirm: %s", esp_err_to_name(esp_ota_mark_app_valid_cancel_rollback()));
}

static void reject(void)
{
    ESP_LOGI(TAG, "reject: %s", esp_err_to_name(esp_ota_mark_app_invalid_rollback_and_reboot()));
}

static void select_next(void)
{
    ESP_LOGI(TAG, "next: %s",
             esp_err_to_name(esp_ota_set_boot_partition(esp_ota_get_next_update_partition(NULL))));
}

static void select_slot(void)
{
    const esp_partition_t *slot =
        esp_partition_find_first(ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_APP_OTA_0, NULL);
    ESP_LOGI(TAG, "select: %s", esp_err_to_name(esp_ota_set_boot_partition(slot)));
}

/** A text that comes in pieces, around one that is longer than a pipe's buffer. */
static void say(void)
{
    printf("the door is ");
    fflush(stdout);
    usleep(20000);
    for (int i = 0; i < 100000; i++) {
        putchar('.');
    }
    printf(" op");
    fflush(stdout);
    usleep(20000);
    printf("en\n");
}

static void list_descriptors(void)
{
    char text[256] = "";
    DIR *dir = opendir("/proc/self/fd");
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        int fd = atoi(entry->d_name);
        if (entry->d_name[0] != '.' && fd != dirfd(dir)) {
            snprintf(text + strlen(text), sizeof(text) - strlen(text), " %d", fd);
        }
    }
    closedir(dir);
    ESP_LOGI(TAG, "descriptors:%s; flash %s, control %s, shared %s", text, getenv("OTTER_FLASH_FD"),
             getenv("OTTER_CONTROL_FD"), getenv("OTTER_SHARED_FD"));
}

static void print_variable(void)
{
    const char *value = getenv("PROBE_TEXT");
    ESP_LOGI(TAG, "PROBE_TEXT is '%s'", value != NULL ? value : "");
}

static void write_flash(void)
{
    const esp_partition_t *nvs =
        esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_NVS, NULL);
    static const char text[] = "kept";
    esp_err_t err = esp_partition_erase_range(nvs, 0, 4096);
    err = err == ESP_OK ? esp_partition_write(nvs, 0, text, 4) : err;
    ESP_LOGI(TAG, "write: %s", esp_err_to_name(err));
    ESP_LOGI(TAG, "write 0 to 1: %s", esp_err_to_name(esp_partition_write(nvs, 0, "\xff", 1)));
}

/** An erase and nothing after it: the file flash only remembers it. */
static void erase_flash(void)
{
    const esp_partition_t *nvs =
        esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_NVS, NULL);
    uint8_t byte = 0;
    esp_err_t err = esp_partition_erase_range(nvs, 0, nvs->size);
    esp_partition_read(nvs, 0, &byte, 1);
    ESP_LOGI(TAG, "erase: %s, reads %02x", esp_err_to_name(err), byte);
}

static void erase_on(void)
{
    const esp_partition_t *nvs =
        esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_NVS, NULL);
    for (;;) {
        esp_partition_erase_range(nvs, 0, nvs->size);
        vTaskDelay(1);
    }
}

static void read_flash(void)
{
    const esp_partition_t *nvs =
        esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_NVS, NULL);
    uint8_t byte = 0;
    esp_err_t err = esp_partition_read(nvs, 0, &byte, 1);
    ESP_LOGI(TAG, "read: %s, %02x", esp_err_to_name(err), byte);
}

static void quit(void)
{
    _exit(0);
}

static void kill_myself(void)
{
    kill(getpid(), SIGKILL);
}

static void talk(void *arg)
{
    for (int i = 0; i < 200; i++) {
        ESP_LOGI(TAG, "talk %d %03d the quick brown fox jumps over the lazy dog", (int)(intptr_t)arg, i);
        if (i % 20 == 0) {
            vTaskDelay(1);
        }
    }
    vTaskDelete(NULL);
}

static void talk_all(void)
{
    for (intptr_t i = 0; i < 4; i++) {
        xTaskCreate(talk, "talk", 4096, (void *)i, 5, NULL);
    }
}

static void wait_on_queue(void *arg)
{
    xQueueReceive(arg, NULL, portMAX_DELAY);
}

static void start_waiter(void)
{
    xTaskCreate(wait_on_queue, "waiter", 4096, xQueueCreate(1, 0), 5, NULL);
}

static void restart_task(void *arg)
{
    (void)arg;
    esp_restart();
}

static void restart_from_task(void)
{
    xTaskCreate(restart_task, "restarter", 4096, NULL, 5, NULL);
    vTaskDelay(portMAX_DELAY);
}

#ifdef PROBE_UPDATES
static void fail_to_update(void)
{
    const esp_http_client_config_t config = {.url = getenv("PROBE_URL"), .cert_pem = "no certificate"};
    ESP_LOGI(TAG, "update: %s", esp_err_to_name(esp_https_ota(&config)));
}

static void print_last_report(void)
{
    otter_update_report_t report;
    esp_err_t err = otter_update_last_report(&report);
    if (err != ESP_OK) {
        ESP_LOGI(TAG, "last update: %s", esp_err_to_name(err));
        return;
    }
    ESP_LOGI(TAG, "last update: %s in stage %s, %s", esp_err_to_name(report.fault.code),
             otter_stage_name(report.stage), report.url);
}

#endif

static void nothing(void)
{
}

static const struct {
    const char *name;
    void (*run)(void);
} actions[] = {
    {"idle", nothing},
    {"bootloader", print_bootloader_hash},
#ifdef PROBE_UPDATES
    {"update", fail_to_update},
    {"report", print_last_report},
#endif
    {"restart", restart},
    {"count", count_boots},
    {"deep-sleep", sleep_deeply},
    {"hour", sleep_for_an_hour},
    {"pin", sleep_for_a_pin},
    {"light-sleep", sleep_lightly},
    {"abort", abort},
    {"crash", crash},
    {"exit", exit_silently},
    {"hang", hang},
    {"still", stand_still},
    {"log-hang", log_on},
    {"yield-hang", yield_on},
    {"ask-hang", ask_on},
    {"subscribe", subscribe},
    {"wait", wait_for_ever},
    {"wait-pieces", wait_in_pieces},
    {"day", wait_a_day},
    {"wait-reset", wait_and_reset},
    {"sleep-long", sleep_long},
    {"block", block_everywhere},
    {"beat", beat},
    {"sleep", sleep_on},
    {"stay", stay},
    {"ignore", ignore_signals},
    {"confirm", confirm},
    {"reject", reject},
    {"crash_once", crash_once},
    {"next", select_next},
    {"select", select_slot},
    {"say", say},
    {"fds", list_descriptors},
    {"env", print_variable},
    {"write", write_flash},
    {"erase", erase_flash},
    {"erase-on", erase_on},
    {"read", read_flash},
    {"quit", quit},
    {"kill", kill_myself},
    {"talk", talk_all},
    {"waiter", start_waiter},
    {"restart-task", restart_from_task},
};

static void run_actions(char *names)
{
    char *rest;
    for (char *name = strtok_r(names, "+", &rest); name != NULL; name = strtok_r(NULL, "+", &rest)) {
        for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
            if (strcmp(actions[i].name, name) == 0) {
                actions[i].run();
            }
        }
    }
}

void app_main(void)
{
    ESP_LOGI(TAG, "version %s in %s, reset reason %d", esp_app_get_description()->version,
             esp_ota_get_running_partition()->label, (int)esp_reset_reason());
    char *script = strdup(getenv("PROBE") != NULL ? getenv("PROBE") : "");
    char *rest;
    for (char *rule = strtok_r(script, ",", &rest); rule != NULL; rule = strtok_r(NULL, ",", &rest)) {
        char *names = strchr(rule, ':');
        if (names != NULL && atoi(rule) == (int)esp_reset_reason()) {
            run_actions(names + 1);
        }
    }
    free(script);
}
