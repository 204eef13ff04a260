/* The current device on simulator flash. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/current_rig.h"

sim_flash_t sim;
otter_device_t device;

void put_table(const otter_partition_entry_t *rows, uint32_t count, bool with_md5)
{
    memset(sim.bytes + TABLE_OFFSET, 0xFF, 0x1000);
    assert_int_equal(otter_partition_table_encode(rows, count, with_md5, sim.bytes + TABLE_OFFSET), ESP_OK);
}

void start_device(void)
{
    const otter_chip_t chip = {.id = OTTER_CHIP_LINUX};
    const otter_device_config_t config = {0};
    otter_device_init(&device, &sim.flash, &chip, NULL, &config);
    device.config.copies = &otter_staged_copies;
    otter_device_set_current(&device);
}

int open_device(uint32_t flash_size, const otter_partition_entry_t *rows, uint32_t count)
{
    if (!sim_flash_init(&sim, flash_size)) {
        return -1;
    }
    put_table(rows, count, true);
    start_device();
    return device.partitions.status;
}

void close_device(void)
{
    otter_device_deinit(&device);
    otter_device_set_current(NULL);
    sim_flash_free(&sim);
}
