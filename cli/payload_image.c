/* The payload passes through in pieces: an image may be larger than this machine's memory. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "payload_image.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "otter/bytes.h"
#include "cli.h"
#include "host/named_file.h"
#include "image_writer.h"
#include "otter/chip.h"
#include "otter/crypto.h"
#include "otter/flash.h"
#include "otter/image.h"

#define VERB           "image"
#define PAYLOAD_OFFSET 4096u       /* in the image: a whole block of any disk */
#define PAYLOAD_ADDR   0x10000000u /* load address of its segment, by agreement */
#define PAYLOAD_MAX    (OTTER_FLASH_SIZE_MAX - 0x100000u)
#define PIECE          (1u << 20)
#define TAIL_MAX       (3u + 16u + OTTER_SHA256_LEN)

/** All of it, in pieces to `take`. Says why not. */
static bool read_all(const payload_t *payload, bool (*take)(void *arg, const uint8_t *data, size_t len),
                     void *arg)
{
    uint8_t *piece = malloc(PIECE);
    bool ok = true;
    if (piece == NULL) {
        return cli_refuse(VERB, "out of memory");
    }
    for (uint32_t at = 0; ok && at < payload->size;) {
        ssize_t n = pread(payload->fd, piece, min_u32(PIECE, payload->size - at), at);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            ok = cli_refuse(VERB, "cannot read %s: %s", payload->path,
                            n == 0 ? "it became shorter meanwhile" : strerror(errno));
        } else {
            ok = take(arg, piece, (size_t)n);
            at += (uint32_t)n;
        }
    }
    free(piece);
    return ok;
}

static bool take_for_digest(void *arg, const uint8_t *data, size_t len)
{
    otter_digest_update(arg, data, len);
    return true;
}

static bool digest_payload(const payload_t *payload, uint8_t digest[OTTER_SHA256_LEN])
{
    otter_digest_t sha = {0};
    bool ok = otter_sha256_begin(&sha) ? read_all(payload, take_for_digest, &sha)
                                       : cli_refuse(VERB, "out of memory");
    if (ok) {
        otter_digest_finish(&sha, digest);
    }
    otter_digest_end(&sha);
    return ok;
}

/** What comes out of a pipe, in a file of memory: it is read twice. Says why not. @return its size, 0 */
static off_t spool(payload_t *payload, const struct stat *st, otter_fault_t *fault)
{
    size_t len = 0;
    uint8_t *bytes = input_read(payload->fd, st, PAYLOAD_MAX, &len, fault);
    int memory = bytes != NULL ? memfd_create("payload", MFD_CLOEXEC) : -1;
    if (memory >= 0 && output_write(memory, bytes, len)) {
        close(payload->fd);
        payload->fd = memory;
    } else {
        len = 0;
        otter_ignore(cli_fail(VERB, "%s: %s", payload->path, bytes == NULL ? fault->why : strerror(errno)));
        if (memory >= 0) {
            close(memory);
        }
    }
    free(bytes);
    return (off_t)len;
}

bool payload_open(payload_t *payload, const char *path)
{
    struct stat st;
    otter_fault_t fault;
    *payload = (payload_t){.path = path, .fd = input_open(path, INPUT_OR_PIPE, &st, &fault)};
    if (payload->fd < 0) {
        return cli_refuse(VERB, "%s: %s", path, fault.why);
    }
    if (!S_ISREG(st.st_mode)) {
        st.st_size = spool(payload, &st, &fault);
        if (st.st_size == 0) {
            return false;
        }
    }
    if (st.st_size == 0) {
        return cli_refuse(VERB, "%s is empty: a payload has at least one byte", path);
    }
    if (st.st_size > (off_t)PAYLOAD_MAX) {
        return cli_refuse(VERB, "%s has %lld bytes, more than the %u that fit in the largest flash", path,
                          (long long)st.st_size, PAYLOAD_MAX);
    }
    payload->size = (uint32_t)st.st_size;
    return digest_payload(payload, payload->digest);
}

void payload_close(payload_t *payload)
{
    if (payload->fd >= 0) {
        close(payload->fd);
    }
    payload->fd = -1;
}

/** The image on its way out: summed, hashed and judged as it passes. */
typedef struct {
    output_t out;
    const char *name;
    uint64_t written;
    uint8_t checksum;              /* of segment data so far */
    otter_digest_t image, payload; /* of all that was written, of the payload alone */
    otter_image_stream_t judge;
} sink_t;

/** Says why not. */
static bool put(sink_t *sink, const uint8_t *data, size_t len)
{
    if (!output_write(sink->out.fd, data, len)) {
        return cli_refuse(VERB, "cannot write %s: %s", sink->name, strerror(errno));
    }
    otter_digest_update(&sink->image, data, len);
    otter_image_stream_feed(&sink->judge, data, len);
    sink->written += len;
    return true;
}

static bool put_payload(void *arg, const uint8_t *data, size_t len)
{
    sink_t *sink = arg;
    otter_digest_update(&sink->payload, data, len);
    for (size_t i = 0; i < len; i++) {
        sink->checksum ^= data[i];
    }
    return put(sink, data, len);
}

/** Header, descriptor, zeros up to the payload, and the header of its segment. */
static bool put_head(sink_t *sink, const payload_t *payload, const esp_image_header_t *header,
                     const uint8_t *desc)
{
    static uint8_t first[PAYLOAD_OFFSET - OTTER_IMAGE_DESC_OFFSET - OTTER_IMAGE_SEGMENT_SIZE];
    esp_image_header_t own = *header;
    image_writer_t w = {0};
    own.entry_addr = payload->size;
    memcpy(first, desc, OTTER_IMAGE_DESC_SIZE);
    image_writer_begin(&w, &own);
    image_writer_segment(&w, 0, first, sizeof(first));
    bool ok = !w.out_of_memory || cli_refuse(VERB, "out of memory");
    if (ok) {
        uint8_t segment[OTTER_IMAGE_SEGMENT_SIZE];
        le32_put(segment, PAYLOAD_ADDR);
        le32_put(segment + 4, align_up_u32(payload->size, 4));
        w.bytes[1] = 2; /* segments */
        sink->checksum = w.checksum;
        ok = put(sink, w.bytes, w.len) && put(sink, segment, sizeof(segment));
    }
    image_writer_free(&w);
    return ok;
}

/** What fills the payload's last word, the checksum, the hash. */
static bool put_tail(sink_t *sink, const payload_t *payload, bool hashed)
{
    uint8_t tail[TAIL_MAX] = {0};
    size_t fill = align_up_u32(payload->size, 4) - payload->size;
    size_t len = fill + 16 - (sink->written + fill) % 16;
    tail[len - 1] = sink->checksum;
    if (!put(sink, tail, len)) {
        return false;
    }
    if (hashed) {
        otter_digest_finish(&sink->image, tail);
    }
    return !hashed || put(sink, tail, OTTER_SHA256_LEN);
}

/** What leaves this program is judged by the code that a device has, and holds what was read first. */
static bool is_good(sink_t *sink, const payload_t *payload)
{
    uint8_t digest[OTTER_SHA256_LEN];
    otter_digest_finish(&sink->payload, digest);
    if (memcmp(digest, payload->digest, sizeof(digest)) != 0) {
        return cli_refuse(VERB, "%s was changed while it was read: try again", payload->path);
    }
    return otter_image_stream_close(&sink->judge) == ESP_OK ||
           cli_refuse(VERB, "the image of %s would be refused: %s", payload->path, sink->judge.fault.why);
}

static bool open_sink(sink_t *sink, const payload_t *payload, const char *output)
{
    otter_fault_t fault;
    const bool standard = strcmp(output, "-") == 0;
    const otter_image_rules_t rules = {.size = payload->size + PAYLOAD_OFFSET + TAIL_MAX, .loading = true};
    *sink = (sink_t){.name = standard ? "standard output" : output, .out.fd = STDOUT_FILENO};
    if (!otter_sha256_begin(&sink->image) || !otter_sha256_begin(&sink->payload) ||
        otter_image_stream_begin(&sink->judge, &rules) != ESP_OK) {
        sink->out.fd = -1;
        return cli_refuse(VERB, "out of memory");
    }
    return standard || output_open(&sink->out, output, false, &fault) ||
           cli_refuse(VERB, "cannot write %s: %s", output, fault.why);
}

static bool close_sink(sink_t *sink, bool complete, const char *output)
{
    bool closed = strcmp(output, "-") == 0 ? complete : output_close(&sink->out, complete);
    if (complete && !closed) {
        closed = cli_refuse(VERB, "cannot write %s: %s", output, strerror(errno));
    }
    otter_digest_end(&sink->image);
    otter_digest_end(&sink->payload);
    otter_image_stream_end(&sink->judge);
    return closed;
}

bool payload_write_image(const payload_t *payload, const esp_image_header_t *header, const uint8_t *desc,
                         const char *output, uint64_t *length)
{
    sink_t sink;
    bool ok = open_sink(&sink, payload, output) && put_head(&sink, payload, header, desc) &&
              read_all(payload, put_payload, &sink) && put_tail(&sink, payload, header->hash_appended) &&
              is_good(&sink, payload);
    *length = sink.written;
    return close_sink(&sink, ok, output);
}
