/* Maps the memory that the device keeps over the pages that cmake/rtc_memory.ld has made of the variables. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/rtc_memory.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "otter/run_protocol.h"

#define UNKNOWN                                                                                              \
    0xA5 /* what a variable without a first value has in each byte: no program should count on it */

/* Of the linker; absent in a program that was linked without rtc_memory.ld. */
extern char otter_rtc_data_start[] __attribute__((weak));
extern char otter_rtc_data_end[] __attribute__((weak));
extern char otter_rtc_noinit_start[] __attribute__((weak));
extern char otter_rtc_noinit_end[] __attribute__((weak));
extern char otter_noinit_start[] __attribute__((weak));
extern char otter_noinit_end[] __attribute__((weak));

typedef struct {
    char *start, *end;
    bool has_values; /* first values, in the program */
    bool outlives_reset, outlives_sleep;
} region_t;

static bool is_kept(const region_t *region, esp_reset_reason_t reason)
{
    return reason == ESP_RST_DEEPSLEEP ? region->outlives_sleep
                                       : reason != ESP_RST_POWERON && region->outlives_reset;
}

/** @return false with errno */
static bool replace(const region_t *region, int fd, off_t off, bool kept)
{
    const size_t size = (size_t)(region->end - region->start);
    if (!kept && region->has_values && pwrite(fd, region->start, size, off) != (ssize_t)size) {
        return false;
    }
    if (mmap(region->start, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, off) == MAP_FAILED) {
        return false;
    }
    if (!kept && !region->has_values) {
        memset(region->start, UNKNOWN, size);
    }
    return true;
}

bool rtc_memory_begin(int fd, esp_reset_reason_t reason)
{
    const region_t regions[OTTER_RUN_RTC_REGIONS] = {
        {otter_rtc_data_start, otter_rtc_data_end, true, false, true},
        {otter_rtc_noinit_start, otter_rtc_noinit_end, false, true, true},
        {otter_noinit_start, otter_noinit_end, false, true, false},
    };
    for (uint32_t i = 0; i < OTTER_RUN_RTC_REGIONS; i++) {
        const region_t *region = &regions[i];
        const off_t off = (off_t)OTTER_RUN_RTC_OFFSET + (off_t)i * OTTER_RUN_RTC_REGION_SIZE;
        if (region->end > region->start && !replace(region, fd, off, is_kept(region, reason))) {
            return false;
        }
    }
    return true;
}
