/* A part of ESP-IDF's protocomm_security.h; all of it is there. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "protocomm_security.h"
