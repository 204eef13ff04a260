/* Asks each of them once. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "console.h"
#include "driver/gptimer.h"
#include "driver/i2c.h"
#include "driver/i2c_master.h"
#include "driver/ledc.h"
#include "driver/spi_master.h"
#include "driver/uart.h"
#include "esp_adc/adc_oneshot.h"
#include "esp_bt.h"
#include "esp_netif_sntp.h"
#include "esp_sntp.h"
#include "esp_vfs_dev.h"
#include "esp_wifi.h"
#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"
#include "freertos/task.h"
#include "led_strip.h"
#include "linenoise/linenoise.h"
#include "mdns.h"
#include "more.h"

static SemaphoreHandle_t rung;

static bool on_alarm(gptimer_handle_t timer, const gptimer_alarm_event_data_t *data, void *arg)
{
    (void)timer, (void)arg;
    if (data->alarm_value == 5000 && data->count_value >= 5000) {
        xSemaphoreGive(rung);
    }
    return false;
}

static void ask_timer(void)
{
    gptimer_handle_t timer;
    uint64_t count;
    rung = xSemaphoreCreateCounting(10, 0);
    const gptimer_config_t config = {.direction = GPTIMER_COUNT_UP, .resolution_hz = 1000000};
    const gptimer_event_callbacks_t callbacks = {.on_alarm = on_alarm};
    const gptimer_alarm_config_t alarm = {.alarm_count = 5000, .flags.auto_reload_on_alarm = true};
    ESP_ERROR_CHECK(gptimer_new_timer(&config, &timer));
    printf("start before enable 0x%x\n", gptimer_start(timer));
    ESP_ERROR_CHECK(gptimer_register_event_callbacks(timer, &callbacks, NULL));
    ESP_ERROR_CHECK(gptimer_set_alarm_action(timer, &alarm));
    ESP_ERROR_CHECK(gptimer_enable(timer));
    ESP_ERROR_CHECK(gptimer_start(timer));
    int alarms = 0;
    while (alarms < 3 && xSemaphoreTake(rung, pdMS_TO_TICKS(10000)) == pdTRUE) {
        alarms++;
    }
    ESP_ERROR_CHECK(gptimer_stop(timer));
    ESP_ERROR_CHECK(gptimer_set_raw_count(timer, 7));
    ESP_ERROR_CHECK(gptimer_get_raw_count(timer, &count));
    printf("%d alarms, then it stands at %d\n", alarms, (int)count);
    printf("delete before disable 0x%x\n", gptimer_del_timer(timer));
    ESP_ERROR_CHECK(gptimer_disable(timer));
    ESP_ERROR_CHECK(gptimer_del_timer(timer));
}

static void ask_led(void)
{
    const ledc_timer_config_t timer = {
        .speed_mode = LEDC_LOW_SPEED_MODE, .duty_resolution = LEDC_TIMER_13_BIT, .freq_hz = 5000};
    const ledc_channel_config_t channel = {.speed_mode = LEDC_LOW_SPEED_MODE, .gpio_num = 2, .duty = 11};
    ESP_ERROR_CHECK(ledc_timer_config(&timer));
    ESP_ERROR_CHECK(ledc_channel_config(&channel));
    ESP_ERROR_CHECK(ledc_set_duty(LEDC_LOW_SPEED_MODE, LEDC_CHANNEL_0, 4000));
    printf("duty %d", (int)ledc_get_duty(LEDC_LOW_SPEED_MODE, LEDC_CHANNEL_0));
    ESP_ERROR_CHECK(ledc_update_duty(LEDC_LOW_SPEED_MODE, LEDC_CHANNEL_0));
    printf(", then %d of %d Hz\n", (int)ledc_get_duty(LEDC_LOW_SPEED_MODE, LEDC_CHANNEL_0),
           (int)ledc_get_freq(LEDC_LOW_SPEED_MODE, LEDC_TIMER_0));
    printf("fade 0x%x", ledc_set_fade_with_time(LEDC_LOW_SPEED_MODE, LEDC_CHANNEL_0, 1, 100));
    ESP_ERROR_CHECK(ledc_fade_func_install(0));
    ESP_ERROR_CHECK(
        ledc_set_fade_time_and_start(LEDC_LOW_SPEED_MODE, LEDC_CHANNEL_0, 1, 100, LEDC_FADE_WAIT_DONE));
    printf(", then to %d\n", (int)ledc_get_duty(LEDC_LOW_SPEED_MODE, LEDC_CHANNEL_0));

    led_strip_handle_t strip;
    const led_strip_config_t config = {.max_leds = 2,
                                       .color_component_format = LED_STRIP_COLOR_COMPONENT_FMT_GRB};
    const led_strip_rmt_config_t rmt = {.resolution_hz = 10000000};
    ESP_ERROR_CHECK(led_strip_new_rmt_device(&config, &rmt, &strip));
    printf("pixels 0x%x 0x%x\n", led_strip_set_pixel(strip, 1, 1, 2, 255),
           led_strip_set_pixel(strip, 2, 0, 0, 0));
    ESP_ERROR_CHECK(led_strip_refresh(strip));
    ESP_ERROR_CHECK(led_strip_del(strip));
}

static void ask_buses(void)
{
    i2c_master_bus_handle_t bus;
    i2c_master_dev_handle_t device;
    const i2c_master_bus_config_t config = {.i2c_port = -1, .sda_io_num = 21, .scl_io_num = 22};
    const i2c_device_config_t address = {.device_address = 0x3c, .scl_speed_hz = 100000};
    ESP_ERROR_CHECK(i2c_new_master_bus(&config, &bus));
    ESP_ERROR_CHECK(i2c_master_bus_add_device(bus, &address, &device));
    printf("i2c 0x%x 0x%x 0x%x\n", i2c_master_probe(bus, 0x3c, 10),
           i2c_master_transmit(device, (const uint8_t *)"a", 1, 10), i2c_del_master_bus(bus));
    ESP_ERROR_CHECK(i2c_master_bus_rm_device(device));
    ESP_ERROR_CHECK(i2c_del_master_bus(bus));
    i2c_cmd_handle_t commands = i2c_cmd_link_create();
    ESP_ERROR_CHECK(i2c_driver_install(I2C_NUM_0, I2C_MODE_MASTER, 0, 0, 0));
    ESP_ERROR_CHECK(i2c_master_start(commands));
    printf("i2c of before %d\n", i2c_master_cmd_begin(I2C_NUM_0, commands, 1));
    i2c_cmd_link_delete(commands);

    adc_oneshot_unit_handle_t unit;
    adc_cali_handle_t calibration;
    int raw, mv;
    const adc_oneshot_unit_init_cfg_t unit_config = {.unit_id = ADC_UNIT_1};
    const adc_oneshot_chan_cfg_t channel = {.atten = ADC_ATTEN_DB_12, .bitwidth = ADC_BITWIDTH_DEFAULT};
    const adc_cali_line_fitting_config_t line = {.atten = ADC_ATTEN_DB_12};
    ESP_ERROR_CHECK(adc_oneshot_new_unit(&unit_config, &unit));
    ESP_ERROR_CHECK(adc_oneshot_config_channel(unit, ADC_CHANNEL_3, &channel));
    ESP_ERROR_CHECK(adc_oneshot_read(unit, ADC_CHANNEL_3, &raw));
    ESP_ERROR_CHECK(adc_cali_create_scheme_line_fitting(&line, &calibration));
    ESP_ERROR_CHECK(adc_cali_raw_to_voltage(calibration, raw, &mv));
    printf("adc %d, %d mV; again 0x%x\n", raw, mv, adc_oneshot_new_unit(&unit_config, &unit));
    ESP_ERROR_CHECK(adc_cali_delete_scheme_line_fitting(calibration));
}

static void ask_spi(void)
{
    spi_device_handle_t device;
    uint8_t received[3] = {1, 2, 3};
    const spi_bus_config_t bus = {.mosi_io_num = 23, .miso_io_num = 19, .sclk_io_num = 18};
    const spi_device_interface_config_t config = {.clock_speed_hz = SPI_MASTER_FREQ_10M, .queue_size = 1};
    spi_transaction_t transfer = {.length = 9, .tx_buffer = "ab", .rx_buffer = received}, *done = NULL;
    printf("spi 0x%x", spi_bus_add_device(SPI2_HOST, &config, &device));
    ESP_ERROR_CHECK(spi_bus_initialize(SPI2_HOST, &bus, SPI_DMA_CH_AUTO));
    ESP_ERROR_CHECK(spi_bus_add_device(SPI2_HOST, &config, &device));
    ESP_ERROR_CHECK(spi_device_queue_trans(device, &transfer, 0));
    printf(" 0x%x 0x%x", spi_device_queue_trans(device, &transfer, 0), spi_bus_free(SPI2_HOST));
    ESP_ERROR_CHECK(spi_device_get_trans_result(device, &done, 0));
    printf(" received %d %d %d %d\n", done == &transfer, received[0], received[1], received[2]);
    ESP_ERROR_CHECK(spi_bus_remove_device(device));
    ESP_ERROR_CHECK(spi_bus_free(SPI2_HOST));
}

static void on_time(struct timeval *now)
{
    printf("the time is known %d\n", now->tv_sec > 1700000000);
    xSemaphoreGive(rung);
}

static void ask_network(void)
{
    esp_ip4_addr_t address;
    esp_sntp_config_t config = ESP_NETIF_SNTP_DEFAULT_CONFIG("pool.ntp.org");
    config.sync_cb = on_time;
    printf("mdns 0x%x", mdns_hostname_set("device"));
    ESP_ERROR_CHECK(mdns_init());
    ESP_ERROR_CHECK(mdns_hostname_set("device"));
    ESP_ERROR_CHECK(mdns_service_add(NULL, "_http", "_tcp", 80, NULL, 0));
    printf(" 0x%x\n", mdns_query_a("other", 10, &address));
    ESP_ERROR_CHECK(esp_netif_sntp_init(&config));
    ESP_ERROR_CHECK(esp_netif_sntp_sync_wait(pdMS_TO_TICKS(1000)));
    xSemaphoreTake(rung, pdMS_TO_TICKS(10000));
    printf("status %d", sntp_get_sync_status());
    printf(", then %d, of %s\n", sntp_get_sync_status(), esp_sntp_getservername(0));
    printf("bluetooth 0x%x 0x%x\n", esp_bt_controller_mem_release(ESP_BT_MODE_BTDM),
           esp_bt_controller_init(NULL));
}

static void ask_for_a_line(void)
{
    esp_vfs_dev_uart_use_driver(UART_NUM_0);
    linenoiseSetDumbMode(1);
    char *line = linenoise("> ");
    printf("line %d\n", line != NULL);
    linenoiseFree(line);
}

static void on_station(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)arg;
    if (base == WIFI_EVENT && id == WIFI_EVENT_AP_STACONNECTED) {
        printf("station %d of the access point\n", ((wifi_event_ap_staconnected_t *)data)->aid);
    } else if (base == IP_EVENT && id == IP_EVENT_AP_STAIPASSIGNED) {
        printf("its address " IPSTR "\n", IP2STR(&((ip_event_ap_staipassigned_t *)data)->ip));
        xSemaphoreGive(rung);
    } else if (id == WIFI_EVENT_AP_STADISCONNECTED) {
        printf("the station is gone\n");
        xSemaphoreGive(rung);
    }
}

static void ask_access_point(void)
{
    wifi_sta_list_t stations;
    esp_netif_ip_info_t address = {.ip.addr = ESP_IP4TOADDR(192, 168, 9, 1)};
    wifi_config_t config = {.ap = {.ssid = "device", .max_connection = 1}};
    const wifi_init_config_t init = WIFI_INIT_CONFIG_DEFAULT();
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    esp_netif_t *netif = esp_netif_create_default_wifi_ap();
    printf("address while DHCP runs 0x%x\n", esp_netif_set_ip_info(netif, &address));
    ESP_ERROR_CHECK(esp_netif_dhcps_stop(netif));
    ESP_ERROR_CHECK(esp_netif_set_ip_info(netif, &address));
    ESP_ERROR_CHECK(esp_netif_dhcps_start(netif));
    memset(&address, 0, sizeof(address));
    ESP_ERROR_CHECK(esp_netif_get_ip_info(netif, &address));
    printf("access point " IPSTR "\n", IP2STR(&address.ip));
    ESP_ERROR_CHECK(esp_wifi_init(&init));
    ESP_ERROR_CHECK(esp_event_handler_register(WIFI_EVENT, ESP_EVENT_ANY_ID, on_station, NULL));
    ESP_ERROR_CHECK(esp_event_handler_register(IP_EVENT, ESP_EVENT_ANY_ID, on_station, NULL));
    ESP_ERROR_CHECK(esp_wifi_set_mode(WIFI_MODE_AP));
    ESP_ERROR_CHECK(esp_wifi_set_config(WIFI_IF_AP, &config));
    ESP_ERROR_CHECK(esp_wifi_start());
    xSemaphoreTake(rung, pdMS_TO_TICKS(10000));
    ESP_ERROR_CHECK(esp_wifi_ap_get_sta_list(&stations));
    printf("%d station\n", stations.num);
    ESP_ERROR_CHECK(esp_wifi_stop());
    xSemaphoreTake(rung, pdMS_TO_TICKS(10000));
}

static void read_what_was_given(void *arg)
{
    vTaskDelay(pdMS_TO_TICKS(100));
    printf("given %s\nall are asked\n", (const char *)arg);
    vTaskDelete(NULL);
}

void app_main(void)
{
    char given[] = "by address";
    setvbuf(stdout, NULL, _IOLBF, 0);
    console_by_uart();
    console_by_usb();
    ask_timer();
    ask_led();
    ask_buses();
    ask_spi();
    ask_network();
    ask_for_a_line();
    ask_access_point();
    ask_more();
    xTaskCreate(read_what_was_given, "reader", 4096, given, 5, NULL);
}
