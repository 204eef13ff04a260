/* From what is wrong with a flash to the commands that mend it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "otter/bytes.h"
#include "clean_text.h"
#include "flash_report.h"
#include "flash_verbs.h"
#include "shell_word.h"

#define WORD_SIZE 512

static void suggest(flash_report_t *r, const char *problem, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void suggest(flash_report_t *r, const char *problem, const char *format, ...)
{
    char command[FLASH_COMMAND_SIZE], clean[CLEAN_TEXT_SIZE(FLASH_COMMAND_SIZE)];
    va_list args;
    va_start(args, format);
    vsnprintf(command, sizeof(command), format, args);
    va_end(args);
    cJSON *repair = cJSON_CreateObject();
    cJSON_AddStringToObject(repair, "problem", problem);
    cJSON_AddStringToObject(repair, "command", clean_text(clean, command, sizeof(command)));
    cJSON_AddItemToArray(r->repairs, repair);
}

const char *flash_esptool_line(const flash_report_t *r, char *buf, size_t size)
{
    const otter_chip_facts_t *chip = otter_chip_facts(r->dev.device.chip.id);
    char path[WORD_SIZE];
    if (chip == NULL || !otter_chip_is_espressif(chip->id)) {
        return NULL;
    }
    snprintf(buf, size, "esptool --chip %s write-flash 0x0 %s", chip->name,
             shell_word(r->path, path, sizeof(path)));
    return buf;
}

/* ---- bootloader and table ---- */

static void repair_bootloader(flash_report_t *r, const char *path)
{
    const flash_bootloader_t *b = &r->bootloader;
    const uint32_t expected = b->expected.offset;
    bool fits = b->found && b->place.chip->id == r->dev.device.chip.id && b->stream.verdict == ESP_OK;
    uint32_t size = fits ? otter_image_flash_size(&b->stream.info.header) : 0;
    uint32_t count;
    if (!b->needed) {
        return;
    }
    if (fits && b->place.offset != expected) {
        suggest(r, "the bootloader lies at the wrong place",
                "otter flash read %s @0x%" PRIx32 " bootloader.bin && otter flash write %s @0x%" PRIx32
                " bootloader.bin",
                path, b->place.offset, path, expected);
    } else if (!fits) {
        suggest(r,
                b->expected.kind == OTTER_BOOTLOADER_IMAGE ? "the bootloader does not run"
                                                           : "there is no bootloader",
                "otter flash write %s @0x%" PRIx32 " bootloader.bin", path, expected);
    } else if (size != 0 && size < r->dev.flash->size && r->has_table &&
               otter_partition_table_verify(r->table_raw, size, &count, NULL) != ESP_OK) {
        suggest(r, "the bootloader is made for less flash than the partition table needs",
                "otter flash read %s @0x%" PRIx32 " bootloader.bin && otter flash write %s @0x%" PRIx32
                " bootloader.bin --flash-size %" PRIu32 "MB",
                path, expected, path, expected, r->dev.flash->size >> 20);
    }
}

static void repair_missing_table(flash_report_t *r, const char *path)
{
    const flash_no_table_t *n = &r->no_table;
    const otter_chip_facts_t *chip = otter_chip_facts(r->dev.device.chip.id);
    bool known = chip != NULL && otter_chip_is_espressif(chip->id);
    if (n->file_is != NULL) {
        suggest(r, "this file is no flash", "otter %s %s",
                strcmp(n->file_is, "a partition table") == 0 ? "table show" : "image info", path);
    } else if (n->shifted || n->whole == FLASH_ZERO) {
        suggest(r,
                n->shifted ? "the file does not begin where the flash does: read all of it again"
                           : "no flash holds zeros alone: read it again",
                "esptool%s%s read-flash 0x0 ALL %s", known ? " --chip " : "", known ? chip->name : "", path);
    } else if (n->elsewhere) {
        suggest(r, "the table is at another place", "otter flash info %s --table-offset 0x%" PRIx32, path,
                n->offset);
    } else if (r->file_length <= r->dev.device.config.table_offset) {
        suggest(r, "the file ends before the partition table: read all of the flash",
                "esptool%s%s read-flash 0x0 ALL %s", known ? " --chip " : "", known ? chip->name : "", path);
    } else if (n->place != FLASH_NOISE) {
        suggest(r, "there is no partition table", "otter flash table %s partitions.csv", path);
    }
}

static void repair_table(flash_report_t *r, const char *path)
{
    uint32_t count;
    if (!r->has_table) {
        repair_missing_table(r, path);
    } else if (r->truncated) {
        return; /* the table may be right */
    } else if (otter_partition_table_verify(r->table_raw, r->dev.flash->size, &count, NULL) != ESP_OK) {
        suggest(r, "no bootloader takes this partition table", "otter flash table %s partitions.csv", path);
    } else if (r->table.md5 == OTTER_PARTITION_MD5_ABSENT) {
        suggest(r, "applications see no partitions in a table without MD5",
                "otter flash table %s partitions.csv", path);
    } else if (r->stray_count > 0) {
        suggest(r, "the table has no partition where an image lies", "otter flash table %s partitions.csv",
                path);
    }
}

/* ---- applications ---- */

/** The first partition that an app could be written to; NULL: none. */
static const flash_slot_t *first_slot(const flash_report_t *r)
{
    for (uint32_t i = 0; i < r->app_count; i++) {
        const esp_partition_t *partition = r->slots[i].partition;
        if (range_fits(partition->address, partition->size, r->dev.flash->size)) {
            return &r->slots[i];
        }
    }
    return NULL;
}

static bool can_be_selected(const esp_partition_t *partition)
{
    return otter_ota_is_slot(partition) || partition->subtype == ESP_PARTITION_SUBTYPE_APP_FACTORY;
}

/** No copy of otadata counts, and one is torn: what boots is what is left. That a trial has failed is told by a whole one. */
static bool otadata_is_spoiled(const flash_report_t *r)
{
    bool torn = false;
    for (uint32_t copy = 0; copy < 2; copy++) {
        const otter_ota_record_t *entry = &r->otadata[copy];
        torn = torn || (!entry->erased && !entry->whole);
    }
    return r->otadata_partition != NULL && torn && r->boot.otadata_copy < 0;
}

/** Secure boot whose keys are all revoked, or were never there: no image mends that. */
static bool trusts_nobody(const flash_report_t *r)
{
    const otter_trust_t trust = otter_trust_to_boot(&r->dev.device, false);
    return trust.signatures != NULL && trust.key_count == 0 && trust.v1_key == NULL;
}

static void repair_apps(flash_report_t *r, const char *path)
{
    char label[WORD_SIZE];
    const esp_partition_t *boots = r->boot.partition;
    const flash_slot_t *first = first_slot(r);
    if (boots == NULL && r->has_table && r->boot.tried_count == 0 && r->app_count > 0) {
        suggest(r, "the partition table gives the bootloader no app to try",
                "otter flash table %s partitions.csv", path);
    } else if (boots == NULL && r->has_table && first != NULL && !trusts_nobody(r)) {
        suggest(r, "no app partition holds an image that boots", "otter flash write %s %s app.bin", path,
                shell_word(first->partition->label, label, sizeof(label)));
    } else if (boots != NULL && r->otadata_partition != NULL && can_be_selected(boots) &&
               (r->boot.tried_count > 0 || otadata_is_spoiled(r))) {
        suggest(r,
                r->boot.tried_count > 0 ? "otadata selects what does not boot" : "no copy of otadata counts",
                "otter flash select %s %s%s", path, shell_word(boots->label, label, sizeof(label)),
                otter_ota_is_slot(boots) ? " --confirm" : "");
    }
}

static void repair_interruption(flash_report_t *r, const char *path)
{
    for (uint32_t i = 0; i < r->app_count; i++) {
        if (r->slots[i].of_length != 0) {
            suggest(r, "a download was interrupted, and can go on",
                    "otter update %s URL --ca ca.pem --resume", path);
            return;
        }
    }
}

static void repair_length(flash_report_t *r, const char *path)
{
    const otter_chip_facts_t *chip = otter_chip_facts(r->dev.device.chip.id);
    if (r->truncated && chip != NULL && otter_chip_is_espressif(chip->id)) {
        suggest(r, "the dump was cut: read all of it again",
                "esptool --chip %s read-flash 0x0 0x%" PRIx32 " %s", chip->name, r->dev.flash->size, path);
    }
}

void flash_suggest_repairs(flash_report_t *r)
{
    char path[WORD_SIZE];
    shell_word(r->path, path, sizeof(path));
    repair_length(r, path);
    if (r->has_table) {
        repair_bootloader(r, path);
    }
    repair_table(r, path);
    repair_apps(r, path);
    repair_interruption(r, path);
    if (r->core_dump != NULL) {
        char label[WORD_SIZE];
        suggest(r, "an app has crashed: this takes its core dump out", "otter flash read %s %s core.bin",
                path, shell_word(r->core_dump->label, label, sizeof(label)));
    }
}
