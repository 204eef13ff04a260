/* FLASH.efuse behind esp_efuse_*: the secure version, key blocks and their purposes, read at the start and kept when burned. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "esp_efuse.h"
#include "esp_efuse_table.h"
#include "esp_log.h"
#include "otter/run_protocol.h"

#define LINE_MAX_LEN 4096
#define KEYS         6
#define BLOCK_WORDS  8
#define FIRST_KEY    4 /* EFUSE_BLK_KEY0 */

static const char TAG[] = "efuse";

/* By number, as espefuse names them. */
static const char *const purposes[] = {"USER",
                                       "RESERVED",
                                       "XTS_AES_256_KEY_1",
                                       "XTS_AES_256_KEY_2",
                                       "XTS_AES_128_KEY",
                                       "HMAC_DOWN_ALL",
                                       "HMAC_DOWN_JTAG",
                                       "HMAC_DOWN_DIGITAL_SIGNATURE",
                                       "HMAC_UP",
                                       "SECURE_BOOT_DIGEST0",
                                       "SECURE_BOOT_DIGEST1",
                                       "SECURE_BOOT_DIGEST2"};
#define PURPOSES (sizeof(purposes) / sizeof(purposes[0]))

extern uint32_t virt_blocks[][BLOCK_WORDS]; /* of ESP-IDF: all eFuses that there are */

/** Of the eFuse file, "": there is none. Also what keeps this file in the program. */
const char *otter_run_efuse_file(void)
{
    static char path[PATH_MAX];
    const char *named = getenv(OTTER_RUN_ENV_EFUSE), *flash = getenv(OTTER_RUN_ENV_FLASH_PATH);
    int n = named != NULL   ? snprintf(path, sizeof(path), "%s", named)
            : flash != NULL ? snprintf(path, sizeof(path), "%s.efuse", flash)
                            : 0;
    return n > 0 && (size_t)n < sizeof(path) ? path : "";
}

/** Some bits of a field that lies anywhere in a block. */
static uint32_t get_bits(const esp_efuse_desc_t *field)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < field->bit_count && i < 32; i++) {
        const unsigned bit = field->bit_start + i;
        value |= (virt_blocks[field->efuse_block][bit / 32] >> bit % 32 & 1) << i;
    }
    return value;
}

static void set_bits(const esp_efuse_desc_t *field, uint32_t value)
{
    for (unsigned i = 0; i < field->bit_count && i < 32; i++) {
        const unsigned bit = field->bit_start + i;
        virt_blocks[field->efuse_block][bit / 32] |= (value >> i & 1) << bit % 32;
    }
}

static const esp_efuse_desc_t *purpose_field(int key)
{
    const esp_efuse_desc_t **const fields[KEYS] = {ESP_EFUSE_KEY_PURPOSE_0, ESP_EFUSE_KEY_PURPOSE_1,
                                                   ESP_EFUSE_KEY_PURPOSE_2, ESP_EFUSE_KEY_PURPOSE_3,
                                                   ESP_EFUSE_KEY_PURPOSE_4, ESP_EFUSE_KEY_PURPOSE_5};
    return fields[key][0];
}

static uint8_t *key_block(int key)
{
    return (uint8_t *)virt_blocks[FIRST_KEY + key];
}

/** Splits "name = value". @return false: the line says nothing */
static bool split(char *line, char **name, char **value)
{
    line += strspn(line, " \t\xEF\xBB\xBF");
    char *sign = strchr(line, '=');
    if (line[0] == '#' || sign == NULL) {
        return false;
    }
    *sign = '\0';
    *name = line;
    *value = sign + 1 + strspn(sign + 1, " \t");
    for (char *end = sign; end > line && isspace((unsigned char)end[-1]);) {
        *--end = '\0';
    }
    for (char *end = *value + strlen(*value); end > *value && isspace((unsigned char)end[-1]);) {
        *--end = '\0';
    }
    return true;
}

/** The number of a key in "block_key3". @return -1: it is not one of these names */
static int key_of(const char *name, const char *stem)
{
    const size_t len = strlen(stem);
    const char digit = strncasecmp(name, stem, len) == 0 ? name[len] : '\0';
    return digit >= '0' && digit < '0' + KEYS && name[len + 1] == '\0' ? digit - '0' : -1;
}

/** @return true: the name is one that esp_efuse_* has */
static bool take(const char *name, const char *value)
{
    int key;
    if (strcasecmp(name, "secure_version") == 0) {
        const unsigned long version = strtoul(value, NULL, 10);
        set_bits(ESP_EFUSE_SECURE_VERSION[0], version >= 32 ? UINT32_MAX : (1u << version) - 1);
        return true;
    }
    if ((key = key_of(name, "block_key")) >= 0) {
        const size_t digits = strlen(value);
        for (size_t i = 0; i < BLOCK_WORDS * 4 && 2 * i + 1 < digits; i++) {
            unsigned byte;
            if (sscanf(value + 2 * i, "%2x", &byte) != 1) {
                break;
            }
            key_block(key)[i] = (uint8_t)byte;
        }
        return true;
    }
    if ((key = key_of(name, "key_purpose_")) >= 0) {
        for (uint32_t i = 0; i < PURPOSES; i++) {
            if (strcasecmp(value, purposes[i]) == 0) {
                set_bits(purpose_field(key), i);
                return true;
            }
        }
    }
    return false; /* a purpose without a name here stays in the file as it is */
}

__attribute__((constructor)) static void read_all(void)
{
    char line[LINE_MAX_LEN], *name, *value;
    FILE *f = otter_run_efuse_file()[0] != '\0' ? fopen(otter_run_efuse_file(), "re") : NULL;
    while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
        if (split(line, &name, &value)) {
            (void)take(name, value);
        }
    }
    if (f != NULL) {
        fclose(f);
    }
}

static void put_ours(FILE *to)
{
    static const uint8_t blank[BLOCK_WORDS * 4];
    fprintf(to, "secure_version=%d\n", __builtin_popcount(get_bits(ESP_EFUSE_SECURE_VERSION[0])));
    for (int key = 0; key < KEYS; key++) {
        const uint32_t purpose = get_bits(purpose_field(key));
        if (memcmp(key_block(key), blank, sizeof(blank)) != 0) {
            fprintf(to, "block_key%d=", key);
            for (size_t i = 0; i < sizeof(blank); i++) {
                fprintf(to, "%02x", key_block(key)[i]);
            }
            fprintf(to, "\n");
        }
        if (purpose != 0 && purpose < PURPOSES) {
            fprintf(to, "key_purpose_%d=%s\n", key, purposes[purpose]);
        }
    }
}

/** The lines that are not ours stay as they are. @return false: nothing has changed */
static bool write_all(const char *path)
{
    char temporary[PATH_MAX + 8], line[LINE_MAX_LEN], copy[LINE_MAX_LEN], *name, *value;
    snprintf(temporary, sizeof(temporary), "%s.new", path);
    FILE *to = fopen(temporary, "we"), *from = fopen(path, "re");
    while (to != NULL && from != NULL && fgets(line, sizeof(line), from) != NULL) {
        memcpy(copy, line, sizeof(copy));
        const bool ours = split(copy, &name, &value) && take(name, value);
        if (!ours) {
            fputs(line, to);
        }
    }
    if (from != NULL) {
        fclose(from);
    }
    if (to == NULL) {
        return false;
    }
    put_ours(to);
    bool ok = fflush(to) == 0 && fsync(fileno(to)) == 0;
    ok = fclose(to) == 0 && ok && rename(temporary, path) == 0;
    if (!ok) {
        unlink(temporary);
    }
    return ok;
}

esp_err_t __real_esp_efuse_utility_burn_efuses(void);

esp_err_t __wrap_esp_efuse_utility_burn_efuses(void)
{
    esp_err_t err = __real_esp_efuse_utility_burn_efuses();
    const char *path = otter_run_efuse_file();
    if (err == ESP_OK && path[0] != '\0' && !write_all(path)) {
        ESP_LOGE(TAG, "%s cannot be written: what was burned is lost with this boot", path);
        return ESP_FAIL;
    }
    return err;
}
