/* Included before every file: the attributes of esp_attr.h that ESP-IDF leaves out for linux, with sections of rtc_memory.ld. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#if !defined(__ASSEMBLER__) && defined(__has_include)
#if __has_include("esp_attr.h")
#include "esp_attr.h"

#define OTTER_RETAINED_TEXT_(n) #n
#define OTTER_RETAINED_TEXT(n)  OTTER_RETAINED_TEXT_(n)
#define OTTER_RETAINED(name)    __attribute__((section(name "." OTTER_RETAINED_TEXT(__COUNTER__))))

#undef RTC_DATA_ATTR
#undef RTC_SLOW_ATTR
#undef RTC_FAST_ATTR
#undef RTC_NOINIT_ATTR
#undef __NOINIT_ATTR
#define RTC_DATA_ATTR   OTTER_RETAINED(".rtc.data")
#define RTC_SLOW_ATTR   OTTER_RETAINED(".rtc.data")
#define RTC_FAST_ATTR   OTTER_RETAINED(".rtc.data")
#define RTC_NOINIT_ATTR OTTER_RETAINED(".rtc_noinit")
#define __NOINIT_ATTR   OTTER_RETAINED(".ram_noinit")
#endif
#endif
