/* Downloads that are interrupted by resets: what the tests of going on share. */
#pragma once

#include "unit/update_rig.h"

#define IMAGE_LEN   66384u /* 17 sectors */
#define SECTOR      4096u
#define RECORD_SIZE 4096u /* the slot's last sector */
#define MARKS       256u  /* offset of the marks in it */
#define RECEIVED    40000u

static inline int resume_set_up(void **state)
{
    update_rig_t *f = update_rig_open(IMAGE_LEN, &(otter_device_config_t){.rollback = false});
    f->other = web_image(IMAGE_LEN, 3);
    *state = f;
    return 0;
}

/** The device as it comes up: nothing is remembered but flash. */
static inline void reset_device(update_rig_t *f)
{
    otter_boot_result_t result;
    const otter_device_t old = f->rig.device;
    otter_device_deinit(&f->rig.device);
    sim_flash_power_on(&f->rig.sim);
    f->rig.flash.attested_len = 0;
    otter_device_init(&f->rig.device, &f->rig.flash, &old.chip, &old.efuse, &old.config);
    assert_int_equal(otter_boot(&f->rig.device, OTTER_BOOT_COMMIT, &result), ESP_OK);
    f->slot = rig_named(&f->rig, "0");
}

/** A device fresh from the factory, and a good server. */
static inline void wipe(update_rig_t *f)
{
    memset(f->rig.sim.bytes + RIG_OTADATA, 0xFF, RIG_OTADATA_SIZE);
    memset(f->rig.sim.bytes + f->slot->address, 0xFF, f->slot->size);
    reset_device(f);
    f->web = web_with(f->image, IMAGE_LEN);
}

static inline bool new_runs(update_rig_t *f)
{
    reset_device(f);
    return f->rig.device.running == f->slot;
}
