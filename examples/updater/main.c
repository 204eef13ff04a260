/* updater FLASH URL CA.pem: what `otter update`, `boot` and `confirm` do, in a program of one's own, by public headers. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "otter/boot.h"
#include "otter/https_update.h"
#include "otter/linux.h"
#include "otter/ota_ops.h"

#define CA_MAX 65536

/** What the callbacks of this update are given; a program with several devices has one for each. */
typedef struct {
    uint64_t told; /* bytes, when the progress was told last */
} progress_t;

static bool show_progress(void *ctx, const otter_update_report_t *report)
{
    progress_t *progress = ctx;
    if (report->bytes_written - progress->told >= 1 << 20) {
        progress->told = report->bytes_written;
        printf("%" PRIu64 " KiB written\n", report->bytes_written / 1024);
    }
    return true; /* false would give the update up */
}

static bool show_wait(void *ctx, uint32_t left_ms)
{
    (void)ctx;
    return left_ms < 60000; /* no longer than a minute for a server that is busy */
}

static int fail(const char *what, const char *why)
{
    fprintf(stderr, "updater: %s: %s\n", what, why);
    return 1;
}

/** Fetches the image into the slot that does not run, has it judged there, and selects it. */
static esp_err_t update(otter_device_t *device, const char *url, const char *ca)
{
    static uint8_t receive[32 * 1024];
    progress_t progress = {0};
    const esp_http_client_config_t http = {.url = url, .cert_pem = ca, .timeout_ms = 10000};
    const esp_https_ota_config_t config = {.http_config = &http, .retry = {.attempts = 3, .delay_ms = 500}};
    const otter_https_options_t options = {.on_progress = show_progress,
                                           .on_wait = show_wait,
                                           .ctx = &progress,
                                           .receive = {receive, sizeof(receive)}};
    return otter_https_ota(device, &config, &options);
}

/** Plays the bootloader: what a device does when it is switched on. */
static const esp_partition_t *boot(otter_device_t *device, otter_boot_mode_t mode)
{
    static otter_boot_result_t result;
    esp_err_t err = otter_boot(device, mode, &result);
    printf("%s: %s\n", err == ESP_OK ? result.partition->label : "nothing boots", result.reason);
    if (err == ESP_OK && result.image.has_desc) {
        printf("%s %s, entry 0x%08" PRIx32 ", %u segments\n", result.image.desc.project_name,
               result.image.desc.version, result.image.header.entry_addr, result.image.header.segment_count);
    }
    return result.partition;
}

static int run(otter_device_t *device, const char *url, const char *ca)
{
    otter_fault_t fault = {0};
    device->running = boot(device, OTTER_BOOT_DRY_RUN); /* what runs is never written */
    if (update(device, url, ca) != ESP_OK) {
        return fail(otter_stage_name(device->report.stage), device->report.fault.why);
    }
    printf("%" PRIu64 " bytes written to %s\n", device->report.bytes_written, device->report.slot);
    if (boot(device, OTTER_BOOT_COMMIT) == NULL) { /* the trial begins ... */
        return 1;
    }
    esp_err_t err = otter_ota_mark_app_valid_cancel_rollback(device, &fault); /* ... and was passed */
    if (err != ESP_OK) {
        return fail("confirming", otter_fault_text(&fault, err));
    }
    printf("%s is confirmed\n", device->running->label);
    return 0;
}

static const char *load_ca(const char *path)
{
    static char text[CA_MAX];
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        return NULL;
    }
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    return text;
}

int main(int argc, char **argv)
{
    otter_fault_t fault = {0};
    otter_device_t *device;
    const otter_linux_options_t options = {.rollback = OTTER_LINUX_ON};
    if (argc != 4) {
        return fail("usage", "updater FLASH URL CA.pem");
    }
    const char *ca = load_ca(argv[3]);
    if (ca == NULL) {
        return fail(argv[3], "cannot be read");
    }
    esp_err_t err = otter_linux_open(argv[1], &options, &device, &fault);
    if (err != ESP_OK) {
        return fail(argv[1], otter_fault_text(&fault, err));
    }
    int status = run(device, argv[2], ca);
    err = otter_linux_close(device);
    return err == ESP_OK ? status : fail("closing", esp_err_to_name(err));
}
