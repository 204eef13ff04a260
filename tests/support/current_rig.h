/* The current device of ESP-IDF's names, on simulator flash with a partition table that the test gives. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "otter/partition_table.h"
#include "otter/device.h"
#include "sim/sim_flash.h"

#define TABLE_OFFSET 0x8000u

extern sim_flash_t sim;
extern otter_device_t device;

/** A table into the flash, past the device. */
void put_table(const otter_partition_entry_t *rows, uint32_t count, bool with_md5);

/** The device comes up with what is in flash. */
void start_device(void);

/** @return 0, as a set-up does; else there is no memory, or the table was not taken */
int open_device(uint32_t flash_size, const otter_partition_entry_t *rows, uint32_t count);

void close_device(void);
