/*
 * esp_https_ota: an HTTP body on its way into an update session.
 *
 * The handle's states, and what moves between them:
 *   BEGIN        https_ota_begin succeeded            -> IN_PROGRESS (esp_https_ota_perform, first call)
 *   IN_PROGRESS  bytes arrive and are written         -> SUCCESS     (esp_https_ota_perform, body complete)
 *   SUCCESS      everything is written, nothing is judged yet
 * A failed perform leaves the state as it is; finish and abort free the handle from any state.
 */
#include "ota/https_ota.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/le.h"
#include "esp_log.h"
#include "flash/partition_list.h"
#include "http/client_internal.h"
#include "image/image.h"
#include "ota/update.h"
#include "otter/system.h"

#define BUFFER_MIN     1024u /* as ESP-IDF 5: header, descriptor and some */
#define REDIRECTS_MAX  10    /* where http_config says 0 */
#define AUTH_TRIES_MAX 10
#define STALLED_WAITS  5 /* waits of timeout_ms without a byte, in a row, before an update is given up */
#define DRAIN_BYTES_MAX                                                                                      \
    65536 /* of a redirect's or challenge's body; a longer one costs a new connection instead */

static const char TAG[] = "esp_https_ota";

typedef enum { STATE_BEGIN, STATE_IN_PROGRESS, STATE_SUCCESS } ota_state_t;

typedef struct {
    otter_device_t *device;
    esp_http_client_handle_t client;
    ota_state_t state;
    const esp_partition_t *staging, *final;
    bool finalize_with_copy, bulk_erase;

    esp_ota_handle_t update; /* 0: no session is open */
    bool gate_passed;        /* chip and revision of the image are right */
    int64_t image_size;      /* -1: the server did not say */
    uint64_t written;

    uint8_t *buffer;
    size_t buffer_size, buffered; /* bytes read ahead for the header, not written yet */
    unsigned stalled_waits;
} https_ota_t;

static void post(const otter_device_t *device, esp_https_ota_event_t id, const void *data, size_t size)
{
    if (device->on_https_ota_event != NULL) {
        device->on_https_ota_event((int32_t)id, data, size);
    }
}

/** Keeps why an update failed; the first failure stays. @return code */
static esp_err_t fail(otter_device_t *device, otter_stage_t stage, esp_err_t code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static esp_err_t fail(otter_device_t *device, otter_stage_t stage, esp_err_t code, const char *format, ...)
{
    otter_update_report_t *report = &device->report;
    if (report->code == ESP_OK) {
        va_list args;
        va_start(args, format);
        vsnprintf(report->why, sizeof(report->why), format, args);
        va_end(args);
        report->stage = stage;
        report->code = code;
        ESP_LOGE(TAG, "%s", report->why);
    }
    return code;
}

/** Takes what the HTTP client knows into the report: status, URL, the cause of a connection failure. */
static void note_client(https_ota_t *ota)
{
    otter_update_report_t *report = &ota->device->report;
    int status = esp_http_client_get_status_code(ota->client);
    report->http_status = status > 0 ? status : report->http_status;
    esp_http_client_get_url(ota->client, report->url, (int)sizeof(report->url));
    const http_failure_t *failure = http_client_last_failure(ota->client);
    if (failure->stage != HTTP_STAGE_NONE) {
        report->transport = failure->cause;
    }
}

static const char *cause_text(const https_ota_t *ota, const char *otherwise)
{
    const char *text = ota->device->report.transport.text;
    return text[0] != '\0' ? text : otherwise;
}

/* ---- begin: configuration ------------------------------------------------------------------------------------- */

static bool names_plain_http(const esp_http_client_config_t *http)
{
    if (http->url != NULL && !(http->host != NULL && http->path != NULL)) {
        return strncmp(http->url, "http:", 5) == 0;
    }
    return http->transport_type == HTTP_TRANSPORT_OVER_TCP || http->transport_type == HTTP_TRANSPORT_UNKNOWN;
}

static esp_err_t check_config(otter_device_t *device, const esp_http_client_config_t *http)
{
    if (http->is_async) {
        return fail(device, OTTER_STAGE_CONFIG, ESP_ERR_INVALID_ARG,
                    "is_async cannot be used: this API blocks");
    }
    bool trusts = http->cert_pem != NULL || http->use_global_ca_store || http->crt_bundle_attach != NULL;
    bool plain = names_plain_http(http);
    if (device->config.allow_http) {
        if (plain || !trusts) {
            ESP_LOGW(TAG, "Continuing with insecure option because plain HTTP is allowed");
        }
        return ESP_OK;
    }
    if (plain) {
        return fail(
            device, OTTER_STAGE_CONFIG, ESP_ERR_INVALID_ARG,
            "plain HTTP is refused: use an https:// URL, or allow HTTP in the device's configuration");
    }
    if (!trusts) {
        return fail(device, OTTER_STAGE_CONFIG, ESP_ERR_INVALID_ARG,
                    "No option for server verification is enabled: give a CA certificate (cert_pem)");
    }
    return ESP_OK;
}

static esp_err_t make_client(https_ota_t *ota, const esp_https_ota_config_t *config)
{
    ota->client = esp_http_client_init(config->http_config);
    if (ota->client == NULL) {
        return fail(ota->device, OTTER_STAGE_CONFIG, ESP_FAIL,
                    "Failed to initialise HTTP client: the URL is unusable");
    }
    if (config->http_client_init_cb != NULL) {
        esp_err_t err = config->http_client_init_cb(ota->client);
        if (err != ESP_OK) {
            return fail(ota->device, OTTER_STAGE_CONFIG, err, "http_client_init_cb returned 0x%x",
                        (unsigned)err);
        }
    }
    return ESP_OK;
}

/* ---- begin: request and answer -------------------------------------------------------------------------------- */

/** Reads what is left of an answer that is not the image, so that the connection can be used again. */
static void drain_body(https_ota_t *ota)
{
    for (size_t total = 0; total < DRAIN_BYTES_MAX;) {
        int n = esp_http_client_read(ota->client, (char *)ota->buffer, (int)ota->buffer_size);
        if (n <= 0) {
            break;
        }
        total += (size_t)n;
    }
    if (!esp_http_client_is_complete_data_received(ota->client)) {
        esp_http_client_close(ota->client);
    }
}

typedef enum { ANSWER_ACCEPT, ANSWER_REDIRECT, ANSWER_AUTHENTICATE, ANSWER_REFUSE } answer_t;

/* What to do with a status: ESP-IDF 5.5's rules, first match. */
static const struct status_rule {
    int from, to;
    answer_t answer;
    esp_err_t code; /* of ANSWER_REFUSE */
} status_rules[] = {
    {301, 303, ANSWER_REDIRECT, ESP_OK},
    {307, 308, ANSWER_REDIRECT, ESP_OK},
    {304, 304, ANSWER_REFUSE, ESP_ERR_HTTP_NOT_MODIFIED},
    {401, 401, ANSWER_AUTHENTICATE, ESP_OK},
    {416, 416, ANSWER_REFUSE, ESP_ERR_HTTP_RANGE_NOT_SATISFIABLE},
    {400, 999, ANSWER_REFUSE, ESP_FAIL},
};

static answer_t judge_status(int status, esp_err_t *code)
{
    for (size_t i = 0; i < sizeof(status_rules) / sizeof(status_rules[0]); i++) {
        if (status >= status_rules[i].from && status <= status_rules[i].to) {
            *code = status_rules[i].code;
            return status_rules[i].answer;
        }
    }
    *code = ESP_OK;
    return ANSWER_ACCEPT;
}

static esp_err_t send_request(https_ota_t *ota)
{
    char *body = NULL;
    int body_len = esp_http_client_get_post_field(ota->client, &body);
    ota->device->report.attempts++;
    esp_err_t err = esp_http_client_open(ota->client, body_len);
    note_client(ota);
    if (err != ESP_OK) {
        otter_stage_t stage = err == ESP_ERR_HTTP_CONNECT ? OTTER_STAGE_CONNECT : OTTER_STAGE_REQUEST;
        return fail(ota->device, stage, err, "Failed to open HTTP connection: %s",
                    cause_text(ota, esp_err_to_name(err)));
    }
    for (int sent = 0; sent < body_len;) {
        int n = esp_http_client_write(ota->client, body + sent, body_len - sent);
        if (n <= 0) {
            note_client(ota);
            return fail(ota->device, OTTER_STAGE_REQUEST, ESP_FAIL, "sending the request's body failed: %s",
                        cause_text(ota, "connection lost"));
        }
        sent += n;
    }
    int64_t length = esp_http_client_fetch_headers(ota->client);
    note_client(ota);
    if (length == -ESP_ERR_HTTP_EAGAIN) {
        return fail(ota->device, OTTER_STAGE_REQUEST, (esp_err_t)length, "no response within the time limit");
    }
    if (length < 0) {
        return fail(ota->device, OTTER_STAGE_REQUEST, (esp_err_t)length, "no valid response: %s",
                    cause_text(ota, "the server closed the connection"));
    }
    return ESP_OK;
}

static esp_err_t follow_redirect(https_ota_t *ota, int status, int *left)
{
    if ((*left)-- <= 0) {
        return fail(ota->device, OTTER_STAGE_REQUEST, ESP_ERR_HTTP_MAX_REDIRECT, "too many redirects");
    }
    drain_body(ota);
    esp_err_t err = esp_http_client_set_redirection(ota->client);
    if (err == ESP_ERR_HTTP_REDIRECT_DOWNGRADE) {
        return fail(ota->device, OTTER_STAGE_REQUEST, err, "redirect (%d) from https to http is refused",
                    status);
    }
    if (err != ESP_OK) {
        return fail(ota->device, OTTER_STAGE_REQUEST, err, "redirect (%d) without a usable Location", status);
    }
    note_client(ota);
    return ESP_OK;
}

/** Asks, follows redirects, until there is an answer whose body is the image. */
static esp_err_t connect_to_image(https_ota_t *ota, const esp_http_client_config_t *http)
{
    int redirects_left = http->max_redirection_count > 0 ? http->max_redirection_count : REDIRECTS_MAX;
    for (;;) {
        esp_err_t err = send_request(ota);
        if (err != ESP_OK) {
            return err;
        }
        int status = esp_http_client_get_status_code(ota->client);
        switch (judge_status(status, &err)) {
        case ANSWER_ACCEPT:
            return ESP_OK;
        case ANSWER_REDIRECT:
            err = follow_redirect(ota, status, &redirects_left);
            break;
        case ANSWER_AUTHENTICATE:
            return fail(ota->device, OTTER_STAGE_REQUEST, ESP_ERR_NOT_SUPPORTED,
                        "the server wants a user name and password (401)");
        case ANSWER_REFUSE:
            return fail(ota->device, OTTER_STAGE_REQUEST, err, "File not found(%d): the server refuses %s",
                        status, ota->device->report.url);
        }
        if (err != ESP_OK) {
            return err;
        }
    }
}

/* ---- begin ---------------------------------------------------------------------------------------------------- */

static esp_err_t choose_partitions(https_ota_t *ota, const esp_https_ota_config_t *config)
{
    const esp_partition_t *staging = config->partition.staging;
    const esp_partition_t *final = config->partition.final;
    ota->staging = staging != NULL ? partition_list_verify(&ota->device->partitions, staging)
                                   : ota_get_next_update_partition(ota->device, NULL);
    if (ota->staging == NULL) {
        return fail(ota->device, OTTER_STAGE_CONFIG, ESP_FAIL, "Passive OTA partition not found");
    }
    ota->final = final != NULL ? partition_list_verify(&ota->device->partitions, final) : ota->staging;
    if (ota->final == NULL) {
        return fail(ota->device, OTTER_STAGE_CONFIG, ESP_FAIL, "the final partition is not in the table");
    }
    ota->finalize_with_copy = config->partition.finalize_with_copy;
    snprintf(ota->device->report.slot, sizeof(ota->device->report.slot), "%s", ota->staging->label);
    ESP_LOGI(TAG, "Writing to <%s> partition at offset 0x%" PRIx32, ota->staging->label,
             ota->staging->address);
    return ESP_OK;
}

static void free_handle(https_ota_t *ota)
{
    if (ota->client != NULL) {
        esp_http_client_cleanup(ota->client);
    }
    free(ota->buffer);
    free(ota);
}

/** The steps of begin that can fail once the handle is allocated. */
static esp_err_t open_update(https_ota_t *ota, const esp_https_ota_config_t *config)
{
    size_t asked = config->http_config->buffer_size > 0 ? (size_t)config->http_config->buffer_size : 0;
    ota->buffer_size = asked > BUFFER_MIN ? asked : BUFFER_MIN;
    ota->buffer = malloc(ota->buffer_size);
    if (ota->buffer == NULL) {
        return fail(ota->device, OTTER_STAGE_CONFIG, ESP_ERR_NO_MEM,
                    "Couldn't allocate memory to upgrade data buffer");
    }
    esp_err_t err = make_client(ota, config);
    if (err != ESP_OK) {
        return err;
    }
    err = connect_to_image(ota, config->http_config);
    if (err != ESP_OK) {
        return err;
    }
    post(ota->device, ESP_HTTPS_OTA_CONNECTED, NULL, 0);
    ota->image_size = esp_http_client_is_chunked_response(ota->client)
                          ? -1
                          : esp_http_client_get_content_length(ota->client);
    ota->device->report.image_size = ota->image_size;
    return choose_partitions(ota, config);
}

esp_err_t https_ota_begin(otter_device_t *device, const esp_https_ota_config_t *config,
                          esp_https_ota_handle_t *handle)
{
    memset(&device->report, 0, sizeof(device->report));
    device->report.image_size = -1;
    post(device, ESP_HTTPS_OTA_START, NULL, 0);
    if (handle != NULL) {
        *handle = NULL;
    }
    if (handle == NULL || config == NULL || config->http_config == NULL) {
        return fail(device, OTTER_STAGE_CONFIG, ESP_ERR_INVALID_ARG, "esp_https_ota_begin: Invalid argument");
    }
    esp_err_t err = check_config(device, config->http_config);
    if (err != ESP_OK) {
        return err;
    }
    https_ota_t *ota = calloc(1, sizeof(*ota));
    if (ota == NULL) {
        return fail(device, OTTER_STAGE_CONFIG, ESP_ERR_NO_MEM, "Couldn't allocate memory to upgrade handle");
    }
    ota->device = device;
    ota->bulk_erase = config->bulk_flash_erase;
    err = open_update(ota, config);
    if (err != ESP_OK) {
        free_handle(ota);
        return err;
    }
    *handle = ota;
    return ESP_OK;
}

/* ---- perform -------------------------------------------------------------------------------------------------- */

/**
 * One read into the buffer behind what it holds.
 * @return ESP_OK (bytes came), ESP_ERR_NOT_FINISHED (none yet: call again), ESP_ERR_NOT_FOUND (the body is complete),
 *         or how it failed
 */
static esp_err_t read_more(https_ota_t *ota, size_t upto)
{
    int n =
        esp_http_client_read(ota->client, (char *)ota->buffer + ota->buffered, (int)(upto - ota->buffered));
    otter_system_alive();
    if (n > 0) {
        ota->buffered += (size_t)n;
        ota->device->report.bytes_downloaded += (uint64_t)n;
        ota->stalled_waits = 0;
        return ESP_OK;
    }
    note_client(ota);
    if (n == 0 && esp_http_client_is_complete_data_received(ota->client)) {
        return ESP_ERR_NOT_FOUND;
    }
    if (n == -ESP_ERR_HTTP_EAGAIN) {
        if (++ota->stalled_waits < STALLED_WAITS) {
            return ESP_ERR_NOT_FINISHED;
        }
        return fail(ota->device, OTTER_STAGE_DOWNLOAD, ESP_ERR_HTTP_READ_TIMEOUT,
                    "the server stalled after %" PRIu64 " bytes: nothing came in %d waits",
                    ota->device->report.bytes_downloaded, STALLED_WAITS);
    }
    return fail(ota->device, OTTER_STAGE_DOWNLOAD, ESP_FAIL,
                "the connection was lost after %" PRIu64 " bytes: %s", ota->device->report.bytes_downloaded,
                cause_text(ota, "closed by the server"));
}

/** Makes sure that the image's header block is in the buffer; nothing has been written then. */
static esp_err_t read_header_block(https_ota_t *ota)
{
    while (ota->buffered < BUFFER_MIN) {
        esp_err_t err = read_more(ota, BUFFER_MIN);
        if (err == ESP_ERR_NOT_FOUND) {
            break; /* a small image; whether it is enough is seen below */
        }
        if (err != ESP_OK && err != ESP_ERR_NOT_FINISHED) {
            return err == ESP_ERR_HTTP_READ_TIMEOUT ? err : ESP_FAIL;
        }
    }
    if (ota->buffered < IMAGE_GATE_SIZE) {
        return fail(ota->device, OTTER_STAGE_GATE, ESP_FAIL,
                    "the server sent %zu bytes, less than the header of an image (%u)", ota->buffered,
                    IMAGE_GATE_SIZE);
    }
    return ESP_OK;
}

static bool holds_image(const esp_partition_t *partition)
{
    return partition->type == ESP_PARTITION_TYPE_APP || partition->type == ESP_PARTITION_TYPE_BOOTLOADER;
}

/** All that can be refused before anything is erased: kind of file, chip, revision, size. */
static esp_err_t pass_gate(https_ota_t *ota)
{
    otter_device_t *device = ota->device;
    if (ota->image_size > (int64_t)ota->staging->size) {
        return fail(device, OTTER_STAGE_GATE, ESP_ERR_INVALID_SIZE,
                    "the image has %" PRId64 " bytes, partition %s only %" PRIu32, ota->image_size,
                    ota->staging->label, ota->staging->size);
    }
    if (!holds_image(ota->final)) {
        return ESP_OK;
    }
    esp_chip_id_t chip = (esp_chip_id_t)le16_get(ota->buffer + offsetof(esp_image_header_t, chip_id));
    uint16_t min_revision = le16_get(ota->buffer + offsetof(esp_image_header_t, min_chip_rev_full));
    post(device, ESP_HTTPS_OTA_VERIFY_CHIP_ID, &chip, sizeof(chip));
    post(device, ESP_HTTPS_OTA_VERIFY_CHIP_REVISION, &min_revision, sizeof(min_revision));
    char why[96] = "";
    esp_err_t err = image_check_header(ota->buffer, &device->chip, why, sizeof(why));
    if (err != ESP_OK) {
        return fail(device, OTTER_STAGE_GATE, err, "%s", why);
    }
    return ESP_OK;
}

static esp_err_t open_session(https_ota_t *ota)
{
    size_t erase = OTA_WITH_SEQUENTIAL_WRITES;
    if (ota->bulk_erase) {
        erase = ota->image_size > 0 ? (size_t)ota->image_size : OTA_SIZE_UNKNOWN;
    }
    esp_err_t err = ota_begin(ota->device, ota->staging, erase, &ota->update);
    if (err != ESP_OK) {
        return fail(ota->device, OTTER_STAGE_DOWNLOAD, err, "esp_ota_begin failed (%s)",
                    esp_err_to_name(err));
    }
    if (ota->final != ota->staging) {
        err = ota_set_final_partition(ota->device, ota->update, ota->final, ota->finalize_with_copy);
        if (err != ESP_OK) {
            return fail(ota->device, OTTER_STAGE_DOWNLOAD, err, "esp_ota_set_final_partition failed (%s)",
                        esp_err_to_name(err));
        }
    }
    return ESP_OK;
}

static esp_err_t write_buffer(https_ota_t *ota)
{
    otter_device_t *device = ota->device;
    esp_err_t err = ota_write(device, ota->update, ota->buffer, ota->buffered);
    if (err == ESP_OK) {
        ota->written += ota->buffered;
        device->report.bytes_written = ota->written;
    } else {
        (void)fail(device, OTTER_STAGE_DOWNLOAD, err, "esp_ota_write failed at byte %" PRIu64 " of %s (%s)",
                   ota->written, ota->staging->label, esp_err_to_name(err));
    }
    int total = (int)ota->written;
    post(device, ESP_HTTPS_OTA_WRITE_FLASH, &total, sizeof(total));
    ota->buffered = 0;
    return err == ESP_OK ? ESP_ERR_HTTPS_OTA_IN_PROGRESS : err;
}

static esp_err_t perform_first(https_ota_t *ota)
{
    bool image = holds_image(ota->final);
    esp_err_t err = image ? read_header_block(ota) : ESP_OK;
    if (err != ESP_OK) {
        return err;
    }
    ota->state = STATE_IN_PROGRESS;
    err = pass_gate(ota);
    if (err != ESP_OK) {
        return err;
    }
    ota->gate_passed = true;
    err = open_session(ota);
    if (err != ESP_OK) {
        return err;
    }
    /* A large buffer is filled up, so that the writes that follow start where sectors start. */
    if (image && ota->buffered == BUFFER_MIN && ota->buffer_size > BUFFER_MIN) {
        err = read_more(ota, ota->buffer_size);
        if (err != ESP_OK && err != ESP_ERR_NOT_FINISHED && err != ESP_ERR_NOT_FOUND) {
            return err;
        }
    }
    return ota->buffered > 0 ? write_buffer(ota) : ESP_ERR_HTTPS_OTA_IN_PROGRESS;
}

static esp_err_t perform_next(https_ota_t *ota)
{
    if (!ota->gate_passed || ota->update == 0) {
        return ESP_FAIL; /* refused before; there is nothing to go on with */
    }
    esp_err_t err = read_more(ota, ota->buffer_size);
    switch (err) {
    case ESP_OK:
        return write_buffer(ota);
    case ESP_ERR_NOT_FINISHED:
        return ESP_ERR_HTTPS_OTA_IN_PROGRESS;
    case ESP_ERR_NOT_FOUND:
        ESP_LOGI(TAG, "Connection closed, all data received: %" PRIu64 " bytes", ota->written);
        ota->state = STATE_SUCCESS;
        return ESP_OK;
    default:
        return err;
    }
}

esp_err_t esp_https_ota_perform(esp_https_ota_handle_t https_ota_handle)
{
    https_ota_t *ota = https_ota_handle;
    if (ota == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    switch (ota->state) {
    case STATE_BEGIN:
        return perform_first(ota);
    case STATE_IN_PROGRESS:
        return perform_next(ota);
    case STATE_SUCCESS:
        break;
    }
    return ESP_FAIL;
}

/* ---- queries -------------------------------------------------------------------------------------------------- */

bool esp_https_ota_is_complete_data_received(esp_https_ota_handle_t https_ota_handle)
{
    const https_ota_t *ota = https_ota_handle;
    return ota != NULL && esp_http_client_is_complete_data_received(ota->client);
}

/** The descriptor's bytes: from the buffer before the first write, from flash after it. */
static esp_err_t fetch_desc(https_ota_t *ota, uint8_t raw[sizeof(esp_app_desc_t)])
{
    if (ota->state == STATE_BEGIN) {
        esp_err_t err = read_header_block(ota);
        if (err == ESP_OK) {
            memcpy(raw, ota->buffer + IMAGE_DESC_OFFSET, sizeof(esp_app_desc_t));
        }
        return err;
    }
    return esp_partition_read(ota->staging, IMAGE_DESC_OFFSET, raw, sizeof(esp_app_desc_t));
}

esp_err_t esp_https_ota_get_img_desc(esp_https_ota_handle_t https_ota_handle, esp_app_desc_t *new_app_info)
{
    https_ota_t *ota = https_ota_handle;
    if (ota == NULL || new_app_info == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    post(ota->device, ESP_HTTPS_OTA_GET_IMG_DESC, NULL, 0);
    uint8_t raw[sizeof(esp_app_desc_t)];
    if (!holds_image(ota->final) || fetch_desc(ota, raw) != ESP_OK) {
        return ESP_FAIL;
    }
    if (image_decode_desc(raw, new_app_info) != ESP_OK) {
        return fail(ota->device, OTTER_STAGE_GATE, ESP_FAIL, "Incorrect app descriptor magic");
    }
    return ESP_OK;
}

int esp_https_ota_get_image_len_read(esp_https_ota_handle_t https_ota_handle)
{
    const https_ota_t *ota = https_ota_handle;
    return ota == NULL || ota->state == STATE_BEGIN ? -1 : (int)ota->written;
}

int esp_https_ota_get_image_size(esp_https_ota_handle_t https_ota_handle)
{
    const https_ota_t *ota = https_ota_handle;
    return ota == NULL ? -1 : (int)ota->image_size;
}

int esp_https_ota_get_status_code(esp_https_ota_handle_t https_ota_handle)
{
    const https_ota_t *ota = https_ota_handle;
    return ota == NULL ? -1 : esp_http_client_get_status_code(ota->client);
}

/* ---- the end -------------------------------------------------------------------------------------------------- */

static esp_err_t verify_and_switch(https_ota_t *ota)
{
    otter_device_t *device = ota->device;
    if (ota->state == STATE_BEGIN) {
        return ESP_OK;
    }
    if (ota->update == 0) {
        return ESP_ERR_INVALID_ARG; /* refused before the first write */
    }
    esp_err_t err = ota_end(device, ota->update);
    ota->update = 0;
    if (err != ESP_OK) {
        return fail(device, OTTER_STAGE_VERIFY, err, "%s",
                    device->last_reason[0] != '\0' ? device->last_reason : esp_err_to_name(err));
    }
    bool slot = ota->final->type == ESP_PARTITION_TYPE_APP &&
                ota->final->subtype >= ESP_PARTITION_SUBTYPE_APP_OTA_MIN &&
                ota->final->subtype < ESP_PARTITION_SUBTYPE_APP_OTA_MAX;
    if (ota->state != STATE_SUCCESS || !slot) {
        return ESP_OK;
    }
    const esp_partition_t *boots = ota->finalize_with_copy ? ota->final : ota->staging;
    err = ota_set_boot_partition(device, boots);
    if (err != ESP_OK) {
        return fail(device, OTTER_STAGE_SWITCH, err, "esp_ota_set_boot_partition failed (%s)",
                    esp_err_to_name(err));
    }
    esp_partition_subtype_t subtype = boots->subtype;
    post(device, ESP_HTTPS_OTA_UPDATE_BOOT_PARTITION, &subtype, sizeof(subtype));
    device->report.stage = OTTER_STAGE_DONE;
    return ESP_OK;
}

esp_err_t esp_https_ota_finish(esp_https_ota_handle_t https_ota_handle)
{
    https_ota_t *ota = https_ota_handle;
    if (ota == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = verify_and_switch(ota);
    otter_device_t *device = ota->device;
    free_handle(ota);
    post(device, ESP_HTTPS_OTA_FINISH, NULL, 0);
    return err;
}

esp_err_t esp_https_ota_abort(esp_https_ota_handle_t https_ota_handle)
{
    https_ota_t *ota = https_ota_handle;
    if (ota == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    post(ota->device, ESP_HTTPS_OTA_ABORT, NULL, 0);
    esp_err_t err = ota->update != 0 ? ota_abort(ota->device, ota->update) : ESP_OK;
    free_handle(ota);
    return err;
}

esp_err_t https_ota_run(otter_device_t *device, const esp_https_ota_config_t *config)
{
    esp_https_ota_handle_t handle = NULL;
    esp_err_t err = https_ota_begin(device, config, &handle);
    if (err != ESP_OK) {
        return err;
    }
    do {
        err = esp_https_ota_perform(handle);
    } while (err == ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    if (err != ESP_OK) {
        (void)esp_https_ota_abort(handle); /* the cause is what perform said */
        return err;
    }
    return esp_https_ota_finish(handle);
}
