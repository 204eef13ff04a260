/* A device with a console. */
#include "commands.h"
#include "esp_console.h"
#include "esp_event.h"
#include "esp_log.h"
#include "esp_netif.h"
#include "esp_ota_ops.h"
#include "esp_pm.h"
#include "nvs_flash.h"
#include "protocol_examples_common.h"

void app_main(void)
{
    const esp_pm_config_t pm = {.max_freq_mhz = 160, .min_freq_mhz = 40};
    esp_console_repl_config_t config = ESP_CONSOLE_REPL_CONFIG_DEFAULT();
    esp_console_dev_uart_config_t uart = ESP_CONSOLE_DEV_UART_CONFIG_DEFAULT();
    esp_console_repl_t *repl = NULL;
    config.prompt = "device>";
    config.task_stack_size = 8192;
    ESP_ERROR_CHECK(nvs_flash_init());
    ESP_ERROR_CHECK(esp_netif_init());
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    ESP_ERROR_CHECK(esp_pm_configure(&pm));
    ESP_ERROR_CHECK(example_connect());
    ESP_ERROR_CHECK(esp_console_new_repl_uart(&uart, &config, &repl));
    ESP_ERROR_CHECK(commands_register());
    ESP_ERROR_CHECK(esp_ota_mark_app_valid_cancel_rollback());
    ESP_ERROR_CHECK(esp_console_start_repl(repl));
}
