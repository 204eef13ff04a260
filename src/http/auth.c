/* HTTP authentication: the grammar of challenges, the choice among them, and the answers of RFC 7617 and RFC 7616. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "http/auth.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "otter/text.h"
#include "otter/crypto.h"

#define HEX_MAX (2 * OTTER_SHA256_LEN + 1)

/* ---- what each scheme is ---- */

typedef struct {
    bool sha256, session;
    int strength; /* 0: never chosen */
} scheme_row_t;

static const scheme_row_t schemes[] = {
    [HTTP_AUTH_NONE] = {false, false, 0},  [HTTP_AUTH_BASIC] = {false, false, 1},
    [HTTP_AUTH_MD5] = {false, false, 2},   [HTTP_AUTH_MD5_SESS] = {false, true, 2},
    [HTTP_AUTH_SHA256] = {true, false, 4}, [HTTP_AUTH_SHA256_SESS] = {true, true, 4},
};

/* How servers spell them, in any case of letters. */
static const struct {
    const char *name;
    http_auth_scheme_t scheme;
} algorithms[] = {
    {"MD5", HTTP_AUTH_MD5},
    {"MD5-sess", HTTP_AUTH_MD5_SESS},
    {"SHA-256", HTTP_AUTH_SHA256},
    {"SHA256", HTTP_AUTH_SHA256},
    {"SHA-256-sess", HTTP_AUTH_SHA256_SESS},
    {"SHA256-sess", HTTP_AUTH_SHA256_SESS},
};

/* ---- reading: RFC 9110, section 11.6.1 ---- */

/* A piece of a header value; `start` NULL: absent. Quoted ones may hold backslash escapes. */
typedef struct {
    const char *start;
    size_t len;
} span_t;

/* One challenge as it is read. */
typedef struct {
    span_t scheme;
    span_t realm, nonce, opaque, algorithm, qop, stale;
    bool broken; /* against the grammar, or with a parameter twice */
} reading_t;

static bool is_token_char(char c)
{
    return c > ' ' && c < 0x7F && strchr("\"(),/:;<=>?@[\\]{}", c) == NULL;
}

static const char *skip_blanks(const char *p)
{
    return p + strspn(p, " \t");
}

static span_t read_token(const char **at)
{
    span_t token = {*at, 0};
    while (is_token_char(**at)) {
        (*at)++;
    }
    token.len = (size_t)(*at - token.start);
    return token;
}

/** What is between the quotes. False: the text ends first. */
static bool read_quoted(const char **at, span_t *out)
{
    const char *p = *at + 1;
    out->start = p;
    while (*p != '"') {
        if (*p == '\\') {
            p++;
        }
        if (*p == '\0') {
            return false;
        }
        p++;
    }
    out->len = (size_t)(p - out->start);
    *at = p + 1;
    return true;
}

static bool span_is(span_t span, const char *text)
{
    if (span.start == NULL || span.len != strlen(text)) {
        return false;
    }
    for (size_t i = 0; i < span.len; i++) {
        char pair[2][2] = {{span.start[i], '\0'}, {text[i], '\0'}};
        if (!http_name_equal(pair[0], pair[1])) {
            return false;
        }
    }
    return true;
}

/** NULL: a parameter that does not matter. */
static span_t *param_slot(reading_t *reading, span_t name)
{
    const struct {
        const char *name;
        span_t *slot;
    } slots[] = {
        {"realm", &reading->realm},         {"nonce", &reading->nonce}, {"opaque", &reading->opaque},
        {"algorithm", &reading->algorithm}, {"qop", &reading->qop},     {"stale", &reading->stale},
    };
    for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++) {
        if (span_is(name, slots[i].name)) {
            return slots[i].slot;
        }
    }
    return NULL;
}

/** At the "=" of a parameter. False: the rest of the text cannot be read. */
static bool read_param(const char **at, span_t name, reading_t *reading)
{
    *at = skip_blanks(*at + 1);
    span_t value = {NULL, 0};
    if (**at == '"') {
        if (!read_quoted(at, &value)) {
            return false;
        }
    } else {
        value = read_token(at);
        if (value.len == 0) {
            return false;
        }
    }
    span_t *slot = param_slot(reading, name);
    if (slot != NULL) {
        reading->broken |= slot->start != NULL;
        *slot = value;
    }
    return true;
}

/** "NTLM TlRMTVNT==": credentials in one piece behind a scheme. Nothing that we answer uses them. */
static bool skip_token68(const char **at)
{
    const char *p = *at;
    while (is_token_char(*p) || *p == '/') {
        p++;
    }
    size_t len = (size_t)(p - *at);
    p += strspn(p, "=");
    p = skip_blanks(p);
    if (len == 0 || (*p != ',' && *p != '\0')) {
        return false;
    }
    *at = p;
    return true;
}

/** The parameters of one challenge, up to the next scheme or the end. False: the rest of the text cannot be read. */
static bool read_params(const char **at, reading_t *reading)
{
    for (;;) {
        const char *item = *at + strspn(*at, " \t,");
        const char *p = item;
        span_t name = read_token(&p);
        p = skip_blanks(p);
        if (name.len == 0 || *p != '=') {
            *at = item;
            return *item == '\0' || name.len > 0; /* the end, or another scheme */
        }
        if (!read_param(&p, name, reading)) {
            return false;
        }
        p = skip_blanks(p);
        if (*p != ',' && *p != '\0') {
            return false;
        }
        *at = p;
    }
}

/** @return 1 a challenge, 0 the end, -1 the rest of the text cannot be read (and the challenge with it) */
static int read_challenge(const char **at, reading_t *reading)
{
    memset(reading, 0, sizeof(*reading));
    *at += strspn(*at, " \t,");
    if (**at == '\0') {
        return 0;
    }
    reading->scheme = read_token(at);
    if (reading->scheme.len == 0) {
        return -1;
    }
    if (**at == ',' || **at == '\0') {
        return 1;
    }
    if (**at != ' ') {
        return -1;
    }
    *at = skip_blanks(*at);
    if (skip_token68(at)) {
        return 1;
    }
    return read_params(at, reading) ? 1 : -1;
}

/* ---- choosing ---- */

/** qop is a list: "auth, auth-int". */
static bool offers_qop_auth(span_t qop)
{
    size_t i = 0;
    while (i < qop.len) {
        while (i < qop.len && strchr(" \t,", qop.start[i]) != NULL) {
            i++;
        }
        span_t item = {qop.start + i, 0};
        while (i < qop.len && strchr(" \t,", qop.start[i]) == NULL) {
            i++;
            item.len++;
        }
        if (span_is(item, "auth")) {
            return true;
        }
    }
    return false;
}

static http_auth_scheme_t scheme_of(const reading_t *reading)
{
    if (reading->broken) {
        return HTTP_AUTH_NONE;
    }
    if (span_is(reading->scheme, "Basic")) {
        return HTTP_AUTH_BASIC;
    }
    if (!span_is(reading->scheme, "Digest") || reading->realm.start == NULL || reading->nonce.start == NULL) {
        return HTTP_AUTH_NONE;
    }
    if (reading->qop.start != NULL && !offers_qop_auth(reading->qop)) {
        return HTTP_AUTH_NONE; /* auth-int alone: it would hash bodies that are not in memory */
    }
    if (reading->algorithm.start == NULL) {
        return HTTP_AUTH_MD5;
    }
    for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
        http_auth_scheme_t scheme = algorithms[i].scheme;
        if (span_is(reading->algorithm, algorithms[i].name)) {
            /* A session key is made with a client nonce, which only qop lets us send. */
            return schemes[scheme].session && reading->qop.start == NULL ? HTTP_AUTH_NONE : scheme;
        }
    }
    return HTTP_AUTH_NONE;
}

typedef struct {
    reading_t reading;
    http_auth_scheme_t scheme;
    int strength;
} choice_t;

static void consider(const char *text, bool no_basic, choice_t *best)
{
    reading_t reading;
    while (read_challenge(&text, &reading) > 0) {
        http_auth_scheme_t scheme = scheme_of(&reading);
        int strength = schemes[scheme].strength;
        if (scheme != HTTP_AUTH_BASIC && strength > 0 && reading.qop.start != NULL) {
            strength++;
        }
        if (strength > best->strength && !(no_basic && scheme == HTTP_AUTH_BASIC)) {
            *best = (choice_t){reading, scheme, strength};
        }
    }
}

static const char *unescape(char **to, span_t span)
{
    if (span.start == NULL) {
        return NULL;
    }
    char *start = *to;
    for (size_t i = 0; i < span.len; i++) {
        if (span.start[i] == '\\' && i + 1 < span.len) {
            i++; /* only quoted strings can hold a backslash */
        }
        *(*to)++ = span.start[i];
    }
    *(*to)++ = '\0';
    return start;
}

static esp_err_t keep_choice(const choice_t *choice, http_challenge_t *out)
{
    const reading_t *reading = &choice->reading;
    char *block =
        malloc(reading->realm.len + reading->nonce.len + reading->algorithm.len + reading->opaque.len + 4);
    if (block == NULL) {
        return ESP_ERR_NO_MEM;
    }
    char *to = block;
    *out = (http_challenge_t){
        .scheme = choice->scheme,
        .qop_auth = reading->qop.start != NULL,
        .stale = span_is(reading->stale, "true"),
        .block = block,
    };
    out->realm = unescape(&to, reading->realm);
    out->nonce = unescape(&to, reading->nonce);
    out->algorithm = unescape(&to, reading->algorithm);
    out->opaque = unescape(&to, reading->opaque);
    return ESP_OK;
}

esp_err_t http_auth_choose(const http_headers_t *response, const char *more, bool no_basic,
                           http_challenge_t *out)
{
    choice_t best = {.scheme = HTTP_AUTH_NONE};
    for (size_t i = 0; i < response->count; i++) {
        if (http_name_equal(response->items[i].key, "WWW-Authenticate")) {
            consider(response->items[i].value, no_basic, &best);
        }
    }
    if (more != NULL) {
        consider(more, no_basic, &best);
    }
    return best.strength > 0 ? keep_choice(&best, out) : ESP_ERR_NOT_SUPPORTED;
}

void http_challenge_free(http_challenge_t *challenge)
{
    free(challenge->block);
    memset(challenge, 0, sizeof(*challenge));
}

/* ---- answering ---- */

static void put_text(text_buffer_t *to, const char *text)
{
    text_append(to, text, strlen(text));
}

static void put_quoted(text_buffer_t *to, const char *name, const char *value)
{
    put_text(to, name);
    put_text(to, "=\"");
    for (; *value != '\0'; value++) {
        if (*value == '"' || *value == '\\') {
            text_append(to, "\\", 1);
        }
        text_append(to, value, 1);
    }
    put_text(to, "\"");
}

static esp_err_t give(text_buffer_t *text, char **value)
{
    if (text->failed) {
        free(text->text);
        return ESP_ERR_NO_MEM;
    }
    *value = text->text;
    return ESP_OK;
}

static void put_base64(text_buffer_t *to, const char *data, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < len; i += 3) {
        uint32_t bits = 0;
        for (size_t k = 0; k < 3; k++) {
            bits = bits << 8 | (i + k < len ? (unsigned char)data[i + k] : 0u);
        }
        char four[4];
        for (size_t k = 0; k < 4; k++) {
            four[k] = '=';
            if (i + k <= len) {
                four[k] = digits[bits >> (18 - 6 * k) & 63];
            }
        }
        text_append(to, four, sizeof(four));
    }
}

static esp_err_t answer_basic(const http_auth_request_t *request, char **value)
{
    text_buffer_t plain = {0};
    put_text(&plain, request->user);
    put_text(&plain, ":");
    put_text(&plain, request->password != NULL ? request->password : "");
    text_buffer_t answer = {.failed = plain.failed};
    put_text(&answer, "Basic ");
    if (!plain.failed) {
        put_base64(&answer, plain.text, plain.len);
    }
    free(plain.text);
    return give(&answer, value);
}

static esp_err_t hash(bool sha256, const text_buffer_t *text, char hex[HEX_MAX])
{
    uint8_t digest[OTTER_SHA256_LEN];
    size_t len = sha256 ? OTTER_SHA256_LEN : OTTER_MD5_LEN;
    if (text->failed) {
        return ESP_ERR_NO_MEM;
    }
    otter_digest_t running = {0};
    if (!(sha256 ? otter_sha256_begin(&running) : otter_md5_begin(&running))) {
        otter_digest_end(&running);
        return ESP_ERR_NO_MEM;
    }
    otter_digest_update(&running, text->text, text->len);
    otter_digest_finish(&running, digest);
    otter_digest_end(&running);
    for (size_t i = 0; i < len; i++) {
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    }
    return ESP_OK;
}

/** The hash of the pieces with colons between them: "KD" and "H" of RFC 7616. `pieces` ends in NULL. */
static esp_err_t hash_joined(bool sha256, const char *const pieces[], char hex[HEX_MAX])
{
    text_buffer_t text = {0};
    for (size_t i = 0; pieces[i] != NULL; i++) {
        if (i > 0) {
            text_append(&text, ":", 1);
        }
        put_text(&text, pieces[i]);
    }
    esp_err_t err = hash(sha256, &text, hex);
    free(text.text);
    return err;
}

static esp_err_t compute_response(const http_challenge_t *challenge, const http_auth_request_t *request,
                                  const char *count, char hex[HEX_MAX])
{
    const scheme_row_t *scheme = &schemes[challenge->scheme];
    bool sha256 = scheme->sha256;
    char secret[HEX_MAX], what[HEX_MAX];
    const char *password = request->password != NULL ? request->password : "";
    esp_err_t err =
        hash_joined(sha256, (const char *[]){request->user, challenge->realm, password, NULL}, secret);
    if (err == ESP_OK && scheme->session) {
        err = hash_joined(sha256, (const char *[]){secret, challenge->nonce, request->cnonce, NULL}, secret);
    }
    if (err == ESP_OK) {
        err = hash_joined(sha256, (const char *[]){request->method, request->uri, NULL}, what);
    }
    if (err != ESP_OK) {
        return err;
    }
    const char *with_qop[] = {secret, challenge->nonce, count, request->cnonce, "auth", what, NULL};
    const char *without[] = {secret, challenge->nonce, what, NULL};
    return hash_joined(sha256, challenge->qop_auth ? with_qop : without, hex);
}

static esp_err_t answer_digest(const http_challenge_t *challenge, const http_auth_request_t *request,
                               char **value)
{
    char response[HEX_MAX], count[9];
    snprintf(count, sizeof(count), "%08x", (unsigned)request->nonce_count);
    esp_err_t err = compute_response(challenge, request, count, response);
    if (err != ESP_OK) {
        return err;
    }
    text_buffer_t answer = {0};
    put_quoted(&answer, "Digest username", request->user);
    put_quoted(&answer, ", realm", challenge->realm);
    put_quoted(&answer, ", nonce", challenge->nonce);
    put_quoted(&answer, ", uri", request->uri);
    if (challenge->algorithm != NULL) {
        put_text(&answer, ", algorithm=");
        put_text(&answer, challenge->algorithm); /* one of those we know: a token */
    }
    put_quoted(&answer, ", response", response);
    if (challenge->qop_auth) {
        put_text(&answer, ", qop=auth, nc=");
        put_text(&answer, count);
        put_quoted(&answer, ", cnonce", request->cnonce);
    }
    if (challenge->opaque != NULL) {
        put_quoted(&answer, ", opaque", challenge->opaque);
    }
    return give(&answer, value);
}

/** A line break in what the answer repeats would start a header of its own. */
static bool is_printable(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < ' ' || *text == 0x7F) {
            return false;
        }
    }
    return true;
}

esp_err_t http_auth_answer(const http_challenge_t *challenge, const http_auth_request_t *request,
                           char **value)
{
    if (challenge->scheme == HTTP_AUTH_BASIC) {
        return answer_basic(request, value);
    }
    bool sayable = challenge->scheme != HTTP_AUTH_NONE && is_printable(request->user) &&
                   is_printable(challenge->realm) && is_printable(challenge->nonce) &&
                   (challenge->opaque == NULL || is_printable(challenge->opaque));
    return sayable ? answer_digest(challenge, request, value) : ESP_ERR_INVALID_ARG;
}
