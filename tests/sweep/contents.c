/* What the sweep's devices hold and are sent: images, and partition tables. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/test_cipher.h"
#include "otter/bytes.h"
#include "boot/otadata.h"
#include "esp_flash_partitions.h"
#include "support/image_builder.h"
#include "support/image_signer.h"
#include "sweep/subject.h"

#define CHIP_S2      2u
#define CHIP_S2_DROM 0x3F000020u
#define CHIP_S2_DRAM 0x3FFE0000u
#define NO_MD5_ROWS  79u /* of a table without checksum: so many that tears all over it lie between rows */

static void make_image(subject_t *subject, unsigned index)
{
    const uint32_t sectors = subject->config.image_sectors;
    uint8_t *bytes = subject->images[index].bytes;
    const signers_t *signers = subject->config.signers;
    const bool is_s2 = signers != NULL && signers->chip == CHIP_S2;
    char version[16];
    image_plan_t plan = {.chip = is_s2 ? CHIP_S2 : 0,
                         .max_revision = 399,
                         .flash_code = 0x20,
                         .entry = IMAGE_ENTRY,
                         .load_addr = is_s2 ? CHIP_S2_DROM : IMAGE_DROM,
                         .segment = sectors == 0 ? 496u : sectors * subject_block(subject) - 1200u,
                         .hashed = true};
    uint32_t seed = index * 2654435761u + 1;
    for (uint32_t i = 0; i < plan.segment; i++) {
        seed = seed * 1664525u + 1013904223u;
        bytes[IMAGE_DATA_AT + i] = (uint8_t)(seed >> 24);
    }
    snprintf(version, sizeof(version), "1.%u.0", index);
    image_describe(bytes, "sweep", version, index);
    image_finish(&plan, bytes);
    subject->images[index].len =
        signers != NULL ? image_sign(bytes, image_len(&plan), signers->images[index]) : image_len(&plan);
    subject->images[index].secure_version = index;
}

/** What ESP-IDF built, as it was recorded. */
static void load_image(subject_t *subject, unsigned index)
{
    static const char *const files[SUBJECT_IMAGES] = {"esp32_valid.bin", "esp32_v110_sec1.bin",
                                                      "esp32_v120_sec3.bin", "esp32_drom_irom_64k.bin",
                                                      "esp32_nohash.bin"};
    uint8_t *bytes = subject->images[index].bytes;
    char path[512];
    snprintf(path, sizeof(path), "%s/image/%s", TEST_VECTORS, files[index]);
    FILE *file = fopen(path, "rb");
    size_t len = file == NULL ? 0 : fread(bytes, 1, SUBJECT_IMAGE_MAX, file);
    if (len == 0 || fgetc(file) != EOF) {
        fprintf(stderr, "sweep: cannot read the whole of %s\n", path);
        exit(2);
    }
    fclose(file);
    subject->images[index].len = (uint32_t)len;
    subject->images[index].secure_version = le32_get(bytes + IMAGE_DATA_AT + 4);
}

/** The rows of a table that is being made. */
typedef struct {
    otter_partition_entry_t entries[OTTER_PARTITIONS_MAX];
    uint32_t count;
} rows_t;

static void add_row(rows_t *rows, uint8_t type, uint8_t subtype, uint32_t offset, uint32_t size,
                    const char *label)
{
    otter_partition_entry_t *entry = &rows->entries[rows->count++];
    *entry = (otter_partition_entry_t){.type = type, .subtype = subtype, .offset = offset, .size = size};
    snprintf(entry->label, sizeof(entry->label), "%s", label);
}

static void add_numbered(rows_t *rows, uint8_t type, uint8_t subtype, uint32_t offset, uint32_t size,
                         const char *name, unsigned number)
{
    char label[17];
    snprintf(label, sizeof(label), "%s%u", name, number);
    add_row(rows, type, subtype, offset, size, label);
}

/** What copies go to besides slots, and a row whose label tells the versions of a table apart. */
static void add_finals(rows_t *rows, const subject_t *subject, unsigned version)
{
    const layout_t *layout = subject->config.layout;
    const uint32_t size = subject_scaled(subject, SUBJECT_COPY_SIZE),
                   files = subject_scaled(subject, SUBJECT_FILES);
    add_row(rows, PART_TYPE_BOOTLOADER, PART_SUBTYPE_BOOTLOADER_PRIMARY,
            subject_scaled(subject, SUBJECT_BOOTLOADER), size, "boot");
    add_row(rows, PART_TYPE_PARTITION_TABLE, PART_SUBTYPE_PARTITION_TABLE_PRIMARY,
            subject_scaled(subject, SUBJECT_TABLE), subject_block(subject), "table");
    add_row(rows, PART_TYPE_BOOTLOADER, PART_SUBTYPE_BOOTLOADER_RECOVERY,
            subject_scaled(subject, SUBJECT_RECOVERY), size, "recovery");
    add_row(rows, PART_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_FAT, files, size, "files");
    add_numbered(rows, 0x50, 0, files + size, subject_block(subject), "version ", version);
    while (layout->no_md5 && rows->count < NO_MD5_ROWS) {
        add_numbered(rows, 0x51, (uint8_t)rows->count, files, 0, "empty ", rows->count);
    }
}

static void make_table(const subject_t *subject, unsigned version, uint8_t out[OTTER_PARTITION_TABLE_LEN])
{
    static rows_t rows;
    const layout_t *layout = subject->config.layout;
    const uint32_t distance =
        subject_scaled(subject, layout->recorded ? SUBJECT_RECORDED_SIZE : SUBJECT_PART_SIZE);
    uint32_t offset = subject_scaled(subject, SUBJECT_APPS), size = subject_app_size(subject);
    const uint32_t staging = offset + (layout->slots + (layout->factory ? 1 : 0)) * distance;
    rows.count = 0;
    if (layout->nvs) {
        add_row(&rows, PART_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_NVS, SUBJECT_NVS, SUBJECT_NVS_SIZE, "nvs");
    }
    if (layout->staging_first) {
        add_row(&rows, PART_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_UNDEFINED, staging, size, "staging");
    }
    add_row(&rows, PART_TYPE_DATA, PART_SUBTYPE_DATA_OTA, subject_scaled(subject, SUBJECT_OTADATA),
            2 * subject_block(subject), "otadata");
    if (layout->factory) {
        add_row(&rows, PART_TYPE_APP, PART_SUBTYPE_FACTORY, offset, size, "factory");
        offset += distance;
    }
    for (uint32_t i = 0; i < layout->slots; i++, offset += distance) {
        add_numbered(&rows, PART_TYPE_APP, (uint8_t)(PART_SUBTYPE_OTA_FLAG + i), offset, size, "ota_", i);
    }
    if (layout->copies) {
        add_finals(&rows, subject, version);
    }
    if (layout->efuse) {
        add_row(&rows, PART_TYPE_DATA, PART_SUBTYPE_DATA_EFUSE_EM, offset, 2 * subject_block(subject),
                "emul_efuse");
    }
    if (layout->staging && !layout->staging_first) {
        add_row(&rows, PART_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_UNDEFINED, staging, size, "staging");
    }
    if (otter_partition_table_encode(rows.entries, rows.count, !layout->no_md5, out) != ESP_OK) {
        abort();
    }
}

/** Whoever revokes a key needs one that another key has signed, too. */
static void make_bootloader(uint8_t *bytes)
{
    const image_plan_t plan = {.chip = CHIP_S2,
                               .max_revision = 399,
                               .flash_code = 0x20,
                               .entry = IMAGE_ENTRY,
                               .load_addr = CHIP_S2_DRAM,
                               .segment = 64,
                               .hashed = true};
    memset(bytes + IMAGE_DATA_AT, 0xB0, plan.segment);
    image_finish(&plan, bytes);
    (void)image_sign(bytes, image_len(&plan), "ab");
}

void subject_make_contents(subject_t *subject)
{
    for (unsigned i = 0; i < SUBJECT_IMAGES; i++) {
        if (subject->config.layout->recorded) {
            load_image(subject, i);
        } else {
            make_image(subject, i);
        }
        make_table(subject, i, subject->tables[i]);
    }
    uint8_t *flash = subject->sim.bytes;
    const uint8_t *image = subject->images[0].bytes;
    const uint32_t len = subject->images[0].len;
    memcpy(flash + subject_scaled(subject, SUBJECT_TABLE), subject->tables[0], OTTER_PARTITION_TABLE_LEN);
    memcpy(flash + subject_scaled(subject, SUBJECT_APPS), image, len);
    if (subject->config.signers != NULL && subject->config.signers->chip == CHIP_S2) {
        make_bootloader(flash + SUBJECT_BOOTLOADER);
    }
    if (subject->config.layout->copies) {
        memcpy(flash + subject_scaled(subject, SUBJECT_BOOTLOADER), image, len);
        memcpy(flash + subject_scaled(subject, SUBJECT_RECOVERY), image, len);
        memset(flash + subject_scaled(subject, SUBJECT_FILES), 0xA5,
               subject_scaled(subject, SUBJECT_COPY_SIZE));
    }
    const struct {
        uint32_t at, len;
    } written[] = {{SUBJECT_TABLE, OTTER_PARTITION_TABLE_SECTOR},
                   {SUBJECT_APPS, len},
                   {SUBJECT_BOOTLOADER, len},
                   {SUBJECT_RECOVERY, len}};
    const unsigned count = subject->config.layout->copies ? 4 : 2;
    const bool encrypted = subject->config.encrypted && !subject->config.plain_at_first;
    for (unsigned i = 0; encrypted && i < count; i++) {
        test_cipher_apply(flash, false, subject_scaled(subject, written[i].at),
                          align_up_u32(written[i].len, OTTER_FLASH_CIPHER_BLOCK));
    }
}
