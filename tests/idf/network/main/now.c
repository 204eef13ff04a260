/* ESP-NOW: peers, and what is sent to them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "esp_now.h"
#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"

static SemaphoreHandle_t told;

static void on_sent(const esp_now_send_info_t *info, esp_now_send_status_t status)
{
    printf("to %02x..%02x: %d\n", info->des_addr[0], info->des_addr[5], status);
    xSemaphoreGive(told);
}

static void on_received(const esp_now_recv_info_t *info, const uint8_t *data, int len)
{
    printf("from %02x: %d %02x\n", info->src_addr[0], len, data[0]);
}

static void send_and_wait(const uint8_t *address, int count)
{
    ESP_ERROR_CHECK(esp_now_send(address, (const uint8_t *)"hello", 5));
    while (count-- > 0 && xSemaphoreTake(told, pdMS_TO_TICKS(10000)) == pdTRUE) {
    }
}

void ask_now(void)
{
    esp_now_peer_info_t peer = {.peer_addr = {2, 1, 1, 1, 1, 9}, .channel = 1}, got;
    const esp_now_peer_info_t everybody = {.peer_addr = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
    esp_now_peer_num_t count;
    told = xSemaphoreCreateCounting(10, 0);
    printf("before init 0x%x", esp_now_add_peer(&peer));
    ESP_ERROR_CHECK(esp_now_init());
    ESP_ERROR_CHECK(esp_now_register_send_cb(on_sent));
    ESP_ERROR_CHECK(esp_now_register_recv_cb(on_received));
    ESP_ERROR_CHECK(esp_now_set_pmk((const uint8_t *)"0123456789abcdef"));
    printf(", nobody 0x%x, no data 0x%x\n", esp_now_send(peer.peer_addr, (const uint8_t *)"x", 1),
           esp_now_send(peer.peer_addr, NULL, 0));
    ESP_ERROR_CHECK(esp_now_add_peer(&peer));
    ESP_ERROR_CHECK(esp_now_add_peer(&everybody));
    peer.encrypt = true;
    printf("again 0x%x", esp_now_add_peer(&peer));
    ESP_ERROR_CHECK(esp_now_mod_peer(&peer));
    ESP_ERROR_CHECK(esp_now_get_peer_num(&count));
    ESP_ERROR_CHECK(esp_now_get_peer(peer.peer_addr, &got));
    printf(", %d peers, %d encrypted, %d\n", count.total_num, count.encrypt_num, got.encrypt);
    ESP_ERROR_CHECK(esp_now_fetch_peer(true, &got));
    ESP_ERROR_CHECK(esp_now_fetch_peer(false, &got));
    printf("the other %d, then 0x%x\n", memcmp(got.peer_addr, everybody.peer_addr, 6) == 0,
           esp_now_fetch_peer(false, &got));
    send_and_wait(peer.peer_addr, 1);
    send_and_wait(NULL, 2);
    ESP_ERROR_CHECK(esp_now_del_peer(peer.peer_addr));
    printf("it is there %d\n", esp_now_is_peer_exist(peer.peer_addr));
    ESP_ERROR_CHECK(esp_now_deinit());
}
