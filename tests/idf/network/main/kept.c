/* A station's configuration: in NVS over a restart, unless it is for memory alone. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "esp_system.h"
#include "esp_wifi.h"
#include "nvs.h"

static uint8_t next_step(void)
{
    nvs_handle_t nvs;
    uint8_t step = 0;
    ESP_ERROR_CHECK(nvs_open("test", NVS_READWRITE, &nvs));
    (void)nvs_get_u8(nvs, "step", &step); /* the first one is 0 */
    ESP_ERROR_CHECK(nvs_set_u8(nvs, "step", step + 1));
    nvs_close(nvs);
    return step;
}

static void tell(uint8_t step)
{
    wifi_config_t station = {0}, ap = {0};
    wifi_mode_t mode;
    ESP_ERROR_CHECK(esp_wifi_get_mode(&mode));
    ESP_ERROR_CHECK(esp_wifi_get_config(WIFI_IF_STA, &station));
    esp_err_t err = esp_wifi_get_config(WIFI_IF_AP, &ap);
    printf("step %d: mode %d, station '%s' '%s', access point 0x%x '%s' %d, pk %d\n", step, mode,
           station.sta.ssid, station.sta.password, err, ap.ap.ssid, ap.ap.dtim_period,
           station.sta.sae_pk_mode);
}

static void configure(const char *ssid)
{
    wifi_config_t station = {.sta = {.password = "secret", .sae_pk_mode = WPA3_SAE_PK_MODE_ONLY}},
                  ap = {.ap = {.ssid = "ours", .dtim_period = 2}};
    strcpy((char *)station.sta.ssid, ssid);
    ESP_ERROR_CHECK(esp_wifi_set_mode(WIFI_MODE_APSTA));
    ESP_ERROR_CHECK(esp_wifi_set_config(WIFI_IF_STA, &station));
    ESP_ERROR_CHECK(esp_wifi_set_config(WIFI_IF_AP, &ap));
}

void ask_kept(void)
{
    wifi_init_config_t init = WIFI_INIT_CONFIG_DEFAULT();
    init.static_rx_buf_num = 4; /* nobody looks at it */
    uint8_t step = next_step();
    ESP_ERROR_CHECK(esp_wifi_init(&init));
    tell(step);
    if (step == 0) {
        printf("no storage 0x%x\n", esp_wifi_set_storage((wifi_storage_t)2));
        configure("home");
    } else if (step == 1) {
        ESP_ERROR_CHECK(esp_wifi_set_storage(WIFI_STORAGE_RAM));
        configure("elsewhere");
        tell(step);
    } else if (step == 2) {
        ESP_ERROR_CHECK(esp_wifi_restore());
    }
    if (step < 3) {
        esp_restart();
    }
}
