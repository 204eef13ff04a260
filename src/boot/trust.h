/* Whose images a device takes: the keys of its configuration, its eFuses or its running app. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "otter/device.h"
#include "otter/promise.h"

/**
 * For the rules of one image: as the bootloader, which without secure boot takes any app, and as the application.
 * @param bootloader  the image is a second-stage bootloader, which the V1 scheme signs in another way
 * @return trust that takes no image, and says why, where it cannot be found out
 */
otter_trust_t trust_to_boot(const otter_device_t *device, bool bootloader);
otter_trust_t trust_to_update(const otter_device_t *device, bool bootloader);

/** What is good by one of them is good by the other. */
bool trust_is_same(const otter_trust_t *a, const otter_trust_t *b);
