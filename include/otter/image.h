/* The app image: one streaming parser that judges it (FORMATS.md sections 5 and 6), in any chunking. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "esp_app_desc.h"
#include "esp_app_format.h"
#include "esp_bootloader_desc.h"
#include "esp_err.h"
#include "otter/chip.h"
#include "otter/crypto.h"
#include "otter/fault.h"
#include "otter/flash.h"
#include "otter/promise.h"
#include "otter/trust.h"

#ifdef __cplusplus
extern "C" {
#endif

#define OTTER_IMAGE_HEADER_SIZE  24u
#define OTTER_IMAGE_SEGMENT_SIZE 8u
#define OTTER_IMAGE_DESC_OFFSET  32u  /* of the app descriptor, from the start of the image */
#define OTTER_IMAGE_DESC_SIZE    256u /* of the app descriptor */
/* Header, first segment header, descriptor: enough to judge before any write. */
#define OTTER_IMAGE_GATE_SIZE 288u
#define OTTER_IMAGE_HASH_LEN  32u

/** By whose rules, and where the image lies. Copied by otter_image_stream_begin; `chip` must stay. */
typedef struct {
    const otter_chip_t *chip; /* who judges; NULL: any chip is right, the image's own facts are used */
    uint32_t flash_offset; /* where the image starts in flash; 0 for a file (partitions are 64 KiB aligned) */
    uint32_t size;         /* bytes the image may use: the partition's, or the file's */
    /* as the bootloader does when it loads: segments' addresses are checked, and that it is an app */
    bool loading;
    bool known;     /* compared before, and not written to since: checksum and hash are not compared again */
    bool hashed;    /* an image without an appended hash is refused */
    bool no_checks; /* esp_image_get_metadata: structure and length only */
    bool strict; /* a revision that nobody told is the least that it can be; else it may be any later one */
    /* a second-stage bootloader: no descriptor, no upper revision, a wrong hash does not count */
    bool bootloader;
    /* whose signature it needs; no signatures: it needs none, and what is behind the image is not read */
    otter_trust_t trust;
} otter_image_rules_t;

/** What the stream learnt. Fields hold what was seen so far; all of it when the verdict is ESP_OK. */
typedef struct {
    esp_image_header_t header;
    esp_image_segment_header_t segments[ESP_IMAGE_MAX_SEGMENTS];
    uint32_t segment_data[ESP_IMAGE_MAX_SEGMENTS]; /* offset of each segment's data from the image start */
    uint32_t segments_seen;
    bool header_seen;
    bool has_desc;            /* segment 0 begins with the descriptor's magic and holds all of it */
    bool has_bootloader_desc; /* the same of a bootloader's (ESP-IDF 5.2 and later) */
    union {                   /* integers already in host order */
        esp_app_desc_t desc;  /* only when has_desc */
        esp_bootloader_desc_t bootloader_desc; /* only when has_bootloader_desc */
    };
    /* Limits of the eFuse block's revision, of an app for a chip that has them. As ESP-IDF's bootloader reads them: the bytes at
     * their place in the descriptor, whether the image has one or not. */
    bool has_blk_limits; /* segment 0 is long enough to have such bytes */
    uint16_t min_blk_revision, max_blk_revision;
    /* with padding, checksum and appended hash, and with the signature where one was found good; 0 until it is known */
    uint32_t image_len;
    uint8_t checksum, checksum_stored;
    bool checksum_seen, checksum_valid;
    bool hash_seen, hash_compared, hash_valid; /* seen: read; valid: compared (now or before) and equal */
    uint8_t digest[OTTER_IMAGE_HASH_LEN];   /* the appended hash as stored; else (no hash appended) zeros */
    uint8_t computed[OTTER_IMAGE_HASH_LEN]; /* what it should be, when hash_compared; else zeros */
    uint32_t mmu_page_size;                 /* bytes */
} otter_image_info_t;

/** A parser in progress: constant memory, one SHA-256. Zero it before its first begin; end with otter_image_stream_end(). */
typedef struct {
    otter_digest_t sha; /* begun anew by the next begin */
    otter_image_rules_t rules;
    otter_image_info_t info;
    esp_err_t verdict;                  /* ESP_ERR_NOT_FINISHED while more is wanted */
    otter_fault_t fault;                /* of a verdict that is an error */
    struct signature_reader *signature; /* owned; NULL: no signature is asked for */
    uint32_t pos;                       /* bytes of the image consumed */

    /* Private from here on. */
    const otter_chip_facts_t *facts; /* of the judging chip, else of the image's; NULL: unknown chip */
    uint32_t state;
    uint32_t want, have; /* bytes of the part now being read (header, segment data, ...): whole, so far */
    uint64_t xor_word;   /* of all segment data, folded to the checksum at the end */
    bool hashing;
    uint8_t signed_digest[OTTER_IMAGE_HASH_LEN]; /* SHA-256 of image and padding, once the signature begins */
    uint8_t buf[OTTER_IMAGE_HASH_LEN];           /* of a part that is small: a header, checksum, hash */
} otter_image_stream_t;

/**
 * Start judging an image.
 * @return ESP_OK, ESP_ERR_NO_MEM, ESP_ERR_INVALID_ARG (`size` above the judging chip's limit; reason in fault)
 */
OTTER_MUST_CHECK esp_err_t otter_image_stream_begin(otter_image_stream_t *s,
                                                    const otter_image_rules_t *rules);

/**
 * The next bytes. Chunks may be cut anywhere; bytes after the end of the image are ignored.
 * @return the verdict: ESP_ERR_NOT_FINISHED (give more), ESP_OK (complete and good; more bytes change nothing),
 *         ESP_ERR_IMAGE_INVALID, ESP_FAIL (other chip or revision). Sticky.
 */
esp_err_t otter_image_stream_feed(otter_image_stream_t *s, const void *data, size_t len);

/** No more bytes will come: a stream still NOT_FINISHED becomes ESP_ERR_IMAGE_INVALID ("truncated ..."). @return verdict */
OTTER_MUST_CHECK esp_err_t otter_image_stream_close(otter_image_stream_t *s);

/** Frees what the stream owns; harmless twice and on zeros. */
void otter_image_stream_end(otter_image_stream_t *s);

/**
 * The same for an image in flash: begin, feed from rules->flash_offset, close. The stream then holds all that could be
 * learnt of a good or a broken image. The caller ends it. @return codes as otter_image_verify
 */
OTTER_MUST_CHECK esp_err_t otter_image_stream_from_flash(otter_image_stream_t *s, otter_flash_t *flash,
                                                         const otter_image_rules_t *rules);

/**
 * Judge the image in [flash_offset, flash_offset + size) of a flash, reading only as much as it needs.
 * @param info  optional, NULL for none; all zeros on failure as in ESP-IDF
 * @param fault says what failed; NULL: nobody asks
 * @return as otter_image_stream_begin and otter_image_stream_feed, never NOT_FINISHED; ESP_ERR_FLASH_OP_*, and what
 *         otter_flash_read says of a range beyond the flash; ESP_ERR_NO_MEM
 */
OTTER_MUST_CHECK esp_err_t otter_image_verify(otter_flash_t *flash, const otter_image_rules_t *rules,
                                              otter_image_info_t *info, otter_fault_t *fault);

/**
 * The length of the image at `offset`, by its structure alone, without a signature behind it.
 * @param size  bytes that it may use
 * @param len   bytes; 0 on failure
 * @return as otter_image_verify()
 */
OTTER_MUST_CHECK esp_err_t otter_image_length(otter_flash_t *flash, const otter_chip_t *chip, uint32_t offset,
                                              uint32_t size, uint32_t *len);

/**
 * What an image is all about where no chip loads it: of chip device the payload, of chip linux the program.
 * @param off, len  of it, bytes from the start of the image; len without what fills its last word
 * @return false: the image is for a chip, or has no such segment
 */
OTTER_MUST_CHECK bool otter_image_payload(const otter_image_info_t *info, uint32_t *off, uint32_t *len);

/** `len` bytes as lower-case hex, terminated. @param dst  2 * len + 1 bytes. @return dst */
char *otter_image_hex(char *dst, const uint8_t *bytes, size_t len);

/** Part of a reason: the verdict depends on the device's revision, which nobody has told. */
#define OTTER_IMAGE_REVISION_UNKNOWN "is not known"

/** As "v3.0" in buf. Returns buf. */
const char *otter_image_revision_text(uint16_t revision, char buf[12]);

/**
 * The gate before the first write: magic, chip and revisions of a header block.
 * @param raw         OTTER_IMAGE_HEADER_SIZE bytes at least
 * @param bootloader  it is a bootloader's, which has no upper revision
 * @return ESP_OK, ESP_ERR_INVALID_VERSION (chip or revision; the reason in fault), ESP_ERR_OTA_VALIDATE_FAILED (magic)
 */
OTTER_MUST_CHECK esp_err_t otter_image_check_header(const uint8_t *raw, const otter_chip_t *chip,
                                                    bool bootloader, otter_fault_t *fault);

/**
 * The gate with more than the header: all that the first bytes tell by these rules, before anything is written. An image that may
 * still turn out well passes; one for an app partition that begins as a bootloader or a RAM program does not.
 * @param len  of `head`; OTTER_IMAGE_HEADER_SIZE at least, OTTER_IMAGE_GATE_SIZE or more tell most
 * @return ESP_OK, ESP_ERR_OTA_VALIDATE_FAILED or, of an eFuse block revision, ESP_ERR_INVALID_VERSION (the reason in fault),
 *         ESP_ERR_NO_MEM
 */
OTTER_MUST_CHECK esp_err_t otter_image_check_head(const uint8_t *head, size_t len,
                                                  const otter_image_rules_t *rules, otter_fault_t *fault);

/** Decode a header of OTTER_IMAGE_HEADER_SIZE raw bytes; integers to host order. */
void otter_image_decode_header(const uint8_t *raw, esp_image_header_t *out);

/**
 * Decode a descriptor of OTTER_IMAGE_DESC_SIZE raw bytes, which `out` may be, too.
 * @return ESP_OK, ESP_ERR_NOT_FOUND if the magic is another
 */
OTTER_MUST_CHECK esp_err_t otter_image_decode_desc(const uint8_t *raw, esp_app_desc_t *out);

/**
 * Decode a bootloader's descriptor of sizeof(*out) raw bytes, which `out` may be, too.
 * @return ESP_OK, ESP_ERR_NOT_FOUND: another magic, or (one byte is little to go by) no text where its version of ESP-IDF is
 */
OTTER_MUST_CHECK esp_err_t otter_image_decode_bootloader_desc(const uint8_t *raw, esp_bootloader_desc_t *out);

/** "QIO", "DIO", ...: how the ROM reads flash by this header. NULL for a code without a meaning. */
const char *otter_image_flash_mode(const esp_image_header_t *header);

/** Bytes of flash that this header is for; 0 for a code without a meaning. */
uint32_t otter_image_flash_size(const esp_image_header_t *header);

/** MHz of the flash's clock by this header; 0 where the chip has no such code. */
unsigned otter_image_flash_mhz(const esp_image_header_t *header, const otter_chip_facts_t *facts);

#ifdef __cplusplus
}
#endif
