/* The current device of ESP-IDF's names, on simulator flash with a partition table that the test gives. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "flash/partition_table.h"
#include "otter/device.h"
#include "sim/sim_flash.h"

#define TABLE_OFFSET 0x8000u

static sim_flash_t sim;
static otter_device_t device;

static inline void put_table(const partition_entry_t *rows, uint32_t count, bool with_md5)
{
    memset(sim.bytes + TABLE_OFFSET, 0xFF, 0x1000);
    assert_int_equal(partition_table_encode(rows, count, with_md5, sim.bytes + TABLE_OFFSET), ESP_OK);
}

/** The device comes up with what is in flash. */
static inline void start_device(void)
{
    const otter_chip_t chip = {.id = OTTER_CHIP_LINUX};
    const otter_device_config_t config = {0};
    otter_device_init(&device, &sim.flash, &chip, NULL, &config);
    otter_device_set_current(&device);
}

/** @return 0, as a set-up does; else there is no memory, or the table was not taken */
static inline int open_device(uint32_t flash_size, const partition_entry_t *rows, uint32_t count)
{
    if (!sim_flash_init(&sim, flash_size)) {
        return -1;
    }
    put_table(rows, count, true);
    start_device();
    return device.partitions.status;
}

static inline void close_device(void)
{
    otter_device_deinit(&device);
    otter_device_set_current(NULL);
    sim_flash_free(&sim);
}
