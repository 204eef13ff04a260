/* Provisioning by a phone that is there at once. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wifi_provisioning/manager.h"

#include <stdio.h>
#include <string.h>

#include "esp_log.h"
#include "esp_netif.h"
#include "freertos/FreeRTOS.h"
#include "freertos/event_groups.h"
#include "freertos/task.h"
#include "wifi_provisioning/scheme_ble.h"
#include "wifi_provisioning/scheme_softap.h"

#define POST_WAIT_TICKS pdMS_TO_TICKS(1000)
#define PHONE_STACK     4096
#define IDLE            BIT0 /* of the event group: provisioning does not run */

static const char TAG[] = "wifi_prov_mgr";

ESP_EVENT_DEFINE_BASE(WIFI_PROV_EVENT);

const wifi_prov_scheme_t wifi_prov_scheme_ble = {.wifi_mode = WIFI_MODE_STA};
const wifi_prov_scheme_t wifi_prov_scheme_softap = {.wifi_mode = WIFI_MODE_APSTA};

static portMUX_TYPE lock = portMUX_INITIALIZER_UNLOCKED; /* guards all of it */
static struct {
    bool ready, running, keep_running;
    wifi_prov_mgr_config_t config;
    wifi_prov_sta_state_t state;
    EventGroupHandle_t events; /* made once */
} manager;

/** Both handlers hear it, then the loop. */
static void tell(wifi_prov_cb_event_t event, void *data, size_t size)
{
    taskENTER_CRITICAL(&lock);
    const wifi_prov_event_handler_t told[] = {manager.config.scheme_event_handler,
                                              manager.config.app_event_handler};
    taskEXIT_CRITICAL(&lock);
    for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
        if (told[i].event_cb != NULL) {
            told[i].event_cb(told[i].user_data, event, data);
        }
    }
    if (esp_event_post(WIFI_PROV_EVENT, event, data, size, POST_WAIT_TICKS) != ESP_OK) {
        ESP_LOGW(TAG, "event %d is lost: there is no event loop, or it is full", event);
    }
}

static bool is_ready(void)
{
    taskENTER_CRITICAL(&lock);
    const bool ready = manager.ready;
    taskEXIT_CRITICAL(&lock);
    return ready;
}

static esp_err_t accepted(const void *given)
{
    return !is_ready() ? ESP_ERR_INVALID_STATE : given == NULL ? ESP_ERR_INVALID_ARG : ESP_OK;
}

/** @return whether it was not so before */
static bool set_running(bool on)
{
    taskENTER_CRITICAL(&lock);
    const bool changed = manager.running != on;
    manager.running = on;
    taskEXIT_CRITICAL(&lock);
    return changed;
}

static void set_state(wifi_prov_sta_state_t state)
{
    taskENTER_CRITICAL(&lock);
    manager.state = state;
    taskEXIT_CRITICAL(&lock);
}

static void on_address(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)arg, (void)base, (void)id, (void)data;
    set_state(WIFI_PROV_STA_CONNECTED);
    tell(WIFI_PROV_CRED_SUCCESS, NULL, 0);
    taskENTER_CRITICAL(&lock);
    const bool stop = !manager.keep_running;
    taskEXIT_CRITICAL(&lock);
    if (stop) {
        wifi_prov_mgr_stop_provisioning();
    }
}

/** The station gets the network that the phone has sent. */
static esp_err_t connect_to(wifi_config_t *network)
{
    set_state(WIFI_PROV_STA_CONNECTING);
    tell(WIFI_PROV_CRED_RECV, &network->sta, sizeof(network->sta));
    tell(WIFI_PROV_SET_STA_CONFIG, network, sizeof(*network));
    esp_err_t err = esp_wifi_set_config(WIFI_IF_STA, network);
    return err == ESP_OK ? esp_wifi_connect() : err;
}

static void phone(void *arg)
{
    (void)arg;
    wifi_config_t network = {0};
    (void)snprintf((char *)network.sta.ssid, sizeof(network.sta.ssid), "provisioning");
    taskENTER_CRITICAL(&lock);
    const bool wanted = manager.running;
    taskEXIT_CRITICAL(&lock);
    esp_err_t err = wanted ? connect_to(&network) : ESP_OK;
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "Wi-Fi does not take the network: %s", esp_err_to_name(err));
    }
    vTaskDelete(NULL);
}

esp_err_t wifi_prov_mgr_init(wifi_prov_mgr_config_t config)
{
    EventGroupHandle_t events = manager.events != NULL ? manager.events : xEventGroupCreate();
    if (events == NULL) {
        return ESP_ERR_NO_MEM;
    }
    taskENTER_CRITICAL(&lock);
    const bool is_new = !manager.ready;
    if (is_new) {
        manager.events = events;
        manager.ready = true;
        manager.keep_running = false;
        manager.config = config;
        manager.state = WIFI_PROV_STA_DISCONNECTED;
    }
    taskEXIT_CRITICAL(&lock);
    if (!is_new) {
        return ESP_ERR_INVALID_STATE;
    }
    (void)xEventGroupSetBits(events, IDLE);
    tell(WIFI_PROV_INIT, NULL, 0);
    return ESP_OK;
}

void wifi_prov_mgr_deinit(void)
{
    if (!is_ready()) {
        return;
    }
    wifi_prov_mgr_stop_provisioning();
    tell(WIFI_PROV_DEINIT, NULL, 0);
    taskENTER_CRITICAL(&lock);
    manager.ready = false;
    taskEXIT_CRITICAL(&lock);
}

esp_err_t wifi_prov_mgr_is_provisioned(bool *provisioned)
{
    wifi_config_t network = {0};
    esp_err_t err = accepted(provisioned);
    err = err == ESP_OK ? esp_wifi_get_config(WIFI_IF_STA, &network) : err;
    if (err == ESP_OK) {
        *provisioned = network.sta.ssid[0] != '\0';
    }
    return err;
}

bool wifi_prov_mgr_is_sm_idle(void)
{
    taskENTER_CRITICAL(&lock);
    const bool idle = !manager.running;
    taskEXIT_CRITICAL(&lock);
    return idle;
}

static esp_err_t begin(void)
{
    taskENTER_CRITICAL(&lock);
    const wifi_mode_t mode = manager.config.scheme.wifi_mode;
    taskEXIT_CRITICAL(&lock);
    esp_err_t err = esp_wifi_set_mode(mode == WIFI_MODE_NULL ? WIFI_MODE_STA : mode);
    err = err == ESP_OK ? esp_wifi_start() : err;
    err = err == ESP_OK ? esp_event_handler_register(IP_EVENT, IP_EVENT_STA_GOT_IP, on_address, NULL) : err;
    if (err != ESP_OK) {
        return err;
    }
    tell(WIFI_PROV_START, NULL, 0);
    return xTaskCreate(phone, "phone", PHONE_STACK, NULL, 1, NULL) == pdPASS ? ESP_OK : ESP_ERR_NO_MEM;
}

esp_err_t wifi_prov_mgr_start_provisioning(wifi_prov_security_t security, const void *wifi_prov_sec_params,
                                           const char *service_name, const char *service_key)
{
    (void)security, (void)wifi_prov_sec_params, (void)service_key;
    esp_err_t err = accepted(service_name);
    if (err != ESP_OK) {
        return err;
    }
    if (!set_running(true)) {
        return ESP_ERR_INVALID_STATE;
    }
    ESP_LOGI(TAG, "a stand-in without a phone: the network is called provisioning");
    (void)xEventGroupClearBits(manager.events, IDLE);
    err = begin();
    if (err != ESP_OK) {
        (void)set_running(false);
        (void)xEventGroupSetBits(manager.events, IDLE);
    }
    return err;
}

void wifi_prov_mgr_stop_provisioning(void)
{
    if (is_ready() && set_running(false)) {
        (void)esp_event_handler_unregister(IP_EVENT, IP_EVENT_STA_GOT_IP, on_address);
        tell(WIFI_PROV_END, NULL, 0);
        (void)xEventGroupSetBits(manager.events, IDLE);
    }
}

void wifi_prov_mgr_wait(void)
{
    if (is_ready()) {
        (void)xEventGroupWaitBits(manager.events, IDLE, pdFALSE, pdTRUE, portMAX_DELAY);
    }
}

esp_err_t wifi_prov_mgr_disable_auto_stop(uint32_t cleanup_delay)
{
    (void)cleanup_delay;
    esp_err_t err = accepted(TAG);
    taskENTER_CRITICAL(&lock);
    manager.keep_running = manager.keep_running || err == ESP_OK;
    taskEXIT_CRITICAL(&lock);
    return err;
}

esp_err_t wifi_prov_mgr_set_app_info(const char *label, const char *version, const char **capabilities,
                                     size_t total_capabilities)
{
    return label == NULL || version == NULL || (capabilities == NULL && total_capabilities > 0)
               ? ESP_ERR_INVALID_ARG
               : accepted(label);
}

esp_err_t wifi_prov_mgr_endpoint_create(const char *ep_name)
{
    return accepted(ep_name);
}

esp_err_t wifi_prov_mgr_endpoint_register(const char *ep_name, protocomm_req_handler_t handler,
                                          void *user_ctx)
{
    (void)user_ctx;
    return handler != NULL ? accepted(ep_name) : ESP_ERR_INVALID_ARG;
}

void wifi_prov_mgr_endpoint_unregister(const char *ep_name)
{
    (void)ep_name; /* nothing was kept */
}

esp_err_t wifi_prov_mgr_get_wifi_state(wifi_prov_sta_state_t *state)
{
    esp_err_t err = accepted(state);
    if (err == ESP_OK) {
        taskENTER_CRITICAL(&lock);
        *state = manager.state;
        taskEXIT_CRITICAL(&lock);
    }
    return err;
}

esp_err_t wifi_prov_mgr_get_wifi_disconnect_reason(wifi_prov_sta_fail_reason_t *reason)
{
    esp_err_t err = accepted(reason);
    return err == ESP_OK ? ESP_FAIL : err;
}

esp_err_t wifi_prov_mgr_configure_sta(wifi_config_t *wifi_cfg)
{
    esp_err_t err = accepted(wifi_cfg);
    return err == ESP_OK ? connect_to(wifi_cfg) : err;
}

esp_err_t wifi_prov_mgr_reset_provisioning(void)
{
    return esp_wifi_restore();
}

esp_err_t wifi_prov_mgr_reset_sm_state_on_failure(void)
{
    return ESP_ERR_INVALID_STATE;
}

esp_err_t wifi_prov_mgr_reset_sm_state_for_reprovision(void)
{
    if (wifi_prov_mgr_is_sm_idle()) {
        return ESP_ERR_INVALID_STATE;
    }
    return xTaskCreate(phone, "phone", PHONE_STACK, NULL, 1, NULL) == pdPASS ? ESP_OK : ESP_ERR_NO_MEM;
}

void wifi_prov_scheme_ble_event_cb_free_btdm(void *user_data, wifi_prov_cb_event_t event, void *event_data)
{
    (void)user_data, (void)event, (void)event_data;
}

void wifi_prov_scheme_ble_event_cb_free_ble(void *user_data, wifi_prov_cb_event_t event, void *event_data)
{
    (void)user_data, (void)event, (void)event_data;
}

void wifi_prov_scheme_ble_event_cb_free_bt(void *user_data, wifi_prov_cb_event_t event, void *event_data)
{
    (void)user_data, (void)event, (void)event_data;
}

static esp_err_t take(const void *given)
{
    return given != NULL ? ESP_OK : ESP_ERR_INVALID_ARG;
}

esp_err_t wifi_prov_scheme_ble_set_service_uuid(uint8_t *uuid128)
{
    return take(uuid128);
}

esp_err_t wifi_prov_scheme_ble_set_mfg_data(uint8_t *mfg_data, ssize_t mfg_data_len)
{
    return mfg_data_len > 0 && mfg_data_len <= MAX_BLE_MANUFACTURER_DATA_LEN ? take(mfg_data)
                                                                             : ESP_ERR_INVALID_ARG;
}

esp_err_t wifi_prov_scheme_ble_set_random_addr(const uint8_t *rand_addr)
{
    return take(rand_addr);
}

esp_err_t wifi_prov_mgr_keep_ble_on(uint8_t is_on_after_ble_stop)
{
    (void)is_on_after_ble_stop;
    return ESP_OK;
}

void wifi_prov_scheme_softap_set_httpd_handle(void *handle)
{
    (void)handle;
}
