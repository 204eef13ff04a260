/*
 * URLs and relative references.
 * Input: a URL, a line feed, a reference.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "http/url.h"

/** What goes into a request line or a Host header must not be able to end it. */
static void check_no_break(const char *text, const char *what)
{
    for (const char *p = text; p != NULL && *p != '\0'; p++) {
        FUZZ_CHECK((unsigned char)*p > ' ' && (unsigned char)*p < 0x7F, "0x%02x in the %s", (unsigned char)*p,
                   what);
    }
}

static void check_parts(const http_url_t *url)
{
    FUZZ_CHECK(url->scheme != NULL && url->scheme[0] != '\0', "no scheme");
    FUZZ_CHECK(url->host != NULL && url->host[0] != '\0', "no host");
    FUZZ_CHECK(url->path != NULL && url->path[0] == '/', "path %s", url->path);
    FUZZ_CHECK(url->https == (strcmp(url->scheme, "https") == 0), "scheme %s", url->scheme);
    check_no_break(url->scheme, "scheme");
    check_no_break(url->host, "host");
    check_no_break(url->path, "path");
    check_no_break(url->query, "query");
    FUZZ_CHECK(strpbrk(url->host, "/?#@\\") == NULL, "host %s", url->host);
    FUZZ_CHECK(strpbrk(url->path, "?#") == NULL, "path %s", url->path);
    FUZZ_CHECK(url->query == NULL || strchr(url->query, '#') == NULL, "query %s", url->query);
    char header[HTTP_URL_MAX * 3 + 16];
    http_url_host_header(url, header, sizeof(header));
    check_no_break(header, "Host header");
    FUZZ_CHECK(http_url_same_origin(url, url), "is not its own origin");
}

/** Bytes that mean something in a URL are escaped: what is decoded can be written again. */
static void put_escaped(char **to, const char *text)
{
    for (; text != NULL && *text != '\0'; text++) {
        *to += sprintf(*to, "%%%02X", (unsigned char)*text);
    }
}

/** The URL again from its parts. The caller frees. */
static char *build(const http_url_t *url, bool with_user)
{
    size_t room = 6 * strlen(url->scheme) + 2 * strlen(url->host) + strlen(url->path) + 64;
    room += url->query != NULL ? strlen(url->query) : 0;
    room += url->user != NULL ? 3 * strlen(url->user) : 0;
    room += url->password != NULL ? 3 * strlen(url->password) : 0;
    char *text = malloc(room);
    FUZZ_CHECK(text != NULL, "no memory");
    char *to = text + sprintf(text, "%s://", url->scheme);
    if (with_user && url->user != NULL) {
        put_escaped(&to, url->user);
        if (url->password != NULL) {
            *to++ = ':';
            put_escaped(&to, url->password);
        }
        *to++ = '@';
    }
    const char *zone = strchr(url->host, '%');
    if (zone != NULL) {
        to += sprintf(to, "[%.*s%%25%s]", (int)(zone - url->host), url->host, zone + 1);
    } else {
        to += sprintf(to, strchr(url->host, ':') != NULL ? "[%s]" : "%s", url->host);
    }
    if (url->port != 0) {
        to += sprintf(to, ":%u", url->port);
    }
    sprintf(to, "%s%s%s", url->path, url->query != NULL ? "?" : "", url->query != NULL ? url->query : "");
    return text;
}

static bool same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void check_round_trip(const http_url_t *url)
{
    bool with_user = url->user != NULL && (url->user[0] != '\0' || url->password != NULL);
    char *text = build(url, with_user);
    http_url_t again;
    if (strlen(text) <= HTTP_URL_MAX) { /* escapes may have made it longer */
        esp_err_t err = http_url_parse(text, &again);
        FUZZ_CHECK(err == ESP_OK, "%s: 0x%x", text, err);
        FUZZ_CHECK(same(url->scheme, again.scheme) && same(url->host, again.host) &&
                       url->port == again.port && same(url->path, again.path) &&
                       (same(url->query, again.query) || (url->query != NULL && url->query[0] == '\0')),
                   "%s is another URL", text);
        FUZZ_CHECK(!with_user || (same(url->user, again.user) && same(url->password, again.password)),
                   "%s: another user", text);
        FUZZ_CHECK(http_url_same_origin(url, &again), "%s: another origin", text);
        http_url_free(&again);
    }
    free(text);
}

static void check_resolve(const http_url_t *base, const char *reference)
{
    http_url_t url, alone;
    esp_err_t err = http_url_follow(base, reference, &url);
    if (err == ESP_OK) {
        check_parts(&url);
        http_url_free(&url);
    }
    err = http_url_resolve(base, reference, &url);
    if (err != ESP_OK) {
        FUZZ_CHECK(err == ESP_ERR_INVALID_ARG, "0x%x", err);
        return;
    }
    check_parts(&url);
    if (http_url_parse(reference, &alone) == ESP_OK) {
        FUZZ_CHECK(http_url_same_origin(&url, &alone) && same(url.path, alone.path),
                   "an absolute one means another");
        http_url_free(&alone);
    } else if (strncmp(reference, "//", 2) != 0) {
        FUZZ_CHECK(http_url_same_origin(&url, base), "a relative reference leads to %s:%u", url.host,
                   url.port);
        FUZZ_CHECK(url.user == NULL && url.password == NULL, "a relative reference has credentials");
    }
    http_url_free(&url);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input_t in = {data, size};
    char *text = fuzz_text(fuzz_until(&in, '\n'));
    char *reference = fuzz_text(in);
    http_url_t url;
    esp_err_t err = http_url_parse(text, &url);
    FUZZ_CHECK(err == ESP_OK || err == ESP_ERR_INVALID_ARG, "0x%x", err);
    if (err == ESP_OK) {
        check_parts(&url);
        check_round_trip(&url);
        check_resolve(&url, reference);
        check_resolve(&url, text);
        http_url_free(&url);
    }
    free(text);
    free(reference);
    return 0;
}
