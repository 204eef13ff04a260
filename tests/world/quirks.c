/* Everything that can be wrong with an answer: one row a misbehaviour, after docs/MISBEHAVIOUR.md's catalogue. */
#include "quirks.h"

#include <stdio.h>
#include <string.h>

#include "base/le.h"

/* ---- framing ---- */

static void no_length(exchange_t *x)
{
    x->framing = FRAME_CLOSE;
}

static void no_length_cut(exchange_t *x)
{
    x->framing = FRAME_CLOSE;
    x->body_len = chance_below(x->chance, x->body_len + 1);
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
    static const char *const faults[] = {"zz", "-1", "fffffffffffffffff", "", "1", " 10", "0x10"};
    x->framing = FRAME_CHUNKED;
    x->chunk_fault = faults[chance_below(x->chance, sizeof(faults) / sizeof(faults[0]))];
}

static void chunked_without_end(exchange_t *x)
{
    x->framing = FRAME_CHUNKED;
    x->chunked_without_end = true;
    x->closes = true;
}

static void chunked_cut(exchange_t *x)
{
    x->framing = FRAME_CHUNKED;
    x->cut_at = chance_below(x->chance, x->body_len + 1);
    x->cut_kind = SIM_EOF;
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
    bool honest_length = !x->partial && x->body_len == x->file->len;
    if (!honest_length) {
        return;
    }
    x->body = file->bytes;
    x->body_len = file->len;
    x->said_length = file->len;
    x->from = 0;
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
    const release_t *file = other_release(x);
    if (x->from + x->body_len <= file->len) {
        x->body = file->bytes + x->from;
    }
}

static void body_cut_off(exchange_t *x)
{
    x->body_len = chance_below(x->chance, x->body_len + 1);
    x->said_length = x->body_len;
}

static void html(exchange_t *x)
{
    (void)x;
    x->literal = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 23\r\n\r\n<html>Please log "
                 "in.\r\n\r\n";
}

static void noise(exchange_t *x)
{
    if (x->body_len > 64) {
        x->body += 24 + chance_below(x->chance, 32);
        x->body_len -= 64;
        x->said_length = x->body_len;
        x->from = 64; /* no header is in it */
    }
}

/* ---- statuses ---- */

static void status(exchange_t *x)
{
    static const char *const statuses[] = {
        "400 Bad Request",
        "403 Forbidden",
        "404 Not Found",
        "408 Request Timeout",
        "410 Gone",
        "416 No",
        "429 Slow Down",
        "500 Oops",
        "502 Bad Gateway",
        "503 Later",
        "599 Odd",
        "999 Odder",
        "204 Nothing",
        "304 Same",
        "206 Partial Content",
        "401 Unauthorized",
        "101 Switching Protocols",
        "000 Zero",
        "300 Many",
        "100 Continue",
    };
    x->status = statuses[chance_below(x->chance, sizeof(statuses) / sizeof(statuses[0]))];
    x->content_range = NULL;
    if (chance_percent(x->chance, 50)) {
        x->body_len = min_u32(x->body_len, 100);
        x->said_length = x->body_len;
    }
}

static void retry_later(exchange_t *x)
{
    x->status = "503 Service Unavailable";
    x->body_len = 0;
    x->said_length = 0;
    snprintf(x->extra, sizeof(x->extra), "Retry-After: %s\r\n",
             chance_percent(x->chance, 50) ? "1" : "31536000");
}

static void challenge(exchange_t *x)
{
    x->status = "401 Unauthorized";
    snprintf(x->extra, sizeof(x->extra), "WWW-Authenticate: %s realm=\"r\", nonce=\"n\"\r\n",
             chance_percent(x->chance, 50) ? "Digest" : "Basic");
}

static void interim(exchange_t *x)
{
    x->before = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n";
}

static void not_http(exchange_t *x)
{
    static const char *const texts[] = {"220 mail.example ESMTP\r\n",
                                        "HTTP/2.0 200 OK\r\n\r\n",
                                        "\r\n\r\n\r\n",
                                        "HTTP/1.1\r\n\r\n",
                                        "HTTP/9.9 200 OK\r\nContent-Length: 0\r\n\r\n",
                                        "HTTP/1.1 20x OK\r\n\r\n",
                                        "\x16\x03\x01",
                                        "HTTP/1.1 200 OK\r\nbroken\r\n\r\n",
                                        "HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nhello"};
    x->literal = texts[chance_below(x->chance, sizeof(texts) / sizeof(texts[0]))];
}

static void head_large(exchange_t *x)
{
    x->padding = chance_percent(x->chance, 50) ? 20000 : 70000;
}

static void head_cut(exchange_t *x)
{
    x->cut_at = chance_below(x->chance, 100);
    x->cut_kind = chance_percent(x->chance, 50) ? SIM_EOF : SIM_RESET;
}

/* ---- redirects ---- */

static void redirect_to(exchange_t *x, const char *location)
{
    static const char *const codes[] = {"301 Moved", "302 Found", "303 See", "307 Moved", "308 Moved"};
    x->status = codes[chance_below(x->chance, sizeof(codes) / sizeof(codes[0]))];
    x->content_range = NULL;
    x->body_len = min_u32(x->body_len, chance_below(x->chance, 200));
    x->said_length = x->body_len;
    x->closes = chance_percent(x->chance, 30);
    snprintf(x->extra, sizeof(x->extra), "%s%s%s", location != NULL ? "Location: " : "",
             location != NULL ? location : "", location != NULL ? "\r\n" : "");
}

static void redirect(exchange_t *x)
{
    static const char *const places[] = {"/other/../fw.bin", "fw.bin?again", "/elsewhere/fw.bin"};
    redirect_to(x, places[chance_below(x->chance, sizeof(places) / sizeof(places[0]))]);
}

static void redirect_away(exchange_t *x)
{
    redirect_to(x,
                x->line->plain ? "http://mirror.example:8080/fw.bin" : "https://mirror.example:8443/fw.bin");
}

static void redirect_bad(exchange_t *x)
{
    static const char *const places[] = {"http://server.example/fw.bin",
                                         "ftp://server.example/fw.bin",
                                         "javascript:alert(1)",
                                         "https://server.example:99999/",
                                         "https://[::1/",
                                         ""};
    uint32_t i = chance_below(x->chance, 1 + sizeof(places) / sizeof(places[0]));
    redirect_to(x, i < sizeof(places) / sizeof(places[0]) ? places[i] : NULL);
}

/* ---- pace and breaks ---- */

static void reset(exchange_t *x)
{
    x->cut_at = chance_below(x->chance, x->body_len + 300);
    x->cut_kind = SIM_RESET;
}

static void close_early(exchange_t *x)
{
    x->cut_at = chance_below(x->chance, x->body_len + 300);
    x->cut_kind = SIM_EOF;
}

static void fall_silent(exchange_t *x)
{
    x->cut_at = chance_below(x->chance, x->body_len + 300);
    x->cut_kind = SIM_REQUEST;
}

static void pause_once(exchange_t *x)
{
    x->pause_at = chance_below(x->chance, x->body_len + 300);
    x->pause_ms = 1 + chance_below(x->chance, 5000);
}

static void trickle(exchange_t *x)
{
    x->max_read = 1 + chance_below(x->chance, 64);
}

static void close_after(exchange_t *x)
{
    x->closes = true;
}

static void no_answer(exchange_t *x)
{
    x->cut_at = 0;
    x->cut_kind = chance_percent(x->chance, 50) ? SIM_EOF : SIM_RESET;
}

/* ---- ranges and validators ---- */

/** 200 and the whole file, whatever was asked for. */
static void range_ignored(exchange_t *x)
{
    x->status = "200 OK";
    x->partial = false;
    x->content_range = NULL;
    x->from = 0;
    x->body = x->file->bytes;
    x->body_len = x->file->len;
    x->said_length = x->body_len;
}

static void range_elsewhere(exchange_t *x)
{
    uint32_t shift = 1 + chance_below(x->chance, 300);
    if (!x->partial || x->body_len <= shift) {
        return;
    }
    x->from += shift;
    x->body += shift;
    x->body_len -= shift;
    x->said_length = x->body_len;
    snprintf(x->content_range_text, sizeof(x->content_range_text), "bytes %u-%u/%u", (unsigned)x->from,
             (unsigned)(x->from + x->body_len - 1), (unsigned)x->file->len);
}

/** Right bytes from the wrong place under the right label. */
static void range_shifted(exchange_t *x)
{
    if (x->partial && x->from > 16) {
        x->body -= 16;
    }
}

static void range_shorter(exchange_t *x)
{
    if (!x->partial || x->body_len < 2) {
        return;
    }
    x->body_len = 1 + chance_below(x->chance, x->body_len - 1);
    x->said_length = x->body_len;
    snprintf(x->content_range_text, sizeof(x->content_range_text), "bytes %u-%u/%u", (unsigned)x->from,
             (unsigned)(x->from + x->body_len - 1), (unsigned)x->file->len);
}

static void range_mislabelled(exchange_t *x)
{
    static const char *const labels[] = {"bytes 0-9/10", "bytes */10",    "items 0-9/10",
                                         "bytes 9-0/10", "bytes -1-5/99", "bytes 0-99999999999999999999/9",
                                         "bytes"};
    uint32_t i = chance_below(x->chance, 1 + sizeof(labels) / sizeof(labels[0]));
    if (x->partial) {
        x->content_range = i < sizeof(labels) / sizeof(labels[0]) ? labels[i] : NULL;
    }
}

static void range_unknown_total(exchange_t *x)
{
    if (x->partial) {
        snprintf(x->content_range_text, sizeof(x->content_range_text), "bytes %u-%u/*", (unsigned)x->from,
                 (unsigned)(x->from + x->body_len - 1));
    }
}

static void range_multipart(exchange_t *x)
{
    if (x->partial) {
        x->content_range = NULL;
        snprintf(x->extra, sizeof(x->extra), "Content-Type: multipart/byteranges; boundary=x\r\n");
    }
}

static void range_refused(exchange_t *x)
{
    if (x->partial) {
        x->status = "416 Range Not Satisfiable";
        x->content_range = NULL;
        x->body_len = 0;
        x->said_length = 0;
    }
}

static void etag_weak(exchange_t *x)
{
    x->etag = "W/\"weak\"";
}

static void etag_missing(exchange_t *x)
{
    x->etag = NULL;
    x->date = NULL;
}

static void etag_other(exchange_t *x)
{
    x->etag = "\"another\"";
}

static void date_only(exchange_t *x)
{
    x->etag = NULL;
}

static void head_refused(exchange_t *x)
{
    if (x->head) {
        x->status = "405 Method Not Allowed";
    }
}

/** A new release while this one is on its way. */
static void file_changes(exchange_t *x)
{
    world_t *world = x->line->device->world;
    if (world->published + 1 < world->release_count) {
        world->published++;
        world->tally->publishes++;
        x->cut_at = chance_below(x->chance, x->body_len + 300);
        x->cut_kind = SIM_RESET;
    }
}

static const struct {
    const char *name;
    void (*apply)(exchange_t *x);
} quirks[] = {
    {"no length", no_length},
    {"no length, ends early", no_length_cut},
    {"length too small", length_short},
    {"length too large", length_long},
    {"length 0", length_zero},
    {"length of 4 GiB and more", length_huge},
    {"negative length", length_negative},
    {"two lengths", length_twice},
    {"length and chunked", length_and_chunked},
    {"chunked", chunked},
    {"wrong chunk size", chunk_fault},
    {"chunked without the last chunk", chunked_without_end},
    {"chunked, ends early", chunked_cut},
    {"Content-Encoding: gzip", content_gzip},
    {"Transfer-Encoding: gzip", transfer_gzip},
    {"another release under this one's name", body_of_another_release},
    {"the oldest release under this one's name", body_of_old_release},
    {"an image for another chip", body_of_another_chip},
    {"a range of another release's bytes", range_of_other_bytes},
    {"half a file, said to be whole", body_cut_off},
    {"a login page", html},
    {"noise", noise},
    {"a status", status},
    {"503, Retry-After", retry_later},
    {"401", challenge},
    {"100 and 103 first", interim},
    {"not HTTP", not_http},
    {"a large head", head_large},
    {"the head ends early", head_cut},
    {"redirect", redirect},
    {"redirect to another server", redirect_away},
    {"redirect to nowhere", redirect_bad},
    {"reset", reset},
    {"closed early", close_early},
    {"silence", fall_silent},
    {"pause", pause_once},
    {"a few bytes at a time", trickle},
    {"Connection: close", close_after},
    {"no answer", no_answer},
    {"Range ignored", range_ignored},
    {"another range", range_elsewhere},
    {"bytes from elsewhere as the range", range_shifted},
    {"a shorter range", range_shorter},
    {"wrong Content-Range", range_mislabelled},
    {"Content-Range of unknown total", range_unknown_total},
    {"multipart/byteranges", range_multipart},
    {"416", range_refused},
    {"weak ETag", etag_weak},
    {"no validator", etag_missing},
    {"another ETag", etag_other},
    {"Last-Modified only", date_only},
    {"HEAD refused", head_refused},
    {"a new release in between", file_changes},
};

_Static_assert(sizeof(quirks) / sizeof(quirks[0]) <= TALLY_QUIRKS_MAX, "each quirk is counted");

unsigned quirks_count(void)
{
    return sizeof(quirks) / sizeof(quirks[0]);
}

const char *quirk_name(unsigned index)
{
    return quirks[index].name;
}

void quirk_apply(exchange_t *x, unsigned index)
{
    quirks[index].apply(x);
}

unsigned quirks_print(const tally_t *tally)
{
    unsigned never = 0;
    for (unsigned i = 0; i < quirks_count(); i++) {
        printf("  %9llu  server: %s\n", (unsigned long long)tally->quirks[i], quirks[i].name);
        never += tally->quirks[i] == 0;
    }
    return never;
}
