/* Looks at a response's head before http_parser does, which is lax where other readers are not. */
#include "http/head.h"

#define NOT_HTTP "it does not begin with HTTP/"

typedef enum {
    BEGIN, /* blank lines before a response do no harm */
    STATUS,
    LINE, /* the first byte of a line */
    NAME,
    VALUE,
} place_t;

static const char protocol[] = "HTTP/";

/* What a line feed ends. */
static const char *end_line(http_head_t *head)
{
    if (head->place == LINE) {
        head->ended = true;
    } else if (head->place == STATUS && head->protocol_len < sizeof(protocol) - 1) {
        return NOT_HTTP;
    } else if (head->place != BEGIN) {
        head->first_line = head->place == STATUS;
        head->place = LINE;
    }
    return NULL;
}

static const char *check_status_byte(http_head_t *head, char c)
{
    head->place = STATUS;
    if (head->protocol_len < sizeof(protocol) - 1 && protocol[head->protocol_len++] != c) {
        return NOT_HTTP;
    }
    return NULL;
}

static const char *check_name_byte(http_head_t *head, char c)
{
    bool blank = c == ' ' || c == '\t';
    bool goes_on = blank && head->place == LINE && !head->first_line; /* with the value of the line before */
    if (blank && !goes_on) {
        return "it has a blank in a header's name";
    }
    head->place = goes_on || c == ':' ? VALUE : NAME;
    return NULL;
}

static const char *check_byte(http_head_t *head, char *c)
{
    if (head->after_cr && *c != '\n') {
        return "it has a carriage return inside a line"; /* http_parser would take any byte for the line feed */
    }
    head->after_cr = *c == '\r';
    if (*c == '\n') {
        return end_line(head);
    }
    if (*c == '\r') {
        return NULL;
    }
    if (head->place == VALUE) {
        *c = *c == '\t' ? ' ' : *c; /* http_parser knows only blanks behind a length or "chunked" */
        return NULL;
    }
    return head->place < LINE ? check_status_byte(head, *c) : check_name_byte(head, *c);
}

const char *http_head_check(http_head_t *head, char *raw, size_t len, size_t *used)
{
    const char *wrong = NULL;
    for (*used = 0; *used < len && wrong == NULL && !head->ended; (*used)++) {
        wrong = check_byte(head, &raw[*used]);
    }
    return wrong;
}
