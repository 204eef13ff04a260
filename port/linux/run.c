/* The life of the virtual device: reset line, boot step, firmware, and what its end means for the next boot. */
#include "linux/run.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/le.h"
#include "base/text.h"
#include "esp_log.h"
#include "esp_system.h"
#include "image/image.h"
#include "linux/file_flash.h"
#include "linux/firmware_process.h"
#include "linux/system_clock.h"
#include "otter/boot.h"
#include "otter/system.h"

#define EXECUTABLE_SEGMENT 1u /* segment 0 is the app descriptor, where every ESP image has it */

static const char TAG[] = "boot";

typedef struct {
    const char *path;
    char *absolute_path; /* owned */
    run_options_t options;
    linux_device_t dev;
    esp_reset_reason_t reason;
    uint32_t boots;      /* that have ended */
    uint32_t crashes;    /* in a row, of the partition at crashed_at */
    uint32_t crashed_at; /* offset in flash */
    int shared_fd;       /* memory file behind `shared` */
    run_shared_t *shared;
    char *why;
    size_t why_size;
} run_t;

/* How a reset ends one boot and begins the next: the words of an ESP32's console. */
static const struct {
    firmware_end_t end;
    esp_reset_reason_t reason;
} reset_of_end[] = {
    {FIRMWARE_RESTARTED, ESP_RST_SW},
    {FIRMWARE_CRASHED, ESP_RST_PANIC},
    {FIRMWARE_HUNG, ESP_RST_TASK_WDT},
};

static const struct {
    esp_reset_reason_t reason;
    const char *line;
} reset_lines[] = {
    {ESP_RST_POWERON, "rst:0x1 (POWERON_RESET)"},
    {ESP_RST_SW, "rst:0xc (SW_CPU_RESET)"},
    {ESP_RST_PANIC, "rst:0xc (SW_CPU_RESET)"},
    {ESP_RST_TASK_WDT, "rst:0x7 (TG0WDT_SYS_RESET)"},
};

static void print_line(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void print_line(const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    text_vformat(line, sizeof(line) - 1, format, args);
    va_end(args);
    size_t len = strlen(line);
    line[len] = '\n';
    otter_console_write(line, len + 1);
}

static void print_reset(const run_t *run)
{
    system_clock_restart();
    for (size_t i = 0; i < sizeof(reset_lines) / sizeof(reset_lines[0]); i++) {
        if (reset_lines[i].reason == run->reason) {
            print_line("%s,boot:0x8 (SPI_FAST_FLASH_BOOT)", reset_lines[i].line);
        }
    }
    ESP_LOGI(TAG, "ESP-IDF %s-compatible 2nd stage bootloader (otter)", esp_get_idf_version());
    char revision[12];
    ESP_LOGI(TAG, "chip: linux, revision: %s", image_revision_text(run->dev.device.chip.revision, revision));
}

/** The planned power cut in the bootloader: this process is the device, and it is off. */
static void lose_power(void)
{
    print_line("power was cut in the bootloader");
    fflush(NULL);
    _exit(EXIT_SUCCESS);
}

/** What bootloader and firmware share for as long as there is power. @return false with errno */
static bool make_shared_memory(run_t *run)
{
    run->shared_fd = memfd_create("shared", MFD_CLOEXEC);
    if (run->shared_fd < 0 || ftruncate(run->shared_fd, sizeof(*run->shared)) != 0) {
        return false;
    }
    run->shared = mmap(NULL, sizeof(*run->shared), PROT_READ | PROT_WRITE, MAP_SHARED, run->shared_fd, 0);
    if (run->shared == MAP_FAILED) {
        return false;
    }
    run->shared->flash.cut_left = run->options.cut_after;
    run->options.device.flash_shared = &run->shared->flash;
    return true;
}

static void tell_power_cut(const run_t *run, run_end_t end)
{
    if (end == RUN_UNPOWERED) {
        print_line("power was cut in the app");
    } else if (run->options.cut_after > 0) {
        print_line("power was not cut: the run made %u flash operations",
                   (unsigned)(run->options.cut_after - run->shared->flash.cut_left));
    }
}

static run_end_t fail(run_t *run, const char *format, ...) __attribute__((format(printf, 2, 3)));
static run_end_t fail(run_t *run, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    text_vformat(run->why, run->why_size, format, args);
    va_end(args);
    return RUN_FAILED;
}

/** Copies `len` bytes of flash into a new memory file. @return its descriptor, -1 with errno */
static int copy_to_memory(otter_flash_t *flash, uint32_t off, uint32_t len)
{
    static uint8_t bytes[64 * 1024];
#ifdef MFD_EXEC
    int fd = memfd_create("firmware", MFD_CLOEXEC | MFD_EXEC);
    if (fd < 0 && errno == EINVAL) { /* a kernel older than the flag allows execution anyway */
        fd = memfd_create("firmware", MFD_CLOEXEC);
    }
#else
    int fd = memfd_create("firmware", MFD_CLOEXEC);
#endif
    for (uint32_t done = 0; fd >= 0 && done < len;) {
        uint32_t n = min_u32(len - done, (uint32_t)sizeof(bytes));
        if (otter_flash_read(flash, off + done, bytes, n) != ESP_OK || write(fd, bytes, n) != (ssize_t)n) {
            close(fd);
            return -1;
        }
        done += n;
    }
    return fd;
}

/** What of a booted image is needed to start it. */
typedef struct {
    int executable; /* descriptor */
    char name[33];  /* the project's */
} loaded_t;

/** Takes the executable out of an image that the boot step has verified. @return false, with `why` set */
static bool load_executable(run_t *run, const esp_partition_t *partition, loaded_t *loaded)
{
    const image_rules_t rules = {
        .flash_offset = partition->address, .size = partition->size, .no_checks = true};
    image_info_t info;
    char why[96];
    if (image_verify_flash(run->dev.flash, &rules, &info, why, sizeof(why)) != ESP_OK) {
        (void)fail(run, "the image in %s cannot be read again: %s", partition->label, why);
        return false;
    }
    if (info.segments_seen <= EXECUTABLE_SEGMENT || info.segments[EXECUTABLE_SEGMENT].data_len == 0) {
        (void)fail(run, "the image in %s has no executable: build it with `otter image build --chip linux`",
                   partition->label);
        return false;
    }
    snprintf(loaded->name, sizeof(loaded->name), "%.32s",
             info.has_desc ? info.desc.project_name : "firmware");
    loaded->executable =
        copy_to_memory(run->dev.flash, partition->address + info.segment_data[EXECUTABLE_SEGMENT],
                       info.segments[EXECUTABLE_SEGMENT].data_len);
    if (loaded->executable < 0) {
        (void)fail(run, "the executable in %s could not be loaded: %s", partition->label, strerror(errno));
        return false;
    }
    return true;
}

/** The boot step. @return false, with `why` set: nothing boots */
static bool boot(run_t *run, loaded_t *loaded)
{
    otter_boot_result_t result;
    esp_err_t err = otter_boot(&run->dev.device, OTTER_BOOT_COMMIT, &result);
    if (err != ESP_OK) {
        (void)fail(run, "nothing boots (%s): %s; a chip would reset for ever (`otter flash info` tells more)",
                   esp_err_to_name(err), result.reason);
        return false;
    }
    return load_executable(run, result.partition, loaded);
}

static void start(run_t *run, const loaded_t *loaded, firmware_result_t *result)
{
    const otter_device_t *device = &run->dev.device;
    const firmware_start_t how = {
        .executable = loaded->executable,
        .flash = file_flash_descriptor(run->dev.flash),
        .shared = run->shared_fd,
        .flash_path = run->absolute_path,
        .name = loaded->name,
        .boot = {.reset_reason = (uint32_t)run->reason,
                 .running = device->running->address,
                 .table_offset = device->config.table_offset,
                 .revision = device->chip.revision,
                 .blk_revision = device->chip.blk_revision,
                 .rollback = device->config.rollback,
                 .anti_rollback = device->config.anti_rollback},
        .watchdog_s = run->options.watchdog_s,
    };
    firmware_process_run(&how, result);
    close(loaded->executable);
}

/** Counts crashes of the same partition in a row. @return true if there were too many to go on */
static bool crashes_for_ever(run_t *run, uint32_t partition_off, firmware_end_t end)
{
    bool crashed = end == FIRMWARE_CRASHED || end == FIRMWARE_HUNG;
    if (!crashed || partition_off != run->crashed_at) {
        run->crashes = 0;
    }
    run->crashed_at = partition_off;
    run->crashes += crashed;
    return run->options.boots_max == 0 && run->crashes >= RUN_CRASHES_MAX;
}

static void reset(run_t *run, const firmware_result_t *result)
{
    if (result->end == FIRMWARE_CRASHED) {
        print_line("Guru Meditation Error: Core  0 panic'ed (%s).", result->text);
        print_line("Rebooting...");
    }
    for (size_t i = 0; i < sizeof(reset_of_end) / sizeof(reset_of_end[0]); i++) {
        if (reset_of_end[i].end == result->end) {
            run->reason = reset_of_end[i].reason;
        }
    }
}

/** Loads what boots and runs it to its end; then this process knows the flash again. @return false, with `why` set */
static bool boot_and_run(run_t *run, esp_partition_t *booted, firmware_result_t *result)
{
    loaded_t loaded;
    if (!boot(run, &loaded)) {
        return false;
    }
    *booted = *run->dev.device.running;
    start(run, &loaded, result);
    run->boots++;
    return linux_device_refresh(&run->dev, run->path, &run->options.device, run->why, run->why_size) ==
           ESP_OK; /* on failure the device is closed, which linux_device_close takes */
}

/** One boot. @return true: `end` says how it all ended; false: the device has reset and boots again */
static bool run_once(run_t *run, run_end_t *end, int *signal)
{
    *end = RUN_FAILED;
    file_flash_plan_cut(run->dev.flash, lose_power);
    print_reset(run);
    esp_partition_t booted;
    firmware_result_t result;
    if (!boot_and_run(run, &booted, &result)) {
        return true;
    }
    if (result.end == FIRMWARE_IDLE || result.end == FIRMWARE_STOPPED) {
        *end = result.end == FIRMWARE_IDLE ? RUN_IDLE : RUN_STOPPED;
        *signal = result.signal;
        return true;
    }
    if (result.end == FIRMWARE_UNPOWERED) {
        *end = RUN_UNPOWERED;
        return true;
    }
    reset(run, &result);
    if (run->boots == run->options.boots_max) {
        *end = RUN_BOOTS_LIMIT;
        return true;
    }
    if (crashes_for_ever(run, booted.address, result.end)) {
        *end = fail(
            run,
            "the app in %s crashed %u times in a row; a chip would go on for ever (--boots sets a limit)",
            booted.label, (unsigned)run->crashes);
        return true;
    }
    return false;
}

/** Refuses what cannot run on this machine, before anything is written. */
static bool check_chip(run_t *run)
{
    const otter_chip_facts_t *facts = otter_chip_facts(run->dev.device.chip.id);
    if (facts != NULL && facts->id == OTTER_CHIP_LINUX) {
        return true;
    }
    (void)fail(run, "this flash holds images for %s; they run on the chip, not here",
               facts != NULL ? facts->title : "an unknown chip");
    return false;
}

/** Boot after boot, as long as there is power. */
static run_end_t live(run_t *run, int *signal)
{
    run_end_t end;
    while (!run_once(run, &end, signal)) {
    }
    tell_power_cut(run, end);
    return end;
}

/** With the device open. */
static run_end_t run_open_device(run_t *run, int *signal)
{
    run->options.device.chip =
        otter_chip_facts(OTTER_CHIP_LINUX); /* a chip does not change once it has started */
    run->absolute_path = realpath(run->path, NULL);
    if (run->absolute_path == NULL) {
        return fail(run, "cannot resolve the path: %s", strerror(errno));
    }
    run_end_t end = check_chip(run) ? live(run, signal) : RUN_FAILED;
    free(run->absolute_path);
    return end;
}

run_end_t run_device(const char *path, const run_options_t *options, int *signal, char *why, size_t why_size)
{
    run_t run = {
        .path = path, .options = *options, .reason = ESP_RST_POWERON, .why = why, .why_size = why_size};
    if (!make_shared_memory(&run)) {
        return fail(&run, "no memory for the device: %s", strerror(errno));
    }
    run_end_t end = RUN_FAILED;
    if (linux_device_open(&run.dev, path, &run.options.device, why, why_size) == ESP_OK) {
        end = run_open_device(&run, signal);
        if (linux_device_close(&run.dev) != ESP_OK && end != RUN_FAILED) {
            end = fail(&run, "the flash file could not be synced");
        }
    }
    munmap(run.shared, sizeof(*run.shared));
    close(run.shared_fd);
    return end;
}
