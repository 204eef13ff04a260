/* Resets between downloads. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/resume_rig.h"

sealed_t resume_sealed;

int resume_set_up_rsa(void **state)
{
    resume_sealed = SEALED_RSA;
    web_seal(resume_sealed);
    return resume_set_up(state);
}

int resume_set_up_ecies(void **state)
{
    resume_sealed = SEALED_ECIES;
    web_seal(resume_sealed);
    return resume_set_up(state);
}

int resume_tear_down(void **state)
{
    int status = update_rig_tear_down(state);
    resume_sealed = SEALED_NOT;
    web_seal(resume_sealed);
    return status;
}

int resume_set_up(void **state)
{
    update_rig_t *f = update_rig_open(IMAGE_LEN, &(otter_device_config_t){.rollback = false});
    f->other = web_image(IMAGE_LEN, 3);
    *state = f;
    return 0;
}

void reset_device(update_rig_t *f)
{
    otter_boot_result_t result;
    const otter_device_t old = f->rig.device;
    otter_device_deinit(&f->rig.device);
    sim_flash_power_on(&f->rig.sim);
    otter_device_init(&f->rig.device, &f->rig.flash, &old.chip, &old.efuse, &old.config);
    f->rig.device.config.copies = &otter_staged_copies;
    assert_int_equal(otter_boot(&f->rig.device, OTTER_BOOT_COMMIT, &result), ESP_OK);
    f->slot = rig_named(&f->rig, "0");
}

void wipe(update_rig_t *f)
{
    memset(f->rig.sim.bytes + RIG_OTADATA, 0xFF, RIG_OTADATA_SIZE);
    memset(f->rig.sim.bytes + f->slot->address, 0xFF, f->slot->size);
    reset_device(f);
    f->web = web_with(f->image, IMAGE_LEN);
}

bool new_runs(update_rig_t *f)
{
    reset_device(f);
    return f->rig.device.running == f->slot;
}
