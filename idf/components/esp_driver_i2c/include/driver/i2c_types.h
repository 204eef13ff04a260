/* ESP-IDF's types of I2C. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef int i2c_port_num_t;
typedef enum { I2C_NUM_0 = 0, I2C_NUM_1, I2C_NUM_MAX } i2c_port_t;
typedef enum { I2C_ADDR_BIT_LEN_7 = 0, I2C_ADDR_BIT_LEN_10 = 1 } i2c_addr_bit_len_t;
typedef enum {
    I2C_CLK_SRC_DEFAULT = 0,
    I2C_CLK_SRC_APB,
    I2C_CLK_SRC_XTAL,
    I2C_CLK_SRC_RC_FAST
} i2c_clock_source_t;
typedef enum { I2C_MASTER_WRITE = 0, I2C_MASTER_READ } i2c_rw_t;
typedef enum { I2C_MASTER_ACK = 0, I2C_MASTER_NACK, I2C_MASTER_LAST_NACK, I2C_MASTER_ACK_MAX } i2c_ack_type_t;
typedef enum { I2C_MODE_SLAVE = 0, I2C_MODE_MASTER, I2C_MODE_MAX } i2c_mode_t;

typedef struct i2c_master_bus_t *i2c_master_bus_handle_t;
typedef struct i2c_master_dev_t *i2c_master_dev_handle_t;

#ifdef __cplusplus
}
#endif
