/* The slow link: what has come is held in a ring as large as the window, each piece with the time of its arrival. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/link_model.h"

#include <stdlib.h>
#include <string.h>

#define SEGMENT       1440u   /* bytes: lwIP's TCP_MSS */
#define RETRANSMIT_US 200000u /* until a lost segment is missed: the least time-out of most systems */
#define SEED          2463534242u

bool link_model_begin(link_model_t *m, const otter_run_link_t *link)
{
    const uint32_t pieces = 2 * (link->window / SEGMENT) + 64;
    *m = (link_model_t){.link = *link, .random = SEED, .pieces_max = pieces};
    m->ring = malloc(link->window);
    m->pieces = calloc(pieces, sizeof(*m->pieces));
    if (m->ring == NULL || m->pieces == NULL) {
        link_model_end(m);
        return false;
    }
    return true;
}

void link_model_end(link_model_t *m)
{
    free(m->pieces);
    free(m->ring);
    m->pieces = NULL;
    m->ring = NULL;
}

void link_model_forget(link_model_t *m)
{
    m->first = m->count = m->to_segment = m->note = 0;
    m->taken = m->come = 0;
    m->sent_us = m->knows_us = m->last_us = 0;
    memset(m->notes, 0, sizeof(m->notes));
}

static int64_t line_us(const link_model_t *m, uint64_t bytes)
{
    return (int64_t)(bytes * 8 * 1000000 / m->link.rate);
}

void link_model_written(link_model_t *m, size_t len, int64_t now_us)
{
    const int64_t sent = m->knows_us - m->link.delay_us;
    m->knows_us = (sent > now_us ? sent : now_us) + line_us(m, len) + m->link.delay_us;
}

/* ---- what comes ---- */

/** When the peer hears that the program has read so much of the stream that byte `upto` fits the window. */
static int64_t window_opens_us(const link_model_t *m, uint64_t upto)
{
    if (upto <= m->link.window) {
        return 0;
    }
    const uint64_t needed = upto - m->link.window;
    int64_t us = INT64_MAX;
    for (uint32_t i = 0; i < LINK_MODEL_NOTES; i++) {
        if (m->notes[i].upto >= needed && m->notes[i].us < us) {
            us = m->notes[i].us;
        }
    }
    return us != INT64_MAX ? us + m->link.delay_us : 0;
}

/** Is one of the segments that begin in the next `len` bytes lost? */
static bool loses(link_model_t *m, uint32_t len)
{
    bool lost = false;
    while (len >= m->to_segment && m->link.loss_ppm != 0) {
        len -= m->to_segment;
        m->to_segment = SEGMENT;
        m->random ^= m->random << 13; /* xorshift */
        m->random ^= m->random >> 17;
        m->random ^= m->random << 5;
        lost = lost || m->random % 1000000u < m->link.loss_ppm;
    }
    m->to_segment -= len;
    return lost;
}

uint8_t *link_model_room(link_model_t *m, uint32_t *room)
{
    const uint32_t window = m->link.window, held = (uint32_t)(m->come - m->taken);
    const uint32_t at = (uint32_t)(m->come % window);
    *room = window - held < window - at ? window - held : window - at;
    *room = *room < SEGMENT ? *room : SEGMENT;
    *room = m->count == m->pieces_max ? 0 : *room;
    return m->ring + at;
}

void link_model_came(link_model_t *m, uint32_t len, bool late, int64_t now_us)
{
    int64_t begin = m->sent_us;
    const int64_t opens = window_opens_us(m, m->come + len);
    begin = begin > opens ? begin : opens;
    begin = begin > m->knows_us ? begin : m->knows_us;
    begin = late && begin < now_us ? now_us : begin;
    m->sent_us = begin + line_us(m, len);
    int64_t us = m->sent_us + m->link.delay_us;
    us += loses(m, len) ? RETRANSMIT_US + 2 * (int64_t)m->link.delay_us : 0;
    m->last_us = m->last_us > us ? m->last_us : us;
    m->come += len;
    m->pieces[(m->first + m->count) % m->pieces_max] = (link_piece_t){m->come, m->last_us};
    m->count++;
}

/* ---- what is read ---- */

int64_t link_model_next_us(const link_model_t *m)
{
    return m->count > 0 ? m->pieces[m->first].us : LINK_MODEL_NEVER;
}

size_t link_model_look(const link_model_t *m, void *buf, size_t len, int64_t now_us)
{
    const uint32_t window = m->link.window;
    uint8_t *out = buf;
    size_t got = 0;
    for (uint32_t i = 0; got < len && i < m->count; i++) {
        const link_piece_t *piece = &m->pieces[(m->first + i) % m->pieces_max];
        if (piece->us > now_us) {
            break;
        }
        while (got < len && m->taken + got < piece->end) { /* twice where the ring begins again */
            const uint64_t from = m->taken + got;
            const uint32_t at = (uint32_t)(from % window);
            uint64_t n = piece->end - from;
            n = n < len - got ? n : len - got;
            n = n < window - at ? n : window - at;
            memcpy(out + got, m->ring + at, (size_t)n);
            got += (size_t)n;
        }
    }
    return got;
}

static void note_reading(link_model_t *m, int64_t now_us)
{
    link_note_t *last = &m->notes[(m->note + LINK_MODEL_NOTES - 1) % LINK_MODEL_NOTES];
    const uint32_t step = m->link.window / (LINK_MODEL_NOTES / 2) + 1;
    const link_note_t now = {m->taken, now_us};
    const link_note_t *before = &m->notes[(m->note + LINK_MODEL_NOTES - 2) % LINK_MODEL_NOTES];
    if (m->taken - before->upto < step) {
        *last = now;
    } else {
        m->notes[m->note] = now;
        m->note = (m->note + 1) % LINK_MODEL_NOTES;
    }
}

size_t link_model_take(link_model_t *m, void *buf, size_t len, int64_t now_us)
{
    const size_t got = link_model_look(m, buf, len, now_us);
    m->taken += got;
    while (m->count > 0 && m->pieces[m->first].end <= m->taken) {
        m->first = (m->first + 1) % m->pieces_max;
        m->count--;
    }
    if (got > 0) {
        note_reading(m, now_us);
    }
    return got;
}
