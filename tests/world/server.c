/* The server: reads a request, plans an honest answer, lets a quirk spoil it, and puts it on the line. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/le.h"
#include "quirks.h"

#define HEAD_MAX  1024u
#define CHUNK_MAX 3000u
/* Of the answers of a bad line without TLS, so many bring a changed bit; byte 23 of an image says whether there is a hash,
 * so a bit there cannot be found by it (that is what signatures are for): it stays. */
#define FLIP_SAFE_FROM 24u

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
static void read_range(exchange_t *x, const char *request)
{
    const char *range = header_value(request, "\r\nRange: bytes=");
    const char *condition = header_value(request, "\r\nIf-Range: ");
    bool same = condition == NULL || value_is(condition, x->file->etag) || value_is(condition, x->file->date);
    if (range == NULL || !same) {
        return;
    }
    char *end;
    x->ranged = true;
    x->first = (uint32_t)strtoul(range, &end, 10);
    x->last = *end == '-' && end[1] != '\r' ? (uint32_t)strtoul(end + 1, NULL, 10) : UINT32_MAX;
}

/* ---- the honest answer ---- */

static void plan_answer(exchange_t *x)
{
    uint32_t len = x->file->len;
    x->status = "200 OK";
    x->body = x->file->bytes;
    x->body_len = len;
    x->etag = x->file->etag;
    x->date = x->file->date;
    x->cut_at = x->pause_at = UINT32_MAX;
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

/* ---- onto the line ---- */

static void put(line_t *line, const void *data, size_t len)
{
    if (len > 0 && len <= LINE_ANSWER_MAX - line->answer_len) {
        memcpy(line->answer + line->answer_len, data, len);
        line->answer_len += len;
    }
}

static void put_text(line_t *line, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put_text(line_t *line, const char *format, ...)
{
    char text[HEAD_MAX];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    put(line, text, (size_t)len < sizeof(text) ? (size_t)len : sizeof(text) - 1);
}

static void put_head(const exchange_t *x)
{
    line_t *line = x->line;
    put_text(line, "HTTP/1.1 %s\r\n", x->status);
    if (x->framing == FRAME_LENGTH) {
        put_text(line, "Content-Length: %lld\r\n", (long long)x->said_length);
    } else if (x->framing == FRAME_CHUNKED) {
        put_text(line, "Transfer-Encoding: chunked\r\n");
    }
    if (x->content_range != NULL) {
        put_text(line, "Content-Range: %s\r\n", x->content_range);
    }
    if (x->etag != NULL) {
        put_text(line, "ETag: %s\r\n", x->etag);
    }
    if (x->date != NULL) {
        put_text(line, "Last-Modified: %s\r\n", x->date);
    }
    for (uint32_t done = 0; done < x->padding; done += 100) {
        put_text(line, "X-Padding-%06u: %80s\r\n", (unsigned)done, "");
    }
    put_text(line, "%s%s\r\n", x->extra, x->closes ? "Connection: close\r\n" : "");
}

static void put_chunks(const exchange_t *x, const uint8_t *body)
{
    line_t *line = x->line;
    for (uint32_t done = 0; done < x->body_len;) {
        uint32_t len = min_u32(x->body_len - done, 1 + chance_below(x->chance, CHUNK_MAX));
        if (done > 0 && x->chunk_fault != NULL) {
            put_text(line, "%s\r\n", x->chunk_fault);
        } else {
            put_text(line, "%x;part\r\n", (unsigned)len);
        }
        put(line, body + done, len);
        put_text(line, "\r\n");
        done += len;
    }
    if (!x->chunked_without_end) {
        put_text(line, "0\r\n\r\n");
    }
}

/** A changed bit, somewhere in what goes over the line from `start` on. */
static void flip_bit(const exchange_t *x, size_t start)
{
    line_t *line = x->line;
    uint32_t skip = x->from < FLIP_SAFE_FROM ? FLIP_SAFE_FROM - x->from : 0;
    size_t len = line->answer_len - start;
    if (x->framing != FRAME_CHUNKED && len > skip && chance_percent(x->chance, x->flip_percent)) {
        size_t at = start + skip + chance_below(x->chance, (uint32_t)(len - skip));
        line->answer[at] ^= (uint8_t)(1u << chance_below(x->chance, 8));
        story(line->device->world, line->device, "line: a bit of byte %zu of the body changes", at - start);
    }
}

static void render(exchange_t *x)
{
    line_t *line = x->line;
    line->answer_len = 0;
    if (x->before != NULL) {
        put_text(line, "%s", x->before);
    }
    if (x->literal != NULL) {
        put_text(line, "%s", x->literal);
        return;
    }
    put_head(x);
    if (x->head) {
        return;
    }
    size_t start = line->answer_len;
    if (x->framing == FRAME_CHUNKED) {
        put_chunks(x, x->body);
    } else {
        put(line, x->body, x->body_len);
    }
    flip_bit(x, start);
}

static void add_step(line_t *line, sim_connection_t *answer, sim_step_t step)
{
    if (answer->count < LINE_STEPS_MAX) {
        line->steps[answer->count++] = step;
        answer->steps = line->steps;
    }
}

static void add_bytes(line_t *line, sim_connection_t *answer, uint32_t from, uint32_t to)
{
    if (to > from) {
        add_step(
            line, answer,
            (sim_step_t){.kind = SIM_BYTES, .data = (const char *)line->answer + from, .len = to - from});
    }
}

static void transmit(exchange_t *x, sim_connection_t *answer)
{
    line_t *line = x->line;
    uint32_t end = min_u32(x->cut_at, (uint32_t)line->answer_len);
    uint32_t pause = min_u32(x->pause_at, end);
    answer->max_read = x->max_read;
    add_bytes(line, answer, 0, pause);
    if (x->pause_at != UINT32_MAX) {
        add_step(line, answer, (sim_step_t){.kind = SIM_DELAY, .ms = x->pause_ms});
    }
    add_bytes(line, answer, pause, end);
    if (x->cut_at != UINT32_MAX) {
        add_step(line, answer, (sim_step_t){.kind = x->cut_kind});
    } else if (x->closes || x->framing == FRAME_CLOSE || x->literal != NULL) {
        add_step(line, answer, (sim_step_t){.kind = SIM_EOF});
    }
}

/* ---- the conversation ---- */

static void greet(line_t *line, sim_connection_t *answer)
{
    world_t *world = line->device->world;
    answer->refuse =
        line->device->flash.sim.dead || chance_percent(&world->chance, line->weather.refuse_percent);
    if (answer->refuse) {
        world->tally->connects_refused++;
        story(world, line->device, "line: connection refused");
    }
}

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
}

static void serve(void *ctx, const char *request, sim_connection_t *answer)
{
    line_t *line = ctx;
    world_t *world = line->device->world;
    if (request == NULL) {
        greet(line, answer);
        return;
    }
    world->tally->requests++;
    exchange_t x = {.line = line,
                    .chance = &world->chance,
                    .file = &world->releases[world->published],
                    .head = strncmp(request, "HEAD ", 5) == 0};
    read_range(&x, request);
    plan_answer(&x);
    const char *range = header_value(request, "\r\nRange: bytes=");
    story(world, line->device, "request: %.*s%s%.*s of release %u", x.head ? 4 : 3, request,
          range != NULL ? " " : "", range != NULL ? (int)strcspn(range, "\r") : 0, range != NULL ? range : "",
          world->published);
    spoil(&x);
    if (line->plain && line->weather.quirk_percent > 0) {
        x.flip_percent = line->weather.quirk_percent / 4;
    }
    render(&x);
    transmit(&x, answer);
}

sim_transport_t *line_connect(line_t *line)
{
    if (line->answer == NULL) {
        line->answer = malloc(LINE_ANSWER_MAX);
    }
    return line->answer != NULL ? sim_transport_serve(serve, line) : NULL;
}

void line_free(line_t *line)
{
    free(line->answer);
    line->answer = NULL;
}
