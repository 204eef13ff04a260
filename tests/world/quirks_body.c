/* What can be wrong with the bytes of an answer: framing, contents, head and pace. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "otter/bytes.h"
#include "quirks.h"

/* ---- framing ---- */

static void no_length(exchange_t *x)
{
    x->framing = FRAME_CLOSE;
}

static void http_1_0(exchange_t *x)
{
    x->version = "HTTP/1.0";
    x->framing = FRAME_CLOSE;
}

static void no_length_cut(exchange_t *x)
{
    x->framing = FRAME_CLOSE;
    x->body_len = chance_below(x->chance, x->body_len + 1);
    x->end_kind = chance_percent(x->chance, 50) ? SEGMENT_GOODBYE : SEGMENT_FIN;
}

static void length_short(exchange_t *x)
{
    x->said_length -= 1 + chance_below(x->chance, 200);
}

static void length_long(exchange_t *x)
{
    x->said_length += 1 + chance_below(x->chance, 200);
    x->closes = chance_percent(x->chance, 50);
}

static void image_and_more(exchange_t *x)
{
    if (!x->partial) {
        x->tail_len = 1 + chance_below(x->chance, 200);
        x->said_length += x->tail_len;
    }
}

static void length_zero(exchange_t *x)
{
    x->said_length = 0;
    x->body_len = 0;
}

static void length_huge(exchange_t *x)
{
    x->said_length = chance_percent(x->chance, 50) ? 0x100000000 : INT64_MAX;
}

static void length_negative(exchange_t *x)
{
    x->said_length = -x->said_length;
}

static void length_twice(exchange_t *x)
{
    snprintf(x->extra, sizeof(x->extra), "Content-Length: 100\r\n");
}

static void length_no_number(exchange_t *x)
{
    static const char *const texts[] = {"many", "0x100", "1 2", "", "12,000", "1e4"};
    x->length_text = DRAW_TEXT(x, texts);
}

static void length_in_tabs(exchange_t *x)
{
    x->length_in_tabs = true;
}

static void length_beyond(exchange_t *x)
{
    static const char *const texts[] = {"18446744073709551716", "9223372036854775808",
                                        "99999999999999999999999999999999999999"};
    x->length_text = DRAW_TEXT(x, texts);
}

static void length_and_chunked(exchange_t *x)
{
    x->framing = FRAME_CHUNKED;
    snprintf(x->extra, sizeof(x->extra), "Content-Length: %u\r\n", (unsigned)x->body_len);
}

static void chunked(exchange_t *x)
{
    x->framing = FRAME_CHUNKED;
}

static void chunk_fault(exchange_t *x)
{
    static const char *const faults[] = {"zz",  "-1",   "fffffffffffffffff", "",      "1",
                                         " 10", "0x10", "3\r\nabcXY",        "3\nabc"};
    x->framing = FRAME_CHUNKED;
    x->chunk_fault = DRAW_TEXT(x, faults);
}

static void chunk_extension_endless(exchange_t *x)
{
    x->framing = FRAME_CHUNKED;
    x->endless_chunk = ";and-so-on=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
}

static void chunk_size_drips(exchange_t *x)
{
    x->framing = FRAME_CHUNKED;
    x->endless_chunk = "0";
    x->drip = DRIP_ENDLESS;
    x->drip_ms = 600;
}

static void chunks_of_one(exchange_t *x)
{
    x->framing = FRAME_CHUNKED;
    x->chunks_of_one = true;
}

static void chunked_without_end(exchange_t *x)
{
    x->framing = FRAME_CHUNKED;
    x->chunked_end = "";
    x->closes = true;
}

static void chunked_ends_otherwise(exchange_t *x)
{
    static const char *const ends[] = {"0\rX\r\n", "0\r\n\rX", "0\r\nX Y\r\n\r\n"};
    x->framing = FRAME_CHUNKED;
    x->chunked_end = DRAW_TEXT(x, ends);
}

static void chunked_cut(exchange_t *x)
{
    x->framing = FRAME_CHUNKED;
    x->cut_at = chance_below(x->chance, x->body_len + 1);
    x->cut_kind = SEGMENT_GOODBYE;
}

static void content_gzip(exchange_t *x)
{
    snprintf(x->extra, sizeof(x->extra), "Content-Encoding: gzip\r\n");
}

static void transfer_gzip(exchange_t *x)
{
    x->framing = FRAME_CLOSE;
    snprintf(x->extra, sizeof(x->extra), "Transfer-Encoding: gzip, chunked\r\n");
}

/* ---- other bodies ---- */

static const release_t *other_release(exchange_t *x)
{
    world_t *world = x->line->device->world;
    return &world->releases[chance_below(x->chance, world->release_count)];
}

/** The file of another release as if it were this one: its validators are those of the right one. */
static void serve_file(exchange_t *x, const release_t *file)
{
    bool honest_length = !x->partial && x->body_len == x->file_len;
    if (honest_length) {
        x->body = release_as_served(x, file, &x->body_len);
        x->said_length = x->body_len;
        x->from = 0;
    }
}

static void body_of_another_release(exchange_t *x)
{
    serve_file(x, other_release(x));
}

static void body_of_old_release(exchange_t *x)
{
    serve_file(x, &x->line->device->world->releases[0]);
}

static void body_of_another_chip(exchange_t *x)
{
    serve_file(x, &x->line->device->world->releases[x->line->device->world->release_count]);
}

/** Part of another file under the right Content-Range: only the hash can find it. */
static void range_of_other_bytes(exchange_t *x)
{
    uint32_t len;
    const uint8_t *bytes = release_as_served(x, other_release(x), &len);
    if (x->from + x->body_len <= len) {
        x->body = bytes + x->from;
    }
}

static void bit_wrong(exchange_t *x)
{
    x->bit_wrong = true;
}

static void body_cut_off(exchange_t *x)
{
    x->body_len = chance_below(x->chance, x->body_len + 1);
    x->said_length = x->body_len;
}

static void html(exchange_t *x)
{
    x->literal = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 23\r\n\r\n<html>Please log "
                 "in.\r\n\r\n";
}

static void noise(exchange_t *x)
{
    if (x->body_len > 128) {
        x->body += 24 + chance_below(x->chance, 32);
        x->body_len -= 64;
        x->said_length = x->body_len;
        x->from = 64; /* no header is in it */
    }
}

/* ---- heads ---- */

static void head_large(exchange_t *x)
{
    x->padding = chance_percent(x->chance, 50) ? 32768 : 70000;
}

static void head_long_field(exchange_t *x)
{
    x->long_name = "X-Padding";
    x->long_len = chance_percent(x->chance, 50) ? 32768 : 70000;
}

static void head_many_fields(exchange_t *x)
{
    x->padding = chance_percent(x->chance, 50) ? 120000 : 1500;
    x->padding_line = "a: b\r\n";
}

static void head_endless(exchange_t *x)
{
    x->endless_head = "X-And-So-On: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n";
}

static void head_endless_field(exchange_t *x)
{
    x->endless_head = "and so on ......................................................................";
}

static void head_other_case(exchange_t *x)
{
    x->other_case = true;
}

static void head_bare_line_feeds(exchange_t *x)
{
    x->line_end = "\n";
}

static void head_zero_byte(exchange_t *x)
{
    x->zero_byte = true;
}

static void head_broken_field(exchange_t *x)
{
    static const char *const texts[] = {"HTTP/1.1 200 OK\r\nbroken\r\n\r\n",
                                        "HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nhello"};
    x->literal = DRAW_TEXT(x, texts);
}

static void head_cut(exchange_t *x)
{
    x->cut_at = chance_below(x->chance, 100);
    x->cut_kind = chance_percent(x->chance, 50) ? SEGMENT_FIN : SEGMENT_RESET;
}

/* ---- pace and breaks ---- */

static uint32_t anywhere(exchange_t *x)
{
    return chance_below(x->chance, x->body_len + 300);
}

static void cut_with(exchange_t *x, segment_kind_t kind)
{
    x->cut_at = anywhere(x);
    x->cut_kind = kind;
}

static void reset(exchange_t *x)
{
    cut_with(x, SEGMENT_RESET);
}

static void close_early(exchange_t *x)
{
    cut_with(x, SEGMENT_FIN);
}

static void say_goodbye_early(exchange_t *x)
{
    cut_with(x, SEGMENT_GOODBYE);
}

static void break_record(exchange_t *x)
{
    cut_with(x, SEGMENT_BROKEN);
}

static void fall_silent(exchange_t *x)
{
    cut_with(x, SEGMENT_SILENCE);
}

static void cut_every_4_kib(exchange_t *x)
{
    x->cut_after_body = 4096;
    x->cut_kind = SEGMENT_RESET;
    x->goes_on = true;
}

static void cut_in_chunks(exchange_t *x)
{
    x->framing = FRAME_CHUNKED;
    cut_with(x, SEGMENT_RESET);
}

static void end_without_notify(exchange_t *x)
{
    x->closes = true;
    x->end_kind = SEGMENT_FIN;
}

static void no_length_end_without_notify(exchange_t *x)
{
    x->framing = FRAME_CLOSE;
    x->end_kind = SEGMENT_FIN;
}

static void pause_shortly(exchange_t *x)
{
    for (unsigned i = 1 + chance_below(x->chance, PAUSES_MAX); i > 0; i--) {
        add_pause(x, anywhere(x), 1 + chance_below(x->chance, WORLD_TIMEOUT_MS - 1));
    }
}

static void pause_long(exchange_t *x)
{
    for (unsigned i = 1 + chance_below(x->chance, PAUSES_MAX); i > 0; i--) {
        add_pause(x, anywhere(x), WORLD_TIMEOUT_MS + chance_below(x->chance, 4 * WORLD_TIMEOUT_MS));
    }
}

static void trickle(exchange_t *x)
{
    x->max_read = 1 + chance_below(x->chance, 64);
}

static void drip_with(exchange_t *x, drip_t drip, uint32_t ms)
{
    x->drip = drip;
    x->drip_ms = ms;
}

static void head_drips(exchange_t *x)
{
    drip_with(x, DRIP_HEAD, 500);
}

static void body_drips(exchange_t *x)
{
    drip_with(x, DRIP_BODY, 1 + chance_below(x->chance, WORLD_TIMEOUT_MS - 1));
}

static void body_drips_slower(exchange_t *x)
{
    drip_with(x, DRIP_BODY, WORLD_TIMEOUT_MS + chance_below(x->chance, WORLD_TIMEOUT_MS));
}

static void first_bytes_drip(exchange_t *x)
{
    drip_with(x, DRIP_FIRST_BYTES, 600);
}

static void close_after(exchange_t *x)
{
    x->closes = true;
}

static void no_answer(exchange_t *x)
{
    x->cut_at = 0;
    x->cut_kind = chance_percent(x->chance, 50) ? SEGMENT_FIN : SEGMENT_RESET;
    x->goes_on = chance_percent(x->chance, 30);
}

static void silence_after_request(exchange_t *x)
{
    x->cut_at = 0;
    x->cut_kind = SEGMENT_SILENCE;
}

const quirk_t body_quirks[] = {
    {"no length", no_length, "no-length"},
    {"HTTP/1.0 without a length", http_1_0, "http-1.0"},
    {"no length, ends early", no_length_cut, "no-length-cut"},
    {"length too small", length_short, "length-too-small"},
    {"length too large", length_long, "length-too-large length-too-large-open"},
    {"more behind the image", image_and_more, "image-and-more"},
    {"length 0", length_zero, "length-zero"},
    {"length of 4 GiB and more", length_huge, "length-too-large-for-the-slot"},
    {"negative length", length_negative, "length-negative"},
    {"two lengths", length_twice, "length-twice"},
    {"a length that is no number", length_no_number, "length-no-number"},
    {"a length between tabs", length_in_tabs, "length-between-tabs"},
    {"a length beyond 64 bits", length_beyond, "length-beyond-64-bits"},
    {"length and chunked", length_and_chunked, "length-and-chunked"},
    {"chunked", chunked, "chunked"},
    {"wrong chunk size", chunk_fault,
     "chunk-size-no-number chunk-size-negative chunk-size-beyond-64-bits chunk-size-missing "
     "chunk-longer-than-its-size chunk-ends-in-two-other-bytes chunk-size-ends-in-lf"},
    {"a chunk extension for ever", chunk_extension_endless, "chunk-extension-endless"},
    {"a chunk size for ever", chunk_size_drips, "chunk-size-drips"},
    {"chunks of one byte", chunks_of_one, "chunk-byte-by-byte"},
    {"chunked without the last chunk", chunked_without_end, "chunked-without-end"},
    {"chunked with another end", chunked_ends_otherwise,
     "chunk-last-ends-otherwise chunked-ends-otherwise chunked-with-a-broken-trailer"},
    {"chunked, ends early", chunked_cut, "chunked-cut"},
    {"Content-Encoding: gzip", content_gzip, "content-gzip"},
    {"Transfer-Encoding: gzip", transfer_gzip, "transfer-gzip"},
    {"another release under this one's name", body_of_another_release, ""},
    {"the oldest release under this one's name", body_of_old_release, ""},
    {"an image for another chip", body_of_another_chip, ""},
    {"a range of another release's bytes", range_of_other_bytes, "range-of-other-bytes"},
    {"one bit of the file is wrong", bit_wrong, "one-bit-wrong"},
    {"half a file, said to be whole", body_cut_off, ""},
    {"a login page", html, "content-html"},
    {"noise", noise, "image-of-noise"},
    {"a large head", head_large, "head-32-kib"},
    {"a long field", head_long_field, "head-one-long-field"},
    {"many fields", head_many_fields, "head-many-fields"},
    {"fields for ever", head_endless, "head-endless"},
    {"a field for ever", head_endless_field, "head-endless-field"},
    {"names in another case", head_other_case, "head-other-case"},
    {"bare line feeds", head_bare_line_feeds, "head-bare-line-feeds"},
    {"a zero byte in a field", head_zero_byte, "head-zero-byte"},
    {"a broken field", head_broken_field, "head-space-before-colon head-no-colon"},
    {"the head ends early", head_cut, "head-cut"},
    {"reset", reset, "cut-once reset-at-every-byte"},
    {"closed early", close_early, "close-at-every-byte tls-cut-in-a-record"},
    {"closed early with a goodbye", say_goodbye_early, "goodbye-at-every-byte"},
    {"a broken TLS record", break_record, "tls-broken-record"},
    {"silence", fall_silent, "silence-in-body silence-then-rest tls-record-drips"},
    {"silence at once", silence_after_request, "silence-after-request"},
    {"cut every 4 KiB", cut_every_4_kib, "cut-every-4-kib"},
    {"chunked, reset", cut_in_chunks, "cut-in-chunks"},
    {"closed without a goodbye", end_without_notify, "tls-closed-without-notify"},
    {"no length, closed without a goodbye", no_length_end_without_notify, "tls-cut-where-the-end-matters"},
    {"pauses within a wait", pause_shortly, "tls-renegotiation"},
    {"pauses longer than a wait", pause_long, "pauses"},
    {"a few bytes at a time", trickle, "head-byte-by-byte body-byte-by-byte"},
    {"the head drips", head_drips, "head-drips"},
    {"the body drips", body_drips, "body-drips"},
    {"the body drips slowly", body_drips_slower, "body-drips-slower"},
    {"the first bytes drip", first_bytes_drip, "first-bytes-drip"},
    {"Connection: close", close_after, ""},
    {"no answer", no_answer, "head-none cut-before-anything"},
};
const unsigned body_quirk_count = sizeof(body_quirks) / sizeof(body_quirks[0]);
