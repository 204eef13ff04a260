/* Flash is not mapped to addresses of a chip: no address lies in these. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#define SOC_IROM_LOW  1u
#define SOC_IROM_HIGH 1u
#define SOC_DROM_LOW  1u
#define SOC_DROM_HIGH 1u
