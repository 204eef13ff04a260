/* The words for pins: numbers, directions, interrupts, resistors. What is done with them is in driver/gpio.h and esp_sleep.h. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "esp_bit_defs.h"
#include "soc/soc_caps.h"

#ifdef __cplusplus
extern "C" {
#endif

#define GPIO_PIN_COUNT 64

typedef enum {
    GPIO_NUM_NC = -1,
    GPIO_NUM_0 = 0,
    GPIO_NUM_1,
    GPIO_NUM_2,
    GPIO_NUM_3,
    GPIO_NUM_4,
    GPIO_NUM_5,
    GPIO_NUM_6,
    GPIO_NUM_7,
    GPIO_NUM_8,
    GPIO_NUM_9,
    GPIO_NUM_10,
    GPIO_NUM_11,
    GPIO_NUM_12,
    GPIO_NUM_13,
    GPIO_NUM_14,
    GPIO_NUM_15,
    GPIO_NUM_16,
    GPIO_NUM_17,
    GPIO_NUM_18,
    GPIO_NUM_19,
    GPIO_NUM_20,
    GPIO_NUM_21,
    GPIO_NUM_22,
    GPIO_NUM_23,
    GPIO_NUM_24,
    GPIO_NUM_25,
    GPIO_NUM_26,
    GPIO_NUM_27,
    GPIO_NUM_28,
    GPIO_NUM_29,
    GPIO_NUM_30,
    GPIO_NUM_31,
    GPIO_NUM_32,
    GPIO_NUM_33,
    GPIO_NUM_34,
    GPIO_NUM_35,
    GPIO_NUM_36,
    GPIO_NUM_37,
    GPIO_NUM_38,
    GPIO_NUM_39,
    GPIO_NUM_40,
    GPIO_NUM_41,
    GPIO_NUM_42,
    GPIO_NUM_43,
    GPIO_NUM_44,
    GPIO_NUM_45,
    GPIO_NUM_46,
    GPIO_NUM_47,
    GPIO_NUM_48,
    GPIO_NUM_49,
    GPIO_NUM_50,
    GPIO_NUM_51,
    GPIO_NUM_52,
    GPIO_NUM_53,
    GPIO_NUM_54,
    GPIO_NUM_MAX = GPIO_PIN_COUNT,
} gpio_num_t;

typedef enum {
    GPIO_INTR_DISABLE = 0,
    GPIO_INTR_POSEDGE = 1,
    GPIO_INTR_NEGEDGE = 2,
    GPIO_INTR_ANYEDGE = 3,
    GPIO_INTR_LOW_LEVEL = 4,
    GPIO_INTR_HIGH_LEVEL = 5,
    GPIO_INTR_MAX,
} gpio_int_type_t;

typedef enum {
    GPIO_MODE_DISABLE = 0,
    GPIO_MODE_INPUT = 1,
    GPIO_MODE_OUTPUT = 2,
    GPIO_MODE_INPUT_OUTPUT = 3,
    GPIO_MODE_OUTPUT_OD = 6,
    GPIO_MODE_INPUT_OUTPUT_OD = 7,
} gpio_mode_t;

typedef enum { GPIO_PULLUP_DISABLE = 0, GPIO_PULLUP_ENABLE = 1 } gpio_pullup_t;
typedef enum { GPIO_PULLDOWN_DISABLE = 0, GPIO_PULLDOWN_ENABLE = 1 } gpio_pulldown_t;
typedef enum { GPIO_PULLUP_ONLY, GPIO_PULLDOWN_ONLY, GPIO_PULLUP_PULLDOWN, GPIO_FLOATING } gpio_pull_mode_t;
typedef enum {
    GPIO_DRIVE_CAP_0,
    GPIO_DRIVE_CAP_1,
    GPIO_DRIVE_CAP_2,
    GPIO_DRIVE_CAP_3,
    GPIO_DRIVE_CAP_DEFAULT = GPIO_DRIVE_CAP_2,
    GPIO_DRIVE_CAP_MAX,
} gpio_drive_cap_t;

/* Masks of single pins, for pin_bit_mask. */
#define GPIO_SEL_0  BIT64(0)
#define GPIO_SEL_1  BIT64(1)
#define GPIO_SEL_2  BIT64(2)
#define GPIO_SEL_3  BIT64(3)
#define GPIO_SEL_4  BIT64(4)
#define GPIO_SEL_5  BIT64(5)
#define GPIO_SEL_6  BIT64(6)
#define GPIO_SEL_7  BIT64(7)
#define GPIO_SEL_8  BIT64(8)
#define GPIO_SEL_9  BIT64(9)
#define GPIO_SEL_10 BIT64(10)
#define GPIO_SEL_11 BIT64(11)
#define GPIO_SEL_12 BIT64(12)
#define GPIO_SEL_13 BIT64(13)
#define GPIO_SEL_14 BIT64(14)
#define GPIO_SEL_15 BIT64(15)
#define GPIO_SEL_16 BIT64(16)
#define GPIO_SEL_17 BIT64(17)
#define GPIO_SEL_18 BIT64(18)
#define GPIO_SEL_19 BIT64(19)
#define GPIO_SEL_20 BIT64(20)
#define GPIO_SEL_21 BIT64(21)
#define GPIO_SEL_22 BIT64(22)
#define GPIO_SEL_23 BIT64(23)
#define GPIO_SEL_25 BIT64(25)
#define GPIO_SEL_26 BIT64(26)
#define GPIO_SEL_27 BIT64(27)
#define GPIO_SEL_28 BIT64(28)
#define GPIO_SEL_29 BIT64(29)
#define GPIO_SEL_30 BIT64(30)
#define GPIO_SEL_31 BIT64(31)
#define GPIO_SEL_32 BIT64(32)
#define GPIO_SEL_33 BIT64(33)
#define GPIO_SEL_34 BIT64(34)
#define GPIO_SEL_35 BIT64(35)
#define GPIO_SEL_36 BIT64(36)
#define GPIO_SEL_37 BIT64(37)
#define GPIO_SEL_38 BIT64(38)
#define GPIO_SEL_39 BIT64(39)
#define GPIO_SEL_40 BIT64(40)
#define GPIO_SEL_41 BIT64(41)
#define GPIO_SEL_42 BIT64(42)
#define GPIO_SEL_43 BIT64(43)
#define GPIO_SEL_44 BIT64(44)
#define GPIO_SEL_45 BIT64(45)
#define GPIO_SEL_46 BIT64(46)
#define GPIO_SEL_47 BIT64(47)
#define GPIO_SEL_48 BIT64(48)

#ifdef __cplusplus
}
#endif
