/* What the verbs of `otter flash` share. */
#include <stdio.h>
#include <string.h>

#include "base/le.h"
#include "clean_text.h"
#include "flash_verbs.h"

esp_err_t flash_judge_image(image_stream_t *s, const uint8_t *data, size_t len, const otter_chip_t *chip,
                            uint32_t offset)
{
    image_rules_t rules = {.chip = chip, .flash_offset = offset, .size = (uint32_t)len, .loading = true};
    esp_err_t err = image_stream_begin(s, &rules);
    if (err == ESP_OK) {
        image_stream_feed(s, data, len);
        err = image_stream_close(s);
    }
    return err;
}

otter_chip_t flash_any_revision(uint16_t chip_id)
{
    return (otter_chip_t){
        .id = chip_id,
        .revision = UINT16_MAX,
        .blk_revision = UINT16_MAX,
        .ignore_max_revision = true,
        .ignore_max_blk_revision = true,
    };
}

bool flash_image_chip(const uint8_t *data, size_t len, uint16_t *chip_id)
{
    if (len < IMAGE_HEADER_SIZE || data[0] != ESP_IMAGE_HEADER_MAGIC) {
        return false;
    }
    esp_image_header_t header;
    image_decode_header(data, &header);
    *chip_id = (uint16_t)header.chip_id;
    return otter_chip_facts(*chip_id) != NULL;
}

esp_err_t flash_put(otter_flash_t *flash, uint32_t offset, const uint8_t *data, size_t len)
{
    if (!range_fits(offset, (uint32_t)len, flash->size) || len > UINT32_MAX) {
        return ESP_ERR_INVALID_SIZE;
    }
    esp_err_t err = otter_flash_erase(flash, offset, align_up_u32((uint32_t)len, flash->erase_size));
    return err != ESP_OK ? err : otter_flash_program(flash, offset, data, (uint32_t)len);
}

const char *flash_list_labels(const otter_partition_list_t *list, char *buf, size_t buf_size)
{
    size_t used = 0;
    buf[0] = '\0';
    for (uint32_t i = 0; i < list->count && used < buf_size; i++) {
        char label[CLEAN_TEXT_SIZE(16)];
        int n = snprintf(buf + used, buf_size - used, "%s%s", i == 0 ? "" : ", ",
                         clean_text(label, list->items[i].label, 16));
        used += n > 0 ? (size_t)n : 0;
    }
    return buf;
}
