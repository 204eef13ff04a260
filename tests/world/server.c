/* The server: reads a request, plans an honest answer, lets a quirk spoil it, and puts it on the connection. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "otter/bytes.h"
#include "quirks.h"
#include "support/sealed.h"

#define PIECE_MAX    2048u
#define CHUNK_MAX    3000u
#define FLIPS_MAX    4u
#define FLAG_PERCENT 10 /* of answers with changed bits: just that one */
/* Byte 23 of an image says whether there is a hash, so a bit there cannot be found by it (that is what signatures are for)
 * unless the device wants one. */
#define HASH_FLAG     23u
#define HASH_FLAG_END (24u + WORLD_CIPHER_HEAD)
#define FIRST_BYTES   32u

/* ---- the request ---- */

static const char *header_value(const char *request, const char *name)
{
    const char *at = strstr(request, name);
    return at != NULL ? at + strlen(name) : NULL;
}

static bool value_is(const char *value, const char *text)
{
    size_t len = strlen(text);
    return value != NULL && strncmp(value, text, len) == 0 && value[len] == '\r';
}

/** Range, if it is one and If-Range lets it stand. */
static void read_range(exchange_t *x)
{
    const char *range = header_value(x->request, "\r\nRange: bytes=");
    const char *condition = header_value(x->request, "\r\nIf-Range: ");
    if (range == NULL) {
        return;
    }
    char *end;
    x->range_read = true;
    x->first = (uint32_t)strtoul(range, &end, 10);
    x->last = *end == '-' && end[1] != '\r' ? (uint32_t)strtoul(end + 1, NULL, 10) : UINT32_MAX;
    x->ranged = condition == NULL || value_is(condition, x->file->etag) || value_is(condition, x->file->date);
}

/** Name and password are for the server in the URL, and for nobody that it names. */
static void check_credentials(const connection_t *c, const char *authorization)
{
    world_device_t *d = c->device;
    bool home = strcmp(c->host, "server.example") == 0 && c->port == (d->plan.plain ? 80 : 443);
    if (authorization != NULL && !home) {
        world_fail(d->world, d, "the credentials went to %.40s:%u", c->host, c->port);
    }
}

static void tell_request(const exchange_t *x, const connection_t *c)
{
    const char *range = header_value(x->request, "\r\nRange: bytes=");
    world_t *world = c->device->world;
    story(world, c->device, "request on %u: %.*s%s%.*s of release %u", c->number, x->head ? 4 : 3, x->request,
          range != NULL ? " " : "", range != NULL ? (int)strcspn(range, "\r") : 0, range != NULL ? range : "",
          world->published);
}

/* ---- the honest answer ---- */

static void plan_answer(exchange_t *x)
{
    uint32_t len = x->file_len;
    x->version = "HTTP/1.1";
    x->status = "200 OK";
    x->line_end = "\r\n";
    x->body = x->file_bytes;
    x->body_len = len;
    x->etag = x->file->etag;
    x->date = x->file->date;
    x->cut_at = x->cut_after_body = NOWHERE;
    x->end_kind = SEGMENT_GOODBYE;
    if (x->ranged && x->first >= len) {
        x->status = "416 Range Not Satisfiable";
        x->body_len = 0;
        snprintf(x->extra, sizeof(x->extra), "Content-Range: bytes */%u\r\n", (unsigned)len);
    } else if (x->ranged && x->first <= x->last) {
        uint32_t last = min_u32(x->last, len - 1);
        x->status = "206 Partial Content";
        x->partial = true;
        x->from = x->first;
        x->body += x->first;
        x->body_len = last - x->first + 1;
        snprintf(x->content_range_text, sizeof(x->content_range_text), "bytes %u-%u/%u", (unsigned)x->first,
                 (unsigned)last, (unsigned)len);
        x->content_range = x->content_range_text;
    }
    x->said_length = x->body_len;
}

/* ---- into bytes ---- */

static void put(connection_t *to, const void *data, size_t len)
{
    if (len > 0 && len <= ANSWER_MAX - to->answer_len) {
        memcpy(to->answer + to->answer_len, data, len);
        to->answer_len += len;
    }
}

static void put_text(connection_t *to, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put_text(connection_t *to, const char *format, ...)
{
    char text[PIECE_MAX];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    put(to, text, (size_t)len < sizeof(text) ? (size_t)len : sizeof(text) - 1);
}

static void put_filler(connection_t *to, char filler, uint32_t len)
{
    if (len <= ANSWER_MAX - to->answer_len) {
        memset(to->answer + to->answer_len, filler, len);
        to->answer_len += len;
    }
}

static void put_fields(const exchange_t *x, connection_t *to)
{
    if (x->framing == FRAME_LENGTH && x->length_text != NULL) {
        put_text(to, "Content-Length: %s\r\n", x->length_text);
    } else if (x->framing == FRAME_LENGTH) {
        const char *around = x->length_in_tabs ? "\t" : "";
        put_text(to, "Content-Length: %s%lld%s\r\n", around, (long long)x->said_length, around);
    } else if (x->framing == FRAME_CHUNKED) {
        put_text(to, "Transfer-Encoding: chunked\r\n");
    }
    if (x->content_range != NULL) {
        put_text(to, "Content-Range: %s\r\n", x->content_range);
    }
    if (x->etag != NULL) {
        put_text(to, "ETag: %s\r\n", x->etag);
    }
    if (x->date != NULL) {
        put_text(to, "Last-Modified: %s\r\n", x->date);
    }
    put_text(to, "%s%s", x->extra, x->closes ? "Connection: close\r\n" : "");
}

static void put_padding(const exchange_t *x, connection_t *to)
{
    for (uint32_t done = 0; done < x->padding && x->padding_line == NULL; done += 100) {
        put_text(to, "X-Padding-%06u: %80s\r\n", (unsigned)done, "");
    }
    for (uint32_t done = 0; done < x->padding && x->padding_line != NULL;
         done += (uint32_t)strlen(x->padding_line)) {
        put_text(to, "%s", x->padding_line);
    }
    if (x->long_name != NULL) {
        put_text(to, "%s: /", x->long_name);
        put_filler(to, 'x', x->long_len);
        put_text(to, "\r\n");
    }
    if (x->zero_byte) {
        put(to, "X-Zero: a\0b\r\n", 13);
    }
}

/** Names in capitals; lines that end otherwise. */
static void restyle_head(const exchange_t *x, connection_t *to, size_t from)
{
    bool in_name = false;
    size_t out = from;
    for (size_t i = from; i < to->answer_len; i++) {
        char c = (char)to->answer[i];
        bool dropped = c == '\r' && strcmp(x->line_end, "\n") == 0;
        in_name = c == '\n' || (in_name && c != ':');
        if (!dropped) {
            to->answer[out++] = in_name && x->other_case ? (uint8_t)toupper((unsigned char)c) : (uint8_t)c;
        }
    }
    to->answer_len = out;
}

static void put_head(exchange_t *x, connection_t *to)
{
    size_t from = to->answer_len;
    put_text(to, "%s %s\r\n", x->version, x->status);
    put_fields(x, to);
    put_padding(x, to);
    if (x->endless_head == NULL) {
        put_text(to, "\r\n");
    }
    restyle_head(x, to, from);
}

static void put_chunks(exchange_t *x, connection_t *to)
{
    for (uint32_t done = 0; done < x->body_len;) {
        uint32_t len = min_u32(x->body_len - done, 1 + chance_below(x->chance, CHUNK_MAX));
        len = x->chunks_of_one && done < PIECE_MAX ? 1 : len;
        x->chunk_line = chance_percent(x->chance, 30) ? to->answer_len : x->chunk_line;
        if (done > 0 && x->endless_chunk != NULL) {
            return;
        }
        if (done > 0 && x->chunk_fault != NULL) {
            put_text(to, "%s\r\n", x->chunk_fault);
        } else {
            put_text(to, "%x;part\r\n", (unsigned)len);
        }
        put(to, x->body + done, len);
        put_text(to, "\r\n");
        done += len;
    }
    if (x->endless_chunk == NULL) {
        put_text(to, "%s", x->chunked_end != NULL ? x->chunked_end : "0\r\nX-Trailer: end\r\n\r\n");
    }
}

/** The file itself is wrong: TLS brings it as it is. */
static void spoil_bit(const exchange_t *x, connection_t *to)
{
    uint32_t safe = x->line->device->plan.device.require_hash ? 0 : HASH_FLAG_END;
    uint32_t skip = x->from < safe ? safe - x->from : 0;
    size_t len = to->answer_len - x->head_end;
    if (x->bit_wrong && x->framing != FRAME_CHUNKED && len > skip) {
        to->answer[x->head_end + skip + chance_below(x->chance, (uint32_t)(len - skip))] ^=
            (uint8_t)(1u << chance_below(x->chance, 8));
    }
}

static void render(exchange_t *x, connection_t *to)
{
    x->start = to->answer_len;
    if (x->before != NULL) {
        put_text(to, "%s", x->before);
    }
    if (x->literal != NULL) {
        put_text(to, "%s", x->literal);
        x->head_end = to->answer_len;
        return;
    }
    put_head(x, to);
    x->head_end = to->answer_len;
    if (x->head || x->endless_head != NULL) {
        return;
    }
    if (x->framing == FRAME_CHUNKED) {
        put_chunks(x, to);
    } else {
        put(to, x->body, x->body_len);
        put_filler(to, (char)0xAA, x->tail_len);
    }
    spoil_bit(x, to);
}

/* ---- over the line ---- */

/** The one bit of the image that takes the hash away. @return false: it is not in this answer */
static bool flip_hash_flag(exchange_t *x, connection_t *to)
{
    const device_plan_t *plan = &x->line->device->plan;
    uint32_t flag = HASH_FLAG + (plan->sealed     ? sealed_head(SEALED_ECIES)
                                 : plan->decrypts ? WORLD_CIPHER_HEAD
                                                  : 0);
    if (x->from > flag || x->framing == FRAME_CHUNKED || to->answer_len - x->head_end <= flag - x->from ||
        !chance_percent(x->chance, FLAG_PERCENT)) {
        return false;
    }
    to->answer[x->head_end + flag - x->from] ^= 1;
    x->line->device->world->tally->flips_flag++;
    story(x->line->device->world, x->line->device, "line: the image loses its hash");
    return true;
}

/** Where a bit changes: in the head, in the framing, in the image's first bytes, or anywhere. */
static size_t draw_flip(exchange_t *x, const connection_t *to)
{
    tally_t *tally = x->line->device->world->tally;
    size_t head = x->head_end - x->start, body = to->answer_len - x->head_end;
    uint32_t what = chance_below(x->chance, 100);
    if (body == 0 || what < 25) {
        tally->flips_head++;
        return x->start + chance_below(x->chance, (uint32_t)head);
    }
    if (what < 40 && x->chunk_line != 0) {
        tally->flips_framing++;
        return x->chunk_line +
               chance_below(x->chance, min_u32(8, (uint32_t)(to->answer_len - x->chunk_line)));
    }
    if (what < 60) {
        tally->flips_first++;
        return x->head_end + chance_below(x->chance, min_u32(FIRST_BYTES, (uint32_t)body));
    }
    tally->flips_body++;
    return x->head_end + chance_below(x->chance, (uint32_t)body);
}

static void flip_bits(exchange_t *x, connection_t *to)
{
    if (!x->line->plain || to->answer_len == x->start ||
        !chance_percent(x->chance, x->line->weather.flip_percent) || flip_hash_flag(x, to)) {
        return;
    }
    for (uint32_t i = 1 + chance_below(x->chance, FLIPS_MAX); i > 0; i--) {
        size_t at = draw_flip(x, to);
        to->answer[at] ^= (uint8_t)(1u << chance_below(x->chance, 8));
        story(x->line->device->world, x->line->device,
              "line: a bit of byte %zu of the answer changes (head: %zu)", at - x->start,
              x->head_end - x->start);
    }
}

/** [*from, *to) of the answer drips. */
static void drip_range(const exchange_t *x, size_t end, size_t *from, size_t *to)
{
    *from = x->drip == DRIP_HEAD ? x->start : x->head_end;
    *to = x->drip == DRIP_HEAD ? x->head_end : x->drip == DRIP_FIRST_BYTES ? x->head_end + FIRST_BYTES : end;
    if (x->drip == DRIP_NONE || x->drip == DRIP_ENDLESS) {
        *from = *to = end;
    }
}

static size_t nearer(size_t pos, size_t at, size_t next)
{
    return at > pos && at < next ? at : next;
}

static void send_bytes(const exchange_t *x, connection_t *to, size_t end)
{
    size_t drip_from, drip_to, pos = x->start;
    drip_range(x, end, &drip_from, &drip_to);
    while (pos < end) {
        size_t next = nearer(pos, drip_to, nearer(pos, drip_from, end));
        uint32_t wait_ms = 0;
        for (unsigned i = 0; i < x->pauses; i++) {
            next = nearer(pos, x->start + x->pause_at[i], next);
            wait_ms += x->start + x->pause_at[i] == pos ? x->pause_ms[i] : 0;
        }
        bool drips = pos >= drip_from && pos < drip_to;
        connection_send(to, wait_ms,
                        (segment_t){.kind = SEGMENT_BYTES,
                                    .from = pos,
                                    .len = next - pos,
                                    .drip_len = drips ? 1 : 0,
                                    .drip_ms = drips ? x->drip_ms : 0});
        pos = next;
    }
}

static void send_endlessly(const exchange_t *x, connection_t *to, const char *text)
{
    size_t from = to->answer_len;
    put_text(to, "%s", text);
    bool drips = x->drip == DRIP_ENDLESS;
    connection_send(to, 0,
                    (segment_t){.kind = SEGMENT_BYTES,
                                .from = from,
                                .len = to->answer_len - from,
                                .drip_len = drips ? 1 : 0,
                                .drip_ms = drips ? x->drip_ms : 0,
                                .endless = true});
}

static void transmit(const exchange_t *x, connection_t *to)
{
    size_t end = to->answer_len, cut = end;
    bool cuts = x->cut_at != NOWHERE || x->cut_after_body != NOWHERE;
    cut = x->cut_at != NOWHERE && x->start + x->cut_at < cut ? x->start + x->cut_at : cut;
    cut = x->cut_after_body != NOWHERE && x->head_end + x->cut_after_body < cut
              ? x->head_end + x->cut_after_body
              : cut;
    to->max_read = x->max_read;
    send_bytes(x, to, cuts ? cut : end);
    if (cuts) {
        connection_send(to, 0, (segment_t){.kind = x->cut_kind});
    } else if (x->endless_head != NULL ||
               (x->endless_chunk != NULL && !x->head && x->framing == FRAME_CHUNKED)) {
        send_endlessly(x, to, x->endless_head != NULL ? x->endless_head : x->endless_chunk);
    } else if (x->closes || x->framing == FRAME_CLOSE || x->literal != NULL) {
        connection_send(to, 0, (segment_t){.kind = x->end_kind});
    }
}

/* ---- the conversation ---- */

static void spoil(exchange_t *x)
{
    line_t *line = x->line;
    world_t *world = line->device->world;
    if (!chance_percent(x->chance, line->weather.quirk_percent)) {
        return;
    }
    int only = line->weather.only_quirk;
    unsigned index = only >= 0 ? (unsigned)only : chance_below(x->chance, quirks_count());
    quirk_apply(x, index);
    world->tally->quirks[index]++;
    story(world, line->device, "server: %s", quirk_name(index));
    if (x->goes_on) {
        line->weather.only_quirk = (int)index;
        line->weather.quirk_percent = 100;
    }
}

/** Without TLS a request can change on its way, too. */
static void flip_request(line_t *line, char *request)
{
    chance_t *c = &line->device->world->chance;
    if (line->plain && chance_percent(c, line->weather.flip_percent / 4)) {
        request[chance_below(c, (uint32_t)strlen(request))] ^= (char)(1u << chance_below(c, 7));
        line->device->world->tally->flips_request++;
    }
}

void server_answer(connection_t *c, char *request, connection_t *to)
{
    line_t *line = &c->device->line;
    world_t *world = c->device->world;
    check_credentials(c, header_value(request, "\r\nAuthorization: "));
    flip_request(line, request);
    world->tally->requests++;
    exchange_t x = {.line = line,
                    .chance = &world->chance,
                    .request = request,
                    .file = &world->releases[world->published],
                    .head = strncmp(request, "HEAD ", 5) == 0,
                    .authorization = header_value(request, "\r\nAuthorization: ")};
    x.file_bytes = release_as_served(&x, x.file, &x.file_len);
    read_range(&x);
    plan_answer(&x);
    tell_request(&x, c);
    if (!x.head && strncmp(request, "GET ", 4) != 0) {
        x.literal = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
    } else {
        spoil(&x);
    }
    if (x.status[0] == '3' || strncmp(x.status, "401", 3) == 0) {
        line->vain = 0; /* the connect brought something, if not the file */
    }
    if (to != NULL) {
        render(&x, to);
        flip_bits(&x, to);
        transmit(&x, to);
    }
}
