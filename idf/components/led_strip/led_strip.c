/* A strip that knows how many LEDs it has. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "led_strip.h"

#include <stdbool.h>
#include <stdlib.h>

#include "esp_log.h"

static const char TAG[] = "led_strip";

#define COLOR_MAX 255u

struct led_strip_t {
    uint32_t count;
};

static esp_err_t new_strip(const led_strip_config_t *config, led_strip_handle_t *ret_strip)
{
    if (config == NULL || ret_strip == NULL || config->max_leds == 0) {
        return ESP_ERR_INVALID_ARG;
    }
    led_strip_handle_t strip = calloc(1, sizeof(*strip));
    if (strip == NULL) {
        return ESP_ERR_NO_MEM;
    }
    strip->count = config->max_leds;
    ESP_LOGI(TAG, "a stand-in: nobody sees its %u LEDs", (unsigned)strip->count);
    *ret_strip = strip;
    return ESP_OK;
}

esp_err_t led_strip_new_rmt_device(const led_strip_config_t *led_config,
                                   const led_strip_rmt_config_t *rmt_config, led_strip_handle_t *ret_strip)
{
    return rmt_config != NULL ? new_strip(led_config, ret_strip) : ESP_ERR_INVALID_ARG;
}

esp_err_t led_strip_new_spi_device(const led_strip_config_t *led_config,
                                   const led_strip_spi_config_t *spi_config, led_strip_handle_t *ret_strip)
{
    return spi_config != NULL ? new_strip(led_config, ret_strip) : ESP_ERR_INVALID_ARG;
}

esp_err_t led_strip_set_pixel_rgbw(led_strip_handle_t strip, uint32_t index, uint32_t red, uint32_t green,
                                   uint32_t blue, uint32_t white)
{
    bool ok = strip != NULL && index < strip->count && red <= COLOR_MAX && green <= COLOR_MAX &&
              blue <= COLOR_MAX && white <= COLOR_MAX;
    return ok ? ESP_OK : ESP_ERR_INVALID_ARG;
}

esp_err_t led_strip_set_pixel(led_strip_handle_t strip, uint32_t index, uint32_t red, uint32_t green,
                              uint32_t blue)
{
    return led_strip_set_pixel_rgbw(strip, index, red, green, blue, 0);
}

esp_err_t led_strip_set_pixel_hsv(led_strip_handle_t strip, uint32_t index, uint16_t hue, uint8_t saturation,
                                  uint8_t value)
{
    (void)hue;
    return led_strip_set_pixel_rgbw(strip, index, saturation, value, 0, 0);
}

esp_err_t led_strip_refresh(led_strip_handle_t strip)
{
    return strip != NULL ? ESP_OK : ESP_ERR_INVALID_ARG;
}

esp_err_t led_strip_clear(led_strip_handle_t strip)
{
    return led_strip_refresh(strip);
}

esp_err_t led_strip_del(led_strip_handle_t strip)
{
    free(strip);
    return strip != NULL ? ESP_OK : ESP_ERR_INVALID_ARG;
}
