/* The program's part of the run protocol: where its flash is, what runs, why it was reset, and how it ends. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "otter_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "esp_app_desc.h"
#include "esp_idf_version.h"
#include "esp_log.h"
#include "esp_partition.h"
#include "esp_private/partition_linux.h"
#include "esp_system.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "linux/rtc_memory.h"
#include "run_clock.h"
#include "sdkconfig.h"
#include "spi_flash_mmap.h"

#define WATCH_PERIOD_MS 250 /* how often the runner hears that tasks of every priority have their turn */
#define WATCH_STACK     4096
#define TASKS_THAT_STAY 3 /* idle, timers, and the one that watches */
#define EXIT_USAGE      2

static const char TAG[] = "otter_run";

static struct {
    bool runs; /* under `otter run` */
    bool has_flash_speed, has_link, fast;
    int control, trace;
    otter_run_boot_t boot;
    otter_run_flash_speed_t flash_speed;
    otter_run_link_t link;
    otter_run_shared_t *shared;
} run = {.trace = -1};

otter_run_shared_t *otter_run_shared(void)
{
    return run.shared;
}

int otter_run_trace(void)
{
    return run.trace;
}

const otter_run_flash_speed_t *otter_run_flash_speed(void)
{
    return run.has_flash_speed ? &run.flash_speed : NULL;
}

const otter_run_link_t *otter_run_link(void)
{
    return run.has_link ? &run.link : NULL;
}

bool otter_run_is_fast(void)
{
    return run.fast;
}

void otter_run_tell(char message)
{
    if (run.runs) {
        (void)!write(run.control, &message, 1);
    }
}

void otter_run_end(char message)
{
    fflush(NULL);
    otter_run_tell(message);
    _exit(EXIT_SUCCESS);
}

static int descriptor(const char *name)
{
    const char *text = getenv(name);
    return text != NULL ? atoi(text) : -1;
}

/** Nothing has booted: this machine, or this pair of programs, cannot do it. */
static void refuse(const char *why)
{
    fprintf(stderr, "otter_run: %s\n", why);
    otter_run_end(OTTER_RUN_SAYS_NO_START);
}

/** What the runner says beside what is needed. */
static void read_options(void)
{
    const char *speed = getenv(OTTER_RUN_ENV_FLASH_SPEED), *link = getenv(OTTER_RUN_ENV_LINK);
    run.trace = descriptor(OTTER_RUN_ENV_TRACE);
    run.fast = getenv(OTTER_RUN_ENV_FAST) != NULL;
    run.has_flash_speed = speed != NULL && otter_run_flash_speed_decode(speed, &run.flash_speed);
    run.has_link = link != NULL && otter_run_link_decode(link, &run.link);
}

/** Before everything else: ESP-IDF takes the name of its flash file at the first use of a partition. */
__attribute__((constructor(101))) static void take_over(void)
{
    const char *flash = getenv(OTTER_RUN_ENV_FLASH_PATH), *boot = getenv(OTTER_RUN_ENV_BOOT);
    const int memory = descriptor(OTTER_RUN_ENV_SHARED);
    run.control = descriptor(OTTER_RUN_ENV_CONTROL);
    if (flash == NULL || boot == NULL || memory < 0 || run.control < 0) {
        return; /* started by itself, as a host test is */
    }
    run.runs = true;
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ); /* a console shows each line when it ends, also through a pipe */
    if (!otter_run_boot_decode(boot, &run.boot)) {
        refuse("this program and `otter run` are of different versions: build the project again with this "
               "otter");
    }
    read_options();
    esp_partition_file_mmap_ctrl_t *file = esp_partition_get_file_mmap_ctrl_input();
    const size_t len = strlen(flash);
    if (len >= sizeof(file->flash_file_name)) {
        refuse("the path of the flash file is too long for ESP-IDF");
    }
    memcpy(file->flash_file_name, flash, len + 1);
    void *shared = mmap(NULL, sizeof(*run.shared), PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    if (shared == MAP_FAILED) {
        refuse("the memory shared with `otter run` is not there");
    }
    run.shared = shared;
    if (!rtc_memory_begin(memory, (esp_reset_reason_t)run.boot.reset_reason)) {
        refuse("the memory that outlives a reset cannot be mapped");
    }
}

/* ---- what ESP-IDF asks of the chip ---- */

esp_reset_reason_t __wrap_esp_reset_reason(void)
{
    return run.runs ? (esp_reset_reason_t)run.boot.reset_reason : ESP_RST_POWERON;
}

void __real_esp_restart_noos(void);

void __wrap_esp_restart_noos(void)
{
    if (run.runs) {
        otter_run_end(OTTER_RUN_SAYS_RESTART);
    }
    __real_esp_restart_noos();
}

/** Where in flash a function lies: all of them in the partition that was booted. */
size_t spi_flash_cache2phys(const void *cached)
{
    (void)cached;
    if (run.runs) {
        return run.boot.running;
    }
    const esp_partition_t *app =
        esp_partition_find_first(ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_ANY, NULL);
    return app != NULL ? app->address : SPI_FLASH_CACHE2PHYS_FAIL;
}

const void *spi_flash_phys2cache(size_t phys_offs, spi_flash_mmap_memory_t memory)
{
    (void)phys_offs, (void)memory;
    return NULL;
}

/* ---- the life of the program ---- */

/**
 * Of the lowest priority: it has its turn when every other task waits, as the idle task whose watchdog a chip has. Nothing more
 * will happen when no task of the application is left.
 */
static void watch(void *arg)
{
    (void)arg;
    for (;;) {
        otter_run_tell(OTTER_RUN_SAYS_ALIVE);
        if (uxTaskGetNumberOfTasks() <= TASKS_THAT_STAY) {
            otter_run_end(OTTER_RUN_SAYS_IDLE);
        }
        run_clock_rest(WATCH_PERIOD_MS);
    }
}

/* Of mbedTLS. From ESP-IDF 6.0 on a chip's start-up calls it, and linux has none: TLS would fail in a program that does not. */
int32_t psa_crypto_init(void) __attribute__((weak));

void __real_app_main(void);

void __wrap_app_main(void)
{
    if (run.runs) {
        const esp_app_desc_t *desc = esp_app_get_description();
        ESP_LOGI(TAG, "Project name:     %.32s", desc->project_name);
        ESP_LOGI(TAG, "App version:      %.32s", desc->version);
        ESP_LOGI(TAG, "ESP-IDF:          %.32s, its own code for target linux", desc->idf_ver);
#ifdef CONFIG_LWIP_ENABLE
        if (otter_run_link() != NULL) {
            ESP_LOGW(TAG, "--link has no effect with CONFIG_LWIP_ENABLE: lwIP stands where it would be");
        }
#endif
        if (xTaskCreate(watch, "otter_run", WATCH_STACK, NULL, tskIDLE_PRIORITY, NULL) != pdPASS) {
            refuse("no memory for a task");
        }
    }
    if (ESP_IDF_VERSION_MAJOR >= 6 && psa_crypto_init != NULL && psa_crypto_init() != 0) {
        ESP_LOGE(TAG, "psa_crypto_init() has failed: there will be no TLS");
    }
    __real_app_main();
}
