/* A pin stands for all that a product would test: held low, it says that the update does not work. */
#include "diagnostic.h"

#include "driver/gpio.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "sdkconfig.h"

#define SETTLE_MS 20 /* the pull-up is weak */

bool diagnostic_passes(void)
{
    gpio_config_t config = {.pin_bit_mask = 1ULL << CONFIG_ADVANCED_OTA_DIAGNOSTIC_PIN,
                            .mode = GPIO_MODE_INPUT,
                            .pull_up_en = GPIO_PULLUP_ENABLE,
                            .pull_down_en = GPIO_PULLDOWN_DISABLE,
                            .intr_type = GPIO_INTR_DISABLE};
    ESP_ERROR_CHECK(gpio_config(&config));
    vTaskDelay(pdMS_TO_TICKS(SETTLE_MS));
    bool passes = gpio_get_level(CONFIG_ADVANCED_OTA_DIAGNOSTIC_PIN) == 1;
    gpio_reset_pin(CONFIG_ADVANCED_OTA_DIAGNOSTIC_PIN);
    return passes;
}
