/*
 * Requests of a download. The client's connection is used again where it can be; what an answer may be is decided by
 * status_rules and place_body().
 */
#include "ota/https_request.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "http/client_internal.h"
#include "http/retry_after.h"

#define DRAIN_BYTES_MAX 65536 /* of an answer's body; a longer one costs a new connection instead */

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
    return s->report->transport.text[0] != '\0' ? s->report->transport.text : otherwise;
}

/* ---- one request and its answer ------------------------------------------------------------------------------- */

bool https_refuse(refusal_t *r, otter_stage_t stage, esp_err_t code, bool transient, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    text_vformat(r->why, sizeof(r->why), format, args);
    va_end(args);
    r->code = code;
    r->stage = stage;
    r->transient = transient;
    r->lost = r->busy = false;
    r->asked_s = 0;
    return false;
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
    esp_err_t code; /* of ANSWER_REFUSE */
    bool transient, busy;
} status_rules[] = {
    {301, 303, ANSWER_REDIRECT, ESP_OK, false, false},
    {307, 308, ANSWER_REDIRECT, ESP_OK, false, false},
    {304, 304, ANSWER_REFUSE, ESP_ERR_HTTP_NOT_MODIFIED, false, false},
    {401, 401, ANSWER_AUTHENTICATE, ESP_OK, false, false},
    {408, 408, ANSWER_REFUSE, ESP_FAIL, true, false},
    {416, 416, ANSWER_REFUSE, ESP_ERR_HTTP_RANGE_NOT_SATISFIABLE, false, false},
    {429, 429, ANSWER_REFUSE, ESP_FAIL, true, true},
    {400, 499, ANSWER_REFUSE, ESP_FAIL, false, false},
    {503, 503, ANSWER_REFUSE, ESP_FAIL, true, true},
    {500, 999, ANSWER_REFUSE, ESP_FAIL, true, false},
};

static const struct status_rule *find_rule(int status)
{
    static const struct status_rule accept = {0, 0, ANSWER_ACCEPT, ESP_OK, false, false};
    for (size_t i = 0; i < sizeof(status_rules) / sizeof(status_rules[0]); i++) {
        if (status >= status_rules[i].from && status <= status_rules[i].to) {
            return &status_rules[i];
        }
    }
    return &accept;
}

static bool send_body(https_source_t *s, const char *body, int len, refusal_t *r)
{
    for (int sent = 0; sent < len;) {
        int n = esp_http_client_write(s->client, body + sent, len - sent);
        if (n <= 0) {
            https_request_note(s);
            return https_refuse(r, OTTER_STAGE_REQUEST, ESP_FAIL, true,
                                "sending the request's body failed: %s",
                                https_request_cause(s, "connection lost"));
        }
        sent += n;
    }
    return true;
}

static bool send_request(https_source_t *s, refusal_t *r)
{
    char *body = NULL;
    int body_len = esp_http_client_get_post_field(s->client, &body);
    s->report->attempts++;
    esp_err_t err = esp_http_client_open(s->client, body_len);
    https_request_note(s);
    if (err == ESP_ERR_NOT_ALLOWED) {
        return https_refuse(
            r, OTTER_STAGE_CONFIG, ESP_ERR_INVALID_ARG, false,
            "plain HTTP is refused: use an https:// URL, or allow HTTP in the device's configuration");
    }
    if (err != ESP_OK) {
        bool distrust = s->report->transport.tls_verify != 0; /* another try meets the same certificate */
        otter_stage_t stage = err == ESP_ERR_HTTP_CONNECT ? OTTER_STAGE_CONNECT : OTTER_STAGE_REQUEST;
        return https_refuse(r, stage, err, !distrust, "Failed to open HTTP connection: %s",
                            https_request_cause(s, esp_err_to_name(err)));
    }
    if (!send_body(s, body, body_len, r)) {
        return false;
    }
    int64_t length = esp_http_client_fetch_headers(s->client);
    https_request_note(s);
    if (length == -ESP_ERR_HTTP_EAGAIN) {
        return https_refuse(r, OTTER_STAGE_REQUEST, (esp_err_t)length, true,
                            "no response within the time limit");
    }
    if (length < 0) {
        https_refuse(r, OTTER_STAGE_REQUEST, (esp_err_t)length, true, "no valid response: %s",
                     https_request_cause(s, "the server closed the connection"));
        r->lost = s->report->transport.code != ESP_OK;
        return false;
    }
    return true;
}

static bool follow_redirect(https_source_t *s, int status, int *left, refusal_t *r)
{
    if ((*left)-- <= 0) {
        return https_refuse(r, OTTER_STAGE_REQUEST, ESP_ERR_HTTP_MAX_REDIRECT, false, "too many redirects");
    }
    drain_body(s);
    esp_err_t err = esp_http_client_set_redirection(s->client);
    if (err == ESP_ERR_HTTP_REDIRECT_DOWNGRADE) {
        return https_refuse(r, OTTER_STAGE_REQUEST, err, false, "redirect (%d) from https to http is refused",
                            status);
    }
    if (err != ESP_OK) {
        const char *location = http_client_response_header(s->client, "Location");
        bool longer = location != NULL && strlen(location) > HTTP_URL_MAX;
        return https_refuse(r, OTTER_STAGE_REQUEST, err, false, "redirect (%d) %s", status,
                            longer ? "to a Location that is too long" : "without a usable Location");
    }
    https_request_note(s);
    return true;
}

static bool answer_challenge(https_source_t *s, refusal_t *r)
{
    drain_body(s);
    esp_err_t err = esp_http_client_add_auth(s->client);
    if (err != ESP_OK) {
        return https_refuse(r, OTTER_STAGE_REQUEST, err, false,
                            err == ESP_FAIL ? "the server does not take the user name and password (401)"
                                            : "the server wants a user name and password (401)");
    }
    return true;
}

static bool refuse_status(const https_source_t *s, int status, const struct status_rule *rule, refusal_t *r)
{
    https_refuse(r, OTTER_STAGE_REQUEST, rule->code, rule->transient,
                 "File not found(%d): the server refuses %s", status, s->report->url);
    uint32_t seconds = 0;
    if (rule->busy) {
        (void)retry_after_seconds(http_client_response_header(s->client, "Retry-After"),
                                  http_client_response_header(s->client, "Date"), &seconds);
    }
    r->busy = rule->busy;
    r->asked_s = seconds;
    return false;
}

/** Asks until there is an answer whose body is wanted; its status is with the client then. */
static bool ask(https_source_t *s, refusal_t *r)
{
    int redirects_left = s->redirects_max;
    for (;;) {
        if (!send_request(s, r)) {
            return false;
        }
        int status = esp_http_client_get_status_code(s->client);
        const struct status_rule *rule = find_rule(status);
        switch (rule->answer) {
        case ANSWER_ACCEPT:
            return true;
        case ANSWER_REDIRECT:
            if (!follow_redirect(s, status, &redirects_left, r)) {
                return false;
            }
            break;
        case ANSWER_AUTHENTICATE:
            if (!answer_challenge(s, r)) {
                return false;
            }
            break;
        case ANSWER_REFUSE:
            return refuse_status(s, status, rule, r);
        }
    }
}

/* ---- ranges --------------------------------------------------------------------------------------------------- */

/** Digits only: no sign, no blank. @return behind them; NULL: there are none, or more than a file can have bytes */
static const char *take_number(const char *text, uint64_t *value)
{
    const char *p = text;
    for (*value = 0; *p >= '0' && *p <= '9'; p++) {
        uint64_t digit = (uint64_t)(*p - '0');
        if (*value > ((uint64_t)INT64_MAX - digit) / 10) {
            return NULL;
        }
        *value = *value * 10 + digit;
    }
    return p != text ? p : NULL;
}

bool https_parse_content_range(const char *text, uint64_t *first, int64_t *total)
{
    static const char unit[] = "bytes ";
    uint64_t from, last, all = UINT64_MAX;
    const char *p = text;
    for (const char *u = unit; p != NULL && *u != '\0'; u++, p++) {
        if ((*p >= 'A' && *p <= 'Z' ? *p - 'A' + 'a' : *p) != *u) {
            return false;
        }
    }
    if (p == NULL || (p = take_number(p, &from)) == NULL || *p != '-' ||
        (p = take_number(p + 1, &last)) == NULL || *p != '/') {
        return false;
    }
    bool known = p[1] != '*';
    p = known ? take_number(p + 1, &all) : p + 2;
    if (p == NULL || *p != '\0' || from > last || last >= all) {
        return false;
    }
    *first = from;
    *total = known ? (int64_t)all : -1;
    return true;
}

static bool may_ask_for_range(const https_source_t *s, uint64_t from)
{
    return (from > 0 || s->request_max > 0) && !s->no_ranges && (from == 0 || s->validator != NULL);
}

/** Range and If-Range for the next request. @return what they ask for: true a range, false the whole file */
static bool set_range(https_source_t *s, uint64_t from, esp_err_t *err)
{
    bool whole = s->request_max == 0 || (s->total >= 0 && (uint64_t)s->total - from <= s->request_max);
    bool ranged = may_ask_for_range(s, from) && !(from == 0 && whole);
    char text[64] = "";
    if (ranged && whole) {
        snprintf(text, sizeof(text), "bytes=%" PRIu64 "-", from);
    } else if (ranged) {
        snprintf(text, sizeof(text), "bytes=%" PRIu64 "-%" PRIu64, from, from + s->request_max - 1);
    }
    /* Deleting a header that is not there is no error here. */
    (void)esp_http_client_delete_header(s->client, "Range");
    (void)esp_http_client_delete_header(s->client, "If-Range");
    *err = ESP_OK;
    if (ranged) {
        *err = esp_http_client_set_header(s->client, "Range", text);
        if (*err == ESP_OK && from > 0) {
            *err = esp_http_client_set_header(s->client, "If-Range", s->validator);
        }
    }
    return ranged;
}

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

/** A part of another file, from a server that does not look at If-Range. */
static bool is_of_another_file(const https_source_t *s, uint64_t from)
{
    const char *have = answered_validator(s);
    bool known = from > 0 && s->validator != NULL && have != NULL;
    return known && (have[0] == '"') == (s->validator[0] == '"') && strcmp(have, s->validator) != 0;
}

/** Judges an accepted answer: where its body lies in the file. @return false: not what can be used */
static bool place_body(https_source_t *s, uint64_t from, bool ranged, refusal_t *r)
{
    const char *encoding = http_client_response_header(s->client, "Content-Encoding");
    if (encoding != NULL && strcmp(encoding, "identity") != 0) {
        return https_refuse(r, OTTER_STAGE_REQUEST, ESP_FAIL, false,
                            "the server sent the image encoded (%.40s), unasked", encoding);
    }
    uint64_t first = 0;
    int64_t total = esp_http_client_get_content_length(s->client);
    if (esp_http_client_get_status_code(s->client) == HttpStatus_PartialContent) {
        if (!https_parse_content_range(http_client_response_header(s->client, "Content-Range"), &first,
                                       &total) ||
            !ranged || first != from) {
            return https_refuse(r, OTTER_STAGE_REQUEST, ESP_ERR_INVALID_RESPONSE, true,
                                "the server answered with another range than the one asked for");
        }
        if (is_of_another_file(s, from)) {
            return https_refuse(r, OTTER_STAGE_DOWNLOAD, ESP_FAIL, false,
                                "the file on the server changed: it is no longer %.60s", s->validator);
        }
    } else if (esp_http_client_is_chunked_response(s->client)) {
        total = -1;
    }
    if (s->total >= 0 && total >= 0 && total != s->total) {
        return https_refuse(r, OTTER_STAGE_DOWNLOAD, ESP_FAIL, false,
                            "the file on the server changed: %" PRId64 " bytes, before %" PRId64, total,
                            s->total);
    }
    if (s->total < 0) {
        s->total = total;
    }
    s->body_pos = first;
    return true;
}

bool https_request_from(https_source_t *s, uint64_t from, refusal_t *r)
{
    esp_err_t err;
    s->asked_from = from;
    bool ranged = set_range(s, from, &err);
    if (err != ESP_OK) {
        return https_refuse(r, OTTER_STAGE_REQUEST, err, false, "out of memory for a request header");
    }
    return ask(s, r) && place_body(s, from, ranged, r);
}

bool https_request_total(https_source_t *s, refusal_t *r)
{
    (void)esp_http_client_delete_header(s->client, "Range"); /* of an earlier try */
    esp_http_client_set_method(s->client, HTTP_METHOD_HEAD);
    bool answered = ask(s, r) && esp_http_client_get_status_code(s->client) == HttpStatus_Ok;
    esp_http_client_set_method(s->client, HTTP_METHOD_GET);
    if (answered) {
        s->total = esp_http_client_get_content_length(s->client);
    } else if (r->code == ESP_OK || r->stage == OTTER_STAGE_REQUEST) {
        if (esp_http_client_set_header(s->client, "Range", "bytes=0-0") != ESP_OK || !ask(s, r)) {
            return r->code != ESP_OK
                       ? false
                       : https_refuse(r, OTTER_STAGE_REQUEST, ESP_ERR_NO_MEM, false, "out of memory");
        }
        uint64_t first;
        bool part = esp_http_client_get_status_code(s->client) == HttpStatus_PartialContent;
        if (!part || !https_parse_content_range(http_client_response_header(s->client, "Content-Range"),
                                                &first, &s->total)) {
            s->total = part ? -1 : esp_http_client_get_content_length(s->client);
        }
        esp_http_client_close(s->client);
    } else {
        return false;
    }
    r->code = ESP_OK;
    if (s->total < 0) {
        return https_refuse(r, OTTER_STAGE_REQUEST, ESP_FAIL, false,
                            "the server does not tell the length, which partial download needs");
    }
    return true;
}
