/* Names of newlib's, of ESP-TLS and of mDNS that projects call in passing. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/lock.h>

#include "driver/dac.h"
#include "driver/sdmmc_host.h"
#include "driver/timer.h"
#include "esp_tls_crypto.h"
#include "esp_vfs_fat.h"
#include "mdns.h"
#include "more.h"
#include "soc/soc_caps.h"
#include "freertos/FreeRTOS.h"
#include "freertos/ringbuf.h"
#include "freertos/task.h"

static _lock_t lock;

static void ask_text(void)
{
    char text[8] = "", number[36];
    size_t copied = strlcpy(text, "abcdefghij", sizeof(text));
    size_t both = strlcat(text, "xy", sizeof(text));
    printf("text %d %d %s %s %s\n", (int)copied, (int)both, strupr(text), strnstr("abcabc", "bc", 3),
           strnstr("abcabc", "ca", 3) == NULL ? "none" : "some");
    printf("numbers %s", itoa(-12, number, 10));
    printf(" %s", itoa(-1, number, 16));
    volatile double two = 2; /* the compiler does not know it */
    printf(" %.0f", pow(two, 10));
    printf(" %s", utoa(5, number, 2));
    printf(" %s\n", utoa(5, number, 37) == NULL ? "none" : number);
}

static void ask_lock(void)
{
    int first = _lock_try_acquire(&lock), second = _lock_try_acquire(&lock);
    _lock_release(&lock);
    printf("lock %d %d, then %d\n", first, second, _lock_try_acquire(&lock));
    _lock_release(&lock);
    _lock_close(&lock);
}

static bool count(void *arg)
{
    atomic_fetch_add((atomic_int *)arg, 1);
    return false;
}

static void ask_old_drivers(void)
{
    static atomic_int alarms;
    const timer_config_t config = {.alarm_en = TIMER_ALARM_EN,
                                   .counter_dir = TIMER_COUNT_UP,
                                   .auto_reload = TIMER_AUTORELOAD_EN,
                                   .divider = 80};
    double seconds = 0;
    esp_err_t early = timer_start(TIMER_GROUP_0, TIMER_1);
    ESP_ERROR_CHECK(timer_init(TIMER_GROUP_0, TIMER_1, &config));
    esp_err_t twice = timer_init(TIMER_GROUP_0, TIMER_1, &config);
    ESP_ERROR_CHECK(timer_set_counter_value(TIMER_GROUP_0, TIMER_1, 500000));
    ESP_ERROR_CHECK(timer_get_counter_time_sec(TIMER_GROUP_0, TIMER_1, &seconds));
    ESP_ERROR_CHECK(timer_set_counter_value(TIMER_GROUP_0, TIMER_1, 0));
    ESP_ERROR_CHECK(timer_set_alarm_value(TIMER_GROUP_0, TIMER_1, 1000));
    ESP_ERROR_CHECK(timer_isr_callback_add(TIMER_GROUP_0, TIMER_1, count, &alarms, 0));
    ESP_ERROR_CHECK(timer_start(TIMER_GROUP_0, TIMER_1));
    for (int i = 0; i < 1000 && alarms < 2; i++) {
        vTaskDelay(1);
    }
    ESP_ERROR_CHECK(timer_pause(TIMER_GROUP_0, TIMER_1));
    ESP_ERROR_CHECK(timer_deinit(TIMER_GROUP_0, TIMER_1));
    ESP_ERROR_CHECK(dac_output_enable(DAC_CHANNEL_1));
    const sdmmc_host_t host = SDMMC_HOST_DEFAULT();
    const sdmmc_slot_config_t slot = SDMMC_SLOT_CONFIG_DEFAULT();
    const esp_vfs_fat_mount_config_t mount = VFS_FAT_MOUNT_DEFAULT_CONFIG();
    sdmmc_card_t *card;
    printf("card 0x%x 0x%x 0x%x\n", esp_vfs_fat_sdmmc_mount("/sd", &host, &slot, &mount, &card),
           esp_vfs_fat_sdmmc_mount("/sd", NULL, &slot, &mount, &card),
           esp_vfs_fat_sdcard_unmount("/sd", NULL));
    printf("old timer 0x%x 0x%x, %.1f s, alarms %d, dac 0x%x\n", early, twice, seconds, alarms >= 2,
           dac_output_voltage(DAC_CHANNEL_MAX, 1));
}

void ask_names(void)
{
    unsigned char digest[20];
    unsigned char text[29];
    char name[MDNS_NAME_BUF_LEN];
    size_t length = 0;
    ask_text();
    ask_lock();
    ask_old_drivers();
    ESP_ERROR_CHECK(mdns_init());
    ESP_ERROR_CHECK(mdns_hostname_set("kettle"));
    ESP_ERROR_CHECK(mdns_hostname_get(name));
    ESP_ERROR_CHECK(mdns_service_subtype_add_for_host(NULL, "_http", "_tcp", NULL, "_server"));
    int hashed = esp_crypto_sha1((const unsigned char *)"abc", 3, digest);
    int encoded = esp_crypto_base64_encode(text, sizeof(text), &length, digest, sizeof(digest));
    printf("sha1 %d, base64 %d %.27s %s, pins %d\n", hashed, encoded, text, name, SOC_GPIO_PIN_COUNT);
}
