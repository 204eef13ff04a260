/* Texts to chips, revisions, offsets and codes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "kinds.h"

#include <string.h>
#include <strings.h>

#include "esp_app_format.h"
#include "host/number.h"
#include "otter/promise.h"
#include "table_csv.h"
#include "table_names.h"

#define SECTOR 0x1000u

/* ---- chips ---- */

const char *list_chips(char *buf, size_t size)
{
    size_t used = 0;
    const otter_chip_facts_t *chip;
    buf[0] = '\0';
    for (unsigned i = 0; (chip = otter_chip_at(i)) != NULL && used < size; i++) {
        used += (size_t)snprintf(buf + used, size - used, "%s%s", i > 0 ? ", " : "", chip->name);
    }
    return buf;
}

static bool take_chip(const char *text, void *target, const option_row_t *row, char *why)
{
    (void)row;
    char chips[OPTIONS_WHY_SIZE / 2];
    const otter_chip_facts_t *chip = otter_chip_by_name(text);
    *(const otter_chip_facts_t **)target = chip;
    snprintf(why, OPTIONS_WHY_SIZE, "wants a chip (%s), not '%.32s'", list_chips(chips, sizeof(chips)), text);
    return chip != NULL;
}

bool parse_revision(const char *text, uint16_t *revision)
{
    uint64_t major, minor = 0;
    char digits[10];
    bool is_version = *text == 'v' || *text == 'V';
    if ((size_t)snprintf(digits, sizeof(digits), "%s", text + is_version) >= sizeof(digits)) {
        return false;
    }
    char *dot = strchr(digits, '.');
    if (dot != NULL) {
        *dot = '\0';
        is_version = true; /* "3.1" and "v3" are versions, "301" is a number */
    }
    if (!number_parse(digits, 0, UINT16_MAX, &major) ||
        (dot != NULL && !number_parse(dot + 1, 0, 99, &minor))) {
        return false;
    }
    major *= is_version ? 100 : 1;
    *revision = (uint16_t)(major + minor);
    return major + minor <= UINT16_MAX;
}

static bool take_revision(const char *text, void *target, const option_row_t *row, char *why)
{
    (void)row, (void)why;
    return parse_revision(text, target);
}

/** The highest number stands for every revision, so no chip has it. */
static bool take_chip_rev(const char *text, void *target, const option_row_t *row, char *why)
{
    (void)row, (void)why;
    linux_device_options_t *device = target;
    device->has_revision = parse_revision(text, &device->revision) && device->revision != UINT16_MAX;
    return device->has_revision;
}

static bool take_blk_rev(const char *text, void *target, const option_row_t *row, char *why)
{
    (void)row, (void)why;
    linux_device_options_t *device = target;
    device->has_blk_revision =
        parse_revision(text, &device->blk_revision) && device->blk_revision != UINT16_MAX;
    return device->has_blk_revision;
}

/* ---- the device ---- */

static bool take_rollback(const char *text, void *target, const option_row_t *row, char *why)
{
    (void)row, (void)why;
    bool on = strcmp(text, "on") == 0;
    *(linux_device_switch_t *)target = on ? LINUX_DEVICE_ON : LINUX_DEVICE_OFF;
    return on || strcmp(text, "off") == 0;
}

static bool take_no_rollback(const char *text, void *target, const option_row_t *row, char *why)
{
    (void)text;
    return take_rollback("off", target, row, why);
}

bool parse_offset(const char *text, uint32_t unit, uint32_t *offset)
{
    uint64_t value;
    if (!number_parse_size(text, 0, 0x7FFFF000, &value) || value % unit != 0) {
        return false;
    }
    *offset = (uint32_t)value;
    return true;
}

static bool take_offset(const char *text, void *target, const option_row_t *row, char *why)
{
    (void)row, (void)why;
    return parse_offset(text, 1, target);
}

static bool take_sector(const char *text, void *target, const option_row_t *row, char *why)
{
    (void)row, (void)why;
    return parse_offset(text, SECTOR, target);
}

static bool take_recovery(const char *text, void *target, const option_row_t *row, char *why)
{
    (void)row, (void)why;
    table_options_t *table = target;
    uint32_t offset = 0;
    table->has_recovery = parse_offset(text, 1, &offset);
    table->recovery_offset = offset;
    return table->has_recovery;
}

/** "type,name,value" */
static bool is_subtype(const char *text)
{
    const char *comma = strchr(text, ',');
    return text[0] != '-' && comma != NULL && strchr(comma + 1, ',') != NULL;
}

static bool take_subtype(const char *text, void *target, const option_row_t *row, char *why)
{
    (void)target, (void)row;
    return table_add_subtype(text, why);
}

/* ---- the image header ---- */

static bool take_flash_mode(const char *text, void *target, const option_row_t *row, char *why)
{
    static const char *const modes[] = {"qio", "qout", "dio", "dout"};
    (void)row, (void)why;
    for (unsigned i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        if (strcasecmp(text, modes[i]) == 0) {
            *(uint8_t *)target = (uint8_t)i;
            return true;
        }
    }
    return false;
}

static bool take_flash_size(const char *text, void *target, const option_row_t *row, char *why)
{
    (void)row, (void)why;
    uint64_t size = 0;
    otter_ignore(
        number_parse_size(text, 1, UINT64_MAX, &size)); /* what is none stays 0, which is no size either */
    for (unsigned i = 0; i < ESP_IMAGE_FLASH_SIZE_MAX; i++) {
        if (size == (uint64_t)0x100000 << i) {
            *(uint8_t *)target = (uint8_t)i;
            return true;
        }
    }
    return false;
}

static bool is_freq(const char *text, unsigned mhz)
{
    char brief[16], full[16];
    snprintf(brief, sizeof(brief), "%um", mhz);
    snprintf(full, sizeof(full), "%umhz", mhz);
    return strcasecmp(text, brief) == 0 || strcasecmp(text, full) == 0;
}

bool parse_flash_freq(const char *text, const otter_chip_facts_t *chip, uint8_t *code)
{
    static const uint8_t codes[] = {0, 1, 2, 0xF};
    for (size_t i = 0; i < sizeof(codes); i++) {
        unsigned mhz = chip->flash_freq_mhz[i];
        bool also_40 = i == 0 && mhz == 80; /* ESP32-C6: code 0 stands for both */
        if (mhz != 0 && (is_freq(text, mhz) || (also_40 && is_freq(text, 40)))) {
            *code = codes[i];
            return true;
        }
    }
    return false;
}

#define WANTS_REVISION "a revision, as v3.1 or 301"

const option_kind_t kind_chip = {"NAME", NULL, take_chip, NULL, list_chips};
const option_kind_t kind_revision = {"REV", WANTS_REVISION, take_revision, NULL, NULL};
const option_kind_t kind_chip_rev = {"REV", WANTS_REVISION, take_chip_rev, NULL, NULL};
const option_kind_t kind_blk_rev = {"REV", WANTS_REVISION, take_blk_rev, NULL, NULL};
const option_kind_t kind_offset = {"N", "an offset in flash, as 0x8000", take_offset, NULL, NULL};
const option_kind_t kind_sector = {"N", "the offset of a sector in flash, a multiple of 0x1000", take_sector,
                                   NULL, NULL};
const option_kind_t kind_rollback = {"on|off", "on or off", take_rollback, NULL, NULL};
const option_kind_t kind_no_rollback = {NULL, NULL, take_no_rollback, NULL, NULL};
const option_kind_t kind_flash_mode = {"MODE", "qio, qout, dio or dout", take_flash_mode, NULL, NULL};
const option_kind_t kind_flash_size = {"SIZE", "1MB, 2MB, ... 128MB", take_flash_size, NULL, NULL};
const option_kind_t kind_recovery = {"N", "an offset in flash", take_recovery, NULL, NULL};
const option_kind_t kind_subtype = {"TYPE,NAME,VALUE", NULL, take_subtype, is_subtype, NULL};
