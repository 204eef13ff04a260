/*
 * Second opinions: slow, simple readings of the formats, written from their description and not from src/. They use plain
 * 64-bit sums, whole buffers and OpenSSL, and share no code with what they judge.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "otter/image.h"

uint32_t reference_le32(const uint8_t *p);
uint16_t reference_le16(const uint8_t *p);
void reference_md5(const uint8_t *bytes, size_t len, uint8_t digest[16]);
void reference_sha256(const uint8_t *bytes, size_t len, uint8_t digest[32]);

/** CRC-32 bit by bit, with a seed that is complemented on entry and exit. */
uint32_t reference_crc32(uint32_t seed, const uint8_t *bytes, size_t len);

/** The checksum of a resume record's units, of whole words. */
uint32_t reference_fletcher(const uint8_t *bytes, size_t len);

/* ---- partition table: 96 records of 32 bytes ---- */

#define REFERENCE_TABLE_SIZE 3072u

/** The bootloader's verdict (ESP_OK, ESP_ERR_INVALID_STATE, ESP_ERR_INVALID_SIZE) and how many records it walks. */
esp_err_t reference_table_verify(const uint8_t *raw, uint32_t flash_size, uint32_t *count);

/** Leading entries, as an application sees them. *md5: 0 none follows, 1 right, 2 wrong. */
uint32_t reference_table_entries(const uint8_t *raw, int *md5);

/** Index of the first MD5 record, -1: none. */
int reference_table_find_md5(const uint8_t *raw);

/* ---- the boot decision ---- */

/** What the table offers, as the bootloader counts. */
typedef struct {
    bool otadata, factory, test, slots[16];
    uint32_t slot_count;
} reference_have_t;

typedef struct {
    int first;             /* -1 factory, n ota_n */
    int active;            /* record that decided, -1 */
    bool initial_contents; /* the slot that starts gets the first record */
    uint8_t after[2][32];  /* the records after the boot */
    bool changed[2];
} reference_boot_t;

/** @param new_enough  NULL: no anti-rollback */
void reference_boot_decide(const uint8_t raw[2][32], const reference_have_t *have, bool rollback,
                           const bool *new_enough, reference_boot_t *out);

/** Candidates in order; -1 factory, -2 test. @return how many */
unsigned reference_boot_order(int first, const reference_have_t *have, int order[32]);

/* ---- app image ---- */

typedef struct {
    esp_err_t verdict; /* ESP_OK, ESP_FAIL, ESP_ERR_IMAGE_INVALID, ESP_ERR_INVALID_ARG */
    uint32_t image_len, segments;
    uint32_t body_len;         /* bytes before padding and checksum, 0: not so far */
    uint8_t want_checksum;     /* what the checksum byte should be */
    uint8_t want_hash[32];     /* what the appended hash should be, if there is one */
    bool checksum_in, hash_in; /* they lie within the bytes */
} reference_image_t;

/** Judge `len` bytes that begin with an image, by `rules` (whose size is the room it has). */
void reference_image(const uint8_t *bytes, size_t len, const otter_image_rules_t *rules,
                     reference_image_t *out);

/* ---- signatures ---- */

/** A public key and a signature, as two numbers each. */
typedef struct {
    int curve;   /* as OpenSSL numbers it */
    int len;     /* bytes of a number */
    bool little; /* the byte that comes first counts least */
    const uint8_t *point, *signature;
} reference_ecdsa_t;

bool reference_ecdsa(const reference_ecdsa_t *e, const uint8_t *hash, int hash_len);

/* ---- HTTP response ---- */

typedef struct {
    bool complete; /* head and body arrived as framed */
    int status;
    uint8_t *body; /* the caller frees */
    size_t body_len;
} reference_http_t;

/** Read the answer to one request out of everything a server said. `closed`: the connection then ended properly. */
void reference_http(const uint8_t *bytes, size_t len, bool to_head, bool closed, reference_http_t *out);
