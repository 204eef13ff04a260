/* Flash speeds: a table of presets, and a table of what a file may say. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/flash_speed.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "host/named_file.h"
#include "host/number.h"

#define FILE_MAX    16384u /* bytes */
#define TIME_MAX_US 100000000u

/* Of Winbond's W25Q32JV, which stands for those on most modules: its typical times, and its longest ones. */
static const struct {
    const char *name;
    otter_run_flash_speed_t speed;
} presets[] = {
    {"NOR", {45000, 120000, 150000, 400, 30, 20000000}},
    {"NOR-WORST", {400000, 1600000, 2000000, 3000, 50, 20000000}},
};

static const number_unit_t times[] = {{"us", 1}, {"ms", 1000}, {"s", 1000000}, {NULL, 0}};
static const number_unit_t rates[] = {{"kB/s", 1000}, {"MB/s", 1000000}, {NULL, 0}};

static const struct row {
    const char *name;
    const number_unit_t *units;
    const char *wants;
    uint32_t min, max;
    size_t at; /* in the structure */
    bool needed;
} rows[] = {
    {"sector_erase", times, "a time as 45 ms", 1, TIME_MAX_US, offsetof(otter_run_flash_speed_t, sector_us),
     true},
    {"block32_erase", times, "a time as 120 ms", 1, TIME_MAX_US,
     offsetof(otter_run_flash_speed_t, block32_us), false},
    {"block64_erase", times, "a time as 150 ms", 1, TIME_MAX_US,
     offsetof(otter_run_flash_speed_t, block64_us), false},
    {"page_program", times, "a time as 0.4 ms", 1, TIME_MAX_US, offsetof(otter_run_flash_speed_t, page_us),
     true},
    {"byte_program", times, "a time as 30 us", 1, TIME_MAX_US, offsetof(otter_run_flash_speed_t, byte_us),
     false},
    {"read", rates, "a rate as 20 MB/s", 1000, 1000000000, offsetof(otter_run_flash_speed_t, read_rate),
     false},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static uint32_t *place(otter_run_flash_speed_t *speed, const struct row *row)
{
    return (uint32_t *)(void *)((char *)speed + row->at);
}

/** Takes away what is around a word. */
static char *trim(char *text)
{
    while (isspace((unsigned char)*text)) {
        text++;
    }
    size_t len = strlen(text);
    while (len > 0 && isspace((unsigned char)text[len - 1])) {
        len--;
    }
    text[len] = '\0';
    return text;
}

static esp_err_t take_line(char *line, unsigned number, otter_run_flash_speed_t *speed, bool seen[ROWS],
                           otter_fault_t *fault)
{
    line[strcspn(line, "#")] = '\0';
    char *name = trim(line), *equals = strchr(name, '=');
    if (*name == '\0') {
        return ESP_OK;
    }
    if (equals == NULL) {
        return otter_fault(fault, ESP_ERR_INVALID_ARG, "line %u is no `name = number unit`", number);
    }
    *equals = '\0';
    name = trim(name);
    size_t i = 0;
    while (i < ROWS && strcmp(rows[i].name, name) != 0) {
        i++;
    }
    if (i == ROWS) {
        return otter_fault(fault, ESP_ERR_INVALID_ARG,
                           "line %u: no such name as '%.32s'; there are sector_erase, block32_erase, "
                           "block64_erase, page_program, byte_program and read",
                           number, name);
    }
    if (seen[i]) {
        return otter_fault(fault, ESP_ERR_INVALID_ARG, "line %u: %s comes a second time", number, name);
    }
    seen[i] = true;
    const char *value = trim(equals + 1);
    if (!number_parse_unit(value, rows[i].units, rows[i].min, rows[i].max, place(speed, &rows[i]))) {
        return otter_fault(fault, ESP_ERR_INVALID_ARG, "line %u: %s wants %s (%s), not '%.32s'", number, name,
                           rows[i].wants, rows[i].units == times ? "1 us to 100 s" : "1 kB/s to 1000 MB/s",
                           value);
    }
    return ESP_OK;
}

static esp_err_t parse(char *text, otter_run_flash_speed_t *speed, otter_fault_t *fault)
{
    bool seen[ROWS] = {false};
    esp_err_t err = ESP_OK;
    unsigned number = 0;
    *speed = (otter_run_flash_speed_t){0};
    for (char *line; err == ESP_OK && (line = strsep(&text, "\n")) != NULL;) {
        err = take_line(line, ++number, speed, seen, fault);
    }
    for (size_t i = 0; i < ROWS && err == ESP_OK; i++) {
        if (rows[i].needed && !seen[i]) {
            err = otter_fault(fault, ESP_ERR_INVALID_ARG, "%s is missing, %s", rows[i].name, rows[i].wants);
        }
    }
    speed->byte_us = speed->byte_us != 0 ? speed->byte_us : speed->page_us;
    if (err == ESP_OK && speed->byte_us > speed->page_us) {
        err = otter_fault(fault, ESP_ERR_INVALID_ARG, "byte_program is longer than page_program");
    }
    return err;
}

esp_err_t flash_speed_load(const char *text, otter_run_flash_speed_t *speed, otter_fault_t *fault)
{
    for (size_t i = 0; i < sizeof(presets) / sizeof(presets[0]); i++) {
        if (strcasecmp(text, presets[i].name) == 0) {
            *speed = presets[i].speed;
            return ESP_OK;
        }
    }
    size_t len;
    otter_fault_t cause = {0};
    char *bytes = (char *)input_load(text, INPUT_ORDINARY, FILE_MAX, &len, &cause);
    if (bytes == NULL) {
        return otter_fault(fault, ESP_ERR_NOT_FOUND,
                           "'%.64s' is no preset (" FLASH_SPEED_PRESETS "), and no file to read: %s", text,
                           cause.why);
    }
    esp_err_t err = memchr(bytes, '\0', len) != NULL
                        ? otter_fault(fault, ESP_ERR_INVALID_ARG, "it is no text")
                        : parse(bytes, speed, fault);
    if (err != ESP_OK) {
        char where[80];
        snprintf(where, sizeof(where), "%.64s: ", text);
        otter_fault_add(fault, where);
    }
    free(bytes);
    return err;
}

void flash_speed_encode(const otter_run_flash_speed_t *speed, char text[FLASH_SPEED_TEXT_SIZE])
{
    snprintf(text, FLASH_SPEED_TEXT_SIZE, "sector=%u block32=%u block64=%u page=%u byte=%u read=%u",
             (unsigned)speed->sector_us, (unsigned)speed->block32_us, (unsigned)speed->block64_us,
             (unsigned)speed->page_us, (unsigned)speed->byte_us, (unsigned)speed->read_rate);
}
