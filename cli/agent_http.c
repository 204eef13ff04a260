/* The server's side of `otter agent`: requests over HTTPS, and images into the flash. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "agent.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "decrypt_key.h"
#include "esp_crt_bundle.h"
#include "linux/interrupt.h"
#include "otter/encrypted_image.h"
#include "otter/ota_ops.h"
#include "otter/version.h"
#include "update_slot.h"

#define ANSWER_MS 60000 /* an answer is there by then, or there is none */
#define PIECE     (64 * 1024)

#define CERT_EXPIRED 0x0001 /* MBEDTLS_X509_BADCERT_EXPIRED, _FUTURE */
#define CERT_FUTURE  0x0200

static esp_http_client_config_t http_config(const agent_t *agent, const char *url)
{
    const agent_options_t *o = agent->options;
    return (esp_http_client_config_t){
        .url = url,
        .use_global_ca_store = agent->ca != NULL,
        .crt_bundle_attach = o->system_ca ? esp_crt_bundle_attach : NULL,
        .client_cert_pem = agent->cert,
        .client_cert_len = agent->cert_len,
        .client_key_pem = agent->key,
        .client_key_len = agent->key_len,
        .timeout_ms = (int)o->timeout_ms,
        .buffer_size = 4096,
        .buffer_size_tx = 4096,
        .user_agent = "otter-agent/" OTTER_VERSION,
    };
}

/* ---- requests ---- */

static esp_http_client_method_t method_of(const char *name)
{
    return strcmp(name, "PUT") == 0    ? HTTP_METHOD_PUT
           : strcmp(name, "POST") == 0 ? HTTP_METHOD_POST
                                       : HTTP_METHOD_GET;
}

/** What went wrong, where, and what to do about it. */
static const char *describe_failure(agent_t *agent, esp_http_client_handle_t client, const char *what)
{
    const otter_transport_error_t *error = otter_http_client_error(client);
    const bool dated = (error->tls_verify & (CERT_EXPIRED | CERT_FUTURE)) != 0 && error->tls_verify != -1;
    const char *step = dated                         ? "is this machine's clock right?"
                       : error->tls_verify != 0      ? "check --ca, and the name in --server"
                       : error->fault.why[0] == '\0' ? "try again"
                                                     : "check --server and the network";
    snprintf(agent->why, sizeof(agent->why), "%s: %s; %s", agent->options->server,
             error->fault.why[0] != '\0' ? error->fault.why : what, step);
    return agent->why;
}

/** The answer's body to the agent. @return NULL, or why not all of it came */
static const char *read_body(agent_t *agent, esp_http_client_handle_t client)
{
    char piece[2048];
    const int64_t until = agent_now_ms() + ANSWER_MS;
    for (;;) {
        int len = esp_http_client_read(client, piece, sizeof(piece));
        if (len < 0) {
            return "the answer was cut off";
        }
        if (len == 0) {
            return esp_http_client_is_complete_data_received(client) ? NULL : "the answer was cut off";
        }
        if (!otter_ddi_body(&agent->ddi, piece, (size_t)len)) {
            return NULL; /* it says why itself */
        }
        if (agent_now_ms() > until) {
            return "the answer takes longer than a minute";
        }
    }
}

/** @return NULL, or why there is no answer */
static const char *exchange(agent_t *agent, const otter_ddi_order_t *order, esp_http_client_handle_t client)
{
    const int len = order->body != NULL ? (int)strlen(order->body) : 0;
    esp_err_t err = esp_http_client_set_method(client, method_of(order->method));
    err = err == ESP_OK ? esp_http_client_set_header(client, "Accept", "application/json") : err;
    if (err == ESP_OK && agent->authorization != NULL && order->authorize) {
        err = esp_http_client_set_header(client, "Authorization", agent->authorization);
    }
    if (err == ESP_OK && order->body != NULL) {
        err = esp_http_client_set_header(client, "Content-Type", "application/json");
    }
    err = err == ESP_OK ? esp_http_client_open(client, len) : err;
    if (err != ESP_OK) {
        return describe_failure(agent, client, esp_err_to_name(err));
    }
    if (len > 0 && esp_http_client_write(client, order->body, len) != len) {
        return describe_failure(agent, client, "the request could not be sent");
    }
    if (esp_http_client_fetch_headers(client) < 0) {
        return describe_failure(agent, client, "no answer came");
    }
    otter_ddi_answer(&agent->ddi, esp_http_client_get_status_code(client));
    return read_body(agent, client);
}

void agent_request(agent_t *agent, const otter_ddi_order_t *order)
{
    const esp_http_client_config_t config = http_config(agent, order->url);
    esp_http_client_handle_t client = esp_http_client_init(&config);
    const char *why = client != NULL ? exchange(agent, order, client) : "the URL is none";
    if (why == NULL) {
        otter_ddi_answered(&agent->ddi, agent_now_ms());
    } else {
        otter_ddi_unanswered(&agent->ddi, agent_now_ms(), why);
    }
    (void)esp_http_client_cleanup(client); /* of NULL, too */
}

/* ---- images ---- */

/** One fetch. */
typedef struct {
    agent_t *agent;
    bool authorize;
} fetch_t;

static esp_err_t add_token(void *ctx, esp_http_client_handle_t client)
{
    const fetch_t *fetch = ctx;
    const bool authorize = fetch->authorize && fetch->agent->authorization != NULL;
    return authorize ? esp_http_client_set_header(client, "Authorization", fetch->agent->authorization)
                     : ESP_OK;
}

static bool keep_waiting(void *ctx, uint32_t left_ms)
{
    (void)ctx, (void)left_ms;
    return interrupt_came() == INTERRUPT_NONE;
}

/** Progress that is due is told while the file comes. @return false: stop */
static bool tell_progress(agent_t *agent, const otter_device_t *device)
{
    otter_ddi_order_t order;
    const bool goes_on =
        otter_ddi_progress(&agent->ddi, agent_now_ms(), (uint32_t)device->report.bytes_written);
    otter_ddi_next(&agent->ddi, agent_now_ms(), &order);
    if (order.kind == OTTER_DDI_REQUEST) {
        agent_request(agent, &order);
    }
    return goes_on && interrupt_came() == INTERRUPT_NONE;
}

static esp_err_t transfer(agent_t *agent, otter_device_t *device, esp_https_ota_handle_t handle)
{
    esp_err_t err = ESP_ERR_HTTPS_OTA_IN_PROGRESS;
    while (err == ESP_ERR_HTTPS_OTA_IN_PROGRESS && tell_progress(agent, device)) {
        err = esp_https_ota_perform(handle);
    }
    if (err == ESP_OK) {
        return esp_https_ota_finish(handle);
    }
    (void)esp_https_ota_abort(handle); /* the cause is what perform said */
    return err == ESP_ERR_HTTPS_OTA_IN_PROGRESS ? ESP_ERR_NOT_FINISHED : err;
}

/** One file of an offer, and where it goes. */
typedef struct {
    const char *url;
    otter_ddi_file_t file;
    bool authorize;
    const esp_partition_t *slot;  /* that it comes into */
    const esp_partition_t *data;  /* that it is for; NULL: it is the image */
    const otter_image_key_t *key; /* that opens it; NULL: it comes as it is */
} errand_t;

/**
 * Sizes are compared before the first byte is written. @param around  bytes of the file that are not the image's: what an
 * encrypted one begins with
 * @param coming  bytes of the file or of the image, -1: not known
 */
static esp_err_t check_size(const otter_ddi_file_t *file, uint32_t around, const esp_partition_t *slot,
                            int64_t coming, otter_fault_t *fault)
{
    if (file->size > slot->size && file->size - slot->size > around) {
        return otter_fault(fault, ESP_ERR_INVALID_SIZE, "the file has %" PRIu32 " bytes, and %s has %" PRIu32,
                           file->size, slot->label, slot->size);
    }
    if (coming >= 0 && coming != file->size && coming + around != file->size) {
        return otter_fault(fault, ESP_ERR_INVALID_SIZE,
                           "the file has %" PRId64 " bytes, and %" PRIu32 " were announced", coming,
                           file->size);
    }
    return ESP_OK;
}

/** Bytes that came whole and are wrong are no trouble of the link: they would be so again. */
static otter_stage_t stage_of(esp_err_t err, otter_stage_t stage)
{
    return err == ESP_ERR_NOT_FINISHED                                           ? OTTER_STAGE_DOWNLOAD
           : err == ESP_ERR_OTA_VALIDATE_FAILED && stage == OTTER_STAGE_DOWNLOAD ? OTTER_STAGE_VERIFY
                                                                                 : stage;
}

static otter_ddi_fetched_t failed(otter_stage_t stage, const otter_fault_t *fault)
{
    return (otter_ddi_fetched_t){.err = fault->code, .stage = stage, .why = fault->why};
}

static otter_ddi_fetched_t fetch_into(agent_t *agent, otter_device_t *device, const errand_t *errand,
                                      otter_fault_t *fault)
{
    static _Alignas(4096) uint8_t piece[PIECE];
    otter_ddi_fetched_t fetched;
    fetch_t fetch = {agent, errand->authorize};
    const otter_ddi_file_t *file = &errand->file;
    const esp_partition_t *slot = errand->slot, *data = errand->data;
    const otter_image_key_t *key = errand->key;
    const esp_http_client_config_t http = http_config(agent, errand->url);
    const otter_https_options_t https = {.on_client = add_token,
                                         .on_wait = keep_waiting,
                                         .select_later = true,
                                         .decrypt_key = key,
                                         .encrypted_images = key != NULL ? &otter_encrypted_images : NULL,
                                         .ctx = &fetch,
                                         .receive = {piece, sizeof(piece)}};
    const esp_https_ota_config_t config = {
        .http_config = &http,
        .ota_resumption = data == NULL, /* one request for all that is missing */
        .partition = {.staging = slot, .final = data},
        .retry = {.attempts = 3, .delay_ms = 1000, .max_time_ms = 3600000}};
    esp_https_ota_handle_t handle = NULL;
    const uint32_t around = key != NULL ? OTTER_ENCRYPTED_HEADER : 0;
    if (check_size(file, around, slot, -1, fault) != ESP_OK ||
        (data != NULL && check_size(file, 0, data, -1, fault) != ESP_OK)) {
        return failed(OTTER_STAGE_GATE, fault);
    }
    esp_err_t err = otter_https_ota_begin(device, &config, &https, &handle);
    if (err == ESP_OK && check_size(file, around, slot, device->report.image_size, fault) != ESP_OK) {
        (void)esp_https_ota_abort(handle); /* nothing was written */
        return failed(OTTER_STAGE_GATE, fault);
    }
    err = err == ESP_OK ? transfer(agent, device, handle) : err;
    if (err != ESP_OK) {
        const otter_update_report_t *report = &device->report;
        otter_ignore(otter_fault(fault, err, "%s",
                                 report->fault.why[0] != '\0' ? report->fault.why : esp_err_to_name(err)));
        return failed(stage_of(err, report->stage), fault);
    }
    if (data != NULL) {
        otter_ddi_device_stored(device, slot, data, file, &fetched, fault);
    } else {
        otter_ddi_device_fetched(device, slot, key != NULL ? NULL : file, &fetched, fault);
    }
    return fetched;
}

/** With what opens the image, if it is encrypted. */
static otter_ddi_fetched_t fetch_for_key(agent_t *agent, otter_device_t *device, errand_t *errand,
                                         otter_fault_t *fault)
{
    const agent_options_t *o = agent->options;
    otter_image_key_t *key = NULL;
    if (o->decrypt_key != NULL && errand->data == NULL) {
        key = decrypt_key_of(o->decrypt_key, o->passphrase, &device->efuse, fault);
        if (key == NULL) {
            return failed(OTTER_STAGE_CONNECT, fault); /* it may come back; the image is not to blame */
        }
    }
    errand->key = key;
    otter_ddi_fetched_t fetched = fetch_into(agent, device, errand, fault);
    otter_image_key_free(key);
    return fetched;
}

/** The slot that an update may go to, as `otter update` chooses it. */
static const esp_partition_t *choose_slot(const agent_t *agent, linux_device_t *dev, otter_fault_t *fault)
{
    const esp_partition_t *slot = NULL;
    update_outcome_t outcome = {0};
    const update_slot_options_t how = {.flash_path = agent->options->flash,
                                       .file_length = file_flash_length(dev->flash),
                                       .rollback_is_known = true,
                                       .quiet = true};
    esp_err_t err = update_slot_choose(&dev->device, &how, &slot, &outcome);
    if (err == ESP_OK && slot == NULL) {
        slot = otter_ota_get_next_update_partition(&dev->device, NULL);
        err = slot != NULL ? ESP_OK : ESP_ERR_NOT_FOUND;
    }
    if (err != ESP_OK) {
        otter_ignore(
            otter_fault(fault, err, "%s", outcome.error != NULL ? outcome.error : esp_err_to_name(err)));
    }
    free(outcome.error);
    free(outcome.judged_by);
    return err == ESP_OK ? slot : NULL;
}

static otter_ddi_fetched_t run_errand(agent_t *agent, linux_device_t *dev, errand_t *errand,
                                      const char *partition, otter_fault_t *fault)
{
    if (partition != NULL) {
        errand->data = otter_ddi_device_partition(&dev->device, partition, fault);
        if (errand->data == NULL) {
            return failed(OTTER_STAGE_GATE, fault);
        }
    }
    errand->slot = choose_slot(agent, dev, fault);
    return errand->slot != NULL ? fetch_for_key(agent, &dev->device, errand, fault)
                                : (otter_ddi_fetched_t){.err = ESP_ERR_INVALID_STATE,
                                                        .stage = OTTER_STAGE_DOWNLOAD,
                                                        .why = fault->why};
}

void agent_fetch(agent_t *agent, const otter_ddi_order_t *order)
{
    linux_device_t dev;
    otter_fault_t fault = {0};
    char *url = strdup(order->url); /* the agent goes on using its own */
    errand_t errand = {.url = url, .file = order->file, .authorize = order->authorize};
    otter_ddi_fetched_t fetched = {
        .err = ESP_ERR_INVALID_STATE, .stage = OTTER_STAGE_DOWNLOAD, .why = fault.why};
    if (url != NULL && agent_device_open(agent, &dev, &fault)) {
        fetched = run_errand(agent, &dev, &errand, order->partition, &fault);
        char label[OTTER_DDI_SLOT_SIZE] = "";
        snprintf(label, sizeof(label), "%s", fetched.slot != NULL ? fetched.slot : "");
        esp_err_t closed = linux_device_close(&dev);
        if (fetched.err == ESP_OK && closed != ESP_OK) {
            fetched = failed(OTTER_STAGE_DOWNLOAD,
                             &(otter_fault_t){.code = closed, .why = "the flash file was not written"});
        }
        fetched.slot = label;
        otter_ddi_fetched(&agent->ddi, agent_now_ms(), &fetched);
    } else {
        otter_ddi_fetched(&agent->ddi, agent_now_ms(), &fetched);
    }
    free(url);
}
