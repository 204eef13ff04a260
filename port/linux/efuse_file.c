/* eFuses in a text file: read whole, changed in memory, replaced whole. */
#include "linux/efuse_file.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "esp_log.h"
#include "host/named_file.h"

#define EFUSE_FILE_MAX 65536u /* bytes; four short lines and what people note beside them */

static const char TAG[] = "efuse_file";

/** The numeric lines: one row a name. */
static const struct {
    const char *name;
    uint32_t max;
} numbers[] = {{"revision", UINT16_MAX - 1}, {"blk_revision", UINT16_MAX}, {"secure_version", 32}};

static bool apply_number(efuse_file_t *file, const char *name, uint32_t value)
{
    if (strcmp(name, "revision") == 0) {
        file->chip.revision = (uint16_t)value;
        file->has_revision = true;
    } else if (strcmp(name, "blk_revision") == 0) {
        file->chip.blk_revision = (uint16_t)value;
    } else {
        file->secure_version = value;
    }
    return true;
}

/** One "name=value" line. @return false if a known name has a value that cannot be */
static bool apply_line(efuse_file_t *file, const char *name, const char *value)
{
    if (strcmp(name, "chip") == 0) {
        const otter_chip_facts_t *facts = otter_chip_by_name(value);
        if (facts == NULL) {
            return false;
        }
        file->chip.id = facts->id;
        file->has_chip = true;
        return true;
    }
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (strcmp(name, numbers[i].name) == 0) {
            char *end;
            errno = 0;
            unsigned long v = strtoul(value, &end, 10);
            bool good = isdigit((unsigned char)value[0]) && *end == '\0' && errno == 0 && v <= numbers[i].max;
            return good && apply_number(file, name, (uint32_t)v);
        }
    }
    return true; /* a name of a later version: kept by save */
}

/** A line of the file, changed in place. @return false if it is not what a line can be */
static bool take_line(efuse_file_t *file, char *line)
{
    line[strcspn(line, "\r\n")] = '\0';
    if (line[0] == '\0' || line[0] == '#') {
        return true;
    }
    char *value = strchr(line, '=');
    if (value == NULL) {
        return false;
    }
    *value++ = '\0';
    return apply_line(file, line, value);
}

static bool is_known_name(const char *line)
{
    static const char *const names[] = {"chip=", "revision=", "blk_revision=", "secure_version="};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strncmp(line, names[i], strlen(names[i])) == 0) {
            return true;
        }
    }
    return false;
}

/** All lines; the text is changed in place. */
static esp_err_t take_text(efuse_file_t *file, char *text, size_t len, char *why, size_t why_size)
{
    unsigned number = 1;
    for (char *line = text, *end = text + len; line < end; number++) {
        char *next = memchr(line, '\n', (size_t)(end - line));
        next = next != NULL ? next : end;
        *next = '\0';
        if (line + strlen(line) != next || !take_line(file, line)) {
            snprintf(why, why_size, "%s line %u cannot be read: expected name=value", file->path, number);
            return ESP_ERR_INVALID_STATE;
        }
        line = next + 1;
    }
    return ESP_OK;
}

esp_err_t efuse_file_load(efuse_file_t *file, const char *flash_path, char *why, size_t why_size)
{
    memset(file, 0, sizeof(*file));
    file->chip.id = OTTER_CHIP_LINUX;
    int n = snprintf(file->path, sizeof(file->path), "%s.efuse", flash_path);
    if (n < 0 || (size_t)n >= sizeof(file->path)) {
        snprintf(why, why_size, "the path is too long");
        return ESP_FAIL;
    }
    if (access(file->path, F_OK) != 0 && errno == ENOENT) {
        return ESP_OK;
    }
    char cause[128];
    size_t len;
    char *text = (char *)input_load(file->path, INPUT_ORDINARY, EFUSE_FILE_MAX, &len, cause, sizeof(cause));
    if (text == NULL) {
        snprintf(why, why_size, "%s: %s", file->path, cause);
        return ESP_FAIL;
    }
    file->exists = true;
    esp_err_t err = take_text(file, text, len, why, why_size);
    free(text);
    return err;
}

static void write_known(FILE *out, const efuse_file_t *file)
{
    const otter_chip_facts_t *facts = otter_chip_facts(file->chip.id);
    if (file->has_chip && facts != NULL) {
        fprintf(out, "chip=%s\n", facts->name);
    }
    if (file->has_revision) {
        fprintf(out, "revision=%u\n", file->chip.revision);
    }
    if (file->chip.blk_revision != 0) {
        fprintf(out, "blk_revision=%u\n", file->chip.blk_revision);
    }
    fprintf(out, "secure_version=%" PRIu32 "\n", file->secure_version);
}

/** Copies comments and the lines of names that this version does not know. @return false: they could not be read */
static bool copy_unknown(FILE *out, const char *path, char *why, size_t why_size)
{
    size_t len;
    if (access(path, F_OK) != 0 && errno == ENOENT) {
        return true; /* there was no file before */
    }
    char *text = (char *)input_load(path, INPUT_ORDINARY, EFUSE_FILE_MAX, &len, why, why_size);
    if (text == NULL) {
        return false;
    }
    for (const char *line = text; *line != '\0';) {
        size_t line_len = strcspn(line, "\n");
        line_len += line[line_len] == '\n';
        if (!is_known_name(line)) {
            fwrite(line, 1, line_len, out);
        }
        line += line_len;
    }
    free(text);
    return true;
}

esp_err_t efuse_file_save(const efuse_file_t *file)
{
    char why[128] = "out of memory", *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    bool ok = out != NULL;
    if (ok) {
        write_known(out, file);
        ok = copy_unknown(out, file->path, why, sizeof(why));
        ok = fclose(out) == 0 && ok && output_replace(file->path, text, len, true, why, sizeof(why));
    }
    free(text);
    if (!ok) {
        ESP_LOGE(TAG, "cannot write %s: %s", file->path, why);
    }
    return ok ? ESP_OK : ESP_FAIL;
}

static esp_err_t read_version(void *dev, uint32_t *version)
{
    const efuse_file_t *file = dev;
    *version = file->secure_version;
    return ESP_OK;
}

static esp_err_t burn_version(void *dev, uint32_t version)
{
    efuse_file_t *file = dev;
    uint32_t before = file->secure_version;
    if (version < before) {
        return ESP_FAIL; /* a burned bit stays burned */
    }
    file->secure_version = version;
    esp_err_t err = efuse_file_save(file);
    if (err != ESP_OK) {
        file->secure_version = before;
    }
    return err;
}

otter_efuse_t efuse_file_seam(efuse_file_t *file)
{
    return (otter_efuse_t){
        .dev = file, .read_secure_version = read_version, .burn_secure_version = burn_version};
}
