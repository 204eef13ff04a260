/* SNTP on a machine whose clock is right: nobody is asked, and the time is there. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>

#include "esp_log.h"
#include "esp_netif_sntp.h"
#include "freertos/task.h"

static const char TAG[] = "sntp";

#define TASK_STACK    16384 /* the callback is the application's */
#define TASK_PRIORITY 5
#define INTERVAL_MS   3600000u

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards all of this */
static struct {
    bool runs, told;
    esp_sntp_operatingmode_t operating_mode;
    sntp_sync_mode_t mode;
    sntp_sync_status_t status;
    sntp_sync_time_cb_t callback;
    uint32_t interval_ms;
    const char *servers[SNTP_MAX_SERVERS];
    ip_addr_t addresses[SNTP_MAX_SERVERS];
    bool netif_uses_it, netif_waits;
} sntp = {.interval_ms = INTERVAL_MS};

static void enter(void)
{
    (void)pthread_mutex_lock(&lock); /* it is a plain one: this cannot fail */
}

static void leave(void)
{
    (void)pthread_mutex_unlock(&lock);
}

static void tell_time(void *arg)
{
    (void)arg;
    struct timeval now;
    (void)gettimeofday(&now, NULL); /* it has no reason to fail */
    enter();
    sntp_sync_time_cb_t callback = sntp.callback;
    leave();
    if (callback != NULL) {
        callback(&now);
    }
    vTaskDelete(NULL);
}

void esp_sntp_init(void)
{
    enter();
    bool starts = !sntp.runs, first_time = !sntp.told;
    sntp.runs = sntp.told = true;
    sntp.status = starts ? SNTP_SYNC_STATUS_COMPLETED : sntp.status;
    bool has_callback = sntp.callback != NULL;
    leave();
    if (first_time) {
        ESP_LOGI(TAG, "a stand-in: the time is this machine's, and no server is asked");
    }
    if (starts && has_callback &&
        xTaskCreate(tell_time, "sntp", TASK_STACK, NULL, TASK_PRIORITY, NULL) != pdPASS) {
        ESP_LOGE(TAG, "no task to tell the time");
    }
}

void esp_sntp_stop(void)
{
    enter();
    sntp.runs = false;
    leave();
}

bool esp_sntp_enabled(void)
{
    enter();
    bool runs = sntp.runs;
    leave();
    return runs;
}

bool sntp_restart(void)
{
    bool runs = esp_sntp_enabled();
    if (runs) {
        esp_sntp_stop();
        esp_sntp_init();
    }
    return runs;
}

void esp_sntp_setoperatingmode(esp_sntp_operatingmode_t operating_mode)
{
    enter();
    sntp.operating_mode = operating_mode;
    leave();
}

esp_sntp_operatingmode_t esp_sntp_getoperatingmode(void)
{
    enter();
    esp_sntp_operatingmode_t mode = sntp.operating_mode;
    leave();
    return mode;
}

void esp_sntp_setservername(u8_t idx, const char *server)
{
    enter();
    if (idx < SNTP_MAX_SERVERS) {
        sntp.servers[idx] = server;
    }
    leave();
}

void esp_sntp_setserver(u8_t idx, const ip_addr_t *addr)
{
    enter();
    if (idx < SNTP_MAX_SERVERS) {
        sntp.addresses[idx] = addr != NULL ? *addr : (ip_addr_t){0};
        sntp.servers[idx] = NULL;
    }
    leave();
}

const ip_addr_t *esp_sntp_getserver(u8_t idx)
{
    static const ip_addr_t none;
    return idx < SNTP_MAX_SERVERS ? &sntp.addresses[idx] : &none;
}

unsigned esp_sntp_getreachability(u8_t idx)
{
    enter();
    bool asked = idx < SNTP_MAX_SERVERS && sntp.runs &&
                 (sntp.servers[idx] != NULL || sntp.addresses[idx].u_addr.ip4.addr != 0);
    leave();
    return asked;
}

void esp_sntp_servermode_dhcp(bool enable)
{
    (void)enable; /* DHCP is this machine's */
}

const char *esp_sntp_getservername(u8_t idx)
{
    enter();
    const char *server = idx < SNTP_MAX_SERVERS ? sntp.servers[idx] : NULL;
    leave();
    return server;
}

void sntp_set_sync_mode(sntp_sync_mode_t sync_mode)
{
    enter();
    sntp.mode = sync_mode;
    leave();
}

sntp_sync_mode_t sntp_get_sync_mode(void)
{
    enter();
    sntp_sync_mode_t mode = sntp.mode;
    leave();
    return mode;
}

void sntp_set_sync_status(sntp_sync_status_t sync_status)
{
    enter();
    sntp.status = sync_status;
    leave();
}

sntp_sync_status_t sntp_get_sync_status(void)
{
    enter();
    sntp_sync_status_t status = sntp.status;
    sntp.status = status == SNTP_SYNC_STATUS_COMPLETED ? SNTP_SYNC_STATUS_RESET : status; /* as ESP-IDF */
    leave();
    return status;
}

void sntp_set_time_sync_notification_cb(sntp_sync_time_cb_t callback)
{
    enter();
    sntp.callback = callback;
    leave();
}

void sntp_set_sync_interval(uint32_t interval_ms)
{
    enter();
    sntp.interval_ms = interval_ms;
    leave();
}

uint32_t sntp_get_sync_interval(void)
{
    enter();
    uint32_t interval_ms = sntp.interval_ms;
    leave();
    return interval_ms;
}

void sntp_sync_time(struct timeval *tv)
{
    (void)tv;
    sntp_set_sync_status(SNTP_SYNC_STATUS_COMPLETED);
}

/* ---- by esp_netif's names ---- */

esp_err_t esp_netif_sntp_init(const esp_sntp_config_t *config)
{
    if (config == NULL || config->num_of_servers > SNTP_MAX_SERVERS) {
        return ESP_ERR_INVALID_ARG;
    }
    enter();
    bool is_new = !sntp.netif_uses_it;
    if (is_new) {
        sntp.netif_uses_it = true;
        sntp.netif_waits = config->wait_for_sync;
        sntp.callback = config->sync_cb;
    }
    leave();
    if (!is_new) {
        return ESP_ERR_INVALID_STATE;
    }
    for (size_t i = 0; i < config->num_of_servers; i++) {
        esp_sntp_setservername((u8_t)i, config->servers[i]);
    }
    return config->start ? esp_netif_sntp_start() : ESP_OK;
}

esp_err_t esp_netif_sntp_start(void)
{
    esp_sntp_init();
    return ESP_OK;
}

void esp_netif_sntp_deinit(void)
{
    esp_sntp_stop();
    enter();
    sntp.netif_uses_it = false;
    leave();
}

esp_err_t esp_netif_sntp_sync_wait(TickType_t tout)
{
    enter();
    bool waits = sntp.netif_uses_it && sntp.netif_waits, runs = sntp.runs;
    leave();
    if (!waits) {
        return ESP_ERR_INVALID_STATE;
    }
    if (!runs) {
        vTaskDelay(tout);
    }
    return runs ? ESP_OK : ESP_ERR_TIMEOUT;
}
