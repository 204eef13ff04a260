/* Which otter this is. The build, the command and the packages take the number from here. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#define OTTER_VERSION_MAJOR 0
#define OTTER_VERSION_MINOR 1
#define OTTER_VERSION_PATCH 0
#define OTTER_VERSION       "0.1.0"

/** For comparisons: #if OTTER_VERSION_NUMBER >= 10200 is "1.2.0 or later". */
#define OTTER_VERSION_NUMBER (OTTER_VERSION_MAJOR * 10000 + OTTER_VERSION_MINOR * 100 + OTTER_VERSION_PATCH)
