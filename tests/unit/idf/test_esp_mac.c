/* MAC addresses: the base of the device, what is derived from it, and what a program sets. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "esp_mac.h"

static void assert_mac(esp_mac_type_t type, const char *want)
{
    uint8_t mac[6];
    char text[18];
    assert_int_equal(esp_read_mac(mac, type), ESP_OK);
    snprintf(text, sizeof(text), MACSTR, MAC2STR(mac));
    assert_string_equal(text, want);
}

/* First, while nobody has read one: they are kept from then on. */
static void each_interface_has_its_own(void **state)
{
    (void)state;
    setenv("OTTER_MAC", "02:00:00:AB:cd:fe", 1);
    assert_mac(ESP_MAC_WIFI_STA, "02:00:00:ab:cd:fe");
    assert_mac(ESP_MAC_WIFI_SOFTAP, "02:00:00:ab:cd:ff");
    assert_mac(ESP_MAC_BT, "02:00:00:ab:cd:00");
    assert_mac(ESP_MAC_EFUSE_FACTORY, "02:00:00:ab:cd:fe");
}

static void a_base_of_the_programs_is_for_those_not_read_yet(void **state)
{
    (void)state;
    uint8_t mac[6];
    assert_int_equal(esp_base_mac_addr_set((const uint8_t[]){0x04, 1, 2, 3, 4, 5}), ESP_OK);
    assert_mac(ESP_MAC_BASE, "04:01:02:03:04:05");
    assert_mac(ESP_MAC_ETH, "04:01:02:03:04:08");
    assert_mac(ESP_MAC_WIFI_STA, "02:00:00:ab:cd:fe");
    assert_int_equal(esp_base_mac_addr_get(mac), ESP_OK);
    assert_memory_equal(mac, ((const uint8_t[]){0x04, 1, 2, 3, 4, 5}), 6);
    assert_int_equal(esp_iface_mac_addr_set((const uint8_t[]){0x06, 0, 0, 0, 0, 9}, ESP_MAC_WIFI_STA),
                     ESP_OK);
    assert_mac(ESP_MAC_WIFI_STA, "06:00:00:00:00:09");
    assert_int_equal(esp_efuse_mac_get_default(mac), ESP_OK);
    assert_memory_equal(mac, ((const uint8_t[]){0x02, 0, 0, 0xAB, 0xCD, 0xFE}), 6);
}

static void callers_that_err(void **state)
{
    (void)state;
    uint8_t mac[6] = {0x02};
    assert_int_equal(esp_read_mac(NULL, ESP_MAC_BASE), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_read_mac(mac, ESP_MAC_IEEE802154), ESP_ERR_NOT_SUPPORTED);
    assert_int_equal(esp_read_mac(mac, (esp_mac_type_t)99), ESP_ERR_NOT_SUPPORTED);
    assert_int_equal(esp_read_mac(mac, ESP_MAC_EFUSE_CUSTOM), ESP_ERR_INVALID_MAC);
    assert_int_equal(esp_efuse_mac_get_custom(mac), ESP_ERR_INVALID_MAC);
    assert_int_equal(esp_efuse_mac_get_custom(NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_efuse_mac_get_default(NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_base_mac_addr_set(NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_base_mac_addr_set((const uint8_t[]){0x03, 0, 0, 0, 0, 1}), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_iface_mac_addr_set(mac, ESP_MAC_EFUSE_FACTORY), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_iface_mac_addr_set(mac, ESP_MAC_EFUSE_EXT), ESP_ERR_NOT_SUPPORTED);
    setenv("OTTER_MAC", "nonsense", 1);
    assert_int_equal(esp_efuse_mac_get_default(mac), ESP_ERR_INVALID_MAC);
    unsetenv("OTTER_MAC");
    assert_int_equal(esp_efuse_mac_get_default(mac), ESP_OK);
    assert_memory_equal(mac, ((const uint8_t[]){0x02, 0, 0, 0, 0, 1}), 6);
}

static void an_address_of_ones_own_is_derived(void **state)
{
    (void)state;
    uint8_t mac[6];
    assert_int_equal(esp_derive_local_mac(mac, (const uint8_t[]){0x24, 1, 2, 3, 4, 5}), ESP_OK);
    assert_memory_equal(mac, ((const uint8_t[]){0x26, 1, 2, 3, 4, 5}), 6);
    assert_int_equal(esp_derive_local_mac(mac, (const uint8_t[]){0x26, 1, 2, 3, 4, 5}), ESP_OK);
    assert_memory_equal(mac, ((const uint8_t[]){0x22, 1, 2, 3, 4, 5}), 6);
    assert_int_equal(esp_derive_local_mac(NULL, mac), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_derive_local_mac(mac, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_mac_addr_len_get(ESP_MAC_BT), 6);
    assert_int_equal(esp_mac_addr_len_get(ESP_MAC_IEEE802154), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_interface_has_its_own),
        cmocka_unit_test(a_base_of_the_programs_is_for_those_not_read_yet),
        cmocka_unit_test(callers_that_err),
        cmocka_unit_test(an_address_of_ones_own_is_derived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
