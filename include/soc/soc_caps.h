/* What the virtual device has of a chip's hardware: secure boot. As in ESP-IDF what is absent is not defined. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sdkconfig.h"

#define SOC_SECURE_BOOT_SUPPORTED          1
#define SOC_SECURE_BOOT_V2_RSA             1
#define SOC_SECURE_BOOT_V2_ECC             1
#define SOC_EFUSE_SECURE_BOOT_KEY_DIGESTS  3
#define SOC_EFUSE_REVOKE_BOOT_KEY_DIGESTS  1
#define SOC_SUPPORT_SECURE_BOOT_REVOKE_KEY 1
