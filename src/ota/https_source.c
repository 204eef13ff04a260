/*
 * The stream. Invariants:
 * 1. Bytes are delivered once, in order, all from the same file: after a dropped connection the server proves it by
 *    If-Range with the file's validator, or it sends the file again from the start and what comes is compared with what
 *    was delivered (compare_known) until new bytes arrive.
 * 2. body_pos <= pos while a response is open; bytes are delivered only when they are equal.
 * 3. Every pause and the number of connections that bring nothing are bounded (plan_pause).
 */
#include "ota/https_source.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "esp_log.h"
#include "http/client_internal.h"
#include "http/retry_after.h"
#include "otter/system.h"

#define DELAY_MAX_MS    30000
#define ASKED_MAX_S     86400 /* a server that asks for a longer pause is given up, whatever the time limit */
#define PAUSE_STEP_MS   50    /* a pause is slept in steps: the caller can give up in between */
#define STALLS_MAX      3     /* stalled waits of timeout_ms after which a connection counts as dropped */
#define STALL_BYTES     16 /* a wait that brings fewer has stalled too: a body that drips would take days */
#define BEGIN_RETRIES   2  /* in open, of a request whose answer was lost on the way */
#define DRAIN_BYTES_MAX 65536 /* of an answer's body; a longer one costs a new connection instead */

static const char TAG[] = "esp_https_ota";

esp_err_t https_report_failure(otter_update_report_t *report, otter_stage_t stage, esp_err_t code,
                               const char *format, ...)
{
    if (report->code == ESP_OK) {
        va_list args;
        va_start(args, format);
        text_vformat(report->why, sizeof(report->why), format, args);
        va_end(args);
        report->stage = stage;
        report->code = code;
        ESP_LOGE(TAG, "%s", report->why);
    }
    return code;
}

/** Takes what the HTTP client knows into the report: status, URL, the cause of a connection failure. */
static void note_client(https_source_t *s)
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

static const char *cause_text(const https_source_t *s, const char *otherwise)
{
    return s->report->transport.text[0] != '\0' ? s->report->transport.text : otherwise;
}

/* ---- one request and its answer ------------------------------------------------------------------------------- */

/** Why a request came to nothing: the code, and the stage and words for the report. */
typedef struct {
    esp_err_t code;
    otter_stage_t stage;
    bool transient;  /* worth another try in the middle of a download */
    bool lost;       /* the connection broke before the answer was complete */
    bool busy;       /* the server said so (429, 503) */
    int64_t asked_s; /* and for how long it wants to be left alone; 0: it did not say */
    char why[160];
} refusal_t;

static bool refuse(refusal_t *r, otter_stage_t stage, esp_err_t code, bool transient, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
static bool refuse(refusal_t *r, otter_stage_t stage, esp_err_t code, bool transient, const char *format, ...)
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
            note_client(s);
            return refuse(r, OTTER_STAGE_REQUEST, ESP_FAIL, true, "sending the request's body failed: %s",
                          cause_text(s, "connection lost"));
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
    note_client(s);
    if (err == ESP_ERR_NOT_ALLOWED) {
        return refuse(
            r, OTTER_STAGE_CONFIG, ESP_ERR_INVALID_ARG, false,
            "plain HTTP is refused: use an https:// URL, or allow HTTP in the device's configuration");
    }
    if (err != ESP_OK) {
        bool distrust = s->report->transport.tls_verify != 0; /* another try meets the same certificate */
        otter_stage_t stage = err == ESP_ERR_HTTP_CONNECT ? OTTER_STAGE_CONNECT : OTTER_STAGE_REQUEST;
        return refuse(r, stage, err, !distrust, "Failed to open HTTP connection: %s",
                      cause_text(s, esp_err_to_name(err)));
    }
    if (!send_body(s, body, body_len, r)) {
        return false;
    }
    int64_t length = esp_http_client_fetch_headers(s->client);
    note_client(s);
    if (length == -ESP_ERR_HTTP_EAGAIN) {
        return refuse(r, OTTER_STAGE_REQUEST, (esp_err_t)length, true, "no response within the time limit");
    }
    if (length < 0) {
        refuse(r, OTTER_STAGE_REQUEST, (esp_err_t)length, true, "no valid response: %s",
               cause_text(s, "the server closed the connection"));
        r->lost = s->report->transport.code != ESP_OK;
        return false;
    }
    return true;
}

static bool follow_redirect(https_source_t *s, int status, int *left, refusal_t *r)
{
    if ((*left)-- <= 0) {
        return refuse(r, OTTER_STAGE_REQUEST, ESP_ERR_HTTP_MAX_REDIRECT, false, "too many redirects");
    }
    drain_body(s);
    esp_err_t err = esp_http_client_set_redirection(s->client);
    if (err == ESP_ERR_HTTP_REDIRECT_DOWNGRADE) {
        return refuse(r, OTTER_STAGE_REQUEST, err, false, "redirect (%d) from https to http is refused",
                      status);
    }
    if (err != ESP_OK) {
        const char *location = http_client_response_header(s->client, "Location");
        bool longer = location != NULL && strlen(location) > HTTP_URL_MAX;
        return refuse(r, OTTER_STAGE_REQUEST, err, false, "redirect (%d) %s", status,
                      longer ? "to a Location that is too long" : "without a usable Location");
    }
    note_client(s);
    return true;
}

static bool answer_challenge(https_source_t *s, refusal_t *r)
{
    drain_body(s);
    esp_err_t err = esp_http_client_add_auth(s->client);
    if (err != ESP_OK) {
        return refuse(r, OTTER_STAGE_REQUEST, err, false,
                      err == ESP_FAIL ? "the server does not take the user name and password (401)"
                                      : "the server wants a user name and password (401)");
    }
    return true;
}

static bool refuse_status(const https_source_t *s, int status, const struct status_rule *rule, refusal_t *r)
{
    refuse(r, OTTER_STAGE_REQUEST, rule->code, rule->transient, "File not found(%d): the server refuses %s",
           status, s->report->url);
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

/** What proves later that the file is still the same. Without memory for it there is none. */
static void take_validator(https_source_t *s)
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
        return refuse(r, OTTER_STAGE_REQUEST, ESP_FAIL, false,
                      "the server sent the image encoded (%.40s), unasked", encoding);
    }
    uint64_t first = 0;
    int64_t total = esp_http_client_get_content_length(s->client);
    if (esp_http_client_get_status_code(s->client) == HttpStatus_PartialContent) {
        if (!https_parse_content_range(http_client_response_header(s->client, "Content-Range"), &first,
                                       &total) ||
            !ranged || first != from) {
            return refuse(r, OTTER_STAGE_REQUEST, ESP_ERR_INVALID_RESPONSE, true,
                          "the server answered with another range than the one asked for");
        }
        if (is_of_another_file(s, from)) {
            return refuse(r, OTTER_STAGE_DOWNLOAD, ESP_FAIL, false,
                          "the file on the server changed: it is no longer %.60s", s->validator);
        }
    } else if (esp_http_client_is_chunked_response(s->client)) {
        total = -1;
    }
    if (s->total >= 0 && total >= 0 && total != s->total) {
        return refuse(r, OTTER_STAGE_DOWNLOAD, ESP_FAIL, false,
                      "the file on the server changed: %" PRId64 " bytes, before %" PRId64, total, s->total);
    }
    if (s->total < 0) {
        s->total = total;
    }
    s->body_pos = first;
    return true;
}

/** One request for the bytes from `from` on. */
static bool request_from(https_source_t *s, uint64_t from, refusal_t *r)
{
    esp_err_t err;
    s->asked_from = from;
    bool ranged = set_range(s, from, &err);
    if (err != ESP_OK) {
        return refuse(r, OTTER_STAGE_REQUEST, err, false, "out of memory for a request header");
    }
    return ask(s, r) && place_body(s, from, ranged, r);
}

/* ---- pauses --------------------------------------------------------------------------------------------------- */

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
 * @return false: give up; r says why
 */
static bool plan_pause(https_source_t *s, refusal_t *r)
{
    if (s->failures >= (unsigned)s->retry.attempts) {
        return false;
    }
    if (r->asked_s > longest_pause_s(s)) {
        snprintf(r->why, sizeof(r->why),
                 "the server is busy (%d) and asks for a pause of %" PRId64 " s; at most %" PRId64
                 " s are left (retry.max_time_ms)",
                 s->report->http_status, r->asked_s, longest_pause_s(s));
        return false;
    }
    s->failures++;
    int64_t delay_ms = backoff_ms(s);
    delay_ms = r->asked_s * 1000 > delay_ms ? r->asked_s * 1000 : delay_ms;
    s->retry_at_us = otter_now_us() + delay_ms * 1000;
    ESP_LOGW(TAG, "%s; trying again in %" PRId64 " ms (%u of %d)", r->why, delay_ms, s->failures,
             s->retry.attempts);
    return true;
}

/* ---- opening -------------------------------------------------------------------------------------------------- */

/** Partial download starts by asking for the length: HEAD, or one byte where HEAD is not served. */
static bool learn_total(https_source_t *s, refusal_t *r)
{
    (void)esp_http_client_delete_header(s->client, "Range"); /* of an earlier try */
    esp_http_client_set_method(s->client, HTTP_METHOD_HEAD);
    bool answered = ask(s, r) && esp_http_client_get_status_code(s->client) == HttpStatus_Ok;
    esp_http_client_set_method(s->client, HTTP_METHOD_GET);
    if (answered) {
        s->total = esp_http_client_get_content_length(s->client);
    } else if (r->code == ESP_OK || r->stage == OTTER_STAGE_REQUEST) {
        if (esp_http_client_set_header(s->client, "Range", "bytes=0-0") != ESP_OK || !ask(s, r)) {
            return r->code != ESP_OK ? false
                                     : refuse(r, OTTER_STAGE_REQUEST, ESP_ERR_NO_MEM, false, "out of memory");
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
        return refuse(r, OTTER_STAGE_REQUEST, ESP_FAIL, false,
                      "the server does not tell the length, which partial download needs");
    }
    return true;
}

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
static bool request_once(https_source_t *s, uint64_t from, refusal_t *r)
{
    bool learns = s->request_max > 0 && from == 0 && s->total < 0;
    return (!learns || learn_total(s, r)) && request_from(s, from, r);
}

/** The first request. It is sent again, a few times, if its answer was lost; and while the server is busy, if that is wanted. */
static bool request_first(https_source_t *s, uint64_t from, refusal_t *r)
{
    unsigned lost = 0;
    bool open = request_once(s, from, r);
    while (!open && ((r->lost && lost++ < BEGIN_RETRIES) || (r->busy && s->retry.busy_first)) &&
           plan_pause(s, r)) {
        esp_http_client_close(s->client);
        if (!sleep_pause(s)) {
            break;
        }
        memset(r, 0, sizeof(*r));
        open = request_once(s, from, r);
    }
    s->failures = 0;
    return open;
}

esp_err_t https_source_open(https_source_t *s, uint64_t from)
{
    refusal_t r = {0};
    s->start_us = otter_now_us();
    bool resumes = from > 0;
    if (!resumes) {
        s->total = -1;
    }
    bool open = request_first(s, from, &r);
    bool refused = !open && (r.code == ESP_ERR_HTTP_RANGE_NOT_SATISFIABLE ||
                             r.code == ESP_ERR_INVALID_RESPONSE || r.stage == OTTER_STAGE_DOWNLOAD);
    if (refused && resumes) {
        ESP_LOGW(TAG, "%s: restarting download from beginning", r.why);
        esp_http_client_close(s->client);
        s->total = -1;
        memset(&r, 0, sizeof(r));
        open = request_first(s, 0, &r);
    }
    if (!open) {
        return https_report_failure(s->report, r.stage, r.code, "%s", r.why);
    }
    if (resumes && s->body_pos == 0) {
        ESP_LOGW(TAG, "the server sends the whole file: restarting download from beginning");
    }
    s->pos = s->body_pos;
    take_validator(s);
    s->report->image_size = s->total;
    return ESP_OK;
}

/* ---- reading -------------------------------------------------------------------------------------------------- */

/** Plans the next connection, or gives up. @return ESP_ERR_NOT_FINISHED, or the code the update ends with */
static esp_err_t drop_connection(https_source_t *s, refusal_t *r)
{
    esp_http_client_close(s->client);
    s->stalls = 0;
    if (!plan_pause(s, r)) {
        return https_report_failure(s->report, r->stage, r->code, "%s", r->why);
    }
    s->waiting = true;
    return ESP_ERR_NOT_FINISHED;
}

static esp_err_t reconnect(https_source_t *s)
{
    s->waiting = false;
    refusal_t r = {0};
    if (request_from(s, s->pos, &r)) {
        return ESP_ERR_NOT_FINISHED;
    }
    if (r.code == ESP_ERR_INVALID_RESPONSE || r.code == ESP_ERR_HTTP_RANGE_NOT_SATISFIABLE) {
        s->no_ranges = true; /* the whole file then, compared with what is known */
        r.transient = true;
    }
    r.code = r.code == ESP_ERR_INVALID_RESPONSE ? ESP_FAIL : r.code;
    if (r.transient) {
        return drop_connection(s, &r);
    }
    esp_http_client_close(s->client); /* nobody may take what it says for the file */
    return https_report_failure(s->report, r.stage, r.code, "%s", r.why);
}

/** Bytes that were delivered before come again: they must be the same. */
static esp_err_t compare_known(https_source_t *s, const uint8_t *data, size_t len)
{
    if (s->known == NULL || !s->known(s->ctx, s->body_pos, data, len)) {
        esp_http_client_close(s->client);
        return https_report_failure(
            s->report, OTTER_STAGE_DOWNLOAD, ESP_FAIL,
            "the file on the server changed while it was downloaded (near byte %" PRIu64 ")", s->body_pos);
    }
    s->body_pos += len;
    return ESP_ERR_NOT_FINISHED;
}

/** The response has ended as it should: the next range, or the end of it all. */
static esp_err_t end_of_response(https_source_t *s)
{
    if (s->total >= 0 && s->body_pos < (uint64_t)s->total) {
        if (s->request_max > 0 && s->body_pos == s->pos && s->pos > s->asked_from) {
            return reconnect(s); /* but not for ever for nothing */
        }
        refusal_t r = {0};
        refuse(&r, OTTER_STAGE_DOWNLOAD, ESP_FAIL, true, "the server ended the file early");
        return drop_connection(s, &r);
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
    refusal_t r = {0};
    note_client(s);
    if (result == -ESP_ERR_HTTP_EAGAIN) {
        if (++s->stalls < STALLS_MAX) {
            return ESP_ERR_NOT_FINISHED;
        }
        refuse(&r, OTTER_STAGE_DOWNLOAD, ESP_ERR_HTTP_READ_TIMEOUT, true,
               "the server stalled after %" PRIu64 " bytes", s->pos);
        return drop_connection(s, &r);
    }
    refuse(&r, OTTER_STAGE_DOWNLOAD, ESP_FAIL, true,
           "the connection was lost after %" PRIu64 " bytes: %.100s", s->pos,
           cause_text(s, "closed by the server"));
    return drop_connection(s, &r);
}

esp_err_t https_source_read(https_source_t *s, uint8_t *buf, size_t room, size_t *got)
{
    *got = 0;
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
            return reconnect(s);
        }
        otter_sleep_ms(PAUSE_STEP_MS);
        return ESP_ERR_NOT_FINISHED;
    }
    uint64_t again = s->pos - s->body_pos;
    int want = (int)(again > 0 && again < room ? again : room);
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
    if (again > 0) {
        return compare_known(s, buf, (size_t)n);
    }
    if (!slow) {
        s->failures = 0;
    }
    s->pos += (uint64_t)n;
    s->body_pos = s->pos;
    *got = (size_t)n;
    return ESP_OK;
}

void https_source_close(https_source_t *s)
{
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
