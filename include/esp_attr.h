/* ESP-IDF's attributes for where code and data go: a host has one kind of memory, so most of them say nothing. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sdkconfig.h"

#define WORD_ALIGNED_ATTR __attribute__((aligned(4)))
#define PACKED_ATTR       __attribute__((packed))
#define NOINLINE_ATTR     __attribute__((noinline))
#define FORCE_INLINE_ATTR static inline __attribute__((always_inline))

/* Memories of a chip. */
#define ROMFN_ATTR
#define IRAM_ATTR
#define FORCE_IRAM_ATTR
#define IRAM_DATA_ATTR
#define IRAM_BSS_ATTR
#define DRAM_ATTR
#define DMA_ATTR              WORD_ALIGNED_ATTR
#define DRAM_DMA_ALIGNED_ATTR WORD_ALIGNED_ATTR
#define SPM_IRAM_ATTR
#define FORCE_SPM_IRAM_ATTR
#define SPM_DRAM_ATTR
#define TCM_IRAM_ATTR
#define FORCE_TCM_IRAM_ATTR
#define TCM_DRAM_ATTR
#define EXT_RAM_ATTR
#define EXT_RAM_BSS_ATTR
#define NOLOAD_ATTR
#define DRAM_STR(str) (str)

/*
 * Variables that outlive the program, where the build has given them memory, as otter_firmware() does; else ordinary ones.
 * RTC_DATA has its first value but after deep sleep. NOINIT has the bytes that the last boot has left: RTC_NOINIT after all but
 * POWERON, the others after all but POWERON and deep sleep; before that no value can be counted on.
 */
#ifdef OTTER_RTC_MEMORY
#define OTTER_SECTION__(name, number) __attribute__((section(name "." #number)))
#define OTTER_SECTION_(name, number)  OTTER_SECTION__(name, number)
#define OTTER_SECTION(name)           OTTER_SECTION_(name, __COUNTER__) /* of its own, as it may be a constant */
#else
#define OTTER_SECTION(name)
#endif
#define RTC_DATA_ATTR       OTTER_SECTION(".rtc.data")
#define RTC_SLOW_ATTR       OTTER_SECTION(".rtc.data")
#define RTC_FAST_ATTR       OTTER_SECTION(".rtc.data")
#define RTC_NOINIT_ATTR     OTTER_SECTION(".rtc_noinit")
#define __NOINIT_ATTR       OTTER_SECTION(".ram_noinit")
#define EXT_RAM_NOINIT_ATTR OTTER_SECTION(".ram_noinit")
#define RTC_RODATA_ATTR
#define RTC_IRAM_ATTR

#define COREDUMP_DRAM_ATTR
#define COREDUMP_IRAM_DATA_ATTR
#define COREDUMP_RTC_DATA_ATTR
#define COREDUMP_RTC_FAST_ATTR
#define COREDUMP_NOINIT_ATTR

#define IDF_DEPRECATED(REASON)

/* Operators for an enum of flags, which C has and C++ does not. */
#ifdef __cplusplus
#define FLAG_ATTR_BINARY_(TYPE, OP)                                                                          \
    FORCE_INLINE_ATTR constexpr TYPE operator OP(TYPE a, TYPE b)                                             \
    {                                                                                                        \
        return static_cast<TYPE>(static_cast<unsigned>(a) OP static_cast<unsigned>(b));                      \
    }                                                                                                        \
    FORCE_INLINE_ATTR TYPE &operator OP##=(TYPE &a, TYPE b)                                                  \
    {                                                                                                        \
        return a = a OP b;                                                                                   \
    }
#define FLAG_ATTR_SHIFT_(TYPE, OP)                                                                           \
    FORCE_INLINE_ATTR constexpr TYPE operator OP(TYPE a, int n)                                              \
    {                                                                                                        \
        return static_cast<TYPE>(static_cast<unsigned>(a) OP n);                                             \
    }                                                                                                        \
    FORCE_INLINE_ATTR TYPE &operator OP##=(TYPE &a, int n)                                                   \
    {                                                                                                        \
        return a = a OP n;                                                                                   \
    }
#define FLAG_ATTR(TYPE)                                                                                      \
    FORCE_INLINE_ATTR constexpr TYPE operator~(TYPE a)                                                       \
    {                                                                                                        \
        return static_cast<TYPE>(~static_cast<unsigned>(a));                                                 \
    }                                                                                                        \
    FLAG_ATTR_BINARY_(TYPE, |)                                                                               \
    FLAG_ATTR_BINARY_(TYPE, &)                                                                               \
    FLAG_ATTR_BINARY_(TYPE, ^) FLAG_ATTR_SHIFT_(TYPE, <<) FLAG_ATTR_SHIFT_(TYPE, >>)
#define FLAG_ATTR_U32(TYPE) FLAG_ATTR(TYPE)
#else
#define FLAG_ATTR(TYPE)
#define FLAG_ATTR_U32(TYPE)
#endif
