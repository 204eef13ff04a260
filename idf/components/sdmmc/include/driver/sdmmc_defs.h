/* A part of sd_protocol_types.h; the codes of commands are not there. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sd_protocol_types.h"
