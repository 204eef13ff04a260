/*
 * A whole flash: `otter flash info` on it, also with a key of flash encryption, and the boot step, tried and real.
 * Input: flags (bits of enum), chip, both otadata records, length of the table in records, the table (at 0x1000), bytes
 * that each app partition begins with.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "cli.h"
#include "fuzz.h"
#include "otter/boot.h"
#include "otter/chip.h"
#include "otter/flash_encryption.h"
#include "reference.h"
#include "sim/sim_flash.h"

enum {
    MD5_RIGHT = 1,
    CRCS_RIGHT = 2,
    IMAGE_RIGHT = 4,
    ROLLBACK = 8,
    ANTI_ROLLBACK = 16,
    FIRST_DIFFERS = 32, /* the image in the first app partition is spoiled */
    BOOTLOADER = 64,    /* the image also lies where some chips look for their bootloader */
    ENCRYPTED = 128     /* the same flash encrypted, and as it is, with a key */
};

#define FLASH_SIZE     0x40000u
#define FLASH_SIZE_MAX 0x8000000u
#define TABLE_OFFSET   0x1000u
#define OFFSET_TEXT    "0x1000"

typedef struct {
    uint8_t *bytes;
    uint8_t flags;
    const otter_chip_facts_t *chip;
    uint32_t count;      /* records that the bootloader walks */
    bool bootable_table; /* on a flash of this size */
    bool table;          /* on some flash, of which this would be the beginning */
} device_t;

static bool is_app(const uint8_t *record)
{
    return record[0] == 0xAA && record[1] == 0x50 && record[2] == 0;
}

/** Checksum and hash of an image that is to be good for a chip at its place. */
static void put_image(device_t *d, uint32_t at, uint32_t size, fuzz_input_t image)
{
    otter_image_rules_t rules = {.flash_offset = at, .size = size};
    reference_image_t ref;
    size_t n = image.len < size ? image.len : size;
    if (at >= FLASH_SIZE || n > FLASH_SIZE - at || n == 0) {
        return;
    }
    memcpy(d->bytes + at, image.bytes, n);
    for (int pass = 0; pass < 2 && (d->flags & IMAGE_RIGHT) != 0; pass++) {
        reference_image(d->bytes + at, n, &rules, &ref);
        size_t end = ((size_t)ref.body_len / 16 + 1) * 16;
        if (ref.body_len != 0 && ref.checksum_in) {
            d->bytes[at + end - 1] = ref.want_checksum;
        }
        if (ref.body_len != 0 && ref.hash_in) {
            memcpy(d->bytes + at + end, ref.want_hash, 32);
        }
    }
}

static void put_records(device_t *d, uint8_t two[2][32])
{
    const uint8_t *table = d->bytes + TABLE_OFFSET;
    for (int i = 0; i < 2; i++) {
        uint32_t crc = reference_crc32(0xFFFFFFFF, two[i], 4);
        for (int k = 0; (d->flags & CRCS_RIGHT) != 0 && k < 4; k++) {
            two[i][28 + k] = (uint8_t)(crc >> 8 * k);
        }
    }
    for (uint32_t i = 0; i < 95 && table[32 * (size_t)i] == 0xAA; i++) {
        const uint8_t *r = table + 32 * (size_t)i;
        uint32_t at = reference_le32(r + 4);
        /* Not over the table: it has been read by now. */
        if (r[2] == 1 && r[3] == 0 && at >= TABLE_OFFSET + 0x1000 && at <= FLASH_SIZE - 0x2000) {
            memcpy(d->bytes + at, two[0], 32);
            memcpy(d->bytes + at + 0x1000, two[1], 32);
        }
    }
}

static void make_device(fuzz_input_t in, device_t *d)
{
    unsigned chips = 0;
    while (otter_chip_at(chips) != NULL) {
        chips++;
    }
    memset(d->bytes, 0xFF, FLASH_SIZE);
    d->flags = fuzz_u8(&in);
    d->chip = otter_chip_at((unsigned)fuzz_choose(&in, chips));
    uint8_t two[2][32];
    memset(two, 0xFF, sizeof(two));
    for (int i = 0; i < 2; i++) {
        fuzz_input_t record = fuzz_take(&in, 32);
        memcpy(two[i], record.len > 0 ? record.bytes : two[i], record.len);
    }
    fuzz_input_t table = fuzz_take(&in, 32 * (size_t)(fuzz_u8(&in) % 96));
    uint8_t *raw = d->bytes + TABLE_OFFSET;
    memcpy(raw, table.len > 0 ? table.bytes : raw, table.len);
    int md5 = reference_table_find_md5(raw);
    if ((d->flags & MD5_RIGHT) != 0 && md5 >= 0) {
        reference_md5(raw, 32 * (size_t)md5, raw + 32 * (size_t)md5 + 16);
    }
    if ((d->flags & BOOTLOADER) != 0) {
        put_image(d, 0, TABLE_OFFSET, in);
    }
    uint8_t records[REFERENCE_TABLE_SIZE];
    memcpy(records, raw, sizeof(records));
    bool spoil = (d->flags & FIRST_DIFFERS) != 0;
    for (size_t i = 0; i < 96; i++) {
        const uint8_t *r = records + 32 * i;
        uint32_t at = reference_le32(r + 4);
        if (is_app(r) && at >= TABLE_OFFSET + 0x1000) {
            put_image(d, at, reference_le32(r + 8), in);
            if (spoil && at < FLASH_SIZE) {
                d->bytes[at] ^= 1;
            }
            spoil = false;
        }
    }
    put_records(d, two);
    d->bootable_table = reference_table_verify(raw, FLASH_SIZE, &d->count) == ESP_OK;
    d->table = reference_table_verify(raw, FLASH_SIZE_MAX, &d->count) == ESP_OK;
}

/* ---- flash info ---- */

/** The caller frees. */
static char *flash_info(const char *path, const char *chip, bool json, int *status)
{
    const char *const args[] = {"info", "--table-offset",       OFFSET_TEXT, "--chip", chip,
                                path,   json ? "--json" : NULL, NULL};
    return fuzz_run_verb(&flash_info_verb, args, status);
}

/** The same with a key, as JSON; the caller deletes it. */
static cJSON *flash_info_by_key(const char *path, const char *chip, const char *key)
{
    int status;
    const char *const args[] = {"info", "--table-offset", OFFSET_TEXT,   "--chip", chip,
                                path,   "--json",         "--flash-key", key,      NULL};
    char *text = fuzz_run_verb(&flash_info_verb, args, &status);
    cJSON *json = cJSON_Parse(text);
    FUZZ_CHECK(json != NULL, "not JSON: %s", text);
    free(text);
    return json;
}

/** The label that is said to boot is of an app whose image the reference takes as well. */
static void check_next(const device_t *d, const char *label)
{
    const uint8_t *table = d->bytes + TABLE_OFFSET;
    otter_image_rules_t rules = {.loading = true};
    reference_image_t ref;
    for (uint32_t i = 0; i < d->count; i++) {
        const uint8_t *r = table + 32 * (size_t)i;
        rules.flash_offset = reference_le32(r + 4);
        rules.size = reference_le32(r + 8);
        if (r[2] != 0 || rules.flash_offset >= FLASH_SIZE) {
            continue;
        }
        reference_image(d->bytes + rules.flash_offset, FLASH_SIZE - rules.flash_offset, &rules, &ref);
        if (ref.verdict == ESP_OK && reference_le16(d->bytes + rules.flash_offset + 12) == d->chip->id) {
            return; /* there is one; which one is the boot step's matter, see below */
        }
    }
    FUZZ_CHECK(false, "boots %s, but no image is good", label);
}

static void check_report(const device_t *d, const char *path)
{
    int status, again;
    char *text = flash_info(path, d->chip->name, false, &status);
    free(text);
    text = flash_info(path, d->chip->name, true, &again);
    FUZZ_CHECK(again == status, "status %d, with --json %d", status, again);
    cJSON *json = cJSON_Parse(text);
    FUZZ_CHECK(json != NULL, "not JSON: %s", text);
    const cJSON *boot = cJSON_GetObjectItem(json, "boot");
    const cJSON *label = cJSON_GetObjectItem(boot, "label");
    FUZZ_CHECK(cJSON_IsString(label) || cJSON_IsNull(label), "no boot label: %s", text);
    FUZZ_CHECK(cJSON_GetArraySize(cJSON_GetObjectItem(json, "partitions")) <= 96, "partitions: %s", text);
    if (cJSON_IsString(label)) {
        FUZZ_CHECK(d->table, "boots without a table: %s", text);
        check_next(d, label->valuestring);
    }
    cJSON_Delete(json);
    free(text);
    size_t len;
    char *after = fuzz_read_file(path, &len);
    FUZZ_CHECK(len == FLASH_SIZE && memcmp(after, d->bytes, len) == 0, "looking changed the flash");
    free(after);
}

/** Bytes that are no cipher text of this key, and then those of the flash encrypted by it, in which the same is found. */
static void check_encrypted(const device_t *d, const char *path)
{
    static const uint8_t key[32] = "thirty-two bytes that all know";
    static uint8_t cipher_text[FLASH_SIZE];
    char key_path[128];
    otter_flash_crypt_t *crypt;
    snprintf(key_path, sizeof(key_path), "%s", fuzz_path("flash.key"));
    fuzz_write_file(key_path, key, sizeof(key));
    cJSON_Delete(flash_info_by_key(path, d->chip->name, key_path));
    FUZZ_CHECK(otter_flash_crypt_open(otter_flash_cipher_for(d->chip->id, sizeof(key)), key, sizeof(key),
                                      OTTER_FLASH_CRYPT_CONFIG_ALL, &crypt, NULL) == ESP_OK,
               "no memory");
    memcpy(cipher_text, d->bytes, sizeof(cipher_text));
    FUZZ_CHECK(otter_flash_crypt(crypt, false, 0, cipher_text, sizeof(cipher_text)), "no memory");
    otter_flash_crypt_close(crypt);
    fuzz_write_file(path, cipher_text, sizeof(cipher_text));
    cJSON *json = flash_info_by_key(path, d->chip->name, key_path);
    const int found = cJSON_GetArraySize(cJSON_GetObjectItem(json, "partitions"));
    FUZZ_CHECK(!d->table || found >= (int)d->count, "%d of %u partitions", found, d->count);
    cJSON_Delete(json);
}

/* ---- the boot step ---- */

static esp_err_t read_version(void *dev, uint32_t *version)
{
    *version = *(const uint32_t *)dev;
    return ESP_OK;
}

static esp_err_t burn_version(void *dev, uint32_t version)
{
    FUZZ_CHECK(version > *(const uint32_t *)dev, "the version goes down to %u", version);
    *(uint32_t *)dev = version;
    return ESP_OK;
}

/** Boots a device on a copy of the flash. @return offset of the partition that runs, 0: none */
static uint32_t boot(const device_t *d, sim_flash_t *sim, otter_boot_mode_t mode, otter_boot_result_t *result)
{
    static otter_device_t device;
    uint32_t version = (d->flags & ANTI_ROLLBACK) != 0 ? 2 : 0;
    const otter_chip_t chip = {.id = d->chip->id, .revision = 300, .blk_revision = 100};
    const otter_efuse_t efuse = {
        .dev = &version, .read_secure_version = read_version, .burn_secure_version = burn_version};
    const otter_device_config_t config = {.table_offset = TABLE_OFFSET,
                                          .allow_no_md5 = true,
                                          .rollback = (d->flags & (ROLLBACK | ANTI_ROLLBACK)) != 0,
                                          .anti_rollback = (d->flags & ANTI_ROLLBACK) != 0};
    otter_device_init(&device, &sim->flash, &chip, &efuse, &config);
    device.config.copies = &otter_staged_copies;
    uint32_t at = 0;
    esp_err_t err = otter_boot(&device, mode, result);
    FUZZ_CHECK((err == ESP_OK) == (result->partition != NULL), "0x%x", err);
    FUZZ_CHECK(result->reason[0] != '\0', "no reason");
    if (err == ESP_OK) {
        const esp_partition_t *p = result->partition;
        const otter_image_rules_t rules = {
            .chip = &chip, .flash_offset = p->address, .size = p->size, .loading = true};
        reference_image_t ref;
        reference_image(sim->bytes + p->address, FLASH_SIZE - p->address, &rules, &ref);
        FUZZ_CHECK(ref.verdict == ESP_OK && ref.image_len == result->image.image_len,
                   "boots %s, which is no good image: 0x%x", p->label, ref.verdict);
        at = p->address;
    }
    result->partition = NULL; /* the device goes */
    otter_device_deinit(&device);
    return at;
}

/** Records that do not begin a sector cannot be erased: a trial then fails to be recorded, which no dry run can know. */
static bool otadata_is_writable(const device_t *d)
{
    for (uint32_t i = 0; i < d->count; i++) {
        const uint8_t *r = d->bytes + TABLE_OFFSET + 32 * (size_t)i;
        if (r[2] == 1 && r[3] == 0 && reference_le32(r + 4) % 0x1000 != 0) {
            return false;
        }
    }
    return true;
}

static void check_boot(const device_t *d)
{
    static sim_flash_t sim;
    static otter_boot_result_t dry, real;
    FUZZ_CHECK(sim.bytes != NULL || sim_flash_init(&sim, FLASH_SIZE), "no memory");
    memcpy(sim.bytes, d->bytes, FLASH_SIZE);
    uint32_t ops = sim.ops;
    uint32_t said = boot(d, &sim, OTTER_BOOT_DRY_RUN, &dry);
    FUZZ_CHECK(sim.ops == ops && memcmp(sim.bytes, d->bytes, FLASH_SIZE) == 0, "a dry run writes");
    uint32_t did = boot(d, &sim, OTTER_BOOT_COMMIT, &real);
    FUZZ_CHECK(d->bootable_table || sim.ops == ops, "writes without a good table");
    /* A table may lay otadata over the image that boots: then the record that is written spoils it. */
    bool same_flash = memcmp(sim.bytes + said, d->bytes + said, dry.image.image_len) == 0;
    FUZZ_CHECK(said == did || !same_flash || !otadata_is_writable(d), "0x%x was to boot, 0x%x did: %s", said,
               did, real.reason);
    uint32_t changed = 0;
    for (uint32_t sector = 0; sector < FLASH_SIZE; sector += 0x1000) {
        changed += memcmp(sim.bytes + sector, d->bytes + sector, 0x1000) != 0;
    }
    FUZZ_CHECK(changed <= 2, "%u sectors changed", changed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t bytes[FLASH_SIZE];
    device_t d = {.bytes = bytes};
    make_device((fuzz_input_t){data, size}, &d);
    char path[128];
    snprintf(path, sizeof(path), "%s", fuzz_path("flash.bin"));
    fuzz_write_file(path, bytes, sizeof(bytes));
    check_report(&d, path);
    if ((d.flags & ENCRYPTED) != 0) {
        check_encrypted(&d, path);
    }
    check_boot(&d);
    return 0;
}
