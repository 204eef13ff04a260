/* The sweep's HTTPS server and downloads: esp_https_ota runs unchanged here, so what it does to flash must be cut as well. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sweep/https.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "otter/bytes.h"
#include "ota/https_ota.h"
#include "support/sealed.h"
#include "support/web_server.h"
#include "sweep/settings.h"

#define CIPHER_HEADER 16u /* of an encrypted file */
#define CIPHER_BLOCK  16u

/* ---- encryption: a stand-in that needs whole blocks, and their places, as real ones do ---- */

typedef struct {
    uint32_t pos; /* in the file */
    uint8_t block[CIPHER_BLOCK];
} cipher_t;

static uint8_t key_at(uint32_t pos)
{
    return (uint8_t)(pos * 167 + pos / 256 + 91);
}

static const uint8_t *encrypt(const uint8_t *bytes, uint32_t len)
{
    static uint8_t file[CIPHER_HEADER + SUBJECT_IMAGE_MAX];
    memset(file, 'E', CIPHER_HEADER);
    for (uint32_t i = 0; i < len; i++) {
        file[CIPHER_HEADER + i] = bytes[i] ^ key_at(CIPHER_HEADER + i);
    }
    return file;
}

/** The application's decrypt_cb: gives out each block when it is whole. */
static esp_err_t decrypt(decrypt_cb_arg_t *args, void *ctx)
{
    cipher_t *cipher = ctx;
    args->data_out = malloc(args->data_in_len + CIPHER_BLOCK);
    if (args->data_out == NULL) {
        abort();
    }
    for (size_t i = 0; i < args->data_in_len; i++, cipher->pos++) {
        uint32_t in_block = cipher->pos % CIPHER_BLOCK;
        cipher->block[in_block] = (uint8_t)args->data_in[i] ^ key_at(cipher->pos);
        if (cipher->pos >= CIPHER_HEADER && in_block == CIPHER_BLOCK - 1) {
            memcpy(args->data_out + args->data_out_len, cipher->block, CIPHER_BLOCK);
            args->data_out_len += CIPHER_BLOCK;
        }
    }
    if (args->data_out_len == 0) {
        free(args->data_out);
        return ESP_ERR_NOT_FINISHED;
    }
    return ESP_OK;
}

/** A file that the library decrypts by itself; until the next one. */
static web_t serve_sealed(const uint8_t *bytes, uint32_t len)
{
    static uint8_t *file;
    free(file);
    file = sealed_file(SEALED_ECIES, bytes, len);
    return web_with(file, sealed_head(SEALED_ECIES) + len);
}

/* ---- one download ---- */

/** Everything that one call of esp_https_ota needs. */
typedef struct {
    web_t web;
    web_config_t config;
    cipher_t cipher;
    const otter_https_options_t *https;
    char etag[8];
} session_t;

/** Two thirds come, and the server cannot be reached again. */
static void break_link(session_t *s)
{
    s->web.cut_at = s->web.len * 2 / 3;
    s->web.refuse_from = 1;
    s->web.refuse_count = WEB_NEVER - 1;
    s->config.ota.retry.attempts = -1;
}

static void prepare(session_t *s, const subject_t *subject, unsigned how, copy_kind_t kind, unsigned version)
{
    uint32_t len;
    const uint8_t *bytes = copy_bytes(subject, kind, version, &len);
    memset(&s->cipher, 0, sizeof(s->cipher));
    s->web = (how & HTTPS_ENCRYPTED) != 0 ? web_with(encrypt(bytes, len), CIPHER_HEADER + len)
             : (how & HTTPS_SEALED) != 0  ? serve_sealed(bytes, len)
                                          : web_with(bytes, len);
    s->https = sealed_options((how & HTTPS_SEALED) != 0 ? SEALED_ECIES : SEALED_NOT);
    snprintf(s->etag, sizeof(s->etag), "\"%u\"", version % 1000);
    s->web.etag = s->etag;
    web_configure(&s->config, &s->web);
    esp_https_ota_config_t *ota = &s->config.ota;
    ota->ota_resumption = (how & HTTPS_RESUMES) != 0;
    ota->bulk_flash_erase = (how & HTTPS_WITHDRAWN) != 0;
    ota->partial_http_download = (how & HTTPS_RANGES) != 0;
    s->config.http.buffer_size = subject_block(subject) > 4096 ? (int)subject_block(subject) / 3 : 0;
    ota->max_http_request_size = len < 4096 ? 200 : (int)subject_block(subject) - 96;
    if ((how & HTTPS_DROPS) != 0) {
        s->web.cut_at = len / 7;
        s->web.cut_every = len / 4;
    }
    if ((how & HTTPS_ENCRYPTED) != 0) {
        ota->decrypt_cb = decrypt;
        ota->decrypt_user_ctx = &s->cipher;
        ota->enc_img_header_size = CIPHER_HEADER;
    }
}

/** begin and perform. @return the handle, NULL if the update failed */
static esp_https_ota_handle_t receive(subject_t *subject, session_t *s, const route_t *route)
{
    esp_https_ota_handle_t handle;
    subject->phase = PHASE_DOWNLOAD;
    subject->target = route->staging;
    if (route->staging != route->final) {
        s->config.ota.partition.staging = route->staging;
        s->config.ota.partition.final = route->final;
        s->config.ota.partition.finalize_with_copy = true;
    }
    const bool into_slot = route->staging == route->final && s->config.ota.decrypt_cb == NULL;
    if (s->config.ota.ota_resumption || into_slot) { /* asked for or not, progress is kept */
        subject->record_at = route->staging->address + route->staging->size - subject_block(subject);
    }
    subject->device.https = s->https;
    if (https_ota_begin(&subject->device, &s->config.ota, NULL, &handle) != ESP_OK) {
        return NULL;
    }
    if (web_perform(handle) != ESP_OK) {
        (void)esp_https_ota_abort(handle); /* perform has said why */
        return NULL;
    }
    return handle;
}

bool https_break_off(subject_t *subject, unsigned how, copy_kind_t kind, unsigned version)
{
    session_t session;
    route_t route = copy_route(subject, kind);
    prepare(&session, subject, how, kind, version);
    break_link(&session);
    esp_https_ota_handle_t handle = receive(subject, &session, &route);
    CHECK(handle == NULL, "a download ends well although the link broke");
    return !subject->sim.dead && subject_boot(subject);
}

unsigned https_withdrawn(unsigned version)
{
    return version + 1;
}

bool https_update(subject_t *subject, unsigned how, copy_kind_t kind, unsigned version)
{
    const unsigned first = (how & HTTPS_WITHDRAWN) != 0 ? https_withdrawn(version) : version;
    if ((how & (HTTPS_BREAKS | HTTPS_WITHDRAWN)) != 0 && !https_break_off(subject, how, kind, first)) {
        return false;
    }
    session_t session;
    route_t route = copy_route(subject, kind);
    prepare(&session, subject, how, kind, version);
    esp_https_ota_handle_t handle = receive(subject, &session, &route);
    CHECK(handle != NULL || subject->sim.dead, "the download fails: %s", subject->device.report.fault.why);
    const bool resumed = subject->device.report.bytes_resumed > 0;
    subject->resumptions += resumed;
    if (handle == NULL) {
        return false;
    }
    if (!settings_change(subject)) {
        (void)esp_https_ota_abort(handle); /* power went: the memory alone is given back */
        return false;
    }
    CHECK(resumed || (how & HTTPS_BREAKS) == 0, "what came before the link broke is downloaded again");
    subject_records_are_sure(subject, route.staging);
    subject->phase = PHASE_SELECT;
    if (kind == COPY_NONE || kind == COPY_APP) {
        subject_allow(subject, route.final, version);
    }
    copy_expect(subject, &route, kind, version);
    bool finished = esp_https_ota_finish(handle) == ESP_OK;
    /* The last write only says that there is nothing to resume: all is done before it. */
    CHECK(!finished || !subject->sim.dead || subject->op_phase == PHASE_RECORD,
          "esp_https_ota_finish reports success although power went");
    CHECK(finished || subject->sim.dead, "the update fails: %s", subject->device.report.fault.why);
    if (finished) {
        copy_check_done(subject);
    }
    return finished && !subject->sim.dead;
}
