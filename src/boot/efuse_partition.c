/*
 * The partition's first sector is ESP-IDF's, bit for bit: the blocks one after the other. The second sector holds the same with a
 * checksum, and where it is whole it is what counts. A burn makes sure of the first sector, then writes the second one, then the
 * first one: at each moment one of both is whole, and says what was burned before or what is burned now.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/efuse_partition.h"

#include <string.h>

#include "otter/bytes.h"
#include "otter/efuse.h"
#include "otter/efuse_layout.h"

#define BLOCK       OTTER_EFUSE_BLOCK_LEN
#define DUMP_MAX    (OTTER_EFUSE_DUMP_BLOCKS * BLOCK)
#define BLANK_TIMES 4u /* ESP-IDF takes the partition for blank by four times as many bytes as it uses */
#define HEADER      12u

enum { AT_MAGIC = 0, AT_LEN = 4, AT_CRC = 8 };

static const uint8_t magic[4] = {'O', 'T', 'E', '1'};

/** Where everything is. */
typedef struct {
    otter_flash_t *flash;
    const otter_efuse_layout_t *layout;
    uint32_t first, second; /* sectors, in flash */
    uint32_t len;           /* bytes of a dump */
    uint32_t window;        /* bytes that are looked at to know whether the first one is blank */
} place_t;

static esp_err_t find_place(const otter_device_t *device, place_t *place)
{
    const esp_partition_t *p = otter_partition_list_find(&device->partitions, NULL, ESP_PARTITION_TYPE_DATA,
                                                         ESP_PARTITION_SUBTYPE_DATA_EFUSE_EM, NULL);
    otter_flash_t *flash = device->flash;
    if (p == NULL) {
        return ESP_ERR_NOT_FOUND;
    }
    const otter_efuse_layout_t *layout = otter_efuse_layout(device->chip.id);
    if (layout == NULL || flash->write_once) {
        return ESP_ERR_NOT_SUPPORTED; /* a mark that a cut left hanging could not be made sure */
    }
    *place = (place_t){.flash = flash,
                       .layout = layout,
                       .first = p->address,
                       .second = p->address + flash->erase_size,
                       .len = layout->blocks * BLOCK,
                       .window = BLANK_TIMES * layout->blocks * BLOCK};
    return (p->address & (flash->erase_size - 1)) == 0 && p->size / 2 >= flash->erase_size &&
                   flash->erase_size >= place->window
               ? ESP_OK
               : ESP_ERR_INVALID_SIZE;
}

/** Header and dump of the second sector begin with write units of their own. */
static uint32_t copy_at(const place_t *place)
{
    return place->second + align_up_u32(HEADER, place->flash->write_size);
}

typedef enum { FROM_FIRST, FROM_SECOND } from_t;

/** The blocks that count. @return ESP_ERR_NOT_FOUND: nothing was ever burned here */
static esp_err_t load(const place_t *place, uint8_t dump[DUMP_MAX], from_t *from)
{
    uint8_t header[HEADER];
    esp_err_t err = otter_flash_read_torn(place->flash, place->second, header, sizeof(header));
    if (err == ESP_OK) {
        err = otter_flash_read_torn(place->flash, copy_at(place), dump, place->len);
    }
    if (err != ESP_OK) {
        return err;
    }
    *from = FROM_SECOND;
    if (memcmp(header, magic, sizeof(magic)) == 0 && le32_get(header + AT_LEN) == place->len &&
        le32_get(header + AT_CRC) == crc32_le(0, dump, place->len)) {
        return ESP_OK;
    }
    *from = FROM_FIRST;
    if (otter_flash_reads_blank(place->flash, place->first, place->window)) {
        memset(dump, 0, place->len);
        return ESP_ERR_NOT_FOUND;
    }
    return otter_flash_read(place->flash, place->first, dump, place->len);
}

static uint32_t count_bits(uint32_t bits)
{
    uint32_t count = 0;
    for (; bits != 0; bits &= bits - 1) {
        count++;
    }
    return count;
}

/** What the chip itself has burned: the partition never says less. */
static esp_err_t chip_version(const otter_device_t *device, uint32_t *version)
{
    *version = 0;
    return device->efuse.read_secure_version != NULL
               ? device->efuse.read_secure_version(device->efuse.dev, version)
               : ESP_OK;
}

static esp_err_t read_version(const otter_device_t *device, uint32_t *version)
{
    place_t place;
    from_t from;
    uint8_t dump[DUMP_MAX];
    esp_err_t err = find_place(device, &place);
    if (err == ESP_OK) {
        err = chip_version(device, version);
    }
    if (err != ESP_OK) {
        return err;
    }
    err = load(&place, dump, &from); /* zeros where nothing was burned */
    if (err == ESP_OK || err == ESP_ERR_NOT_FOUND) {
        *version = max_u32(*version, count_bits(otter_efuse_field(dump, place.layout->secure_version)));
        return ESP_OK;
    }
    return err;
}

/** Bytes at a place of their own in a sector that is erased for them; durable when it returns ESP_OK. */
static esp_err_t write_anew(const place_t *place, uint32_t sector, uint32_t off, const uint8_t *dump)
{
    otter_flash_t *flash = place->flash;
    esp_err_t err = otter_flash_erase(flash, sector, flash->erase_size);
    if (err == ESP_OK) {
        err = otter_flash_sync(flash); /* what was there may look like the end of what comes */
    }
    if (err == ESP_OK) {
        err = otter_flash_program(flash, off, dump, place->len);
    }
    return err == ESP_OK ? otter_flash_sync(flash) : err;
}

static esp_err_t write_first(const place_t *place, const uint8_t dump[DUMP_MAX])
{
    return write_anew(place, place->first, place->first, dump);
}

/** Says that the second sector counts, or makes sure of it where a cut may have left that hanging. */
static esp_err_t mark(const place_t *place, const uint8_t dump[DUMP_MAX])
{
    uint8_t header[OTTER_FLASH_UNIT_MAX];
    memset(header, 0xFF, sizeof(header));
    memcpy(header + AT_MAGIC, magic, sizeof(magic));
    le32_put(header + AT_LEN, place->len);
    le32_put(header + AT_CRC, crc32_le(0, dump, place->len));
    esp_err_t err = otter_flash_program(place->flash, place->second, header,
                                        align_up_u32(HEADER, place->flash->write_size));
    return err == ESP_OK ? otter_flash_sync(place->flash) : err;
}

static esp_err_t make_first_sure(const place_t *place, const uint8_t dump[DUMP_MAX])
{
    esp_err_t err = mark(place, dump);
    return err == ESP_OK ? write_first(place, dump) : err;
}

static bool first_is(const place_t *place, const uint8_t dump[DUMP_MAX])
{
    uint8_t block[BLOCK];
    bool same = true;
    for (uint32_t at = 0; at < place->len && same; at += BLOCK) {
        same = otter_flash_read_torn(place->flash, place->first + at, block, BLOCK) == ESP_OK &&
               memcmp(block, dump + at, BLOCK) == 0;
    }
    return same;
}

static esp_err_t settle(const otter_device_t *device)
{
    place_t place;
    from_t from;
    uint8_t dump[DUMP_MAX];
    esp_err_t err = find_place(device, &place);
    if (err != ESP_OK) {
        return err;
    }
    err = load(&place, dump, &from);
    if (err != ESP_OK) {
        return err == ESP_ERR_NOT_FOUND ? ESP_OK : err;
    }
    return from == FROM_SECOND && !first_is(&place, dump) ? make_first_sure(&place, dump) : ESP_OK;
}

/** As many bits as the version, the lowest that are not set yet. */
static void set_version(uint8_t *dump, otter_efuse_field_t field, uint32_t version)
{
    uint32_t count = count_bits(otter_efuse_field(dump, field));
    for (uint32_t i = 0; i < field.width && count < version; i++) {
        const uint32_t bit = field.block * BLOCK * 8u + field.bit + i;
        const uint8_t one = (uint8_t)(1u << bit % 8);
        count += (dump[bit / 8] & one) == 0;
        dump[bit / 8] |= one;
    }
}

static esp_err_t burn_version(const otter_device_t *device, uint32_t version)
{
    place_t place;
    from_t from;
    uint8_t dump[DUMP_MAX];
    esp_err_t err = find_place(device, &place);
    if (err != ESP_OK) {
        return err;
    }
    err = load(&place, dump, &from);
    if (err == ESP_OK && from == FROM_SECOND) {
        err = make_first_sure(&place, dump); /* it may read well and hang: a cut may have been here */
    }
    if (err != ESP_OK && err != ESP_ERR_NOT_FOUND) {
        return err;
    }
    set_version(dump, place.layout->secure_version, version);
    err = write_anew(&place, place.second, copy_at(&place), dump);
    if (err == ESP_OK) {
        err = mark(&place, dump);
    }
    return err == ESP_OK ? write_first(&place, dump) : err;
}

const otter_emulated_efuses_t otter_emulated_efuses = {
    .read_version = read_version, .burn_version = burn_version, .settle = settle};
