/* Each fact of an eFuse file, its value and what follows from it for booting and updates. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "efuse_words.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "json.h"
#include "linux/flash_key.h"
#include "linux/linux_device.h"
#include "otter/image.h"
#include "otter/signature.h"

#define MEANING_SIZE 200u

/** A fact as it is told. */
typedef struct {
    char name[40], value[2 * OTTER_V1_KEY_LEN + 1], meaning[MEANING_SIZE];
} fact_words_t;

typedef void (*tell_t)(const fact_words_t *fact, void *arg);

/** Tells one fact. @param format  what it means */
static void tell(tell_t to, void *arg, const char *name, const char *value, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
static void tell(tell_t to, void *arg, const char *name, const char *value, const char *format, ...)
{
    fact_words_t fact;
    va_list args;
    snprintf(fact.name, sizeof(fact.name), "%s", name);
    snprintf(fact.value, sizeof(fact.value), "%s", value);
    va_start(args, format);
    vsnprintf(fact.meaning, sizeof(fact.meaning), format, args);
    va_end(args);
    to(&fact, arg);
}

static otter_signature_scheme_t scheme_of(const efuse_file_t *file)
{
    return linux_device_trust(file).scheme;
}

static bool is_encrypted(const efuse_file_t *file)
{
    return __builtin_parity(file->crypt_count) != 0;
}

static uint32_t trusted_keys(const efuse_file_t *file)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < OTTER_TRUSTED_KEYS; i++) {
        count += file->keys[i].present && !file->keys[i].revoked;
    }
    return count;
}

static void tell_chip(const efuse_file_t *file, const otter_chip_facts_t *chip, tell_t to, void *arg)
{
    char value[16];
    const unsigned revision = file->chip.revision, blk = file->chip.blk_revision;
    if (chip != NULL) {
        tell(to, arg, "chip", chip->name, "images for another chip neither boot nor are taken in an update%s",
             file->has_chip ? "" : " (the file does not say it; the flash does)");
    } else {
        tell(to, arg, "chip", "", "not known: any image may be of it");
    }
    snprintf(value, sizeof(value), "v%u.%u", revision / 100, revision % 100);
    tell(to, arg, "revision", file->has_revision ? value : "",
         file->has_revision ? "images that need a later one, or forbid this one, are refused"
                            : "not known: images are not measured by it");
    snprintf(value, sizeof(value), "v%u.%u", blk / 100, blk % 100);
    if (chip == NULL || chip->has_blk_revision || file->has_blk_revision) {
        tell(to, arg, "blk_revision", file->has_blk_revision ? value : "",
             file->has_blk_revision ? "the same, of its eFuse block"
                                    : "not known: images are not measured by it");
    }
}

static void tell_version(const efuse_file_t *file, const otter_chip_facts_t *chip, tell_t to, void *arg)
{
    char value[16];
    const uint32_t most = chip != NULL ? chip->secure_version_bits : 32;
    snprintf(value, sizeof(value), "%" PRIu32, file->secure_version);
    if (file->secure_version == 0) {
        tell(to, arg, "secure_version", value,
             "of %" PRIu32 ": with anti-rollback, images of every version boot", most);
    } else {
        tell(to, arg, "secure_version", value,
             "of %" PRIu32 ": with anti-rollback, images below %" PRIu32 " neither boot nor are taken%s",
             most, file->secure_version,
             file->secure_version >= most ? "; no higher one can be burned any more" : "");
    }
}

static void tell_key(const efuse_file_t *file, uint32_t i, tell_t to, void *arg)
{
    char name[40], hex[2 * OTTER_KEY_DIGEST_LEN + 1];
    const otter_efuse_key_t *key = &file->keys[i];
    if (key->present) {
        snprintf(name, sizeof(name), "secure_boot_digest%" PRIu32, i);
        tell(to, arg, name, otter_image_hex(hex, key->digest, OTTER_KEY_DIGEST_LEN), "%s",
             key->revoked        ? "revoked: what only this key has signed neither boots nor is taken"
             : file->secure_boot ? "trusted: what this key has signed boots"
                                 : "it would be trusted, once secure boot is on");
    }
    if (key->revoked) {
        snprintf(name, sizeof(name), "secure_boot_key_revoke%" PRIu32, i);
        tell(to, arg, name, "1", "no key counts in this place any more");
    }
}

static void tell_secure_boot(const efuse_file_t *file, tell_t to, void *arg)
{
    tell(to, arg, "secure_boot_en", file->secure_boot ? "1" : "0", "%s", efuse_words_consequence(file));
    if (file->secure_boot) {
        const otter_signature_scheme_t scheme = scheme_of(file);
        tell(to, arg, "secure_boot_scheme",
             scheme != OTTER_SIGNED_NOT ? otter_signature_scheme_key(scheme) : "",
             scheme != OTTER_SIGNED_NOT ? "how images must be signed"
                                        : "each scheme that the chip has will do");
    }
    for (uint32_t i = 0; i < OTTER_TRUSTED_KEYS; i++) {
        tell_key(file, i, to, arg);
    }
    if (file->has_v1_key) {
        char hex[2 * OTTER_V1_KEY_LEN + 1];
        tell(to, arg, "secure_boot_v1_key", otter_image_hex(hex, file->v1_key, OTTER_V1_KEY_LEN),
             "the public key of the first scheme; a chip has it in its bootloader");
    }
    if (file->aggressive_revoke) {
        tell(to, arg, "secure_boot_aggressive_revoke", "1",
             "the ROM revokes a key as soon as a bootloader signed with it does not verify; no app loses a "
             "key by it");
    }
    if (file->sha384) {
        tell(to, arg, "secure_boot_sha384_en", "1", "signatures are over SHA-384 (ECDSA P-384)");
    }
}

static bool has_flash_key(const efuse_file_t *file)
{
    flash_key_t key;
    const bool has = flash_key_from_efuses(file, &key);
    flash_key_wipe(&key);
    return has;
}

static void tell_encryption(const efuse_file_t *file, tell_t to, void *arg)
{
    char name[40], value[16];
    snprintf(value, sizeof(value), "%" PRIu32, file->crypt_count);
    tell(to, arg, "spi_boot_crypt_cnt", value, "%s",
         is_encrypted(file) ? "flash encryption is on: what a dump of this flash holds is ciphertext"
         : has_flash_key(file)
             ? "flash encryption is off, and there is a key: the next boot encrypts the flash"
         : file->crypt_count != 0 ? "flash encryption was on, and is off"
                                  : "flash encryption is off");
    if (file->has_crypt_config) {
        snprintf(value, sizeof(value), "%" PRIu32, file->crypt_config);
        tell(to, arg, "flash_crypt_config", value, "%s",
             file->crypt_config == OTTER_FLASH_CRYPT_CONFIG_ALL
                 ? "all four parts of the key change with the address, as ESP-IDF burns it"
                 : "bit n: part n of the key changes with the address; ESP-IDF burns 15");
    }
    const bool placed = file->has_chip && file->chip.id == 0; /* an ESP32's first block is for nothing else */
    if (placed && file->blocks[0].present) {
        tell(to, arg, "block_key0", "flash_encryption", "the file has the key, which is not shown");
    }
    for (uint32_t i = placed ? 1 : 0; i < OTTER_EFUSE_BLOCKS; i++) {
        const otter_efuse_block_t *block = &file->blocks[i];
        const char *purpose = efuse_file_purpose(block->purpose);
        const bool digest = block->purpose >= OTTER_PURPOSE_SECURE_BOOT_DIGEST0 &&
                            block->purpose < OTTER_PURPOSE_SECURE_BOOT_DIGEST0 + OTTER_TRUSTED_KEYS;
        if ((block->purpose != OTTER_PURPOSE_USER || block->present) && !digest) {
            snprintf(name, sizeof(name), "key_purpose_%" PRIu32, i);
            tell(to, arg, name, purpose != NULL ? purpose : "?", "%s",
                 block->present ? "the file has the key, which is not shown"
                                : "the key is not known: what it encrypts stays closed here");
        }
    }
}

static void tell_all(const efuse_file_t *file, const otter_chip_facts_t *chip, tell_t to, void *arg)
{
    tell_chip(file, chip, to, arg);
    tell_version(file, chip, to, arg);
    tell_secure_boot(file, to, arg);
    tell_encryption(file, to, arg);
}

static void print_fact(const fact_words_t *fact, void *arg)
{
    (void)arg;
    printf("%-29s %s\n", fact->name, fact->value[0] != '\0' ? fact->value : "-");
    printf("    %s\n", fact->meaning);
}

void efuse_words_print(const efuse_file_t *file, const otter_chip_facts_t *chip)
{
    printf("%s%s\n\n", file->path,
           file->exists || file->has_chip ? "" : ": there is no such file: nothing is burned");
    tell_all(file, chip, print_fact, NULL);
}

static void add_fact(const fact_words_t *fact, void *arg)
{
    cJSON *json = cJSON_CreateObject();
    json_string(json, "name", fact->name);
    json_string(json, "value", fact->value[0] != '\0' ? fact->value : NULL);
    json_string(json, "meaning", fact->meaning);
    cJSON_AddItemToArray(arg, json);
}

cJSON *efuse_secure_boot_json(const efuse_file_t *file, otter_signature_scheme_t scheme)
{
    if (!file->secure_boot) {
        return cJSON_CreateNull();
    }
    cJSON *json = cJSON_CreateObject();
    json_string(json, "scheme", scheme != OTTER_SIGNED_NOT ? otter_signature_scheme_key(scheme) : NULL);
    cJSON *keys = cJSON_AddArrayToObject(json, "keys");
    for (uint32_t i = 0; i < OTTER_TRUSTED_KEYS; i++) {
        char digest[2 * OTTER_KEY_DIGEST_LEN + 1];
        if (file->keys[i].present) {
            cJSON *key = cJSON_CreateObject();
            json_number(key, "index", true, i);
            json_string(key, "digest", otter_image_hex(digest, file->keys[i].digest, OTTER_KEY_DIGEST_LEN));
            json_bool(key, "revoked", true, file->keys[i].revoked);
            cJSON_AddItemToArray(keys, key);
        }
    }
    return json;
}

cJSON *efuse_words_json(const efuse_file_t *file, const otter_chip_facts_t *chip)
{
    cJSON *root = cJSON_CreateObject();
    json_string(root, "file", file->path);
    json_bool(root, "exists", true, file->exists);
    json_string(root, "chip", chip != NULL ? chip->name : NULL);
    json_number(root, "revision", file->has_revision, file->chip.revision);
    json_number(root, "blk_revision", file->has_blk_revision, file->chip.blk_revision);
    json_number(root, "secure_version", true, file->secure_version);
    json_number(root, "secure_version_max", chip != NULL, chip != NULL ? chip->secure_version_bits : 0);
    json_item(root, "secure_boot", efuse_secure_boot_json(file, scheme_of(file)));
    json_bool(root, "flash_encryption", true, is_encrypted(file));
    cJSON *facts = cJSON_AddArrayToObject(root, "facts");
    tell_all(file, chip, add_fact, facts);
    return root;
}

const char *efuse_words_consequence(const efuse_file_t *file)
{
    static char words[MEANING_SIZE];
    const uint32_t keys = trusted_keys(file);
    if (!file->secure_boot) {
        return "secure boot is off: an app boots whoever made it";
    }
    const otter_signature_scheme_t scheme = scheme_of(file);
    const bool nobody = scheme == OTTER_SIGNED_V1 ? !file->has_v1_key : keys == 0;
    snprintf(words, sizeof(words), "secure boot is on: images must be signed%s%s %s",
             scheme != OTTER_SIGNED_NOT ? " with " : "",
             scheme != OTTER_SIGNED_NOT ? otter_signature_scheme_name(scheme) : "",
             nobody      ? "by nobody that it trusts: nothing boots"
             : keys == 1 ? "by its one key, to boot and to be taken in an update"
                         : "by one of its keys, to boot and to be taken in an update");
    return words;
}

bool efuse_words_is_secret(const char *name)
{
    return strncasecmp(name, "block_key", strlen("block_key")) == 0;
}
