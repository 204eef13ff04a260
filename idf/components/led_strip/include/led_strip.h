/* The registry's led_strip without LEDs: colours are taken, and shown to nobody. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "driver/spi_common.h"
#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct led_strip_t *led_strip_handle_t;

typedef enum {
    LED_MODEL_WS2812,
    LED_MODEL_SK6812,
    LED_MODEL_WS2811,
    LED_MODEL_WS2816,
    LED_MODEL_INVALID
} led_model_t;

/** How a pixel of versions 1 and 2 is made up. */
typedef enum {
    LED_PIXEL_FORMAT_GRB,
    LED_PIXEL_FORMAT_GRBW,
    LED_PIXEL_FORMAT_RGB,
    LED_PIXEL_FORMAT_INVALID
} led_pixel_format_t;

/** The same of version 3. */
typedef union {
    struct format_layout {
        uint32_t r_pos : 2, g_pos : 2, b_pos : 2, w_pos : 2, reserved : 19, bytes_per_color : 2,
            num_components : 3;
    } format;
    uint32_t format_id;
} led_color_component_format_t;

#define LED_STRIP_FORMAT_(r, g, b, bytes, count)                                                             \
    (led_color_component_format_t)                                                                           \
    {                                                                                                        \
        .format = {                                                                                          \
            .r_pos = (r),                                                                                    \
            .g_pos = (g),                                                                                    \
            .b_pos = (b),                                                                                    \
            .w_pos = 3,                                                                                      \
            .reserved = 0,                                                                                   \
            .bytes_per_color = (bytes),                                                                      \
            .num_components = (count)                                                                        \
        }                                                                                                    \
    }
#define LED_STRIP_COLOR_COMPONENT_FMT_GRB     LED_STRIP_FORMAT_(1, 0, 2, 1, 3)
#define LED_STRIP_COLOR_COMPONENT_FMT_GRB_16  LED_STRIP_FORMAT_(1, 0, 2, 2, 3)
#define LED_STRIP_COLOR_COMPONENT_FMT_GRBW    LED_STRIP_FORMAT_(1, 0, 2, 1, 4)
#define LED_STRIP_COLOR_COMPONENT_FMT_GRBW_16 LED_STRIP_FORMAT_(1, 0, 2, 2, 4)
#define LED_STRIP_COLOR_COMPONENT_FMT_RGB     LED_STRIP_FORMAT_(0, 1, 2, 1, 3)
#define LED_STRIP_COLOR_COMPONENT_FMT_RGB_16  LED_STRIP_FORMAT_(0, 1, 2, 2, 3)
#define LED_STRIP_COLOR_COMPONENT_FMT_RGBW    LED_STRIP_FORMAT_(0, 1, 2, 1, 4)
#define LED_STRIP_COLOR_COMPONENT_FMT_RGBW_16 LED_STRIP_FORMAT_(0, 1, 2, 2, 4)

typedef struct {
    int strip_gpio_num;
    uint32_t max_leds; /* above 0 */
    led_pixel_format_t led_pixel_format;
    led_model_t led_model;
    led_color_component_format_t color_component_format;
    struct led_strip_extra_flags {
        uint32_t invert_out : 1;
    } flags;
} led_strip_config_t;

typedef enum { RMT_CLK_SRC_DEFAULT = 0, RMT_CLK_SRC_APB, RMT_CLK_SRC_XTAL } rmt_clock_source_t;

typedef struct {
    rmt_clock_source_t clk_src;
    uint32_t resolution_hz;
    size_t mem_block_symbols;
    struct led_strip_rmt_extra_config {
        uint32_t with_dma : 1;
    } flags;
} led_strip_rmt_config_t;

typedef struct {
    spi_clock_source_t clk_src;
    spi_host_device_t spi_bus;
    struct {
        uint32_t with_dma : 1;
    } flags;
} led_strip_spi_config_t;

/* All of these: ESP_ERR_INVALID_ARG with NULL, an LED that the strip has not, or a colour above 255. */

/** Says that this is a stand-in. @return ESP_OK, ESP_ERR_NO_MEM */
esp_err_t led_strip_new_rmt_device(const led_strip_config_t *led_config,
                                   const led_strip_rmt_config_t *rmt_config, led_strip_handle_t *ret_strip);
esp_err_t led_strip_new_spi_device(const led_strip_config_t *led_config,
                                   const led_strip_spi_config_t *spi_config, led_strip_handle_t *ret_strip);
esp_err_t led_strip_set_pixel(led_strip_handle_t strip, uint32_t index, uint32_t red, uint32_t green,
                              uint32_t blue);
esp_err_t led_strip_set_pixel_rgbw(led_strip_handle_t strip, uint32_t index, uint32_t red, uint32_t green,
                                   uint32_t blue, uint32_t white);
/** @param hue  degrees, 0 to 360; saturation and value 0 to 255 */
esp_err_t led_strip_set_pixel_hsv(led_strip_handle_t strip, uint32_t index, uint16_t hue, uint8_t saturation,
                                  uint8_t value);
esp_err_t led_strip_refresh(led_strip_handle_t strip);
esp_err_t led_strip_clear(led_strip_handle_t strip);
esp_err_t led_strip_del(led_strip_handle_t strip);

#ifdef __cplusplus
}
#endif
