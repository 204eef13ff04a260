/* The wire of devices whose server is in memory. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "fleet/device.h"

extern const fleet_wire_t fleet_simulated_wire;
