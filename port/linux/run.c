/* The life of the virtual device: reset line, boot step, firmware, and what its end means for the next boot. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/run.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "otter/bytes.h"
#include "otter/text.h"
#include "esp_log.h"
#include "esp_system.h"
#include "host/named_file.h"
#include "host/standard_files.h"
#include "otter/image.h"
#include "linux/descendants.h"
#include "linux/file_flash.h"
#include "linux/firmware_image.h"
#include "linux/firmware_process.h"
#include "linux/keeper.h"
#include "linux/run_operations.h"
#include "linux/steady_clock.h"
#include "linux/system_clock.h"
#include "linux/trials.h"
#include "ota/switch.h"
#include "otter/boot.h"
#include "otter/promise.h"
#include "otter/system.h"

#define EXECUTABLE_SEGMENT 1u /* segment 0 is the app descriptor, where every ESP image has it */

static const char TAG[] = "boot";

typedef struct {
    const char *path;
    char *absolute_path;  /* owned */
    char *absolute_efuse; /* owned; NULL: none is named */
    run_options_t options;
    int signals;          /* of this process: keeper.h */
    run_report_t *report; /* shared with the process that waits for it */
    linux_device_t dev;
    esp_reset_reason_t reason;
    uint32_t crashes;       /* in a row, of the partition at crashed_at */
    uint32_t crashed_at;    /* offset in flash */
    uint32_t again;         /* boots in a row of one version, each time out of another partition */
    int64_t brownout_at_us; /* by steady_clock_us(); 0: there is none any more */
    int shared_fd;          /* memory file behind `shared` */
    otter_run_shared_t *shared;
    uint32_t flash_size;        /* bytes */
    otter_boot_result_t booted; /* what the boot step found, and changed */
    esp_partition_t running;    /* what it booted */
    bool on_trial;              /* that is */
    trials_t trials;
    run_operations_t operations;
} run_t;

/* How a reset ends one boot and begins the next: the words of an ESP32's console. */
static const struct {
    firmware_end_t end;
    esp_reset_reason_t reason;
} reset_of_end[] = {
    {FIRMWARE_RESTARTED, ESP_RST_SW},         {FIRMWARE_CRASHED, ESP_RST_PANIC},
    {FIRMWARE_HUNG, ESP_RST_TASK_WDT},        {FIRMWARE_ASLEEP, ESP_RST_DEEPSLEEP},
    {FIRMWARE_BROWNED_OUT, ESP_RST_BROWNOUT},
};

static const struct {
    esp_reset_reason_t reason;
    const char *line;
} reset_lines[] = {
    {ESP_RST_POWERON, "rst:0x1 (POWERON_RESET)"},     {ESP_RST_SW, "rst:0xc (SW_CPU_RESET)"},
    {ESP_RST_PANIC, "rst:0xc (SW_CPU_RESET)"},        {ESP_RST_TASK_WDT, "rst:0x7 (TG0WDT_SYS_RESET)"},
    {ESP_RST_DEEPSLEEP, "rst:0x5 (DEEPSLEEP_RESET)"}, {ESP_RST_BROWNOUT, "rst:0xf (RTCWDT_BROWN_OUT_RESET)"},
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

/** Of the two times of the plan, is that of the power cut the first? */
static bool is_time_of_cut(const run_options_t *options)
{
    return options->cut_at_ms != 0 && (options->off_at_ms == 0 || options->cut_at_ms <= options->off_at_ms);
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
    ESP_LOGI(TAG, "chip: linux, revision: %s",
             otter_image_revision_text(run->dev.device.chip.revision, revision));
}

/** The boot that is under way, from 1. */
static uint32_t boot_number(const run_t *run)
{
    return run->report->boots + 1;
}

/** "boot 2, version 1.0.0" */
static void phase_text(const run_t *run, bool in_app, char text[64])
{
    const char *version = in_app ? run->report->version : "";
    snprintf(text, 64, "boot %u%s%s", (unsigned)boot_number(run), version[0] != '\0' ? ", version " : "",
             version);
}

/** Where power went: in the middle of an operation, or after one. */
static void tell_cut(run_t *run, bool in_app)
{
    const otter_run_flash_t *flash = &run->shared->flash;
    char phase[64], text[96];
    phase_text(run, in_app, phase);
    run_operation_text(&run->dev.device, &flash->last, text, sizeof(text));
    const char *who = in_app ? "app" : "bootloader";
    if (file_flash_was_cut(flash)) {
        print_line("power was cut in the %s, in flash operation %u: %s (%s)", who,
                   (unsigned)flash->last.number, text, phase);
    } else if (flash->last.number != 0) {
        print_line("power was cut in the %s, after flash operation %u: %s (%s)", who,
                   (unsigned)flash->last.number, text, phase);
    } else {
        print_line("power was cut in the %s, before any flash operation (%s)", who, phase);
    }
    run->report->cut = true;
}

/** The last thing that the device's process does with its console. */
static void end_output(run_report_t *report)
{
    const char *why = standard_output_end();
    if (why != NULL) {
        text_format(report->output, sizeof(report->output), "%s", why);
    }
}

static run_t *the_run; /* for lose_power(), which is told nothing */

/** The planned power cut in the bootloader: this process is the device, and it is off. */
static void lose_power(void)
{
    run_operations_note(&the_run->operations, &the_run->dev.device, boot_number(the_run), "bootloader");
    tell_cut(the_run, false);
    run_operations_print(&the_run->operations, the_run->shared->flash.last.number);
    the_run->report->operations = the_run->shared->flash.last.number;
    the_run->report->end = RUN_UNPOWERED;
    end_output(the_run->report);
    _exit(EXIT_SUCCESS);
}

/** What bootloader and firmware share for as long as there is power; nobody can change its size. @return false with errno */
static bool make_shared_memory(run_t *run)
{
    run->shared_fd = memfd_create("shared", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (run->shared_fd < 0 || ftruncate(run->shared_fd, OTTER_RUN_SHARED_SIZE) != 0 ||
        fcntl(run->shared_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
        return false;
    }
    run->shared = mmap(NULL, sizeof(*run->shared), PROT_READ | PROT_WRITE, MAP_SHARED, run->shared_fd, 0);
    if (run->shared == MAP_FAILED) {
        return false;
    }
    run->shared->flash.cut_at = run->options.cut_after;
    run->options.device.boots = true;
    run->options.device.flash_shared = &run->shared->flash;
    run->options.device.whole = true;
    return true;
}

static void tell_that_no_cut_came(const run_t *run)
{
    if ((run->options.cut_after != 0 || run->options.cut_at_ms != 0) && !run->report->cut) {
        print_line("power was not cut: the run made %u flash operations",
                   (unsigned)run->shared->flash.last.number);
    }
}

static run_end_t end_with(run_t *run, run_end_t end, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static run_end_t end_with(run_t *run, run_end_t end, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    text_vformat(run->report->why, sizeof(run->report->why), format, args);
    va_end(args);
    return end;
}

/** What of a booted image is needed to start it. */
typedef struct {
    int executable; /* descriptor */
    char name[33];  /* the project's */
} loaded_t;

/** This machine cannot play the boot that has begun: it has not happened. */
static run_end_t take_back(run_t *run, const char *what, const char *why)
{
    file_flash_plan_cut(run->dev.flash, NULL);
    esp_err_t err = otter_boot_take_back(&run->dev.device, &run->booted);
    return end_with(run, RUN_SHORT, "%s: %s; %s", what, why,
                    err == ESP_OK ? "the boot has not happened: free what is missing and run it again"
                                  : "and otadata could not be put back as it was before this boot");
}

/** Takes out of a text from the flash what could steer a terminal. */
static void make_printable(char *text)
{
    for (; *text != '\0'; text++) {
        *text = *text >= ' ' && *text <= '~' ? *text : '?';
    }
}

/** What runs now, for the report. */
static void note_app(run_t *run, const esp_app_desc_t *desc)
{
    run_report_t *report = run->report;
    const esp_partition_t *partition = run->booted.partition;
    char before[sizeof(report->version)];
    memcpy(before, report->version, sizeof(before));
    snprintf(report->version, sizeof(report->version), "%.32s", desc != NULL ? desc->version : "");
    snprintf(report->label, sizeof(report->label), "%s", partition->label);
    make_printable(report->version);
    make_printable(report->label);
    bool again = before[0] != '\0' && strcmp(report->version, before) == 0 &&
                 partition->address != report->address && run->reason == ESP_RST_SW;
    run->again = again ? run->again + 1 : 0;
    report->address = partition->address;
    const int copy = run->booted.otadata_copy;
    run->on_trial = copy >= 0 && run->booted.tried_count == 0 &&
                    run->booted.otadata_state[copy] == ESP_OTA_IMG_PENDING_VERIFY;
}

/** Takes the executable out of an image that the boot step has verified. @return false: `*end` */
static bool load_executable(run_t *run, loaded_t *loaded, run_end_t *end)
{
    const esp_partition_t *partition = run->booted.partition;
    const otter_image_info_t *image = &run->booted.image;
    if (image->segments_seen <= EXECUTABLE_SEGMENT || image->segments[EXECUTABLE_SEGMENT].data_len == 0) {
        *end = end_with(run, RUN_FAILED,
                        "the image in %s has no executable: build it with `otter image build --chip linux`",
                        partition->label);
        return false;
    }
    snprintf(loaded->name, sizeof(loaded->name), "%.32s",
             image->has_desc ? image->desc.project_name : "firmware");
    note_app(run, image->has_desc ? &image->desc : NULL);
    otter_fault_t fault = {0};
    loaded->executable = firmware_image_copy(&run->dev.device, partition, image, EXECUTABLE_SEGMENT, &fault);
    if (loaded->executable >= 0) {
        return true;
    }
    *end = fault.code == ESP_ERR_NO_MEM
               ? take_back(run, "no memory file for the executable", fault.why)
               : end_with(run, RUN_FAILED, "the image in %s: %s", partition->label, fault.why);
    return false;
}

/** The boot step. @return false: `*end` */
static bool boot(run_t *run, loaded_t *loaded, run_end_t *end)
{
    esp_err_t err = otter_boot(&run->dev.device, OTTER_BOOT_COMMIT, &run->booted);
    if (err == ESP_ERR_NO_MEM) {
        *end = take_back(run, "the bootloader cannot verify the images", "out of memory");
        return false;
    }
    if (err != ESP_OK) {
        *end = end_with(run, RUN_FAILED,
                        "nothing boots (%s): %s; a chip would reset for ever (`otter flash info` tells more)",
                        esp_err_to_name(err), run->booted.reason);
        return false;
    }
    run->running = *run->booted.partition;
    return load_executable(run, loaded, end);
}

static void start(run_t *run, const loaded_t *loaded, firmware_result_t *result)
{
    const otter_device_t *device = &run->dev.device;
    const firmware_start_t how = {
        .executable = loaded->executable,
        .flash = file_flash_descriptor(run->dev.flash),
        .shared = run->shared_fd,
        .shared_memory = run->shared,
        .trace = run->operations.trace,
        .flash_path = run->absolute_path,
        .efuse_path = run->absolute_efuse,
        .name = loaded->name,
        .boot = {.reset_reason = (uint32_t)run->reason,
                 .running = device->running->address,
                 .table_offset = device->config.table_offset,
                 .revision = device->chip.revision,
                 .blk_revision = device->chip.blk_revision,
                 .watchdog_s = run->options.watchdog_s,
                 .rollback = device->config.rollback,
                 .anti_rollback = device->config.anti_rollback,
                 .emulated_efuse = device->config.emulated_efuses != NULL},
        .signals = run->signals,
        .debugger = run->options.debugger,
        .brownout_at_us =
            run->brownout_at_us != 0 ? otter_now_us() + run->brownout_at_us - steady_clock_us() : 0,
    };
    firmware_process_run(&how, result);
    close(loaded->executable);
}

static bool is_crash(firmware_end_t end)
{
    return end == FIRMWARE_CRASHED || end == FIRMWARE_HUNG;
}

/** Counts crashes of the same partition in a row. @return true if there were too many to go on */
static bool crashes_for_ever(run_t *run, firmware_end_t end)
{
    bool crashed = is_crash(end);
    if (!crashed || run->running.address != run->crashed_at) {
        run->crashes = 0;
    }
    run->crashed_at = run->running.address;
    run->crashes += crashed;
    return run->options.boots_max == 0 && run->crashes >= RUN_CRASHES_MAX;
}

static void reset(run_t *run, const firmware_result_t *result)
{
    if (result->end == FIRMWARE_CRASHED) {
        print_line("Guru Meditation Error: Core  0 panic'ed (%s).", result->text);
        print_line("Rebooting...");
    }
    if (result->end == FIRMWARE_BROWNED_OUT) {
        print_line("Brownout detector was triggered");
        run->brownout_at_us = 0; /* there is one */
    }
    for (size_t i = 0; i < sizeof(reset_of_end) / sizeof(reset_of_end[0]); i++) {
        if (reset_of_end[i].end == result->end) {
            run->reason = reset_of_end[i].reason;
        }
    }
}

/** Nobody waits for a result: what the firmware still had to write is written, then the file is free, then the firmware ends. */
static void leave_quietly(run_t *run)
{
    const file_flash_options_t how = {.shared = &run->shared->flash};
    otter_flash_t *flash = NULL;
    otter_fault_t fault;
    int old = file_flash_descriptor(run->dev.flash), fd = fcntl(old, F_DUPFD_CLOEXEC, 0);
    if (fd >= 0 && file_flash_adopt(fd, &how, &flash, &fault) == ESP_OK) {
        (void)file_flash_descriptor(flash); /* writes it */
    }
    flock(old, LOCK_UN);
    otter_ignore(descendants_end()); /* what is left then is init's */
    _exit(EXIT_SUCCESS);
}

/** Learns again what the firmware has made of the flash. @return false: `*end` */
static bool refresh(run_t *run, run_end_t *end)
{
    struct stat st;
    if (fstat(file_flash_descriptor(run->dev.flash), &st) == 0 && S_ISREG(st.st_mode) &&
        st.st_size != (off_t)run->flash_size) {
        *end = end_with(
            run, RUN_FAILED,
            "the app has changed the size of the flash file from %u to %lld bytes; a chip's flash keeps it",
            (unsigned)run->flash_size, (long long)st.st_size);
        return false;
    }
    otter_fault_t fault = {0}; /* if there is one the device is closed, which linux_device_close() takes */
    bool open = linux_device_refresh(&run->dev, run->path, &run->options.device, &fault) == ESP_OK;
    *end = end_with(run, RUN_FAILED, "%s", fault.why);
    return open;
}

/** What an order of the keeper, or a signal for the whole run, comes to. */
static run_end_t end_of_signal(run_t *run, int signal, bool in_app)
{
    run->report->signal = signal;
    if (signal != KEEPER_SAYS_OFF) {
        return RUN_STOPPED;
    }
    switch ((keeper_off_t)run->report->off) {
    case KEEPER_OFF_TEXT:
        return RUN_SAID;
    case KEEPER_OFF_TIME:
        if (is_time_of_cut(&run->options)) {
            tell_cut(run, in_app);
            return RUN_UNPOWERED;
        }
        return RUN_TIME_OVER;
    default:
        run->report->signal = SIGPIPE;
        return RUN_STOPPED;
    }
}

/** What the keeper has said since the last boot. @return false: the run ends, `*end` */
static bool has_power(run_t *run, run_end_t *end)
{
    int signal = keeper_next_signal(run->signals);
    if (signal == KEEPER_HAS_ENDED) {
        leave_quietly(run);
    }
    if (signal != 0) {
        *end = end_of_signal(run, signal, false);
    }
    return signal == 0;
}

/** Loads what boots and runs it to its end. @return false: it did not come to a boot, `*end` says why */
static bool boot_and_run(run_t *run, firmware_result_t *result, run_end_t *end)
{
    loaded_t loaded;
    bool booted = boot(run, &loaded, end);
    run_operations_note(&run->operations, &run->dev.device, boot_number(run), "bootloader");
    if (!booted) {
        return false;
    }
    start(run, &loaded, result);
    if (result->end == FIRMWARE_NOT_STARTED) {
        *end = take_back(run, "the app cannot be started on this machine", result->text);
        return false;
    }
    if (result->end == FIRMWARE_LEFT) {
        *end = end_with(run, RUN_FAILED,
                        "processes that the app has started cannot be ended (%s) and may change the flash",
                        result->text);
        return false;
    }
    if (result->end == FIRMWARE_UNWRITTEN) {
        *end = end_with(
            run, RUN_FAILED,
            "this machine did not take all that the app wrote into the flash file; the console tells why");
        return false;
    }
    if (result->end == FIRMWARE_FROZEN) {
        leave_quietly(run);
    }
    char who[48];
    snprintf(who, sizeof(who), "app %s", run->report->version);
    bool fresh = refresh(run, end);
    run_operations_note(&run->operations, &run->dev.device, boot_number(run), who);
    return fresh;
}

/** The state of the record of an app partition. @return RUN_NO_RECORD if there is none */
static uint32_t state_at(otter_device_t *device, uint32_t address)
{
    esp_ota_img_states_t state;
    for (uint32_t i = 0; i < device->partitions.count; i++) {
        const esp_partition_t *p = &device->partitions.items[i];
        if (p->type == ESP_PARTITION_TYPE_APP && p->address == address &&
            otter_ota_get_state_partition(device, p, &state) == ESP_OK) {
            return (uint32_t)state;
        }
    }
    return RUN_NO_RECORD;
}

/** After a reset: what has become of the trial. @return false: it is a loop without end, `*end` */
static bool judge_trial(run_t *run, run_end_t *end)
{
    run_report_t *report = run->report;
    if (!run->on_trial) {
        return true;
    }
    bool confirmed = state_at(&run->dev.device, report->address) == ESP_OTA_IMG_VALID;
    uint32_t failures = trials_note(&run->trials, report->version, confirmed);
    if (failures < 2) {
        if (strcmp(report->looping, report->version) == 0) {
            report->looping[0] = '\0'; /* it has been confirmed after all */
        }
        return true;
    }
    memcpy(report->looping, report->version, sizeof(report->looping));
    report->failures = failures;
    print_line("update loop: version %s was installed again and has failed its trial %u times",
               report->looping, (unsigned)failures);
    if (run->options.boots_max != 0 || failures < RUN_FAILURES_MAX) {
        return true;
    }
    *end =
        end_with(run, RUN_FAILED,
                 "update loop: version %s has failed its trial %u times, and the app installs it again each "
                 "time; it should pass over what has failed here (docs/RELIABILITY.md)",
                 report->looping, (unsigned)failures);
    return false;
}

/** A version that installs itself whenever it starts never gets to its work. @return true: no end is in sight, `*end` */
static bool updates_for_ever(run_t *run, run_end_t *end)
{
    const char *version = run->report->version;
    if (run->again == RUN_FAILURES_MAX) {
        print_line("update loop: version %s was installed over itself %u times in a row", version,
                   (unsigned)run->again);
    }
    if (run->options.boots_max != 0 || run->again < RUN_CRASHES_MAX) {
        return false;
    }
    *end = end_with(
        run, RUN_FAILED,
        "update loop: version %s was installed over itself %u times in a row; the app should compare "
        "the version on offer with its own (--boots sets a limit)",
        version, (unsigned)run->again);
    return true;
}

/** Ends that are no reset. @return false: it is one */
static bool is_over(run_t *run, const firmware_result_t *result, run_end_t *end)
{
    switch (result->end) {
    case FIRMWARE_IDLE:
        *end = RUN_IDLE;
        return true;
    case FIRMWARE_STOPPED:
        *end = end_of_signal(run, result->signal, true);
        return true;
    case FIRMWARE_UNPOWERED:
        tell_cut(run, true);
        *end = RUN_UNPOWERED;
        return true;
    default:
        return false;
    }
}

/** The device sleeps. @return false: it does not wake up, `*end` */
static bool sleep_through(run_t *run, run_end_t *end)
{
    const uint64_t us = run->shared->pause.us; /* whatever the firmware has left there */
    if (us == OTTER_RUN_PAUSE_FOR_EVER) {
        print_line("deep sleep, and nothing is set that ends it here");
        *end = RUN_IDLE;
        return false;
    }
    const int64_t begin = steady_clock_us();
    print_line("deep sleep for %" PRIu64 ".%03u s%s", us / 1000000, (unsigned)(us / 1000 % 1000),
               run->options.skip_sleep ? " (skipped)" : "");
    while (!run->options.skip_sleep) {
        uint64_t passed = (uint64_t)(steady_clock_us() - begin);
        struct pollfd news = {.fd = run->signals, .events = POLLIN};
        if (passed >= us) {
            break;
        }
        uint64_t left_ms = (us - passed) / 1000 + 1;
        (void)poll(&news, 1,
                   left_ms < INT_MAX ? (int)left_ms : INT_MAX); /* what ends it early is looked at */
        if (!has_power(run, end)) {
            return false;
        }
    }
    return true;
}

/** One boot. @return true: `*end` says how it all ended; false: the device has reset and boots again */
static bool run_once(run_t *run, run_end_t *end)
{
    file_flash_plan_cut(run->dev.flash, lose_power);
    print_reset(run);
    firmware_result_t result;
    if (!has_power(run, end) || !boot_and_run(run, &result, end)) {
        return true;
    }
    bool over = is_over(run, &result, end);
    run->report->boots++;
    run->report->crashes += is_crash(result.end);
    if (over) {
        return true;
    }
    reset(run, &result);
    if (result.end == FIRMWARE_ASLEEP && !sleep_through(run, end)) {
        return true;
    }
    if (!judge_trial(run, end) || updates_for_ever(run, end)) {
        return true;
    }
    if (run->report->boots == run->options.boots_max) {
        *end = RUN_BOOTS_LIMIT;
        return true;
    }
    if (crashes_for_ever(run, result.end)) {
        *end = end_with(
            run, RUN_FAILED,
            "the app in %s crashed %u times in a row; a chip would go on for ever (--boots sets a limit)",
            run->report->label, (unsigned)run->crashes);
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
    if (facts != NULL && facts->id == OTTER_CHIP_DEVICE) {
        (void)end_with(
            run, RUN_FAILED,
            "what this flash holds is started by its device's own bootloader, which `otter boot` tells "
            "where it is");
        return false;
    }
    (void)end_with(run, RUN_FAILED, "this flash holds images for %s; they run on the chip, not here",
                   facts != NULL ? facts->title : "an unknown chip");
    return false;
}

/** Boot after boot, as long as there is power. */
static run_end_t live(run_t *run)
{
    run_end_t end;
    while (!run_once(run, &end)) {
    }
    tell_that_no_cut_came(run);
    run_operations_print(&run->operations, run->shared->flash.last.number);
    run->report->operations = run->shared->flash.last.number;
    run->report->crashes_in_row = run->running.address == run->crashed_at ? run->crashes : 0;
    return end;
}

/** What the firmware is told, wherever it goes from here. @return false with errno */
static bool find_paths(run_t *run)
{
    const char *efuse = run->options.device.efuse_path;
    run->absolute_path = realpath(run->path, NULL);
    if (run->absolute_path == NULL || efuse == NULL) {
        return run->absolute_path != NULL;
    }
    char *folder = efuse[0] == '/' ? strdup("") : getcwd(NULL, 0); /* the file itself need not be there yet */
    if (folder == NULL ||
        asprintf(&run->absolute_efuse, "%s%s%s", folder, folder[0] != '\0' ? "/" : "", efuse) < 0) {
        run->absolute_efuse = NULL;
    }
    free(folder);
    return run->absolute_efuse != NULL;
}

/** With the device open. */
static run_end_t run_open_device(run_t *run)
{
    run->options.device.chip =
        otter_chip_facts(OTTER_CHIP_LINUX); /* a chip does not change once it has started */
    run->flash_size = run->dev.flash->size;
    run_end_t end = RUN_FAILED;
    if (!find_paths(run)) {
        end = end_with(run, RUN_FAILED, "cannot resolve the path: %s", strerror(errno));
    } else if (check_chip(run)) {
        end = live(run);
    }
    free(run->absolute_path);
    free(run->absolute_efuse);
    return end;
}

/** The worker: its process is the device. */
static void be_device(void *arg, int signals)
{
    run_t *run = arg;
    run_report_t *report = run->report;
    the_run = run;
    run->signals = signals;
    otter_fault_t fault = {0};
    linux_device_options_t options = run->options.device;
    options.needs_efuse = true;
    esp_err_t err = linux_device_open(&run->dev, run->path, &options, &fault);
    run_end_t end = end_with(run, RUN_FAILED, "%s", fault.why);
    if (err == ESP_OK) {
        end = run_open_device(run);
        if (linux_device_close(&run->dev) != ESP_OK && end != RUN_FAILED) {
            end = end_with(run, RUN_FAILED, "the flash file could not be synced");
        }
    }
    report->end = end;
    end_output(report);
}

/** The device's process is gone without a result: what it had remembered of its last erase is written here. */
static void clean_up_after(run_t *run, const keeper_result_t *kept)
{
    linux_device_t dev;
    otter_fault_t fault;
    if (kept->left == 0 && linux_device_open(&dev, run->path, &run->options.device, &fault) == ESP_OK) {
        otter_ignore(linux_device_close(&dev));
    }
    run->report->end =
        end_with(run, RUN_FAILED, "the process that plays the device was ended by signal %d, %s",
                 kept->signal, strsignal(kept->signal));
}

/** In the keeper, before it says KEEPER_SAYS_OFF. A power cut tears the operation that comes next, if one does. */
static void note_off(void *arg, keeper_off_t reason)
{
    run_t *run = arg;
    run->report->off = (int)reason;
    if (reason == KEEPER_OFF_TIME && is_time_of_cut(&run->options)) {
        run->shared->flash.cut_at = run->shared->flash.last.number + 1;
    }
}

static void keep_device(run_t *run)
{
    const run_options_t *options = &run->options;
    const bool cut_first = is_time_of_cut(options);
    const keeper_plan_t plan = {.off_after_ms = cut_first ? options->cut_at_ms : options->off_at_ms,
                                .off_text = options->until,
                                .off = note_off};
    keeper_result_t kept;
    keeper_run(&plan, be_device, run, &kept);
    if (kept.output != 0) {
        text_format(run->report->output, sizeof(run->report->output), "%s", strerror(kept.output));
    }
    if (kept.end == KEEPER_NOT_STARTED) {
        run->report->end = end_with(run, RUN_SHORT, "no process can be started: %s; nothing has happened yet",
                                    strerror(kept.error));
    } else if (kept.end == KEEPER_LOST) {
        clean_up_after(run, &kept);
    } else if (kept.left != 0) {
        run->report->end = end_with(run, RUN_FAILED, "processes that the app has started cannot be ended: %s",
                                    strerror(kept.left));
    } else if (kept.off == KEEPER_OFF_TEXT && run->report->end != RUN_FAILED &&
               run->report->end != RUN_SHORT) {
        run->report->end = RUN_SAID; /* also if it ended by itself right after that */
    }
}

/** The run is over: what it has left in the flash. */
static void look_at_flash(run_t *run)
{
    run_report_t *report = run->report;
    linux_device_options_t how = run->options.device;
    linux_device_t *dev = &run->dev;
    otter_fault_t fault;
    how.read_only = true;
    how.flash_shared = NULL;
    how.flash_trace = 0;
    how.flash_speed = NULL;
    int fd = open(run->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0 &&
        flock(fd, LOCK_SH | LOCK_NB) != 0) { /* something that could not be ended, or the next command */
        close(fd);
        fd = -1;
    }
    if (fd < 0 || linux_device_adopt(dev, fd, run->path, &how, &fault) != ESP_OK) {
        return;
    }
    report->known = true;
    report->state = report->label[0] != '\0' ? state_at(&dev->device, report->address) : RUN_NO_RECORD;
    otter_boot_result_t next;
    if (otter_boot(&dev->device, OTTER_BOOT_DRY_RUN, &next) == ESP_OK) {
        snprintf(report->next, sizeof(report->next), "%s", next.partition->label);
        make_printable(report->next);
    }
    otter_ignore(linux_device_close(dev));
}

void run_device(const char *path, const run_options_t *options, run_report_t *report)
{
    run_t run = {.path = path, .options = *options, .reason = ESP_RST_POWERON, .shared_fd = -1};
    *report = (run_report_t){.end = RUN_SHORT};
    void *page = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) {
        snprintf(report->why, sizeof(report->why), "no memory for the device: %s", strerror(errno));
        return;
    }
    run.report = page;
    if (options->fast) {
        steady_clock_hurry(NULL);
        run.options.skip_sleep = true;
    }
    run.brownout_at_us =
        options->brownout_at_ms != 0 ? steady_clock_us() + (int64_t)options->brownout_at_ms * 1000 : 0;
    if (make_shared_memory(&run) && (!options->list_operations || run_operations_open(&run.operations))) {
        run.options.device.flash_trace = run.operations.trace;
        keep_device(&run);
        look_at_flash(&run);
    } else {
        run.report->end = end_with(&run, RUN_SHORT, "no memory for the device: %s", strerror(errno));
    }
    *report = *run.report;
    munmap(page, sizeof(*report));
    if (run.shared != NULL && run.shared != MAP_FAILED) {
        munmap(run.shared, sizeof(*run.shared));
    }
    if (run.shared_fd >= 0) {
        close(run.shared_fd);
    }
    if (run.operations.trace > 0) {
        close(run.operations.trace);
    }
}
