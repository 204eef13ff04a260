/* What has been asked for by fewer projects: temperature, the ADC by its old names, PSRAM, core dumps, random bytes, ping. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "more.h"

#include <stdio.h>
#include <string.h>

#include "driver/temperature_sensor.h"
#include "driver/touch_pad.h"
#include "esp_adc_cal.h"
#include "esp_core_dump.h"
#include "esp_crc.h"
#include "esp_eap_client.h"
#include "esp_psram.h"
#include "esp_smartconfig.h"
#include "soc/adc_channel.h"
#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"
#include "mbedtls/ctr_drbg.h"
#include "ping/ping_sock.h"

static void ask_temperature(void)
{
    const temperature_sensor_config_t config = TEMPERATURE_SENSOR_CONFIG_DEFAULT(-10, 20);
    temperature_sensor_handle_t sensor, other;
    float degrees = 0;
    ESP_ERROR_CHECK(temperature_sensor_install(&config, &sensor));
    esp_err_t twice = temperature_sensor_install(&config, &other);
    esp_err_t early = temperature_sensor_get_celsius(sensor, &degrees);
    ESP_ERROR_CHECK(temperature_sensor_enable(sensor));
    ESP_ERROR_CHECK(temperature_sensor_get_celsius(sensor, &degrees));
    printf("temperature 0x%x 0x%x, %.1f\n", twice, early, (double)degrees);
    esp_err_t enabled = temperature_sensor_uninstall(sensor);
    ESP_ERROR_CHECK(temperature_sensor_disable(sensor));
    printf("sensor 0x%x, then 0x%x\n", enabled, temperature_sensor_uninstall(sensor));
}

static void ask_adc(void)
{
    esp_adc_cal_characteristics_t chars;
    int raw = 0;
    ESP_ERROR_CHECK(adc1_config_width(ADC_WIDTH_BIT_10));
    ESP_ERROR_CHECK(adc1_config_channel_atten(ADC1_CHANNEL_3, ADC_ATTEN_DB_11));
    ESP_ERROR_CHECK(adc2_get_raw(ADC2_CHANNEL_1, ADC_WIDTH_BIT_12, &raw));
    esp_adc_cal_value_t by =
        esp_adc_cal_characterize(ADC_UNIT_1, ADC_ATTEN_DB_11, ADC_WIDTH_BIT_10, 1100, &chars);
    printf("old adc %d %d %d, by %d %u mV, efuse 0x%x\n", adc1_get_raw(ADC1_CHANNEL_3), adc1_get_raw(10), raw,
           by, (unsigned)esp_adc_cal_raw_to_voltage(512, &chars),
           esp_adc_cal_check_efuse(ESP_ADC_CAL_VAL_EFUSE_TP));
}

static void ask_random(void)
{
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context drbg;
    unsigned char bytes[16] = {0}, before[16] = {0};
    mbedtls_entropy_init(&entropy);
    mbedtls_ctr_drbg_init(&drbg);
    int unseeded = mbedtls_ctr_drbg_random(&drbg, bytes, sizeof(bytes));
    int seeded = mbedtls_ctr_drbg_seed(&drbg, mbedtls_entropy_func, &entropy, NULL, 0);
    int drawn = mbedtls_ctr_drbg_random(&drbg, bytes, sizeof(bytes));
    printf("random %d %d %d, other bytes %d\n", unseeded, seeded, drawn,
           memcmp(bytes, before, sizeof(bytes)) != 0);
    mbedtls_ctr_drbg_free(&drbg);
    mbedtls_entropy_free(&entropy);
}

static void ask_touch(void)
{
    uint16_t value = 0, threshold = 0;
    esp_err_t early = touch_pad_read(TOUCH_PAD_NUM3, &value);
    ESP_ERROR_CHECK(touch_pad_init());
    ESP_ERROR_CHECK(touch_pad_config(TOUCH_PAD_NUM3, 40));
    ESP_ERROR_CHECK(touch_pad_read(TOUCH_PAD_NUM3, &value));
    ESP_ERROR_CHECK(touch_pad_get_thresh(TOUCH_PAD_NUM3, &threshold));
    printf("touch 0x%x, then %d of %d, none 0x%x\n", early, value, threshold,
           touch_pad_read(TOUCH_PAD_MAX, &value));
}

static void on_phone(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)base;
    const smartconfig_event_got_ssid_pswd_t *network = data;
    printf("phone %d %s\n", (int)id, id == SC_EVENT_GOT_SSID_PSWD ? (const char *)network->ssid : "");
    if (id == SC_EVENT_GOT_SSID_PSWD) {
        xSemaphoreGive(arg);
    }
}

static void ask_phone(void)
{
    const smartconfig_start_config_t config = SMARTCONFIG_START_CONFIG_DEFAULT();
    SemaphoreHandle_t got = xSemaphoreCreateBinary();
    ESP_ERROR_CHECK(esp_event_handler_register(SC_EVENT, ESP_EVENT_ANY_ID, on_phone, got));
    ESP_ERROR_CHECK(esp_smartconfig_set_type(SC_TYPE_ESPTOUCH));
    ESP_ERROR_CHECK(esp_smartconfig_start(&config));
    bool in_time = xSemaphoreTake(got, pdMS_TO_TICKS(10000));
    esp_err_t twice = esp_smartconfig_start(&config);
    ESP_ERROR_CHECK(esp_smartconfig_stop());
    printf("phone in time %d, twice 0x%x, enterprise 0x%x, pin %d\n", in_time, twice,
           esp_eap_client_set_identity(NULL, 0), ADC1_CHANNEL_0_GPIO_NUM);
    ESP_ERROR_CHECK(esp_event_handler_unregister(SC_EVENT, ESP_EVENT_ANY_ID, on_phone));
}

static void on_end(esp_ping_handle_t session, void *arg)
{
    uint32_t sent = 0, answered = 0;
    ESP_ERROR_CHECK(esp_ping_get_profile(session, ESP_PING_PROF_REQUEST, &sent, sizeof(sent)));
    ESP_ERROR_CHECK(esp_ping_get_profile(session, ESP_PING_PROF_REPLY, &answered, sizeof(answered)));
    printf("ping sent %u, answered all or none %d, other size 0x%x\n", (unsigned)sent,
           answered == 0 || answered == sent,
           esp_ping_get_profile(session, ESP_PING_PROF_TTL, &sent, sizeof(sent)));
    xSemaphoreGive(arg);
}

static void ask_ping(void)
{
    SemaphoreHandle_t end = xSemaphoreCreateBinary();
    esp_ping_config_t config = ESP_PING_DEFAULT_CONFIG();
    const esp_ping_callbacks_t callbacks = {.cb_args = end, .on_ping_end = on_end};
    esp_ping_handle_t session;
    config.count = 3;
    config.interval_ms = 10;
    config.timeout_ms = 100;
    ipaddr_aton("127.0.0.1", &config.target_addr);
    ESP_ERROR_CHECK(esp_ping_new_session(&config, &callbacks, &session));
    for (int i = 0; i < 2; i++) {
        ESP_ERROR_CHECK(esp_ping_start(session));
        printf("ping ended %d\n", (int)xSemaphoreTake(end, pdMS_TO_TICKS(10000)));
    }
    ESP_ERROR_CHECK(esp_ping_delete_session(session));
}

void ask_more(void)
{
    esp_core_dump_summary_t summary;
    ask_temperature();
    ask_adc();
    ask_random();
    ask_touch();
    ask_phone();
    printf("psram %d %d, core dump 0x%x, crc 0x%x\n", esp_psram_is_initialized(), (int)esp_psram_get_size(),
           esp_core_dump_get_summary(&summary), (unsigned)esp_crc32_le(0, (const uint8_t *)"123456789", 9));
    ask_ping();
    ask_names();
    ask_provision();
}
