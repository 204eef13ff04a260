/* otter image sign: one or more signature blocks behind an image, made here or elsewhere. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "otter/bytes.h"
#include "cli.h"
#include "otter/image.h"
#include "otter/image_kind.h"
#include "signature_look.h"
#include "signing_options.h"

#define FILE_MAX (128u << 20) /* bytes: the largest flash of a chip */
#define SIG_MAX  4096u        /* of a signature in a file */

typedef struct {
    const char *file, *output, *digest_out, *signature, *public_key, *passphrase;
    key_names_t keys;
    bool v1, replace, data, quiet;
} sign_options_t;

/** What is to be signed, and what is behind it. */
typedef struct {
    uint8_t *bytes; /* owned; with room for padding and a sector behind `len` */
    size_t len;     /* of what is signed: padded to a sector, or of the V1 scheme the image alone */
    uint32_t blocks;
    uint16_t chip_id;
    bool is_image, had_first;
    uint8_t first_key[OTTER_KEY_DIGEST_LEN]; /* of the block 0 that the file came with */
} signed_file_t;

/* ---- what the file holds ---- */

static bool is_present(const uint8_t *block)
{
    otter_signature_block_t read;
    esp_err_t err = otter_signature_block_read(block, &read, NULL);
    return err != ESP_ERR_NOT_FOUND;
}

/** Whose block 0 is. False: nobody's. */
static bool read_first_key(const signed_file_t *f, size_t at, uint8_t digest[OTTER_KEY_DIGEST_LEN])
{
    otter_signature_block_t first;
    if (f->blocks == 0 || otter_signature_block_read(f->bytes + at, &first, NULL) != ESP_OK) {
        return false;
    }
    memcpy(digest, first.key_digest, OTTER_KEY_DIGEST_LEN);
    return true;
}

/** Behind the image there may be padding to its sector, and a sector of signatures; nothing else. */
static bool find_end(const sign_options_t *o, signed_file_t *f, size_t file_len, size_t image_len)
{
    const size_t padded = (image_len + OTTER_SIGNATURE_SECTOR - 1) & ~(size_t)(OTTER_SIGNATURE_SECTOR - 1);
    size_t at = image_len;
    while (at < file_len && at < padded && f->bytes[at] == 0xFF) {
        at++;
    }
    if (at < file_len && (at < padded || file_len != padded + OTTER_SIGNATURE_SECTOR || o->v1)) {
        return cli_refuse(
            "image sign",
            "%s has %zu bytes behind the image, at %zu, that are no signature: sign the image alone", o->file,
            file_len - at, at);
    }
    if (file_len > padded) {
        while (f->blocks < OTTER_SIGNATURE_BLOCKS &&
               is_present(f->bytes + padded + f->blocks * OTTER_SIGNATURE_BLOCK)) {
            f->blocks++;
        }
    }
    if (file_len > padded && f->blocks == 0 && !bytes_are_erased(f->bytes + padded, OTTER_SIGNATURE_SECTOR)) {
        return cli_refuse("image sign",
                          "%s has a sector behind the image, at %zu, that holds no signature: sign the image "
                          "alone",
                          o->file, padded);
    }
    f->had_first = read_first_key(f, padded, f->first_key);
    if (!o->v1) {
        memset(f->bytes + image_len, 0xFF,
               padded - image_len); /* it is so already, or the file ends before */
    }
    if (file_len <= padded || o->replace) {
        memset(f->bytes + padded, 0xFF, OTTER_SIGNATURE_SECTOR);
        f->blocks = 0;
    }
    f->len = o->v1 ? image_len : padded;
    return true;
}

static bool judge_image(const sign_options_t *o, signed_file_t *f, size_t file_len)
{
    otter_image_stream_t s = {0};
    const otter_image_rules_t rules = {.size = (uint32_t)file_len};
    if (otter_image_stream_begin(&s, &rules) == ESP_OK) {
        otter_image_stream_feed(&s, f->bytes, file_len);
    }
    bool ok = otter_image_stream_close(&s) == ESP_OK;
    if (!ok) {
        cli_refuse("image sign", "%s: %s; a signature would not mend it (--data signs any bytes)", o->file,
                   s.fault.why);
    }
    f->is_image = true;
    f->chip_id = s.info.header.chip_id;
    uint32_t image_len = s.info.image_len;
    otter_image_stream_end(&s);
    return ok && find_end(o, f, file_len, image_len);
}

static bool load(const sign_options_t *o, signed_file_t *f)
{
    size_t len;
    *f = (signed_file_t){0};
    uint8_t *bytes = cli_read_file("image sign", o->file, FILE_MAX, &len);
    f->bytes = bytes != NULL ? realloc(bytes, len + 2 * (size_t)OTTER_SIGNATURE_SECTOR) : NULL;
    if (f->bytes == NULL) {
        free(bytes);
        return bytes == NULL ? false : cli_refuse("image sign", "out of memory");
    }
    if (!o->data) {
        return judge_image(o, f, len);
    }
    return len == 0 ? cli_refuse("image sign", "%s is empty", o->file) : find_end(o, f, len, len);
}

/* ---- keys ---- */

/** What its owner should know before the key is in the field. */
static bool suits_chip(const sign_options_t *o, const signed_file_t *f, otter_signature_scheme_t scheme,
                       uint32_t blocks)
{
    const otter_chip_facts_t *chip = f->is_image ? otter_chip_facts(f->chip_id) : NULL;
    if (chip == NULL) {
        return true;
    }
    if (!otter_chip_verifies(chip, scheme)) {
        return cli_refuse("image sign", "%s is for %s, which does not verify %s", o->file, chip->title,
                          otter_signature_scheme_name(scheme));
    }
    if (blocks > chip->signature_blocks) {
        cli_note("image sign", "%s looks at the first signature only; the others are for nobody",
                 chip->title);
    }
    return true;
}

static bool is_there_already(const signed_file_t *f, const uint8_t *digest)
{
    otter_signature_block_t block;
    for (uint32_t i = 0; i < f->blocks; i++) {
        if (otter_signature_block_read(f->bytes + f->len + i * OTTER_SIGNATURE_BLOCK, &block, NULL) ==
                ESP_OK &&
            memcmp(block.key_digest, digest, OTTER_KEY_DIGEST_LEN) == 0) {
            return true;
        }
    }
    return false;
}

static bool hash_file(const signed_file_t *f, uint32_t hash_len, uint8_t hash[OTTER_SIGNATURE_HASH_MAX])
{
    signed_hash_t running;
    const bool begun = signed_hash_begin(&running, hash_len);
    if (begun) {
        signed_hash_update(&running, f->bytes, f->len);
    }
    signed_hash_end(&running, begun ? hash : NULL);
    return begun;
}

/** The next block, by a key of ours or by a signature that was made elsewhere. @param signature  NULL: the key signs */
static bool add_block(const sign_options_t *o, signed_file_t *f, const char *name, const signing_key_t *key,
                      const uint8_t *signature, size_t len)
{
    otter_fault_t fault = {0};
    uint8_t digest[OTTER_KEY_DIGEST_LEN], hash[OTTER_SIGNATURE_HASH_MAX];
    const otter_signature_scheme_t scheme = signing_key_scheme(key);
    if (f->blocks == OTTER_SIGNATURE_BLOCKS) {
        return cli_refuse("image sign",
                          "%s has three signatures, and there is no room for more (--replace drops them)",
                          o->file);
    }
    if (!suits_chip(o, f, scheme, f->blocks + 1)) {
        return false;
    }
    if (!signing_key_digest(key, digest, &fault)) {
        return cli_refuse("image sign", "%s: %s", name, fault.why);
    }
    if (is_there_already(f, digest)) {
        return cli_refuse("image sign", "%s has signed this image already", name);
    }
    uint8_t *block = f->bytes + f->len + f->blocks * OTTER_SIGNATURE_BLOCK;
    if (!hash_file(f, otter_signature_hash_len(scheme), hash)) {
        return cli_refuse("image sign", "out of memory");
    }
    if (!(signature != NULL ? signing_take_block(key, hash, signature, len, block, &fault)
                            : signing_make_block(key, hash, block, &fault))) {
        return cli_refuse("image sign", "%s: %s", signature != NULL ? o->signature : name, fault.why);
    }
    f->blocks++;
    return true;
}

static bool add_v1(const sign_options_t *o, signed_file_t *f, const signing_key_t *key)
{
    otter_fault_t fault = {0};
    uint8_t hash[OTTER_SIGNATURE_HASH_MAX];
    if (!suits_chip(o, f, OTTER_SIGNED_V1, 1)) {
        return false;
    }
    if (!hash_file(f, OTTER_SHA256_LEN, hash) || !signing_make_v1(key, hash, f->bytes + f->len, &fault)) {
        return cli_refuse("image sign", "%s: %s", o->keys.name[0],
                          fault.code != ESP_OK ? fault.why : "out of memory");
    }
    return true;
}

static bool sign_with(const sign_options_t *o, signed_file_t *f, const char *name)
{
    otter_fault_t fault = {0};
    signing_key_t *key = signing_key_load(name, true, o->passphrase, &fault);
    if (key == NULL) {
        return cli_refuse("image sign", "%s: %s", name, fault.why);
    }
    bool ok = o->v1 ? add_v1(o, f, key) : add_block(o, f, name, key, NULL, 0);
    signing_key_free(key);
    return ok;
}

/* ---- a signer elsewhere ---- */

static bool take_signature(const sign_options_t *o, signed_file_t *f)
{
    otter_fault_t fault = {0};
    size_t len;
    uint8_t *signature = cli_read_file("image sign", o->signature, SIG_MAX, &len);
    if (signature == NULL) {
        return false;
    }
    signing_key_t *key = signing_key_load(o->public_key, false, NULL, &fault);
    bool ok = key != NULL ? add_block(o, f, o->public_key, key, signature, len)
                          : cli_refuse("image sign", "%s: %s", o->public_key, fault.why);
    signing_key_free(key);
    free(signature);
    return ok;
}

static bool write_digest(const sign_options_t *o, const signed_file_t *f)
{
    uint8_t hash[OTTER_SIGNATURE_HASH_MAX];
    uint32_t hash_len = OTTER_SHA256_LEN;
    if (o->public_key != NULL) {
        otter_fault_t fault = {0};
        signing_key_t *key = signing_key_load(o->public_key, false, NULL, &fault);
        if (key == NULL) {
            return cli_refuse("image sign", "%s: %s", o->public_key, fault.why);
        }
        hash_len = otter_signature_hash_len(signing_key_scheme(key));
        signing_key_free(key);
    }
    return hash_file(f, hash_len, hash) ? cli_write_file("image sign", o->digest_out, hash, hash_len)
                                        : cli_refuse("image sign", "out of memory");
}

/* ---- the verb ---- */

/** A device that trusts its running app looks at block 0 alone, and takes its key for the next update. */
static void warn_of_rotation(const signed_file_t *f)
{
    uint8_t first[OTTER_KEY_DIGEST_LEN];
    char hex[2 * OTTER_KEY_DIGEST_LEN + 1];
    if (!read_first_key(f, f->len, first)) {
        return;
    }
    if (f->blocks > 1 || (f->had_first && memcmp(first, f->first_key, sizeof(first)) != 0)) {
        cli_note("image sign",
                 "devices with signed updates but without secure boot look at block 0 alone, which has key "
                 "%.16s...; those "
                 "whose running app begins with another key refuse this image (docs/SECURITY.md, \"Changing "
                 "the key\")",
                 otter_image_hex(hex, first, OTTER_KEY_DIGEST_LEN));
    }
}

static bool sign_file(const sign_options_t *o, signed_file_t *f)
{
    if (o->digest_out != NULL) {
        return write_digest(o, f);
    }
    bool ok = o->signature == NULL || take_signature(o, f);
    for (uint32_t i = 0; ok && i < o->keys.count; i++) {
        ok = sign_with(o, f, o->keys.name[i]);
    }
    if (!ok) {
        return false;
    }
    size_t len = f->len + (o->v1 ? OTTER_SIGNATURE_V1_SIZE : OTTER_SIGNATURE_SECTOR);
    if (!cli_write_file("image sign", o->output, f->bytes, len)) {
        return false;
    }
    if (!o->quiet && !cli_is_standard_output(o->output)) {
        cli_did("%s: %zu bytes, %" PRIu32 " signature%s", o->output, len, o->v1 ? 1 : f->blocks,
                f->blocks > 1 ? "s" : "");
    }
    warn_of_rotation(f);
    return true;
}

static int sign(void *options)
{
    const sign_options_t *o = options;
    if (o->digest_out != NULL ? o->keys.count > 0 || o->signature != NULL
                              : o->keys.count == 0 && o->signature == NULL) {
        return cli_usage("image sign", "needs one of --key, --digest-out, or --signature with --public-key");
    }
    if (o->signature != NULL && o->public_key == NULL) {
        return cli_usage("image sign", "--signature needs --public-key: whose it is");
    }
    if (o->digest_out == NULL && o->output == NULL) {
        return cli_usage("image sign", "needs --output: where the signed image goes");
    }
    if (o->v1 && (o->keys.count != 1 || o->data)) {
        return cli_usage("image sign", "--v1 takes an image and one --key");
    }
    signed_file_t f;
    bool ok = load(o, &f) && sign_file(o, &f);
    free(f.bytes);
    return ok ? EXIT_DONE : EXIT_FAILED;
}

#define AT(member) offsetof(sign_options_t, member)

static const option_row_t rows[] = {
    {"FILE", &option_argument, AT(file), .help = NULL},
    {"output", &option_file, AT(output), .help = "where the signed image goes; - is standard output",
     .letter = 'o'},
    OPTION_TRUSTED_KEYS(AT(keys), "a private key, PEM or DER, or a URI (pkcs11:..., a store of OpenSSL); up "
                                  "to three, each with its own "
                                  "--key"),
    OPTION_PASSPHRASE(AT(passphrase)),
    {"replace", &option_switch, AT(replace),
     .help = "drop the signatures that are there; default: one more is added"},
    {"v1", &option_switch, AT(v1), .help = "ESP32's first scheme (secure boot V1); the key is on P-256"},
    {"data", &option_switch, AT(data),
     .help = "sign any bytes, as for a signed data partition; default: an image"},
    {"quiet", &option_switch, AT(quiet), .help = "do not say what was written", .letter = 'q'},
    {.help = "Where the private key is elsewhere:"},
    {"digest-out", &option_file, AT(digest_out),
     .help = "write the hash that is to be signed: 32 bytes, 48 for a --public-key on P-384"},
    {"signature", &option_file, AT(signature),
     .help = "what came back: of RSA 384 bytes, of ECDSA DER or r and s, big endian"},
    {"public-key", &option_file, AT(public_key), .help = "of the key that made it", .value = "PUB"},
    {0},
};

const cli_verb_t image_sign_verb = {
    .name = "image sign",
    .line = "sign an image, so that devices can tell whose it is",
    .about = "Puts a signature (Secure Boot V2) behind an image, byte for byte as espsecure does. What is "
             "signed is the image, "
             "filled up to a multiple of 4096 bytes. An image that is signed already gets one more, up to "
             "three.\n"
             "Devices with signed updates but without secure boot look at the first signature alone, and "
             "cannot change their key: a note says whose it is when there are several, or when --replace "
             "has changed it.\n",
    .after =
        "example: otter image sign app.bin --key signing.pem -o app.signed.bin\n"
        "         otter image verify app.signed.bin --key signing.pub.pem\n"
        "\n"
        "in two steps, with a key that never leaves its place:\n"
        "         otter image sign app.bin --digest-out digest\n"
        "         openssl pkeyutl -sign -inkey signing.pem -in digest -out sig -pkeyopt digest:sha256 \\\n"
        "             -pkeyopt rsa_padding_mode:pss -pkeyopt rsa_pss_saltlen:32\n"
        "         otter image sign app.bin --signature sig --public-key signing.pub.pem -o app.signed.bin\n",
    .options = rows,
    .size = sizeof(sign_options_t),
    .run = sign,
};
