/* The known defects of ESP-IDF's verification of images (docs/DIFFERENCES.md), each shown kept or fixed. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "otter/image.h"
#include "support/https_rig.h"
#include "support/session_rig.h"

static uint32_t read_limit; /* where reads of slot 0 must end; 0: anywhere */

static esp_err_t limited_read(void *dev, uint32_t off, void *dst, uint32_t len)
{
    const session_rig_t *f = dev; /* the rig is its first member */
    if (read_limit != 0 && off >= f->slot[0]->address && off < f->slot[0]->address + f->slot[0]->size) {
        assert_true(len <= read_limit - off);
    } else if (read_limit != 0) {
        fail_msg("read of 0x%" PRIx32 " outside the slot", off);
    }
    return rig_read(dev, off, dst, len);
}

static esp_err_t verify_slot_0(session_rig_t *f)
{
    f->rig.ops.read = limited_read;
    const otter_image_rules_t rules = {.chip = &f->device->chip,
                                       .flash_offset = f->slot[0]->address,
                                       .size = f->slot[0]->size,
                                       .loading = true};
    read_limit = f->slot[0]->address + f->slot[0]->size;
    esp_err_t err = otter_image_verify(&f->rig.flash, &rules, NULL, NULL);
    read_limit = 0;
    return err;
}

static void defect_42_nothing_is_read_past_the_partition(void **state)
{
    session_rig_t *f = *state;
    static const char *const too_long[] = {"seg_len_past_partition.bin", "seg_len_16M.bin"};
    for (size_t i = 0; i < COUNT(too_long); i++) {
        session_place_app(f, f->slot[0], too_long[i]);
        assert_int_equal(verify_slot_0(f), ESP_ERR_IMAGE_INVALID);
    }
    /* The segment ends inside; of checksum and hash a part, and then all, is beyond. */
    for (uint32_t beyond = 1; beyond <= 48; beyond++) {
        uint8_t *image = web_image(f->slot[0]->size + beyond, 2);
        memcpy(f->rig.sim.bytes + f->slot[0]->address, image, f->slot[0]->size);
        memcpy(f->rig.sim.bytes + f->slot[1]->address, image + f->slot[0]->size,
               beyond); /* it would verify */
        free(image);
        esp_err_t err = verify_slot_0(f);
        assert_int_equal(err, beyond < 16 ? ESP_OK : ESP_ERR_IMAGE_INVALID); /* its own padding ends inside */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SESSION_TEST(defect_42_nothing_is_read_past_the_partition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
