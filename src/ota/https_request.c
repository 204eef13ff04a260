/*
 * Requests of a download. The client's connection is used again where it can be; what an answer may be is decided by
 * status_rules and place_body().
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ota/https_request.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "otter/text.h"
#include "esp_log.h"
#include "http/client.h"
#include "http/url.h"
#include "http/content_coding.h"
#include "http/content_range.h"
#include "http/retry_after.h"
#include "ota/https_report.h"

#define DRAIN_BYTES_MAX 65536 /* of an answer's body; a longer one costs a new connection instead */

static const char TAG[] = "esp_https_ota";

void https_request_note(https_source_t *s)
{
    otter_update_report_t *report = s->report;
    int status = esp_http_client_get_status_code(s->client);
    report->http_status = status > 0 ? status : report->http_status;
    http_client_describe_url(s->client, report->url, sizeof(report->url));
    const http_failure_t *failure = http_client_last_failure(s->client);
    if (failure->stage != HTTP_STAGE_NONE) {
        report->transport = failure->cause;
    }
}

const char *https_request_cause(const https_source_t *s, const char *otherwise)
{
    return s->report->transport.fault.why[0] != '\0' ? s->report->transport.fault.why : otherwise;
}

/* ---- which file ---- */

/** The answer's validator, in the form in which ranges are proved by it; NULL: none. Weak ETags prove nothing about bytes. */
static const char *answered_validator(const https_source_t *s)
{
    const char *etag = http_client_response_header(s->client, "ETag");
    const char *date = http_client_response_header(s->client, "Last-Modified");
    const char *best = etag != NULL && etag[0] == '"' ? etag : etag == NULL ? date : NULL;
    return best != NULL && best[0] != '\0' ? best : NULL;
}

void https_request_take_validator(https_source_t *s)
{
    free(s->validator);
    s->validator = text_copy(answered_validator(s));
}

/** @return false: the answer has no Content-Range, or none that can be believed */
static bool answered_range(const https_source_t *s, content_range_t *range)
{
    return content_range_parse(http_client_response_header(s->client, "Content-Range"), range);
}

/** Whether an answer about the bytes from `from` on speaks of the file that those before came from. */
typedef enum { FILE_UNKNOWN, FILE_SAME, FILE_ANOTHER } file_t;

static file_t which_file(const https_source_t *s, uint64_t from)
{
    const char *have = answered_validator(s);
    if (from == 0 || s->validator == NULL || have == NULL || (have[0] == '"') != (s->validator[0] == '"')) {
        return FILE_UNKNOWN;
    }
    return strcmp(have, s->validator) == 0 ? FILE_SAME : FILE_ANOTHER;
}

/* ---- one request and its answer ---- */

/** Nothing has failed in this stage. */
static void enter(https_source_t *s, otter_stage_t stage)
{
    s->refusal = (https_refusal_t){.stage = stage, .length = -1};
}

/** Reads what is left of an answer that is not the image, so that the connection can be used again. */
static void drain_body(https_source_t *s)
{
    char scrap[512];
    for (size_t total = 0; total < DRAIN_BYTES_MAX;) {
        int n = esp_http_client_read(s->client, scrap, (int)sizeof(scrap));
        if (n < (int)sizeof(scrap)) {
            break; /* the end, or a wait that is over: a body that drips is not worth more of them */
        }
        total += (size_t)n;
    }
    if (!esp_http_client_is_complete_data_received(s->client)) {
        esp_http_client_close(s->client);
    }
}

typedef enum { ANSWER_ACCEPT, ANSWER_REDIRECT, ANSWER_AUTHENTICATE, ANSWER_REFUSE } answer_t;

/* What to do with a status: ESP-IDF 5.5's rules, first match. */
static const struct status_rule {
    int from, to;
    answer_t answer;
    esp_err_t code;              /* of ANSWER_REFUSE */
    bool transient, busy;        /* worth another try; which it may tell the time of */
    const char *before, *behind; /* the status and the URL: ESP-IDF's words where it has any, then ours */
} status_rules[] = {
    {301, 303, ANSWER_REDIRECT, ESP_OK, false, false, NULL, NULL},
    {307, 308, ANSWER_REDIRECT, ESP_OK, false, false, NULL, NULL},
    {300, 300, ANSWER_REFUSE, ESP_FAIL, false, false, "the server has several files to choose from (",
     ", Multiple Choices) for"},
    {304, 304, ANSWER_REFUSE, ESP_ERR_HTTP_NOT_MODIFIED, false, false,
     "OTA image not modified since last request (status code: ", "):"},
    {305, 305, ANSWER_REFUSE, ESP_FAIL, false, false, "the server wants a proxy (", ", Use Proxy) for"},
    {300, 399, ANSWER_REFUSE, ESP_FAIL, false, false, "the server sends elsewhere in a way nobody follows (",
     ") for"},
    {401, 401, ANSWER_AUTHENTICATE, ESP_OK, false, false, NULL, NULL},
    {403, 404, ANSWER_REFUSE, ESP_FAIL, false, false, "File not found(", "): the server refuses"},
    {408, 408, ANSWER_REFUSE, ESP_FAIL, true, false, "Client error (", "): the server had no time for"},
    {416, 416, ANSWER_REFUSE, ESP_ERR_HTTP_RANGE_NOT_SATISFIABLE, false, false,
     "Requested range is incorrect (status code: ", "):"},
    {425, 425, ANSWER_REFUSE, ESP_FAIL, true, false, "Client error (", "): it was too early to ask for"},
    {429, 429, ANSWER_REFUSE, ESP_FAIL, true, true, "Client error (", "): the server is asked too often for"},
    {400, 499, ANSWER_REFUSE, ESP_FAIL, false, false, "Client error (", "): the server refuses"},
    {503, 503, ANSWER_REFUSE, ESP_FAIL, true, true, "Server error (", "): the server is too busy for"},
    {500, 999, ANSWER_REFUSE, ESP_FAIL, true, false, "Server error (", "): the server failed at"},
};

static const struct status_rule *find_rule(int status)
{
    static const struct status_rule accept = {0, 0, ANSWER_ACCEPT, ESP_OK, false, false, NULL, NULL};
    for (size_t i = 0; i < sizeof(status_rules) / sizeof(status_rules[0]); i++) {
        if (status >= status_rules[i].from && status <= status_rules[i].to) {
            return &status_rules[i];
        }
    }
    return &accept;
}

static esp_err_t send_body(https_source_t *s, const char *body, int len)
{
    for (int sent = 0; sent < len;) {
        int n = esp_http_client_write(s->client, body + sent, len - sent);
        if (n <= 0) {
            https_request_note(s);
            return otter_fault(&s->fault, ESP_FAIL, "sending the request's body failed: %s",
                               https_request_cause(s, "connection lost"));
        }
        sent += n;
    }
    return ESP_OK;
}

/** A connection failed for a reason that may be gone in a minute. */
static bool may_pass(const otter_transport_error_t *cause)
{
    if (cause->tls_verify != 0) {
        return false; /* another try meets the same certificate */
    }
    switch (cause->fault.code) {
    case ESP_ERR_ESP_TLS_CANNOT_RESOLVE_HOSTNAME:
    case ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED:
        return cause->sys_errno != 0; /* else: there is no such name; the other side wants something else */
    case ESP_ERR_MBEDTLS_X509_CRT_PARSE_FAILED:
    case ESP_ERR_MBEDTLS_SSL_SETUP_FAILED:
    case ESP_ERR_ESP_TLS_SOCKET_SETOPT_FAILED:
        return false;
    default:
        return true;
    }
}

static esp_err_t refuse_open(https_source_t *s, esp_err_t err)
{
    const otter_transport_error_t *cause = &s->report->transport;
    if (err == ESP_ERR_NOT_ALLOWED) {
        s->refusal.stage = OTTER_STAGE_CONFIG;
        return otter_fault(
            &s->fault, ESP_ERR_INVALID_ARG,
            "plain HTTP is refused: use an https:// URL, or allow HTTP in the device's configuration");
    }
    ESP_LOGE(TAG, "Failed to open HTTP connection: %s", esp_err_to_name(err));
    const bool unconnected = err == ESP_ERR_HTTP_CONNECT;
    s->refusal.stage = unconnected ? OTTER_STAGE_CONNECT : OTTER_STAGE_REQUEST;
    s->refusal.transient = cause->tls_verify == 0;
    s->refusal.passing = unconnected ? may_pass(cause) : err == ESP_ERR_HTTP_WRITE_DATA;
    return otter_fault(&s->fault, err, "Failed to open HTTP connection: %s",
                       https_request_cause(s, esp_err_to_name(err)));
}

static esp_err_t send_request(https_source_t *s)
{
    char *body = NULL;
    int body_len = esp_http_client_get_post_field(s->client, &body);
    memset(&s->report->transport, 0, sizeof(s->report->transport)); /* of an earlier connection */
    s->report->attempts++;
    enter(s, OTTER_STAGE_CONNECT);
    https_report_enter(s->report, OTTER_STAGE_CONNECT);
    esp_err_t err = esp_http_client_open(s->client, body_len);
    https_request_note(s);
    if (err != ESP_OK) {
        return refuse_open(s, err);
    }
    https_report_enter(s->report, OTTER_STAGE_REQUEST);
    s->refusal.stage = OTTER_STAGE_REQUEST;
    s->refusal.transient = s->refusal.passing = true; /* as long as there is no answer */
    err = send_body(s, body, body_len);
    if (err != ESP_OK) {
        return err;
    }
    int64_t length = esp_http_client_fetch_headers(s->client);
    https_request_note(s);
    if (length == -ESP_ERR_HTTP_EAGAIN) {
        return otter_fault(&s->fault, (esp_err_t)length, "no response within the time limit");
    }
    if (length < 0) {
        s->refusal.lost = s->report->transport.fault.code != ESP_OK;
        return otter_fault(&s->fault, (esp_err_t)length, "no valid response: %s",
                           https_request_cause(s, "the server closed the connection"));
    }
    enter(s, OTTER_STAGE_REQUEST);
    return ESP_OK;
}

static esp_err_t follow_redirect(https_source_t *s, int status, int *left)
{
    if ((*left)-- <= 0) {
        return otter_fault(&s->fault, ESP_ERR_HTTP_MAX_REDIRECT, "too many redirects");
    }
    drain_body(s);
    esp_err_t err = esp_http_client_set_redirection(s->client);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "URL redirection Failed");
    }
    if (err == ESP_ERR_HTTP_REDIRECT_DOWNGRADE) {
        return otter_fault(&s->fault, err, "redirect (%d) from https to http is refused", status);
    }
    if (err != ESP_OK) {
        const char *location = http_client_response_header(s->client, "Location");
        bool longer = location != NULL && strlen(location) > HTTP_URL_MAX;
        return otter_fault(&s->fault, err, "redirect (%d) %s", status,
                           longer ? "to a Location that is too long" : "without a usable Location");
    }
    s->away = true;
    /* What is permanent is not asked for again (RFC 9110, 15.4); what is not may be another place the next time. */
    s->go_home |= status != HttpStatus_MovedPermanently && status != HttpStatus_PermanentRedirect;
    https_request_note(s);
    return ESP_OK;
}

static esp_err_t answer_challenge(https_source_t *s)
{
    drain_body(s);
    esp_err_t err = esp_http_client_add_auth(s->client);
    if (err == ESP_OK) {
        return ESP_OK;
    }
    s->refusal.denied = true;
    return otter_fault(&s->fault, err, "%s",
                       err == ESP_FAIL
                           ? "Reached max_authorization_retries (401): the server does not take the user "
                             "name and password"
                           : "Authorization Failed (401): the server wants a user name and password");
}

static esp_err_t refuse_status(https_source_t *s, int status, const struct status_rule *rule)
{
    https_refusal_t *r = &s->refusal;
    uint32_t seconds = 0;
    if (rule->busy) {
        (void)retry_after_seconds(http_client_response_header(s->client, "Retry-After"),
                                  http_client_response_header(s->client, "Date"), &seconds);
    }
    r->transient = r->passing = rule->transient;
    r->asked_s = seconds;
    r->denied = status >= 400 && !rule->transient && rule->code != ESP_ERR_HTTP_RANGE_NOT_SATISFIABLE;
    content_range_t range;
    if (which_file(s, s->asked_from) != FILE_ANOTHER && answered_range(s, &range) && !range.satisfied) {
        r->length = range.total;
    }
    return otter_fault(&s->fault, rule->code, "%s%d%s %s", rule->before, status, rule->behind,
                       s->report->url);
}

/** Asks until there is an answer whose body is wanted; its status is with the client then. */
static esp_err_t ask(https_source_t *s)
{
    int redirects_left = s->redirects_max;
    for (;;) {
        esp_err_t err = send_request(s);
        if (err != ESP_OK) {
            return err;
        }
        int status = esp_http_client_get_status_code(s->client);
        const struct status_rule *rule = find_rule(status);
        switch (rule->answer) {
        case ANSWER_ACCEPT:
            return ESP_OK;
        case ANSWER_REDIRECT:
            err = follow_redirect(s, status, &redirects_left);
            break;
        case ANSWER_AUTHENTICATE:
            err = answer_challenge(s);
            break;
        case ANSWER_REFUSE:
            return refuse_status(s, status, rule);
        }
        if (err != ESP_OK) {
            return err;
        }
    }
}

/* ---- ranges ---- */

bool https_request_can_range(const https_source_t *s)
{
    return !s->no_ranges && s->validator != NULL;
}

static bool may_ask_for_range(const https_source_t *s, uint64_t from)
{
    return from > 0 ? https_request_can_range(s) || s->unproved : s->request_max > 0 && !s->no_ranges;
}

/** Range and If-Range for the next request. @param[out] ranged  what they ask for: a range, or the whole file */
static esp_err_t set_range(https_source_t *s, uint64_t from, bool *ranged)
{
    bool whole = s->request_max == 0 || (s->total >= 0 && (uint64_t)s->total - from <= s->request_max);
    char text[64];
    if (whole) {
        snprintf(text, sizeof(text), "bytes=%" PRIu64 "-", from);
    } else {
        snprintf(text, sizeof(text), "bytes=%" PRIu64 "-%" PRIu64, from, from + s->request_max - 1);
    }
    /* Deleting a header that is not there is no error here. */
    (void)esp_http_client_delete_header(s->client, "Range");
    (void)esp_http_client_delete_header(s->client, "If-Range");
    *ranged = may_ask_for_range(s, from) && !(from == 0 && whole);
    esp_err_t err = *ranged ? esp_http_client_set_header(s->client, "Range", text) : ESP_OK;
    if (*ranged && err == ESP_OK && from > 0 && s->validator != NULL) {
        err = esp_http_client_set_header(s->client, "If-Range", s->validator);
    }
    return err == ESP_OK ? ESP_OK : otter_fault(&s->fault, err, "out of memory for a request header");
}

/**
 * What was said of the length before was wrong: HEAD told that of another form of the file, and nothing is there of it yet; or
 * Content-Length had a byte too many, and it is the same file after all.
 */
static bool corrects_length(const https_source_t *s, uint64_t from, int64_t total)
{
    bool nothing_yet = s->pos == 0 && from == 0;
    return nothing_yet ||
           (s->part && s->checked && total >= (int64_t)from && which_file(s, from) == FILE_SAME);
}

/** Judges an accepted answer: where its body lies in the file. */
static esp_err_t place_body(https_source_t *s, uint64_t from, bool ranged)
{
    char coding[CONTENT_CODING_WORD_SIZE];
    if (!s->decoded && content_coding_find(http_client_response_headers(s->client), s->checked, coding)) {
        return otter_fault(&s->fault, ESP_FAIL, "the server sent the image encoded (%s), unasked", coding);
    }
    content_range_t range = {.total = esp_http_client_get_content_length(s->client)};
    s->part = esp_http_client_get_status_code(s->client) == HttpStatus_PartialContent;
    if (s->part && (!answered_range(s, &range) || !range.satisfied || !ranged || range.first != from)) {
        s->refusal.transient = s->refusal.passing = true;
        return otter_fault(&s->fault, ESP_ERR_INVALID_RESPONSE,
                           "the server answered with another range than the one asked for");
    }
    if (!s->part && esp_http_client_is_chunked_response(s->client)) {
        range.total = -1;
    }
    s->refusal.stage = OTTER_STAGE_DOWNLOAD; /* the request is answered: what fails now is the file */
    if (s->part && which_file(s, from) == FILE_ANOTHER) { /* the server does not look at If-Range */
        return otter_fault(&s->fault, ESP_FAIL, "the file on the server changed: it is no longer %.60s",
                           s->validator);
    }
    const int64_t total = range.total;
    if (s->total >= 0 && total >= 0 && total != s->total && !corrects_length(s, from, total)) {
        return otter_fault(&s->fault, ESP_FAIL,
                           "the file on the server changed: %" PRId64 " bytes, before %" PRId64, total,
                           s->total);
    }
    s->total = total >= 0 ? total : s->total;
    s->body_pos = range.first;
    return ESP_OK;
}

esp_err_t https_request_home(https_source_t *s)
{
    enter(s, OTTER_STAGE_REQUEST);
    if (!s->go_home) {
        return ESP_OK;
    }
    s->away = s->go_home = false;
    esp_err_t err = http_home_return(s->client, &s->home);
    return err == ESP_OK ? ESP_OK : otter_fault(&s->fault, err, "out of memory");
}

/** One request, from wherever the client is. */
static esp_err_t request_here(https_source_t *s, uint64_t from)
{
    bool ranged;
    enter(s, OTTER_STAGE_REQUEST);
    s->asked_from = from;
    esp_err_t err = set_range(s, from, &ranged);
    if (err == ESP_OK) {
        err = ask(s);
    }
    return err == ESP_OK ? place_body(s, from, ranged) : err;
}

esp_err_t https_request_from(https_source_t *s, uint64_t from)
{
    bool was_away = s->away;
    esp_err_t err = request_here(s, from);
    if (err != ESP_OK && was_away && s->refusal.denied) {
        ESP_LOGW(TAG, "%s; asking where it came from", s->fault.why);
        s->go_home = true;
        err = https_request_home(s);
        err = err == ESP_OK ? request_here(s, from) : err;
    }
    s->go_home |= err != ESP_OK && s->away;
    return err;
}

/** Bytes of the file by HEAD, -1: not told. */
static esp_err_t ask_by_head(https_source_t *s)
{
    (void)esp_http_client_delete_header(s->client, "Range"); /* of an earlier try */
    (void)esp_http_client_delete_header(s->client, "If-Range");
    esp_http_client_set_method(s->client, HTTP_METHOD_HEAD);
    esp_err_t err = ask(s);
    esp_http_client_set_method(s->client, HTTP_METHOD_GET);
    bool ok = err == ESP_OK && esp_http_client_get_status_code(s->client) == HttpStatus_Ok;
    int64_t length = ok ? esp_http_client_get_content_length(s->client) : -1;
    s->total = length > 0 ? length : -1; /* some servers answer HEAD with a length of 0 */
    return err;
}

/** The same by a range of one byte. */
static esp_err_t ask_by_range(https_source_t *s)
{
    if (esp_http_client_set_header(s->client, "Range", "bytes=0-0") != ESP_OK) {
        return otter_fault(&s->fault, ESP_ERR_NO_MEM, "out of memory");
    }
    esp_err_t err = ask(s);
    if (err != ESP_OK) {
        return err;
    }
    bool part = esp_http_client_get_status_code(s->client) == HttpStatus_PartialContent;
    s->total =
        part ? esp_http_client_get_content_range(s->client) : esp_http_client_get_content_length(s->client);
    esp_http_client_close(s->client);
    return s->total >= 0 ? ESP_OK
                         : otter_fault(&s->fault, ESP_FAIL,
                                       "the server does not tell the length, which partial download needs");
}

esp_err_t https_request_total(https_source_t *s)
{
    esp_err_t err = ask_by_head(s);
    if (err == ESP_ERR_HTTP_NOT_MODIFIED || (err != ESP_OK && s->refusal.stage != OTTER_STAGE_REQUEST)) {
        return err;
    }
    s->go_home |= s->away; /* an address may be signed for one method only */
    err = https_request_home(s);
    return err == ESP_OK && s->total < 0 ? ask_by_range(s) : err;
}
