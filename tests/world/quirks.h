/* One answer of the server: what an honest one would say, and everything that can be wrong with it. */
#pragma once

#include "world.h"

#define HEAD_EXTRA_MAX 256

typedef enum { FRAME_LENGTH, FRAME_CHUNKED, FRAME_CLOSE } framing_t;

/** An answer in the making. */
typedef struct {
    line_t *line;
    chance_t *chance;
    /* The request. */
    bool head, ranged; /* HEAD; has a usable Range */
    uint32_t first, last;
    const release_t *file;

    /* The answer. */
    const char *status;
    const char *content_range; /* NULL: as it should be, for a partial answer */
    char content_range_text[64];
    bool partial;
    uint32_t from; /* of the body in the file */
    const uint8_t *body;
    uint32_t body_len;
    framing_t framing;
    int64_t said_length; /* Content-Length */
    const char *etag, *date;
    bool closes;                /* ends the connection after the answer */
    char extra[HEAD_EXTRA_MAX]; /* header lines */
    const char *literal;        /* all of the answer, instead */
    const char *before;         /* an interim answer, or noise */
    uint32_t padding;           /* bytes of header fields besides */
    const char *chunk_fault;    /* instead of the second chunk's size */
    bool chunked_without_end;

    /* The way. */
    uint32_t cut_at;          /* bytes of the answer that come through; UINT32_MAX: all */
    sim_step_kind_t cut_kind; /* SIM_RESET, SIM_EOF, SIM_REQUEST: silence */
    uint32_t pause_at, pause_ms;
    uint32_t flip_percent; /* of answers with a changed bit in the body: without TLS only */
    size_t max_read;
} exchange_t;

/** Makes the answer wrong in one way, or leaves it. */
void quirk_apply(exchange_t *x, unsigned index);
