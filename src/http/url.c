/* URLs: http_parser splits them; lengths, characters, userinfo and relative references are decided here. */
#include "http/url.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <http_parser.h>

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

/* %XX in place. False for a broken escape or an encoded terminator, which C strings cannot carry. */
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

/* The length, or HTTP_URL_MAX + 1 for every longer text. */
static size_t bounded_len(const char *text)
{
    const char *end = memchr(text, '\0', HTTP_URL_MAX + 1);
    return end != NULL ? (size_t)(end - text) : HTTP_URL_MAX + 1;
}

/*
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

/* Up to a zone, which is the name of an interface. */
static void lower(const char *text)
{
    for (char *p = (char *)(uintptr_t)text; *p != '\0' && *p != '%'; p++) {
        *p = (char)tolower((unsigned char)*p);
    }
}

/* "%25eth0" is how a URL has it (RFC 6874); "%eth0" is how people write it. */
static void unescape_zone(const char *host)
{
    char *zone = strchr((char *)(uintptr_t)host, '%'); /* our own block */
    if (zone != NULL && strncmp(zone, "%25", 3) == 0 && zone[3] != '\0') {
        memmove(zone + 1, zone + 3, strlen(zone + 3) + 1);
    }
}

static const char *take_field(char **to, const char *text, const struct http_parser_url *parts, int field)
{
    if ((parts->field_set & (1u << field)) == 0) {
        return NULL;
    }
    return take(to, text + parts->field_data[field].off, parts->field_data[field].len);
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

static bool fill(http_url_t *url, const char *text, const struct http_parser_url *parts)
{
    char *to = url->block;
    url->scheme = take_field(&to, text, parts, UF_SCHEMA);
    url->host = take_field(&to, text, parts, UF_HOST);
    if (url->scheme == NULL || url->host == NULL || url->host[0] == '\0') {
        return false;
    }
    bool in_brackets = text[parts->field_data[UF_HOST].off - 1] == '['; /* "://" is before it at least */
    if (in_brackets && strchr(url->host, ':') == NULL) {
        return false; /* what is in brackets is an IPv6 address */
    }
    lower(url->scheme);
    lower(url->host);
    unescape_zone(url->host);
    url->https = strcmp(url->scheme, "https") == 0;
    if ((parts->field_set & (1u << UF_PORT)) != 0) {
        url->port = parts->port;
        if (url->port == 0) {
            return false;
        }
    } else {
        url->port = url->https ? HTTPS_PORT : strcmp(url->scheme, "http") == 0 ? HTTP_PORT : 0;
    }
    url->path = take_field(&to, text, parts, UF_PATH);
    if (url->path == NULL) {
        url->path = take(&to, "/", 1);
    }
    url->query = take_field(&to, text, parts, UF_QUERY);
    return split_userinfo(url, take_field(&to, text, parts, UF_USERINFO));
}

esp_err_t http_url_parse(const char *text, http_url_t *out)
{
    char *copy = NULL;
    esp_err_t err = clean_copy(text, &copy);
    if (err != ESP_OK) {
        return err;
    }
    struct http_parser_url parts;
    http_parser_url_init(&parts);
    if (http_parser_parse_url(copy, strlen(copy), 0, &parts) != 0) {
        free(copy);
        return ESP_ERR_INVALID_ARG;
    }
    /* Each of at most 7 fields is a piece of the text plus a terminator; "/" may be added. */
    http_url_t url = {.block = malloc(strlen(copy) + 9)};
    if (url.block == NULL) {
        err = ESP_ERR_NO_MEM;
    } else if (!fill(&url, copy, &parts)) {
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

/* "https://host:443", "https://[fe80::1%25eth0]:443". Result as snprintf's. */
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

/* "scheme:" in front makes a reference absolute (RFC 3986, section 4.2). */
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

/* RFC 3986, section 5.2.4, in place: "/a/b/../c/./d" becomes "/a/c/d". The query is not part of `path`. */
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
