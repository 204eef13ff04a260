/* A part of network_provisioning/manager.h; all of it is there. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "network_provisioning/manager.h"
