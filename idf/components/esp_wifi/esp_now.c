/* ESP-NOW where nobody listens: peers are kept, what is sent to one is not acknowledged, and nothing comes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_now.h"

#include <pthread.h>
#include <string.h>

#include "esp_log.h"
#include "esp_wifi.h"
#include "freertos/FreeRTOS.h"
#include "freertos/timers.h"

static const char TAG[] = "espnow";

#define POST_WAIT_TICKS pdMS_TO_TICKS(1000)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards `now` */
static struct {
    bool ready, told;
    esp_now_peer_info_t peers[ESP_NOW_MAX_TOTAL_PEER_NUM];
    size_t count, fetched;
    esp_now_send_cb_t sent;
    esp_now_old_send_cb_t old_sent;
    uint8_t oui[3];
} now = {.oui = {0x18, 0xfe, 0x34}};

static esp_err_t unlock(esp_err_t err)
{
    pthread_mutex_unlock(&lock);
    return err;
}

/** @return ESP_OK: it is locked; else it is not */
static esp_err_t enter(const void *argument)
{
    pthread_mutex_lock(&lock);
    return !now.ready         ? unlock(ESP_ERR_ESPNOW_NOT_INIT)
           : argument == NULL ? unlock(ESP_ERR_ESPNOW_ARG)
                              : ESP_OK;
}

/** With the lock held. @return NULL: there is none of that address */
static esp_now_peer_info_t *find(const uint8_t *address)
{
    for (size_t i = 0; i < now.count; i++) {
        if (memcmp(now.peers[i].peer_addr, address, ESP_NOW_ETH_ALEN) == 0) {
            return &now.peers[i];
        }
    }
    return NULL;
}

static int count_encrypted(void)
{
    int count = 0;
    for (size_t i = 0; i < now.count; i++) {
        count += now.peers[i].encrypt;
    }
    return count;
}

esp_err_t esp_now_init(void)
{
    wifi_mode_t mode;
    if (esp_wifi_get_mode(&mode) != ESP_OK) {
        return ESP_ERR_ESPNOW_INTERNAL;
    }
    pthread_mutex_lock(&lock);
    bool first_time = !now.told;
    now.ready = now.told = true;
    (void)unlock(ESP_OK);
    if (first_time) {
        ESP_LOGI(TAG, "a stand-in without a radio: no peer acknowledges, and nothing is received");
    }
    return ESP_OK;
}

esp_err_t esp_now_deinit(void)
{
    esp_err_t err = enter("");
    if (err != ESP_OK) {
        return err;
    }
    now.ready = false;
    now.count = 0;
    now.sent = NULL;
    now.old_sent = NULL;
    return unlock(ESP_OK);
}

esp_err_t esp_now_get_version(uint32_t *version)
{
    if (version == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *version = 2;
    return ESP_OK;
}

/* ---- callbacks ---- */

esp_err_t(esp_now_register_recv_cb)(esp_now_recv_cb_t cb)
{
    esp_err_t err = enter((const void *)&cb);
    return err != ESP_OK ? err : unlock(ESP_OK); /* nobody sends */
}

esp_err_t esp_now_register_old_recv_cb(esp_now_old_recv_cb_t cb)
{
    esp_err_t err = enter((const void *)&cb);
    return err != ESP_OK ? err : unlock(ESP_OK);
}

esp_err_t esp_now_unregister_recv_cb(void)
{
    esp_err_t err = enter("");
    return err != ESP_OK ? err : unlock(ESP_OK);
}

static esp_err_t set_sent(esp_now_send_cb_t cb, esp_now_old_send_cb_t old)
{
    esp_err_t err = enter("");
    if (err != ESP_OK) {
        return err;
    }
    now.sent = cb;
    now.old_sent = old;
    return unlock(ESP_OK);
}

esp_err_t(esp_now_register_send_cb)(esp_now_send_cb_t cb)
{
    return set_sent(cb, NULL);
}

esp_err_t esp_now_register_old_send_cb(esp_now_old_send_cb_t cb)
{
    return set_sent(NULL, cb);
}

esp_err_t esp_now_unregister_send_cb(void)
{
    return set_sent(NULL, NULL);
}

/* ---- sending ---- */

static const uint8_t everybody[ESP_NOW_ETH_ALEN] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

/** In the timers' task, as the driver in its own: number says which peer, or that it was everybody. */
static void tell_sent(void *arg, uint32_t low)
{
    const uint64_t number = (uint64_t)(uintptr_t)arg << 32 | low;
    uint8_t address[ESP_NOW_ETH_ALEN] = {0}, own[ESP_NOW_ETH_ALEN] = {0};
    for (size_t i = 0; i < sizeof(address); i++) {
        address[i] = (uint8_t)(number >> (8 * i));
    }
    (void)esp_wifi_get_mac(WIFI_IF_STA, own); /* without a station it is zeros */
    pthread_mutex_lock(&lock);
    const esp_now_send_cb_t sent = now.sent;
    const esp_now_old_send_cb_t old_sent = now.old_sent;
    (void)unlock(ESP_OK);
    const esp_now_send_status_t status = memcmp(address, everybody, sizeof(address)) == 0
                                             ? ESP_NOW_SEND_SUCCESS /* nobody has to acknowledge */
                                             : ESP_NOW_SEND_FAIL;
    const esp_now_send_info_t info = {.des_addr = address, .src_addr = own, .tx_status = (int)status};
    if (sent != NULL) {
        sent(&info, status);
    } else if (old_sent != NULL) {
        old_sent(address, status);
    }
}

static esp_err_t post_sent(const uint8_t *address)
{
    uint64_t number = 0;
    for (size_t i = 0; i < ESP_NOW_ETH_ALEN; i++) {
        number |= (uint64_t)address[i] << (8 * i);
    }
    return xTimerPendFunctionCall(tell_sent, (void *)(uintptr_t)(number >> 32), (uint32_t)number,
                                  POST_WAIT_TICKS) == pdPASS
               ? ESP_OK
               : ESP_ERR_ESPNOW_NO_MEM;
}

esp_err_t esp_now_send(const uint8_t *peer_addr, const uint8_t *data, size_t len)
{
    esp_now_peer_info_t peers[ESP_NOW_MAX_TOTAL_PEER_NUM];
    esp_err_t err = enter(data);
    if (err != ESP_OK) {
        return err;
    }
    if (len == 0 || len > ESP_NOW_MAX_DATA_LEN_V2) {
        return unlock(ESP_ERR_ESPNOW_ARG);
    }
    const esp_now_peer_info_t *one = peer_addr != NULL ? find(peer_addr) : NULL;
    size_t count = peer_addr == NULL ? now.count : one != NULL ? 1 : 0; /* NULL: to all of them */
    memcpy(peers, one != NULL ? one : now.peers, count * sizeof(peers[0]));
    (void)unlock(ESP_OK);
    err = count > 0 ? ESP_OK : ESP_ERR_ESPNOW_NOT_FOUND;
    for (size_t i = 0; i < count && err == ESP_OK; i++) {
        err = post_sent(peers[i].peer_addr);
    }
    return err;
}

/* ---- peers ---- */

esp_err_t esp_now_add_peer(const esp_now_peer_info_t *peer)
{
    esp_err_t err = enter(peer);
    if (err != ESP_OK) {
        return err;
    }
    if (find(peer->peer_addr) != NULL) {
        return unlock(ESP_ERR_ESPNOW_EXIST);
    }
    if (now.count == ESP_NOW_MAX_TOTAL_PEER_NUM ||
        (peer->encrypt && count_encrypted() == ESP_NOW_MAX_ENCRYPT_PEER_NUM)) {
        return unlock(ESP_ERR_ESPNOW_FULL);
    }
    now.peers[now.count++] = *peer;
    return unlock(ESP_OK);
}

esp_err_t esp_now_del_peer(const uint8_t *peer_addr)
{
    esp_err_t err = enter(peer_addr);
    if (err != ESP_OK) {
        return err;
    }
    esp_now_peer_info_t *peer = find(peer_addr);
    if (peer == NULL) {
        return unlock(ESP_ERR_ESPNOW_NOT_FOUND);
    }
    now.count--;
    memmove(peer, peer + 1, (size_t)(now.peers + now.count - peer) * sizeof(*peer));
    return unlock(ESP_OK);
}

esp_err_t esp_now_mod_peer(const esp_now_peer_info_t *peer)
{
    esp_err_t err = enter(peer);
    if (err != ESP_OK) {
        return err;
    }
    esp_now_peer_info_t *known = find(peer->peer_addr);
    if (known == NULL) {
        return unlock(ESP_ERR_ESPNOW_NOT_FOUND);
    }
    if (peer->encrypt && !known->encrypt && count_encrypted() == ESP_NOW_MAX_ENCRYPT_PEER_NUM) {
        return unlock(ESP_ERR_ESPNOW_FULL);
    }
    *known = *peer;
    return unlock(ESP_OK);
}

esp_err_t esp_now_get_peer(const uint8_t *peer_addr, esp_now_peer_info_t *peer)
{
    esp_err_t err = enter(peer != NULL ? peer_addr : NULL);
    if (err != ESP_OK) {
        return err;
    }
    const esp_now_peer_info_t *known = find(peer_addr);
    if (known == NULL) {
        return unlock(ESP_ERR_ESPNOW_NOT_FOUND);
    }
    *peer = *known;
    return unlock(ESP_OK);
}

esp_err_t esp_now_fetch_peer(bool from_head, esp_now_peer_info_t *peer)
{
    esp_err_t err = enter(peer);
    if (err != ESP_OK) {
        return err;
    }
    now.fetched = from_head ? 0 : now.fetched;
    if (now.fetched >= now.count) {
        return unlock(ESP_ERR_ESPNOW_NOT_FOUND);
    }
    *peer = now.peers[now.fetched++];
    return unlock(ESP_OK);
}

bool esp_now_is_peer_exist(const uint8_t *peer_addr)
{
    if (enter(peer_addr) != ESP_OK) {
        return false;
    }
    bool known = find(peer_addr) != NULL;
    (void)unlock(ESP_OK);
    return known;
}

esp_err_t esp_now_get_peer_num(esp_now_peer_num_t *num)
{
    esp_err_t err = enter(num);
    if (err != ESP_OK) {
        return err;
    }
    *num = (esp_now_peer_num_t){.total_num = (int)now.count, .encrypt_num = count_encrypted()};
    return unlock(ESP_OK);
}

/* ---- taken, and of no consequence ---- */

esp_err_t esp_now_set_pmk(const uint8_t *pmk)
{
    esp_err_t err = enter(pmk);
    return err != ESP_OK ? err : unlock(ESP_OK);
}

esp_err_t esp_now_set_wake_window(uint16_t window)
{
    (void)window;
    esp_err_t err = enter("");
    return err != ESP_OK ? err : unlock(ESP_OK);
}

esp_err_t esp_now_set_peer_rate_config(const uint8_t *peer_addr, esp_now_rate_config_t *config)
{
    esp_err_t err = enter(config != NULL ? peer_addr : NULL);
    return err != ESP_OK ? err : unlock(find(peer_addr) != NULL ? ESP_OK : ESP_ERR_ESPNOW_NOT_FOUND);
}

esp_err_t esp_wifi_config_espnow_rate(wifi_interface_t ifx, wifi_phy_rate_t rate)
{
    return esp_wifi_config_80211_tx_rate(ifx, rate);
}

esp_err_t esp_now_set_user_oui(uint8_t *oui)
{
    esp_err_t err = enter(oui);
    if (err != ESP_OK) {
        return err;
    }
    memcpy(now.oui, oui, sizeof(now.oui));
    return unlock(ESP_OK);
}

esp_err_t esp_now_get_user_oui(uint8_t *oui)
{
    esp_err_t err = enter(oui);
    if (err != ESP_OK) {
        return err;
    }
    memcpy(oui, now.oui, sizeof(now.oui));
    return unlock(ESP_OK);
}
