/* What the virtual device has of a chip's hardware, or a stand-in for it. As in ESP-IDF what is absent is not defined. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sdkconfig.h"

#define SOC_SECURE_BOOT_SUPPORTED          1
#define SOC_SECURE_BOOT_V2_RSA             1
#define SOC_SECURE_BOOT_V2_ECC             1
#define SOC_EFUSE_SECURE_BOOT_KEY_DIGESTS  3
#define SOC_EFUSE_REVOKE_BOOT_KEY_DIGESTS  1
#define SOC_SUPPORT_SECURE_BOOT_REVOKE_KEY 1

#define SOC_WIFI_SUPPORTED    1
#define SOC_ADC_SUPPORTED     1
#define SOC_ADC_PERIPH_NUM    2
#define SOC_GPIO_PIN_COUNT    64
#define SOC_GPTIMER_SUPPORTED 1
#define SOC_I2C_SUPPORTED     1
#define SOC_LEDC_SUPPORTED    1
#define SOC_LEDC_CHANNEL_NUM  8
#define SOC_UART_SUPPORTED    1
