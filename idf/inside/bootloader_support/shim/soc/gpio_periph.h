/* No pin is there: until 5.5 the sources ask this header for what is in hal/gpio_ll.h. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "hal/gpio_ll.h"
