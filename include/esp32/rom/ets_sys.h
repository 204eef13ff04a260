/* The ROM of an ESP32, whose names all devices here have. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "rom/ets_sys.h"
