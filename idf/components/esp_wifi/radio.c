/* What only a radio could do: what is set is kept and given back; what would be heard or sent is not to be had. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <string.h>

#include "esp_timer.h"
#include "esp_wifi.h"

#define CHANNEL         1
#define STATION_TIMEOUT 6   /* s without a beacon */
#define AP_TIMEOUT      300 /* s without a word of a station */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards `radio` */
static struct {
    wifi_ps_type_t ps;
    int8_t tx_power; /* in quarters of dBm */
    uint8_t protocols[2];
    wifi_bandwidth_t bandwidth[2];
    uint16_t inactive_s[2];
    wifi_country_t country;
    wifi_scan_default_params_t scan;
    wifi_band_mode_t band_mode;
    uint32_t event_mask;
} radio = {
    .ps = WIFI_PS_MIN_MODEM,
    .tx_power = 80,
    .protocols = {WIFI_PROTOCOL_11B | WIFI_PROTOCOL_11G | WIFI_PROTOCOL_11N,
                  WIFI_PROTOCOL_11B | WIFI_PROTOCOL_11G | WIFI_PROTOCOL_11N},
    .bandwidth = {WIFI_BW_HT40, WIFI_BW_HT40},
    .inactive_s = {STATION_TIMEOUT, AP_TIMEOUT},
    .country = {.cc = "01", .schan = 1, .nchan = 11, .policy = WIFI_COUNTRY_POLICY_AUTO},
    .scan = {.scan_time = {.active = {0, 120}, .passive = 360}, .home_chan_dwell_time = 30},
    .band_mode = WIFI_BAND_MODE_2G_ONLY,
    .event_mask = WIFI_EVENT_MASK_AP_PROBEREQRECVED,
};

/** @return ESP_OK: there is a driver */
static esp_err_t check(void)
{
    wifi_mode_t mode;
    return esp_wifi_get_mode(&mode);
}

/** Copies one thing of `radio` in either direction. @return ESP_ERR_INVALID_ARG: NULL; what check() says */
static esp_err_t copy(void *to, const void *from, size_t size)
{
    if (to == NULL || from == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = check();
    if (err == ESP_OK) {
        pthread_mutex_lock(&lock);
        memcpy(to, from, size);
        pthread_mutex_unlock(&lock);
    }
    return err;
}

/** The same with something of one interface. */
static bool is_interface(wifi_interface_t ifx)
{
    return ifx == WIFI_IF_STA || ifx == WIFI_IF_AP;
}

esp_err_t esp_wifi_set_ps(wifi_ps_type_t type)
{
    return type > WIFI_PS_MAX_MODEM ? ESP_ERR_INVALID_ARG : copy(&radio.ps, &type, sizeof(type));
}

esp_err_t esp_wifi_get_ps(wifi_ps_type_t *type)
{
    return copy(type, &radio.ps, sizeof(*type));
}

esp_err_t esp_wifi_set_protocol(wifi_interface_t ifx, uint8_t protocol_bitmap)
{
    return is_interface(ifx) ? copy(&radio.protocols[ifx], &protocol_bitmap, 1) : ESP_ERR_WIFI_IF;
}

esp_err_t esp_wifi_get_protocol(wifi_interface_t ifx, uint8_t *protocol_bitmap)
{
    return is_interface(ifx) ? copy(protocol_bitmap, &radio.protocols[ifx], 1) : ESP_ERR_WIFI_IF;
}

esp_err_t esp_wifi_set_bandwidth(wifi_interface_t ifx, wifi_bandwidth_t bw)
{
    if (bw != WIFI_BW_HT20 && bw != WIFI_BW_HT40) {
        return ESP_ERR_INVALID_ARG;
    }
    return is_interface(ifx) ? copy(&radio.bandwidth[ifx], &bw, sizeof(bw)) : ESP_ERR_WIFI_IF;
}

esp_err_t esp_wifi_get_bandwidth(wifi_interface_t ifx, wifi_bandwidth_t *bw)
{
    return is_interface(ifx) ? copy(bw, &radio.bandwidth[ifx], sizeof(*bw)) : ESP_ERR_WIFI_IF;
}

esp_err_t esp_wifi_set_channel(uint8_t primary, wifi_second_chan_t second)
{
    (void)primary, (void)second;
    return check();
}

esp_err_t esp_wifi_get_channel(uint8_t *primary, wifi_second_chan_t *second)
{
    if (primary == NULL || second == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *primary = CHANNEL;
    *second = WIFI_SECOND_CHAN_NONE;
    return check();
}

esp_err_t esp_wifi_set_country(const wifi_country_t *country)
{
    return copy(&radio.country, country, sizeof(*country));
}

esp_err_t esp_wifi_get_country(wifi_country_t *country)
{
    return copy(country, &radio.country, sizeof(*country));
}

esp_err_t esp_wifi_set_country_code(const char *country, bool ieee80211d_enabled)
{
    (void)ieee80211d_enabled;
    if (country == NULL || strnlen(country, 2) < 2) {
        return ESP_ERR_INVALID_ARG;
    }
    return copy(radio.country.cc, country, 2);
}

esp_err_t esp_wifi_get_country_code(char *country)
{
    return copy(country, radio.country.cc, sizeof(radio.country.cc));
}

esp_err_t esp_wifi_set_max_tx_power(int8_t power)
{
    return power < 8 || power > 84 ? ESP_ERR_INVALID_ARG : copy(&radio.tx_power, &power, 1);
}

esp_err_t esp_wifi_get_max_tx_power(int8_t *power)
{
    return copy(power, &radio.tx_power, 1);
}

esp_err_t esp_wifi_set_inactive_time(wifi_interface_t ifx, uint16_t sec)
{
    if (!is_interface(ifx)) {
        return ESP_ERR_WIFI_IF;
    }
    return sec < (ifx == WIFI_IF_STA ? 3 : 10) ? ESP_ERR_INVALID_ARG
                                               : copy(&radio.inactive_s[ifx], &sec, sizeof(sec));
}

esp_err_t esp_wifi_get_inactive_time(wifi_interface_t ifx, uint16_t *sec)
{
    return is_interface(ifx) ? copy(sec, &radio.inactive_s[ifx], sizeof(*sec)) : ESP_ERR_WIFI_IF;
}

esp_err_t esp_wifi_set_scan_parameters(const wifi_scan_default_params_t *config)
{
    static const wifi_scan_default_params_t usual = {.scan_time = {.active = {0, 120}, .passive = 360},
                                                     .home_chan_dwell_time = 30};
    return copy(&radio.scan, config != NULL ? config : &usual, sizeof(radio.scan));
}

esp_err_t esp_wifi_get_scan_parameters(wifi_scan_default_params_t *config)
{
    return copy(config, &radio.scan, sizeof(*config));
}

esp_err_t esp_wifi_set_event_mask(uint32_t mask)
{
    return copy(&radio.event_mask, &mask, sizeof(mask));
}

esp_err_t esp_wifi_get_event_mask(uint32_t *mask)
{
    return copy(mask, &radio.event_mask, sizeof(*mask));
}

esp_err_t esp_wifi_set_band(wifi_band_t band)
{
    return band == WIFI_BAND_2G ? check() : ESP_ERR_NOT_SUPPORTED;
}

esp_err_t esp_wifi_get_band(wifi_band_t *band)
{
    static const wifi_band_t only = WIFI_BAND_2G;
    return copy(band, &only, sizeof(only));
}

esp_err_t esp_wifi_set_band_mode(wifi_band_mode_t band_mode)
{
    return band_mode == WIFI_BAND_MODE_5G_ONLY ? ESP_ERR_NOT_SUPPORTED
                                               : copy(&radio.band_mode, &band_mode, sizeof(band_mode));
}

esp_err_t esp_wifi_get_band_mode(wifi_band_mode_t *band_mode)
{
    return copy(band_mode, &radio.band_mode, sizeof(*band_mode));
}

/* ---- taken, and of no consequence ---- */

esp_err_t esp_wifi_clear_fast_connect(void)
{
    return check();
}

esp_err_t esp_wifi_deauth_sta(uint16_t aid)
{
    (void)aid; /* this machine comes back at once */
    return check();
}

esp_err_t esp_wifi_set_rssi_threshold(int32_t rssi)
{
    (void)rssi; /* it never falls below */
    return check();
}

esp_err_t esp_wifi_config_11b_rate(wifi_interface_t ifx, bool disable)
{
    (void)disable;
    return is_interface(ifx) ? check() : ESP_ERR_WIFI_IF;
}

esp_err_t esp_wifi_config_80211_tx_rate(wifi_interface_t ifx, wifi_phy_rate_t rate)
{
    (void)rate;
    return is_interface(ifx) ? check() : ESP_ERR_WIFI_IF;
}

esp_err_t esp_wifi_disable_pmf_config(wifi_interface_t ifx)
{
    return is_interface(ifx) ? check() : ESP_ERR_WIFI_IF;
}

esp_err_t esp_wifi_connectionless_module_set_wake_interval(uint16_t wake_interval)
{
    (void)wake_interval;
    return check();
}

esp_err_t esp_wifi_force_wakeup_acquire(void)
{
    return check();
}

esp_err_t esp_wifi_force_wakeup_release(void)
{
    return check();
}

esp_err_t esp_wifi_set_dynamic_cs(bool enabled)
{
    (void)enabled;
    return check();
}

esp_err_t esp_wifi_statis_dump(uint32_t modules)
{
    (void)modules;
    return check();
}

esp_err_t esp_wifi_set_vendor_ie(bool enable, wifi_vendor_ie_type_t type, wifi_vendor_ie_id_t idx,
                                 const void *vnd_ie)
{
    (void)type, (void)idx;
    return enable && vnd_ie == NULL ? ESP_ERR_INVALID_ARG : check();
}

esp_err_t esp_wifi_set_vendor_ie_cb(esp_vendor_ie_cb_t cb, void *ctx)
{
    (void)cb, (void)ctx; /* nobody sends any */
    return check();
}

int64_t esp_wifi_get_tsf_time(wifi_interface_t interface)
{
    return is_interface(interface) && check() == ESP_OK ? esp_timer_get_time() : 0;
}

esp_err_t esp_wifi_sta_get_aid(uint16_t *aid)
{
    wifi_ap_record_t record;
    if (aid == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *aid = esp_wifi_sta_get_ap_info(&record) == ESP_OK;
    return check();
}

esp_err_t esp_wifi_sta_get_negotiated_phymode(wifi_phy_mode_t *phymode)
{
    wifi_ap_record_t record;
    esp_err_t err = phymode != NULL ? esp_wifi_sta_get_ap_info(&record) : ESP_ERR_INVALID_ARG;
    if (err == ESP_OK) {
        *phymode = WIFI_PHY_MODE_HT20;
    }
    return err;
}

/* ---- what would be heard or sent ---- */

esp_err_t esp_wifi_set_promiscuous(bool en)
{
    return en ? ESP_ERR_NOT_SUPPORTED : check();
}

esp_err_t esp_wifi_get_promiscuous(bool *en)
{
    static const bool never = false;
    return copy(en, &never, sizeof(never));
}

esp_err_t esp_wifi_set_promiscuous_rx_cb(wifi_promiscuous_cb_t cb)
{
    (void)cb; /* esp_wifi_set_promiscuous() refuses */
    return check();
}

esp_err_t esp_wifi_set_promiscuous_filter(const wifi_promiscuous_filter_t *filter)
{
    return filter != NULL ? check() : ESP_ERR_INVALID_ARG;
}

esp_err_t esp_wifi_80211_tx(wifi_interface_t ifx, const void *buffer, int len, bool en_sys_seq)
{
    (void)ifx, (void)len, (void)en_sys_seq;
    return buffer != NULL ? ESP_ERR_NOT_SUPPORTED : ESP_ERR_INVALID_ARG;
}

esp_err_t esp_wifi_set_csi(bool en)
{
    return en ? ESP_ERR_NOT_SUPPORTED : check();
}

esp_err_t esp_wifi_set_csi_rx_cb(wifi_csi_cb_t cb, void *ctx)
{
    (void)cb, (void)ctx; /* esp_wifi_set_csi() refuses */
    return check();
}

esp_err_t esp_wifi_ftm_end_session(void)
{
    return ESP_ERR_NOT_SUPPORTED;
}
