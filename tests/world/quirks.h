/* One answer of the server: what an honest one would say, and everything that can be wrong with it. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "world.h"

#define HEAD_EXTRA_MAX 512
#define PAUSES_MAX     4
#define NOWHERE        UINT32_MAX /* as a place in an answer */

typedef enum { FRAME_LENGTH, FRAME_CHUNKED, FRAME_CLOSE } framing_t;

/** A part of the answer that comes bit by bit. */
typedef enum { DRIP_NONE, DRIP_HEAD, DRIP_BODY, DRIP_FIRST_BYTES, DRIP_ENDLESS } drip_t;

/** An answer in the making. */
typedef struct {
    line_t *line;
    chance_t *chance;
    /* The request. */
    const char *request;
    bool head, range_read, ranged; /* HEAD; has a Range; and If-Range lets it stand */
    uint32_t first, last;
    const char *authorization; /* NULL: none */
    const release_t *file;
    const uint8_t *file_bytes; /* of it, as this device gets it */
    uint32_t file_len;

    /* The answer. */
    const char *version, *status;
    const char *content_range; /* NULL: none */
    char content_range_text[64];
    bool partial;
    uint32_t from; /* of the body in the file */
    const uint8_t *body;
    uint32_t body_len, tail_len; /* and so many bytes of nothing behind it */
    framing_t framing;
    int64_t said_length;     /* Content-Length */
    const char *length_text; /* instead */
    bool length_in_tabs;
    const char *etag, *date;
    bool closes;                /* ends the connection after the answer */
    char extra[HEAD_EXTRA_MAX]; /* header lines */
    const char *long_name;      /* of a field ... */
    uint32_t long_len;          /* ... of so many bytes */
    uint32_t padding;           /* bytes of header fields besides */
    const char *padding_line;   /* the same one again and again; NULL: such with long values */
    const char *line_end;
    bool other_case, zero_byte;
    const char *endless_head, *endless_chunk; /* from there on nothing but this, for ever */
    const char *literal;                      /* all of the answer, instead */
    const char *before;                       /* an interim answer, or noise */
    const char *chunk_fault;                  /* instead of the second chunk's size */
    const char *chunked_end; /* instead of the last chunk and its trailer; NULL: as it should be */
    bool chunks_of_one;
    bool bit_wrong; /* in the file that is served */

    /* The way. */
    uint32_t cut_at;         /* bytes of the answer that come through; NOWHERE: all */
    uint32_t cut_after_body; /* the same, of the body */
    segment_kind_t cut_kind;
    segment_kind_t end_kind; /* how a connection ends that the server closes */
    uint32_t pause_at[PAUSES_MAX], pause_ms[PAUSES_MAX];
    unsigned pauses;
    drip_t drip;
    uint32_t drip_ms;
    size_t max_read;

    bool goes_on; /* this quirk stays for the whole attempt */

    /* Where things are in what was rendered. */
    size_t start, head_end, chunk_line;
} exchange_t;

typedef struct {
    const char *name;
    void (*apply)(exchange_t *x);
    const char *rows; /* of docs/MISBEHAVIOUR.md, which it stands for */
} quirk_t;

extern const quirk_t body_quirks[], talk_quirks[];
extern const unsigned body_quirk_count, talk_quirk_count;

unsigned quirks_count(void);
const char *quirk_name(unsigned index);
/** Makes the answer wrong in one way, or leaves it. */
void quirk_apply(exchange_t *x, unsigned index);

/** One of `count` texts. */
const char *draw_text(exchange_t *x, const char *const *texts, size_t count);
#define DRAW_TEXT(x, texts) draw_text((x), (texts), sizeof(texts) / sizeof((texts)[0]))
/** The bytes of a release as this device gets them: some devices decrypt. */
const uint8_t *release_as_served(const exchange_t *x, const release_t *release, uint32_t *len);
/** An answer without the file. */
void answer_without_body(exchange_t *x, const char *status);
void add_pause(exchange_t *x, uint32_t at, uint32_t ms);

/** Tells of every one how often it happened. @return how many never did */
unsigned quirks_print(const tally_t *tally);
unsigned troubles_print(const tally_t *tally);
/** "name|rows" of every one. */
void quirks_list(void);
void troubles_list(void);
