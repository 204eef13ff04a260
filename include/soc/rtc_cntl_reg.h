/* Those registers of the RTC that update programs write, at an ESP32's addresses: see soc/soc.h. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "soc/soc.h"

#define RTC_CNTL_OPTIONS0_REG        0x3FF48000
#define RTC_CNTL_SW_SYS_RST          BIT31
#define RTC_CNTL_STORE0_REG          0x3FF4804C
#define RTC_CNTL_STORE1_REG          0x3FF48050
#define RTC_CNTL_STORE2_REG          0x3FF48054
#define RTC_CNTL_STORE3_REG          0x3FF48058
#define RTC_CNTL_STORE4_REG          0x3FF480B0
#define RTC_CNTL_STORE5_REG          0x3FF480B4
#define RTC_CNTL_STORE6_REG          0x3FF480B8
#define RTC_CNTL_STORE7_REG          0x3FF480BC
#define RTC_CNTL_BROWN_OUT_REG       0x3FF480D4
#define RTC_CNTL_BROWN_OUT_ENA       BIT30
#define RTC_CNTL_OPTION1_REG         0x3FF4812C
#define RTC_CNTL_FORCE_DOWNLOAD_BOOT BIT0
