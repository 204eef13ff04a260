/*
 * What a client says to a web socket of esp_http_server: frames, whose heads wslay reads; and what a server answers to a client's
 * handshake.
 * Input: a number that says where the bytes are cut, then the bytes.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "esp_http_server/websocket.h"
#include "fuzz.h"
#include "otter_websocket.h"

#define FRAMES_MAX 64 /* more are not compared */
#define CONTROL    8  /* a bit of an opcode */
#define HEAD_MAX   14 /* bytes before a payload */

typedef struct {
    bool final;
    uint8_t type;
    size_t len;
    uint8_t *payload;
} frame_t;

typedef struct {
    frame_t frames[FRAMES_MAX];
    size_t count;
    bool ended; /* by something that is no frame */
} said_t;

static void add(said_t *said, frame_t frame)
{
    FUZZ_CHECK(frame.payload != NULL, "no memory");
    if (said->count < FRAMES_MAX) {
        said->frames[said->count++] = frame;
    } else {
        free(frame.payload);
    }
}

static void forget(said_t *said)
{
    for (size_t i = 0; i < said->count; i++) {
        free(said->frames[i].payload);
    }
}

/* ---- the reader ---- */

static void read_all(websocket_t *ws, said_t *said)
{
    frame_state_t state;
    while ((state = frames_read(ws)) == FRAME_WHOLE) {
        const httpd_ws_frame_t *frame = &ws->frame;
        FUZZ_CHECK(frame->fragmented == (!frame->final || frame->type == HTTPD_WS_TYPE_CONTINUE),
                   "fragmented");
        uint8_t *copy = malloc(frame->len + 1);
        FUZZ_CHECK(copy != NULL, "no memory");
        memcpy(copy, frame->payload, frame->len);
        add(said, (frame_t){frame->final, (uint8_t)frame->type, frame->len, copy});
        frames_next(ws);
    }
    said->ended = state == FRAME_END;
}

/** In one piece, as what comes along with the request. */
static void read_early(const uint8_t *bytes, size_t len, said_t *said)
{
    int pair[2];
    FUZZ_CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "no sockets");
    websocket_t *ws = frames_begin(pair[0], bytes, len);
    FUZZ_CHECK(ws != NULL, "no memory");
    read_all(ws, said);
    frames_end(ws);
    close(pair[0]);
    close(pair[1]);
}

/** In many, by the socket. */
static void read_cut(const uint8_t *bytes, size_t len, uint32_t cuts, said_t *said)
{
    int pair[2];
    FUZZ_CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "no sockets");
    websocket_t *ws = frames_begin(pair[0], "", 0);
    FUZZ_CHECK(ws != NULL, "no memory");
    for (size_t at = 0; at < len && !said->ended;) {
        size_t size = fuzz_cut(&cuts, 40);
        size = size < len - at ? size : len - at;
        FUZZ_CHECK(send(pair[1], bytes + at, size, MSG_NOSIGNAL) == (ssize_t)size, "not sent");
        at += size;
        read_all(ws, said);
    }
    frames_end(ws);
    close(pair[0]);
    close(pair[1]);
}

/* ---- a slow reading, by RFC 6455 section 5.2 ---- */

/** A number of `count` bytes, the most significant one first. */
static uint64_t number(const uint8_t *bytes, size_t count)
{
    uint64_t n = 0;
    for (size_t i = 0; i < count; i++) {
        n = n << 8 | bytes[i];
    }
    return n;
}

static frame_t unmask(const uint8_t *head, const uint8_t *mask, size_t len)
{
    frame_t frame = {.final = head[0] >> 7, .type = head[0] & 15, .len = len, .payload = malloc(len + 1)};
    FUZZ_CHECK(frame.payload != NULL, "no memory");
    for (size_t i = 0; i < len; i++) {
        frame.payload[i] = mask[4 + i] ^ mask[i % 4];
    }
    return frame;
}

/** @return bytes of the frame, whole; 0: it is not whole, or none, and `bad` says which */
static size_t reference_frame(const uint8_t *bytes, size_t left, said_t *said, bool *bad)
{
    *bad = false;
    if (left < 2) {
        return 0;
    }
    const size_t more = (bytes[1] & 127) == 126 ? 2 : (bytes[1] & 127) == 127 ? 8 : 0;
    const size_t head = 2 + more + 4;
    if (left < head) {
        return 0; /* whether it is one may be seen already, or not yet */
    }
    const uint64_t len = more == 0 ? bytes[1] & 127u : number(bytes + 2, more);
    const bool long_way = (more == 2 && len < 126) || (more == 8 && len < 65536);
    const bool control = (bytes[0] & CONTROL) != 0;
    *bad = long_way || len > FRAME_MAX || (bytes[1] & 128) == 0 || (bytes[0] & 0x70) != 0 ||
           (control && (len > 125 || bytes[0] >> 7 == 0));
    if (*bad || len > left - head) {
        return 0;
    }
    add(said, unmask(bytes, bytes + head - 4, (size_t)len));
    return head + (size_t)len;
}

static void read_slowly(const uint8_t *bytes, size_t len, said_t *said, bool *is_cut)
{
    size_t at = 0, size;
    do {
        size = reference_frame(bytes + at, len - at, said, &said->ended);
        at += size;
    } while (size > 0);
    *is_cut = at < len && (!said->ended || len - at <= HEAD_MAX); /* a head alone may be judged later */
}

static void compare(const said_t *a, const said_t *b, const char *which)
{
    FUZZ_CHECK(a->count == b->count, "%s: %zu frames and %zu", which, a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        const frame_t *one = &a->frames[i], *other = &b->frames[i];
        FUZZ_CHECK(one->final == other->final && one->type == other->type && one->len == other->len,
                   "%s: head of frame %zu", which, i);
        FUZZ_CHECK(memcmp(one->payload, other->payload, one->len) == 0, "%s: payload of frame %zu", which, i);
    }
}

/* ---- an answer ---- */

static void check_answer(const char *head)
{
    size_t len = 0;
    const char *value = otter_websocket_field(head, "Sec-WebSocket-Accept", &len);
    const int status = otter_websocket_status(head);
    FUZZ_CHECK(status >= 0 && status <= 999, "status %d", status);
    FUZZ_CHECK(value == NULL || (value >= head && len <= strlen(value)), "value");
    FUZZ_CHECK(value == NULL || memchr(value, '\r', len) == NULL, "two lines");
    if (otter_websocket_is_accepted(head, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")) {
        FUZZ_CHECK(status == 101 && strstr(head, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") != NULL, "no proof");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input_t in = {data, size};
    const uint32_t cuts = fuzz_u8(&in);
    said_t early = {0}, cut = {0}, slow = {0};
    bool is_cut;
    read_early(in.bytes, in.len, &early);
    read_cut(in.bytes, in.len, cuts, &cut);
    read_slowly(in.bytes, in.len, &slow, &is_cut);
    compare(&early, &cut, "whole and cut");
    compare(&early, &slow, "read and read slowly");
    FUZZ_CHECK(early.ended == cut.ended, "whole ends %d, cut %d", early.ended, cut.ended);
    FUZZ_CHECK(early.ended || !slow.ended || is_cut, "what is no frame is awaited");
    FUZZ_CHECK(!early.ended || slow.ended || is_cut, "a frame ends it");
    char *text = fuzz_text(in);
    check_answer(text);
    free(text);
    forget(&early);
    forget(&cut);
    forget(&slow);
    return 0;
}
