/* otter update: fetch an image over HTTPS into a flash file of any chip, with the code a firmware would use. */
#include "cli.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "esp_crt_bundle.h"
#include "esp_log.h"
#include "host/named_file.h"
#include "host/number.h"
#include "http/headers.h"
#include "http/url.h"
#include "image_options.h"
#include "linux/interrupt.h"
#include "linux/linux_device.h"
#include "ota/https_ota.h"
#include "otter/boot.h"
#include "otter/system.h"
#include "progress.h"
#include "update_report.h"
#include "update_slot.h"

#define CA_FILE_MAX (4u << 20)
#define BUFFER_SIZE (128 * 1024) /* reads and writes this long cost the least; see docs/PERFORMANCE.md */
#define TIMEOUT_MS  10000
#define RETRIES     6

static const char VERB[] = "update";

static const char HELP[] =
    "usage: otter update FLASH URL --ca CA.pem [option ...]\n"
    "\n"
    "Fetches the image at URL into the next update slot of the flash file FLASH, verifies it there, and "
    "makes it boot\n"
    "next, exactly as a firmware calling esp_https_ota() would. The slot that the bootloader would start now "
    "counts as\n"
    "running and is never written; nor is one that the device may run although it does not boot by what the "
    "file tells.\n"
    "Any chip's flash file will do: an ESP32-C3 flash takes only ESP32-C3 images.\n"
    "\n"
    "  --ca FILE          CA certificate(s), PEM or DER: what the server's certificate must be signed by\n"
    "  --system-ca        trust the certificates of this machine instead\n"
    "  --allow-http       accept a plain http:// URL (anybody on the way can change the image)\n"
    "  --header 'N: V'    add a request header, of any length; may be given several times\n"
    "  --slot LABEL       write this partition instead of the next update slot\n"
    "  --overwrite-selected\n"
    "                     write also the slot that otadata selects where nothing boots, and any other that "
    "the "
    "device\n"
    "                     may run, if there is no better one\n"
    "  --timeout SECONDS  limit of each wait: connecting, response, silence (default 10)\n"
    "  --retries N        connections in a row that may bring nothing new before giving up (default 6; 0: "
    "none), the\n"
    "                     first one included: refused, lost, or answered by 408, 429 or 5xx; a busy server "
    "is "
    "left\n"
    "                     alone as long as its Retry-After says\n"
    "  --retry-delay MS   pause before the first of them; doubles each time (default 1000)\n"
    "  --max-seconds N    give the whole download up after N seconds (default 3600)\n"
    "  --resume           go on where an earlier update of this URL was cut; progress is kept in the slot, "
    "asked "
    "for or not\n"
    "  --range BYTES      fetch the image in requests of so many bytes\n"
    "  --chip NAME        the chip, when neither FLASH.efuse nor the images tell (esp32, esp32c3, ..., "
    "linux)\n"
    "  --chip-rev REV     its revision, as v3.1 or 301, and that of its eFuse block (`espefuse summary` "
    "tells "
    "both);\n"
    "  --blk-rev REV      default: FLASH.efuse, else the least that the images in the flash need\n"
    "  --table-offset N   where the partition table is (default 0x8000)\n"
    "  --rollback on|off  mark the new image unconfirmed (default: on for chip linux, off for others, as "
    "ESP-IDF)\n"
    "  --json             print the result as JSON on standard output (docs/JSON.md)\n"
    "  -q, --quiet        no progress\n"
    "\n"
    "example:  otter update flash.bin https://192.168.1.5:8070/firmware.bin --ca ca.pem\n"
    "\n"
    "Ctrl-C ends it at once. exit status: 0 updated, 1 failed (one line tells why, and what boots then if "
    "anything was\n"
    "written), 2 wrong usage\n";

typedef struct {
    char *bytes; /* NULL: none given */
    size_t len;
} ca_t;

typedef struct {
    const char *flash_path, *url, *ca_path, *slot;
    http_headers_t headers;
    bool system_ca, json, quiet, resume, overwrite_selected;
    int timeout_ms, retries, retry_delay_ms, max_ms, range;
    linux_device_options_t device;
} options_t;

/* These callbacks have no argument of their own; this command makes one update. */
static const options_t *active_options;
static const otter_device_t *active_device;

/* ---- arguments ------------------------------------------------------------------------------------------------ */

enum {
    OPT_CA = 256,
    OPT_SYSTEM_CA,
    OPT_HTTP,
    OPT_HEADER,
    OPT_SLOT,
    OPT_OVERWRITE,
    OPT_TIMEOUT,
    OPT_CHIP,
    OPT_REV,
    OPT_BLK_REV,
    OPT_TABLE,
    OPT_ROLLBACK,
    OPT_JSON,
    OPT_RETRIES,
    OPT_DELAY,
    OPT_MAX,
    OPT_RESUME,
    OPT_RANGE
};

static const struct option long_options[] = {
    {"ca", required_argument, NULL, OPT_CA},
    {"system-ca", no_argument, NULL, OPT_SYSTEM_CA},
    {"allow-http", no_argument, NULL, OPT_HTTP},
    {"header", required_argument, NULL, OPT_HEADER},
    {"slot", required_argument, NULL, OPT_SLOT},
    {"overwrite-selected", no_argument, NULL, OPT_OVERWRITE},
    {"timeout", required_argument, NULL, OPT_TIMEOUT},
    {"chip", required_argument, NULL, OPT_CHIP},
    {"chip-rev", required_argument, NULL, OPT_REV},
    {"blk-rev", required_argument, NULL, OPT_BLK_REV},
    {"table-offset", required_argument, NULL, OPT_TABLE},
    {"rollback", required_argument, NULL, OPT_ROLLBACK},
    {"retries", required_argument, NULL, OPT_RETRIES},
    {"retry-delay", required_argument, NULL, OPT_DELAY},
    {"max-seconds", required_argument, NULL, OPT_MAX},
    {"resume", no_argument, NULL, OPT_RESUME},
    {"range", required_argument, NULL, OPT_RANGE},
    {"json", no_argument, NULL, OPT_JSON},
    {"quiet", no_argument, NULL, 'q'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* Options that are one number: what they mean, and where they go. 0 and "default" are different things to the library. */
static const struct number_option {
    int option;
    uint64_t min, max;
    size_t offset; /* of an int in options_t */
    int scale;
    const char *wants;
} number_options[] = {
    {OPT_TIMEOUT, 1, 3600, offsetof(options_t, timeout_ms), 1000, "--timeout wants 1 to 3600 seconds"},
    {OPT_RETRIES, 0, 1000, offsetof(options_t, retries), 1, "--retries wants 0 to 1000"},
    {OPT_DELAY, 1, 60000, offsetof(options_t, retry_delay_ms), 1,
     "--retry-delay wants 1 to 60000 milliseconds"},
    {OPT_MAX, 1, 1000000, offsetof(options_t, max_ms), 1000, "--max-seconds wants 1 to 1000000 seconds"},
    {OPT_RANGE, 1024, INT_MAX, offsetof(options_t, range), 1, "--range wants 1024 to 2147483647 bytes"},
};

static int take_number(options_t *o, const struct number_option *row, const char *value)
{
    uint64_t number = 0;
    if (!number_parse(value, row->min, row->max, &number)) {
        return cli_usage(VERB, "%s, not '%s'", row->wants, value);
    }
    *(int *)(void *)((char *)o + row->offset) = (int)number * row->scale;
    return EXIT_DONE;
}

/** "Name: value", of any length. */
static int take_header(options_t *o, const char *text)
{
    const char *colon = strchr(text, ':');
    char *name = colon != NULL ? strndup(text, (size_t)(colon - text)) : NULL;
    int status = EXIT_DONE;
    if (colon == NULL) {
        status = cli_usage(VERB, "--header wants 'Name: value', not '%s'", text);
    } else if (name != NULL && http_headers_get(&o->headers, name) != NULL) {
        status = cli_usage(VERB, "--header '%s' is given twice", name);
    } else {
        esp_err_t err = name != NULL ? http_headers_append(&o->headers, name, colon + 1) : ESP_ERR_NO_MEM;
        if (err == ESP_ERR_NO_MEM) {
            status = cli_fail(VERB, "out of memory");
        } else if (err != ESP_OK) {
            status = cli_usage(VERB,
                               "--header '%s': a name is made of letters, digits and '-', a value has no "
                               "control characters",
                               name);
        }
    }
    free(name);
    return status;
}

/** One option. @return EXIT_DONE to go on, or an exit status */
static int take_option(options_t *o, int option, char *value)
{
    for (size_t i = 0; i < sizeof(number_options) / sizeof(number_options[0]); i++) {
        if (number_options[i].option == option) {
            return take_number(o, &number_options[i], value);
        }
    }
    switch (option) {
    case OPT_CA:
        o->ca_path = value;
        return EXIT_DONE;
    case OPT_SYSTEM_CA:
        o->system_ca = true;
        return EXIT_DONE;
    case OPT_HTTP:
        o->device.allow_http = true;
        return EXIT_DONE;
    case OPT_HEADER:
        return take_header(o, value);
    case OPT_SLOT:
        o->slot = value;
        return EXIT_DONE;
    case OPT_OVERWRITE:
        o->overwrite_selected = true;
        return EXIT_DONE;
    case OPT_CHIP:
        o->device.chip = otter_chip_by_name(value);
        return o->device.chip != NULL ? EXIT_DONE : cli_usage(VERB, "there is no chip '%s'", value);
    case OPT_REV:
        o->device.has_revision =
            parse_revision(value, &o->device.revision) && o->device.revision != UINT16_MAX;
        return o->device.has_revision
                   ? EXIT_DONE
                   : cli_usage(VERB, "--chip-rev wants a revision, as v3.1 or 301, not '%s'", value);
    case OPT_BLK_REV:
        o->device.has_blk_revision =
            parse_revision(value, &o->device.blk_revision) && o->device.blk_revision != UINT16_MAX;
        return o->device.has_blk_revision
                   ? EXIT_DONE
                   : cli_usage(VERB, "--blk-rev wants a revision, as v1.3 or 103, not '%s'", value);
    case OPT_TABLE:
        return cli_parse_offset(value, 1, &o->device.table_offset)
                   ? EXIT_DONE
                   : cli_usage(VERB, "--table-offset wants an offset in flash, as 0x8000, not '%s'", value);
    case OPT_ROLLBACK:
        if (strcmp(value, "on") != 0 && strcmp(value, "off") != 0) {
            return cli_usage(VERB, "--rollback wants on or off, not '%s'", value);
        }
        o->device.rollback = strcmp(value, "on") == 0 ? LINUX_DEVICE_ON : LINUX_DEVICE_OFF;
        return EXIT_DONE;
    case OPT_RESUME:
        o->resume = true;
        return EXIT_DONE;
    case OPT_JSON:
        o->json = true;
        return EXIT_DONE;
    case 'q':
        o->quiet = true;
        return EXIT_DONE;
    default:
        return EXIT_USAGE; /* parse_arguments has told what is unknown */
    }
}

static int parse_arguments(options_t *o, int argc, char **argv, bool *help)
{
    *o = (options_t){.url = "", .timeout_ms = TIMEOUT_MS, .retries = RETRIES, .device.whole = true};
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, "qh", long_options, NULL)) != -1;) {
        if (option == 'h') {
            *help = true;
            return EXIT_DONE;
        }
        int status = option == '?' ? cli_usage(VERB, "'%s' is unknown or lacks its value", argv[optind - 1])
                                   : take_option(o, option, optarg);
        if (status != EXIT_DONE) {
            return status;
        }
    }
    if (argc - optind != 2) {
        return cli_usage(VERB, "a flash file and a URL are needed");
    }
    o->flash_path = argv[optind];
    o->url = argv[optind + 1];
    if (o->ca_path == NULL && !o->system_ca && !o->device.allow_http) {
        return cli_usage(VERB, "--ca CA.pem is needed: it tells whom to believe");
    }
    return EXIT_DONE;
}

/* ---- the update ----------------------------------------------------------------------------------------------- */

static esp_err_t add_headers(esp_http_client_handle_t client)
{
    const http_headers_t *headers = &active_options->headers;
    esp_err_t err = ESP_OK;
    for (size_t i = 0; i < headers->count && err == ESP_OK; i++) {
        err = esp_http_client_set_header(client, headers->items[i].key, headers->items[i].value);
    }
    return err;
}

/** Room for the longest request line, whose bytes above 0x7F are sent as %XX, and for the longest header. */
static int request_buffer_size(const http_headers_t *headers)
{
    size_t most = 3 * HTTP_URL_MAX + sizeof("HEAD  HTTP/1.1\r\n");
    for (size_t i = 0; i < headers->count; i++) {
        size_t len = strlen(headers->items[i].key) + strlen(headers->items[i].value) + sizeof(": \r\n");
        most = len > most ? len : most;
    }
    return most < INT_MAX ? (int)most : INT_MAX;
}

/** Begin waits before it asks again: says so once for each pause, and ends it at Ctrl-C. */
static bool show_wait(uint32_t left_ms)
{
    static uint32_t last_ms;
    const otter_update_report_t *report = &active_device->report;
    uint32_t left_s = (left_ms + 999) / 1000;
    if (left_ms > last_ms && !active_options->quiet && !active_options->json) {
        if (report->transport.text[0] != '\0') {
            cli_note(VERB, "%s; asking again in %" PRIu32 " s", report->transport.text, left_s);
        } else {
            bool busy = report->http_status == 429 || report->http_status == 503;
            cli_note(VERB, "the server %s (%d); asking again in %" PRIu32 " s", busy ? "is busy" : "failed",
                     report->http_status, left_s);
        }
    }
    last_ms = left_ms;
    return interrupt_came() == INTERRUPT_NONE;
}

static esp_err_t transfer(const otter_device_t *device, esp_https_ota_handle_t handle, progress_t *progress)
{
    esp_err_t err;
    do {
        err = esp_https_ota_perform(handle);
        progress_show(progress, device->report.bytes_written, device->report.image_size);
    } while (err == ESP_ERR_HTTPS_OTA_IN_PROGRESS && interrupt_came() == INTERRUPT_NONE);
    if (device->report.bytes_written > 0) {
        progress_end(progress, device->report.bytes_written, device->report.image_size);
    }
    return err;
}

static esp_err_t run_update(otter_device_t *device, const options_t *o, const ca_t *ca,
                            const esp_partition_t *slot, update_outcome_t *outcome)
{
    const esp_http_client_config_t http = {
        .url = o->url,
        .cert_pem = ca->bytes,
        .cert_len = ca->len,
        .crt_bundle_attach = o->system_ca ? esp_crt_bundle_attach : NULL,
        .timeout_ms = o->timeout_ms,
        .buffer_size = BUFFER_SIZE,
        .buffer_size_tx = request_buffer_size(&o->headers),
        .keep_alive_enable = true,
        .user_agent = "otter/" OTTER_VERSION,
    };
    const esp_https_ota_config_t config = {
        .http_config = &http,
        .http_client_init_cb = add_headers,
        .ota_resumption = o->resume,
        .partial_http_download = o->range > 0,
        .max_http_request_size = o->range,
        .partition.staging = slot,
        .retry = {.attempts = o->retries > 0 ? o->retries : -1,
                  .delay_ms = o->retry_delay_ms,
                  .max_time_ms = o->max_ms},
    };
    esp_https_ota_handle_t handle = NULL;
    active_device = device;
    device->on_https_ota_wait = show_wait;
    esp_err_t err = https_ota_begin(device, &config, &handle);
    if (err != ESP_OK) {
        return err;
    }
    esp_app_desc_t desc;
    if (esp_https_ota_get_img_desc(handle, &desc) == ESP_OK) {
        update_outcome_version(outcome->to_version, &desc);
    } else {
        device->report.code =
            ESP_OK; /* a broken image is told by perform, which looks at its first byte first */
    }
    progress_t progress;
    progress_begin(&progress, !o->quiet && !o->json);
    err = transfer(device, handle, &progress);
    if (err == ESP_OK && interrupt_came() == INTERRUPT_NONE) {
        return esp_https_ota_finish(handle);
    }
    (void)esp_https_ota_abort(handle); /* what perform said is what counts */
    return err != ESP_OK && err != ESP_ERR_HTTPS_OTA_IN_PROGRESS ? err : ESP_FAIL;
}

/* ---- the command ---------------------------------------------------------------------------------------------- */

static esp_err_t choose_slot(otter_device_t *device, const options_t *o, const esp_partition_t **slot,
                             update_outcome_t *outcome)
{
    const update_slot_options_t how = {
        .flash_path = o->flash_path,
        .file_length = file_flash_length(device->flash),
        .slot = o->slot,
        .rollback_is_known =
            o->device.rollback != LINUX_DEVICE_DEFAULT || device->chip.id == OTTER_CHIP_LINUX,
        .overwrite_selected = o->overwrite_selected,
        .quiet = o->quiet || o->json,
    };
    return update_slot_choose(device, &how, slot, outcome);
}

/** What boots now, which a failure may leave in doubt. */
static void note_standing(linux_device_t *dev, const esp_partition_t *slot, update_outcome_t *outcome)
{
    const esp_partition_t *before = dev->device.running;
    otter_boot_result_t boot;
    const esp_partition_t *now =
        otter_boot(&dev->device, OTTER_BOOT_DRY_RUN, &boot) == ESP_OK ? boot.partition : NULL;
    char text[80];
    if (now == before) {
        snprintf(text, sizeof(text), "%s",
                 now != NULL ? "the old firmware still boots" : "nothing boots, as before");
    } else if (now == NULL) {
        snprintf(text, sizeof(text), "nothing boots any more");
    } else {
        snprintf(text, sizeof(text), "%s in %s boots next",
                 now == slot ? "the new firmware" : "another firmware", now->label);
    }
    snprintf(outcome->boots, sizeof(outcome->boots), "%s", now != NULL ? now->label : "");
    /* A sync that failed in the middle of the switch: what is read back is what the kernel remembers. */
    bool is_certain = !file_flash_lost_a_sync(dev->flash) || dev->device.report.stage < OTTER_STAGE_SWITCH;
    snprintf(outcome->standing, sizeof(outcome->standing),
             is_certain ? "%s"
                        : "by the file %s, but the disk may have kept "
                          "what it was before: `otter flash info` tells, once the disk is checked",
             text);
}

/** A flash that failed is a file that failed: its disk is full, say. */
static void explain_flash_failure(const linux_device_t *dev, const options_t *o, esp_err_t err,
                                  update_outcome_t *outcome)
{
    int cause = file_flash_cause(dev->flash);
    const char *step = cause == ENOSPC || cause == EDQUOT ? "make room on its disk and try again"
                       : cause == EFBIG                   ? "`ulimit -f` limits the size of files here"
                                                          : "check its disk";
    if (otter_flash_failed(err) && cause != 0) {
        update_outcome_error(outcome, "%s: %s (%s): %s; %s", o->flash_path, strerror(cause),
                             esp_err_to_name(err), step, outcome->standing);
    }
}

static esp_err_t choose_and_run(linux_device_t *dev, const options_t *o, const ca_t *ca,
                                const esp_partition_t **slot, update_outcome_t *outcome)
{
    otter_device_t *device = &dev->device;
    if (device->partitions.status != ESP_OK) {
        update_outcome_error(outcome, "%s has no usable partition table (%s); `otter flash info` tells more",
                             o->flash_path, esp_err_to_name(device->partitions.status));
        return device->partitions.status;
    }
    (void)otter_boot_finish_copies(device); /* logged; the download may need the staging partition */
    esp_err_t err = choose_slot(device, o, slot, outcome);
    return err != ESP_OK ? err : run_update(device, o, ca, *slot, outcome);
}

/** Why it has failed, as far as the report does not tell. @return the code to end with */
static esp_err_t explain_failure(linux_device_t *dev, const options_t *o, const esp_partition_t *slot,
                                 esp_err_t err, update_outcome_t *outcome)
{
    note_standing(dev, slot, outcome);
    explain_flash_failure(dev, o, err, outcome);
    if (interrupt_came() == INTERRUPT_SIGNAL) {
        update_outcome_error(outcome, "interrupted; %s", outcome->standing);
        return otter_flash_failed(err) ? err : ESP_FAIL;
    }
    if (interrupt_came() == INTERRUPT_TIME) {
        update_outcome_error(outcome, "not done within %d s (--max-seconds): %" PRIu64 " bytes came; %s",
                             o->max_ms / 1000, dev->device.report.bytes_downloaded, outcome->standing);
        return otter_flash_failed(err) ? err : ESP_ERR_HTTP_READ_TIMEOUT;
    }
    return err;
}

/** The update on an open device, up to the last byte on the medium. */
static esp_err_t update_device(linux_device_t *dev, const options_t *o, const ca_t *ca,
                               update_outcome_t *outcome)
{
    uint32_t before = dev->flash->stats.sectors_erased;
    const esp_partition_t *slot = NULL;
    esp_err_t err = choose_and_run(dev, o, ca, &slot, outcome);
    esp_err_t closing = otter_flash_sync(dev->flash);
    err = err != ESP_OK ? err : closing;
    outcome->report = dev->device.report;
    if (err == ESP_OK) {
        snprintf(outcome->boots, sizeof(outcome->boots), "%s", outcome->report.slot);
    } else {
        err = explain_failure(dev, o, slot, err, outcome);
    }
    if (o->device.chip == NULL && dev->efuse.exists && (dev->efuse.has_chip || dev->efuse.has_revision)) {
        outcome->judged_by = strdup(dev->efuse.path);
    }
    outcome->sectors_erased = dev->flash->stats.sectors_erased - before;
    return err;
}

/** What is no URL that this command may ask is told before anything is opened. */
static esp_err_t check_url(const options_t *o, update_outcome_t *outcome)
{
    /* parse_arguments saw to it that there is one: NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker) */
    const char *colon = strstr(o->url, "://");
    size_t len = colon != NULL ? (size_t)(colon - o->url) : 0;
    if (colon == NULL && access(o->url, F_OK) == 0) {
        update_outcome_error(
            outcome,
            "'%s' is a file, and a URL is needed: `otter serve` offers files over https, and "
            "`otter flash write` needs no server",
            o->url);
    } else if (colon == NULL) {
        update_outcome_error(outcome, "'%s' has no scheme: https://%s, perhaps?", o->url,
                             o->url + strspn(o->url, "/"));
    } else if (len == 4 && strncasecmp(o->url, "http", len) == 0 && !o->device.allow_http) {
        update_outcome_error(outcome,
                             "plain HTTP is refused, as anybody on the way can change the image: ask for "
                             "https://, or say --allow-http");
    } else if ((len != 4 && len != 5) || strncasecmp(o->url, "https", len) != 0) {
        update_outcome_error(outcome, "'%.*s://' is not fetched here: the URL must begin with https://",
                             (int)len, o->url);
    } else {
        return ESP_OK;
    }
    return ESP_ERR_INVALID_ARG;
}

/** Opens what the update needs. @return what it ends with; outcome tells the rest */
static esp_err_t open_and_update(const options_t *o, update_outcome_t *outcome)
{
    ca_t ca = {NULL, 0};
    char why[320] = "";
    if (check_url(o, outcome) != ESP_OK) {
        return ESP_ERR_INVALID_ARG;
    }
    if (o->ca_path != NULL) {
        ca.bytes = (char *)input_load(o->ca_path, INPUT_OR_PIPE, CA_FILE_MAX, &ca.len, why, sizeof(why));
        if (ca.bytes == NULL) {
            update_outcome_error(outcome, "%s: %s", o->ca_path, why);
            return ESP_ERR_INVALID_ARG;
        }
    }
    linux_device_t dev;
    esp_err_t err = linux_device_open(&dev, o->flash_path, &o->device, why, sizeof(why));
    if (err != ESP_OK) {
        update_outcome_error(outcome, "%s: %s", o->flash_path, why);
    } else {
        active_options = o;
        interrupt_catch();
        if (o->max_ms > 0) {
            interrupt_after(o->max_ms);
        }
        err = update_device(&dev, o, &ca, outcome);
        (void)linux_device_close(&dev); /* synced above, where its failure was told */
    }
    free(ca.bytes);
    return err;
}

static int update(const options_t *o)
{
    esp_log_level_set("*", ESP_LOG_NONE); /* the report says it once, in this command's own words */
    update_outcome_t outcome = {.start_us = otter_now_us(), .report = {.image_size = -1}};
    esp_err_t err = open_and_update(o, &outcome);
    return update_outcome_tell(&outcome, err, o->flash_path, o->json, o->quiet);
}

int cmd_update(int argc, char **argv)
{
    options_t o;
    bool help = false;
    int status = parse_arguments(&o, argc, argv, &help);
    if (help) {
        fputs(HELP, stdout);
    } else if (status == EXIT_DONE) {
        status = update(&o);
    }
    http_headers_clear(&o.headers);
    return status;
}
