/* A phone that gives the station a network at once. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_smartconfig.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "esp_log.h"
#include "esp_netif.h"

static const char TAG[] = "smartconfig";

#define POST_WAIT_TICKS 100

ESP_EVENT_DEFINE_BASE(SC_EVENT);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards both */
static bool started;
static smartconfig_type_t kind;

/** @return whether it was not so before */
static bool set_started(bool on)
{
    (void)pthread_mutex_lock(&lock); /* it is a plain one: this cannot fail */
    bool changed = started != on;
    started = on;
    (void)pthread_mutex_unlock(&lock);
    return changed;
}

static void on_address(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)arg, (void)base, (void)id, (void)data;
    (void)esp_event_post(SC_EVENT, SC_EVENT_SEND_ACK_DONE, NULL, 0,
                         0); /* a full loop loses it, as a radio may */
}

esp_err_t esp_smartconfig_set_type(smartconfig_type_t type)
{
    if ((unsigned)type > SC_TYPE_ESPTOUCH_V2) {
        return ESP_ERR_INVALID_ARG;
    }
    (void)pthread_mutex_lock(&lock);
    bool free_to_change = !started;
    kind = free_to_change ? type : kind;
    (void)pthread_mutex_unlock(&lock);
    return free_to_change ? ESP_OK : ESP_ERR_INVALID_STATE;
}

esp_err_t esp_smartconfig_start(const smartconfig_start_config_t *config)
{
    smartconfig_event_got_ssid_pswd_t network = {.type = kind, .cellphone_ip = {127, 0, 0, 1}};
    if (config == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (!set_started(true)) {
        return ESP_ERR_INVALID_STATE;
    }
    ESP_LOGI(TAG, "a stand-in without a phone: the network is called smartconfig");
    (void)snprintf((char *)network.ssid, sizeof(network.ssid), "%s", TAG);
    esp_err_t err = esp_event_handler_register(IP_EVENT, IP_EVENT_STA_GOT_IP, on_address, NULL);
    err = err == ESP_OK ? esp_event_post(SC_EVENT, SC_EVENT_SCAN_DONE, NULL, 0, POST_WAIT_TICKS) : err;
    err = err == ESP_OK ? esp_event_post(SC_EVENT, SC_EVENT_FOUND_CHANNEL, NULL, 0, POST_WAIT_TICKS) : err;
    err = err == ESP_OK
              ? esp_event_post(SC_EVENT, SC_EVENT_GOT_SSID_PSWD, &network, sizeof(network), POST_WAIT_TICKS)
              : err;
    if (err != ESP_OK) {
        (void)esp_smartconfig_stop(); /* it does not fail */
    }
    return err;
}

esp_err_t esp_smartconfig_stop(void)
{
    if (set_started(false)) {
        (void)esp_event_handler_unregister(IP_EVENT, IP_EVENT_STA_GOT_IP,
                                           on_address); /* there need not be a loop any more */
    }
    return ESP_OK;
}

esp_err_t esp_esptouch_set_timeout(uint8_t time_s)
{
    return time_s >= 15 ? ESP_OK : ESP_ERR_INVALID_ARG;
}

esp_err_t esp_smartconfig_fast_mode(bool enable)
{
    (void)enable;
    return ESP_OK;
}

esp_err_t esp_smartconfig_get_rvd_data(uint8_t *rvd_data, uint8_t len)
{
    (void)rvd_data, (void)len;
    return ESP_ERR_INVALID_STATE;
}

const char *esp_smartconfig_get_version(void)
{
    return "otter";
}
