/*
 * esp_https_ota_begin: from a configuration to a handle whose pipeline stands and whose server has answered.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "otter/bytes.h"
#include "otter/text.h"
#include "esp_log.h"
#include "flash/external_partitions.h"
#include "flash/partition_list.h"
#include "http/client.h"
#include "otter/image.h"
#include "ota/decrypt_stage.h"
#include "ota/encrypted_stage.h"
#include "ota/https_handle.h"
#include "ota/https_report.h"
#include "ota/report_memory.h"
#include "ota/switch.h"
#include "ota/slot_io.h"
#include "ota/update.h"
#include "ota/update_target.h"
#include "otter/https_update.h"
#include "otter/promise.h"

#define REDIRECTS_MAX  10      /* where http_config says 0 */
#define REQUEST_SIZE   65536   /* of partial download, where max_http_request_size is 0 */
#define AHEAD_SIZE     0x5000u /* bytes that come while a block of flash is erased: at 1 Mbit/s and 150 ms */
#define RETRY_ATTEMPTS 6       /* defaults that suit a bad mobile link: about a minute without a byte ... */
#define RETRY_DELAY_MS 1000
#define RETRY_TIME_MS  3600000 /* ... and an hour for everything */

static const char TAG[] = "esp_https_ota";

/** Nothing is asked of a server: why. */
#define REFUSE(device, code, ...)                                                                            \
    https_report_failure(&(device)->report, OTTER_STAGE_CONFIG, code, __VA_ARGS__)

/* ---- what is asked for ---- */

static esp_err_t check_config(otter_device_t *device, const esp_https_ota_config_t *config)
{
    const esp_http_client_config_t *http = config->http_config;
    if (http->is_async) {
        return REFUSE(device, ESP_ERR_INVALID_ARG, "is_async cannot be used: this API blocks");
    }
    bool trusts = http->cert_pem != NULL || http->use_global_ca_store || http->crt_bundle_attach != NULL;
    if (!trusts && device->config.allow_http) {
        ESP_LOGW(TAG, "Continuing with insecure option because plain HTTP is allowed");
    } else if (!trusts) {
        return REFUSE(device, ESP_ERR_INVALID_ARG,
                      "No option for server verification is enabled in esp_http_client config: give a CA "
                      "certificate (cert_pem)");
    }
    const otter_https_options_t *https = device->https;
    if (https != NULL && https->decrypt_key != NULL &&
        (https->encrypted_images == NULL || config->decrypt_cb != NULL)) {
        return REFUSE(device, ESP_ERR_INVALID_ARG,
                      config->decrypt_cb != NULL ? "decrypt_key and decrypt_cb: one of them decrypts"
                                                 : "decrypt_key without encrypted_images");
    }
    if (config->decrypt_cb != NULL && config->ota_resumption) {
        return REFUSE(device, ESP_ERR_NOT_SUPPORTED, "an encrypted image cannot be resumed");
    }
    return ESP_OK;
}

static esp_err_t make_client(https_ota_t *ota, const esp_https_ota_config_t *config)
{
    ota->client = esp_http_client_init(config->http_config);
    if (ota->client == NULL) {
        return REFUSE(ota->device, ESP_FAIL, "Failed to initialise HTTP connection: the URL is unusable");
    }
    if (!ota->device->config.allow_http) {
        http_client_require_https(ota->client);
    }
    if (config->http_client_init_cb != NULL) {
        esp_err_t err = config->http_client_init_cb(ota->client);
        if (err != ESP_OK) {
            return REFUSE(ota->device, err, "http_client_init_cb returned 0x%x", (unsigned)err);
        }
    }
    const otter_https_options_t *https = ota->device->https;
    esp_err_t err =
        https != NULL && https->on_client != NULL ? https->on_client(https->ctx, ota->client) : ESP_OK;
    return err == ESP_OK ? ESP_OK : REFUSE(ota->device, err, "on_client returned 0x%x", (unsigned)err);
}

/* ---- where it goes ---- */

/** The device's own entry for a partition that was given; *own keeps what the application has registered. NULL: there is none. */
static const esp_partition_t *find_given(const ota_target_t *t, const esp_partition_t *given,
                                         esp_partition_t *own)
{
    const esp_partition_t *found = ota_find_partition(t->device, given);
    if (found == NULL || !external_partitions_contain(t->device, found)) {
        return found;
    }
    *own = *found;
    return own;
}

static esp_err_t choose_partitions(ota_target_t *t, const esp_https_ota_config_t *config)
{
    const esp_partition_t *staging = config->partition.staging;
    const esp_partition_t *final = config->partition.final;
    t->staging = staging != NULL ? find_given(t, staging, &t->registered)
                                 : otter_ota_get_next_update_partition(t->device, NULL);
    if (t->staging == NULL && staging != NULL) {
        return REFUSE(
            t->device, ESP_FAIL,
            "Given staging partition or another suitable Passive OTA partition could not be found: %.16s is "
            "not in the table",
            staging->label);
    }
    if (t->staging == NULL) {
        return REFUSE(t->device, ESP_FAIL,
                      "Passive OTA partition not found: the table has no app slot that may be written");
    }
    t->final = final != NULL ? find_given(t, final, &t->meant) : t->staging;
    if (t->final == NULL) {
        return REFUSE(t->device, ESP_FAIL, "Given final partition not found: %.16s is not in the table",
                      final->label);
    }
    if (t->final == &t->meant && partition_is_at_place_of(&t->meant, t->staging)) {
        t->final = t->staging;
    }
    t->copies = config->partition.finalize_with_copy;
    snprintf(t->device->report.slot, sizeof(t->device->report.slot), "%s", t->staging->label);
    return ESP_OK;
}

/* ---- the pipeline ---- */

/** What the configuration asks for in front of what the caller adds. */
static esp_err_t add_stages(https_ota_t *ota, const esp_https_ota_config_t *config,
                            const https_stages_t *more)
{
    const otter_https_options_t *https = ota->device->https;
    const bool encrypted = https != NULL && https->decrypt_key != NULL;
    ota_stage_t *stage = NULL;
    if (config->decrypt_cb != NULL) {
        ota->header_size = config->enc_img_header_size;
        stage = decrypt_stage_new(ota->device, config->decrypt_cb, config->decrypt_user_ctx);
    } else if (encrypted) {
        stage = https->encrypted_images->stage_new(https->decrypt_key);
    }
    if (config->decrypt_cb != NULL || encrypted) {
        esp_err_t err = ota_pipeline_add(&ota->pipeline, stage);
        if (err != ESP_OK) {
            return err;
        }
    }
    return more != NULL ? more->add(more->ctx, &ota->pipeline) : ESP_OK;
}

static esp_err_t build_pipeline(https_ota_t *ota, const esp_https_ota_config_t *config,
                                const https_stages_t *more)
{
    size_t asked = config->http_config->buffer_size > 0 ? (size_t)config->http_config->buffer_size : 0;
    otter_buffer_t lent = ota->device->https != NULL ? ota->device->https->receive : (otter_buffer_t){0};
    if (lent.bytes != NULL && lent.size < GATE_HEAD_MAX) {
        return REFUSE(ota->device, ESP_ERR_INVALID_ARG,
                      "a receive buffer of %" PRIu32 " bytes; the least is %u", lent.size, GATE_HEAD_MAX);
    }
    if (lent.bytes != NULL) {
        asked = lent.size;
    }
    esp_err_t err = add_stages(ota, config, more);
    if (err == ESP_OK) {
        const otter_flash_t *flash = ota->device->flash;
        const bool works_on = flash->block_size != 0 && flash->ops->erase_begin != NULL;
        err = ota_pipeline_allocate(&ota->pipeline, asked > GATE_HEAD_MAX ? asked : GATE_HEAD_MAX,
                                    works_on ? AHEAD_SIZE : 0, lent.bytes);
    }
    return err == ESP_OK ? ESP_OK
                         : REFUSE(ota->device, err, "Couldn't allocate memory to upgrade data buffer");
}

static int or_default(int value, int otherwise)
{
    return value == 0 ? otherwise : value < 0 ? 0 : value;
}

static esp_err_t prepare_source(https_ota_t *ota, const esp_https_ota_config_t *config)
{
    const esp_http_client_config_t *http = config->http_config;
    const bool judged = ota->pipeline.count == 0 || ota_pipeline_knowing(&ota->pipeline) != NULL;
    ota->source = (https_source_t){
        .client = ota->client,
        .report = &ota->device->report,
        .retry = {.attempts = or_default(config->retry.attempts, RETRY_ATTEMPTS),
                  .delay_ms = or_default(config->retry.delay_ms, RETRY_DELAY_MS),
                  .max_time_ms = or_default(config->retry.max_time_ms, RETRY_TIME_MS),
                  .first = config->retry.attempts > 0},
        .redirects_max = http->max_redirection_count > 0 ? http->max_redirection_count : REDIRECTS_MAX,
        .checked = ota_is_image(ota->target.final) && judged,
        .decoded = !judged,
        .whole = https_image_is_whole,
        .may_wait = https_may_wait,
        .ctx = ota,
    };
    if (config->partial_http_download) {
        ota->source.request_max =
            config->max_http_request_size > 0 ? (uint32_t)config->max_http_request_size : REQUEST_SIZE;
    }
    esp_err_t err = http_home_keep(ota->client, &ota->source.home);
    return err == ESP_OK ? ESP_OK : REFUSE(ota->device, err, "out of memory");
}

/* ---- where it goes on ---- */

/**
 * Progress is kept where it can be gone on with (esp_ota_resume), by all that stands in front of the slot. What becomes of a
 * file may be longer than it, and reach into the sector of the record: that must be erased when it is reached, not before.
 */
static bool can_go_on(const https_ota_t *ota)
{
    return otter_ota_is_slot(ota->target.staging) && ota_pipeline_can_resume(&ota->pipeline) &&
           (ota->pipeline.count == 0 || !ota->session.bulk_erase);
}

/**
 * Where an application wants to go on by its own count, 0: not at all. Nothing proves it, so it is done only where the check at
 * the end covers every byte: of an application image with a SHA-256, whose head is looked at before. From whole sectors on,
 * so that nothing is programmed over what may be there.
 */
static uint32_t unproved_offset(const https_ota_t *ota, size_t count)
{
    uint8_t head[OTTER_IMAGE_HEADER_SIZE];
    if (count < GATE_HEAD_MAX || count > ota->target.staging->size ||
        ota->target.final->type != ESP_PARTITION_TYPE_APP ||
        ota_read_range(ota->target.staging->flash_chip, ota->target.staging, 0, head, sizeof(head)) !=
            ESP_OK ||
        otter_image_check_header(head, &ota->device->chip, false, NULL) != ESP_OK ||
        head[offsetof(esp_image_header_t, hash_appended)] == 0) {
        return 0;
    }
    return align_down_u32((uint32_t)count, ota->device->flash->erase_size);
}

/** The offset in the file that goes with what an earlier update left in the slot. @return 0: from the beginning */
static uint64_t find_progress(https_ota_t *ota, size_t count, char validator[RESUME_VALIDATOR_SIZE])
{
    session_stage_t *session = &ota->session;
    const esp_partition_t *staging = ota->target.staging;
    uint8_t kept[RESUME_KEPT_MAX];
    session->written =
        resume_record_load(&session->record, ota->device, staging, ota->source.home.url, validator, kept);
    const uint32_t kept_len = session->record.kept_len;
    const ota_resume_t there = {
        .made = session->written, .slot = staging, .kept = kept_len > 0 ? kept : NULL, .kept_len = kept_len};
    /* A record of an encrypted file says nothing of one that is the image as it is. */
    uint64_t from =
        kept_len > 0 && ota->pipeline.count == 0 ? 0 : ota_pipeline_resume(&ota->pipeline, &there);
    ota->source.total = from > 0 ? (int64_t)session->record.length : -1;
    if (from == 0 && ota->pipeline.count == 0) {
        /* Of a URL that was signed anew, or with marks that are gone: its validator is as good. */
        resume_record_t other;
        from = session->written = session->unproved = unproved_offset(ota, count);
        ota->source.unproved = from > 0;
        (void)resume_record_load(&other, ota->device, staging, NULL, validator, NULL);
    }
    return from;
}

/** Opens the source where this update can go on, which the server may refuse: from the beginning then. */
static esp_err_t open_source(https_ota_t *ota, const esp_https_ota_config_t *config)
{
    session_stage_t *session = &ota->session;
    char validator[RESUME_VALIDATOR_SIZE] = "";
    session->can_go_on = can_go_on(ota);
    const uint64_t from = config->ota_resumption && session->can_go_on
                              ? find_progress(ota, config->ota_image_bytes_written, validator)
                              : 0;
    if (from > 0 && validator[0] != '\0' && (ota->source.validator = text_copy(validator)) == NULL) {
        return REFUSE(ota->device, ESP_ERR_NO_MEM, "out of memory");
    }
    esp_err_t err = https_source_open(&ota->source, from);
    if (err != ESP_OK) {
        return err;
    }
    session->resumed = ota->source.pos > 0 && session->written > 0;
    if (!session->resumed) {
        session->written = session->unproved = 0;
        if (from > 0 && ota->source.pos == 0) {
            (void)ota_pipeline_resume(&ota->pipeline, &(const ota_resume_t){.made = 0});
        }
    }
    OTTER_ASSERT(ota->source.pos == from || (ota->source.pos == 0 && !session->resumed));
    return ESP_OK;
}

/** The steps of begin that can fail once there is a handle. */
static esp_err_t open_update(https_ota_t *ota, const esp_https_ota_config_t *config,
                             const https_stages_t *more)
{
    esp_err_t err = build_pipeline(ota, config, more);
    if (err != ESP_OK) {
        return err;
    }
    err = make_client(ota, config);
    if (err != ESP_OK) {
        return err;
    }
    err = choose_partitions(&ota->target, config);
    if (err != ESP_OK) {
        return err;
    }
    err = prepare_source(ota, config);
    if (err != ESP_OK) {
        return err;
    }
    err = open_source(ota, config);
    if (err != ESP_OK) {
        return err;
    }
    otter_device_t *device = ota->device;
    const esp_partition_t *staging = ota->target.staging;
    https_report_event(device, ESP_HTTPS_OTA_CONNECTED, NULL, 0);
    ESP_LOGI(TAG, "Starting OTA...");
    /* The words of ESP-IDF up to 5.3, and those since. */
    ESP_LOGI(TAG, "Writing to partition subtype %d at offset 0x%" PRIx32, (int)staging->subtype,
             staging->address);
    ESP_LOGI(TAG, "Writing to <%s> partition at offset 0x%" PRIx32, staging->label, staging->address);
    device->report.image_size = https_image_size(ota);
    device->report.bytes_resumed = ota->session.written;
    if (ota->session.resumed) {
        ESP_LOGI(TAG, "going on at byte %" PRIu64 " of %" PRId64, ota->source.pos, ota->source.total);
    }
    return ESP_OK;
}

void https_free(https_ota_t *ota)
{
    if (ota->client != NULL) {
        esp_http_client_cleanup(ota->client);
    }
    https_source_close(&ota->source);
    ota_pipeline_free(&ota->pipeline);
    session_stage_end(&ota->session);
    free(ota);
}

static https_ota_t *new_handle(otter_device_t *device, const esp_https_ota_config_t *config)
{
    https_ota_t *ota = calloc(1, sizeof(*ota));
    if (ota == NULL) {
        return NULL;
    }
    ota->device = ota->target.device = device;
    ota->target.size = -1;
    session_stage_init(&ota->session, &ota->target);
    ota->session.bulk_erase = config->bulk_flash_erase;
    ota_gate_init(&ota->gate, &ota->session.stage, &ota->target);
    ota->pipeline.read = https_read_body;
    ota->pipeline.ctx = ota;
    ota->pipeline.end = &ota->gate.stage;
    ota->pipeline.report = &device->report;
    return ota;
}

static esp_err_t begin(otter_device_t *device, const esp_https_ota_config_t *config,
                       const https_stages_t *more, esp_https_ota_handle_t *handle)
{
    memset(&device->report, 0, sizeof(device->report));
    device->report_begun = true;
    device->report.image_size = -1;
    https_report_event(device, ESP_HTTPS_OTA_START, NULL, 0);
    if (handle != NULL) {
        *handle = NULL;
    }
    if (handle == NULL || config == NULL || config->http_config == NULL) {
        return REFUSE(device, ESP_ERR_INVALID_ARG, "esp_https_ota_begin: Invalid argument");
    }
    esp_err_t err = check_config(device, config);
    if (err != ESP_OK) {
        return err;
    }
    https_ota_t *ota = new_handle(device, config);
    if (ota == NULL) {
        return REFUSE(device, ESP_ERR_NO_MEM, "Couldn't allocate memory to upgrade handle");
    }
    err = open_update(ota, config, more);
    if (err != ESP_OK) {
        https_free(ota);
        return err;
    }
    https_report_enter(&device->report, OTTER_STAGE_GATE);
    https_show_progress(ota);
    *handle = ota;
    return ESP_OK;
}

esp_err_t https_ota_begin(otter_device_t *device, const esp_https_ota_config_t *config,
                          const https_stages_t *more, esp_https_ota_handle_t *handle)
{
    esp_err_t err = begin(device, config, more, handle);
    report_memory_keep(device); /* a watchdog may end what follows: then this is what is known */
    return err;
}

esp_err_t otter_https_ota_begin(otter_device_t *device, const esp_https_ota_config_t *config,
                                const otter_https_options_t *options, esp_https_ota_handle_t *handle)
{
    device->https = options;
    return https_ota_begin(device, config, NULL, handle);
}
