/* Looking at everything in a flash that decides how a device boots: bootloader, table, otadata, the image of every slot. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "otter/bytes.h"
#include "clean_text.h"
#include "flash_report.h"
#include "flash_search.h"
#include "flash_verbs.h"
#include "otter/image_kind.h"
#include "image_report.h"
#include "linux/file_flash.h"
#include "otter/update.h"
#include "otter/promise.h"

#define CORE_DUMP_MIN 28u /* bytes: header and checksum */

void flash_warn(flash_report_t *r, const char *format, ...)
{
    char line[FLASH_LINE_SIZE], clean[CLEAN_TEXT_SIZE(FLASH_LINE_SIZE)];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    cJSON_AddItemToArray(r->warnings, cJSON_CreateString(clean_text(clean, line, sizeof(line))));
}

static void warn_of_table(void *arg, const char *line)
{
    flash_warn(arg, "%s", line);
}

/* ---- bootloader ---- */

/** Where the chip looks for it, and what there is. */
static void look_at_bootloader(flash_report_t *r)
{
    flash_bootloader_t *b = &r->bootloader;
    const otter_device_t *device = &r->dev.device;
    const otter_chip_facts_t *chip = otter_chip_facts(device->chip.id);
    uint32_t table = device->config.table_offset;
    b->needed = chip != NULL && otter_chip_is_espressif(chip->id);
    b->expected = otter_bootloader_look(device->flash, chip != NULL ? chip->bootloader_offset : 0, table);
    b->found =
        b->expected.kind == OTTER_BOOTLOADER_IMAGE || otter_bootloader_find(device->flash, table, &b->place);
    if (b->expected.kind == OTTER_BOOTLOADER_IMAGE) {
        b->place = b->expected;
    }
    if (b->found) {
        const otter_chip_t *judge = b->place.chip == chip ? &device->chip : NULL;
        const otter_trust_t trust = flash_bootloader_trust(device, judge);
        otter_ignore(otter_bootloader_verify(&b->stream, device->flash, &b->place, judge, table,
                                             &trust)); /* the stream keeps the verdict */
    }
}

/** Where the last partition ends; beyond 32 bits the last address there is. */
static uint32_t end_of_partitions(const otter_partition_table_t *table)
{
    uint32_t end = 0;
    for (uint32_t i = 0; i < table->count; i++) {
        const otter_partition_entry_t *entry = &table->entries[i];
        end = max_u32(end, range_fits(entry->offset, entry->size, UINT32_MAX) ? entry->offset + entry->size
                                                                              : UINT32_MAX);
    }
    return end;
}

static void warn_of_bootloader(flash_report_t *r)
{
    const otter_image_info_t *info = &r->bootloader.stream.info;
    if (!r->bootloader.found) {
        return;
    }
    uint32_t size = otter_image_flash_size(&info->header), end = end_of_partitions(&r->table);
    if (size != 0 && end > size) {
        flash_warn(r,
                   "the bootloader is made for %" PRIu32 "MB of flash, and the partitions go to 0x%" PRIx32
                   ": it will refuse this table",
                   size >> 20, end);
    }
    if (info->hash_seen && !info->hash_valid && r->bootloader.stream.verdict == ESP_OK) {
        flash_warn(r, "the bootloader's SHA-256 is wrong: the chip tells of it and starts it all the same");
    }
}

/* ---- table and otadata ---- */

/** The table as it is, and the partitions as far as they can be used. */
static void look_at_table(flash_report_t *r)
{
    otter_device_t *device = &r->dev.device;
    uint32_t offset = device->config.table_offset;
    r->has_table = range_fits(offset, OTTER_PARTITION_TABLE_SECTOR, device->flash->size) &&
                   otter_flash_read(device->flash, offset, r->table_raw, sizeof(r->table_raw)) == ESP_OK &&
                   otter_partition_table_decode(r->table_raw, &r->table) == ESP_OK && r->table.count != 0;
    if (r->has_table) {
        otter_partition_table_check(&r->table, offset, device->flash->size, warn_of_table, r);
        otter_partition_table_check_roles(&r->table, warn_of_table, r);
    }
}

static const esp_partition_t *find(const flash_report_t *r, esp_partition_type_t type, unsigned subtype)
{
    return otter_partition_list_find(&r->dev.device.partitions, NULL, type, (esp_partition_subtype_t)subtype,
                                     NULL);
}

/** A file that was copied without what describes it. Every chip's otadata has two sectors. */
static void warn_of_sectors(flash_report_t *r, const esp_partition_t *otadata)
{
    const uint32_t sector = r->dev.device.flash->erase_size;
    if (otadata->size > 2 * sector && otadata->size <= 2 * OTTER_FLASH_ERASE_MAX &&
        (otadata->size & (otadata->size - 1)) == 0) {
        flash_warn(r,
                   "otadata has 0x%" PRIx32 " bytes, as of flash that erases 0x%" PRIx32
                   " at once, and here that is 0x%" PRIx32
                   ": a FLASH.efuse that says so (sector_size) may have been left behind",
                   otadata->size, otadata->size / 2, sector);
    }
}

static void look_at_otadata(flash_report_t *r)
{
    const esp_partition_t *partition = find(r, ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_OTA);
    if (partition == NULL) {
        return;
    }
    int active;
    if (otter_ota_read_records(&r->dev.device, r->otadata, &active, NULL) != ESP_OK) {
        flash_warn(r, "otadata cannot be read: it is too small, or beyond the end of the flash");
        return;
    }
    r->otadata_partition = partition;
    warn_of_sectors(r, partition);
    for (uint32_t copy = 0; copy < 2; copy++) {
        const otter_ota_record_t *entry = &r->otadata[copy];
        if (!entry->erased && !entry->whole) {
            flash_warn(r,
                       "otadata copy %" PRIu32 " is torn or damaged: its crc is 0x%08" PRIx32
                       ", and 0x%08" PRIx32 " would be right for seq %" PRIu32,
                       copy, entry->crc, entry->seq_crc, entry->seq);
        }
    }
}

/**
 * A crash may have left its core dump: the length of all of it comes first (components/espcoredump/src/core_dump_flash.c); the
 * header has 24 bytes, a checksum ends it.
 */
static void look_at_core_dump(flash_report_t *r)
{
    uint8_t raw[4];
    const esp_partition_t *partition = find(r, ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_COREDUMP);
    if (partition == NULL || otter_flash_read(r->dev.flash, partition->address, raw, sizeof(raw)) != ESP_OK) {
        return;
    }
    uint32_t length = le32_get(raw);
    if (length >= CORE_DUMP_MIN && length <= partition->size) {
        r->core_dump = partition;
        r->core_dump_length = length;
        flash_warn(r, "%s holds a core dump of %" PRIu32 " bytes: an app has crashed", partition->label,
                   length);
    }
}

/* ---- slots ---- */

/** State by the copy that selects this slot; where both do, by the one that decides. NULL if none does. */
static const char *slot_state(const flash_report_t *r, const esp_partition_t *partition)
{
    const char *state = NULL;
    for (uint32_t copy = 0; r->otadata_partition != NULL && copy < 2; copy++) {
        const otter_ota_record_t *entry = &r->otadata[copy];
        if (otter_ota_is_slot(partition) && entry->whole &&
            entry->slot == (uint32_t)partition->subtype - ESP_PARTITION_SUBTYPE_APP_OTA_MIN &&
            (state == NULL || (int)copy == r->boot.otadata_copy)) {
            state = otter_ota_state_name(entry->state);
        }
    }
    return state;
}

/** Nothing was ever written where an image begins, or nothing but blank bytes through the cipher. */
static bool is_blank(otter_flash_t *flash, const esp_partition_t *partition)
{
    uint8_t raw[OTTER_IMAGE_GATE_SIZE];
    return partition->size >= sizeof(raw) &&
           (otter_flash_reads_blank(flash, partition->address, sizeof(raw)) ||
            (otter_flash_read(flash, partition->address, raw, sizeof(raw)) == ESP_OK &&
             bytes_are_erased(raw, sizeof(raw))));
}

/** Is a broken image one whose download was cut? What the download remembered in the slot knows, else erased flash. */
static void look_for_interruption(flash_report_t *r, flash_slot_t *slot)
{
    slot->of_length = otter_update_find_interrupted(&r->dev.device, slot->partition, &slot->arrived);
    if (slot->of_length != 0) {
        slot->interrupted = true;
        return;
    }
    slot->arrived = flash_image_broken_off(r->dev.flash, &slot->stream, r->file_length);
    slot->interrupted = slot->arrived != 0;
}

static void look_at_slot(flash_report_t *r, const esp_partition_t *partition)
{
    flash_slot_t *slot = &r->slots[r->app_count++];
    slot->partition = partition;
    slot->state = slot_state(r, partition);
    otter_image_rules_t rules = {.chip = &r->dev.device.chip,
                                 .flash_offset = partition->address,
                                 .size = partition->size,
                                 .loading = true,
                                 .trust = otter_trust_to_boot(&r->dev.device, false)};
    if (!range_fits(partition->address, partition->size, r->dev.flash->size)) {
        slot->stream.verdict = otter_fault(&slot->stream.fault, ESP_ERR_INVALID_SIZE,
                                           "the partition is beyond the end of the flash");
        return;
    }
    slot->blank = is_blank(r->dev.flash, partition);
    if (!slot->blank) {
        slot->stream.verdict = otter_image_stream_from_flash(&slot->stream, r->dev.flash, &rules);
        if (slot->stream.verdict != ESP_OK) {
            look_for_interruption(r, slot);
        }
    }
}

/** Of a sound image: does the bootloader pass it over, or may a bootloader that was built for anti-rollback? */
static void judge_secure_version(flash_report_t *r, flash_slot_t *slot)
{
    const otter_image_info_t *info = &slot->stream.info;
    const bool decides = r->dev.device.config.anti_rollback;
    uint32_t burned = r->dev.efuse.secure_version;
    if (slot->stream.verdict != ESP_OK || slot->blank || !info->has_desc ||
        (decides && otter_ota_secure_version(&r->dev.device, &burned) != ESP_OK) ||
        info->desc.secure_version >= burned) {
        return; /* where none can be read, nothing boots, and the verdict says so */
    }
    if (decides) {
        slot->stream.verdict = otter_fault(&slot->stream.fault, ESP_ERR_OTA_SMALL_SEC_VER,
                                           "secure version %" PRIu32 " is below the device's %" PRIu32,
                                           info->desc.secure_version, burned);
        return;
    }
    flash_warn(r,
               "%s has secure version %" PRIu32 ", and %s says %" PRIu32
               ": a bootloader with anti-rollback passes it over",
               slot->partition->label, info->desc.secure_version, r->dev.efuse.path, burned);
}

/** What it takes, nobody knows: its eFuses are not there. */
static void warn_of_lost_efuses(flash_report_t *r)
{
    otter_fault_t fault;
    if (linux_device_check_efuse(&r->dev, &fault) != ESP_OK) {
        flash_warn(r, "%s", fault.why);
    }
}

/** @return false when out of memory */
static bool look_at_slots(flash_report_t *r)
{
    const otter_partition_list_t *list = &r->dev.device.partitions;
    r->slots = calloc(list->count + 1, sizeof(*r->slots));
    for (uint32_t i = 0; r->slots != NULL && i < list->count; i++) {
        r->slot_count += otter_ota_is_slot(&list->items[i]);
    }
    for (uint32_t i = 0; r->slots != NULL && i < list->count; i++) {
        if (list->items[i].type == ESP_PARTITION_TYPE_APP) {
            look_at_slot(r, &list->items[i]);
            judge_secure_version(r, &r->slots[r->app_count - 1]);
        }
    }
    warn_of_lost_efuses(r);
    return r->slots != NULL;
}

/** The image that the end of the file cuts; NULL when it cuts none. */
static const flash_slot_t *find_truncated_image(const flash_report_t *r)
{
    for (uint32_t i = 0; i < r->app_count; i++) {
        const flash_slot_t *slot = &r->slots[i];
        /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): every slot that is counted has its partition */
        uint32_t start = slot->partition->address;
        const bool broken =
            slot->stream.verdict != ESP_OK && slot->stream.verdict != ESP_ERR_OTA_SMALL_SEC_VER;
        if (!slot->blank && broken && !slot->interrupted && start < r->file_length &&
            r->file_length - start < slot->partition->size) {
            return slot;
        }
    }
    return NULL;
}

/** A file that ends before its flash does: made so, or cut. */
static void warn_of_length(flash_report_t *r)
{
    const flash_slot_t *slot = find_truncated_image(r);
    uint32_t table = r->dev.device.config.table_offset;
    bool in_table = r->has_table && r->table.md5 == OTTER_PARTITION_MD5_ABSENT && r->file_length > table &&
                    r->file_length - table < OTTER_PARTITION_TABLE_LEN;
    r->truncated = slot != NULL || in_table;
    if (r->truncated) {
        flash_warn(
            r, "the file ends at 0x%" PRIx32 " of 0x%" PRIx32 ", in the middle of %s: the dump was cut",
            r->file_length, r->dev.flash->size, in_table ? "the partition table" : slot->partition->label);
    } else if (r->has_table && r->file_length < r->dev.flash->size) {
        flash_warn(r,
                   "the file ends at 0x%" PRIx32 " of 0x%" PRIx32
                   ": a factory file, or a dump that was cut; what is missing counts as erased",
                   r->file_length, r->dev.flash->size);
    }
}

/* ---- what is not where it should be ---- */

/** The partition that holds this offset; NULL: none. */
static const esp_partition_t *partition_at(const flash_report_t *r, uint32_t offset)
{
    const otter_partition_list_t *list = &r->dev.device.partitions;
    for (uint32_t i = 0; i < list->count; i++) {
        if (offset >= list->items[i].address && offset - list->items[i].address < list->items[i].size) {
            return &list->items[i];
        }
    }
    return NULL;
}

/** Partitions that images are written to: apps, bootloaders, and those that may be staged in before they are copied. */
static bool is_for_images(const esp_partition_t *partition)
{
    return partition->type != ESP_PARTITION_TYPE_DATA ||
           partition->subtype == ESP_PARTITION_SUBTYPE_DATA_UNDEFINED;
}

/** An image is no surprise here: at the start of a partition for images, or where bootloaders lie. */
static bool is_expected(const flash_report_t *r, uint32_t offset)
{
    const esp_partition_t *partition = partition_at(r, offset);
    bool bootloader = r->has_table ? offset < r->dev.device.config.table_offset
                                   : r->bootloader.found && offset == r->bootloader.place.offset;
    return bootloader || (partition != NULL && partition->address == offset && is_for_images(partition));
}

static void warn_of_stray(flash_report_t *r, const flash_stray_t *stray)
{
    char app[IMAGE_APP_SIZE];
    image_app(&stray->image.info, " (", ")", app);
    if (stray->inside == NULL) {
        flash_warn(
            r, "an image%s lies at 0x%" PRIx32 ", outside every partition: the table may be the wrong one",
            app, stray->image.offset);
    } else {
        flash_warn(r,
                   "an image%s lies at 0x%" PRIx32
                   ", inside %s and not at the start of an app partition: the "
                   "table may be the wrong one",
                   app, stray->image.offset, stray->inside);
    }
}

/** Looks through all of the file for images that no partition stands for. */
static void look_for_strays(flash_report_t *r)
{
    uint32_t at = 0;
    flash_image_t image;
    while (r->stray_count < FLASH_STRAYS_MAX && flash_find_image(r->dev.flash, at, r->file_length, &image)) {
        at = image.offset + max_u32(image.verdict == ESP_OK ? image.info.image_len : 1, 1);
        if (is_expected(r, image.offset)) {
            continue;
        }
        const esp_partition_t *partition = partition_at(r, image.offset);
        flash_stray_t *stray = &r->strays[r->stray_count++];
        stray->image = image;
        stray->inside = partition != NULL ? partition->label : NULL;
        if (r->has_table) {
            warn_of_stray(r, stray);
        }
    }
}

/** Images that begin where the apps of a table would be, were the file `shift` bytes off. */
static uint32_t count_images(const flash_report_t *r, const otter_partition_table_t *table, int64_t shift)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < table->count; i++) {
        int64_t at = (int64_t)table->entries[i].offset + shift;
        uint8_t magic = 0;
        bool app = table->entries[i].type == ESP_PARTITION_TYPE_APP;
        if (app && at >= 0 && at < r->file_length &&
            otter_flash_read(r->dev.flash, (uint32_t)at, &magic, 1) == ESP_OK) {
            count += magic == ESP_IMAGE_HEADER_MAGIC;
        }
    }
    return count;
}

/** Does the bootloader of some chip lie where that chip has it, were the file `shift` bytes off? */
static bool has_bootloader(const flash_report_t *r, int64_t shift, uint32_t table_offset)
{
    uint32_t places[OTTER_BOOTLOADER_PLACES_MAX], count = otter_bootloader_places(places);
    for (uint32_t i = 0; i < count; i++) {
        int64_t at = (int64_t)places[i] + shift;
        if (at >= 0 && at < r->file_length) {
            otter_bootloader_place_t place = otter_bootloader_look(r->dev.flash, (uint32_t)at, table_offset);
            if (place.kind == OTTER_BOOTLOADER_IMAGE && place.chip->bootloader_offset == places[i]) {
                return true;
            }
        }
    }
    return false;
}

/**
 * Does the table lie where it was put, or is all of the file off? The bootloader tells, else the images, else where the first
 * partition begins.
 */
static bool is_shifted(const flash_report_t *r, uint32_t found)
{
    uint8_t raw[OTTER_PARTITION_TABLE_LEN];
    otter_partition_table_t table;
    uint32_t expected = r->dev.device.config.table_offset, first = UINT32_MAX;
    if (otter_flash_read(r->dev.flash, found, raw, sizeof(raw)) != ESP_OK ||
        otter_partition_table_decode(raw, &table) != ESP_OK) {
        return false;
    }
    for (uint32_t i = 0; i < table.count; i++) {
        first = min_u32(first, table.entries[i].offset);
    }
    bool shifts = has_bootloader(r, (int64_t)found - expected, found);
    if (shifts != has_bootloader(r, 0, expected)) {
        return shifts;
    }
    uint32_t shifted = count_images(r, &table, (int64_t)found - expected);
    uint32_t in_place = count_images(r, &table, 0);
    return shifted != in_place ? shifted > in_place : first == expected + OTTER_PARTITION_TABLE_SECTOR;
}

/** What all of the file is, if it is something else than flash. NULL: nothing that is known. */
static const char *name_file(const flash_report_t *r)
{
    uint8_t head[OTTER_PARTITION_RECORD_SIZE];
    const flash_stray_t *first = r->stray_count > 0 ? &r->strays[0] : NULL;
    if (r->bootloader.found && r->bootloader.place.offset == 0 &&
        r->bootloader.stream.info.image_len >= r->file_length - r->file_length / 4) {
        return "a bootloader image";
    }
    if (first != NULL && first->image.offset == 0 && first->image.info.has_desc) {
        return "an app image";
    }
    if (otter_flash_read(r->dev.flash, 0, head, sizeof(head)) != ESP_OK ||
        (otter_partition_record_kind(head) == OTTER_PARTITION_RECORD_ENTRY &&
         r->file_length > OTTER_PARTITION_TABLE_SECTOR)) {
        return NULL;
    }
    return head[0] != 0 && head[0] != 0xFF ? otter_image_foreign_name(head, sizeof(head)) : NULL;
}

static void look_for_table(flash_report_t *r)
{
    flash_no_table_t *n = &r->no_table;
    n->file_is = name_file(r);
    uint32_t offset = r->dev.device.config.table_offset;
    n->whole = flash_content(r->dev.flash, 0, r->file_length);
    n->place = offset < r->file_length
                   ? flash_content(r->dev.flash, offset,
                                   min_u32(r->file_length - offset, OTTER_PARTITION_TABLE_SECTOR))
                   : FLASH_ERASED;
    n->elsewhere = flash_find_table(r->dev.flash, 0, r->file_length, &n->offset);
    n->shifted = n->elsewhere && is_shifted(r, n->offset);
    if (!n->elsewhere && n->file_is == NULL) {
        n->elsewhere = n->shifted = flash_find_table_anywhere(r->dev.flash, r->file_length, &n->offset);
    }
}

bool flash_look(flash_report_t *r)
{
    r->file_length = file_flash_length(r->dev.flash);
    look_at_table(r);
    look_at_bootloader(r);
    warn_of_bootloader(r);
    look_at_otadata(r);
    look_at_core_dump(r);
    otter_ignore(
        otter_boot(&r->dev.device, OTTER_BOOT_DRY_RUN, &r->boot)); /* its reason says what went wrong */
    bool ok = look_at_slots(r);
    warn_of_length(r);
    look_for_strays(r);
    if (!r->has_table) {
        look_for_table(r);
    }
    return ok;
}

void flash_report_end(flash_report_t *r)
{
    for (uint32_t i = 0; i < r->app_count; i++) {
        otter_image_stream_end(&r->slots[i].stream);
    }
    otter_image_stream_end(&r->bootloader.stream);
    free(r->slots);
    cJSON_Delete(r->warnings);
    cJSON_Delete(r->repairs);
}
