/* otter update: fetch an image over HTTPS into a flash file of any chip, with the code a firmware would use. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "clean_text.h"
#include "decision_file.h"
#include "decrypt_key.h"
#include "esp_crt_bundle.h"
#include "esp_log.h"
#include "flash_verbs.h"
#include "host/named_file.h"
#include "kinds.h"
#include "linux/interrupt.h"
#include "linux/linux_device.h"
#include "linux/loaded.h"
#include "linux/openssl_start.h"
#include "linux/tls_trust.h"
#include "otter/boot.h"
#include "otter/https_update.h"
#include "otter/ota_ops.h"
#include "otter/promise.h"
#include "otter/system.h"
#include "otter/version.h"
#include "progress.h"
#include "signing_options.h"
#include "update_hook.h"
#include "update_report.h"
#include "update_slot.h"

#define CA_FILE_MAX (4u << 20)
#define PIECE_SIZE  (64 * 1024) /* reads and writes this long cost the least: docs/PERFORMANCE.md */
#define HEAD_SIZE   (4 * 1024)  /* what comes with the head of an answer is moved once more: little of it */
#define TIMEOUT_MS  10000
#define RETRIES     6

#define VERB "update"

#define EXIT_HOOK_FAILED 3

/** The server: whom its certificate must be signed by, and what is to be done while it is asked. */
typedef struct {
    char *ca; /* NULL: none given */
    size_t ca_len;
    bool ca_known; /* they are this program's, parsed; else connecting tells what is wrong with them */
    otter_https_options_t https;
    otter_image_key_t *key; /* of encrypted images; NULL: they come as they are */
} server_t;

typedef struct {
    const char *flash, *url, *ca_path, *slot, *decision, *on_updated, *decrypt_key, *passphrase;
    cJSON *headers; /* by their names; NULL: none */
    bool system_ca, json, quiet, resume, overwrite_selected, only_new;
    uint32_t timeout_ms, retries, retry_delay_ms, max_ms, range;
    linux_device_options_t device;
    key_names_t keys; /* that must have signed the image; none: nobody need have */
    bool signed_updates;
    otter_trust_config_t trust; /* of these two */
} options_t;

/** What the callbacks of an update know of it. */
typedef struct {
    const options_t *options;
    const otter_update_report_t *report;
    uint32_t left_ms; /* of the pause that was told last */
} download_t;

/* ---- arguments ---- */

/** Whether the HTTP client takes such a header. */
static bool is_header(const char *name, const char *value)
{
    const esp_http_client_config_t nowhere = {.url = "https://localhost/"};
    esp_http_client_handle_t client = esp_http_client_init(&nowhere);
    bool good = esp_http_client_set_header(client, name, value) == ESP_OK;
    (void)esp_http_client_cleanup(client); /* of NULL, too */
    return good;
}

/** "Name: value", of any length. */
static bool take_header(const char *text, void *target, const option_row_t *row, char *why)
{
    (void)row;
    cJSON **headers = target;
    const char *colon = strchr(text, ':');
    char *name = colon != NULL ? strndup(text, (size_t)(colon - text)) : NULL;
    bool taken = false;
    *headers = *headers != NULL ? *headers : cJSON_CreateObject();
    if (name != NULL && cJSON_GetObjectItem(*headers, name) != NULL) {
        snprintf(why, OPTIONS_WHY_SIZE, "'%.200s' is given twice", name);
    } else if (name != NULL && !is_header(name, colon + 1)) {
        snprintf(why, OPTIONS_WHY_SIZE,
                 "'%.100s': a name is made of letters, digits and '-', a value has no control characters",
                 name);
    } else if (colon != NULL) {
        taken = name != NULL && cJSON_AddStringToObject(*headers, name, colon + 1) != NULL;
        snprintf(why, OPTIONS_WHY_SIZE, "takes more memory than there is");
    }
    free(name);
    return taken;
}

/* ---- the update ---- */

static esp_err_t add_headers(void *ctx, esp_http_client_handle_t client)
{
    const cJSON *header;
    cJSON_ArrayForEach(header, ((const download_t *)ctx)->options->headers)
    {
        esp_err_t err = esp_http_client_set_header(client, header->string, header->valuestring);
        if (err != ESP_OK) {
            return err;
        }
    }
    return ESP_OK;
}

/** Room for the longest request line, whose bytes above 0x7F are sent as %XX, and for the longest header. */
static int request_buffer_size(const cJSON *headers)
{
    size_t most = 3 * OTTER_URL_MAX + sizeof("HEAD  HTTP/1.1\r\n");
    const cJSON *header;
    cJSON_ArrayForEach(header, headers)
    {
        size_t len = strlen(header->string) + strlen(header->valuestring) + sizeof(": \r\n");
        most = len > most ? len : most;
    }
    return most < INT_MAX ? (int)most : INT_MAX;
}

/** Begin waits before it asks again: says so once for each pause, and ends it at Ctrl-C. */
static bool show_wait(void *ctx, uint32_t left_ms)
{
    download_t *download = ctx;
    const options_t *o = download->options;
    const otter_update_report_t *report = download->report;
    uint32_t left_s = (left_ms + 999) / 1000;
    if (interrupt_came() != INTERRUPT_NONE) {
        return false; /* that ended the last request, and it is told */
    }
    if (left_ms > download->left_ms && !o->quiet && !o->json) {
        if (report->transport.fault.why[0] != '\0') {
            cli_note(VERB, "%s; asking again in %" PRIu32 " s", report->transport.fault.why, left_s);
        } else {
            bool busy = report->http_status == 429 || report->http_status == 503;
            cli_note(VERB, "the server %s (%d); asking again in %" PRIu32 " s", busy ? "is busy" : "failed",
                     report->http_status, left_s);
        }
    }
    download->left_ms = left_ms;
    return true;
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

/** Before anything is written: an image that a bootloader with anti-rollback would pass over. */
static esp_err_t check_secure_version(const linux_device_t *dev, const options_t *o, uint32_t version,
                                      update_outcome_t *outcome)
{
    const efuse_file_t *efuse = &dev->efuse;
    const char *where = dev->device.config.emulated_efuses != NULL ? "its eFuse partition" : efuse->path;
    uint32_t burned;
    esp_err_t err = otter_ota_secure_version(&dev->device, &burned);
    if (err != ESP_OK) {
        update_outcome_error(outcome, "the device's secure version cannot be read: %s", esp_err_to_name(err));
        return err;
    }
    if (version >= burned) {
        return ESP_OK;
    }
    if (dev->device.config.anti_rollback) {
        update_outcome_error(outcome,
                             "the image has secure version %" PRIu32 ", and %s says %" PRIu32
                             ": with anti-rollback it would not boot; nothing was written",
                             version, where, burned);
        return ESP_ERR_OTA_SMALL_SEC_VER;
    }
    if (!o->quiet) {
        cli_note(VERB,
                 "warning: the image has secure version %" PRIu32 ", and %s says %" PRIu32
                 ": a bootloader with anti-rollback passes it over (--anti-rollback refuses it here)",
                 version, where, burned);
    }
    return ESP_OK;
}

/**
 * A version that runs already, or that this device has tried and given up, is not written again. Whoever asks for updates now and
 * then would else restart for nothing, or try what failed for ever.
 * @return true: the outcome says which it is
 */
static bool is_known_version(linux_device_t *dev, update_outcome_t *outcome)
{
    esp_app_desc_t desc;
    char version[UPDATE_VERSION_SIZE];
    if (outcome->to_version[0] == '\0') {
        return false;
    }
    if (strcmp(outcome->from_version, outcome->to_version) == 0) {
        snprintf(outcome->needless, sizeof(outcome->needless), "version %s is what it has already",
                 outcome->to_version);
        return true;
    }
    const esp_partition_t *failed = otter_ota_get_last_invalid_partition(&dev->device);
    if (failed == NULL || otter_ota_get_partition_description(&dev->device, failed, &desc) != ESP_OK) {
        return false;
    }
    update_outcome_version(version, &desc);
    bool known = strcmp(version, outcome->to_version) == 0;
    if (known) {
        snprintf(outcome->needless, sizeof(outcome->needless),
                 "version %s was tried before, and rejected or not confirmed", version);
    }
    return known;
}

/** Connects, and asks for the image. Writes nothing. */
static esp_err_t begin_download(otter_device_t *device, const options_t *o, const server_t *server,
                                const esp_partition_t *slot, esp_https_ota_handle_t *handle)
{
    const esp_http_client_config_t http = {
        .url = o->url,
        .cert_pem = server->ca_known ? NULL : server->ca,
        .cert_len = server->ca_len,
        .use_global_ca_store = server->ca_known,
        .crt_bundle_attach = o->system_ca ? esp_crt_bundle_attach : NULL,
        .timeout_ms = (int)o->timeout_ms,
        .buffer_size = HEAD_SIZE,
        .buffer_size_tx = request_buffer_size(o->headers),
        .keep_alive_enable = true,
        .user_agent = "otter/" OTTER_VERSION,
    };
    const esp_https_ota_config_t config = {
        .http_config = &http,
        .ota_resumption = o->resume,
        .partial_http_download = o->range > 0,
        .max_http_request_size = (int)o->range,
        .partition.staging = slot,
        .retry = {.attempts = o->retries > 0 ? (int)o->retries : -1,
                  .delay_ms = (int)o->retry_delay_ms,
                  .max_time_ms = (int)o->max_ms},
    };
    return otter_https_ota_begin(device, &config, &server->https, handle);
}

/** All that follows: writes it, has it verified, and selects it. */
static esp_err_t finish_download(linux_device_t *dev, const options_t *o, esp_https_ota_handle_t handle,
                                 update_outcome_t *outcome)
{
    otter_device_t *device = &dev->device;
    esp_err_t err = ESP_OK;
    bool needless = false;
    esp_app_desc_t desc;
    if (esp_https_ota_get_img_desc(handle, &desc) == ESP_OK) {
        update_outcome_version(outcome->to_version, &desc);
        err = check_secure_version(dev, o, desc.secure_version, outcome);
        needless = err == ESP_OK && o->only_new && is_known_version(dev, outcome);
    }
    if (err != ESP_OK || needless) {
        (void)esp_https_ota_abort(handle); /* what was found out is what counts */
        return err;
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

/* ---- the command ---- */

static update_slot_options_t slot_options(const otter_device_t *device, const options_t *o)
{
    return (update_slot_options_t){
        .flash_path = o->flash,
        .file_length = file_flash_length(device->flash),
        .slot = o->slot,
        .rollback_is_known =
            o->device.rollback != LINUX_DEVICE_DEFAULT || !otter_chip_is_espressif(device->chip.id),
        .overwrite_selected = o->overwrite_selected,
        .quiet = o->quiet || o->json,
    };
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

/**
 * Connects while it is found out which slot may be written, which takes as long as reading the image that boots: most often it is
 * the one that was guessed, and the download goes on.
 */
static esp_err_t choose_and_begin(otter_device_t *device, const options_t *o, const server_t *server,
                                  const esp_partition_t **slot, esp_https_ota_handle_t *handle,
                                  update_outcome_t *outcome)
{
    const update_slot_options_t how = slot_options(device, o);
    update_slot_check_t check = {0};
    if (!update_slot_begin_check(&check, device, &how, slot)) {
        esp_err_t err = update_slot_choose(device, &how, slot, outcome);
        return err == ESP_OK ? begin_download(device, o, server, *slot, handle) : err;
    }
    const esp_partition_t *guess = *slot;
    esp_err_t begun = begin_download(device, o, server, guess, handle);
    esp_err_t err = update_slot_end_check(&check, device, slot, outcome);
    if (err == ESP_OK && (*slot == guess || begun != ESP_OK)) {
        return begun;
    }
    if (*handle != NULL) {
        (void)esp_https_ota_abort(*handle); /* nothing was written */
        *handle = NULL;
    }
    memset(&device->report, 0, sizeof(device->report)); /* as if it had not been asked yet */
    return err == ESP_OK ? begin_download(device, o, server, *slot, handle) : err;
}

/** A device that runs meanwhile: what it tries is neither confirmed nor given up, and must not be overwritten. */
static esp_err_t check_trial(otter_device_t *device, update_outcome_t *outcome)
{
    esp_ota_img_states_t state;
    const esp_partition_t *selected = otter_ota_get_boot_partition(device);
    if (device->chip.id != OTTER_CHIP_DEVICE || !device->config.rollback || selected == NULL ||
        otter_ota_get_state_partition(device, selected, &state) != ESP_OK ||
        state != ESP_OTA_IMG_PENDING_VERIFY) {
        return ESP_OK;
    }
    update_outcome_error(
        outcome,
        "%s is on trial: `otter confirm`, or `otter reject` and a restart, comes before the next "
        "update",
        selected->label);
    return ESP_ERR_OTA_ROLLBACK_INVALID_STATE;
}

/** What runs is what boots next: else the slot that is free by the flash alone is the one that runs. */
static esp_err_t check_runs(const otter_device_t *device, const options_t *o, update_outcome_t *outcome)
{
    char label[CLEAN_TEXT_SIZE(16)] = "";
    otter_fault_t fault = {0};
    cJSON *kept = decision_load(o->decision, o->flash, &fault);
    const char *runs = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(kept, "slot"));
    if (device->running != NULL) {
        clean_text(label, device->running->label, 16);
    }
    if (runs == NULL) {
        update_outcome_error(outcome, "%s: %s: it is not known what runs", o->decision,
                             fault.code != ESP_OK ? fault.why : "it names no slot");
    } else if (strcmp(runs, label) != 0) {
        update_outcome_error(outcome, "%s runs, and %s boots next: restart before the next update", runs,
                             label[0] != '\0' ? label : "nothing");
    }
    bool good = runs != NULL && strcmp(runs, label) == 0;
    cJSON_Delete(kept);
    return good ? ESP_OK : ESP_ERR_OTA_PARTITION_CONFLICT;
}

static esp_err_t choose_and_run(linux_device_t *dev, const options_t *o, const server_t *server,
                                const esp_partition_t **slot, update_outcome_t *outcome)
{
    otter_device_t *device = &dev->device;
    if (device->partitions.status != ESP_OK) {
        update_outcome_error(outcome, "%s has no usable partition table (%s); `otter flash info` tells more",
                             o->flash, esp_err_to_name(device->partitions.status));
        return device->partitions.status;
    }
    otter_ignore(otter_boot_finish_copies(device)); /* logged; the download may need the staging partition */
    esp_https_ota_handle_t handle = NULL;
    esp_err_t err = check_trial(device, outcome);
    if (err == ESP_OK) {
        err = choose_and_begin(device, o, server, slot, &handle, outcome);
    }
    if (err == ESP_OK && o->decision != NULL) {
        err = check_runs(device, o, outcome);
        if (err != ESP_OK) {
            (void)esp_https_ota_abort(handle); /* nothing was written */
        }
    }
    return err == ESP_OK ? finish_download(dev, o, handle, outcome) : err;
}

/** Why it has failed, as far as the report does not tell. @return the code to end with */
static esp_err_t explain_failure(linux_device_t *dev, const options_t *o, const esp_partition_t *slot,
                                 esp_err_t err, update_outcome_t *outcome)
{
    otter_fault_t fault;
    note_standing(dev, slot, outcome);
    if (otter_flash_failed(err) && file_flash_cause(dev->flash) != 0) {
        update_outcome_error(outcome, "%s: %s; %s", o->flash, flash_explain(dev->flash, err, &fault),
                             outcome->standing);
    }
    if (interrupt_came() == INTERRUPT_SIGNAL) {
        update_outcome_error(outcome, "interrupted; %s", outcome->standing);
        return otter_flash_failed(err) ? err : ESP_FAIL;
    }
    if (interrupt_came() == INTERRUPT_TIME) {
        update_outcome_error(outcome,
                             "not done within %" PRIu32 " s (--max-seconds): %" PRIu64 " bytes came; %s",
                             o->max_ms / 1000, dev->device.report.bytes_downloaded, outcome->standing);
        return otter_flash_failed(err) ? err : ESP_ERR_HTTP_READ_TIMEOUT;
    }
    return err;
}

/** The update on an open device, up to the last byte on the medium. */
static esp_err_t update_device(linux_device_t *dev, const options_t *o, const server_t *server,
                               update_outcome_t *outcome)
{
    uint32_t before = dev->flash->stats.sectors_erased;
    const esp_partition_t *slot = NULL;
    esp_err_t err = choose_and_run(dev, o, server, &slot, outcome);
    esp_err_t closing = otter_flash_sync(dev->flash);
    err = err == ESP_OK ? closing : err;
    outcome->report = dev->device.report;
    if (err == ESP_OK) {
        snprintf(outcome->boots, sizeof(outcome->boots), "%s",
                 outcome->needless[0] != '\0' ? dev->device.running->label : outcome->report.slot);
    } else {
        err = explain_failure(dev, o, slot, err, outcome);
    }
    if (flash_efuse_decides(&o->device, &dev->efuse, outcome->report.fault.why)) {
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
        const char *rest = strncasecmp(o->url, "https:", 6) == 0 ? o->url + 6 : o->url;
        update_outcome_error(outcome, "'%s' has no scheme: https://%s, perhaps?", o->url,
                             rest + strspn(rest, "/"));
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

/** What --ca names, which the caller frees. @return false: outcome says why not */
static bool load_ca(const options_t *o, server_t *server, update_outcome_t *outcome)
{
    otter_fault_t fault = {0};
    server->ca = (char *)input_load(o->ca_path, INPUT_OR_PIPE, CA_FILE_MAX, &server->ca_len, &fault);
    if (server->ca == NULL) {
        update_outcome_error(outcome, "%s: %s", o->ca_path, fault.why);
        return false;
    }
    esp_err_t err = tls_trust_set_global(server->ca, server->ca_len, &fault);
    server->ca_known = err == ESP_OK || err == ESP_ERR_MBEDTLS_CERT_PARTLY_OK;
    if (server->ca_known && fault.code != ESP_OK && !o->quiet) {
        cli_note(VERB, "%s: warning: %s; the others are believed", o->ca_path, fault.why);
    }
    return true;
}

/** What --decrypt-key names, from the open device's eFuses or a file. @return false: outcome says why not */
static bool load_decrypt_key(linux_device_t *dev, const options_t *o, server_t *server,
                             update_outcome_t *outcome)
{
    otter_fault_t fault = {0};
    server->key = decrypt_key_of(o->decrypt_key, o->passphrase, &dev->device.efuse, &fault);
    if (server->key == NULL) {
        update_outcome_error(outcome, "%s: %s", o->decrypt_key, fault.why);
        return false;
    }
    server->https.decrypt_key = server->key;
    server->https.encrypted_images = &otter_encrypted_images;
    return true;
}

/** Opens what the update needs. @return what it ends with; outcome tells the rest */
static esp_err_t open_and_update(const options_t *o, update_outcome_t *outcome)
{
    static _Alignas(4096) uint8_t piece[PIECE_SIZE];
    server_t server = {0};
    otter_fault_t fault;
    if (check_url(o, outcome) != ESP_OK) {
        return ESP_ERR_INVALID_ARG;
    }
    if (o->ca_path != NULL && !load_ca(o, &server, outcome)) {
        return ESP_ERR_INVALID_ARG;
    }
    linux_device_t dev;
    download_t download = {.options = o, .report = &dev.device.report};
    server.https = (otter_https_options_t){
        .on_client = add_headers, .on_wait = show_wait, .ctx = &download, .receive = {piece, sizeof(piece)}};
    esp_err_t err = linux_device_open(&dev, o->flash, &o->device, &fault);
    if (err != ESP_OK) {
        update_outcome_error(outcome, "%s: %s", o->flash, fault.why);
    } else {
        linux_device_ask_images(&dev);
        interrupt_catch();
        if (o->max_ms > 0) {
            interrupt_after((int)o->max_ms);
        }
        const bool ready = o->decrypt_key == NULL || load_decrypt_key(&dev, o, &server, outcome);
        err = ready ? update_device(&dev, o, &server, outcome) : ESP_ERR_INVALID_ARG;
        otter_image_key_free(server.key);
        otter_ignore(linux_device_close(&dev)); /* synced above, where its failure was told */
    }
    free(server.ca);
    return err;
}

/** Whom the options trust. */
static bool choose_trust(options_t *o)
{
    if (o->signed_updates && o->keys.count > 0) {
        return cli_refuse(VERB,
                          "--signed trusts the key of the image that runs, and --key another: one of both");
    }
    if (o->signed_updates) {
        o->trust = (otter_trust_config_t){.source = OTTER_TRUST_RUNNING_APP, .signatures = &otter_signatures};
    } else if (!trust_named_keys(VERB, &o->keys, false, NULL, &o->trust)) {
        return false;
    }
    o->device.trust = &o->trust;
    return true;
}

static int update(void *options)
{
    options_t *o = options;
    bool https = strncasecmp(o->url, "https://", 8) == 0; /* what is not is told first */
    if (https && o->ca_path == NULL && !o->system_ca && !o->device.allow_http) {
        return cli_usage(VERB, "--ca CA.pem is needed: it tells whom to believe");
    }
    loaded_give_back();
    openssl_start_lean();
    if (!choose_trust(o)) {
        return EXIT_FAILED;
    }
    esp_log_level_set("*", ESP_LOG_NONE); /* the report says it once, in this command's own words */
    update_outcome_t outcome = {.start_us = otter_now_us(), .report = {.image_size = -1}};
    esp_err_t err = open_and_update(o, &outcome);
    int status = update_outcome_tell(&outcome, err, o->flash, o->json, o->quiet);
    if (status == EXIT_DONE && o->on_updated != NULL && outcome.needless[0] == '\0' &&
        !update_hook_run(o->on_updated, o->flash, &outcome, o->json, o->max_ms)) {
        status = EXIT_HOOK_FAILED;
    }
    return status;
}

static void end(void *options)
{
    options_t *o = options;
    cJSON_Delete(o->headers);
}

static const option_kind_t kind_header = {"'N: V'", "'Name: value'", take_header, NULL, NULL};

static const option_row_t rows[] = {
    {"FLASH", &option_argument, offsetof(options_t, flash), .help = NULL},
    {"URL", &option_argument, offsetof(options_t, url), .help = NULL},
    {"ca", &option_file, offsetof(options_t, ca_path),
     .help = "CA certificate(s), PEM or DER: what the server's certificate must be signed by"},
    {"system-ca", &option_switch, offsetof(options_t, system_ca),
     .help = "trust the certificates of this machine instead"},
    {"allow-http", &option_switch, offsetof(options_t, device.allow_http),
     .help = "accept a plain http:// URL (anybody on the way can change the image)"},
    {"header", &kind_header, offsetof(options_t, headers),
     .help = "add a request header, of any length; may be given several times"},
    {"slot", &option_text, offsetof(options_t, slot),
     .help = "write this partition instead of the next update slot", .value = "LABEL"},
    {"overwrite-selected", &option_switch, offsetof(options_t, overwrite_selected),
     .help = "write also the slot that otadata selects where nothing boots, and any other that the device "
             "may run, if there "
             "is no better one"},
    {"timeout", &option_seconds, offsetof(options_t, timeout_ms),
     .help = "limit of each wait: connecting, response, silence (default 10)", .min = 1, .max = 3600},
    {"retries", &option_number, offsetof(options_t, retries),
     .help = "connections in a row that may bring nothing new before giving up (default 6; 0: none), the "
             "first one included: "
             "refused, lost, or answered by 408, 429 or 5xx; a busy server is left alone as long as its "
             "Retry-After says",
     .min = 0, .max = 1000},
    {"retry-delay", &option_number, offsetof(options_t, retry_delay_ms),
     .help = "pause before the first of them; doubles each time (default 1000)", .min = 1, .max = 60000,
     .value = "MS"},
    {"max-seconds", &option_seconds, offsetof(options_t, max_ms),
     .help = "give the whole download up after so long (default 3600)", .min = 1, .max = 1000000},
    {"resume", &option_switch, offsetof(options_t, resume),
     .help =
         "go on where an earlier update of this URL was cut; progress is kept in the slot, asked for or not"},
    {"range", &option_number, offsetof(options_t, range),
     .help = "fetch the image in requests of so many bytes", .min = 1024, .max = INT_MAX, .value = "BYTES"},
    OPTION_CHIP(offsetof(options_t, device), "the chip, when neither FLASH.efuse nor the images tell"),
    OPTION_REVISIONS(offsetof(options_t, device),
                     "FLASH.efuse, else the least that the images in the flash need"),
    OPTION_EFUSE(offsetof(options_t, device)),
    OPTION_FLASH_KEY(offsetof(options_t, device)),
    OPTION_TABLE_OFFSET(offsetof(options_t, device)),
    OPTION_ROLLBACK(
        offsetof(options_t, device),
        "mark the new image unconfirmed (default: on for linux and device, off for other chips, as ESP-IDF)"),
    OPTION_ANTI_ROLLBACK(offsetof(options_t, device)),
    {"decision", &option_file, offsetof(options_t, decision),
     .help = "what `otter boot --decision FILE` has kept: the slot that runs by that is never written",
     .value = "FILE"},
    {"only-new", &option_switch, offsetof(options_t, only_new),
     .help =
         "write nothing, and be done, where the image has the version that is there already, or one that was "
         "tried here and given up: for an update that is asked for now and then"},
    {"on-updated", &option_text, offsetof(options_t, on_updated),
     .help =
         "a shell's command line to run after an update, as 'systemctl reboot'; OTTER_VERSION, OTTER_SLOT, "
         "OTTER_FROM_VERSION and OTTER_FLASH tell it what was done. It has --max-seconds",
     .value = "COMMAND"},
    {"decrypt-key", &option_file, offsetof(options_t, decrypt_key),
     .help = "the image is encrypted, and this opens it: " DECRYPT_KEY_HELP, .value = "KEY"},
    OPTION_PASSPHRASE(offsetof(options_t, passphrase)),
    OPTION_TRUSTED_KEYS(
        offsetof(options_t, keys),
        "take only an image that this public key has signed; up to three, each with its own --key"),
    {"signed", &option_switch, offsetof(options_t, signed_updates),
     .help = "take only an image signed by the key of the one that runs "
             "(CONFIG_SECURE_SIGNED_APPS_NO_SECURE_BOOT)"},
    {"json", &option_switch, offsetof(options_t, json),
     .help = "print the result as JSON on standard output (docs/JSON.md)"},
    {"quiet", &option_switch, offsetof(options_t, quiet), .help = "no progress", .letter = 'q'},
    {0},
};

const cli_verb_t update_verb = {
    .name = VERB,
    .line = "update a flash file over HTTPS",
    .about = "Fetches the image at URL into the next update slot of the flash file FLASH, verifies it there, "
             "and makes it boot "
             "next, exactly as a firmware calling esp_https_ota() would. The slot that the bootloader would "
             "start now counts as "
             "running and is never written; nor is one that the device may run although it does not boot by "
             "what the file "
             "tells. Any chip's flash file will do: an ESP32-C3 flash takes only ESP32-C3 images.\n",
    .after = "example: otter update flash.bin https://192.168.1.5:8070/firmware.bin --ca ca.pem\n"
             "\n"
             "Ctrl-C ends it at once. exit status: 0 updated, or there was nothing new; 3 updated, but the "
             "command of "
             "--on-updated failed; 1 failed (one line tells why, and what boots "
             "then if anything was "
             "written), 2 wrong usage\n",
    .options = rows,
    .size = sizeof(options_t),
    .defaults = &(const options_t){.timeout_ms = TIMEOUT_MS,
                                   .retries = RETRIES,
                                   .device = {.whole = true, .needs_efuse = true}},
    .run = update,
    .end = end,
};
