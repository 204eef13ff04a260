/* esp_encrypted_img_* of a firmware with CONFIG_PRE_ENCRYPTED_OTA_USE_ECIES: its key comes from the device's eFuses. */
/* SPDX-License-Identifier: Apache-2.0 */
#define CONFIG_PRE_ENCRYPTED_OTA_USE_ECIES 1

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "otter/build_options.h"
#include "otter/device.h"
#include "support/encimg_vectors.h"

const otter_build_options_t otter_build_options = OTTER_BUILD_OPTIONS;

#define ID 2

static otter_device_t device;
static otter_efuse_block_t blocks[OTTER_EFUSE_BLOCKS];

static esp_err_t read_block(void *dev, uint32_t index, otter_efuse_block_t *block)
{
    (void)dev;
    *block = blocks[index];
    return ESP_OK;
}

static int set_up(void **state)
{
    (void)state;
    size_t len;
    char *key = encimg_file("keys/ecies_hmac_key.bin", &len);
    memcpy(blocks[ID].key, key, sizeof(blocks[ID].key));
    blocks[ID].present = true;
    blocks[ID].purpose = OTTER_PURPOSE_HMAC_UP;
    device.efuse.read_key_block = read_block;
    otter_device_set_current(&device);
    free(key);
    return 0;
}

static void files_of_the_vendors_tool_come_to_what_the_component_makes_of_them(void **state)
{
    (void)state;
    encimg_vectors_hold("ecies", &(const esp_decrypt_cfg_t){.hmac_key_id = ID});
}

static void a_key_that_is_not_in_the_efuses_starts_nothing(void **state)
{
    (void)state;
    static const int ids[] = {-1, 0, 1, 5, 6, 1000};
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        assert_null(esp_encrypted_img_decrypt_start(&(const esp_decrypt_cfg_t){.hmac_key_id = ids[i]}));
    }
    blocks[ID].purpose = OTTER_PURPOSE_USER;
    assert_null(esp_encrypted_img_decrypt_start(&(const esp_decrypt_cfg_t){.hmac_key_id = ID}));
    blocks[ID].purpose = OTTER_PURPOSE_HMAC_UP;
    otter_device_set_current(NULL);
    assert_null(esp_encrypted_img_decrypt_start(&(const esp_decrypt_cfg_t){.hmac_key_id = ID}));
    otter_device_set_current(&device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_of_the_vendors_tool_come_to_what_the_component_makes_of_them),
        cmocka_unit_test(a_key_that_is_not_in_the_efuses_starts_nothing),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
