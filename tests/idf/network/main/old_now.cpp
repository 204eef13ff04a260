/* The same with the callbacks that ESP-NOW had. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <cstdio>

#include "ask.h"
#include "esp_now.h"
#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"

static SemaphoreHandle_t told;

static void on_sent(const uint8_t *mac, esp_now_send_status_t status)
{
    printf("as before to %02x..%02x: %d\n", mac[0], mac[5], status);
    xSemaphoreGive(told);
}

static void on_received(const uint8_t *mac, const uint8_t *data, int len)
{
    printf("from %02x: %d %02x\n", mac[0], len, data[0]);
}

void ask_old_now(void)
{
    esp_now_peer_info_t peer = {};
    peer.peer_addr[0] = 4;
    told = xSemaphoreCreateBinary();
    ESP_ERROR_CHECK(esp_now_init());
    ESP_ERROR_CHECK(esp_now_register_send_cb(on_sent));
    ESP_ERROR_CHECK(esp_now_register_recv_cb(on_received));
    ESP_ERROR_CHECK(esp_now_add_peer(&peer));
    ESP_ERROR_CHECK(esp_now_send(peer.peer_addr, reinterpret_cast<const uint8_t *>("hello"), 5));
    xSemaphoreTake(told, pdMS_TO_TICKS(10000));
    ESP_ERROR_CHECK(esp_now_deinit());
}
