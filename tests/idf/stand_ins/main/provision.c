/* A network that a phone gives, buttons, and what goes with them: JSON, QR codes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "button_gpio.h"
#include "esp_eth.h"
#include "iot_button.h"
#include "json_parser.h"
#include "more.h"
#include "network_provisioning/manager.h"
#include "network_provisioning/scheme_ble.h"
#include "qrcode.h"
#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"
#include "wifi_provisioning/scheme_softap.h"

static void on_step(void *user_data, network_prov_cb_event_t event, void *event_data)
{
    printf("step %d %s %s\n", (int)event, (const char *)user_data,
           event == NETWORK_PROV_WIFI_CRED_RECV ? (const char *)((wifi_sta_config_t *)event_data)->ssid : "");
}

static void ask_provisioning(void)
{
    const network_prov_mgr_config_t config = {
        .scheme = network_prov_scheme_ble,
        .scheme_event_handler = NETWORK_PROV_SCHEME_BLE_EVENT_HANDLER_FREE_BTDM,
        .app_event_handler = {.event_cb = on_step, .user_data = "of a phone"}};
    bool known = true;
    esp_netif_t *station = esp_netif_create_default_wifi_sta();
    esp_err_t early = network_prov_mgr_is_wifi_provisioned(&known);
    ESP_ERROR_CHECK(wifi_prov_mgr_reset_provisioning());
    ESP_ERROR_CHECK(network_prov_mgr_init(config));
    ESP_ERROR_CHECK(network_prov_mgr_is_wifi_provisioned(&known));
    printf("early 0x%x, known %d\n", early, known);
    ESP_ERROR_CHECK(network_prov_mgr_endpoint_create("more"));
    ESP_ERROR_CHECK(network_prov_mgr_start_provisioning(NETWORK_PROV_SECURITY_1, "abcd", "device", NULL));
    network_prov_mgr_wait();
    ESP_ERROR_CHECK(network_prov_mgr_is_wifi_provisioned(&known));
    network_prov_mgr_deinit();
    ESP_ERROR_CHECK(esp_wifi_stop());
    esp_netif_destroy_default_wifi(station);
    printf("known %d, twice 0x%x\n", known, wifi_prov_mgr_disable_auto_stop(0));
}

static esp_err_t answer(uint32_t session_id, const uint8_t *inbuf, ssize_t inlen, uint8_t **outbuf,
                        ssize_t *outlen, void *priv_data)
{
    (void)outbuf, (void)outlen;
    printf("asked %.*s by %d of %s\n", (int)inlen, (const char *)inbuf, (int)session_id,
           (const char *)priv_data);
    return ESP_OK;
}

static void ask_endpoints(void)
{
    protocomm_t *pc = protocomm_new();
    const protocomm_httpd_config_t config = {0};
    ESP_ERROR_CHECK(protocomm_add_endpoint(pc, "echo", answer, "the app"));
    esp_err_t twice = protocomm_add_endpoint(pc, "echo", answer, NULL);
    ESP_ERROR_CHECK(protocomm_req_handle(pc, "echo", 7, (const uint8_t *)"hello", 5, NULL, NULL));
    esp_err_t transport = protocomm_httpd_start(pc, &config);
    esp_err_t none = protocomm_req_handle(pc, "other", 7, NULL, 0, NULL, NULL);
    printf("endpoint %d 0x%x 0x%x\n", twice, transport, none);
    protocomm_delete(pc);
}

static void ask_link(void)
{
    const eth_mac_config_t of_idf_4 = ETH_MAC_DEFAULT_CONFIG();
    const eth_esp32_emac_config_t of_idf_5 = ETH_ESP32_EMAC_DEFAULT_CONFIG();
    const eth_phy_config_t phy_config = ETH_PHY_DEFAULT_CONFIG();
    esp_eth_mac_t *old = esp_eth_mac_new_esp32(&of_idf_4), *mac = esp_eth_mac_new_esp32(&of_idf_5, &of_idf_4);
    esp_eth_phy_t *phy = esp_eth_phy_new_lan87xx(&phy_config);
    const esp_eth_config_t config = ETH_DEFAULT_CONFIG(mac, phy);
    spi_device_interface_config_t device = {0};
    const eth_w5500_config_t of_one = ETH_W5500_DEFAULT_CONFIG(NULL),
                             of_two = ETH_W5500_DEFAULT_CONFIG(SPI2_HOST, &device);
    eth_speed_t speed = ETH_SPEED_10M;
    bool loopback = true;
    esp_eth_handle_t link;
    ESP_ERROR_CHECK(esp_eth_driver_install(&config, &link));
    ESP_ERROR_CHECK(esp_eth_ioctl(link, ETH_CMD_G_SPEED, &speed));
    printf("spi %d %d\n", of_one.int_gpio_num, of_two.spi_host_id);
    printf("speed %d, loop 0x%x, no mac %d\n", (int)speed,
           esp_eth_ioctl(link, ETH_CMD_S_PHY_LOOPBACK, &loopback),
           esp_eth_mac_new_w5500(NULL, &of_idf_4) == NULL);
    ESP_ERROR_CHECK(esp_eth_driver_uninstall(link));
    ESP_ERROR_CHECK(mac->del(mac));
    ESP_ERROR_CHECK(old->del(old));
    ESP_ERROR_CHECK(phy->del(phy));
}

static void on_press(void *button, void *done)
{
    printf("button event %d\n", (int)iot_button_get_event(button));
    xSemaphoreGive(done);
}

static void ask_button(void)
{
    const button_config_t config = {.long_press_time = 20};
    const button_gpio_config_t pin = {.gpio_num = 9, .active_level = 1};
    SemaphoreHandle_t done = xSemaphoreCreateBinary();
    button_handle_t button;
    ESP_ERROR_CHECK(iot_button_new_gpio_device(&config, &pin, &button));
    ESP_ERROR_CHECK(iot_button_register_cb(button, BUTTON_LONG_PRESS_START, NULL, on_press, done));
    printf("long press in time %d, held %d\n", (int)xSemaphoreTake(done, pdMS_TO_TICKS(10000)),
           iot_button_get_key_level(button));
    esp_err_t none = iot_button_unregister_cb(button, BUTTON_PRESS_UP, NULL);
    printf("callbacks %d, none 0x%x\n", (int)iot_button_count_cb(button), none);
    ESP_ERROR_CHECK(iot_button_delete(button));
}

static void ask_json(void)
{
    static const char text[] = "{\"url\":\"https://x\",\"parts\":[{\"size\":42},7],\"on\":true}";
    jparse_ctx_t at;
    char url[12], small[4];
    int count = 0, size = 0, seven = 0;
    bool on = false;
    int started = json_parse_start(&at, text, sizeof(text) - 1);
    int got = json_obj_get_string(&at, "url", url, sizeof(url));
    int too_small = json_obj_get_string(&at, "url", small, sizeof(small));
    printf("json %d %d %d %s %d", started, got, too_small, url, json_obj_get_bool(&at, "on", &on));
    got = json_obj_get_array(&at, "parts", &count) | json_arr_get_object(&at, 0) |
          json_obj_get_int(&at, "size", &size) | json_arr_leave_object(&at) |
          json_arr_get_int(&at, 1, &seven);
    printf(" %d: %d parts, %d, %d, %d; out %d", got, count, size, seven, on, json_obj_leave_array(&at));
    printf(" %d\n", json_obj_leave_object(&at));
    (void)json_parse_end(&at);
}

void ask_provision(void)
{
    esp_qrcode_config_t code = ESP_QRCODE_CONFIG_DEFAULT();
    ask_provisioning();
    ask_endpoints();
    ask_link();
    ask_button();
    ask_json();
    ESP_ERROR_CHECK(esp_qrcode_generate(&code, "a text"));
}
