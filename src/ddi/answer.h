/* What a DDI server answers: the few members that count, picked out of the JSON as it comes. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ddi/json.h"
#include "otter/ddi.h"
#include "otter/promise.h"

/* What a poll can offer, the one that counts most last: its link is the one that is kept. */
typedef enum {
    DDI_OFFER_NOTHING,
    DDI_OFFER_DEPLOYMENT,
    DDI_OFFER_CONFIRMATION,
    DDI_OFFER_CANCEL
} ddi_offer_t;

typedef enum { DDI_MODE_NONE, DDI_MODE_SKIP, DDI_MODE_ATTEMPT, DDI_MODE_FORCED } ddi_mode_t;

/** Of one answer, of whatever kind. Zeros stand for what is not there. */
typedef struct {
    bool is_null;          /* the body is `null`: nothing is due */
    bool wants_attributes; /* the link configData is there */
    bool quota;            /* errorCode: a quota is used up */
    ddi_offer_t offer;
    uint32_t sleep_s;           /* as it was said, 0: it was not */
    char id[OTTER_DDI_ID_SIZE]; /* of the action; of a cancellation the one that it stops */
    ddi_mode_t download, update;
    bool confirms;           /* it is `confirmation`, not `deployment` */
    uint8_t artifacts, pick; /* files; which of them is the next one, counted from 0 */
    /** What that is for: a row of `parts`; their count: it is the image; DDI_NO_PART: nothing is left. */
    uint8_t next;
    uint8_t chunks, others;               /* with files: for this device, and for other parts */
    uint16_t parts;                       /* a bit for each part that it has files for */
    bool twice;                           /* several chunks are for the same part */
    bool unclear;                         /* several files of a chunk could be what it is about */
    uint32_t files_crc;                   /* of what the files for this device are, in whatever order */
    char other[24];                       /* part of the first chunk that is for another */
    otter_ddi_file_t file;                /* of the artifact that was asked for, */
    char version[OTTER_DDI_VERSION_SIZE]; /* and of its chunk */
} ddi_answer_t;

#define DDI_NO_PART UINT8_MAX

/** What a reader has to know. */
typedef struct {
    char *url; /* of OTTER_DDI_URL_SIZE: the link of the offer, or of the artifact; NULL: none */
    const otter_ddi_config_t *config; /* its parts and the ending of file names */
    uint8_t done;                     /* bits of parts that are passed over */
    uint8_t pick; /* the artifact that is kept: if answer.pick is another, read the answer again */
} ddi_wanted_t;

#define DDI_ANSWER_NODES 40u /* members that are known, at most */

/** Reads one answer. Fields are private but for `answer`; it stays where it is until the end. */
typedef struct {
    ddi_json_t json;
    ddi_json_listener_t listener;
    ddi_wanted_t wanted;
    uint8_t url_rank;
    uint8_t first, images,
        image;           /* of the chunk: its first artifact, how many are named as images, the last */
    uint8_t part;        /* what the chunk is for: as answer.next, DDI_NO_PART: another device's */
    uint32_t crc;        /* of what its files are */
    uint8_t depth, next; /* the member whose value comes next */
    uint8_t nodes[DDI_JSON_DEPTH + 1];
    bool seen[DDI_ANSWER_NODES]; /* members that have come in the objects that are open */
    ddi_answer_t answer;
    char token[OTTER_DDI_TOKEN_SIZE];
} ddi_reader_t;

void ddi_reader_begin(ddi_reader_t *reader, const ddi_wanted_t *wanted);
/** @return false: it is no JSON, or contradicts itself, or has more than OTTER_DDI_ANSWER_MAX bytes; json.why tells which */
OTTER_MUST_CHECK bool ddi_reader_feed(ddi_reader_t *reader, const void *data, size_t len);
OTTER_MUST_CHECK bool ddi_reader_end(ddi_reader_t *reader);

/** "00:05:00", or a duration of ISO 8601 as "P1DT2H". @return seconds; 0: it is neither, or none at all */
uint32_t ddi_parse_sleep(const char *text);
