/* When the bytes of a connection come over a slow link: rate, delay, loss, a window. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "otter/run_protocol.h"

/*
 * The model, by whatever clock its caller has:
 *
 * - Connecting takes one round trip, two delays, beside what it takes itself.
 * - The peer has had what was written to it when it would have come over the line: after its bits, at the rate, and one delay.
 * - The peer then sends as fast as the rate allows, and no more than `window` bytes ahead of what the program has read. What the
 *   program reads reaches it one delay later. Each byte comes one delay after it was sent. What the real peer sends later comes
 *   later: it is never faster than it is.
 * - Of the segments that come (1440 bytes) each is lost by itself with the probability `loss`, by a generator with a fixed seed:
 *   the same bytes lose the same segments in each run. A lost one, with all behind it, comes 200 ms and a round trip later: what
 *   TCP needs to miss it, with a window of few segments, and to have it sent again. What the device sends is not lost.
 *
 * No byte is changed, and none goes missing. It knows nothing of sockets and needs nothing but a C library: a build of ESP-IDF
 * compiles it, too. Times are in microseconds and never negative.
 */

#define LINK_MODEL_NEVER INT64_MAX
#define LINK_MODEL_NOTES                                                                                     \
    64u /* of what was read, and when; what is read in smaller pieces than a 64th is put together */

/** Bytes up to this one of the stream were read by the program at that time. */
typedef struct {
    uint64_t upto;
    int64_t us;
} link_note_t;

/** A piece of what has come: where it ends in the stream, and when it arrives. */
typedef struct {
    uint64_t end;
    int64_t us;
} link_piece_t;

/** One connection; of no interest outside. */
typedef struct {
    otter_run_link_t link;
    uint8_t *ring;        /* link.window bytes; byte n of the stream at n % window */
    link_piece_t *pieces; /* as many as there can be; from `first` on, in a ring */
    uint32_t pieces_max, first, count;
    uint64_t taken;   /* bytes of the stream that the program has read */
    uint64_t come;    /* that are in the ring, or were */
    int64_t sent_us;  /* when the peer has sent the last of them */
    int64_t knows_us; /* from then on the peer has what was written to it */
    int64_t last_us;  /* when the last of them arrives: nothing overtakes */
    uint32_t random;
    uint32_t to_segment; /* bytes until the next segment begins */
    link_note_t notes[LINK_MODEL_NOTES];
    uint32_t note; /* the next one */
} link_model_t;

/** @return false when out of memory; there is nothing to end then */
bool link_model_begin(link_model_t *m, const otter_run_link_t *link);
void link_model_end(link_model_t *m);

/** Everything as at the beginning of a connection; the generator of losses goes on. */
void link_model_forget(link_model_t *m);

/** The program has written so many bytes. */
void link_model_written(link_model_t *m, size_t len, int64_t now_us);

/** Where the next bytes of the peer go. @param room  how many at most; 0: the window is full */
uint8_t *link_model_room(link_model_t *m, uint32_t *room);

/** So many have been put there. @param late  it had to be waited for them: the peer has not had them earlier */
void link_model_came(link_model_t *m, uint32_t len, bool late, int64_t now_us);

/** Copies what has arrived of the next `len` bytes, and leaves them. @return how many */
size_t link_model_look(const link_model_t *m, void *buf, size_t len, int64_t now_us);

/** The program reads what has arrived of the next `len` bytes. @return how many */
size_t link_model_take(link_model_t *m, void *buf, size_t len, int64_t now_us);

/** When the next byte arrives or has arrived. LINK_MODEL_NEVER: none is on its way */
int64_t link_model_next_us(const link_model_t *m);
