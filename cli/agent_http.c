/* The server's side of `otter agent`: requests over HTTPS, and images into the flash. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "agent.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "esp_crt_bundle.h"
#include "linux/interrupt.h"
#include "otter/ota_ops.h"
#include "otter/version.h"
#include "update_slot.h"

#define ANSWER_MS 60000 /* an answer is there by then, or there is none */
#define PIECE     (64 * 1024)

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
        return esp_err_to_name(err);
    }
    if (len > 0 && esp_http_client_write(client, order->body, len) != len) {
        return "the request could not be sent";
    }
    if (esp_http_client_fetch_headers(client) < 0) {
        return "no answer came";
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

/** Sizes are compared before the first byte is written. */
static esp_err_t check_size(otter_device_t *device, const otter_ddi_file_t *file, const esp_partition_t *slot,
                            int64_t announced, otter_fault_t *fault)
{
    (void)device;
    if (file->size > slot->size) {
        return otter_fault(fault, ESP_ERR_INVALID_SIZE, "the file has %" PRIu32 " bytes, and %s has %" PRIu32,
                           file->size, slot->label, slot->size);
    }
    if (announced >= 0 && announced != file->size) {
        return otter_fault(fault, ESP_ERR_INVALID_SIZE,
                           "the file has %" PRId64 " bytes, and %" PRIu32 " were announced", announced,
                           file->size);
    }
    return ESP_OK;
}

static otter_ddi_fetched_t failed(otter_stage_t stage, const otter_fault_t *fault)
{
    return (otter_ddi_fetched_t){.err = fault->code, .stage = stage, .why = fault->why};
}

static otter_ddi_fetched_t fetch_into(agent_t *agent, otter_device_t *device, const char *url,
                                      const otter_ddi_file_t *file, bool authorize,
                                      const esp_partition_t *slot, otter_fault_t *fault)
{
    static _Alignas(4096) uint8_t piece[PIECE];
    otter_ddi_fetched_t fetched;
    fetch_t fetch = {agent, authorize};
    const esp_http_client_config_t http = http_config(agent, url);
    const otter_https_options_t https = {.on_client = add_token,
                                         .on_wait = keep_waiting,
                                         .select_later = true,
                                         .ctx = &fetch,
                                         .receive = {piece, sizeof(piece)}};
    const esp_https_ota_config_t config = {
        .http_config = &http,
        .ota_resumption = true, /* one request for all that is missing */
        .partition.staging = slot,
        .retry = {.attempts = 3, .delay_ms = 1000, .max_time_ms = 3600000}};
    esp_https_ota_handle_t handle = NULL;
    if (check_size(device, file, slot, -1, fault) != ESP_OK) {
        return failed(OTTER_STAGE_GATE, fault);
    }
    esp_err_t err = otter_https_ota_begin(device, &config, &https, &handle);
    if (err == ESP_OK && check_size(device, file, slot, device->report.image_size, fault) != ESP_OK) {
        (void)esp_https_ota_abort(handle); /* nothing was written */
        return failed(OTTER_STAGE_GATE, fault);
    }
    err = err == ESP_OK ? transfer(agent, device, handle) : err;
    if (err != ESP_OK) {
        const otter_update_report_t *report = &device->report;
        otter_ignore(otter_fault(fault, err, "%s",
                                 report->fault.why[0] != '\0' ? report->fault.why : esp_err_to_name(err)));
        return failed(err == ESP_ERR_NOT_FINISHED ? OTTER_STAGE_DOWNLOAD : report->stage, fault);
    }
    otter_ddi_device_fetched(device, slot, file, &fetched, fault);
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

void agent_fetch(agent_t *agent, const otter_ddi_order_t *order)
{
    linux_device_t dev;
    otter_fault_t fault = {0};
    const otter_ddi_file_t file = order->file;
    const bool authorize = order->authorize;
    char *url = strdup(order->url); /* the agent goes on using its own */
    otter_ddi_fetched_t fetched = {
        .err = ESP_ERR_INVALID_STATE, .stage = OTTER_STAGE_DOWNLOAD, .why = fault.why};
    if (url != NULL && agent_device_open(agent, &dev, &fault)) {
        const esp_partition_t *slot = choose_slot(agent, &dev, &fault);
        if (slot != NULL) {
            fetched = fetch_into(agent, &dev.device, url, &file, authorize, slot, &fault);
        }
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
