/* The device's secure version below, what its chip can count to above. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ota/version_check.h"

#include <inttypes.h>

#include "boot/secure_version.h"
#include "esp_ota_ops.h"

esp_err_t ota_check_version(const otter_device_t *device, uint32_t version, otter_fault_t *fault)
{
    const otter_chip_facts_t *facts = otter_chip_facts(device->chip.id);
    uint32_t now;
    esp_err_t err = secure_version_read(device, &now);
    if (err != ESP_OK) {
        return otter_fault(fault, err, "the device's secure version cannot be read: %s",
                           esp_err_to_name(err));
    }
    if (version < now) {
        return otter_fault(fault, ESP_ERR_OTA_SMALL_SEC_VER,
                           "secure version %" PRIu32 " is below the device's %" PRIu32, version, now);
    }
    return facts != NULL && version > facts->secure_version_bits
               ? otter_fault(fault, ESP_ERR_INVALID_VERSION,
                             "secure version %" PRIu32
                             " is more than %s can count to (%u): it could never be burned",
                             version, facts->title, facts->secure_version_bits)
               : ESP_OK;
}
