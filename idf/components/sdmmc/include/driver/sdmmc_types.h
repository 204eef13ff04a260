/* A part of sd_protocol_types.h; all of it is there. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sd_protocol_types.h"
