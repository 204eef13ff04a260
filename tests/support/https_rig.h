/* HTTPS updates in one process: a device on simulator flash, images of any length, and a web server that the test steers. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ota/https_ota.h"
#include "otter/https_update.h"
#include "ota/switch.h"
#include "ota/update.h"
#include "otter/crypto.h"
#include "sim/sim_system.h"
#include "support/ota_rig.h"
#include "support/web_server.h"

/* ---- images ---- */

/** A bootable image of exactly `len` bytes (304 or more; what is left behind its digest is 0x5A). The caller frees. */
uint8_t *web_image(uint32_t len, uint8_t seed);

/* ---- the device ---- */

bool web_slot_holds(const rig_t *rig, const esp_partition_t *slot, const uint8_t *file, uint32_t len);
