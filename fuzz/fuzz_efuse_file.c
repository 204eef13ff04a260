/*
 * The eFuse file beside a flash file.
 * Input: the file.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "linux/efuse_file.h"

enum {
    CHIP,
    REVISION,
    BLK_REVISION,
    SECTOR_SIZE,
    WRITE_UNIT,
    WRITE_ONCE,
    SECURE_VERSION,
    SECURE_BOOT,
    SCHEME,
    V1_KEY,
    DIGEST,
    REVOKE = DIGEST + 3,
    BLOCK = REVOKE + 3,
    PURPOSE = BLOCK + 6,
    AGGRESSIVE = PURPOSE + 6,
    SHA384,
    CRYPT_COUNT,
    CRYPT_CONFIG,
    NAMES
};
static const char *const names[NAMES] = {
    "chip",
    "revision",
    "blk_revision",
    "sector_size",
    "write_unit",
    "write_once",
    "secure_version",
    "secure_boot_en",
    "secure_boot_scheme",
    "secure_boot_v1_key",
    "secure_boot_digest0",
    "secure_boot_digest1",
    "secure_boot_digest2",
    "secure_boot_key_revoke0",
    "secure_boot_key_revoke1",
    "secure_boot_key_revoke2",
    "block_key0",
    "block_key1",
    "block_key2",
    "block_key3",
    "block_key4",
    "block_key5",
    "key_purpose_0",
    "key_purpose_1",
    "key_purpose_2",
    "key_purpose_3",
    "key_purpose_4",
    "key_purpose_5",
    "secure_boot_aggressive_revoke",
    "secure_boot_sha384_en",
    "spi_boot_crypt_cnt",
    "flash_crypt_config",
};
static const unsigned long maxima[NAMES] = {
    [REVISION] = 65534,  [BLK_REVISION] = 65535, [SECTOR_SIZE] = 131072, [WRITE_UNIT] = 256,
    [WRITE_ONCE] = 1,    [SECURE_VERSION] = 32,  [SECURE_BOOT] = 1,      [REVOKE] = 1,
    [REVOKE + 1] = 1,    [REVOKE + 2] = 1,       [AGGRESSIVE] = 1,       [SHA384] = 1,
    [CRYPT_COUNT] = 127, [CRYPT_CONFIG] = 15,
};
static const char *const schemes[] = {"none", "rsa3072", "ecdsa192", "ecdsa256", "ecdsa384", "v1"};
/* By number; where one has more names they stand behind a comma. */
static const char *const purposes[] = {"user",
                                       "reserved,ecdsa_key,ecdsa_key_p256",
                                       "xts_aes_256_key_1",
                                       "xts_aes_256_key_2",
                                       "xts_aes_128_key",
                                       "hmac_down_all",
                                       "hmac_down_jtag",
                                       "hmac_down_digital_signature",
                                       "hmac_up",
                                       "secure_boot_digest0",
                                       "secure_boot_digest1",
                                       "secure_boot_digest2",
                                       "km_init_key",
                                       "xts_aes_256_psram_key_1",
                                       "xts_aes_256_psram_key_2",
                                       "xts_aes_128_psram_key",
                                       "ecdsa_key_p192",
                                       "ecdsa_key_p384_l",
                                       "ecdsa_key_p384_h"};

/** What the lines say, read one whole line after the other. */
typedef struct {
    bool good, has[NAMES];
    unsigned long value[NAMES];
    char hex[NAMES][129]; /* in small letters */
} reference_t;

static bool number(const char *text, unsigned long max, unsigned long *value)
{
    *value = 0;
    if (*text == '\0') {
        return false;
    }
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9') {
            return false;
        }
        *value = *value * 10 + (unsigned long)(*text - '0');
        if (*value > max) {
            return false;
        }
    }
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\v' || c == '\f';
}

static char *strip(char *text)
{
    while (is_blank(*text)) {
        text++;
    }
    while (*text != '\0' && is_blank(text[strlen(text) - 1])) {
        text[strlen(text) - 1] = '\0';
    }
    return text;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/** The letters and digits of a name, of which 64 count. */
static void squeeze(const char *name, char out[65])
{
    size_t n = 0;
    for (; *name != '\0' && n < 64; name++) {
        char c = lower(*name);
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
            out[n++] = c;
        }
    }
    out[n] = '\0';
}

/** At most `limit` letters changed, added, left out or swapped with the next make `b` of `a`: tried out. */
static bool is_near(const char *a, const char *b, int limit)
{
    if (limit < 0) {
        return false;
    }
    if (*a == '\0' || *b == '\0') {
        return strlen(a) + strlen(b) <= (size_t)limit;
    }
    bool swapped = a[0] == b[1] && a[1] == b[0] && a[1] != '\0';
    return (*a == *b && is_near(a + 1, b + 1, limit)) || (swapped && is_near(a + 2, b + 2, limit - 1)) ||
           is_near(a + 1, b + 1, limit - 1) || is_near(a + 1, b, limit - 1) || is_near(a, b + 1, limit - 1);
}

/** A name that is none, but may have been meant as one; a secure version may be meant however it is put. */
static bool is_slip(const char *name, const char *value)
{
    char said[65], known[65];
    squeeze(value, said);
    if (strstr(said, "secureversion") != NULL || strstr(said, "securebooten") != NULL) {
        return true;
    }
    squeeze(name, said);
    if (strstr(said, "secur") != NULL && (strstr(said, "ver") != NULL || strstr(said, "boot") != NULL)) {
        return true;
    }
    for (int i = 0; i < NAMES; i++) {
        squeeze(names[i], known);
        if (said[0] != '\0' && is_near(said, known, (int)strlen(known) / 5)) {
            return true;
        }
    }
    return false;
}

static bool equals(const char *a, const char *b)
{
    while (*a != '\0' && lower(*a) == lower(*b)) {
        a++;
        b++;
    }
    return lower(*a) == lower(*b);
}

/** Digits in pairs: a key or its digest. */
static bool hex(const char *text, size_t digits, char *small)
{
    if (strlen(text) != digits) {
        return false;
    }
    for (size_t i = 0; i <= digits; i++) {
        small[i] = lower(text[i]);
        if (i < digits && !(small[i] >= '0' && small[i] <= '9') && !(small[i] >= 'a' && small[i] <= 'f')) {
            return false;
        }
    }
    return true;
}

static bool scheme(const char *text, unsigned long *value)
{
    for (*value = 1; *value < sizeof(schemes) / sizeof(schemes[0]); ++*value) {
        if (strcmp(schemes[*value], text) == 0) {
            return true;
        }
    }
    return false;
}

static bool purpose(const char *text, unsigned long *value)
{
    for (*value = 0; *value < sizeof(purposes) / sizeof(purposes[0]); ++*value) {
        char list[64];
        snprintf(list, sizeof(list), "%s", purposes[*value]);
        for (char *name = strtok(list, ","); name != NULL; name = strtok(NULL, ",")) {
            if (equals(name, text)) {
                return true;
            }
        }
    }
    return false;
}

/** What has several names. */
static int index_of(const char *name)
{
    int i = 0;
    if (equals("flash_crypt_cnt", name)) {
        return CRYPT_COUNT;
    }
    if (equals("abs_done_1", name)) {
        return SECURE_BOOT;
    }
    while (i < NAMES && !equals(names[i], name)) {
        i++;
    }
    return i;
}

static bool take_line(char *text, reference_t *r)
{
    char *line = strip(text);
    if (line[0] == '\0' || line[0] == '#') {
        return true;
    }
    char *value = strchr(line, '=');
    if (value == NULL) {
        return false;
    }
    *value++ = '\0';
    char *name = strip(line);
    value = strip(value);
    const int i = index_of(name);
    if (i == NAMES) {
        return equals("secure_boot_disable_fast_wake", name) || !is_slip(name, value);
    }
    unsigned long n = 0;
    if (i == CHIP) {
        const otter_chip_facts_t *facts = otter_chip_by_name(value);
        if (facts == NULL) {
            return false;
        }
        n = facts->id;
    } else if (i == V1_KEY || (i >= DIGEST && i < REVOKE) || (i >= BLOCK && i < PURPOSE)) {
        char small[129] = "";
        if (!hex(value, i == V1_KEY ? 128 : 64, small) || (r->has[i] && strcmp(small, r->hex[i]) != 0)) {
            return false;
        }
        memcpy(r->hex[i], small, sizeof(small));
    } else if (i >= PURPOSE && i < AGGRESSIVE ? !purpose(value, &n)
               : i == SCHEME                  ? !scheme(value, &n)
                                              : !number(value, maxima[i], &n)) {
        return false;
    }
    if (r->has[i] && r->value[i] != n) {
        return false;
    }
    r->has[i] = true;
    r->value[i] = n;
    return true;
}

/** A line up to CR, LF or both. */
static fuzz_input_t next_line(fuzz_input_t *in)
{
    fuzz_input_t line = {.bytes = in->bytes};
    while (line.len < in->len && in->bytes[line.len] != '\n' && in->bytes[line.len] != '\r') {
        line.len++;
    }
    size_t end = line.len;
    if (end < in->len) {
        bool both = in->bytes[end] == '\r' && end + 1 < in->len && in->bytes[end + 1] == '\n';
        end += both ? 2 : 1;
    }
    in->bytes += end;
    in->len -= end;
    return line;
}

/** Key blocks that are digests: a second place of the same. */
static bool take_digests(reference_t *r)
{
    for (int i = 0; i < 6; i++) {
        unsigned long key = r->value[PURPOSE + i] - 9;
        if (!r->has[BLOCK + i] || r->value[PURPOSE + i] < 9 || key > 2) {
            continue;
        }
        if (r->has[DIGEST + key] && strcmp(r->hex[DIGEST + key], r->hex[BLOCK + i]) != 0) {
            return false;
        }
        r->has[DIGEST + key] = true;
        memcpy(r->hex[DIGEST + key], r->hex[BLOCK + i], sizeof(r->hex[0]));
    }
    return true;
}

static reference_t read_reference(fuzz_input_t in)
{
    reference_t r = {.good = true, .value[CHIP] = OTTER_CHIP_LINUX};
    if (in.len >= 3 && memcmp(in.bytes, "\xEF\xBB\xBF", 3) == 0) {
        in.bytes += 3;
        in.len -= 3;
    }
    while (r.good && in.len > 0) {
        fuzz_input_t bytes = next_line(&in);
        if (bytes.len > 0 && memchr(bytes.bytes, 0, bytes.len) != NULL) {
            r.good = false; /* no text */
            break;
        }
        char *line = fuzz_text(bytes);
        r.good = take_line(line, &r);
        free(line);
    }
    r.good = r.good && take_digests(&r);
    return r;
}

static void check_equal(const efuse_file_t *a, const efuse_file_t *b)
{
    FUZZ_CHECK(a->has_chip == b->has_chip && a->chip.id == b->chip.id, "another chip");
    FUZZ_CHECK(a->has_revision == b->has_revision && a->chip.revision == b->chip.revision,
               "another revision");
    FUZZ_CHECK(a->chip.blk_revision == b->chip.blk_revision, "another block revision");
    FUZZ_CHECK(a->geometry.sector_size == b->geometry.sector_size &&
                   a->geometry.write_unit == b->geometry.write_unit &&
                   a->geometry.write_once == b->geometry.write_once,
               "another geometry");
    FUZZ_CHECK(a->secure_version == b->secure_version, "another secure version");
    FUZZ_CHECK(a->secure_boot == b->secure_boot && a->scheme == b->scheme && a->has_v1_key == b->has_v1_key &&
                   memcmp(a->v1_key, b->v1_key, sizeof(a->v1_key)) == 0,
               "another secure boot");
    FUZZ_CHECK(memcmp(a->keys, b->keys, sizeof(a->keys)) == 0, "other keys");
    FUZZ_CHECK(a->aggressive_revoke == b->aggressive_revoke && a->sha384 == b->sha384 &&
                   a->crypt_count == b->crypt_count,
               "other switches");
    for (size_t i = 0; i < sizeof(a->blocks) / sizeof(a->blocks[0]); i++) {
        FUZZ_CHECK(a->blocks[i].present == b->blocks[i].present &&
                       a->blocks[i].purpose == b->blocks[i].purpose &&
                       memcmp(a->blocks[i].key, b->blocks[i].key, sizeof(a->blocks[i].key)) == 0,
                   "another key block");
    }
}

static bool is_hex_of(const char *text, const uint8_t *bytes, size_t len)
{
    char said[129] = "";
    for (size_t i = 0; i < len; i++) {
        snprintf(said + 2 * i, 3, "%02x", bytes[i]);
    }
    return strcmp(said, text) == 0;
}

/** Who is trusted is what the lines say, and nobody else. */
static void check_secure_boot(const efuse_file_t *file, const reference_t *want)
{
    FUZZ_CHECK(file->secure_boot == (want->value[SECURE_BOOT] == 1), "secure boot");
    FUZZ_CHECK((unsigned long)file->scheme == want->value[SCHEME], "scheme %d", (int)file->scheme);
    FUZZ_CHECK(file->aggressive_revoke == (want->value[AGGRESSIVE] == 1), "revocation by the ROM");
    FUZZ_CHECK(file->sha384 == (want->value[SHA384] == 1), "SHA-384");
    FUZZ_CHECK(file->crypt_count == want->value[CRYPT_COUNT], "encryption %u", file->crypt_count);
    FUZZ_CHECK(file->has_v1_key == want->has[V1_KEY] &&
                   (!file->has_v1_key || is_hex_of(want->hex[V1_KEY], file->v1_key, sizeof(file->v1_key))),
               "another V1 key");
    for (int i = 0; i < 3; i++) {
        const otter_efuse_key_t *key = &file->keys[i];
        FUZZ_CHECK(key->present == want->has[DIGEST + i] &&
                       (!key->present || is_hex_of(want->hex[DIGEST + i], key->digest, sizeof(key->digest))),
                   "another digest %d", i);
        FUZZ_CHECK(key->revoked == (want->value[REVOKE + i] == 1), "revocation %d", i);
    }
}

/** Saving keeps what was read, and saving again changes nothing. */
static void check_saving(efuse_file_t *file, const char *flash_path)
{
    static efuse_file_t again;
    otter_fault_t fault = {0};
    FUZZ_CHECK(efuse_file_save(file) == ESP_OK, "cannot save");
    FUZZ_CHECK(efuse_file_load(&again, flash_path, &fault) == ESP_OK, "what was saved: %s", fault.why);
    check_equal(file, &again);
    char *first = fuzz_read_file(file->path, NULL);
    FUZZ_CHECK(efuse_file_save(&again) == ESP_OK, "cannot save");
    char *second = fuzz_read_file(file->path, NULL);
    FUZZ_CHECK(strcmp(first, second) == 0, "saving again changes the file");
    free(first);
    free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static efuse_file_t file;
    char path[128];
    otter_fault_t fault = {0};
    snprintf(path, sizeof(path), "%s", fuzz_path("flash.bin.efuse"));
    fuzz_write_file(path, data, size);
    path[strlen(path) - strlen(".efuse")] = '\0';
    esp_err_t err = efuse_file_load(&file, path, &fault);
    reference_t want = read_reference((fuzz_input_t){data, size});
    FUZZ_CHECK((err == ESP_OK) == want.good, "0x%x, the reference says %s", err, want.good ? "good" : "bad");
    if (err == ESP_OK) {
        FUZZ_CHECK(file.has_chip == want.has[CHIP] && file.chip.id == want.value[CHIP], "chip 0x%x",
                   file.chip.id);
        FUZZ_CHECK(file.has_revision == want.has[REVISION] && file.chip.revision == want.value[REVISION],
                   "revision");
        FUZZ_CHECK(file.chip.blk_revision == want.value[BLK_REVISION], "block revision %u",
                   file.chip.blk_revision);
        FUZZ_CHECK(file.geometry.sector_size == want.value[SECTOR_SIZE] &&
                       file.geometry.write_unit == want.value[WRITE_UNIT] &&
                       file.geometry.write_once == (want.value[WRITE_ONCE] == 1),
                   "geometry");
        FUZZ_CHECK(file.secure_version == want.value[SECURE_VERSION], "secure version %u",
                   file.secure_version);
        check_secure_boot(&file, &want);
        if (memmem(data, size, "PRIVATE KEY-----", 16) ==
            NULL) { /* no output goes over a key, whatever else it is */
            check_saving(&file, path);
        }
    }
    return 0;
}
