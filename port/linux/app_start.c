/* main() of a firmware for chip "linux": takes over the flash from `otter run`, runs app_main(), stays until all is done. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "esp_app_desc.h"
#include "esp_image_format.h"
#include "esp_flash_encrypt.h"
#include "esp_log.h"
#include "esp_secure_boot.h"
#include "idf/system_state.h"
#include "linux/crash_trace.h"
#include "linux/deep_sleep.h"
#include "linux/freertos_kernel.h"
#include "linux/linux_device.h"
#include "linux/rtc_memory.h"
#include "linux/run_protocol.h"
#include "linux/system_clock.h"
#include "otter/build_options.h"
#include "otter/device.h"

#define WATCH_PERIOD_MS 250 /* how often the runner hears that all tasks live */
#define EXIT_USAGE      2

void app_main(void);

#ifndef OTTER_LIBRARY /* compiled with the firmware, by a build of its own: then these are the firmware's options */
const otter_build_options_t otter_build_options = OTTER_BUILD_OPTIONS;
#endif

static const char TAG[] = "app_start";

static linux_device_t dev;
static otter_run_shared_t *shared; /* with the runner */

/** A descriptor that the runner named. It is not for programs that this one starts. @return -1 if there is none */
static int inherited(const char *name)
{
    const char *text = getenv(name);
    int fd = text != NULL ? atoi(text) : -1;
    if (fd >= 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
        return -1;
    }
    return fd;
}

static const esp_partition_t *partition_at(const otter_partition_list_t *list, uint32_t offset)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (list->items[i].type == ESP_PARTITION_TYPE_APP && list->items[i].address == offset) {
            return &list->items[i];
        }
    }
    return NULL;
}

static void lose_power(void)
{
    run_protocol_tell(OTTER_RUN_SAYS_POWER_LOST);
    _exit(EXIT_SUCCESS); /* no task does another thing */
}

/** Runs in a process that the firmware has forked. It is not the device's program, so it gets neither flash nor runner. */
static void forsake_device(void)
{
    file_flash_forsake(dev.flash);
    run_protocol_forsake();
}

/** What the device keeps while it has power. @return NULL if it is not there */
static otter_run_shared_t *shared_memory(int fd)
{
    void *page = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return page != MAP_FAILED ? page : NULL;
}

/** @return ESP_OK, or why there is no device to run on */
static esp_err_t attach_device(int flash_fd, const otter_run_boot_t *boot, otter_fault_t *fault)
{
    const int memory = inherited(OTTER_RUN_ENV_SHARED);
    shared = shared_memory(memory);
    if (shared == NULL) {
        return otter_fault(fault, ESP_FAIL, "the memory shared with the runner is not there");
    }
    const esp_reset_reason_t reason = (esp_reset_reason_t)boot->reset_reason;
    if (!rtc_memory_begin(memory, reason)) {
        return otter_fault(fault, ESP_FAIL, "RTC memory: %s", strerror(errno));
    }
    deep_sleep_begin(&shared->pause, reason == ESP_RST_DEEPSLEEP);
    const int trace = inherited(OTTER_RUN_ENV_TRACE);
    const otter_build_options_t *build = &otter_build_options;
    const otter_trust_config_t trust = {
        .source = build->signed_updates ? OTTER_TRUST_RUNNING_APP : OTTER_TRUST_ANYBODY,
        .scheme = build->signature_scheme,
        .signatures = &otter_signatures,
        .v1_key = build->v1_key,
        .data = build->signed_data,
    };
    otter_run_flash_speed_t speed;
    const char *text = getenv(OTTER_RUN_ENV_FLASH_SPEED);
    const linux_device_options_t options = {
        .flash_speed = text != NULL && otter_run_flash_speed_decode(text, &speed) ? &speed : NULL,
        .trust = &trust,
        .flash_shared = &shared->flash,
        .flash_trace = trace > 0 ? trace : 0,
        .efuse_path = getenv(OTTER_RUN_ENV_EFUSE),
        .table_offset = boot->table_offset,
        .chip = otter_chip_facts(OTTER_CHIP_LINUX),
        .has_revision = true,
        .revision = boot->revision,
        .rollback = boot->rollback && build->rollback ? LINUX_DEVICE_ON : LINUX_DEVICE_OFF,
        .anti_rollback = boot->anti_rollback,
        .emulated_efuse = boot->emulated_efuse,
        .allow_http = build->allow_http,
        .dangerous_write = build->dangerous_write,
    };
    esp_err_t err = linux_device_adopt(&dev, flash_fd, getenv(OTTER_RUN_ENV_FLASH_PATH), &options, fault);
    if (err != ESP_OK) {
        return err;
    }
    file_flash_plan_cut(dev.flash, lose_power);
    dev.device.retained = shared->retained;
    dev.device.retained_size = sizeof(shared->retained);
    dev.device.running = partition_at(&dev.device.partitions, boot->running);
    otter_device_set_current(&dev.device);
    esp_image_bootloader_offset_set(otter_build_options.bootloader_offset);
    system_state_set_reset_reason(reason);
    return pthread_atfork(NULL, NULL, forsake_device) == 0
               ? ESP_OK
               : otter_fault(fault, ESP_ERR_NO_MEM, "out of memory");
}

/** What the firmware takes for the table's offset is compiled into it; the bootloader of this device has another one. */
static void compare_table_offset(uint32_t table_offset)
{
    if (table_offset != otter_build_options.table_offset) {
        ESP_LOGW(TAG,
                 "built for a partition table at 0x%x (CONFIG_PARTITION_TABLE_OFFSET); this device has it at "
                 "0x%x: "
                 "build it for that, or start it with the other (otter run --help)",
                 (unsigned)otter_build_options.table_offset, (unsigned)table_offset);
    }
}

static void tell_silent(const kernel_silent_t *silent)
{
    snprintf(shared->silent, sizeof(shared->silent), "%s (%s)", silent->name,
             silent->subscribed ? "esp_task_wdt_reset() not called" : "never blocked");
}

/** The watchdog's time has passed by the clock that runs ahead. */
static void end_hung(const kernel_silent_t *silent)
{
    tell_silent(silent);
    run_protocol_end(OTTER_RUN_SAYS_HUNG);
}

/** The main thread's part: it watches the tasks until nothing more can happen. */
static void watch_tasks(void)
{
    kernel_silent_t silent;
    while (!kernel_wait_idle(WATCH_PERIOD_MS)) {
        if (kernel_all_alive(&silent)) {
            run_protocol_tell(OTTER_RUN_SAYS_ALIVE);
            shared->silent[0] = '\0';
        } else {
            tell_silent(&silent);
        }
    }
}

/** This machine lacks something, which is no fault of the application: no boot has happened. */
static int cannot_start(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    run_protocol_tell(OTTER_RUN_SAYS_NO_START);
    return EXIT_FAILURE;
}

/** A text of the descriptor, without what could steer a terminal. */
static const char *printable(char text[33], const char raw[32])
{
    size_t len = strnlen(raw, 32);
    for (size_t i = 0; i < len; i++) {
        text[i] = raw[i] >= ' ' && raw[i] <= '~' ? raw[i] : '?';
    }
    text[len] = '\0';
    return text;
}

/**
 * Started without a runner, as a program: one that lies in the build folder of its project becomes `otter run` of that
 * folder, which begins with this very program in flash. @return an exit status: it does not, and has said why
 */
static int start_runner(int argc, char **argv)
{
    char path[PATH_MAX], name[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);
    path[len > 0 ? len : 0] = '\0';
    char *slash = strrchr(path, '/');
    char **words = calloc((size_t)argc + 5, sizeof(*words));
    int n = slash != NULL ? snprintf(name, sizeof(name), "%.*s/flasher_args.json", (int)(slash - path), path)
                          : -1;
    if (words != NULL && n > 0 && (size_t)n < sizeof(name) && access(name, R_OK) == 0) {
        *slash = '\0';
        static char command[] = "otter", verb[] = "run", flash[] = "--flash";
        words[0] = command, words[1] = verb, words[2] = path, words[3] = flash;
        memcpy(words + 4, argv + 1, (size_t)(argc > 0 ? argc - 1 : 0) * sizeof(*words));
        snprintf(name, sizeof(name), "%.*s/config/otter", (int)sizeof(name) - 16,
                 path); /* of the otter that built it */
        execv(name, words);
        execvp(command, words);
        fprintf(stderr, "%s: cannot start `otter run %s`: %s; install otter, or build the project again\n",
                argv[0], path, strerror(errno));
    } else {
        fprintf(stderr,
                "this is an otter firmware: build an image with `otter image build` and start it with "
                "`otter run`\n");
    }
    free(words);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    otter_run_boot_t boot;
    int flash_fd = inherited(OTTER_RUN_ENV_FLASH);
    const char *boot_text = getenv(OTTER_RUN_ENV_BOOT);
    if (flash_fd < 0 || inherited(OTTER_RUN_ENV_CONTROL) < 0 || boot_text == NULL ||
        !otter_run_boot_decode(boot_text, &boot)) {
        return start_runner(argc, argv);
    }
    setvbuf(stdout, NULL, _IOLBF,
            BUFSIZ);                 /* a console that shows each line when it ends, also through a pipe */
    setvbuf(stdin, NULL, _IONBF, 0); /* what this boot leaves unread is there for the next one */
    system_clock_restart();

    otter_fault_t fault = {0};
    if (attach_device(flash_fd, &boot, &fault) != ESP_OK) {
        return cannot_start("the flash handed over by the runner cannot be used", fault.why);
    }
    const esp_app_desc_t *desc = esp_app_get_description();
    prctl(PR_SET_NAME, desc->project_name); /* for ps and debuggers; a name cannot matter */
    char text[33];
    ESP_LOGI(TAG, "Project name:     %s", printable(text, desc->project_name));
    ESP_LOGI(TAG, "App version:      %s", printable(text, desc->version));
    compare_table_offset(dev.device.config.table_offset);
    crash_trace_begin(desc);
    esp_secure_boot_init_checks();
    esp_flash_encryption_init_checks();
    if (boot.watchdog_s != 0) {
        kernel_watchdog_runs();
    }
    if (getenv(OTTER_RUN_ENV_FAST) != NULL) {
        kernel_hurry(&(kernel_hurry_t){
            .limit_us = (int64_t)boot.watchdog_s * 1000000, .first = kernel_first_to_feed, .hang = end_hung});
    }
    if (!kernel_start_main(app_main)) {
        return cannot_start("the main task cannot be started", "no thread or no memory is left");
    }
    watch_tasks();
    esp_err_t err = linux_device_close(&dev);
    run_protocol_tell(OTTER_RUN_SAYS_IDLE);
    return err == ESP_OK ? EXIT_SUCCESS : OTTER_RUN_EXIT_UNWRITTEN;
}
