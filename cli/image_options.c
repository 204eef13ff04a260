/* Texts to header codes. */
#include "image_options.h"

#include <stdio.h>
#include <string.h>

#include "esp_app_format.h"
#include "host/number.h"

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

bool parse_flash_mode(const char *text, uint8_t *mode)
{
    static const char *const modes[] = {"qio", "qout", "dio", "dout"};
    for (unsigned i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        if (strcasecmp(text, modes[i]) == 0) {
            *mode = (uint8_t)i;
            return true;
        }
    }
    return false;
}

bool parse_flash_size(const char *text, uint8_t *code)
{
    uint64_t size;
    if (!number_parse_size(text, 1, UINT64_MAX, &size)) {
        return false;
    }
    for (unsigned i = 0; i < ESP_IMAGE_FLASH_SIZE_MAX; i++) {
        if (size == (uint64_t)0x100000 << i) {
            *code = (uint8_t)i;
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
