/* From what was found in a flash to what boots next: in the order in which a chip gets to it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "clean_text.h"
#include "flash_report.h"
#include "image_report.h"

static void judge(flash_report_t *r, flash_level_t level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void judge(flash_report_t *r, flash_level_t level, const char *format, ...)
{
    char line[FLASH_LINE_SIZE / 3];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    r->level = level;
    clean_text(r->verdict, line, sizeof(line));
}

static void explain(flash_report_t *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void explain(flash_report_t *r, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(r->reason, sizeof(r->reason), format, args);
    va_end(args);
}

/* ---- bootloader ---- */

/** The chip has nothing that it could start: says so, with what may have been meant. */
static void judge_missing_bootloader(flash_report_t *r)
{
    const flash_bootloader_t *b = &r->bootloader;
    uint32_t expected = b->expected.offset;
    if (b->expected.kind == OTTER_BOOTLOADER_APP) {
        judge(r, FLASH_NOTHING, "NOTHING, no bootloader at 0x%" PRIx32 " (an app is there)", expected);
    } else if (!b->found) {
        judge(r, FLASH_NOTHING, "NOTHING, no bootloader at 0x%" PRIx32 " (what is there is no image)",
              expected);
    } else if (b->place.chip->id == r->dev.device.chip.id) {
        judge(r, FLASH_NOTHING, "NOTHING, no bootloader at 0x%" PRIx32 " (there is one at 0x%" PRIx32 ")",
              expected, b->place.offset);
    } else {
        judge(r, FLASH_NOTHING,
              "NOTHING, no bootloader at 0x%" PRIx32 " (there is one for %s at 0x%" PRIx32 ")", expected,
              b->place.chip->title, b->place.offset);
    }
}

/**
 * Would the chip start a bootloader? One that the file has none of at all is a matter of another file: its applications are
 * judged as if there were one.
 */
static bool bootloader_starts(flash_report_t *r)
{
    const flash_bootloader_t *b = &r->bootloader;
    const otter_chip_facts_t *chip = otter_chip_facts(r->dev.device.chip.id);
    if (!b->needed || (b->expected.kind == OTTER_BOOTLOADER_BLANK && !b->found)) {
        return true;
    }
    if (b->expected.kind != OTTER_BOOTLOADER_IMAGE) {
        judge_missing_bootloader(r);
    } else if (b->expected.chip != chip) {
        judge(r, FLASH_NOTHING, "NOTHING, the bootloader at 0x%" PRIx32 " is for %s, this is %s",
              b->expected.offset, b->expected.chip->title, chip->title);
    } else if (b->stream.verdict != ESP_OK) {
        judge(r, FLASH_NOTHING, "NOTHING, the bootloader at 0x%" PRIx32 " %s: %s", b->expected.offset,
              b->stream.verdict == ESP_FAIL ? "does not run here" : "is broken", b->stream.fault.why);
    } else {
        return true;
    }
    explain(r, "with a bootloader there: %s; %s",
            r->boot.partition != NULL ? r->boot.partition->label : "nothing boots", r->boot.reason);
    return false;
}

/** The bootloader asks its own header how large the flash is. */
static bool bootloader_takes_table(flash_report_t *r)
{
    otter_fault_t fault = {0};
    uint32_t count, size = otter_image_flash_size(&r->bootloader.stream.info.header);
    if (!r->bootloader.found || size == 0 || size >= r->dev.flash->size ||
        otter_partition_table_verify(r->table_raw, size, &count, &fault) == ESP_OK) {
        return true;
    }
    judge(r, FLASH_NOTHING, "NOTHING, the bootloader refuses the partition table");
    explain(r, "%s: the bootloader is made for %" PRIu32 "MB of flash", fault.why, size >> 20);
    return false;
}

/* ---- application ---- */

/** Slots count from ota_0 on. */
static bool has_first_choice(const flash_report_t *r)
{
    bool found = false;
    for (uint32_t i = 0; i < r->app_count; i++) {
        esp_partition_subtype_t subtype = r->slots[i].partition->subtype;
        found = found || subtype == ESP_PARTITION_SUBTYPE_APP_FACTORY ||
                subtype == ESP_PARTITION_SUBTYPE_APP_TEST || subtype == ESP_PARTITION_SUBTYPE_APP_OTA_0;
    }
    return found;
}

static void judge_without_app(flash_report_t *r)
{
    if (r->boot.tried_count > 0) {
        judge(r, FLASH_NOTHING, "NOTHING, no app partition holds an image that boots");
    } else if (r->app_count == 0 && r->dev.device.partitions.count > 0) {
        judge(r, FLASH_NOTHING, "NOTHING, there is no app partition");
    } else if (r->app_count > 0 && !has_first_choice(r)) {
        judge(r, FLASH_NOTHING, "NOTHING, no app partition counts: there is neither factory, test nor ota_0");
    } else {
        judge(r, FLASH_NOTHING, "NOTHING, the partition table or otadata is unusable");
    }
}

/** The image that boots; NULL where the application's list does not have it. */
static const otter_image_info_t *find_booting(const flash_report_t *r)
{
    for (uint32_t i = 0; i < r->app_count; i++) {
        if (r->slots[i].partition->address == r->boot.partition->address) {
            return &r->slots[i].stream.info;
        }
    }
    return NULL;
}

static void judge_app(flash_report_t *r)
{
    char app[IMAGE_APP_SIZE] = "", expected[64] = "", tried[40] = "";
    const otter_image_info_t *info = find_booting(r);
    bool lacks_bootloader = r->bootloader.needed && !r->bootloader.found;
    if (lacks_bootloader) {
        snprintf(expected, sizeof(expected), "; a chip also needs a bootloader at 0x%" PRIx32,
                 r->bootloader.expected.offset);
    }
    if (r->boot.tried_count > 0) {
        snprintf(tried, sizeof(tried), " instead of %s", r->boot.tried[0].label);
    }
    bool doubts = lacks_bootloader || r->boot.tried_count > 0 || cJSON_GetArraySize(r->warnings) > 0;
    judge(r, doubts ? FLASH_DOUBTS : FLASH_BOOTS, "%s%s%s%s", r->boot.partition->label,
          info != NULL ? image_app(info, " (", ")", app) : "", tried, expected);
    r->boots = r->boot.partition->label;
}

/* ---- no table ---- */

/** In what follows "no partition table at 0x8000": what there is instead, and what that means. */
static void judge_without_table(flash_report_t *r)
{
    const flash_no_table_t *n = &r->no_table;
    const uint32_t expected = r->dev.device.config.table_offset;
    char what[320], app[IMAGE_APP_SIZE];
    if (n->file_is != NULL) {
        const otter_image_info_t *info = r->stray_count > 0 ? &r->strays[0].image.info : NULL;
        snprintf(what, sizeof(what), ": the file is no flash, but %s%s", n->file_is,
                 info != NULL && r->strays[0].image.offset == 0 ? image_app(info, " (", ")", app) : "");
    } else if (n->whole == FLASH_ERASED || n->whole == FLASH_ZERO) {
        snprintf(what, sizeof(what), ": all of the file is %s",
                 n->whole == FLASH_ERASED ? "erased" : "zeros, which no flash is by itself");
    } else if (n->shifted && n->offset < expected) {
        snprintf(what, sizeof(what),
                 ": the dump starts at 0x%" PRIx32 " of the flash (there is a table at 0x%" PRIx32 ")",
                 expected - n->offset, n->offset);
    } else if (n->shifted) {
        snprintf(what, sizeof(what),
                 ": the flash starts at 0x%" PRIx32 " of the file (there is a table at 0x%" PRIx32 ")",
                 n->offset - expected, n->offset);
    } else if (n->elsewhere) {
        snprintf(what, sizeof(what), " (there is one at 0x%" PRIx32 ")", n->offset);
    } else if (expected + OTTER_PARTITION_RECORD_SIZE > r->file_length) {
        snprintf(what, sizeof(what), ": the file ends at 0x%" PRIx32, r->file_length);
    } else {
        static const char *const places[] = {[FLASH_ERASED] = "that sector is erased",
                                             [FLASH_ZERO] = "that sector is zeros",
                                             [FLASH_NOISE] = "noise is there, as encrypted flash looks",
                                             [FLASH_DATA] = "something else is there"};
        snprintf(what, sizeof(what), ": %s", places[n->place]);
    }
    judge(r, FLASH_NOTHING, "NOTHING, no partition table at 0x%" PRIx32 "%s", expected, what);
    explain(r, "there is no partition table at 0x%" PRIx32 "%s", expected, what);
}

void flash_judge(flash_report_t *r)
{
    if (!r->has_table) {
        judge_without_table(r);
        return;
    }
    if (r->dev.reads_noise) {
        judge(r, FLASH_NOTHING, "NOTHING, its eFuses say that this flash is encrypted, and it is plain");
        explain(
            r,
            "the chip reads noise; with an even number of bits in spi_boot_crypt_cnt and a key the next boot "
            "encrypts it");
        return;
    }
    explain(r, "%s", r->boot.reason);
    if (!bootloader_starts(r) || !bootloader_takes_table(r)) {
        return;
    }
    if (r->boot.partition == NULL) {
        judge_without_app(r);
    } else {
        judge_app(r);
    }
}
