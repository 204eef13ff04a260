/* Heads of responses: our own look at each byte, then http_parser's. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "http/head.h"

#include <stdlib.h>
#include <string.h>

#include <http_parser.h>

#define HEAD_MAX    65536u
#define INTERIM_MAX 8u
#define HEADERS_MAX 256u

/* ---- our own look at each byte ---- */

#define NOT_HTTP "it does not begin with HTTP/"

typedef enum {
    BEGIN, /* empty lines before a response are allowed */
    STATUS,
    LINE, /* the first byte of a line */
    NAME,
    VALUE,
} place_t;

static const char protocol[] = "HTTP/";

/** Acts on a line feed. @return NULL, or what is wrong */
static const char *end_line(http_head_t *head)
{
    if (head->look.place == LINE) {
        head->look.ended = true;
    } else if (head->look.place == STATUS && head->look.protocol_len < sizeof(protocol) - 1) {
        return NOT_HTTP;
    } else if (head->look.place != BEGIN) {
        head->look.first_line = head->look.place == STATUS;
        head->look.place = LINE;
    }
    return NULL;
}

static const char *check_status_byte(http_head_t *head, char c)
{
    head->look.place = STATUS;
    if (head->look.protocol_len < sizeof(protocol) - 1 && protocol[head->look.protocol_len++] != c) {
        return NOT_HTTP;
    }
    return NULL;
}

static const char *check_name_byte(http_head_t *head, char c)
{
    bool blank = c == ' ' || c == '\t';
    bool goes_on = blank && head->look.place == LINE &&
                   !head->look.first_line; /* a folded line: it continues the value of the line before */
    if (blank && !goes_on) {
        return "it has a blank in a header's name";
    }
    head->look.place = goes_on || c == ':' ? VALUE : NAME;
    return NULL;
}

static const char *check_byte(http_head_t *head, char *c)
{
    if (head->look.after_cr && *c != '\n') {
        return "it has a carriage return inside a line"; /* http_parser would take any byte for the line feed */
    }
    head->look.after_cr = *c == '\r';
    if (*c == '\n') {
        return end_line(head);
    }
    if (*c == '\r') {
        return NULL;
    }
    if (head->look.place == VALUE) {
        *c = *c == '\t' ? ' ' : *c; /* http_parser knows only blanks behind a length or "chunked" */
        return NULL;
    }
    return head->look.place < LINE ? check_status_byte(head, *c) : check_name_byte(head, *c);
}

/**
 * Looks at bytes up to the end of the head (RFC 9112, sections 2.2 to 5). What it does not look at, the parser does: numbers,
 * the characters of names and values.
 */
static const char *look_at(http_head_t *head, char *raw, size_t len, size_t *used)
{
    const char *wrong = NULL;
    for (*used = 0; *used < len && wrong == NULL && !head->look.ended; (*used)++) {
        wrong = check_byte(head, &raw[*used]);
    }
    return wrong;
}

/* ---- http_parser ---- */

_Static_assert(sizeof(http_parser) <= sizeof(((http_head_t *)0)->parser), "the parser fits its place");

static http_parser *parser_of(http_head_t *head)
{
    return (http_parser *)(void *)&head->parser;
}

static bool append_line(http_head_t *head, const char *text, size_t len)
{
    size_t used = head->key_len + (head->in_value ? 1 + head->value_len : 0);
    if (len + 2 > head->line_size - used) {
        size_t size = 2 * (used + len) + 64;
        char *line = realloc(head->line, size);
        if (line == NULL) {
            return false;
        }
        head->line = line;
        head->line_size = size;
    }
    memcpy(head->line + used, text, len);
    head->line[used + len] = '\0';
    *(head->in_value ? &head->value_len : &head->key_len) += len;
    return true;
}

static bool is_interim(const http_parser *parser)
{
    return parser->status_code / 100 == 1;
}

static bool finish_line(http_head_t *head)
{
    if (head->key_len == 0) {
        return true;
    }
    char *key = head->line;
    char *value = head->in_value ? key + head->key_len + 1 : key + head->key_len;
    if (!is_interim(parser_of(head))) {
        if (head->headers.count >= HEADERS_MAX) {
            head->why = "it has more than 256 header lines";
            return false;
        }
        esp_err_t err = http_headers_append(&head->headers, key, value);
        if (err != ESP_OK) {
            head->why =
                err == ESP_ERR_NO_MEM ? "out of memory" : "a header line has a character that none can have";
            return false;
        }
    }
    head->key_len = head->value_len = 0;
    head->in_value = false;
    return true;
}

static int on_header_field(http_parser *parser, const char *at, size_t len)
{
    http_head_t *head = parser->data;
    if (head->in_value && !finish_line(head)) {
        return 1;
    }
    return append_line(head, at, len) ? 0 : 1;
}

static int on_header_value(http_parser *parser, const char *at, size_t len)
{
    http_head_t *head = parser->data;
    head->in_value = true;
    return append_line(head, at, len) ? 0 : 1;
}

/** The parser stops before the last line feed of a head: it would take what follows for the body. */
static int on_headers_complete(http_parser *parser)
{
    if (!finish_line(parser->data)) {
        return -1;
    }
    http_parser_pause(parser, 1);
    return 0;
}

static const http_parser_settings settings = {
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_headers_complete = on_headers_complete,
};

/** The parser stands before the last line feed of a head, which says what there is to know. @return NULL, or what is wrong */
static const char *finish_head(http_head_t *head)
{
    http_parser *parser = parser_of(head);
    if (parser->http_major != 1 || parser->status_code < 100 || parser->status_code == 101) {
        return "it is no HTTP/1 response";
    }
    if (is_interim(parser)) {
        memset(&head->look, 0, sizeof(head->look));
        head->parser_begun = false;
        return ++head->interim_count <= INTERIM_MAX ? NULL : "too many interim responses come before it";
    }
    head->status = parser->status_code;
    head->chunked = (parser->flags & F_CHUNKED) != 0;
    head->has_length = (parser->flags & F_CONTENTLENGTH) != 0;
    head->content_length = parser->content_length;
    head->keep_alive = http_should_keep_alive(parser) != 0;
    head->closes = parser->http_minor == 0 || (parser->flags & F_CONNECTION_CLOSE) != 0;
    head->ended = true;
    return NULL;
}

/** Bytes up to the end of one head, interim or not. @return NULL, or what is wrong */
static const char *take_piece(http_head_t *head, char *raw, size_t len, size_t *used)
{
    http_parser *parser = parser_of(head);
    if (!head->parser_begun) {
        http_parser_init(parser, HTTP_RESPONSE);
        head->parser_begun = true;
    }
    parser->data = head;
    const char *wrong = look_at(head, raw, len, used);
    if (wrong != NULL) {
        return wrong;
    }
    size_t parsed = http_parser_execute(parser, &settings, raw, *used);
    enum http_errno why = HTTP_PARSER_ERRNO(parser);
    head->len += parsed;
    if (head->len > HEAD_MAX) {
        return "its head is longer than 65536 bytes";
    }
    if (why == HPE_OK && !head->look.ended) {
        return NULL; /* all of it was head */
    }
    if (why == HPE_PAUSED && head->look.ended && parsed + 1 == *used) {
        return finish_head(head);
    }
    if (head->why != NULL) {
        return head->why;
    }
    bool agreed = why != HPE_OK && why != HPE_PAUSED; /* that it is broken */
    return agreed ? http_errno_description(why) : "its head has no clear end";
}

const char *http_head_take(http_head_t *head, char *raw, size_t len, size_t *used)
{
    const char *wrong = NULL;
    for (*used = 0; *used < len && wrong == NULL && !head->ended;) {
        size_t piece;
        wrong = take_piece(head, raw + *used, len - *used, &piece);
        *used += piece;
    }
    return wrong;
}

void http_head_free(http_head_t *head)
{
    http_headers_clear(&head->headers);
    free(head->line);
    memset(head, 0, sizeof(*head));
}
