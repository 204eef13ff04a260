/* What the sweep's devices hold and are sent: images, and partition tables. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/le.h"
#include "boot/otadata.h"
#include "esp_flash_partitions.h"
#include "otter/crypto.h"
#include "sweep/world.h"

#define SECTOR       4096u
#define NO_MD5_ROWS  79u /* of a table without checksum: so many that tears all over it lie between rows */
#define DROM_ADDRESS 0x3F400020u

/* An ESP32 image's header: one segment, hash appended, any revision up to 3.99. */
static const uint8_t header[24] = {0xE9, 1, 2, 0x20, 0, 0,    8, 0x40, 0xEE, 0, 0, 0,
                                   0,    0, 0, 0,    0, 0x8F, 1, 0,    0,    0, 0, 1};

static void make_image(world_t *world, unsigned index)
{
    uint8_t *bytes = world->images[index].bytes;
    uint32_t size = world->config.image_sectors == 0 ? 496u : world->config.image_sectors * SECTOR - 1200u;
    uint32_t secure_version = index, seed = index * 2654435761u + 1;
    memcpy(bytes, header, sizeof(header));
    le32_put(bytes + 24, DROM_ADDRESS);
    le32_put(bytes + 28, size);
    uint8_t *data = bytes + 32, checksum = 0xEF;
    for (uint32_t i = 0; i < size; i++) {
        seed = seed * 1664525u + 1013904223u;
        data[i] = (uint8_t)(seed >> 24);
    }
    memset(data, 0, 256);
    le32_put(data, 0xABCD5432u);
    le32_put(data + 4, secure_version);
    snprintf((char *)data + 16, 32, "1.%u.0", index);
    snprintf((char *)data + 48, 32, "sweep");
    for (uint32_t i = 0; i < size; i++) {
        checksum ^= data[i];
    }
    uint32_t len = align_up_u32(32 + size + 1, 16);
    memset(data + size, 0, len - 32 - size);
    bytes[len - 1] = checksum;
    otter_sha256_t *sha = otter_sha256_new();
    if (sha == NULL) {
        abort();
    }
    otter_sha256_update(sha, bytes, len);
    otter_sha256_finish(sha, bytes + len);
    otter_sha256_free(sha);
    world->images[index].len = len + OTTER_SHA256_LEN;
    world->images[index].secure_version = secure_version;
}

/** The rows of a table that is being made. */
typedef struct {
    partition_entry_t entries[PARTITION_ENTRIES_MAX];
    uint32_t count;
} rows_t;

static void add_row(rows_t *rows, uint8_t type, uint8_t subtype, uint32_t offset, uint32_t size,
                    const char *label)
{
    partition_entry_t *entry = &rows->entries[rows->count++];
    *entry = (partition_entry_t){.type = type, .subtype = subtype, .offset = offset, .size = size};
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
static void add_finals(rows_t *rows, const layout_t *layout, unsigned version)
{
    add_row(rows, PART_TYPE_BOOTLOADER, PART_SUBTYPE_BOOTLOADER_PRIMARY, WORLD_BOOTLOADER, WORLD_COPY_SIZE,
            "boot");
    add_row(rows, PART_TYPE_PARTITION_TABLE, PART_SUBTYPE_PARTITION_TABLE_PRIMARY, WORLD_TABLE, SECTOR,
            "table");
    add_row(rows, PART_TYPE_BOOTLOADER, PART_SUBTYPE_BOOTLOADER_RECOVERY, WORLD_RECOVERY, WORLD_COPY_SIZE,
            "recovery");
    add_row(rows, PART_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_FAT, WORLD_FILES, WORLD_COPY_SIZE, "files");
    add_numbered(rows, 0x50, 0, WORLD_FILES + WORLD_COPY_SIZE, SECTOR, "version ", version);
    while (layout->no_md5 && rows->count < NO_MD5_ROWS) {
        add_numbered(rows, 0x51, (uint8_t)rows->count, WORLD_FILES, 0, "empty ", rows->count);
    }
}

static void make_table(const world_t *world, unsigned version, uint8_t out[PARTITION_TABLE_LEN])
{
    static rows_t rows;
    const layout_t *layout = world->config.layout;
    uint32_t offset = 0x10000, size = layout->copies ? WORLD_COPY_SIZE : WORLD_PART_SIZE;
    rows.count = 0;
    add_row(&rows, PART_TYPE_DATA, PART_SUBTYPE_DATA_OTA, WORLD_OTADATA, OTADATA_SIZE_MIN, "otadata");
    if (layout->factory) {
        add_row(&rows, PART_TYPE_APP, PART_SUBTYPE_FACTORY, offset, size, "factory");
        offset += WORLD_PART_SIZE;
    }
    for (uint32_t i = 0; i < layout->slots; i++, offset += WORLD_PART_SIZE) {
        add_numbered(&rows, PART_TYPE_APP, (uint8_t)(PART_SUBTYPE_OTA_FLAG + i), offset, size, "ota_", i);
    }
    if (layout->copies) {
        add_finals(&rows, layout, version);
    }
    if (layout->staging) {
        add_row(&rows, PART_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_UNDEFINED, offset, size, "staging");
    }
    if (partition_table_encode(rows.entries, rows.count, !layout->no_md5, out) != ESP_OK) {
        abort();
    }
}

void world_make_contents(world_t *world)
{
    for (unsigned i = 0; i < WORLD_IMAGES; i++) {
        make_image(world, i);
        make_table(world, i, world->tables[i]);
    }
    uint8_t *flash = world->sim.bytes;
    memcpy(flash + WORLD_TABLE, world->tables[0], PARTITION_TABLE_LEN);
    memcpy(flash + 0x10000, world->images[0].bytes, world->images[0].len);
    if (world->config.layout->copies) {
        memcpy(flash + WORLD_BOOTLOADER, world->images[0].bytes, world->images[0].len);
        memcpy(flash + WORLD_RECOVERY, world->images[0].bytes, world->images[0].len);
        memset(flash + WORLD_FILES, 0xA5, WORLD_COPY_SIZE);
    }
}
