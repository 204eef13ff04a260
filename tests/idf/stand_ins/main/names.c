/* Names of newlib's, of ESP-TLS and of mDNS that projects call in passing. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/lock.h>

#include "esp_tls_crypto.h"
#include "mdns.h"
#include "more.h"
#include "soc/soc_caps.h"
#include "freertos/FreeRTOS.h"
#include "freertos/ringbuf.h"

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

void ask_names(void)
{
    unsigned char digest[20];
    unsigned char text[29];
    char name[MDNS_NAME_BUF_LEN];
    size_t length = 0;
    ask_text();
    ask_lock();
    ESP_ERROR_CHECK(mdns_init());
    ESP_ERROR_CHECK(mdns_hostname_set("kettle"));
    ESP_ERROR_CHECK(mdns_hostname_get(name));
    int hashed = esp_crypto_sha1((const unsigned char *)"abc", 3, digest);
    int encoded = esp_crypto_base64_encode(text, sizeof(text), &length, digest, sizeof(digest));
    printf("sha1 %d, base64 %d %.27s %s, pins %d\n", hashed, encoded, text, name, SOC_GPIO_PIN_COUNT);
}
