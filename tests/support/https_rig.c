/* Images of any length for updates in one process. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/https_rig.h"

#include "support/image_builder.h"

/* ---- images ---- */

uint8_t *web_image(uint32_t len, uint8_t seed)
{
    uint8_t *bytes = malloc(len), *data = bytes + IMAGE_DATA_AT;
    char version[16];
    assert_non_null(bytes);
    image_plan_t plan = {
        .max_revision = 399, .flash_code = 0x20, .entry = IMAGE_ENTRY, .load_addr = IMAGE_DROM};
    plan.hashed = len >= 336;
    plan.segment = IMAGE_SEGMENT_MAX(len, plan.hashed);
    memset(bytes, 0x5A, len);
    for (uint32_t i = IMAGE_DESCRIPTOR; i < plan.segment; i++) {
        data[i] = (uint8_t)(seed + i * 31 + i / 251);
    }
    snprintf(version, sizeof(version), "%u.0.0", seed);
    image_describe(bytes, "web", version, 0);
    image_finish(&plan, bytes);
    return bytes;
}

/* ---- the device ---- */

bool web_slot_holds(const rig_t *rig, const esp_partition_t *slot, const uint8_t *file, uint32_t len)
{
    return memcmp(rig->sim.bytes + slot->address, file, len) == 0;
}
