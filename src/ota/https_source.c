/*
 * The stream. Invariants:
 * 1. Bytes are delivered once, in order, all from the same file: after a dropped connection the server proves it by
 *    If-Range with the file's validator, or it sends the file again from the start, and read says so of each byte until new
 *    ones arrive: the reader compares them with what it has.
 * 2. body_pos <= pos while a response is open; only where they are equal are the bytes that come new.
 * 3. Every pause and the number of connections that bring nothing are bounded (plan_pause).
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ota/https_source.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esp_log.h"
#include "ota/https_report.h"
#include "ota/https_request.h"
#include "otter/promise.h"
#include "otter/system.h"

#define DELAY_MAX_MS  30000
#define ASKED_MAX_S   86400 /* a server that asks for a longer pause is given up, whatever the time limit */
#define PAUSE_STEP_MS 50    /* a pause is slept in steps: the caller can give up in between */
#define STALLS_MAX    3     /* stalled waits of timeout_ms after which a connection counts as dropped */
#define STALL_BYTES   16    /* a wait that brings fewer has stalled too: a body that drips would take days */
#define BEGIN_RETRIES 2     /* in open, of a request whose answer was lost on the way */

static const char TAG[] = "esp_https_ota";

/* ---- pauses ---- */

static uint32_t backoff_ms(const https_source_t *s)
{
    uint32_t delay = s->retry.delay_ms > 0 ? (uint32_t)s->retry.delay_ms : 1;
    for (unsigned i = 1; i < s->failures && delay < DELAY_MAX_MS; i++) {
        delay *= 2;
    }
    delay = delay < DELAY_MAX_MS ? delay : DELAY_MAX_MS;
    uint32_t random;
    otter_random(&random, sizeof(random));
    return delay / 2 + random % (delay / 2 + 1); /* so that a fleet does not come back all at once */
}

static bool time_is_over(const https_source_t *s)
{
    return s->retry.max_time_ms > 0 && otter_now_us() - s->start_us > (int64_t)s->retry.max_time_ms * 1000;
}

/** Whole seconds for which a pause may last. */
static int64_t longest_pause_s(const https_source_t *s)
{
    int64_t left_us = (int64_t)s->retry.max_time_ms * 1000 - (otter_now_us() - s->start_us);
    int64_t left_s = left_us > 0 ? left_us / 1000000 : 0;
    return s->retry.max_time_ms > 0 && left_s < ASKED_MAX_S ? left_s : ASKED_MAX_S;
}

/**
 * Counts a failure and plans the pause after it: as long as the server asks for, at least as long as the backoff.
 * @return false: give up; s->fault says why
 */
static bool plan_pause(https_source_t *s)
{
    const int64_t asked_s = s->refusal.asked_s;
    if (s->failures >= (unsigned)s->retry.attempts) {
        return false;
    }
    if (asked_s > longest_pause_s(s)) {
        otter_fault(&s->fault, s->fault.code,
                    "the server is busy (%d) and asks for a pause of %" PRId64 " s; at most %" PRId64
                    " s are left (retry.max_time_ms)",
                    s->report->http_status, asked_s, longest_pause_s(s));
        return false;
    }
    s->failures++;
    int64_t delay_ms = backoff_ms(s);
    delay_ms = asked_s * 1000 > delay_ms ? asked_s * 1000 : delay_ms;
    s->retry_at_us = otter_now_us() + delay_ms * 1000;
    ESP_LOGW(TAG, "%s; trying again in %" PRId64 " ms (%u of %d)", s->fault.why, delay_ms, s->failures,
             s->retry.attempts);
    return true;
}

/* ---- opening ---- */

/** The pause that was planned. @return false: it was broken off */
static bool sleep_pause(https_source_t *s)
{
    for (int64_t left_us; (left_us = s->retry_at_us - otter_now_us()) > 0;) {
        if (!s->may_wait(s->ctx, (uint32_t)((left_us + 999) / 1000))) {
            return false;
        }
        otter_system_alive();
        otter_sleep_ms(PAUSE_STEP_MS);
    }
    return true;
}

/** Once everything that open asks for. */
static esp_err_t request_once(https_source_t *s, uint64_t from)
{
    bool learns = s->request_max > 0 && from == 0 && s->total < 0;
    esp_err_t err = learns ? https_request_total(s) : ESP_OK;
    return err == ESP_OK ? https_request_from(s, from) : err;
}

/** The first request. It is sent again, a few times, if its answer was lost; and after all that may pass, if that is wanted. */
static esp_err_t request_first(https_source_t *s, uint64_t from)
{
    const https_refusal_t *r = &s->refusal;
    unsigned lost = 0;
    esp_err_t err = request_once(s, from);
    while (err != ESP_OK && ((r->passing && s->retry.first) || (r->lost && lost++ < BEGIN_RETRIES)) &&
           !time_is_over(s) && plan_pause(s)) {
        esp_http_client_close(s->client);
        if (!sleep_pause(s)) {
            break;
        }
        err = https_request_home(s);
        err = err == ESP_OK ? request_once(s, from) : err;
    }
    s->failures = 0;
    return err;
}

/** The update ends with what has failed, as the log and the report say. @return its code */
static esp_err_t give_up(https_source_t *s)
{
    return https_report_failure(s->report, s->refusal.stage, s->fault.code, "%s", s->fault.why);
}

esp_err_t https_source_open(https_source_t *s, uint64_t from)
{
    s->start_us = s->start_us != 0 ? s->start_us : otter_now_us();
    bool resumes = from > 0;
    if (!resumes) {
        s->total = -1;
    }
    esp_err_t err = request_first(s, from);
    bool refused = err == ESP_ERR_HTTP_RANGE_NOT_SATISFIABLE || err == ESP_ERR_INVALID_RESPONSE ||
                   (err != ESP_OK && s->refusal.stage == OTTER_STAGE_DOWNLOAD);
    s->unproved = false;
    if (refused && resumes) {
        ESP_LOGE(TAG, "OTA resumption failed with err: %d.", err);
        ESP_LOGI(TAG, "Falling back to OTA without resumption and restarting download from beginning");
        ESP_LOGW(TAG, "%s", s->fault.why);
        esp_http_client_close(s->client);
        s->total = -1;
        err = https_request_home(s);
        err = err == ESP_OK ? request_first(s, 0) : err;
    }
    if (err != ESP_OK) {
        if (err != ESP_ERR_HTTP_NOT_MODIFIED) {
            ESP_LOGE(TAG, "Failed to establish HTTP connection");
        }
        return give_up(s);
    }
    if (resumes && s->body_pos == 0) {
        ESP_LOGW(TAG, "Server ignored the requested Range header");
        ESP_LOGW(TAG, "the server sends the whole file: restarting download from beginning");
    }
    s->pos = s->body_pos;
    https_request_take_validator(s);
    return ESP_OK;
}

/* ---- reading ---- */

/** ESP-IDF's words for it, whether the connection is kept or not. */
static void log_end_of_request(void)
{
    ESP_LOGI(TAG, "Connection closed");
}

static esp_err_t end_stream(https_source_t *s)
{
    log_end_of_request();
    s->total = (int64_t)s->pos;
    s->ended = true;
    return ESP_ERR_NOT_FOUND;
}

/** What was delivered is a whole image. Bytes behind it may be missing all the same. */
static bool is_whole(const https_source_t *s)
{
    return s->checked && s->pos > 0 && s->whole(s->ctx, s->pos);
}

/** Plans the next connection. @return false: there is none; s->fault says why */
static bool wait_for_next(https_source_t *s)
{
    esp_http_client_close(s->client); /* nobody may take what it says for the file */
    s->stalls = 0;
    s->waiting = plan_pause(s);
    return s->waiting;
}

/** s->fault says why. @return ESP_ERR_NOT_FINISHED, or the code the update ends with */
static esp_err_t drop_connection(https_source_t *s)
{
    if (wait_for_next(s)) {
        return ESP_ERR_NOT_FINISHED;
    }
    ESP_LOGE(TAG, "Connection closed before complete data was received!");
    return give_up(s);
}

/** The server has nothing behind what was delivered, and says so; not every one says how long the file is then. */
static bool refuses_the_end(const https_source_t *s, esp_err_t err)
{
    const int64_t length = s->refusal.length;
    if (err != ESP_ERR_HTTP_RANGE_NOT_SATISFIABLE || s->pos == 0) {
        return false;
    }
    if (length < 0) {
        return is_whole(s);
    }
    return length == (int64_t)s->pos && (s->checked || s->total < 0 || s->total == length);
}

/**
 * The connection was lost, and nothing is missing but the mark of the end: by the length that was told; by the image's own
 * account where there is no length, and nobody who could be asked for what may come behind it; or for the second time here.
 */
static bool has_all(const https_source_t *s)
{
    if (s->body_pos != s->pos) {
        return false;
    }
    if (s->total == (int64_t)s->pos && (s->part || s->checked)) {
        return true;
    }
    bool last_word = s->failures > 0 || (s->total < 0 && !https_request_can_range(s));
    return last_word && is_whole(s);
}

/** The whole file comes again after all of an image did, and the server does not know of more. */
static bool is_sent_for_nothing(const https_source_t *s)
{
    return s->body_pos < s->pos && (s->total < 0 || s->total == (int64_t)s->pos) && is_whole(s);
}

/** @param lost  after a connection that was lost; else for the next range, which may go where the last one came from */
static esp_err_t ask_on(https_source_t *s, bool lost)
{
    s->waiting = false;
    esp_err_t err = lost ? https_request_home(s) : ESP_OK;
    err = err == ESP_OK ? https_request_from(s, s->pos) : err;
    if (err == ESP_OK ? is_sent_for_nothing(s) : refuses_the_end(s, err)) {
        esp_http_client_close(s->client);
        return end_stream(s);
    }
    if (err == ESP_OK) {
        return ESP_ERR_NOT_FINISHED;
    }
    if (err == ESP_ERR_INVALID_RESPONSE || err == ESP_ERR_HTTP_RANGE_NOT_SATISFIABLE) {
        s->no_ranges = true; /* the whole file then, compared with what is known */
        s->refusal.transient = true;
    }
    s->fault.code = err == ESP_ERR_INVALID_RESPONSE ? ESP_FAIL : err;
    if (s->refusal.transient && wait_for_next(s)) {
        return ESP_ERR_NOT_FINISHED;
    }
    esp_http_client_close(s->client);
    if (s->refusal.stage != OTTER_STAGE_DOWNLOAD && is_whole(s)) { /* not where it has become another file */
        ESP_LOGW(TAG, "%s; %" PRIu64 " bytes came, which are a whole image", s->fault.why, s->pos);
        return end_stream(s);
    }
    return give_up(s);
}

esp_err_t https_source_differs(https_source_t *s, size_t len, const char *why)
{
    esp_http_client_close(s->client);
    return https_report_failure(s->report, OTTER_STAGE_DOWNLOAD, ESP_FAIL, "%s (near byte %" PRIu64 ")", why,
                                s->body_pos - len);
}

/** The response has ended as it should: the next range, or the end of it all. */
static esp_err_t end_of_response(https_source_t *s)
{
    log_end_of_request();
    if (s->total >= 0 && s->body_pos < (uint64_t)s->total) {
        if (s->request_max > 0 && s->body_pos == s->pos && s->pos > s->asked_from) {
            return ask_on(s, false); /* but not for ever for nothing */
        }
        otter_fault(&s->fault, ESP_FAIL, "the server ended the file early");
        return drop_connection(s);
    }
    if (s->body_pos < s->pos || (s->total >= 0 && s->pos > (uint64_t)s->total)) {
        esp_http_client_close(s->client);
        return https_report_failure(s->report, OTTER_STAGE_DOWNLOAD, ESP_FAIL,
                                    "the file on the server changed: it ended at byte %" PRIu64, s->body_pos);
    }
    s->ended = true;
    return ESP_ERR_NOT_FOUND;
}

static esp_err_t read_failed(https_source_t *s, int result)
{
    https_request_note(s);
    if (result == -ESP_ERR_HTTP_EAGAIN && ++s->stalls < STALLS_MAX) {
        return ESP_ERR_NOT_FINISHED;
    }
    if (result != -ESP_ERR_HTTP_EAGAIN) {
        ESP_LOGE(TAG, "data read %d, errno %d", result, s->report->transport.sys_errno);
    }
    bool broken = s->report->transport.fault.code ==
                  ESP_ERR_INVALID_RESPONSE; /* what came is no HTTP: nothing was lost */
    if (!broken && has_all(s)) {
        ESP_LOGW(TAG, "the mark of the end was lost behind %" PRIu64 " bytes, which are all", s->pos);
        esp_http_client_close(s->client);
        return end_stream(s);
    }
    if (result == -ESP_ERR_HTTP_EAGAIN) {
        otter_fault(&s->fault, ESP_ERR_HTTP_READ_TIMEOUT, "the server stalled after %" PRIu64 " bytes",
                    s->pos);
        return drop_connection(s);
    }
    otter_fault(&s->fault, ESP_FAIL, "%s after %" PRIu64 " bytes: %.100s",
                broken ? "the answer broke" : "the connection was lost", s->pos,
                https_request_cause(s, "closed by the server"));
    return drop_connection(s);
}

esp_err_t https_source_read(https_source_t *s, uint8_t *buf, size_t room, size_t *got, bool *again)
{
    *got = 0;
    *again = false;
    otter_system_alive();
    if (s->ended) {
        return ESP_ERR_NOT_FOUND;
    }
    if (time_is_over(s)) {
        return https_report_failure(s->report, OTTER_STAGE_DOWNLOAD, ESP_ERR_HTTP_READ_TIMEOUT,
                                    "not done within %d s: %" PRIu64 " bytes came",
                                    s->retry.max_time_ms / 1000, s->pos);
    }
    if (s->waiting) {
        if (otter_now_us() >= s->retry_at_us) {
            return ask_on(s, true);
        }
        otter_sleep_ms(PAUSE_STEP_MS);
        return ESP_ERR_NOT_FINISHED;
    }
    OTTER_ASSERT(s->body_pos <= s->pos);
    uint64_t known = s->pos - s->body_pos;
    if (s->part && s->total == (int64_t)s->pos && known == 0) {
        return end_stream(s); /* what may come behind it is no part of the file */
    }
    int want = (int)(known > 0 && known < room ? known : room);
    int n = esp_http_client_read(s->client, (char *)buf, want);
    if (n == 0 && esp_http_client_is_complete_data_received(s->client)) {
        return end_of_response(s);
    }
    if (n <= 0) {
        return read_failed(s, n);
    }
    bool slow = n < want && n < STALL_BYTES && !esp_http_client_is_complete_data_received(s->client);
    if (slow && s->stalls + 1 >= STALLS_MAX) {
        return read_failed(s, -ESP_ERR_HTTP_EAGAIN);
    }
    s->stalls = slow ? s->stalls + 1 : 0;
    s->report->bytes_downloaded += (uint64_t)n;
    s->body_pos += (uint64_t)n;
    *got = (size_t)n;
    *again = known > 0;
    if (known == 0) {
        s->failures = slow ? s->failures : 0;
        s->pos = s->body_pos;
    }
    return ESP_OK;
}

esp_err_t https_source_restart(https_source_t *s)
{
    esp_http_client_close(s->client);
    free(s->validator);
    s->validator = NULL;
    s->pos = s->body_pos = 0;
    s->part = s->waiting = s->ended = s->no_ranges = false;
    s->failures = s->stalls = 0;
    return https_request_home(s) == ESP_OK ? https_source_open(s, 0) : give_up(s);
}

void https_source_close(https_source_t *s)
{
    http_home_free(&s->home);
    free(s->validator);
    s->validator = NULL;
}

bool https_source_is_complete(const https_source_t *s)
{
    if (s->total >= 0) {
        return s->pos == (uint64_t)s->total;
    }
    return s->ended ||
           (!s->waiting && s->body_pos == s->pos && esp_http_client_is_complete_data_received(s->client));
}
