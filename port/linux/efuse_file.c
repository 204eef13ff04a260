/* eFuses in a text file: read whole, changed in memory, replaced whole. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/efuse_file.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "otter/crypto.h"
#include "otter/text.h"
#include "esp_log.h"
#include "host/named_file.h"
#include "host/slips.h"
#include "linux/no_core_dump.h"
#include "otter/flash_encryption.h"
#include "otter/signature.h"

#define EFUSE_FILE_MAX 65536u  /* bytes; some short lines and what people note beside them */
#define CHIP_C2        0x000Cu /* esp_chip_id_t of the ESP32-C2 */
#define LETTERS_MAX    64u     /* of a name that is compared with a known one */

static const char TAG[] = "efuse_file";

typedef enum {
    FACT_CHIP,
    FACT_REVISION,
    FACT_BLK_REVISION,
    FACT_SECTOR_SIZE,
    FACT_WRITE_UNIT,
    FACT_WRITE_ONCE,
    FACT_SECURE_VERSION,
    FACT_SECURE_BOOT,
    FACT_AGGRESSIVE,
    FACT_SHA384,
    FACT_SCHEME,
    FACT_V1_KEY,
    FACT_DIGEST, /* of OTTER_TRUSTED_KEYS keys, here and behind */
    FACT_REVOKE = FACT_DIGEST + OTTER_TRUSTED_KEYS,
    FACT_CRYPT_COUNT = FACT_REVOKE + OTTER_TRUSTED_KEYS,
    FACT_CRYPT_CONFIG,
    FACT_PURPOSE, /* of OTTER_EFUSE_BLOCKS, likewise */
    FACT_BLOCK = FACT_PURPOSE + OTTER_EFUSE_BLOCKS,
    FACT_COUNT = FACT_BLOCK + OTTER_EFUSE_BLOCKS
} fact_t;

#define BYTES_MAX OTTER_V1_KEY_LEN

/** How a fact is written, and how it may change: a burned bit stays burned. */
typedef enum {
    KIND_CHIP,   /* what the chip is: these three are said once, and stay */
    KIND_NUMBER, /* a number that the factory burned */
    KIND_SCHEME,
    KIND_COUNT,   /* how many bits are set: it can grow */
    KIND_BITS,    /* the bits themselves: more can be set */
    KIND_PURPOSE, /* of a key block: said once, but for USER */
    KIND_BYTES,   /* in hex: said once */
} kind_t;

static const struct {
    const char *name;
    const char *letters; /* of the name, for what looks like it */
    kind_t kind;
    uint32_t max;   /* of a number */
    uint32_t bytes; /* of KIND_BYTES */
} facts[FACT_COUNT] = {
    [FACT_CHIP] = {"chip", "chip", KIND_CHIP, 0, 0},
    [FACT_REVISION] = {"revision", "revision", KIND_NUMBER, UINT16_MAX - 1, 0},
    [FACT_BLK_REVISION] = {"blk_revision", "blkrevision", KIND_NUMBER, UINT16_MAX, 0},
    [FACT_SECTOR_SIZE] = {"sector_size", "sectorsize", KIND_NUMBER, OTTER_FLASH_ERASE_MAX, 0},
    [FACT_WRITE_UNIT] = {"write_unit", "writeunit", KIND_NUMBER, OTTER_FLASH_UNIT_MAX, 0},
    [FACT_WRITE_ONCE] = {"write_once", "writeonce", KIND_NUMBER, 1, 0},
    [FACT_SECURE_VERSION] = {"secure_version", "secureversion", KIND_COUNT, 32, 0},
    [FACT_SECURE_BOOT] = {"secure_boot_en", "securebooten", KIND_BITS, 1, 0},
    [FACT_AGGRESSIVE] = {"secure_boot_aggressive_revoke", "securebootaggressiverevoke", KIND_BITS, 1, 0},
    [FACT_SHA384] = {"secure_boot_sha384_en", "securebootsha384en", KIND_BITS, 1, 0},
    [FACT_SCHEME] = {"secure_boot_scheme", "securebootscheme", KIND_SCHEME, 0, 0},
    [FACT_V1_KEY] = {"secure_boot_v1_key", "securebootv1key", KIND_BYTES, 0, OTTER_V1_KEY_LEN},
    [FACT_DIGEST + 0] = {"secure_boot_digest0", "securebootdigest0", KIND_BYTES, 0, OTTER_KEY_DIGEST_LEN},
    [FACT_DIGEST + 1] = {"secure_boot_digest1", "securebootdigest1", KIND_BYTES, 0, OTTER_KEY_DIGEST_LEN},
    [FACT_DIGEST + 2] = {"secure_boot_digest2", "securebootdigest2", KIND_BYTES, 0, OTTER_KEY_DIGEST_LEN},
    [FACT_REVOKE + 0] = {"secure_boot_key_revoke0", "securebootkeyrevoke0", KIND_BITS, 1, 0},
    [FACT_REVOKE + 1] = {"secure_boot_key_revoke1", "securebootkeyrevoke1", KIND_BITS, 1, 0},
    [FACT_REVOKE + 2] = {"secure_boot_key_revoke2", "securebootkeyrevoke2", KIND_BITS, 1, 0},
    [FACT_CRYPT_COUNT] = {"spi_boot_crypt_cnt", "spibootcryptcnt", KIND_BITS, 127, 0},
    [FACT_CRYPT_CONFIG] = {"flash_crypt_config", "flashcryptconfig", KIND_BITS, 15, 0},
    [FACT_PURPOSE + 0] = {"key_purpose_0", "keypurpose0", KIND_PURPOSE, 0, 0},
    [FACT_PURPOSE + 1] = {"key_purpose_1", "keypurpose1", KIND_PURPOSE, 0, 0},
    [FACT_PURPOSE + 2] = {"key_purpose_2", "keypurpose2", KIND_PURPOSE, 0, 0},
    [FACT_PURPOSE + 3] = {"key_purpose_3", "keypurpose3", KIND_PURPOSE, 0, 0},
    [FACT_PURPOSE + 4] = {"key_purpose_4", "keypurpose4", KIND_PURPOSE, 0, 0},
    [FACT_PURPOSE + 5] = {"key_purpose_5", "keypurpose5", KIND_PURPOSE, 0, 0},
    [FACT_BLOCK + 0] = {"block_key0", "blockkey0", KIND_BYTES, 0, OTTER_EFUSE_BLOCK_LEN},
    [FACT_BLOCK + 1] = {"block_key1", "blockkey1", KIND_BYTES, 0, OTTER_EFUSE_BLOCK_LEN},
    [FACT_BLOCK + 2] = {"block_key2", "blockkey2", KIND_BYTES, 0, OTTER_EFUSE_BLOCK_LEN},
    [FACT_BLOCK + 3] = {"block_key3", "blockkey3", KIND_BYTES, 0, OTTER_EFUSE_BLOCK_LEN},
    [FACT_BLOCK + 4] = {"block_key4", "blockkey4", KIND_BYTES, 0, OTTER_EFUSE_BLOCK_LEN},
    [FACT_BLOCK + 5] = {"block_key5", "blockkey5", KIND_BYTES, 0, OTTER_EFUSE_BLOCK_LEN},
};

/** Names of espefuse's that say the same of another chip. */
static const struct {
    const char *name;
    fact_t fact;
} others[] = {
    {"flash_crypt_cnt", FACT_CRYPT_COUNT}, /* ESP32 */
    {"abs_done_1", FACT_SECURE_BOOT},      /* ESP32, Secure Boot V2 */
};

/* Names that look like secure boot and change nothing for images. */
static const char *const without_effect[] = {"secure_boot_disable_fast_wake"};

/* espefuse's names of purposes; the first of a number is the one that is written. */
static const struct {
    const char *name;
    uint32_t number;
} purposes[] = {
    {"USER", OTTER_PURPOSE_USER},
    {"RESERVED", 1},
    {"ECDSA_KEY", 1},
    {"ECDSA_KEY_P256", 1},
    {"XTS_AES_256_KEY_1", OTTER_PURPOSE_XTS_AES_256_KEY_1},
    {"XTS_AES_256_KEY_2", OTTER_PURPOSE_XTS_AES_256_KEY_2},
    {"XTS_AES_128_KEY", OTTER_PURPOSE_XTS_AES_128_KEY},
    {"XTS_AES_128_KEY_DERIVED_FROM_128_EFUSE_BITS", OTTER_PURPOSE_XTS_AES_128_DERIVED},
    {"HMAC_DOWN_ALL", 5},
    {"HMAC_DOWN_JTAG", 6},
    {"HMAC_DOWN_DIGITAL_SIGNATURE", 7},
    {"HMAC_UP", OTTER_PURPOSE_HMAC_UP},
    {"SECURE_BOOT_DIGEST0", OTTER_PURPOSE_SECURE_BOOT_DIGEST0},
    {"SECURE_BOOT_DIGEST1", OTTER_PURPOSE_SECURE_BOOT_DIGEST0 + 1},
    {"SECURE_BOOT_DIGEST2", OTTER_PURPOSE_SECURE_BOOT_DIGEST0 + 2},
    {"KM_INIT_KEY", 12},
    {"XTS_AES_256_PSRAM_KEY_1", 13},
    {"XTS_AES_256_PSRAM_KEY_2", 14},
    {"XTS_AES_128_PSRAM_KEY", 15},
    {"ECDSA_KEY_P192", 16},
    {"ECDSA_KEY_P384_L", 17},
    {"ECDSA_KEY_P384_H", 18},
};
#define PURPOSE_COUNT (sizeof(purposes) / sizeof(purposes[0]))

typedef struct {
    bool said;
    uint32_t value;
    uint8_t bytes[BYTES_MAX];
} said_t;

/** What an eFuse file has said up to a line. */
typedef struct {
    efuse_file_t *file;
    char *rest;
    const char *end;
    unsigned line;          /* from 1 */
    unsigned unknown;       /* lines with names that nobody knows */
    char unknown_lines[64]; /* their numbers, as "1, 4", as many as fit */
    otter_fault_t *fault;
    said_t known[FACT_COUNT];
} reader_t;

/** @return ESP_ERR_INVALID_STATE, with what is wrong with the line that was read last */
static esp_err_t refuse(const reader_t *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
static esp_err_t refuse(const reader_t *r, const char *format, ...)
{
    char line[sizeof(r->file->path) + 40];
    va_list args;
    va_start(args, format);
    otter_vfault(r->fault, ESP_ERR_INVALID_STATE, format, args);
    va_end(args);
    if (r->line == 0) { /* no file is read */
        return r->fault->code;
    }
    snprintf(line, sizeof(line), "%s line %u cannot be read: ", r->file->path, r->line);
    return otter_fault_add(r->fault, line);
}

/** Cuts white space off both ends. */
static char *trim(char *text)
{
    text += strspn(text, " \t\v\f");
    size_t len = strlen(text);
    while (len > 0 && strchr(" \t\v\f", text[len - 1]) != NULL) {
        len--;
    }
    text[len] = '\0';
    return text;
}

/** A name in its smallest form: letters and digits, lower case. */
static size_t letters_of(const char *name, char letters[LETTERS_MAX + 1])
{
    size_t len = 0;
    for (; *name != '\0' && len < LETTERS_MAX; name++) {
        unsigned char c = (unsigned char)*name;
        if (c < 0x80 && isalnum(c)) {
            letters[len++] = (char)tolower(c);
        }
    }
    letters[len] = '\0';
    return len;
}

static fact_t fact_of(const char *name)
{
    fact_t fact = 0;
    while (fact < FACT_COUNT && strcasecmp(facts[fact].name, name) != 0) {
        fact++;
    }
    for (size_t i = 0; fact == FACT_COUNT && i < sizeof(others) / sizeof(others[0]); i++) {
        fact = strcasecmp(others[i].name, name) == 0 ? others[i].fact : FACT_COUNT;
    }
    return fact;
}

static bool is_without_effect(const char *name)
{
    bool is = false;
    for (size_t i = 0; i < sizeof(without_effect) / sizeof(without_effect[0]); i++) {
        is = is || strcasecmp(without_effect[i], name) == 0;
    }
    return is;
}

/** The fact that a name or a remark may mean, however it is put; FACT_COUNT: none. */
static fact_t fact_meant(const char *letters)
{
    fact_t nearest = FACT_COUNT;
    size_t least = SIZE_MAX;
    for (fact_t fact = 0; fact < FACT_COUNT && letters[0] != '\0'; fact++) {
        const char *known = facts[fact].letters;
        const size_t slips = slips_between(letters, known);
        if (slips <= strlen(known) / 5 && slips < least) {
            nearest = fact;
            least = slips;
        }
    }
    if (nearest != FACT_COUNT) {
        return nearest;
    }
    /* Anti-rollback and secure boot must not be off because somebody wrote their names in other words. */
    bool secure = strstr(letters, "secur") != NULL;
    return secure && strstr(letters, "ver") != NULL    ? FACT_SECURE_VERSION
           : secure && strstr(letters, "boot") != NULL ? FACT_SECURE_BOOT
                                                       : FACT_COUNT;
}

/** A name that is none: of a later version, perhaps, or a slip. */
static esp_err_t take_unknown(reader_t *r, const char *name, const char *value)
{
    char letters[LETTERS_MAX + 1];
    if (is_without_effect(name)) {
        return ESP_OK;
    }
    (void)letters_of(name, letters);
    fact_t meant = fact_meant(letters);
    if (meant == FACT_COUNT) { /* in a value, which may be anything, only the exact words count */
        (void)letters_of(value, letters);
        meant = strstr(letters, facts[FACT_SECURE_VERSION].letters) != NULL ? FACT_SECURE_VERSION
                : strstr(letters, facts[FACT_SECURE_BOOT].letters) != NULL  ? FACT_SECURE_BOOT
                                                                            : FACT_COUNT;
    }
    if (meant != FACT_COUNT) {
        return refuse(r, "there is no eFuse of that name; is %s meant?", facts[meant].name);
    }
    size_t used = strlen(r->unknown_lines);
    snprintf(r->unknown_lines + used, sizeof(r->unknown_lines) - used, "%s%u", used > 0 ? ", " : "", r->line);
    r->unknown++;
    return ESP_OK;
}

/** For people: a name without effect may be one that was meant to have some. */
static void note_unknown(const reader_t *r)
{
    if (r->unknown == 1) {
        snprintf(r->file->note, sizeof(r->file->note),
                 "line %s: there is no eFuse of that name; it has no effect, and is kept", r->unknown_lines);
    } else if (r->unknown > 1) {
        bool all = strlen(r->unknown_lines) + 1 < sizeof(r->unknown_lines);
        snprintf(r->file->note, sizeof(r->file->note),
                 "%u lines (%s%s): there are no eFuses of these names; they have no effect, and are kept",
                 r->unknown, r->unknown_lines, all ? "" : "...");
    }
}

/** @return false if the text is no such number */
static bool read_number(const char *text, uint32_t max, uint32_t *value)
{
    char *end;
    errno = 0;
    unsigned long number = strtoul(text, &end, 10);
    *value = (uint32_t)number;
    return isdigit((unsigned char)text[0]) && *end == '\0' && errno == 0 && number <= max;
}

/** @return false if the text is not `len` bytes in hex */
static bool read_bytes(const char *text, uint32_t len, uint8_t *bytes)
{
    static const char digits[] = "0123456789abcdef";
    if (strlen(text) != 2 * (size_t)len) {
        return false;
    }
    for (uint32_t i = 0; i < 2 * len; i++) {
        const char *digit = strchr(digits, tolower((unsigned char)text[i]));
        if (digit == NULL) {
            return false;
        }
        bytes[i / 2] = (uint8_t)(bytes[i / 2] << 4 | (uint8_t)(digit - digits));
    }
    return true;
}

bool efuse_file_purpose_number(const char *text, uint32_t *number)
{
    for (size_t i = 0; i < PURPOSE_COUNT; i++) {
        if (strcasecmp(text, purposes[i].name) == 0) {
            *number = purposes[i].number;
            return true;
        }
    }
    return false;
}

const char *efuse_file_purpose(uint32_t number)
{
    for (size_t i = 0; i < PURPOSE_COUNT; i++) {
        if (purposes[i].number == number) {
            return purposes[i].name;
        }
    }
    return NULL;
}

/** What the text says of a fact. @return false, after refuse() */
static bool read_value(const reader_t *r, fact_t fact, const char *text, uint32_t *value, uint8_t *bytes)
{
    const otter_chip_facts_t *chip;
    switch (facts[fact].kind) {
    case KIND_CHIP:
        chip = otter_chip_by_name(text);
        *value = chip != NULL ? chip->id : 0;
        return chip != NULL || refuse(r, "there is no chip of that name") == ESP_OK;
    case KIND_SCHEME:
        *value = otter_signature_scheme_by_key(text);
        return *value != OTTER_SIGNED_NOT ||
               refuse(r, "it is rsa3072, ecdsa256, ecdsa384, ecdsa192 or v1") == ESP_OK;
    case KIND_PURPOSE:
        return efuse_file_purpose_number(text, value) ||
               refuse(r, "it is a purpose as espefuse has it: USER, HMAC_UP, XTS_AES_128_KEY, ...") == ESP_OK;
    case KIND_BYTES:
        return read_bytes(text, facts[fact].bytes, bytes) ||
               refuse(r, "%s is %" PRIu32 " hex digits", facts[fact].name, 2 * facts[fact].bytes) == ESP_OK;
    case KIND_NUMBER:
    case KIND_COUNT:
    case KIND_BITS:
        break;
    }
    return read_number(text, facts[fact].max, value) ||
           refuse(r, "%s is a number from 0 to %" PRIu32, facts[fact].name, facts[fact].max) == ESP_OK;
}

static esp_err_t take_fact(reader_t *r, fact_t fact, const char *text)
{
    uint32_t value = 0;
    uint8_t bytes[BYTES_MAX] = {0};
    if (fact >= FACT_BLOCK) {
        no_core_dump(); /* it would have the key */
    }
    if (!read_value(r, fact, text, &value, bytes)) {
        return ESP_ERR_INVALID_STATE;
    }
    if (r->known[fact].said &&
        (r->known[fact].value != value || memcmp(r->known[fact].bytes, bytes, BYTES_MAX) != 0)) {
        return refuse(r, "%s has another value in a line before", facts[fact].name);
    }
    r->known[fact].said = true;
    r->known[fact].value = value;
    memcpy(r->known[fact].bytes, bytes, BYTES_MAX);
    otter_wipe(bytes, sizeof(bytes)); /* of what is read no key stays behind; what is refused is none */
    return ESP_OK;
}

/** One line, changed in place. */
static esp_err_t take_line(reader_t *r, char *line)
{
    line = trim(line);
    if (line[0] == '\0' || line[0] == '#') {
        return ESP_OK;
    }
    char *value = strchr(line, '=');
    if (value == NULL) {
        return refuse(r, "expected name=value");
    }
    *value++ = '\0';
    const char *name = trim(line);
    fact_t fact = fact_of(name);
    return fact == FACT_COUNT ? take_unknown(r, name, value) : take_fact(r, fact, trim(value));
}

/** The bytes of the next line with its end. @return 0 behind the last one */
static size_t line_length(const char *text, const char *end)
{
    const char *p = text;
    while (p < end && *p != '\n' && *p != '\r') {
        p++;
    }
    if (end - p >= 2 && p[0] == '\r' && p[1] == '\n') {
        return (size_t)(p - text) + 2;
    }
    return (size_t)(p - text) + (p < end);
}

static size_t mark_length(const char *text, size_t len)
{
    static const char mark[] = "\xEF\xBB\xBF";
    return len >= sizeof(mark) - 1 && memcmp(text, mark, sizeof(mark) - 1) == 0 ? sizeof(mark) - 1 : 0;
}

/** A key block whose purpose is a digest of secure boot is that digest. */
static esp_err_t find_digests(reader_t *r)
{
    for (uint32_t i = 0; i < OTTER_EFUSE_BLOCKS; i++) {
        const said_t *block = &r->known[FACT_BLOCK + i];
        const uint32_t key = r->known[FACT_PURPOSE + i].value - OTTER_PURPOSE_SECURE_BOOT_DIGEST0;
        if (!block->said || key >= OTTER_TRUSTED_KEYS) {
            continue;
        }
        said_t *digest = &r->known[FACT_DIGEST + key];
        if (digest->said && memcmp(digest->bytes, block->bytes, OTTER_KEY_DIGEST_LEN) != 0) {
            return otter_fault(r->fault, ESP_ERR_INVALID_STATE,
                               "%s cannot be read: %s says another digest than secure_boot_digest%" PRIu32,
                               r->file->path, facts[FACT_BLOCK + i].name, key);
        }
        *digest = *block;
    }
    return ESP_OK;
}

static void keep_facts(efuse_file_t *file, const said_t known[FACT_COUNT])
{
    file->has_chip = known[FACT_CHIP].said;
    file->chip.id = file->has_chip ? (uint16_t)known[FACT_CHIP].value : OTTER_CHIP_LINUX;
    file->has_revision = known[FACT_REVISION].said;
    file->chip.revision = (uint16_t)known[FACT_REVISION].value;
    file->has_blk_revision = known[FACT_BLK_REVISION].said;
    file->chip.blk_revision = (uint16_t)known[FACT_BLK_REVISION].value;
    file->geometry = (file_flash_geometry_t){.sector_size = known[FACT_SECTOR_SIZE].value,
                                             .write_unit = known[FACT_WRITE_UNIT].value,
                                             .write_once = known[FACT_WRITE_ONCE].value != 0};
    file->secure_version = known[FACT_SECURE_VERSION].value;
    file->secure_boot = known[FACT_SECURE_BOOT].value != 0;
    file->aggressive_revoke = known[FACT_AGGRESSIVE].value != 0;
    file->sha384 = known[FACT_SHA384].value != 0;
    file->scheme = (otter_signature_scheme_t)known[FACT_SCHEME].value;
    file->has_v1_key = known[FACT_V1_KEY].said;
    memcpy(file->v1_key, known[FACT_V1_KEY].bytes, sizeof(file->v1_key));
    for (uint32_t i = 0; i < OTTER_TRUSTED_KEYS; i++) {
        file->keys[i].present = known[FACT_DIGEST + i].said;
        file->keys[i].revoked = known[FACT_REVOKE + i].value != 0;
        memcpy(file->keys[i].digest, known[FACT_DIGEST + i].bytes, OTTER_KEY_DIGEST_LEN);
    }
    file->crypt_count = known[FACT_CRYPT_COUNT].value;
    file->has_crypt_config = known[FACT_CRYPT_CONFIG].said;
    file->crypt_config = known[FACT_CRYPT_CONFIG].value;
    for (uint32_t i = 0; i < OTTER_EFUSE_BLOCKS; i++) {
        file->blocks[i].present = known[FACT_BLOCK + i].said;
        file->blocks[i].purpose = (otter_efuse_purpose_t)known[FACT_PURPOSE + i].value;
        memcpy(file->blocks[i].key, known[FACT_BLOCK + i].bytes, OTTER_EFUSE_BLOCK_LEN);
    }
}

static void say_number(said_t *fact, bool said, uint32_t value)
{
    fact->said = said;
    fact->value = said ? value : 0;
}

static void say_bytes(said_t *fact, bool said, const uint8_t *bytes, size_t len)
{
    fact->said = said;
    memcpy(fact->bytes, bytes, len);
}

/** keep_facts() the other way round. */
static void tell_facts(const efuse_file_t *file, said_t known[FACT_COUNT])
{
    memset(known, 0, FACT_COUNT * sizeof(known[0]));
    say_number(&known[FACT_CHIP], file->has_chip, file->chip.id);
    say_number(&known[FACT_REVISION], file->has_revision, file->chip.revision);
    say_number(&known[FACT_BLK_REVISION], file->has_blk_revision, file->chip.blk_revision);
    say_number(&known[FACT_SECTOR_SIZE], file->geometry.sector_size != 0, file->geometry.sector_size);
    say_number(&known[FACT_WRITE_UNIT], file->geometry.write_unit != 0, file->geometry.write_unit);
    say_number(&known[FACT_WRITE_ONCE], file->geometry.write_once, 1);
    say_number(&known[FACT_SECURE_VERSION], true, file->secure_version);
    say_number(&known[FACT_SECURE_BOOT], file->secure_boot, 1);
    say_number(&known[FACT_AGGRESSIVE], file->aggressive_revoke, 1);
    say_number(&known[FACT_SHA384], file->sha384, 1);
    say_number(&known[FACT_SCHEME], file->scheme != OTTER_SIGNED_NOT, file->scheme);
    say_bytes(&known[FACT_V1_KEY], file->has_v1_key, file->v1_key, sizeof(file->v1_key));
    for (uint32_t i = 0; i < OTTER_TRUSTED_KEYS; i++) {
        say_bytes(&known[FACT_DIGEST + i], file->keys[i].present, file->keys[i].digest, OTTER_KEY_DIGEST_LEN);
        say_number(&known[FACT_REVOKE + i], file->keys[i].revoked, 1);
    }
    say_number(&known[FACT_CRYPT_COUNT], file->crypt_count != 0, file->crypt_count);
    say_number(&known[FACT_CRYPT_CONFIG], file->has_crypt_config, file->crypt_config);
    for (uint32_t i = 0; i < OTTER_EFUSE_BLOCKS; i++) {
        const otter_efuse_block_t *block = &file->blocks[i];
        say_number(&known[FACT_PURPOSE + i], block->purpose != OTTER_PURPOSE_USER, block->purpose);
        say_bytes(&known[FACT_BLOCK + i], block->present, block->key, OTTER_EFUSE_BLOCK_LEN);
    }
}

/** All lines; the text, which ends with a 0 that is not counted, is changed in place. */
static esp_err_t read_lines(reader_t *r, char *text, size_t len)
{
    char *line = text + mark_length(text, len);
    for (const char *end = text + len; line < end;) {
        r->line++;
        size_t whole = line_length(line, end);
        char *stop = line + whole;
        while (stop > line && (stop[-1] == '\n' || stop[-1] == '\r')) {
            *--stop = '\0';
        }
        bool is_text = strlen(line) == (size_t)(stop - line);
        esp_err_t err = is_text ? take_line(r, line) : refuse(r, "expected name=value");
        if (err != ESP_OK) {
            return err;
        }
        line += whole;
    }
    return find_digests(r);
}

static esp_err_t take_text(efuse_file_t *file, char *text, size_t len, otter_fault_t *fault)
{
    reader_t r = {.file = file, .fault = fault};
    esp_err_t err = read_lines(&r, text, len);
    if (err == ESP_OK) {
        keep_facts(file, r.known);
        note_unknown(&r);
    }
    otter_wipe(r.known, sizeof(r.known));
    return err;
}

/** What no burning does: one line. @return false: it may be so */
static bool cannot_become(const said_t *from, const said_t *to, fact_t fact, otter_fault_t *fault)
{
    const char *name = facts[fact].name;
    switch (facts[fact].kind) {
    case KIND_CHIP:
    case KIND_NUMBER:
        return from->said && from->value != to->value &&
               otter_fault(fault, ESP_ERR_INVALID_STATE,
                           "%s is what the chip is, and already known as another", name) != ESP_OK;
    case KIND_SCHEME:
    case KIND_PURPOSE:
        return from->said && from->value != to->value &&
               otter_fault(fault, ESP_ERR_INVALID_STATE, "%s is another already, and stays", name) != ESP_OK;
    case KIND_COUNT:
        return to->value < from->value &&
               otter_fault(fault, ESP_ERR_INVALID_STATE,
                           "%s is %" PRIu32 ", and a burned bit stays burned: it never goes down to %" PRIu32,
                           name, from->value, to->value) != ESP_OK;
    case KIND_BITS:
        return (from->value & ~to->value) != 0 &&
               otter_fault(fault, ESP_ERR_INVALID_STATE,
                           "%s is %" PRIu32 ", and a burned bit stays burned: it never becomes %" PRIu32,
                           name, from->value, to->value) != ESP_OK;
    case KIND_BYTES:
        break;
    }
    return from->said && memcmp(from->bytes, to->bytes, BYTES_MAX) != 0 &&
           otter_fault(fault, ESP_ERR_INVALID_STATE, "%s is written already, and is written once", name) !=
               ESP_OK;
}

/** Lengths of keys that this chip does not have, and ESP32-C2's one block, which is a key or half a key and a digest. */
static bool is_no_key_of(const otter_chip_facts_t *chip, const said_t known[FACT_COUNT], fact_t fact,
                         const said_t *to, otter_fault_t *fault)
{
    const bool one_block = chip->id == CHIP_C2, purpose = fact >= FACT_PURPOSE && fact < FACT_BLOCK;
    const size_t len =
        to->value == OTTER_PURPOSE_XTS_AES_128_DERIVED                                                 ? 16
        : to->value == OTTER_PURPOSE_XTS_AES_256_KEY_1 || to->value == OTTER_PURPOSE_XTS_AES_256_KEY_2 ? 64
                                                                                                       : 32;
    if (one_block && fact > FACT_PURPOSE && fact != FACT_BLOCK) {
        return otter_fault(fault, ESP_ERR_INVALID_STATE, "%s has one key block", chip->title) != ESP_OK;
    }
    if (purpose && chip->id != 0 && otter_flash_cipher_for(chip->id, len) == OTTER_FLASH_CIPHER_NONE) {
        return otter_fault(fault, ESP_ERR_INVALID_STATE, "%s has no key of flash encryption of %zu bytes",
                           chip->title, len) != ESP_OK;
    }
    const bool whole = known[FACT_PURPOSE].value == OTTER_PURPOSE_XTS_AES_128_KEY,
               digest = known[FACT_DIGEST].said;
    return one_block &&
           ((fact == FACT_DIGEST && whole) ||
            (fact == FACT_PURPOSE && to->value == OTTER_PURPOSE_XTS_AES_128_KEY && digest)) &&
           otter_fault(fault, ESP_ERR_INVALID_STATE,
                       "%s has one key block: beside a digest of secure boot the key of flash encryption has "
                       "16 bytes",
                       chip->title) != ESP_OK;
}

/** What this chip has no eFuses for, or what makes no sense in them. */
static bool is_beyond_chip(const said_t known[FACT_COUNT], fact_t fact, const said_t *to,
                           otter_fault_t *fault)
{
    const otter_chip_facts_t *chip =
        known[FACT_CHIP].said ? otter_chip_facts((uint16_t)known[FACT_CHIP].value) : NULL;
    const bool digest = fact >= FACT_DIGEST && fact < FACT_REVOKE;
    if (digest && known[fact - FACT_DIGEST + FACT_REVOKE].value != 0 && !known[fact].said) {
        return otter_fault(fault, ESP_ERR_INVALID_STATE, "key %d is revoked: no digest counts there any more",
                           (int)(fact - FACT_DIGEST)) != ESP_OK;
    }
    if (chip == NULL) {
        return false;
    }
    if (fact == FACT_SECURE_VERSION && to->value > chip->secure_version_bits) {
        return otter_fault(fault, ESP_ERR_INVALID_STATE, "the eFuses of %s count to %u", chip->title,
                           chip->secure_version_bits) != ESP_OK;
    }
    if (fact == FACT_CRYPT_COUNT && chip->id != 0 && to->value > 7) {
        return otter_fault(fault, ESP_ERR_INVALID_STATE, "%s has three bits of %s", chip->title,
                           facts[fact].name) != ESP_OK;
    }
    if (fact == FACT_CRYPT_CONFIG && chip->id != 0) {
        return otter_fault(fault, ESP_ERR_INVALID_STATE, "%s has no %s, as an ESP32 has", chip->title,
                           facts[fact].name) != ESP_OK;
    }
    if (fact > FACT_DIGEST && fact < FACT_CRYPT_COUNT && fact != FACT_REVOKE && chip->signature_blocks == 1) {
        return otter_fault(fault, ESP_ERR_INVALID_STATE, "%s has eFuses for one key", chip->title) != ESP_OK;
    }
    if (is_no_key_of(chip, known, fact, to, fault)) {
        return true;
    }
    return fact == FACT_SCHEME && !otter_chip_verifies(chip, (otter_signature_scheme_t)to->value) &&
           otter_fault(fault, ESP_ERR_INVALID_STATE, "%s does not verify %s", chip->title,
                       otter_signature_scheme_name((otter_signature_scheme_t)to->value)) != ESP_OK;
}

/** All of `more` that is said. @return what cannot be, with the fault */
static esp_err_t take_more(reader_t *r, const said_t more[FACT_COUNT])
{
    for (fact_t fact = 0; fact < FACT_COUNT; fact++) {
        if (!more[fact].said) {
            continue;
        }
        if (cannot_become(&r->known[fact], &more[fact], fact, r->fault) ||
            is_beyond_chip(r->known, fact, &more[fact], r->fault)) {
            return r->fault->code;
        }
        r->known[fact] = more[fact];
    }
    return find_digests(r);
}

/** All of `more` that is said, or nothing. */
static esp_err_t grow(efuse_file_t *file, const said_t more[FACT_COUNT], otter_fault_t *fault)
{
    reader_t r = {.file = file, .fault = fault};
    tell_facts(file, r.known);
    esp_err_t err = take_more(&r, more);
    if (err == ESP_OK) {
        keep_facts(file, r.known);
    }
    otter_wipe(r.known, sizeof(r.known));
    return err;
}

bool efuse_file_is_same(const efuse_file_t *a, const efuse_file_t *b)
{
    said_t of_a[FACT_COUNT], of_b[FACT_COUNT];
    bool same = true;
    tell_facts(a, of_a);
    tell_facts(b, of_b);
    for (fact_t fact = 0; same && fact < FACT_COUNT; fact++) {
        same = of_a[fact].said == of_b[fact].said && of_a[fact].value == of_b[fact].value &&
               memcmp(of_a[fact].bytes, of_b[fact].bytes, BYTES_MAX) == 0;
    }
    otter_wipe(of_a, sizeof(of_a));
    otter_wipe(of_b, sizeof(of_b));
    return same;
}

esp_err_t efuse_file_grow(efuse_file_t *file, const efuse_file_t *more, otter_fault_t *fault)
{
    said_t known[FACT_COUNT];
    tell_facts(more, known);
    esp_err_t err = grow(file, known, fault);
    otter_wipe(known, sizeof(known));
    return err;
}

esp_err_t efuse_file_burn(efuse_file_t *file, const char *name, const char *value, otter_fault_t *fault)
{
    reader_t r = {.file = file, .fault = fault};
    const fact_t fact = fact_of(name);
    if (fact == FACT_COUNT) {
        char letters[LETTERS_MAX + 1];
        (void)letters_of(name, letters);
        const fact_t meant = fact_meant(letters);
        return otter_fault(fault, ESP_ERR_NOT_FOUND, "there is no eFuse %s%s%s%s", name,
                           meant != FACT_COUNT ? "; is " : "", meant != FACT_COUNT ? facts[meant].name : "",
                           meant != FACT_COUNT ? " meant?" : "");
    }
    if (!read_value(&r, fact, value, &r.known[fact].value, r.known[fact].bytes)) {
        return fault->code;
    }
    r.known[fact].said = true;
    esp_err_t err = grow(file, r.known, fault);
    otter_wipe(r.known, sizeof(r.known));
    return err;
}

/** True if a file is there, also a link that leads nowhere. */
static bool is_there(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 || errno != ENOENT;
}

static bool is_same_file(const char *a, const char *b)
{
    struct stat of_a, of_b;
    return stat(a, &of_a) == 0 && stat(b, &of_b) == 0 && of_a.st_dev == of_b.st_dev &&
           of_a.st_ino == of_b.st_ino;
}

/** Fills in the path of the file that belongs to this flash, and makes sure that there is no other one. */
static esp_err_t find_file(efuse_file_t *file, const char *flash_path, otter_fault_t *fault)
{
    char beside_link[sizeof(file->path)];
    char *real = path_behind_links(flash_path);
    if (real == NULL) {
        return otter_fault(fault, ESP_FAIL, "%s", strerror(errno));
    }
    int n = snprintf(file->path, sizeof(file->path), "%s.efuse", real);
    int m = snprintf(beside_link, sizeof(beside_link), "%s.efuse", flash_path);
    bool is_link = strcmp(real, flash_path) != 0;
    free(real);
    if (n < 0 || (size_t)n >= sizeof(file->path) || m < 0 || (size_t)m >= sizeof(beside_link)) {
        return otter_fault(fault, ESP_FAIL, "the path is too long");
    }
    if (is_link && is_there(beside_link) && !is_same_file(beside_link, file->path)) {
        return otter_fault(
            fault, ESP_ERR_INVALID_STATE,
            "%s lies beside a symbolic link; the eFuse file of this flash is %s: make one of both, there",
            beside_link, file->path);
    }
    return ESP_OK;
}

/** What the file says, if it is there. */
static esp_err_t read_file(efuse_file_t *file, otter_fault_t *fault)
{
    size_t len;
    if (file->path[0] == '\0' || !is_there(file->path)) {
        return ESP_OK;
    }
    char *text = (char *)input_load(file->path, INPUT_ORDINARY, EFUSE_FILE_MAX, &len, fault);
    if (text == NULL) {
        otter_fault_add(fault, ": ");
        return otter_fault_add(fault, file->path);
    }
    file->exists = true;
    esp_err_t err = take_text(file, text, len, fault);
    otter_wipe(text, len);
    free(text);
    return err;
}

esp_err_t efuse_file_load(efuse_file_t *file, const char *flash_path, otter_fault_t *fault)
{
    memset(file, 0, sizeof(*file));
    file->chip.id = OTTER_CHIP_LINUX;
    esp_err_t err = find_file(file, flash_path, fault);
    return err == ESP_OK ? read_file(file, fault) : err;
}

esp_err_t efuse_file_load_named(efuse_file_t *file, const char *path, otter_fault_t *fault)
{
    memset(file, 0, sizeof(*file));
    file->chip.id = OTTER_CHIP_LINUX;
    if ((size_t)snprintf(file->path, sizeof(file->path), "%s", path) >= sizeof(file->path)) {
        return otter_fault(fault, ESP_FAIL, "the path of its eFuse file is too long");
    }
    return read_file(file, fault);
}

static void write_fact(FILE *out, fact_t fact, const said_t *said)
{
    const otter_chip_facts_t *chip;
    fprintf(out, "%s=", facts[fact].name);
    switch (facts[fact].kind) {
    case KIND_CHIP:
        chip = otter_chip_facts((uint16_t)said->value);
        fputs(chip != NULL ? chip->name : "", out);
        break;
    case KIND_SCHEME:
        fputs(otter_signature_scheme_key((otter_signature_scheme_t)said->value), out);
        break;
    case KIND_PURPOSE:
        fputs(efuse_file_purpose(said->value), out);
        break;
    case KIND_BYTES:
        for (uint32_t i = 0; i < facts[fact].bytes; i++) {
            fprintf(out, "%02x", said->bytes[i]);
        }
        break;
    case KIND_NUMBER:
    case KIND_COUNT:
    case KIND_BITS:
        fprintf(out, "%" PRIu32, said->value);
        break;
    }
    fputc('\n', out);
}

static void write_known(FILE *out, const efuse_file_t *file)
{
    said_t known[FACT_COUNT];
    tell_facts(file, known);
    for (fact_t fact = 0; fact < FACT_COUNT; fact++) {
        if (known[fact].said) {
            write_fact(out, fact, &known[fact]);
        }
    }
    otter_wipe(known, sizeof(known));
}

/** True of a line that write_known() has written anew. */
static bool says_fact(const char *line, size_t len)
{
    const char *equals = memchr(line, '=', len);
    char *name = equals != NULL ? strndup(line, (size_t)(equals - line)) : NULL;
    bool says = name != NULL && fact_of(trim(name)) != FACT_COUNT;
    free(name);
    return says;
}

/** Copies comments and the lines of names that this version does not know. @return false: they could not be read */
static bool copy_unknown(FILE *out, const char *path, otter_fault_t *fault)
{
    size_t len;
    if (!is_there(path)) {
        return true; /* there was no file before */
    }
    char *text = (char *)input_load(path, INPUT_ORDINARY, EFUSE_FILE_MAX, &len, fault);
    if (text == NULL) {
        return false;
    }
    const char *end = text + len;
    for (const char *line = text + mark_length(text, len); line < end;) {
        size_t whole = line_length(line, end);
        if (!says_fact(line, whole)) {
            fwrite(line, 1, whole, out);
        }
        line += whole;
    }
    otter_wipe(text, len);
    free(text);
    return true;
}

/** Is there a key that a chip lets nobody read? */
static bool has_secret(const efuse_file_t *file)
{
    bool has = false;
    for (uint32_t i = 0; i < OTTER_EFUSE_BLOCKS; i++) {
        has = has || file->blocks[i].present;
    }
    return has;
}

esp_err_t efuse_file_save(const efuse_file_t *file)
{
    otter_fault_t fault = {ESP_FAIL, "out of memory"};
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    bool ok = out != NULL;
    if (ok) {
        write_known(out, file);
        ok = copy_unknown(out, file->path, &fault);
        ok = fclose(out) == 0 && ok &&
             (has_secret(file) ? output_replace_secret(file->path, text, len, &fault)
                               : output_replace(file->path, text, len, true, &fault));
        otter_wipe(text, len);
    }
    free(text);
    if (!ok) {
        ESP_LOGE(TAG, "cannot write %s: %s", file->path, fault.why);
    }
    return ok ? ESP_OK : ESP_FAIL;
}

static esp_err_t read_version(void *dev, uint32_t *version)
{
    const efuse_file_t *file = dev;
    *version = file->secure_version;
    return ESP_OK;
}

/** Makes durable what was changed in memory. @param before  what it was, to go back to if that fails; wiped */
static esp_err_t burn(efuse_file_t *file, efuse_file_t *before)
{
    esp_err_t err = file->path[0] != '\0' ? efuse_file_save(file) : ESP_ERR_NOT_SUPPORTED;
    if (err != ESP_OK) {
        *file = *before;
    }
    otter_wipe(before, sizeof(*before));
    return err;
}

static esp_err_t burn_version(void *dev, uint32_t version)
{
    efuse_file_t *file = dev, before = *file;
    if (version < file->secure_version) {
        return ESP_FAIL; /* a burned bit stays burned */
    }
    file->secure_version = version;
    return burn(file, &before);
}

static esp_err_t read_key(void *dev, uint32_t index, otter_efuse_key_t *key)
{
    const efuse_file_t *file = dev;
    *key = file->keys[index];
    return ESP_OK;
}

static esp_err_t revoke_key(void *dev, uint32_t index)
{
    efuse_file_t *file = dev, before = *file;
    file->keys[index].revoked = true;
    return burn(file, &before);
}

static esp_err_t read_block(void *dev, uint32_t index, otter_efuse_block_t *block)
{
    const efuse_file_t *file = dev;
    *block = file->blocks[index];
    return ESP_OK;
}

static esp_err_t read_crypt_count(void *dev, uint32_t *bits)
{
    const efuse_file_t *file = dev;
    *bits = file->crypt_count;
    return ESP_OK;
}

static esp_err_t burn_crypt_count(void *dev)
{
    efuse_file_t *file = dev, before = *file;
    file->crypt_count |= file->crypt_final != 0 ? file->crypt_final : file->crypt_count + 1;
    return burn(file, &before);
}

otter_efuse_t efuse_file_seam(efuse_file_t *file)
{
    return (otter_efuse_t){.dev = file,
                           .read_secure_version = read_version,
                           .burn_secure_version = burn_version,
                           .read_key_digest = read_key,
                           .revoke_key_digest = revoke_key,
                           .read_key_block = read_block,
                           .read_crypt_count = read_crypt_count,
                           .burn_crypt_count = burn_crypt_count};
}
