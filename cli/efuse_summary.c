/* espefuse summary, as the text that people read and as JSON. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "efuse_import.h"

/** One field, whatever it was written in. */
typedef struct {
    const char *name, *value; /* "SECURE_VERSION", "7" */
    const char *raw;          /* "0x0007", "0b111"; NULL: bytes */
    bool readable;
} field_t;

typedef struct {
    const otter_efuse_layout_t *layout;
    efuse_said_t *said;
    efuse_notes_t *notes;
    otter_fault_t *fault;
    uint32_t seen;     /* of the fields in `takers` */
    char unused[1024]; /* fields that are set and mean nothing here: "DIS_PAD_JTAG, ..." */
} summary_t;

/** A number, a boolean, or else what the bits say. */
static bool number_of(const field_t *field, bool raw_first, uint32_t *number)
{
    const char *texts[] = {raw_first ? field->raw : field->value, raw_first ? field->value : field->raw};
    if (strcmp(field->value, "True") == 0 || strcmp(field->value, "False") == 0) {
        *number = field->value[0] == 'T';
        return true;
    }
    for (size_t i = 0; i < 2; i++) {
        if (texts[i] == NULL) {
            continue;
        }
        const bool bits = strncmp(texts[i], "0b", 2) == 0;
        const char *digits = texts[i] + (bits ? 2 : 0);
        char *end;
        errno = 0;
        unsigned long value = strtoul(digits, &end, bits ? 2 : 0);
        if (isdigit((unsigned char)digits[0]) && *end == '\0' && errno == 0 && value <= UINT32_MAX) {
            *number = (uint32_t)value;
            return true;
        }
    }
    return false;
}

/** Older espefuse has words for some numbers, and its JSON says nothing else. */
static bool number_of_word(const char *word, uint32_t *number)
{
    static const struct {
        const char *word;
        uint32_t number;
    } words[] = {{"Disable", 0},      {"Enable", 1},       {"No calibration", 0},   {"No calib", 0},
                 {"128 bits key", 0}, {"256 bits key", 1}, {"With calibration", 1}, {"With calib", 1},
                 {"ADC calib V1", 1}, {"ADC calib V2", 2}};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(word, words[i].word) == 0) {
            *number = words[i].number;
            return true;
        }
    }
    return false;
}

/* ---- what the fields are taken for ---- */

#define SAID(member) offsetof(efuse_said_t, member)

typedef enum { TAKE_NUMBER, TAKE_BOOL, TAKE_PURPOSE, TAKE_BLOCK } take_t;

#define BLOCK_AT(i) (SAID(blocks) + (i) * sizeof(efuse_block_said_t))
#define ESP32       1u /* chips whose summary has the field */
#define C2          2u
#define REST        4u
#define ALL         7u

static const struct {
    const char *name;
    take_t take;
    size_t at;
    size_t known;    /* offset of the bool that says so; 0: none */
    unsigned needed; /* a summary of these chips without it is not whole */
} takers[] = {
    {"SECURE_VERSION", TAKE_NUMBER, SAID(version_bits), 0, ALL},
    {"SECURE_BOOT_EN", TAKE_BOOL, SAID(secure_boot), 0, C2 | REST},
    {"ABS_DONE_1", TAKE_BOOL, SAID(secure_boot), 0, ESP32},
    {"ABS_DONE_0", TAKE_BOOL, SAID(secure_boot_v1), 0, ESP32},
    {"SPI_BOOT_CRYPT_CNT", TAKE_NUMBER, SAID(crypt_count), 0, C2 | REST},
    {"FLASH_CRYPT_CNT", TAKE_NUMBER, SAID(crypt_count), 0, ESP32},
    {"FLASH_CRYPT_CONFIG", TAKE_NUMBER, SAID(crypt_config), SAID(has_crypt_config), 0},
    {"XTS_KEY_LENGTH_256", TAKE_NUMBER, SAID(long_key), 0, C2},
    {"SECURE_BOOT_AGGRESSIVE_REVOKE", TAKE_BOOL, SAID(aggressive_revoke), 0, REST},
    {"SECURE_BOOT_SHA384_EN", TAKE_BOOL, SAID(sha384), 0, 0},
    {"SECURE_BOOT_KEY_REVOKE0", TAKE_BOOL, SAID(revoked[0]), 0, REST},
    {"SECURE_BOOT_KEY_REVOKE1", TAKE_BOOL, SAID(revoked[1]), 0, REST},
    {"SECURE_BOOT_KEY_REVOKE2", TAKE_BOOL, SAID(revoked[2]), 0, REST},
    {"WAFER_VERSION_MAJOR", TAKE_NUMBER, SAID(major), SAID(has_major), 0},
    {"WAFER_VERSION_MINOR", TAKE_NUMBER, SAID(minor), SAID(has_minor), 0},
    {"BLK_VERSION_MAJOR", TAKE_NUMBER, SAID(blk_major), SAID(has_blk_major), 0},
    {"BLK_VERSION_MINOR", TAKE_NUMBER, SAID(blk_minor), SAID(has_blk_minor), 0},
    {"KEY_PURPOSE_0", TAKE_PURPOSE, BLOCK_AT(0), 0, REST},
    {"KEY_PURPOSE_1", TAKE_PURPOSE, BLOCK_AT(1), 0, REST},
    {"KEY_PURPOSE_2", TAKE_PURPOSE, BLOCK_AT(2), 0, REST},
    {"KEY_PURPOSE_3", TAKE_PURPOSE, BLOCK_AT(3), 0, REST},
    {"KEY_PURPOSE_4", TAKE_PURPOSE, BLOCK_AT(4), 0, REST},
    {"KEY_PURPOSE_5", TAKE_PURPOSE, BLOCK_AT(5), 0, REST},
    {"BLOCK_KEY0", TAKE_BLOCK, BLOCK_AT(0), 0, C2 | REST},
    {"BLOCK_KEY1", TAKE_BLOCK, BLOCK_AT(1), 0, REST},
    {"BLOCK_KEY2", TAKE_BLOCK, BLOCK_AT(2), 0, REST},
    {"BLOCK_KEY3", TAKE_BLOCK, BLOCK_AT(3), 0, REST},
    {"BLOCK_KEY4", TAKE_BLOCK, BLOCK_AT(4), 0, REST},
    {"BLOCK_KEY5", TAKE_BLOCK, BLOCK_AT(5), 0, REST},
    {"BLOCK1", TAKE_BLOCK, BLOCK_AT(0), 0, ESP32},
    {"BLOCK2", TAKE_BLOCK, BLOCK_AT(1), 0, ESP32},
};
#define TAKER_COUNT (sizeof(takers) / sizeof(takers[0]))
_Static_assert(TAKER_COUNT <= 32, "one bit each in summary_t.seen");

static unsigned kind_of_chip(const otter_efuse_layout_t *layout)
{
    return layout->purpose.width != 0 ? REST : layout->chip_id == 0 ? ESP32 : C2;
}

/** "71 87 b0 ..."; question marks stand for what cannot be read. */
static bool take_block(efuse_block_said_t *block, const field_t *field)
{
    uint8_t bytes[OTTER_EFUSE_BLOCK_LEN] = {0};
    const char *at = field->value;
    size_t len = 0, hidden[2] = {0, 0};
    for (; *at != '\0' && len < sizeof(bytes); len++) {
        const bool question = strncmp(at, "??", 2) == 0;
        if (!question && (!isxdigit((unsigned char)at[0]) || !isxdigit((unsigned char)at[1]))) {
            return false;
        }
        bytes[len] = question ? 0 : (uint8_t)strtoul((const char[]){at[0], at[1], '\0'}, NULL, 16);
        hidden[len / (sizeof(bytes) / 2)] += question;
        at += 2;
        at += strspn(at, " ");
    }
    if (*at != '\0' || (len != sizeof(bytes) && len != sizeof(bytes) * 3 / 4)) {
        return false;
    }
    /* A block of which half is hidden is not readable to espefuse, and the other half is told. */
    block->lower_readable = hidden[0] == 0 && (field->readable || hidden[1] != 0);
    block->upper_readable = hidden[1] == 0 && (field->readable || hidden[0] != 0);
    block->readable = block->lower_readable && block->upper_readable;
    memcpy(block->bytes, bytes, sizeof(bytes));
    return true;
}

static bool take_value(const field_t *field, take_t take, void *target)
{
    uint32_t number;
    switch (take) {
    case TAKE_PURPOSE:
        return efuse_file_purpose_number(field->value, &((efuse_block_said_t *)target)->purpose);
    case TAKE_BLOCK:
        return take_block(target, field);
    case TAKE_NUMBER:
        return number_of(field, false, target) || number_of_word(field->value, target);
    case TAKE_BOOL:
        break;
    }
    bool ok = number_of(field, false, &number) && number <= 1;
    if (ok) {
        *(bool *)target = number == 1;
    }
    return ok;
}

/** True of a field that would have an effect on a chip and has none here. */
static bool is_set(const field_t *field)
{
    uint32_t number = 0;
    return number_of(field, true, &number) && number != 0;
}

static void note_unused(summary_t *s, const field_t *field)
{
    static const char *const always[] = {"WR_DIS", "RD_DIS", "MAC",    "ADC",    "TEMP",
                                         "OCODE",  "K_RTC",  "V_RTC",  "PKG_",   "WAFER",
                                         "BLK_",   "CHIP_",  "FLASH_", "PSRAM_", "LDO"};
    for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++) {
        if (strncmp(field->name, always[i], strlen(always[i])) == 0) {
            return;
        }
    }
    size_t used = strlen(s->unused);
    if (is_set(field)) {
        snprintf(s->unused + used, sizeof(s->unused) - used, "%s%s", used > 0 ? ", " : "", field->name);
    }
}

static esp_err_t take_field(summary_t *s, const field_t *field)
{
    size_t i = 0;
    while (i < TAKER_COUNT && strcmp(takers[i].name, field->name) != 0) {
        i++;
    }
    if (i == TAKER_COUNT) {
        note_unused(s, field);
        return ESP_OK;
    }
    if ((s->seen >> i & 1u) != 0) {
        return otter_fault(s->fault, ESP_ERR_INVALID_STATE, "it says %s twice", field->name);
    }
    s->seen |= 1u << i;
    uint8_t *said = (uint8_t *)s->said;
    if (!take_value(field, takers[i].take, said + takers[i].at)) {
        /* Not its value, which may be a key's. */
        return otter_fault(s->fault, ESP_ERR_INVALID_STATE, "what it says of %s cannot be read", field->name);
    }
    if (takers[i].known != 0) {
        *(bool *)(said + takers[i].known) = field->readable;
    }
    if (takers[i].at == SAID(crypt_count) && field->raw == NULL && !isdigit((unsigned char)field->value[0])) {
        efuse_note(s->notes, "%s is only said to be \"%.20s\": taken as %" PRIu32 "; a dump tells its bits",
                   field->name, field->value, s->said->crypt_count);
    }
    return ESP_OK;
}

/** A summary that somebody cut, or asked only some fields of, is no whole one. */
static esp_err_t check_whole(const summary_t *s)
{
    for (size_t i = 0; i < TAKER_COUNT; i++) {
        if ((takers[i].needed & kind_of_chip(s->layout)) != 0 && (s->seen >> i & 1u) == 0) {
            return otter_fault(s->fault, ESP_ERR_INVALID_STATE,
                               "it does not say %s, which a whole summary of this chip does; where espefuse "
                               "is too old to, take `espefuse dump`",
                               takers[i].name);
        }
    }
    return ESP_OK;
}

/* ---- text ---- */

/** Bytes of the name at the start of a line: "SECURE_VERSION (BLOCK0)    ...". 0: there is none. */
static size_t name_length(const char *line)
{
    const size_t len = strspn(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    const bool followed = line[len] == ' ' || line[len] == '\0';
    return len > 1 && isupper((unsigned char)line[0]) && followed ? len : 0;
}

/** Cuts "... = 7 R/W (0x0007)" into value and raw. @return false: there is no value in this line */
static bool cut_value(char *line, field_t *field)
{
    static const char *const permissions[] = {" R/W", " R/-", " -/W", " -/-"};
    char *at = NULL, *end = NULL;
    for (char *next = strstr(line, "= "); next != NULL; next = strstr(next + 1, "= ")) {
        at = next == line || next[-1] == ' ' ? next : at;
    }
    for (size_t i = 0; at != NULL && end == NULL && i < 4; i++) {
        end = strstr(at, permissions[i]);
    }
    if (end == NULL) {
        return false;
    }
    field->readable = end[1] == 'R';
    char *raw = strchr(end + 4, '(');
    if (raw != NULL) {
        raw[strcspn(raw, ")")] = '\0';
    }
    field->raw = raw != NULL ? raw + 1 : NULL;
    *end = '\0';
    field->value = at + 2;
    char *check = strstr(at, " (CRC");
    if (check != NULL) {
        *check = '\0';
    }
    return true;
}

/** A line that says nothing of a field: headings, the end of a description, what the tool says of itself. */
static bool is_around(const char *line)
{
    static const char *const begins[] = {"---", "EFUSE_NAME", "Flash voltage", "GPIO", "WARNING", " "};
    const size_t len = strlen(line);
    bool is = efuse_is_chatter(line) || (len > 6 && strcmp(line + len - 6, "fuses:") == 0);
    for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++) {
        is = is || strncmp(line, begins[i], strlen(begins[i])) == 0;
    }
    return is;
}

static esp_err_t take_line(summary_t *s, char *line, unsigned number, char name[64])
{
    const size_t len = name_length(line);
    if (len > 0 && len < 64) {
        memcpy(name, line, len);
        name[len] = '\0';
    }
    field_t field = {.name = name};
    if (name[0] != '\0' && cut_value(line, &field)) {
        esp_err_t err = take_field(s, &field);
        name[0] = '\0';
        return err;
    }
    if (len == 0 && !is_around(line)) {
        efuse_note_line(s->notes, number, line);
    }
    return ESP_OK;
}

static esp_err_t read_text(summary_t *s, char *text)
{
    unsigned number = 0;
    char name[64] = "", *rest = text;
    esp_err_t err = ESP_OK;
    for (char *line = strsep(&rest, "\n"); err == ESP_OK && line != NULL; line = strsep(&rest, "\n")) {
        line[strcspn(line, "\r")] = '\0';
        err = take_line(s, line, ++number, name);
    }
    return err;
}

/* ---- JSON ---- */

/** Behind what espefuse says of itself. */
static const char *json_start(const char *text)
{
    const char *at = text;
    while (at != NULL && *at != '{') {
        at = strchr(at, '\n');
        at = at != NULL ? at + 1 : NULL;
    }
    return at;
}

static esp_err_t take_item(summary_t *s, const cJSON *item)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(item, "value");
    const char *raw = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, "raw_value"));
    char text[32] = "";
    field_t field = {.name = item->string, .value = text, .raw = raw};
    field.readable = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(item, "readable"));
    if (value == NULL) {
        efuse_note(s->notes, "%.60s has no value: not understood", item->string);
        return ESP_OK;
    }
    if (cJSON_IsBool(value)) {
        snprintf(text, sizeof(text), "%s", cJSON_IsTrue(value) ? "True" : "False");
    } else if (cJSON_IsNumber(value)) {
        snprintf(text, sizeof(text), "%.0f", value->valuedouble);
    } else if (cJSON_IsString(value)) {
        field.value = value->valuestring;
    }
    return take_field(s, &field);
}

static esp_err_t read_json(summary_t *s, const char *json, size_t len)
{
    cJSON *root = cJSON_ParseWithLength(json, len);
    esp_err_t err =
        cJSON_IsObject(root) ? ESP_OK : otter_fault(s->fault, ESP_ERR_INVALID_STATE, "its JSON is not whole");
    const cJSON *item = root != NULL ? root->child : NULL;
    for (; err == ESP_OK && item != NULL; item = item->next) {
        err = take_item(s, item);
    }
    cJSON_Delete(root);
    return err;
}

esp_err_t efuse_read_summary(char *text, size_t len, const otter_efuse_layout_t *layout, efuse_said_t *said,
                             efuse_notes_t *notes, otter_fault_t *fault)
{
    summary_t s = {.layout = layout, .said = said, .notes = notes, .fault = fault};
    const char *json = json_start(text);
    if (json == NULL && strstr(text, "SECURE_VERSION") == NULL && strstr(text, "EFUSE_NAME") == NULL) {
        return ESP_ERR_NOT_FOUND;
    }
    esp_err_t err = json != NULL ? read_json(&s, json, len - (size_t)(json - text)) : read_text(&s, text);
    err = err == ESP_OK ? check_whole(&s) : err;
    if (err == ESP_OK && s.unused[0] != '\0') {
        efuse_note(notes, "set on the chip, and without effect here: %s", s.unused);
    }
    return err;
}
