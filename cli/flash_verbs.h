/* The verbs of `otter flash` and what they share: a partition of an open flash file, an image that is to go into it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clean_text.h"
#include "image/image.h"
#include "otter/chip.h"
#include "otter/device.h"

/* Each gets the arguments after `otter flash` (argv[0] is the verb) and returns an exit status. */
int flash_new_verb(int argc, char **argv);
int flash_read_verb(int argc, char **argv);
int flash_write_verb(int argc, char **argv);
int flash_erase_verb(int argc, char **argv);
int flash_info_verb(int argc, char **argv);

/**
 * Judge the bytes of a file that is to be an app: as the bootloader will, before anything is written.
 * @param chip    whose; a revision of UINT16_MAX accepts every image of this kind
 * @param offset  where in flash it will lie
 * @param s       zeroed; holds the verdict; the caller ends it
 * @return the verdict; s->why says why not
 */
esp_err_t flash_judge_image(image_stream_t *s, const uint8_t *data, size_t len, const otter_chip_t *chip,
                            uint32_t offset);

/** The chip that stands for all of its kind: any revision will do. */
otter_chip_t flash_any_revision(uint16_t chip_id);

/** The chip id in the header of these bytes. False if they do not start as an image of a known chip. */
bool flash_image_chip(const uint8_t *data, size_t len, uint16_t *chip_id);

/**
 * Erase the sectors that `len` bytes need at the start of a partition, and write them.
 * @return ESP_OK or what the flash says
 */
esp_err_t flash_put(otter_flash_t *flash, uint32_t offset, const uint8_t *data, size_t len);

/** Room for the labels of the longest table, fit for a terminal, with ", " between them. */
#define FLASH_LABELS_SIZE (OTTER_PARTITIONS_MAX * (CLEAN_TEXT_SIZE(16) + 2))

/** "nvs, otadata, ota_0" into buf of FLASH_LABELS_SIZE, fit for a terminal. Returns buf. */
const char *flash_list_labels(const otter_partition_list_t *list, char *buf, size_t buf_size);
