/* How long a flash takes to erase and program: presets, and the file with the numbers of a data sheet. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "otter/fault.h"
#include "otter/promise.h"
#include "otter/run_protocol.h"

/** Names of the presets, for help: "NOR, NOR-WORST". */
#define FLASH_SPEED_PRESETS "NOR, NOR-WORST"

/**
 * What `text` names: a preset, or a file with a line for each number (`name = number unit`, # begins a comment):
 *
 *     sector_erase  = 45 ms      4 KiB; needed
 *     block32_erase = 120 ms     32 KiB at once; left out: it cannot
 *     block64_erase = 150 ms     64 KiB at once; left out: it cannot
 *     page_program  = 0.4 ms     256 bytes; needed
 *     byte_program  = 30 us      one byte; left out: as long as a page
 *     read          = 20 MB/s    left out: takes no time
 *
 * Times are from 1 us to 100 s, and in us, ms or s; rates from 1 kB/s to 1000 MB/s.
 * @return ESP_OK
 *         ESP_ERR_NOT_FOUND    neither a preset nor a file that can be read
 *         ESP_ERR_INVALID_ARG  the file says something else; `fault` names the line
 */
OTTER_MUST_CHECK esp_err_t flash_speed_load(const char *text, otter_run_flash_speed_t *speed,
                                            otter_fault_t *fault);

#define FLASH_SPEED_TEXT_SIZE 128u

/** As OTTER_RUN_ENV_FLASH_SPEED has it. */
void flash_speed_encode(const otter_run_flash_speed_t *speed, char text[FLASH_SPEED_TEXT_SIZE]);
