/* Whose images a device takes: the keys of its configuration, its eFuses or its running app. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "otter/device.h"
#include "otter/promise.h"

/** Whom the application trusts with one image: otter_trust_to_boot() of updates. */
otter_trust_t trust_to_update(const otter_device_t *device, bool bootloader);

/** What is good by one of them is good by the other. */
bool trust_is_same(const otter_trust_t *a, const otter_trust_t *b);
