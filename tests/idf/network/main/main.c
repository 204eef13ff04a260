/* Asks all of it once. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "ask.h"
#include "esp_event.h"
#include "esp_netif.h"
#include "nvs_flash.h"

void app_main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    ESP_ERROR_CHECK(nvs_flash_init());
    ESP_ERROR_CHECK(esp_netif_init());
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    ask_kept();
    ask_now();
    ask_old_now();
    ask_names();
    printf("all is said\n");
}
