/* Judging the first image of a file, and looking at what lies behind it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "image_look.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "otter/bytes.h"
#include "otter/partition_table.h"
#include "otter/bootloader.h"
#include "otter/promise.h"

#define SECTOR 0x1000u

static bool read_view(image_look_t *look, uint32_t off, void *dst, uint32_t len)
{
    return range_fits(off, len, look->view.size) &&
           otter_flash_read(&look->view.flash, off, dst, len) == ESP_OK;
}

/* ---- where the image is ---- */

/** A factory file of a chip whose bootloader does not begin at 0 has erased flash, or zeros, before it. */
static uint32_t find_start(image_look_t *look)
{
    otter_flash_t *flash = &look->view.flash;
    uint32_t offsets[OTTER_BOOTLOADER_PLACES_MAX];
    uint32_t count = otter_bootloader_places(offsets);
    uint8_t magic = 0;
    if (read_view(look, 0, &magic, 1) && magic == ESP_IMAGE_HEADER_MAGIC) {
        return 0;
    }
    for (uint32_t i = 0; i < count && offsets[i] < look->view.size; i++) {
        if (flash_content(flash, 0, offsets[i]) <= FLASH_ZERO &&
            otter_bootloader_look(flash, offsets[i], look->view.size).kind == OTTER_BOOTLOADER_IMAGE) {
            return offsets[i];
        }
    }
    return 0;
}

/* ---- the image ---- */

/** Headers of the segments of a broken image, as far as they lie in the file, whatever is wrong with them. */
static void list_segments(image_look_t *look)
{
    otter_image_info_t *info = &look->stream.info;
    uint32_t at = look->start + OTTER_IMAGE_HEADER_SIZE, count = 0;
    uint8_t raw[OTTER_IMAGE_SEGMENT_SIZE];
    while (count < look->segments_named && count < ESP_IMAGE_MAX_SEGMENTS &&
           read_view(look, at, raw, sizeof(raw))) {
        info->segments[count].load_addr = le32_get(raw);
        info->segments[count].data_len = le32_get(raw + 4);
        info->segment_data[count] = at + OTTER_IMAGE_SEGMENT_SIZE - look->start;
        at += OTTER_IMAGE_SEGMENT_SIZE;
        if (!range_fits(at, info->segments[count].data_len, look->view.size)) {
            count++;
            break;
        }
        at += info->segments[count++].data_len;
    }
    info->segments_seen = max_u32(info->segments_seen, count);
}

/** As the chip takes it; where none is named as espsecure does, any of three blocks. */
static otter_trust_t trust_of(const otter_chip_t *chip, const otter_trust_config_t *config)
{
    if (config == NULL || config->source == OTTER_TRUST_ANYBODY) {
        return (otter_trust_t){0};
    }
    return otter_chip_trust(otter_chip_facts(chip != NULL ? chip->id : OTTER_CHIP_DEVICE), config);
}

static const otter_trust_t anybody;

/** @param known  its contents were good before */
static void judge(image_look_t *look, const otter_chip_t *chip, const otter_trust_t *trust, bool known)
{
    otter_image_stream_t *s = &look->stream;
    bool for_rom = look->kind == OTTER_IMAGE_KIND_BOOTLOADER || look->kind == OTTER_IMAGE_KIND_RAM;
    const otter_image_rules_t rules = {.chip = chip,
                                       .flash_offset = look->start,
                                       .size = look->view.size - look->start,
                                       .loading = true,
                                       .known = known,
                                       .bootloader = chip != NULL && for_rom,
                                       .trust = *trust};
    otter_ignore(
        otter_image_stream_from_flash(s, &look->view.flash, &rules)); /* the stream keeps the verdict */
    look->kind = otter_image_kind(&s->info);
    bool has_header =
        s->info.header_seen && look->kind != OTTER_IMAGE_KIND_NONE && look->kind != OTTER_IMAGE_KIND_ESP8266;
    look->segments_named = has_header ? s->info.header.segment_count : 0;
    if (s->verdict != ESP_OK && has_header) {
        list_segments(look);
    }
    look->fault = s->fault;
}

/* ---- what follows ---- */

static uint32_t rows_of_table(image_look_t *look, uint32_t offset)
{
    uint8_t raw[OTTER_PARTITION_TABLE_LEN];
    otter_partition_table_t table;
    bool ok = otter_flash_read(&look->view.flash, offset, raw, sizeof(raw)) == ESP_OK &&
              otter_partition_table_decode(raw, &table) == ESP_OK;
    return ok ? table.count : 0;
}

/** A file as flash, of which it is not the beginning. */
typedef struct {
    otter_flash_t flash;
    otter_flash_t *file;
    uint32_t by;
} shifted_t;

static esp_err_t read_shifted(void *dev, uint32_t off, void *dst, uint32_t len)
{
    const shifted_t *shifted = dev;
    return off < shifted->by ? ESP_ERR_FLASH_OP_FAIL
                             : shifted->file->ops->read(shifted->file->dev, off - shifted->by, dst, len);
}

/** Where in flash a file begins whose bootloader lies at its start. */
static uint32_t beginning_of_file(const image_look_t *look)
{
    const otter_chip_facts_t *facts = otter_chip_facts(look->stream.info.header.chip_id);
    bool known = look->kind == OTTER_IMAGE_KIND_BOOTLOADER && look->start == 0 && facts != NULL;
    return known && otter_chip_is_espressif(facts->id) ? facts->bootloader_offset : 0;
}

/** What is mapped must lie right in its flash: what does not in the file may do so in the flash that the file is from. */
static void judge_shifted(image_look_t *look, flash_image_t *image)
{
    const uint32_t by = beginning_of_file(look);
    if (by == 0 || image->verdict == ESP_OK || look->view.flash.size > OTTER_FLASH_SIZE_MAX - by) {
        return;
    }
    const otter_flash_ops_t ops = {.read = read_shifted};
    shifted_t shifted = {.flash = look->view.flash, .file = &look->view.flash, .by = by};
    shifted.flash.ops = &ops;
    shifted.flash.dev = &shifted;
    shifted.flash.size = look->view.flash.size + by;
    const otter_image_rules_t rules = {
        .flash_offset = image->offset + by, .size = look->view.size - image->offset, .loading = true};
    otter_image_stream_t s = {0};
    if (otter_image_stream_from_flash(&s, &shifted.flash, &rules) == ESP_OK) {
        image->verdict = ESP_OK;
        image->info = s.info;
        image->why[0] = '\0';
        look->begins_at = by;
    }
    otter_image_stream_end(&s);
}

/** Images and partition tables behind `from`, in their order. */
static void find_parts(image_look_t *look, uint32_t from)
{
    otter_flash_t *flash = &look->view.flash;
    const uint32_t none = UINT32_MAX;
    uint32_t table = 0, next_image = 0;
    flash_image_t image;
    for (uint32_t at = align_up_u32(from, SECTOR);
         at < look->view.size && look->part_count < IMAGE_PARTS_MAX;) {
        if (table != none && table <= at && !flash_find_table(flash, at, look->view.size, &table)) {
            table = none;
        }
        if (next_image != none && next_image <= at) {
            next_image = flash_find_image(flash, at, look->view.size, &image) ? image.offset : none;
            if (next_image != none) {
                judge_shifted(look, &image);
            }
        }
        if (table == none && next_image == none) {
            break;
        }
        image_part_t *part = &look->parts[look->part_count++];
        if (table < next_image) {
            *part = (image_part_t){
                .offset = table, .kind = OTTER_IMAGE_KIND_NONE, .rows = rows_of_table(look, table)};
            at = table + SECTOR;
        } else {
            *part =
                (image_part_t){.offset = next_image, .kind = otter_image_kind(&image.info), .image = image};
            at = align_up_u32(next_image + max_u32(image.info.image_len, 1), SECTOR);
        }
    }
}

/** Of a factory file also the images that follow must be good. */
static void judge_parts(image_look_t *look)
{
    bool table = false, app = false;
    for (uint32_t i = 0; i < look->part_count; i++) {
        const image_part_t *part = &look->parts[i];
        table |= part->kind == OTTER_IMAGE_KIND_NONE;
        app |= part->kind == OTTER_IMAGE_KIND_APP;
    }
    look->is_factory = look->kind == OTTER_IMAGE_KIND_BOOTLOADER && (table || app);
    for (uint32_t i = 0; look->is_factory && look->fault.code == ESP_OK && i < look->part_count; i++) {
        const image_part_t *part = &look->parts[i];
        if (part->kind != OTTER_IMAGE_KIND_NONE && part->image.verdict != ESP_OK) {
            otter_fault(&look->fault, part->image.verdict, "at 0x%" PRIx32 ", %s: %s", part->offset,
                        otter_image_kind_name(part->kind), part->image.why);
        }
    }
}

static void look_behind(image_look_t *look)
{
    bool whole = look->stream.verdict == ESP_OK;
    look->end = whole ? look->start + look->stream.info.image_len : look->start;
    if (whole) {
        signature_look(&look->signature, &look->view.flash, look->start, look->end, look->view.size,
                       look->stream.info.hash_compared ? &look->stream.sha : NULL);
        look->end = look->signature.count > 0 ? look->signature.end : look->end;
    }
    look->behind = flash_content(&look->view.flash, look->end, look->view.size - look->end);
    if (look->behind != FLASH_ERASED && look->behind != FLASH_ZERO) {
        /* A broken image is not searched for what its own bytes look like before the next sector. */
        find_parts(look, whole ? look->end : look->start + (look->kind != OTTER_IMAGE_KIND_NONE));
    }
    judge_parts(look);
}

/** As far as it can be told without the key. @return true: the file begins as an encrypted image does */
static bool look_encrypted(image_look_t *look)
{
    const uint32_t have = min_u32(look->view.size, OTTER_ENCRYPTED_HEADER);
    look->is_encrypted =
        read_view(look, 0, look->header, have) && otter_encrypted_header_read(look->header, &look->encrypted);
    if (!look->is_encrypted) {
        return false;
    }
    const uint64_t whole = (uint64_t)OTTER_ENCRYPTED_HEADER + look->encrypted.length;
    if (have < OTTER_ENCRYPTED_HEADER) {
        (void)otter_fault(&look->fault, ESP_ERR_INVALID_SIZE,
                          "an encrypted image that ends within its header, after %" PRIu32 " of %u bytes",
                          have, OTTER_ENCRYPTED_HEADER);
    } else if (look->view.size != whole) {
        (void)otter_fault(&look->fault, ESP_ERR_INVALID_SIZE,
                          "an encrypted image whose header announces %" PRIu64
                          " bytes of file, and there are "
                          "%" PRIu32,
                          whole, look->view.size);
    }
    look->stream.fault = look->fault;
    look->stream.verdict = look->fault.code;
    return true;
}

bool image_look_data(image_look_t *look)
{
    const uint32_t size = look->view.size, sector = OTTER_SIGNATURE_SECTOR;
    look->signature = (image_signature_t){0};
    if (size < 2 * sector || size % sector != 0) {
        (void)otter_fault(&look->fault, ESP_ERR_INVALID_SIZE,
                          "signed data has a multiple of %" PRIu32
                          " bytes, two sectors at least, and this is %" PRIu32,
                          sector, size);
        return false;
    }
    signature_look(&look->signature, &look->view.flash, 0, size - sector, size, NULL);
    if (look->signature.v1 || look->signature.count == 0) {
        look->signature = (image_signature_t){0};
        (void)otter_fault(&look->fault, ESP_ERR_IMAGE_INVALID,
                          "it is not signed: its last %" PRIu32 " bytes hold no signature", sector);
        return false;
    }
    return true;
}

/** What is no image may be signed data; then nothing is wrong with it. */
static void look_for_data(image_look_t *look)
{
    const otter_fault_t no_image = look->fault;
    const bool signs = image_look_data(look);
    for (uint32_t i = 0; signs && i < OTTER_SIGNATURE_BLOCKS; i++) {
        look->is_signed_data = look->is_signed_data || look->signature.block[i].valid;
    }
    look->fault = no_image;
    if (!look->is_signed_data) {
        look->signature = (image_signature_t){0};
    } else {
        look->fault = (otter_fault_t){0};
    }
}

bool image_look(image_look_t *look, const char *path, const otter_chip_t *chip)
{
    memset(look, 0, sizeof(*look));
    if (!file_view_open(&look->view, path, &look->fault)) {
        look->stream.verdict = ESP_FAIL;
        look->stream.fault = look->fault;
        return false;
    }
    if (look_encrypted(look)) {
        return true;
    }
    look->start = find_start(look);
    judge(look, NULL, &anybody, false);
    if (chip != NULL) {
        judge(look, chip, &anybody, look->stream.verdict == ESP_OK);
    }
    look_behind(look);
    if (look->kind == OTTER_IMAGE_KIND_NONE && look->part_count == 0) {
        look_for_data(look);
    }
    return true;
}

/** Told by what was read for the signatures. @return false: it is not, or that is not enough to say */
static bool is_signed_by(image_look_t *look, const otter_trust_t *trust)
{
    const image_signature_t *signature = &look->signature;
    uint8_t sector[OTTER_SIGNATURE_SECTOR];
    return trust->error == ESP_OK && trust->scheme != OTTER_SIGNED_V1 && !signature->v1 &&
           signature->hash_len == otter_signature_hash_len(trust->scheme) &&
           read_view(look, signature->offset, sector, sizeof(sector)) &&
           otter_signature_sector_verify(trust, sector, signature->hash, NULL) == ESP_OK;
}

void image_look_again(image_look_t *look, const otter_chip_t *chip, const otter_trust_config_t *config)
{
    const otter_trust_t trust = trust_of(chip, config);
    bool known = look->fault.code == ESP_OK && (trust.signatures == NULL || is_signed_by(look, &trust));
    judge(look, chip, known ? &anybody : &trust, known);
    judge_parts(look);
}

void image_look_end(image_look_t *look)
{
    otter_image_stream_end(&look->stream);
    file_view_close(&look->view);
}
