/*
 * The head of a response: bytes in any pieces to status, headers and what they say of the body. The one file that sees
 * http_parser.
 *
 * What we use of it: the state machine of a response's status line and header lines, Content-Length, "chunked" and
 * Connection. No body passes through it (chunks.c), no URL (url.c), no request.
 *
 * It is lax, and has had no maintainer since 2020. So it is not trusted alone. Around it stand
 * - http_head_take()'s own look at each byte first: the protocol's name, line ends, blanks around names, tabs in values. Two
 *   readers must never see two heads;
 * - limits on bytes, lines and interim responses;
 * - http_headers_append(), which refuses a character that no header can have;
 * - choose_body() in response.c: the parser and the list of headers must agree on the transfer coding; lengths fit;
 * - the last byte: the parser and the look must find the end at the same place.
 *
 * The way out of it: `http_head_t` says all that the client knows of a head, so a replacement changes head.c alone. llhttp has
 * the same callbacks and flags (on_header_field, on_header_value, on_headers_complete, HPE_PAUSED): take_piece() and the three
 * callbacks change, some 60 lines. Own code would add to the look, which knows already where names and values begin: collect
 * them, and read the three numbers of the status line, Content-Length and Connection. Either way these guard the change:
 * unit/test_response (each head whole and byte by byte), unit/test_client, fuzz/http_response with its corpus, and
 * e2e/test_misbehaviour.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/headers.h"

/** What a head has said so far; all of it is true once `ended`. Zero-initialise; http_head_free() makes it so again. */
typedef struct {
    bool ended; /* the head is whole: http_head_take() is not called any more */
    size_t len; /* bytes of heads so far, interim responses included; 0: nothing of the answer has come */
    unsigned status;
    http_headers_t headers;
    bool chunked; /* Transfer-Encoding ends in chunked */
    bool has_length;
    uint64_t content_length; /* if has_length */
    bool keep_alive;         /* by version and Connection, and the body does not end with the connection */
    bool closes;             /* HTTP/1.0, or Connection: close */

    /* the inside */
    union {
        uint64_t words[5];
        void *pointer;
    } parser; /* of http_parser */
    bool parser_begun;
    unsigned interim_count;
    const char *why; /* why a callback of the parser gave up */
    char *line;      /* "key\0value\0" of the header that is being read */
    size_t line_size, key_len, value_len;
    bool in_value;
    struct {
        int place;           /* where in the head the next byte stands */
        size_t protocol_len; /* bytes of "HTTP/" seen */
        bool first_line;     /* the line behind the status line */
        bool after_cr;       /* the last byte was a carriage return */
        bool ended;          /* the line feed of the empty line was seen: nothing more is looked at */
    } look;                  /* our own, before the parser's */
} http_head_t;

/**
 * Takes bytes up to the end of the head. Interim responses (1xx) are read and forgotten. Tabs in values become blanks in
 * `raw`, which mean the same. Keeps no pointer into it.
 * @param used  receives how many bytes were head, all of them unless `ended`; what follows is body
 * @return NULL, or what is wrong, a sentence without its subject ("it has ..."): nothing more can be taken
 */
const char *http_head_take(http_head_t *head, char *raw, size_t len, size_t *used);

void http_head_free(http_head_t *head);
