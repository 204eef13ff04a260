/* otter flash encrypt, decrypt: a whole file as flash holds it, and back. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "otter/bytes.h"
#include "cli.h"
#include "flash_search.h"
#include "flash_verbs.h"
#include "linux/flash_key.h"
#include "otter/flash_encryption.h"
#include "otter/promise.h"

#define BLOCK           16u
#define ESP32_FLASH_MAX 0x1000000u

typedef struct {
    const char *file, *output, *key;
    const otter_chip_facts_t *chip; /* NULL: not given */
    uint32_t address, config;
} cipher_options_t;

#define AT(member) offsetof(cipher_options_t, member)

/** The bytes of the file, the key and what it encrypts by. */
typedef struct {
    const char *verb;
    const cipher_options_t *o;
    bool decrypt;
    flash_key_t key;
    uint8_t *data;
    size_t len; /* whole blocks */
} work_t;

/** @return false after saying why not */
static bool crypt_all(const work_t *w, otter_flash_cipher_kind_t kind, bool decrypt, uint8_t *data)
{
    otter_flash_crypt_t *crypt;
    otter_fault_t fault;
    if (otter_flash_crypt_open(kind, w->key.bytes, w->key.len, (uint8_t)w->o->config, &crypt, &fault) !=
        ESP_OK) {
        return cli_refuse(w->verb, "%s: %s", w->o->key, fault.why);
    }
    bool ok = otter_flash_crypt(crypt, decrypt, w->o->address, data, (uint32_t)w->len);
    otter_flash_crypt_close(crypt);
    return ok || cli_refuse(w->verb, "out of memory");
}

/** How much of the bytes is clear: sectors that hold no noise, and, above all, an image for a chip with this cipher. */
static uint32_t clearness(const uint8_t *data, size_t len, const flash_key_t *key,
                          otter_flash_cipher_kind_t kind)
{
    uint16_t chip;
    uint32_t clear =
        flash_image_chip(data, len, &chip) && otter_flash_cipher_for(chip, key->len) == kind ? UINT16_MAX : 0;
    for (size_t at = 0; at < len; at += OTTER_PARTITION_TABLE_SECTOR) {
        const size_t n = len - at < OTTER_PARTITION_TABLE_SECTOR ? len - at : OTTER_PARTITION_TABLE_SECTOR;
        clear += flash_content_of(data + at, (uint32_t)n) != FLASH_NOISE;
    }
    return clear;
}

/** Of two ciphers that a key of 32 bytes may be for: the one by which more becomes clear. Says why none is. */
static bool find_cipher(const work_t *w, const flash_ciphers_t *ciphers, otter_flash_cipher_kind_t *kind)
{
    uint8_t *copy = malloc(w->len);
    uint32_t clear[2] = {0};
    bool ok = true;
    if (copy == NULL) {
        return cli_refuse(w->verb, "out of memory");
    }
    for (unsigned i = 0; i < ciphers->count && ok; i++) {
        memcpy(copy, w->data, w->len);
        ok = crypt_all(w, ciphers->kinds[i], true, copy);
        clear[i] = ok ? clearness(copy, w->len, &w->key, ciphers->kinds[i]) : 0;
    }
    free(copy);
    if (!ok) {
        return false;
    }
    if (clear[0] == clear[1]) {
        return cli_refuse(w->verb,
                          "a key of 32 bytes may be for an ESP32 or any other chip, and by neither cipher %s "
                          "tells which: --chip says it",
                          w->o->file);
    }
    *kind = ciphers->kinds[clear[1] > clear[0]];
    return true;
}

/** The chip that the bytes to encrypt are for. @return NULL: they do not say */
static const otter_chip_facts_t *chip_of(const work_t *w)
{
    uint16_t id;
    return flash_image_chip(w->data, w->len, &id) ? otter_chip_facts(id) : NULL;
}

static bool choose_cipher(const work_t *w, otter_flash_cipher_kind_t *kind)
{
    const otter_chip_facts_t *chip = w->o->chip == NULL && !w->decrypt ? chip_of(w) : w->o->chip;
    const flash_ciphers_t ciphers = flash_key_ciphers(&w->key, chip);
    if (ciphers.count == 0) {
        return cli_refuse(w->verb, "%s has %zu bytes, and %s has no key of flash encryption of that length",
                          w->o->key, w->key.len, chip != NULL ? chip->title : "no chip");
    }
    *kind = ciphers.kinds[0];
    if (ciphers.count == 1) {
        return true;
    }
    return w->decrypt ? find_cipher(w, &ciphers, kind)
                      : cli_refuse(w->verb, "a key of 32 bytes may be for an ESP32 or any other chip: --chip "
                                            "says which");
}

/** Fills the last block of what is to be encrypted. Says why not. */
static bool make_whole(work_t *w)
{
    const size_t rest = w->len % BLOCK;
    if (w->len == 0) {
        return cli_refuse(w->verb, "%s is empty", w->o->file);
    }
    if (rest == 0) {
        return true;
    }
    if (w->decrypt) {
        return cli_refuse(w->verb,
                          "%s has %zu bytes: encrypted flash comes in blocks of 16, so this was cut, or is "
                          "something else",
                          w->o->file, w->len);
    }
    uint8_t *more = realloc(w->data, w->len + BLOCK);
    if (more == NULL) {
        return cli_refuse(w->verb, "out of memory");
    }
    w->data = more;
    memset(w->data + w->len, 0xFF, BLOCK - rest);
    w->len += BLOCK - rest;
    cli_note(w->verb, "%s is filled up with %zu bytes FF: flash is encrypted in blocks of 16", w->o->file,
             BLOCK - rest);
    return true;
}

static bool run_on(work_t *w)
{
    otter_fault_t fault;
    otter_flash_cipher_kind_t kind = OTTER_FLASH_CIPHER_NONE;
    if (flash_key_load(w->o->key, &w->key, &fault) != ESP_OK) {
        return cli_refuse(w->verb, "%s", fault.why);
    }
    w->data = cli_read_file(w->verb, w->o->file, OTTER_FLASH_SIZE_MAX, &w->len);
    if (w->data == NULL || !make_whole(w) || !choose_cipher(w, &kind)) {
        return false;
    }
    const bool esp32 = kind == OTTER_FLASH_CIPHER_ESP32;
    if (!esp32 && w->o->config != OTTER_FLASH_CRYPT_CONFIG_ALL) {
        return cli_refuse(w->verb, "--crypt-config is an ESP32's; %s has none",
                          otter_flash_cipher_name(kind));
    }
    if (!range_fits(w->o->address, (uint32_t)w->len, esp32 ? ESP32_FLASH_MAX : OTTER_FLASH_SIZE_MAX)) {
        return cli_refuse(w->verb, "%s would end beyond the %s", w->o->file,
                          esp32 ? "16 MiB of flash that an ESP32 has" : "largest flash");
    }
    if (!crypt_all(w, kind, w->decrypt, w->data) || !cli_write_file(w->verb, w->o->output, w->data, w->len)) {
        return false;
    }
    if (!cli_is_standard_output(w->o->output)) {
        cli_did("%s: %zu bytes of flash from 0x%" PRIx32 " on, %s by %s", w->o->output, w->len, w->o->address,
                w->decrypt ? "decrypted" : "encrypted", otter_flash_cipher_name(kind));
    }
    return true;
}

static int run(const char *verb, const cipher_options_t *o, bool decrypt)
{
    work_t w = {.verb = verb, .o = o, .decrypt = decrypt};
    if (o->address % BLOCK != 0) {
        return cli_usage(verb, "flash is encrypted in blocks of 16 bytes: --address is a multiple of that");
    }
    bool done = run_on(&w);
    flash_key_wipe(&w.key);
    free(w.data);
    return done ? EXIT_DONE : EXIT_FAILED;
}

static int encrypt(void *options)
{
    return run("flash encrypt", options, false);
}

static int decrypt(void *options)
{
    return run("flash decrypt", options, true);
}

#define ROWS(chip_help)                                                                                      \
    {"FILE", &option_argument, AT(file), .help = NULL},                                                      \
        {"OUTPUT", &option_argument_if_any, AT(output), .help = NULL},                                       \
        {"flash-key", &option_file, AT(key),                                                                 \
         .help = "the key: 32 or 64 bytes, as `espsecure generate-flash-encryption-key` makes it",           \
         .needed = true},                                                                                    \
        {"address", &kind_offset, AT(address),                                                               \
         .help = "where in flash FILE begins: the cipher depends on it (default 0, a whole flash)"},         \
        {"chip", &kind_chip, AT(chip), .help = (chip_help)},                                                 \
        {"crypt-config", &option_number, AT(config),                                                         \
         .help = "eFuse FLASH_CRYPT_CONFIG of an ESP32 (default 15, as ESP-IDF burns it)", .max = 15},       \
    {                                                                                                        \
        0                                                                                                    \
    }

static const option_row_t encrypt_rows[] = {
    ROWS("whose cipher; default: by the length of the key, or of the chip that FILE is an image for")};
static const option_row_t decrypt_rows[] = {
    ROWS("whose cipher; default: by the length of the key, else the one that makes FILE readable")};

#define LATER                                                                                                \
    "The cipher is the ESP32's own (key of 32 or 24 bytes), and XTS-AES of all other chips (key of 32 or "   \
    "64 bytes; 16 of an ESP32-C2): docs/FORMATS.md section 14.\n"

const cli_verb_t flash_encrypt_verb = {
    .name = "flash encrypt",
    .line = "encrypt a file as the flash of a chip holds it",
    .about = "Encrypts all of FILE as the hardware of a chip with flash encryption would, into OUTPUT or "
             "standard output: byte for byte what `espsecure encrypt-flash-data` makes. " LATER,
    .after = "example: otter flash encrypt app.bin app.enc --flash-key key.bin --address 0x10000 --chip "
             "esp32s3\n",
    .options = encrypt_rows,
    .size = sizeof(cipher_options_t),
    .defaults = &(const cipher_options_t){.output = "-", .config = OTTER_FLASH_CRYPT_CONFIG_ALL},
    .run = encrypt,
};

const cli_verb_t flash_decrypt_verb = {
    .name = "flash decrypt",
    .line = "decrypt what was read from an encrypted flash",
    .about = "Decrypts all of FILE, whole or from an address of the flash on, into OUTPUT or standard "
             "output: byte for byte what `espsecure decrypt-flash-data` makes. All of it is decrypted, also "
             "partitions that the chip keeps plain; `otter flash info --flash-key` and `otter flash read "
             "--flash-key` know which ones these are. " LATER,
    .after = "example: otter flash decrypt dump.bin plain.bin --flash-key key.bin\n",
    .options = decrypt_rows,
    .size = sizeof(cipher_options_t),
    .defaults = &(const cipher_options_t){.output = "-", .config = OTTER_FLASH_CRYPT_CONFIG_ALL},
    .run = decrypt,
};
