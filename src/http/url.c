/* URLs: split by the grammar of RFC 3986 as far as HTTP uses it; nothing that is read two ways is taken. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "http/url.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HTTP_PORT  80u
#define HTTPS_PORT 443u

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    int lower = c | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/** %XX in place. False for a broken escape or an encoded terminator, which C strings cannot carry. */
static bool percent_decode(char *text)
{
    char *to = text;
    for (const char *from = text; *from != '\0'; from++, to++) {
        if (*from != '%') {
            *to = *from;
            continue;
        }
        int high = hex_digit(from[1]);
        int low = high < 0 ? -1 : hex_digit(from[2]);
        if (low < 0 || (high | low) == 0) {
            return false;
        }
        *to = (char)(high << 4 | low);
        from += 2;
    }
    *to = '\0';
    return true;
}

/** The length, or HTTP_URL_MAX + 1 for every longer text. */
static size_t bounded_len(const char *text)
{
    const char *end = memchr(text, '\0', HTTP_URL_MAX + 1);
    return end != NULL ? (size_t)(end - text) : HTTP_URL_MAX + 1;
}

/**
 * A copy without fragment, with bytes over 0x7F as %XX. NULL in *out when a character has no place in a URL: a space or
 * a line break would let one URL become two lines of a request.
 */
static esp_err_t clean_copy(const char *text, char **out)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t len = bounded_len(text);
    if (len == 0 || len > HTTP_URL_MAX) {
        return ESP_ERR_INVALID_ARG;
    }
    char *copy = malloc(3 * len + 1);
    if (copy == NULL) {
        return ESP_ERR_NO_MEM;
    }
    size_t used = 0;
    for (size_t i = 0; i < len && text[i] != '#'; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c <= ' ' || c == 0x7F) {
            free(copy);
            return ESP_ERR_INVALID_ARG;
        }
        if (c < 0x7F) {
            copy[used++] = (char)c;
            continue;
        }
        copy[used++] = '%';
        copy[used++] = hex[c >> 4];
        copy[used++] = hex[c & 15];
    }
    copy[used] = '\0';
    *out = copy;
    return ESP_OK;
}

static const char *take(char **to, const char *from, size_t len)
{
    char *start = *to;
    memcpy(start, from, len);
    start[len] = '\0';
    *to += len + 1;
    return start;
}

/** Up to a zone, which is the name of an interface. */
static void lower(const char *text)
{
    for (char *p = (char *)(uintptr_t)text; *p != '\0' && *p != '%'; p++) {
        *p = (char)tolower((unsigned char)*p);
    }
}

/** "%25eth0" is how a URL has it (RFC 6874); "%eth0" is how people write it. */
static void unescape_zone(const char *host)
{
    char *zone = strchr((char *)(uintptr_t)host, '%'); /* our own block */
    if (zone != NULL && strncmp(zone, "%25", 3) == 0 && zone[3] != '\0') {
        memmove(zone + 1, zone + 3, strlen(zone + 3) + 1);
    }
}

/** One part of a URL's text; `at` NULL: the URL has none. */
typedef struct {
    const char *at;
    size_t len;
} part_t;

/** The parts of a URL before anything is decoded. */
typedef struct {
    part_t scheme, userinfo, host, port, path, query;
} parts_t;

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS  "0123456789"

/** `text` up to `end` consists of these characters alone, at least one. */
static bool consists_of(const char *text, const char *end, const char *chars)
{
    return text < end && strspn(text, chars) >= (size_t)(end - text);
}

/** What is between the brackets: an address, and a zone perhaps. */
static bool is_ipv6(const char *text, const char *end)
{
    const char *zone = memchr(text, '%', (size_t)(end - text));
    return consists_of(text, zone != NULL ? zone : end, DIGITS "abcdefABCDEF:.") &&
           (zone == NULL || consists_of(zone + 1, end, LETTERS DIGITS "%.-_~"));
}

/** The host and what stands behind it, up to `end`. */
static bool split_host(const char *text, const char *end, parts_t *parts)
{
    const char *behind;
    if (*text == '[') {
        const char *bracket = memchr(text, ']', (size_t)(end - text));
        if (bracket == NULL || !is_ipv6(text + 1, bracket)) {
            return false;
        }
        parts->host = (part_t){text + 1, (size_t)(bracket - text) - 1};
        behind = bracket + 1;
    } else {
        const char *colon = memchr(text, ':', (size_t)(end - text));
        behind = colon != NULL ? colon : end;
        if (!consists_of(text, behind, LETTERS DIGITS ".-_")) {
            return false;
        }
        parts->host = (part_t){text, (size_t)(behind - text)};
    }
    if (behind == end) {
        return true;
    }
    parts->port = (part_t){behind + 1, (size_t)(end - behind) - 1};
    return *behind == ':' && consists_of(behind + 1, end, DIGITS);
}

static bool split(const char *text, parts_t *parts)
{
    const char *colon = text + strspn(text, LETTERS);
    if (colon == text || strncmp(colon, "://", 3) != 0) {
        return false;
    }
    *parts = (parts_t){.scheme = {text, (size_t)(colon - text)}};
    const char *authority = colon + 3;
    const char *end = authority + strcspn(authority, "/?");
    const char *at = memchr(authority, '@', (size_t)(end - authority));
    if (at != NULL) {
        if (at > authority && !consists_of(authority, at, LETTERS DIGITS "-_.!~*'()%;:&=+$,")) {
            return false;
        }
        parts->userinfo = (part_t){at > authority ? authority : NULL, (size_t)(at - authority)};
        authority = at + 1;
    }
    const char *query = end + strcspn(end, "?");
    if (query > end) {
        parts->path = (part_t){end, (size_t)(query - end)};
    }
    if (query[0] == '?' && query[1] != '\0') {
        parts->query = (part_t){query + 1, strlen(query + 1)};
    }
    return split_host(authority, end, parts);
}

/** A number up to 65535; the digits are known to be some. @return -1: it is larger */
static int32_t port_number(const part_t *port)
{
    int32_t number = 0;
    for (size_t i = 0; i < port->len && number >= 0; i++) {
        number = number * 10 + (port->at[i] - '0');
        number = number <= UINT16_MAX ? number : -1;
    }
    return number;
}

static const char *take_part(char **to, const part_t *part)
{
    return part->at != NULL ? take(to, part->at, part->len) : NULL;
}

static bool split_userinfo(http_url_t *url, const char *userinfo)
{
    if (userinfo == NULL) {
        return true;
    }
    char *text = (char *)(uintptr_t)userinfo; /* our own block */
    char *colon = strchr(text, ':');
    if (colon != NULL) {
        *colon = '\0';
        url->password = colon + 1;
        if (!percent_decode(colon + 1)) {
            return false;
        }
    }
    url->user = text;
    return percent_decode(text);
}

static bool fill(http_url_t *url, const parts_t *parts)
{
    char *to = url->block;
    url->scheme = take_part(&to, &parts->scheme);
    url->host = take_part(&to, &parts->host);
    bool in_brackets = parts->host.at[-1] == '['; /* "://" is before it at least */
    if (in_brackets && strchr(url->host, ':') == NULL) {
        return false; /* what is in brackets is an IPv6 address */
    }
    lower(url->scheme);
    lower(url->host);
    unescape_zone(url->host);
    url->https = strcmp(url->scheme, "https") == 0;
    url->port = url->https ? HTTPS_PORT : strcmp(url->scheme, "http") == 0 ? HTTP_PORT : 0;
    if (parts->port.at != NULL) {
        int32_t port = port_number(&parts->port);
        if (port <= 0) {
            return false;
        }
        url->port = (uint16_t)port;
    }
    url->path = take_part(&to, &parts->path);
    if (url->path == NULL) {
        url->path = take(&to, "/", 1);
    }
    url->query = take_part(&to, &parts->query);
    return split_userinfo(url, take_part(&to, &parts->userinfo));
}

esp_err_t http_url_parse(const char *text, http_url_t *out)
{
    char *copy = NULL;
    esp_err_t err = clean_copy(text, &copy);
    if (err != ESP_OK) {
        return err;
    }
    parts_t parts;
    if (!split(copy, &parts)) {
        free(copy);
        return ESP_ERR_INVALID_ARG;
    }
    /* Each of at most 7 fields is a piece of the text plus a terminator; "/" may be added. */
    http_url_t url = {.block = malloc(strlen(copy) + 9)};
    if (url.block == NULL) {
        err = ESP_ERR_NO_MEM;
    } else if (!fill(&url, &parts)) {
        err = ESP_ERR_INVALID_ARG;
    }
    free(copy);
    if (err != ESP_OK) {
        free(url.block);
        return err;
    }
    *out = url;
    return ESP_OK;
}

void http_url_free(http_url_t *url)
{
    free(url->block);
    memset(url, 0, sizeof(*url));
}

/** "https://host:443", "https://[fe80::1%25eth0]:443". Result as snprintf's. */
static size_t print_origin(const http_url_t *url, char *text, size_t size)
{
    bool brackets = strchr(url->host, ':') != NULL;
    size_t len = strcspn(url->host, "%");
    bool zone = url->host[len] == '%';
    int n = snprintf(text, size, "%s://%s%.*s%s%s%s:%u", url->scheme, brackets ? "[" : "", (int)len,
                     url->host, zone ? "%25" : "", url->host + len + zone, brackets ? "]" : "", url->port);
    return n > 0 ? (size_t)n : 0;
}

size_t http_url_print(const http_url_t *url, bool with_query, char *text, size_t size)
{
    bool query = with_query && url->query != NULL;
    size_t used = print_origin(url, text, size);
    size_t left = used < size ? size - used : 0;
    int n = snprintf(text + (left > 0 ? used : 0), left, "%s%s%s", url->path, query ? "?" : "",
                     query ? url->query : "");
    return used + (n > 0 ? (size_t)n : 0);
}

char *http_url_text(const http_url_t *url)
{
    char nothing[1];
    size_t size = http_url_print(url, true, nothing, sizeof(nothing)) + 1;
    char *text = malloc(size);
    if (text != NULL) {
        (void)http_url_print(url, true, text, size);
    }
    return text;
}

/** "scheme:" in front makes a reference absolute (RFC 3986, section 4.2). */
static bool has_scheme(const char *reference)
{
    if (!isalpha((unsigned char)reference[0])) {
        return false;
    }
    const char *p = reference;
    while (isalnum((unsigned char)*p) || *p == '+' || *p == '-' || *p == '.') {
        p++;
    }
    return *p == ':';
}

/** RFC 3986, section 5.2.4, in place: "/a/b/../c/./d" becomes "/a/c/d". The query is not part of `path`. */
static void remove_dot_segments(char *path)
{
    char *to = path;
    const char *from = path;
    while (*from != '\0') {
        size_t segment = 1 + strcspn(from + 1, "/"); /* "/name" */
        bool last = from[segment] == '\0';
        if (segment == 2 && from[1] == '.') {
            if (last) {
                *to++ = '/';
            }
        } else if (segment == 3 && from[1] == '.' && from[2] == '.') {
            while (to > path && *--to != '/') {
            }
            if (last) {
                *to++ = '/';
            }
        } else {
            memmove(to, from, segment);
            to += segment;
        }
        from += segment;
    }
    *to = '\0';
}

static void join(const http_url_t *base, const char *reference, char *text, size_t size)
{
    if (reference[0] == '/' && reference[1] == '/') {
        snprintf(text, size, "%s:%s", base->scheme, reference);
        return;
    }
    size_t origin = print_origin(base, text, size);
    char *path = text + origin;
    size_t room = size - origin;
    if (reference[0] == '?' || reference[0] == '#' || reference[0] == '\0') {
        snprintf(path, room, "%s%s", base->path, reference);
        return;
    }
    size_t path_len = strcspn(reference, "?#");
    int folder = reference[0] == '/' ? 0 : (int)(strrchr(base->path, '/') - base->path) + 1;
    snprintf(path, room, "%.*s%.*s", folder, base->path, (int)path_len, reference);
    remove_dot_segments(path);
    size_t used = strlen(path);
    snprintf(path + used, room - used, "%s", reference + path_len);
}

esp_err_t http_url_resolve(const http_url_t *base, const char *reference, http_url_t *out)
{
    size_t len = bounded_len(reference);
    if (len > HTTP_URL_MAX) {
        return ESP_ERR_INVALID_ARG;
    }
    if (has_scheme(reference)) {
        return http_url_parse(reference, out);
    }
    size_t size =
        strlen(base->scheme) + strlen(base->host) + strlen(base->path) + len + sizeof("://[25]:65535/");
    char *text = malloc(size);
    if (text == NULL) {
        return ESP_ERR_NO_MEM;
    }
    join(base, reference, text, size);
    esp_err_t err = http_url_parse(text, out);
    free(text);
    return err;
}

esp_err_t http_url_follow(const http_url_t *base, const char *location, http_url_t *out)
{
    size_t len = bounded_len(location);
    if (len > HTTP_URL_MAX) {
        return ESP_ERR_INVALID_ARG;
    }
    char *reference = calloc(3, len + 1), *to = reference;
    if (reference == NULL) {
        return ESP_ERR_NO_MEM;
    }
    for (const char *from = location; *from != '\0'; from++) {
        size_t n = *from == ' ' ? 3 : 1;
        memcpy(to, *from == ' ' ? "%20" : from, n);
        to += n;
    }
    *to = '\0';
    esp_err_t err = http_url_resolve(base, reference, out);
    free(reference);
    return err;
}

bool http_url_same_origin(const http_url_t *a, const http_url_t *b)
{
    return a->port == b->port && strcmp(a->scheme, b->scheme) == 0 && strcmp(a->host, b->host) == 0;
}

void http_url_host_header(const http_url_t *url, char *text, size_t size)
{
    bool brackets = strchr(url->host, ':') != NULL;
    bool own_port = url->port == (url->https ? HTTPS_PORT : HTTP_PORT);
    int used = snprintf(text, size, brackets ? "[%.*s]" : "%.*s", (int)strcspn(url->host, "%"), url->host);
    if (!own_port && used > 0 && (size_t)used < size) {
        snprintf(text + used, size - (size_t)used, ":%u", url->port);
    }
}
