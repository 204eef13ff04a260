/* What can be wrong with what an answer says: statuses, redirects, credentials, ranges and validators. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "otter/bytes.h"
#include "quirks.h"

/* ---- statuses ---- */

static void status(exchange_t *x)
{
    static const char *const statuses[] = {"400 Bad Request",
                                           "403 Forbidden",
                                           "404 Not Found",
                                           "408 Request Timeout",
                                           "410 Gone",
                                           "416 No",
                                           "500 Oops",
                                           "502 Bad Gateway",
                                           "599 Odd",
                                           "999 Odder",
                                           "204 Nothing",
                                           "304 Same",
                                           "206 Partial Content",
                                           "000 Zero",
                                           "101 Switching Protocols",
                                           "300 Many",
                                           "305 Use Proxy",
                                           "306 Unused",
                                           "100 Continue",
                                           "403"};
    x->status = DRAW_TEXT(x, statuses);
    x->content_range = NULL;
    if (chance_percent(x->chance, 50)) {
        x->body_len = min_u32(x->body_len, 100);
        x->said_length = x->body_len;
    }
}

static void no_reason(exchange_t *x)
{
    x->status = x->partial ? "206" : strncmp(x->status, "200", 3) == 0 ? "200" : x->status;
}

static void say_busy(exchange_t *x, const char *retry_after)
{
    answer_without_body(x,
                        chance_percent(x->chance, 50) ? "503 Service Unavailable" : "429 Too Many Requests");
    snprintf(x->extra, sizeof(x->extra), "%s", retry_after);
}

/** For once; the next request is answered. */
static void busy_once(exchange_t *x)
{
    static const char *const texts[] = {
        "Retry-After: 1\r\n", "Retry-After: 20\r\n", "",
        "Date: Mon, 01 Jun 2026 10:00:00 GMT\r\nRetry-After: Mon, 01 Jun 2026 10:00:01 GMT\r\n"};
    x->goes_on = true;
    if (!x->line->busy_told) {
        x->line->busy_told = true;
        say_busy(x, DRAW_TEXT(x, texts));
    }
}

static void busy_for_ever(exchange_t *x)
{
    static const char *const texts[] = {"Retry-After: 31536000\r\n", "Retry-After: 1\r\n", ""};
    x->goes_on = true;
    say_busy(x, DRAW_TEXT(x, texts));
}

static void interim(exchange_t *x)
{
    x->before = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n";
}

static void interim_for_ever(exchange_t *x)
{
    x->literal = "";
    x->endless_head = "HTTP/1.1 100 Continue\r\n\r\n";
}

static void not_http(exchange_t *x)
{
    static const char *const texts[] = {"220 mail.example ESMTP\r\n",
                                        "HTTP/2.0 200 OK\r\n\r\n",
                                        "\r\n\r\n\r\n",
                                        "HTTP/1.1\r\n\r\n",
                                        "HTTP/9.9 200 OK\r\nContent-Length: 0\r\n\r\n",
                                        "HTTP/1.1 20x OK\r\n\r\n",
                                        "\x16\x03\x01"};
    x->literal = DRAW_TEXT(x, texts);
}

/* ---- redirects ---- */

static void redirect_to(exchange_t *x, const char *location)
{
    static const char *const codes[] = {"301 Moved", "302 Found", "303 See", "307 Moved", "308 Moved"};
    x->status = DRAW_TEXT(x, codes);
    x->content_range = NULL;
    x->body_len = min_u32(x->body_len, chance_below(x->chance, 200));
    x->said_length = x->body_len;
    x->closes = chance_percent(x->chance, 30);
    snprintf(x->extra, sizeof(x->extra), "%s%s%s", location != NULL ? "Location: " : "",
             location != NULL ? location : "", location != NULL ? "\r\n" : "");
}

static void redirect(exchange_t *x)
{
    static const char *const places[] = {"/other/../fw.bin", "fw.bin?again", "/elsewhere/fw.bin",
                                         "/else where/fw.bin"};
    redirect_to(x, DRAW_TEXT(x, places));
}

static void redirect_then_cut(exchange_t *x)
{
    if (strstr(x->request, "moved.bin") == NULL) {
        redirect_to(x, "/moved.bin");
    } else {
        x->cut_after_body = chance_below(x->chance, x->body_len + 1);
        x->cut_kind = SEGMENT_RESET;
    }
    x->goes_on = chance_percent(x->chance, 70);
}

static void redirect_for_ever(exchange_t *x)
{
    static const char *const places[] = {"/fw.bin", "/one.bin", "/two.bin"};
    redirect_to(x, DRAW_TEXT(x, places));
    x->goes_on = true;
}

static void redirect_away(exchange_t *x)
{
    static const char *const plain[] = {"http://mirror.example:8080/fw.bin",
                                        "http://server.example:8080/fw.bin"};
    static const char *const tls[] = {"https://mirror.example:8443/fw.bin",
                                      "https://server.example:8443/fw.bin"};
    redirect_to(x, x->line->plain ? DRAW_TEXT(x, plain) : DRAW_TEXT(x, tls));
}

static void redirect_bad(exchange_t *x)
{
    static const char *const places[] = {"http://server.example/fw.bin",
                                         "ftp://server.example/fw.bin",
                                         "javascript:alert(1)",
                                         "https://server.example:99999/",
                                         "https://[::1/",
                                         "",
                                         NULL};
    redirect_to(x, DRAW_TEXT(x, places));
}

static void redirect_long(exchange_t *x)
{
    redirect_to(x, NULL);
    x->long_name = "Location";
    x->long_len = 20000;
}

static void redirect_body_drips(exchange_t *x)
{
    redirect_to(x, "/elsewhere/fw.bin");
    x->framing = FRAME_CHUNKED;
    x->body_len = 0;
    x->endless_chunk = "1\r\nx\r\n";
    x->drip = DRIP_ENDLESS;
    x->drip_ms = 1 + chance_below(x->chance, 1500);
}

/* ---- credentials ---- */

/** Base64 of "device:secret", which only devices of the right kind know. */
#define BASIC "Basic ZGV2aWNlOnNlY3JldA=="

static void challenge(exchange_t *x, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void challenge(exchange_t *x, const char *format, ...)
{
    va_list args;
    answer_without_body(x, "401 Unauthorized");
    va_start(args, format);
    vsnprintf(x->extra, sizeof(x->extra), format, args);
    va_end(args);
    x->goes_on = true;
}

static bool basic_is_right(const exchange_t *x)
{
    return x->authorization != NULL && strncmp(x->authorization, BASIC "\r\n", sizeof(BASIC) + 1) == 0;
}

/** The digest itself is not computed here: tests/e2e/misbehaviour_http.py does that. */
static bool digest_is_right(const exchange_t *x)
{
    char nonce[32];
    snprintf(nonce, sizeof(nonce), "nonce=\"n%u\"", x->line->nonce);
    return x->authorization != NULL && strncmp(x->authorization, "Digest ", 7) == 0 &&
           x->line->device->plan.user == USER_RIGHT && strstr(x->authorization, nonce) != NULL;
}

static void want_digest(exchange_t *x, const char *more)
{
    static const char *const algorithms[] = {"MD5", "SHA-256", "MD5-sess", "SHA-256-sess"};
    x->line->nonce++;
    challenge(x,
              "%sWWW-Authenticate: Digest realm=\"updates\", qop=\"auth\", nonce=\"n%u\", algorithm=%s%s\r\n",
              strcmp(more, "basic") == 0 ? "WWW-Authenticate: Basic realm=\"updates\"\r\n" : "",
              x->line->nonce, DRAW_TEXT(x, algorithms), strcmp(more, "stale") == 0 ? ", stale=true" : "");
}

static void wants_basic(exchange_t *x)
{
    x->goes_on = true;
    if (!basic_is_right(x)) {
        challenge(x, "WWW-Authenticate: Basic realm=\"updates\"\r\n");
    }
}

static void wants_digest(exchange_t *x)
{
    x->goes_on = true;
    if (!digest_is_right(x)) {
        want_digest(x, "");
    }
}

static void wants_either(exchange_t *x)
{
    x->goes_on = true;
    if (!basic_is_right(x) && !digest_is_right(x)) {
        want_digest(x, "basic");
    }
}

/** Each nonce is good for one request. */
static void finds_nonce_stale(exchange_t *x)
{
    x->goes_on = true;
    if (!digest_is_right(x) || chance_percent(x->chance, 50)) {
        want_digest(x, "stale");
    }
}

static void finds_every_nonce_stale(exchange_t *x)
{
    want_digest(x, "stale");
}

static void wants_the_unknown(exchange_t *x)
{
    challenge(x, "WWW-Authenticate: Negotiate\r\nWWW-Authenticate: Unheard-Of realm=\"x\"\r\n");
}

static void wants_nothing(exchange_t *x)
{
    challenge(x, "%s", "");
}

/* ---- ranges and validators ---- */

/** 200 and the whole file, whatever was asked for. */
static void range_ignored(exchange_t *x)
{
    x->status = "200 OK";
    x->partial = false;
    x->content_range = NULL;
    x->from = 0;
    x->body = x->file_bytes;
    x->body_len = x->file_len;
    x->said_length = x->body_len;
}

static void ranges_refused(exchange_t *x)
{
    range_ignored(x);
    snprintf(x->extra, sizeof(x->extra), "Accept-Ranges: none\r\n");
    x->goes_on = true;
}

static void label_range(exchange_t *x)
{
    snprintf(x->content_range_text, sizeof(x->content_range_text), "bytes %u-%u/%u", (unsigned)x->from,
             (unsigned)(x->from + x->body_len - 1), (unsigned)x->file_len);
    x->content_range = x->content_range_text;
}

static void move_range(exchange_t *x, uint32_t shift)
{
    x->from += shift;
    x->body += shift;
    x->body_len -= shift;
    x->said_length = x->body_len;
    label_range(x);
}

static void range_elsewhere(exchange_t *x)
{
    uint32_t shift = 1 + chance_below(x->chance, 300);
    if (x->partial && x->body_len > shift) {
        move_range(x, shift);
    }
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
    if (x->partial && x->body_len >= 2) {
        x->body_len = 1 + chance_below(x->chance, x->body_len - 1);
        x->said_length = x->body_len;
        label_range(x);
    }
}

/** 206, rightly labelled, though nobody asked for it. */
static void range_unasked(exchange_t *x)
{
    if (!x->ranged && x->body_len > 2) {
        x->status = "206 Partial Content";
        move_range(x, chance_below(x->chance, x->body_len - 1));
    }
}

static void range_mislabelled(exchange_t *x)
{
    static const char *const labels[] = {"bytes 0-9/10",  "bytes */10",
                                         "items 0-9/10",  "bytes 9-0/10",
                                         "bytes -1-5/99", "bytes 0-99999999999999999999/9",
                                         "bytes",         NULL};
    if (x->partial) {
        x->content_range = DRAW_TEXT(x, labels);
    }
}

static void range_other_total(exchange_t *x)
{
    if (x->partial) {
        snprintf(x->content_range_text, sizeof(x->content_range_text), "bytes %u-%u/%u", (unsigned)x->from,
                 (unsigned)(x->from + x->body_len - 1),
                 (unsigned)(x->file_len + 1 + chance_below(x->chance, 1000)));
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

/** The request for a part gets this, any other one the file. */
static void range_refused(exchange_t *x)
{
    static const char *const statuses[] = {"416 Range Not Satisfiable", "304 Not Modified", "404 Not Found",
                                           "503 Service Unavailable"};
    x->goes_on = chance_percent(x->chance, 30);
    if (x->ranged) {
        answer_without_body(x, DRAW_TEXT(x, statuses));
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
        x->cut_after_body = chance_below(x->chance, x->body_len + 1);
        x->cut_kind = SEGMENT_RESET;
    }
}

/** The same with the validators gone. */
static void file_changes_silently(exchange_t *x)
{
    etag_missing(x);
    file_changes(x);
}

/** Another file by now; its rest and its validators under 206, whatever If-Range says. */
static void if_range_ignored(exchange_t *x)
{
    world_t *world = x->line->device->world;
    const release_t *other = &world->releases[chance_below(x->chance, world->release_count)];
    uint32_t len;
    const uint8_t *bytes = release_as_served(x, other, &len);
    x->goes_on = chance_percent(x->chance, 50);
    if (!x->range_read || x->first >= len || x->first > x->last) {
        x->cut_after_body = chance_below(x->chance, x->body_len + 1); /* so that there is a rest to ask for */
        x->cut_kind = SEGMENT_RESET;
        return;
    }
    x->status = "206 Partial Content";
    x->partial = true;
    x->etag = other->etag;
    x->date = other->date;
    x->file_len = len;
    x->from = x->first;
    x->body = bytes + x->first;
    x->body_len = min_u32(x->last, len - 1) - x->first + 1;
    x->said_length = x->body_len;
    label_range(x);
}

const quirk_t talk_quirks[] = {
    {"a status", status,
     "status-204 status-400 status-403 status-404 status-410 status-500 status-502 status-599 status-999 "
     "status-300 status-304 status-305 status-306 status-408-unasked "
     "status-416 status-101 status-000"},
    {"a status without a reason", no_reason, "head-no-reason"},
    {"busy for once", busy_once, "status-429 status-429-until status-503 status-503-until"},
    {"busy for ever", busy_for_ever, "status-429-for-ever status-503-for-ever"},
    {"100 and 103 first", interim, "status-continue"},
    {"100 for ever", interim_for_ever, "status-continue-for-ever"},
    {"not HTTP", not_http, "status-missing status-http2 status-http9 status-garbage status-smtp"},
    {"redirect", redirect,
     "redirect-301 redirect-302 redirect-303 redirect-307 redirect-308 redirect-relative "
     "redirect-with-blanks"},
    {"redirect, then cut", redirect_then_cut, "redirect-then-cut"},
    {"redirect for ever", redirect_for_ever, "redirect-loop redirect-two-step-loop"},
    {"redirect to another server", redirect_away, "redirect-to-other-host redirect-to-other-port"},
    {"redirect to nowhere", redirect_bad,
     "redirect-to-http redirect-without-location redirect-to-ftp redirect-to-javascript "
     "redirect-to-broken-address "
     "redirect-to-bad-port"},
    {"redirect to a long URL", redirect_long, "redirect-long"},
    {"redirect with a body that drips", redirect_body_drips, "redirect-body-drips"},
    {"wants Basic", wants_basic, "basic basic-wrong-password basic-without-password"},
    {"wants Digest", wants_digest,
     "digest-md5 digest-sha-256 digest-md5-sess digest-sha-256-sess digest-wrong-password"},
    {"wants Basic or Digest", wants_either, "digest-both"},
    {"finds a nonce stale", finds_nonce_stale, "digest-stale"},
    {"finds every nonce stale", finds_every_nonce_stale, "digest-stale-for-ever"},
    {"wants what nobody knows", wants_the_unknown, "challenge-unknown"},
    {"401 without a challenge", wants_nothing, "challenge-missing"},
    {"Range ignored", range_ignored, "range-answered-200"},
    {"ranges refused", ranges_refused, "ranges-refused"},
    {"another range", range_elsewhere, "range-starts-elsewhere"},
    {"bytes from elsewhere as the range", range_shifted, ""},
    {"a shorter range", range_shorter, "range-shorter"},
    {"a range that nobody asked for", range_unasked, "range-unasked"},
    {"wrong Content-Range", range_mislabelled, "range-without-content-range"},
    {"Content-Range of another total", range_other_total, "range-other-total"},
    {"Content-Range of unknown total", range_unknown_total, "range-unknown-total"},
    {"multipart/byteranges", range_multipart, "range-multipart"},
    {"a status for ranges", range_refused,
     "range-answered-416 range-answered-304 range-answered-404 range-answered-503 "
     "range-answered-503-for-ever"},
    {"weak ETag", etag_weak, "etag-weak"},
    {"no validator", etag_missing, ""},
    {"another ETag", etag_other, ""},
    {"Last-Modified only", date_only, "last-modified-only"},
    {"HEAD refused", head_refused, ""},
    {"a new release in between", file_changes, "etag-changed"},
    {"a new release in between, no validators", file_changes_silently, "etag-missing"},
    {"another release's rest", if_range_ignored, "etag-changed-and-if-range-ignored"},
};
const unsigned talk_quirk_count = sizeof(talk_quirks) / sizeof(talk_quirks[0]);
