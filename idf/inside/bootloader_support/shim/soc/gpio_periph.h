/* No pin is there. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#ifndef SOC_GPIO_VALID_GPIO_MASK
#define SOC_GPIO_VALID_GPIO_MASK 0ULL
#endif
