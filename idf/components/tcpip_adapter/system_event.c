/* What the default event loop posts, as events of ESP-IDF 3 for one callback. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_event_legacy.h"

#include <pthread.h>
#include <string.h>

#include "esp_eth.h"
#include "esp_log.h"
#include "freertos/FreeRTOS.h"

static const char TAG[] = "event";

ESP_EVENT_DECLARE_BASE(SYSTEM_EVENT);
ESP_EVENT_DEFINE_BASE(SYSTEM_EVENT);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards the callback */
static struct {
    bool initialized;
    system_event_cb_t function;
    void *ctx;
} callback;

typedef struct {
    int32_t id;
    system_event_id_t old;
    size_t size; /* of its data */
} translation_t;

#define DATA(type) sizeof(((system_event_t *)NULL)->event_info.type)

static const translation_t wifi_events[] = {
    {WIFI_EVENT_WIFI_READY, SYSTEM_EVENT_WIFI_READY, 0},
    {WIFI_EVENT_SCAN_DONE, SYSTEM_EVENT_SCAN_DONE, DATA(scan_done)},
    {WIFI_EVENT_STA_START, SYSTEM_EVENT_STA_START, 0},
    {WIFI_EVENT_STA_STOP, SYSTEM_EVENT_STA_STOP, 0},
    {WIFI_EVENT_STA_CONNECTED, SYSTEM_EVENT_STA_CONNECTED, DATA(connected)},
    {WIFI_EVENT_STA_DISCONNECTED, SYSTEM_EVENT_STA_DISCONNECTED, DATA(disconnected)},
    {WIFI_EVENT_AP_START, SYSTEM_EVENT_AP_START, 0},
    {WIFI_EVENT_AP_STOP, SYSTEM_EVENT_AP_STOP, 0},
    {WIFI_EVENT_AP_STACONNECTED, SYSTEM_EVENT_AP_STACONNECTED, DATA(sta_connected)},
    {WIFI_EVENT_AP_STADISCONNECTED, SYSTEM_EVENT_AP_STADISCONNECTED, DATA(sta_disconnected)},
};

static const translation_t ip_events[] = {
    {IP_EVENT_STA_GOT_IP, SYSTEM_EVENT_STA_GOT_IP, DATA(got_ip)},
    {IP_EVENT_STA_LOST_IP, SYSTEM_EVENT_STA_LOST_IP, 0},
    {IP_EVENT_AP_STAIPASSIGNED, SYSTEM_EVENT_AP_STAIPASSIGNED, DATA(ap_staipassigned)},
    {IP_EVENT_GOT_IP6, SYSTEM_EVENT_GOT_IP6, DATA(got_ip6)},
    {IP_EVENT_ETH_GOT_IP, SYSTEM_EVENT_ETH_GOT_IP, DATA(got_ip)},
    {IP_EVENT_ETH_LOST_IP, SYSTEM_EVENT_ETH_LOST_IP, 0},
};

static const translation_t eth_events[] = {
    {ETHERNET_EVENT_START, SYSTEM_EVENT_ETH_START, 0},
    {ETHERNET_EVENT_STOP, SYSTEM_EVENT_ETH_STOP, 0},
    {ETHERNET_EVENT_CONNECTED, SYSTEM_EVENT_ETH_CONNECTED, 0},
    {ETHERNET_EVENT_DISCONNECTED, SYSTEM_EVENT_ETH_DISCONNECTED, 0},
};

/** All events that have an old name. */
static const struct {
    const esp_event_base_t *base;
    const translation_t *events;
    size_t count;
} families[] = {
    {&WIFI_EVENT, wifi_events, sizeof(wifi_events) / sizeof(wifi_events[0])},
    {&IP_EVENT, ip_events, sizeof(ip_events) / sizeof(ip_events[0])},
    {&ETH_EVENT, eth_events, sizeof(eth_events) / sizeof(eth_events[0])},
};

#define FAMILIES (sizeof(families) / sizeof(families[0]))

static const translation_t *find(esp_event_base_t base, int32_t id)
{
    for (size_t f = 0; f < FAMILIES; f++) {
        for (size_t i = 0; *families[f].base == base && i < families[f].count; i++) {
            if (families[f].events[i].id == id) {
                return &families[f].events[i];
            }
        }
    }
    return NULL;
}

/** Posted anew, so that the callback comes behind all handlers of the event itself, as in ESP-IDF 4. */
static void translate(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)arg;
    const translation_t *found = find(base, id);
    if (found == NULL) {
        return;
    }
    system_event_t event;
    memset(&event, 0, sizeof(event));
    event.event_id = found->old;
    if (data != NULL && found->size > 0) {
        memcpy(&event.event_info, data, found->size);
    }
    esp_err_t err = esp_event_post(SYSTEM_EVENT, found->old, &event, sizeof(event), 0);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "event %d is lost: %s", (int)found->old, esp_err_to_name(err));
    }
}

static void call_back(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)arg, (void)base, (void)id;
    (void)pthread_mutex_lock(&lock); /* it is a plain one: this cannot fail */
    system_event_cb_t function = callback.function;
    void *ctx = callback.ctx;
    (void)pthread_mutex_unlock(&lock);
    if (function != NULL) {
        (void)function(ctx, data);
    }
}

/** @return whether it was `from`, and is `to` now */
static bool move_on(bool from, bool to)
{
    (void)pthread_mutex_lock(&lock);
    bool moved = callback.initialized == from;
    callback.initialized = moved ? to : callback.initialized;
    (void)pthread_mutex_unlock(&lock);
    return moved;
}

system_event_cb_t esp_event_loop_set_cb(system_event_cb_t cb, void *ctx)
{
    (void)pthread_mutex_lock(&lock);
    system_event_cb_t before = callback.function;
    callback.function = cb;
    callback.ctx = ctx;
    (void)pthread_mutex_unlock(&lock);
    return before;
}

static void unregister_all(void)
{
    for (size_t f = 0; f < FAMILIES; f++) {
        (void)esp_event_handler_unregister(*families[f].base, ESP_EVENT_ANY_ID,
                                           translate); /* it may not be there */
    }
    (void)esp_event_handler_unregister(SYSTEM_EVENT, ESP_EVENT_ANY_ID, call_back);
}

static esp_err_t register_all(void)
{
    esp_err_t err = esp_event_loop_create_default();
    if (err == ESP_OK || err == ESP_ERR_INVALID_STATE) { /* there is one */
        err = esp_event_handler_register(SYSTEM_EVENT, ESP_EVENT_ANY_ID, call_back, NULL);
    }
    for (size_t f = 0; err == ESP_OK && f < FAMILIES; f++) {
        err = esp_event_handler_register(*families[f].base, ESP_EVENT_ANY_ID, translate, NULL);
    }
    return err;
}

esp_err_t esp_event_loop_init(system_event_cb_t cb, void *ctx)
{
    if (!move_on(false, true)) {
        ESP_LOGE(TAG, "esp_event_loop_init() was called before");
        return ESP_ERR_INVALID_STATE;
    }
    (void)esp_event_loop_set_cb(cb, ctx);
    esp_err_t err = register_all();
    if (err != ESP_OK) {
        unregister_all();
        (void)move_on(true, false);
    }
    return err;
}

esp_err_t esp_event_loop_deinit(void)
{
    if (!move_on(true, false)) {
        return ESP_ERR_INVALID_STATE;
    }
    unregister_all();
    (void)esp_event_loop_set_cb(NULL, NULL);
    esp_err_t err = esp_event_loop_delete_default();
    return err == ESP_ERR_INVALID_STATE ? ESP_OK : err;
}

esp_err_t esp_event_send(system_event_t *event)
{
    if (event == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    (void)pthread_mutex_lock(&lock);
    bool initialized = callback.initialized;
    (void)pthread_mutex_unlock(&lock);
    return initialized
               ? esp_event_post(SYSTEM_EVENT, (int32_t)event->event_id, event, sizeof(*event), portMAX_DELAY)
               : ESP_ERR_INVALID_STATE;
}

esp_err_t esp_event_process_default(system_event_t *event)
{
    return event != NULL ? ESP_OK : ESP_ERR_INVALID_ARG;
}

void esp_event_set_default_wifi_handlers(void)
{
}

void esp_event_set_default_eth_handlers(void)
{
}
