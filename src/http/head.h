/* Looks at a response's head before http_parser does, which is lax where other readers are not. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/** Zero-initialise for each head. Pure: keeps no pointer into what it was given. */
typedef struct {
    int place;           /* where in the head the next byte stands */
    size_t protocol_len; /* bytes of "HTTP/" seen */
    bool first_line;     /* the line behind the status line */
    bool after_cr;       /* the last byte was a carriage return */
    bool ended;          /* the line feed of the empty line was seen: nothing more is looked at */
} http_head_t;

/**
 * Checks bytes up to the end of the head (RFC 9112, sections 2.2 to 5), and makes tabs in values blanks, which mean the same.
 * What it does not look at, http_parser does: numbers, the characters of names and values.
 * @param used  receives how many bytes are head: up to its end, or all of them
 * @return NULL, or what is wrong, a sentence without its subject
 */
const char *http_head_check(http_head_t *head, char *raw, size_t len, size_t *used);
