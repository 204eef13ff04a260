/* What both forms of the ADC's functions know. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "hal/adc_types.h"

/** The voltage that gives the largest value, in mV. */
static inline int adc_full_mv(adc_atten_t attenuation)
{
    static const int full_mv[] = {950, 1250, 1750, 3100}; /* what a chip can measure, by attenuation */
    return full_mv[attenuation];
}

static inline bool adc_is_width(adc_bitwidth_t width)
{
    return width == ADC_BITWIDTH_DEFAULT || (width >= ADC_BITWIDTH_9 && width <= ADC_BITWIDTH_13);
}
