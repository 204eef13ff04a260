/* Says in ESP-IDF's words, which people's log watchers wait for, why an image cannot run here. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "otter/image.h"

/**
 * Logs the line as ESP-IDF's bootloader_support does ("mismatch chip ID, expected 0, found 2"), nothing if the image suits the
 * chip. The caller's own sentence comes behind it.
 * @param bootloader  the header is a bootloader's, which has no upper limit
 */
void image_log_misfit(const esp_image_header_t *header, const otter_chip_t *chip, bool bootloader);

/** The same for the image at `offset` of a flash; nothing if that cannot be read. */
void image_log_misfit_at(otter_flash_t *flash, uint32_t offset, const otter_chip_t *chip, bool bootloader);

/**
 * Logs what is wrong with the image at `offset` as ESP-IDF's esp_image does ("Checksum failed. Calculated 0x5a read 0xef"),
 * nothing where that has no line of its own. @param why  the reason of its verdict
 */
void image_log_fault(uint32_t offset, const char *why);

/** Logs that a signature was found good, where one was asked for. */
void image_log_signed(const otter_trust_t *trust);
