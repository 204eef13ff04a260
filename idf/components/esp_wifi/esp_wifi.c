/* The state of a Wi-Fi driver, and the events that it posts. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_wifi.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "esp_log.h"
#include "esp_mac.h"
#include "freertos/FreeRTOS.h"
#include "nvs.h"
#include "tcpip_adapter.h"

#define POST_WAIT_TICKS pdMS_TO_TICKS(1000)
#define CHANNEL         1
#define RSSI            (-40)

static const char TAG[] = "wifi";
static const uint8_t access_point[6] = {0x02, 0x00, 0x00, 0x6F, 0x74, 0x72};

ESP_EVENT_DEFINE_BASE(WIFI_EVENT);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards `wifi` */
static struct {
    bool ready, started, connected, scanned, told;
    wifi_mode_t mode;
    wifi_config_t config[2]; /* by WIFI_IF_STA and WIFI_IF_AP */
    uint8_t mac[2][6];
    bool keeps; /* in NVS what is configured */
} wifi;

static bool has_station(void)
{
    return wifi.mode == WIFI_MODE_STA || wifi.mode == WIFI_MODE_APSTA;
}

static bool has_access_point(void)
{
    return wifi.mode == WIFI_MODE_AP || wifi.mode == WIFI_MODE_APSTA;
}

static esp_err_t post(int32_t id, const void *data, size_t len)
{
    esp_err_t err = esp_event_post(WIFI_EVENT, id, data, len, POST_WAIT_TICKS);
    if (err != ESP_OK && err != ESP_ERR_INVALID_STATE) { /* without an event loop nobody wants to hear it */
        ESP_LOGE(TAG, "event %d is lost: %s", (int)id, esp_err_to_name(err));
    }
    return ESP_OK;
}

/** Ends the function that has locked. */
static esp_err_t unlock(esp_err_t err)
{
    pthread_mutex_unlock(&lock);
    return err;
}

/** @return ESP_OK: it is locked, and what is wanted of the driver's state is so */
static esp_err_t enter(bool started)
{
    pthread_mutex_lock(&lock);
    return !wifi.ready                ? unlock(ESP_ERR_WIFI_NOT_INIT)
           : started && !wifi.started ? unlock(ESP_ERR_WIFI_NOT_STARTED)
                                      : ESP_OK;
}

/* ---- what outlives a restart: the mode and both configurations, unless esp_wifi_set_storage() says otherwise ---- */

static const char *const keys[] = {[WIFI_IF_STA] = "sta.config", [WIFI_IF_AP] = "ap.config"};

/** @return ESP_OK; ESP_ERR_NVS_NOT_INITIALIZED: the application has no NVS; ESP_ERR_NVS_NOT_FOUND: nothing is kept */
static esp_err_t open_kept(nvs_open_mode_t mode, nvs_handle_t *nvs)
{
    return nvs_open("nvs.net80211", mode, nvs);
}

static void load(void)
{
    nvs_handle_t nvs;
    uint8_t mode = WIFI_MODE_NULL;
    wifi_config_t kept[2] = {0};
    esp_err_t err = open_kept(NVS_READONLY, &nvs);
    if (err == ESP_ERR_NVS_NOT_INITIALIZED) {
        ESP_LOGW(TAG, "esp_wifi_init() before nvs_flash_init(): on a chip it is ESP_ERR_NVS_NOT_INITIALIZED");
    }
    if (err != ESP_OK) {
        return;
    }
    for (size_t i = 0; i < 2; i++) {
        size_t len = sizeof(kept[i]);
        if (nvs_get_blob(nvs, keys[i], &kept[i], &len) != ESP_OK || len != sizeof(kept[i])) {
            memset(&kept[i], 0, sizeof(kept[i])); /* none, or of another version */
        }
    }
    if (nvs_get_u8(nvs, "opmode", &mode) != ESP_OK || mode >= WIFI_MODE_NAN) {
        mode = WIFI_MODE_NULL;
    }
    nvs_close(nvs);
    pthread_mutex_lock(&lock);
    memcpy(wifi.config, kept, sizeof(kept));
    wifi.mode = mode != WIFI_MODE_NULL ? (wifi_mode_t)mode : wifi.mode;
    (void)unlock(ESP_OK);
}

/** Whether changes go into NVS. */
static bool is_keeping(void)
{
    pthread_mutex_lock(&lock);
    bool keeps = wifi.keeps;
    (void)unlock(ESP_OK);
    return keeps;
}

/** An application without NVS, which has been told so, keeps nothing; what fails is told. */
static esp_err_t end_keeping(nvs_handle_t nvs, esp_err_t err)
{
    err = err == ESP_OK ? nvs_commit(nvs) : err;
    nvs_close(nvs);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "the configuration is not kept: %s", esp_err_to_name(err));
    }
    return err == ESP_OK ? ESP_OK : ESP_ERR_WIFI_NVS;
}

/** What is there already is not written again. */
static esp_err_t keep_config(wifi_interface_t interface, const wifi_config_t *conf)
{
    nvs_handle_t nvs;
    wifi_config_t kept;
    size_t len = sizeof(kept);
    if (!is_keeping() || open_kept(NVS_READWRITE, &nvs) != ESP_OK) {
        return ESP_OK;
    }
    bool same = nvs_get_blob(nvs, keys[interface], &kept, &len) == ESP_OK && len == sizeof(kept);
    /* Where bytes between the members differ, it is written once more. NOLINTNEXTLINE(bugprone-suspicious-memory-comparison) */
    same = same && memcmp(&kept, conf, sizeof(kept)) == 0;
    return end_keeping(nvs, same ? ESP_OK : nvs_set_blob(nvs, keys[interface], conf, sizeof(*conf)));
}

static esp_err_t keep_mode(wifi_mode_t mode)
{
    nvs_handle_t nvs;
    uint8_t kept;
    if (!is_keeping() || open_kept(NVS_READWRITE, &nvs) != ESP_OK) {
        return ESP_OK;
    }
    bool same = nvs_get_u8(nvs, "opmode", &kept) == ESP_OK && kept == mode;
    return end_keeping(nvs, same ? ESP_OK : nvs_set_u8(nvs, "opmode", (uint8_t)mode));
}

static esp_err_t forget(void)
{
    nvs_handle_t nvs;
    if (open_kept(NVS_READWRITE, &nvs) != ESP_OK) {
        return ESP_OK; /* there is nothing */
    }
    return end_keeping(nvs, nvs_erase_all(nvs));
}

esp_err_t esp_wifi_set_storage(wifi_storage_t storage)
{
    if (storage != WIFI_STORAGE_FLASH && storage != WIFI_STORAGE_RAM) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = enter(false);
    if (err != ESP_OK) {
        return err;
    }
    wifi.keeps = storage == WIFI_STORAGE_FLASH;
    return unlock(ESP_OK);
}

/* ---- its life ---- */

esp_err_t esp_wifi_init(const wifi_init_config_t *config)
{
    if (config == NULL || config->magic != WIFI_INIT_CONFIG_MAGIC) {
        return ESP_ERR_INVALID_ARG;
    }
    pthread_mutex_lock(&lock);
    bool first_time = !wifi.told, begins = !wifi.ready;
    if (begins && (esp_read_mac(wifi.mac[0], ESP_MAC_WIFI_STA) != ESP_OK ||
                   esp_read_mac(wifi.mac[1], ESP_MAC_WIFI_SOFTAP) != ESP_OK)) {
        return unlock(ESP_FAIL);
    }
    wifi.ready = wifi.told = true;
    wifi.mode = wifi.mode == WIFI_MODE_NULL ? WIFI_MODE_STA : wifi.mode;
    wifi.keeps = begins ? config->nvs_enable != 0 : wifi.keeps;
    (void)unlock(ESP_OK);
    if (begins && config->nvs_enable != 0) {
        load();
    }
    if (first_time) {
        ESP_LOGI(TAG, "a stand-in without a radio: every network is there, and is this machine's own");
    }
    return tcpip_adapter_set_default_wifi_handlers();
}

esp_err_t esp_wifi_deinit(void)
{
    esp_err_t err = enter(false);
    if (err != ESP_OK) {
        return err;
    }
    if (wifi.started) {
        return unlock(ESP_ERR_WIFI_NOT_STOPPED);
    }
    wifi.ready = false;
    return unlock(ESP_OK);
}

esp_err_t esp_wifi_set_mode(wifi_mode_t mode)
{
    esp_err_t err = enter(false);
    if (err != ESP_OK) {
        return err;
    }
    if (mode >= WIFI_MODE_NAN) {
        return unlock(mode == WIFI_MODE_NAN ? ESP_ERR_NOT_SUPPORTED : ESP_ERR_INVALID_ARG);
    }
    wifi.mode = mode;
    (void)unlock(ESP_OK);
    return keep_mode(mode);
}

esp_err_t esp_wifi_get_mode(wifi_mode_t *mode)
{
    if (mode == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = enter(false);
    if (err != ESP_OK) {
        return err;
    }
    *mode = wifi.mode;
    return unlock(ESP_OK);
}

/* ---- the one station of an access point: this machine, which reaches what the device serves ---- */

static void join_access_point(void)
{
    wifi_event_ap_staconnected_t joined = {.aid = 1};
    ip_event_ap_staipassigned_t assigned = {.ip.addr = ESP_IP4TOADDR(127, 0, 0, 1)};
    memcpy(joined.mac, access_point, sizeof(joined.mac));
    memcpy(assigned.mac, access_point, sizeof(assigned.mac));
    (void)post(WIFI_EVENT_AP_STACONNECTED, &joined, sizeof(joined));
    esp_err_t err =
        esp_event_post(IP_EVENT, IP_EVENT_AP_STAIPASSIGNED, &assigned, sizeof(assigned), POST_WAIT_TICKS);
    if (err != ESP_OK && err != ESP_ERR_INVALID_STATE) { /* without an event loop nobody wants to hear it */
        ESP_LOGE(TAG, "the event of a station's address is lost: %s", esp_err_to_name(err));
    }
}

static void leave_access_point(void)
{
    wifi_event_ap_stadisconnected_t left = {.aid = 1, .reason = WIFI_REASON_ASSOC_LEAVE};
    memcpy(left.mac, access_point, sizeof(left.mac));
    (void)post(WIFI_EVENT_AP_STADISCONNECTED, &left, sizeof(left));
}

esp_err_t esp_wifi_start(void)
{
    esp_err_t err = enter(false);
    if (err != ESP_OK) {
        return err;
    }
    bool station = has_station() && !wifi.started, ap = has_access_point() && !wifi.started;
    wifi.started = true;
    (void)unlock(ESP_OK);
    err = station ? post(WIFI_EVENT_STA_START, NULL, 0) : ESP_OK;
    if (ap) {
        err = post(WIFI_EVENT_AP_START, NULL, 0);
        join_access_point();
    }
    return err;
}

static size_t ssid_length(void)
{
    return strnlen((const char *)wifi.config[WIFI_IF_STA].sta.ssid, sizeof(wifi.config[0].sta.ssid));
}

static void leave(void)
{
    wifi_event_sta_disconnected_t left = {.reason = WIFI_REASON_ASSOC_LEAVE, .rssi = RSSI};
    pthread_mutex_lock(&lock);
    bool was = wifi.connected;
    wifi.connected = false;
    left.ssid_len = (uint8_t)ssid_length();
    memcpy(left.ssid, wifi.config[WIFI_IF_STA].sta.ssid, sizeof(left.ssid));
    memcpy(left.bssid, access_point, sizeof(left.bssid));
    (void)unlock(ESP_OK);
    if (was) {
        (void)post(WIFI_EVENT_STA_DISCONNECTED, &left, sizeof(left));
    }
}

esp_err_t esp_wifi_stop(void)
{
    esp_err_t err = enter(false);
    if (err != ESP_OK) {
        return err;
    }
    bool station = has_station() && wifi.started, ap = has_access_point() && wifi.started;
    (void)unlock(ESP_OK);
    leave();
    pthread_mutex_lock(&lock);
    wifi.started = false;
    (void)unlock(ESP_OK);
    err = station ? post(WIFI_EVENT_STA_STOP, NULL, 0) : ESP_OK;
    if (ap) {
        leave_access_point();
        err = post(WIFI_EVENT_AP_STOP, NULL, 0);
    }
    return err;
}

esp_err_t esp_wifi_restore(void)
{
    esp_err_t err = enter(false);
    if (err != ESP_OK) {
        return err;
    }
    memset(wifi.config, 0, sizeof(wifi.config));
    wifi.mode = WIFI_MODE_STA;
    (void)unlock(ESP_OK);
    return forget();
}

esp_err_t esp_wifi_connect(void)
{
    wifi_event_sta_connected_t joined = {.channel = CHANNEL, .aid = 1};
    esp_err_t err = enter(true);
    if (err != ESP_OK) {
        return err;
    }
    if (!has_station()) {
        return unlock(ESP_ERR_WIFI_MODE);
    }
    if (ssid_length() == 0) {
        return unlock(ESP_ERR_WIFI_SSID);
    }
    if (wifi.connected) {
        return unlock(ESP_OK);
    }
    wifi.connected = true;
    joined.ssid_len = (uint8_t)ssid_length();
    memcpy(joined.ssid, wifi.config[WIFI_IF_STA].sta.ssid, sizeof(joined.ssid));
    memcpy(joined.bssid, access_point, sizeof(joined.bssid));
    joined.authmode = wifi.config[WIFI_IF_STA].sta.password[0] != '\0' ? WIFI_AUTH_WPA2_PSK : WIFI_AUTH_OPEN;
    (void)unlock(ESP_OK);
    return post(WIFI_EVENT_STA_CONNECTED, &joined, sizeof(joined));
}

esp_err_t esp_wifi_disconnect(void)
{
    esp_err_t err = enter(true);
    if (err != ESP_OK) {
        return err;
    }
    (void)unlock(ESP_OK);
    leave();
    return ESP_OK;
}

/* ---- scans ---- */

esp_err_t esp_wifi_scan_start(const wifi_scan_config_t *config, bool block)
{
    (void)config, (void)block; /* what is to be found is known at once */
    wifi_event_sta_scan_done_t done = {0};
    esp_err_t err = enter(true);
    if (err != ESP_OK) {
        return err;
    }
    wifi.scanned = true;
    done.number = ssid_length() > 0;
    (void)unlock(ESP_OK);
    return post(WIFI_EVENT_SCAN_DONE, &done, sizeof(done));
}

esp_err_t esp_wifi_scan_stop(void)
{
    esp_err_t err = enter(true);
    return err != ESP_OK ? err : unlock(ESP_OK);
}

esp_err_t esp_wifi_clear_ap_list(void)
{
    esp_err_t err = enter(false);
    if (err != ESP_OK) {
        return err;
    }
    wifi.scanned = false;
    return unlock(ESP_OK);
}

static void describe(wifi_ap_record_t *record)
{
    *record = (wifi_ap_record_t){
        .primary = CHANNEL,
        .rssi = RSSI,
        .authmode = wifi.config[WIFI_IF_STA].sta.password[0] != '\0' ? WIFI_AUTH_WPA2_PSK : WIFI_AUTH_OPEN};
    memcpy(record->bssid, access_point, sizeof(record->bssid));
    memcpy(record->ssid, wifi.config[WIFI_IF_STA].sta.ssid, ssid_length());
}

esp_err_t esp_wifi_scan_get_ap_num(uint16_t *number)
{
    if (number == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = enter(false);
    if (err != ESP_OK) {
        return err;
    }
    *number = wifi.scanned && ssid_length() > 0;
    return unlock(ESP_OK);
}

esp_err_t esp_wifi_scan_get_ap_records(uint16_t *number, wifi_ap_record_t *ap_records)
{
    if (number == NULL || ap_records == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = enter(false);
    if (err != ESP_OK) {
        return err;
    }
    uint16_t room = *number;
    *number = room > 0 && wifi.scanned && ssid_length() > 0;
    if (*number > 0) {
        describe(ap_records);
    }
    wifi.scanned = false; /* as the driver, which frees the list */
    return unlock(ESP_OK);
}

esp_err_t esp_wifi_scan_get_ap_record(wifi_ap_record_t *ap_record)
{
    uint16_t one = 1;
    esp_err_t err = ap_record != NULL ? esp_wifi_scan_get_ap_records(&one, ap_record) : ESP_ERR_INVALID_ARG;
    return err == ESP_OK && one == 0 ? ESP_FAIL : err;
}

esp_err_t esp_wifi_sta_get_ap_info(wifi_ap_record_t *ap_info)
{
    if (ap_info == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = enter(true);
    if (err != ESP_OK) {
        return err;
    }
    if (!wifi.connected) {
        return unlock(ESP_ERR_WIFI_NOT_CONNECT);
    }
    describe(ap_info);
    return unlock(ESP_OK);
}

esp_err_t esp_wifi_sta_get_rssi(int *rssi)
{
    wifi_ap_record_t record;
    esp_err_t err = rssi != NULL ? esp_wifi_sta_get_ap_info(&record) : ESP_ERR_INVALID_ARG;
    if (err == ESP_OK) {
        *rssi = RSSI; /* as the record says */
    }
    return err;
}

esp_err_t esp_wifi_ap_get_sta_list(wifi_sta_list_t *sta)
{
    if (sta == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    memset(sta, 0, sizeof(*sta));
    esp_err_t err = enter(true);
    if (err != ESP_OK) {
        return err;
    }
    bool ap = has_access_point();
    if (ap) {
        memcpy(sta->sta[0].mac, access_point, sizeof(sta->sta[0].mac));
        sta->sta[0].rssi = RSSI;
        sta->num = 1;
    }
    return unlock(ap ? ESP_OK : ESP_ERR_WIFI_MODE);
}

esp_err_t esp_wifi_ap_get_sta_aid(const uint8_t mac[6], uint16_t *aid)
{
    wifi_sta_list_t list;
    esp_err_t err = mac != NULL && aid != NULL ? esp_wifi_ap_get_sta_list(&list) : ESP_ERR_INVALID_ARG;
    if (err != ESP_OK) {
        return err;
    }
    *aid = list.num > 0 && memcmp(mac, access_point, sizeof(access_point)) == 0;
    return *aid != 0 ? ESP_OK : ESP_ERR_NOT_FOUND;
}

/* ---- what is configured ---- */

/** Locked, and of an interface that the mode has. */
static esp_err_t enter_interface(wifi_interface_t interface)
{
    esp_err_t err = enter(false);
    if (err != ESP_OK) {
        return err;
    }
    if (interface != WIFI_IF_STA && interface != WIFI_IF_AP) {
        return unlock(ESP_ERR_WIFI_IF);
    }
    return (interface == WIFI_IF_STA ? has_station() : has_access_point()) ? ESP_OK
                                                                           : unlock(ESP_ERR_WIFI_MODE);
}

esp_err_t esp_wifi_set_config(wifi_interface_t interface, wifi_config_t *conf)
{
    if (conf == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = enter_interface(interface);
    if (err != ESP_OK) {
        return err;
    }
    wifi.config[interface] = *conf;
    (void)unlock(ESP_OK);
    return keep_config(interface, conf);
}

esp_err_t esp_wifi_get_config(wifi_interface_t interface, wifi_config_t *conf)
{
    if (conf == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = enter_interface(interface);
    if (err != ESP_OK) {
        return err;
    }
    *conf = wifi.config[interface];
    return unlock(ESP_OK);
}

esp_err_t esp_wifi_set_mac(wifi_interface_t ifx, const uint8_t mac[6])
{
    if (mac == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = enter_interface(ifx);
    if (err != ESP_OK) {
        return err;
    }
    if ((mac[0] & 1) != 0) {
        return unlock(ESP_ERR_WIFI_MAC); /* of a group */
    }
    memcpy(wifi.mac[ifx], mac, sizeof(wifi.mac[ifx]));
    return unlock(ESP_OK);
}

esp_err_t esp_wifi_get_mac(wifi_interface_t ifx, uint8_t mac[6])
{
    if (mac == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = enter_interface(ifx);
    if (err != ESP_OK) {
        return err;
    }
    memcpy(mac, wifi.mac[ifx], sizeof(wifi.mac[ifx]));
    return unlock(ESP_OK);
}

/* ---- interfaces that follow the events ---- */

esp_err_t esp_netif_attach_wifi_station(esp_netif_t *netif)
{
    return esp_netif_attach(netif, &wifi.config[WIFI_IF_STA]);
}

esp_err_t esp_netif_attach_wifi_ap(esp_netif_t *netif)
{
    return esp_netif_attach(netif, &wifi.config[WIFI_IF_AP]);
}

static esp_netif_t *attached_to(const void *driver)
{
    esp_netif_t *each = esp_netif_next(NULL);
    while (each != NULL && esp_netif_get_io_driver(each) != driver) {
        each = esp_netif_next(each);
    }
    return each;
}

static void follow_station(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)arg;
    esp_netif_t *netif = attached_to(&wifi.config[WIFI_IF_STA]);
    if (netif == NULL) {
        return;
    }
    if (id == WIFI_EVENT_STA_START) {
        esp_netif_action_start(netif, base, id, data);
    } else if (id == WIFI_EVENT_STA_CONNECTED) {
        esp_netif_action_connected(netif, base, id, data);
    } else if (id == WIFI_EVENT_STA_DISCONNECTED || id == WIFI_EVENT_STA_STOP) {
        esp_netif_action_disconnected(netif, base, id, data);
    }
}

static void follow_access_point(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)arg;
    esp_netif_t *netif = attached_to(&wifi.config[WIFI_IF_AP]);
    if (netif != NULL && id == WIFI_EVENT_AP_START) {
        esp_netif_action_start(netif, base, id, data);
    } else if (netif != NULL && id == WIFI_EVENT_AP_STOP) {
        esp_netif_action_stop(netif, base, id, data);
    }
}

esp_err_t esp_wifi_set_default_wifi_sta_handlers(void)
{
    return esp_event_handler_register(WIFI_EVENT, ESP_EVENT_ANY_ID, follow_station, NULL);
}

esp_err_t esp_wifi_set_default_wifi_ap_handlers(void)
{
    return esp_event_handler_register(WIFI_EVENT, ESP_EVENT_ANY_ID, follow_access_point, NULL);
}

esp_err_t esp_wifi_clear_default_wifi_driver_and_handlers(void *netif)
{
    const void *driver = esp_netif_get_io_driver(netif);
    return esp_event_handler_unregister(WIFI_EVENT, ESP_EVENT_ANY_ID,
                                        driver == &wifi.config[WIFI_IF_AP] ? follow_access_point
                                                                           : follow_station);
}

esp_netif_t *esp_netif_create_wifi(wifi_interface_t wifi_if, const esp_netif_inherent_config_t *config)
{
    const esp_netif_config_t whole = {.base = config};
    esp_netif_t *netif = esp_netif_new(&whole);
    if (netif != NULL) {
        (void)esp_netif_set_mac(netif, wifi.mac[wifi_if == WIFI_IF_AP]);
        (void)(wifi_if == WIFI_IF_AP ? esp_netif_attach_wifi_ap(netif)
                                     : esp_netif_attach_wifi_station(netif));
    }
    return netif;
}

static esp_netif_t *create_default(wifi_interface_t interface, const esp_netif_inherent_config_t *base,
                                   esp_err_t (*set_handlers)(void))
{
    esp_netif_t *netif = esp_netif_create_wifi(interface, base);
    if (netif == NULL) {
        ESP_LOGE(TAG, "no interface '%s'", base->if_key);
        abort(); /* as ESP-IDF: its callers look at nothing */
    }
    ESP_ERROR_CHECK(set_handlers());
    return netif;
}

esp_netif_t *esp_netif_create_default_wifi_sta(void)
{
    return create_default(WIFI_IF_STA, ESP_NETIF_BASE_DEFAULT_WIFI_STA,
                          esp_wifi_set_default_wifi_sta_handlers);
}

esp_netif_t *esp_netif_create_default_wifi_ap(void)
{
    return create_default(WIFI_IF_AP, ESP_NETIF_BASE_DEFAULT_WIFI_AP, esp_wifi_set_default_wifi_ap_handlers);
}

void esp_netif_destroy_default_wifi(void *netif)
{
    if (netif != NULL) {
        (void)esp_wifi_clear_default_wifi_driver_and_handlers(netif);
        esp_netif_destroy(netif);
    }
}
