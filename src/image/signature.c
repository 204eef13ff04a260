/*
 * Signatures behind an image. A signature sector has up to three blocks; any good one by a trusted key is enough, so a block
 * that is broken hides no other. Trust is in the digest of the key that a block carries; all else in it proves itself.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include "image/signature.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "otter/bytes.h"
#include "otter/image.h"

/*
 * A block of 1216 bytes:           RSA-3072        P-192, P-256        P-384
 *     0  magic, version            E7 02           E7 03               E7 03
 *     2  kind of hash              0               0 (SHA-256)         1 (SHA-384)
 *     4  hash of what is signed    32 bytes        32 bytes            48 bytes
 *     K  the key                   36: n, e, R, M  36: curve, X, Y     52: curve, X, Y
 *     S  the signature             812             101                 149
 *  1196  CRC-32 of the bytes before it
 * Numbers are little endian. The digest of a key is SHA-256 of bytes K to S - 1.
 */
#define VERSION_RSA    2u
#define VERSION_ECDSA  3u
#define AT_CRC         OTTER_SIGNATURE_AT_CRC
#define V1_NUMBER      32u
#define CURVE_CODE_LEN 1u

typedef struct {
    const char *name, *key_word;
    otter_signature_layout_t at;
    uint8_t hash_len;
    otter_curve_t curve;
} scheme_t;

static const scheme_t schemes[] = {
    [OTTER_SIGNED_NOT] = {.name = "none", .key_word = "none"},
    [OTTER_SIGNED_RSA_3072] = {"RSA-3072", "rsa3072", {VERSION_RSA, 0, 0, 36, 812}, 32, 0},
    [OTTER_SIGNED_ECDSA_P192] =
        {"ECDSA P-192", "ecdsa192", {VERSION_ECDSA, 1, 0, 36, 101}, 32, OTTER_CURVE_P192},
    [OTTER_SIGNED_ECDSA_P256] =
        {"ECDSA P-256", "ecdsa256", {VERSION_ECDSA, 2, 0, 36, 101}, 32, OTTER_CURVE_P256},
    [OTTER_SIGNED_ECDSA_P384] =
        {"ECDSA P-384", "ecdsa384", {VERSION_ECDSA, 3, 1, 52, 149}, 48, OTTER_CURVE_P384},
    [OTTER_SIGNED_V1] = {.name = "ECDSA V1", .key_word = "v1", .hash_len = 32},
};

const char *otter_signature_scheme_name(otter_signature_scheme_t scheme)
{
    return schemes[scheme].name;
}

const char *otter_signature_scheme_key(otter_signature_scheme_t scheme)
{
    return schemes[scheme].key_word;
}

otter_signature_scheme_t otter_signature_scheme_by_key(const char *key)
{
    otter_signature_scheme_t scheme = OTTER_SIGNED_V1;
    while (scheme != OTTER_SIGNED_NOT && strcmp(schemes[scheme].key_word, key) != 0) {
        scheme--;
    }
    return scheme;
}

const otter_signature_layout_t *otter_signature_layout(otter_signature_scheme_t scheme)
{
    return &schemes[scheme].at;
}

uint32_t otter_signature_hash_len(otter_signature_scheme_t scheme)
{
    return schemes[scheme].hash_len;
}

/* ---- one block ---- */

static otter_signature_scheme_t scheme_of(const uint8_t *raw)
{
    for (otter_signature_scheme_t i = OTTER_SIGNED_RSA_3072; i <= OTTER_SIGNED_ECDSA_P384; i++) {
        const scheme_t *scheme = &schemes[i];
        if (raw[1] == scheme->at.version &&
            (scheme->at.curve == 0 ||
             (raw[scheme->at.key] == scheme->at.curve && raw[2] == scheme->at.hash_kind))) {
            return i;
        }
    }
    return OTTER_SIGNED_NOT;
}

static bool digest_key(const uint8_t *key, size_t len, uint8_t *digest)
{
    otter_digest_t sha = {0};
    bool begun = otter_sha256_begin(&sha);
    if (begun) {
        otter_digest_update(&sha, key, len);
        otter_digest_finish(&sha, digest);
    }
    otter_digest_end(&sha);
    return begun;
}

esp_err_t otter_signature_block_read(const uint8_t *raw, otter_signature_block_t *block, otter_fault_t *fault)
{
    *block = (otter_signature_block_t){0};
    if (raw[0] != OTTER_SIGNATURE_MAGIC) {
        return otter_fault(fault, ESP_ERR_NOT_FOUND, "%s",
                           bytes_are_erased(raw, OTTER_SIGNATURE_BLOCK) ? "it is empty"
                                                                        : "no signature begins there");
    }
    uint32_t crc = crc32_le(0, raw, AT_CRC), stored = le32_get(raw + AT_CRC);
    if (crc != stored) {
        return otter_fault(fault, ESP_ERR_INVALID_CRC,
                           "its CRC is 0x%08" PRIx32 ", 0x%08" PRIx32 " is stored", crc, stored);
    }
    block->scheme = scheme_of(raw);
    const scheme_t *scheme = &schemes[block->scheme];
    if (block->scheme == OTTER_SIGNED_NOT) {
        return otter_fault(fault, ESP_ERR_NOT_SUPPORTED, "it has version %u%s", raw[1],
                           raw[1] == VERSION_ECDSA ? " and a curve that no chip has" : ", which no chip has");
    }
    block->hash = raw + OTTER_SIGNATURE_AT_HASH;
    block->hash_len = scheme->hash_len;
    return digest_key(raw + scheme->at.key, (size_t)scheme->at.signature - scheme->at.key, block->key_digest)
               ? ESP_OK
               : otter_fault(fault, ESP_ERR_NO_MEM, "out of memory");
}

static esp_err_t check(const uint8_t *raw, const scheme_t *scheme, const uint8_t *hash)
{
    if (scheme->at.curve != 0) {
        return otter_ecdsa_verify(scheme->curve, raw + scheme->at.key + CURVE_CODE_LEN,
                                  raw + scheme->at.signature, hash, scheme->hash_len);
    }
    return otter_rsa_pss_verify(raw + scheme->at.key + OTTER_RSA_KEY_N,
                                le32_get(raw + scheme->at.key + OTTER_RSA_KEY_E), raw + scheme->at.signature,
                                hash);
}

esp_err_t otter_signature_block_verify(const uint8_t *raw, const otter_signature_block_t *block,
                                       const uint8_t *hash, otter_fault_t *fault)
{
    if (memcmp(block->hash, hash, block->hash_len) != 0) {
        return otter_fault(fault, ESP_ERR_IMAGE_INVALID,
                           "it is of other bytes: the hash in it is not the image's");
    }
    esp_err_t err = check(raw, &schemes[block->scheme], hash);
    return err == ESP_OK ? ESP_OK
           : err == ESP_ERR_NO_MEM
               ? otter_fault(fault, ESP_ERR_NO_MEM, "out of memory")
               : otter_fault(fault, ESP_ERR_IMAGE_INVALID, "the signature does not match");
}

esp_err_t otter_signature_v1_verify(const uint8_t raw[OTTER_SIGNATURE_V1_SIZE], const uint8_t *key,
                                    const uint8_t digest[OTTER_SHA256_LEN], otter_fault_t *fault)
{
    uint32_t version = le32_get(raw);
    if (version != 0) {
        return otter_fault(fault, ESP_ERR_IMAGE_INVALID,
                           version == UINT32_MAX ? "the image is not signed"
                                                 : "signature has version %" PRIu32 ", not 0",
                           version);
    }
    uint8_t point[2 * V1_NUMBER], signature[2 * V1_NUMBER];
    for (size_t i = 0; i < 2; i++) {
        bytes_reverse(point + i * V1_NUMBER, key + i * V1_NUMBER, V1_NUMBER);
        bytes_reverse(signature + i * V1_NUMBER, raw + 4 + i * V1_NUMBER, V1_NUMBER);
    }
    esp_err_t err = otter_ecdsa_verify(OTTER_CURVE_P256, point, signature, digest, OTTER_SHA256_LEN);
    return err == ESP_OK           ? ESP_OK
           : err == ESP_ERR_NO_MEM ? otter_fault(fault, ESP_ERR_NO_MEM, "out of memory")
                                   : otter_fault(fault, ESP_ERR_IMAGE_INVALID, "signature does not match");
}

/* ---- the signature of a stream ---- */

/** What is signed, by each kind of hash. */
typedef struct {
    uint8_t sha256[OTTER_SHA256_LEN], sha384[OTTER_SHA384_LEN];
} hashes_t;

/** What several blocks come to. */
typedef struct {
    uint32_t block; /* the number of the next one */
    bool accepted;
    /* what is wrong with the first block that says something; out of memory goes before all else */
    otter_fault_t fault;
    otter_fault_t now;            /* with the block that is judged */
    otter_signature_block_t seen; /* that; here, as a stack may be small */
} verdict_t;

struct signature_reader {
    otter_trust_t trust;
    otter_sha384_t *sha384; /* of what is signed; NULL: SHA-256 is what counts */
    bool hashed;            /* `hashes` are there */
    hashes_t hashes;
    verdict_t verdict;
    uint32_t have; /* bytes of the block that is being read */
    uint8_t raw[OTTER_SIGNATURE_BLOCK];
};

bool signature_counts(const otter_trust_t *trust, otter_signature_scheme_t scheme)
{
    return trust->scheme != OTTER_SIGNED_NOT
               ? scheme == trust->scheme
               : (trust->schemes >> scheme & 1u) != 0 && scheme != OTTER_SIGNED_NOT;
}

static signature_reader_t *reader_begin(const otter_trust_t *trust)
{
    signature_reader_t *reader = calloc(1, sizeof(*reader));
    if (reader == NULL) {
        return NULL;
    }
    reader->trust = *trust;
    if (signature_counts(trust, OTTER_SIGNED_ECDSA_P384)) {
        reader->sha384 = otter_sha384_new();
        if (reader->sha384 == NULL) {
            free(reader);
            return NULL;
        }
    }
    return reader;
}

static void reader_end(signature_reader_t *reader)
{
    if (reader != NULL) {
        otter_sha384_free(reader->sha384);
        free(reader);
    }
}

static void reader_cover(signature_reader_t *reader, const uint8_t *data, size_t len)
{
    if (reader->sha384 != NULL) {
        otter_sha384_update(reader->sha384, data, len);
    }
}

static bool is_trusted(const otter_trust_t *trust, const otter_signature_block_t *block)
{
    bool trusted = false;
    for (uint32_t i = 0; i < trust->key_count; i++) {
        trusted = trusted || memcmp(trust->keys[i], block->key_digest, trust->key_len) == 0;
    }
    return trusted;
}

/** One block, by the trust. @return ESP_OK: it is enough */
static esp_err_t judge_block(const otter_trust_t *trust, const uint8_t *raw, const hashes_t *hashes,
                             otter_signature_block_t *block, otter_fault_t *fault)
{
    esp_err_t err = otter_signature_block_read(raw, block, fault);
    if (err != ESP_OK) {
        return err;
    }
    if (!signature_counts(trust, block->scheme)) {
        return otter_fault(fault, ESP_ERR_IMAGE_INVALID, "it is %s, and this device takes %s",
                           otter_signature_scheme_name(block->scheme),
                           trust->scheme != OTTER_SIGNED_NOT ? otter_signature_scheme_name(trust->scheme)
                                                             : "others");
    }
    if (!is_trusted(trust, block)) {
        char key[17];
        return otter_fault(fault, ESP_ERR_IMAGE_INVALID, "its key %s... is not trusted",
                           otter_image_hex(key, block->key_digest, 8));
    }
    const uint8_t *hash = block->hash_len == OTTER_SHA384_LEN ? hashes->sha384 : hashes->sha256;
    return otter_signature_block_verify(raw, block, hash, fault);
}

static bool is_v1(const otter_trust_t *trust)
{
    return trust->scheme == OTTER_SIGNED_V1;
}

/** The next block. Of several the first that says anything tells why none was good. */
static void add_block(verdict_t *verdict, const otter_trust_t *trust, const uint8_t *raw,
                      const hashes_t *hashes)
{
    static const char *const contexts[OTTER_SIGNATURE_BLOCKS] = {
        "signature block 0: ", "signature block 1: ", "signature block 2: "};
    otter_fault_t *now = &verdict->now;
    *now = (otter_fault_t){0};
    esp_err_t err = is_v1(trust) ? otter_signature_v1_verify(raw, trust->v1_key, hashes->sha256, now)
                                 : judge_block(trust, raw, hashes, &verdict->seen, now);
    verdict->accepted = err == ESP_OK;
    if (err != ESP_OK && !is_v1(trust)) {
        (void)otter_fault_add(now, contexts[verdict->block]);
    }
    bool nothing_said = verdict->fault.code == ESP_OK || verdict->fault.code == ESP_ERR_NOT_FOUND;
    if (err == ESP_ERR_NO_MEM || (err != ESP_OK && nothing_said)) {
        verdict->fault = *now;
    }
    verdict->block++;
}

static esp_err_t tell_verdict(const verdict_t *verdict, otter_fault_t *fault)
{
    if (verdict->accepted) {
        return ESP_OK;
    }
    if (verdict->fault.code == ESP_ERR_NO_MEM) {
        return otter_fault(fault, ESP_ERR_NO_MEM, "out of memory");
    }
    const char *why =
        verdict->fault.code == ESP_ERR_NOT_FOUND ? "the image is not signed" : verdict->fault.why;
    return otter_fault(fault, ESP_ERR_IMAGE_INVALID, "%s", why);
}

esp_err_t otter_signature_sector_verify(const otter_trust_t *trust, const uint8_t *sector,
                                        const uint8_t *hash, otter_fault_t *fault)
{
    verdict_t verdict = {0};
    hashes_t hashes = {0};
    if (trust->scheme == OTTER_SIGNED_ECDSA_P384) {
        memcpy(hashes.sha384, hash, OTTER_SHA384_LEN);
    } else {
        memcpy(hashes.sha256, hash, OTTER_SHA256_LEN);
    }
    while (!verdict.accepted && verdict.block < trust->blocks && verdict.block < OTTER_SIGNATURE_BLOCKS) {
        add_block(&verdict, trust, sector + verdict.block * OTTER_SIGNATURE_BLOCK, &hashes);
    }
    return tell_verdict(&verdict, fault);
}

static void reader_feed(signature_reader_t *reader, const uint8_t digest[OTTER_SHA256_LEN],
                        const uint8_t *data, size_t len)
{
    if (!reader->hashed) {
        memcpy(reader->hashes.sha256, digest, OTTER_SHA256_LEN);
        if (reader->sha384 != NULL) {
            otter_sha384_finish(reader->sha384, reader->hashes.sha384);
        }
        reader->hashed = true;
    }
    const size_t whole = is_v1(&reader->trust) ? OTTER_SIGNATURE_V1_SIZE : OTTER_SIGNATURE_BLOCK;
    verdict_t *verdict = &reader->verdict;
    while (len > 0 && !verdict->accepted && verdict->block < reader->trust.blocks) {
        size_t n = len < whole - reader->have ? len : whole - reader->have;
        memcpy(reader->raw + reader->have, data, n);
        reader->have += (uint32_t)n;
        data += n;
        len -= n;
        if (reader->have == whole) {
            add_block(verdict, &reader->trust, reader->raw, &reader->hashes);
            reader->have = 0;
        }
    }
}

static esp_err_t reader_verdict(signature_reader_t *reader, otter_fault_t *fault)
{
    return tell_verdict(&reader->verdict, fault);
}

/* ---- the key of what runs ---- */

static esp_err_t take_key(const uint8_t *raw, otter_trust_t *trust)
{
    otter_signature_block_t block;
    esp_err_t err = otter_signature_block_read(raw, &block, NULL);
    if (err != ESP_OK || !signature_counts(trust, block.scheme)) {
        return err == ESP_ERR_NO_MEM ? err : ESP_ERR_NOT_FOUND;
    }
    trust->scheme = block.scheme;
    trust->key_count = 1;
    memcpy(trust->keys[0], block.key_digest, OTTER_KEY_DIGEST_LEN);
    return ESP_OK;
}

static esp_err_t first_key(otter_flash_t *flash, uint32_t at, otter_trust_t *trust)
{
    uint8_t *raw = malloc(OTTER_SIGNATURE_BLOCK);
    if (raw == NULL) {
        return ESP_ERR_NO_MEM;
    }
    esp_err_t err = ESP_ERR_NOT_FOUND;
    for (uint32_t i = 0; i < OTTER_SIGNATURE_BLOCKS && err == ESP_ERR_NOT_FOUND; i++) {
        err = otter_flash_read(flash, at + i * OTTER_SIGNATURE_BLOCK, raw, OTTER_SIGNATURE_BLOCK);
        if (err == ESP_OK) {
            err = take_key(raw, trust);
        }
    }
    free(raw);
    return err;
}

const otter_signatures_t otter_signatures = {
    .first_key = first_key,
    .begin = reader_begin,
    .cover = reader_cover,
    .feed = reader_feed,
    .verdict = reader_verdict,
    .end = reader_end,
};
