/* Texts to header codes. */
#include "image_options.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "esp_app_format.h"

bool parse_revision(const char *text, uint16_t *revision)
{
    unsigned major, minor;
    int end = 0;
    const char *digits = *text == 'v' || *text == 'V' ? text + 1 : text;
    if (!isdigit((unsigned char)*digits) || strlen(digits) > 9) {
        return false;
    }
    if (sscanf(digits, "%u.%2u%n", &major, &minor, &end) == 2 && end > 0 && digits[end] == '\0') {
        *revision = (uint16_t)(major * 100 + minor);
        return major <= 655 && major * 100 + minor <= UINT16_MAX;
    }
    if (sscanf(digits, "%u%n", &major, &end) == 1 && digits[end] == '\0' && major <= UINT16_MAX) {
        *revision = (uint16_t)(digits == text ? major : major * 100); /* "301" is a number, "v3" a version */
        return digits == text || major <= 655;
    }
    return false;
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
    if (!cli_parse_size(text, &size)) {
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

bool parse_flash_freq(const char *text, const otter_chip_facts_t *chip, uint8_t *code)
{
    static const uint8_t codes[] = {0, 1, 2, 0xF};
    char *end;
    unsigned long mhz = strtoul(text, &end, 10);
    if (end == text || (strcasecmp(end, "m") != 0 && strcasecmp(end, "mhz") != 0) || mhz == 0) {
        return false;
    }
    if (mhz == 40 && chip->flash_freq_mhz[0] == 80) { /* ESP32-C6: code 0 stands for both */
        mhz = 80;
    }
    for (size_t i = 0; i < sizeof(codes); i++) {
        if (chip->flash_freq_mhz[i] == mhz) {
            *code = codes[i];
            return true;
        }
    }
    return false;
}
