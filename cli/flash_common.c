/* What the verbs of `otter flash` share. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "otter/bytes.h"
#include "clean_text.h"
#include "cli.h"
#include "esp_log.h"
#include "flash_verbs.h"
#include "shell_word.h"
#include "otter/image_kind.h"
#include "linux/file_flash.h"
#include "otter/boot.h"
#include "otter/promise.h"
#include "table_load.h"
#include "table_names.h"
#include "table_rules.h"

/** A partition table in some sector, as files have that begin with a bootloader and go on as flash does. */
static bool holds_table(const uint8_t *data, size_t len)
{
    for (size_t at = OTTER_PARTITION_TABLE_SECTOR; at + OTTER_PARTITION_RECORD_SIZE <= len;
         at += OTTER_PARTITION_TABLE_SECTOR) {
        if (otter_partition_record_kind(data + at) == OTTER_PARTITION_RECORD_ENTRY) {
            return true;
        }
    }
    return false;
}

esp_err_t flash_judge_image(otter_image_stream_t *s, const uint8_t *data, size_t len,
                            const otter_chip_t *chip, const otter_trust_t *trust, uint32_t offset)
{
    otter_image_rules_t rules = {
        .chip = chip, .flash_offset = offset, .size = (uint32_t)len, .loading = true, .trust = *trust};
    esp_err_t err = otter_image_stream_begin(s, &rules);
    if (err == ESP_OK) {
        otter_image_stream_feed(s, data, len);
        err = otter_image_stream_close(s);
    }
    if (err == ESP_ERR_IMAGE_INVALID && otter_image_kind(&s->info) != OTTER_IMAGE_KIND_APP &&
        holds_table(data, len)) {
        snprintf(s->fault.why, sizeof(s->fault.why),
                 "this is a merged factory file, not an app: give its app's own image");
    }
    return err;
}

bool flash_image_chip(const uint8_t *data, size_t len, uint16_t *chip_id)
{
    if (len < OTTER_IMAGE_HEADER_SIZE || data[0] != ESP_IMAGE_HEADER_MAGIC) {
        return false;
    }
    esp_image_header_t header;
    otter_image_decode_header(data, &header);
    *chip_id = (uint16_t)header.chip_id;
    return otter_chip_facts(*chip_id) != NULL;
}

static void print_warning(void *arg, const char *line)
{
    cli_note("flash", "%s: warning: %s", (const char *)arg, line);
}

const char *flash_explain(const otter_flash_t *flash, esp_err_t err, otter_fault_t *fault)
{
    int cause = otter_flash_failed(err) ? file_flash_cause(flash) : 0;
    const char *step = cause == ENOSPC || cause == EDQUOT ? "make room on its disk and try again"
                       : cause == EFBIG                   ? "`ulimit -f` limits the size of files here"
                                                          : "check its disk";
    if (cause == 0) {
        otter_fault(fault, err, "%s", esp_err_to_name(err));
    } else {
        otter_fault(fault, err, "%s (%s): %s", strerror(cause), esp_err_to_name(err), step);
    }
    return fault->why;
}

int flash_change(const char *path, const linux_device_options_t *options, flash_change_t change, void *arg)
{
    linux_device_t dev;
    otter_fault_t fault;
    flash_changed_t changed = {.file = path};
    esp_log_level_set("*", ESP_LOG_NONE); /* these commands say it once, in their own words */
    if (linux_device_open(&dev, path, options, &fault) != ESP_OK) {
        return cli_fail("flash", "%s: %s", path, fault.why);
    }
    otter_ignore(
        otter_boot_finish_copies(&dev.device)); /* what is changed next may be what one copies from */
    bool done = change(&dev, arg, &changed);
    otter_ignore(linux_device_close(&dev)); /* what was changed is synced */
    if (!done) {
        return EXIT_FAILED;
    }
    flash_tell_next(path, options);
    const otter_chip_facts_t *chip = otter_chip_facts(dev.device.chip.id);
    char word[512];
    if (changed.file != NULL && chip != NULL && otter_chip_is_espressif(chip->id)) {
        cli_did("onto a chip: esptool --chip %s write-flash 0x%" PRIx32 " %s", chip->name, changed.offset,
                shell_word(changed.file, word, sizeof(word)));
    }
    return EXIT_DONE;
}

bool flash_end_change(linux_device_t *dev, const char *path, const char *on, esp_err_t err)
{
    otter_fault_t fault;
    err = err == ESP_OK ? otter_flash_sync(dev->flash) : err;
    return err == ESP_OK || cli_refuse("flash", "cannot write %s%s%s: %s", path, on[0] != '\0' ? ", " : "",
                                       on, flash_explain(dev->flash, err, &fault));
}

bool flash_load_table(const char *path, const table_options_t *rules, uint32_t flash_size,
                      uint8_t raw[OTTER_PARTITION_TABLE_LEN], otter_partition_table_t *entries,
                      table_why_t *why)
{
    table_file_t file = {0};
    table_options_t here = *rules;
    here.exact_offset = true;             /* one that was found elsewhere would have to be what was meant */
    char *name = (char *)(uintptr_t)path; /* print_warning() only reads it */
    bool ok =
        table_load(path, &here, &file, why) && table_check_rules(&file.rows, rules, print_warning, name, why);
    if (ok && file.source == TABLE_FROM_CSV) {
        ok = table_encode_rows(&file.rows, rules, raw, why);
    } else {
        memcpy(raw, file.raw, OTTER_PARTITION_TABLE_LEN);
    }
    if (!ok && strstr(why->text, "bootloader offset is not defined") != NULL) {
        table_refuse(
            why, "where a bootloader of this table lies is not known here: `otter table build "
                 "--primary-bootloader-offset N --recovery-bootloader-offset N` makes a binary table of it");
    }
    table_file_free(&file);
    uint32_t count;
    otter_fault_t fault = {0};
    if (ok && (otter_partition_table_verify(raw, flash_size, &count, &fault) != ESP_OK ||
               otter_partition_table_decode(raw, entries) != ESP_OK)) {
        ok = table_refuse(why, "%s; the bootloader would refuse this table", fault.why);
    }
    return ok;
}

void flash_add_label(char *buf, size_t buf_size, const char *label)
{
    char clean[CLEAN_TEXT_SIZE(16)];
    size_t used = strlen(buf);
    snprintf(buf + used, buf_size - used, "%s%s", used == 0 ? "" : ", ", clean_text(clean, label, 16));
}

bool flash_efuse_decides(const linux_device_options_t *options, const efuse_file_t *efuse, const char *why)
{
    bool told = strstr(why, "eFuse block revision") != NULL
                    ? efuse->has_blk_revision && !options->has_blk_revision
                : strstr(why, "chip revision") != NULL ? efuse->has_revision && !options->has_revision
                                                       : efuse->has_chip && options->chip == NULL;
    return efuse->exists && told &&
           strstr(why, ", this is ") != NULL; /* image_revision_suits(), image_suits_chip() */
}

const char *flash_name_judge(const linux_device_options_t *options, const efuse_file_t *efuse,
                             const char *why, char *buf, size_t size)
{
    buf[0] = '\0';
    if (flash_efuse_decides(options, efuse, why)) {
        snprintf(buf, size, " (says %s)", efuse->path);
    }
    return buf;
}
