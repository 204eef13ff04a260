/* What the virtual device has of a chip's hardware: nothing, and as in ESP-IDF what is absent is not defined. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sdkconfig.h"
