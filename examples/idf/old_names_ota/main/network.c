/* One callback gets all events of the system, and tells by a bit that there is an address. */
#include "network.h"

#include "esp_event_loop.h"
#include "esp_log.h"
#include "esp_wifi.h"
#include "freertos/FreeRTOS.h"
#include "freertos/event_groups.h"
#include "tcpip_adapter.h"

#define HAS_ADDRESS BIT0

static const char *TAG = "network";
static EventGroupHandle_t state;

static esp_err_t on_event(void *ctx, system_event_t *event)
{
    (void)ctx;
    tcpip_adapter_ip_info_t info;
    switch (event->event_id) {
    case SYSTEM_EVENT_STA_START:
        ESP_ERROR_CHECK(tcpip_adapter_set_hostname(TCPIP_ADAPTER_IF_STA, "old-names"));
        ESP_ERROR_CHECK(esp_wifi_connect());
        break;
    case SYSTEM_EVENT_STA_CONNECTED:
        ESP_LOGI(TAG, "joined %.*s", event->event_info.connected.ssid_len, event->event_info.connected.ssid);
        break;
    case SYSTEM_EVENT_STA_GOT_IP:
        ESP_ERROR_CHECK(tcpip_adapter_get_ip_info(TCPIP_ADAPTER_IF_STA, &info));
        ESP_LOGI(TAG, "address %s", ip4addr_ntoa(&event->event_info.got_ip.ip_info.ip));
        if (info.ip.addr == event->event_info.got_ip.ip_info.ip.addr) {
            xEventGroupSetBits(state, HAS_ADDRESS);
        }
        break;
    case SYSTEM_EVENT_STA_DISCONNECTED:
        xEventGroupClearBits(state, HAS_ADDRESS);
        esp_wifi_connect();
        break;
    default:
        break;
    }
    return ESP_OK;
}

void network_start(void)
{
    state = xEventGroupCreate();
    tcpip_adapter_init();
    ESP_ERROR_CHECK(esp_event_loop_init(on_event, NULL));
    wifi_init_config_t init = WIFI_INIT_CONFIG_DEFAULT();
    ESP_ERROR_CHECK(esp_wifi_init(&init));
    ESP_ERROR_CHECK(esp_wifi_set_storage(WIFI_STORAGE_RAM));
    wifi_config_t config = {.sta = {.ssid = "home", .password = "a password"}};
    ESP_ERROR_CHECK(esp_wifi_set_mode(WIFI_MODE_STA));
    ESP_ERROR_CHECK(esp_wifi_set_config(ESP_IF_WIFI_STA, &config));
    ESP_ERROR_CHECK(esp_wifi_start());
    xEventGroupWaitBits(state, HAS_ADDRESS, pdFALSE, pdTRUE, portMAX_DELAY);
}
