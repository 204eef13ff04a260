/* One HTTPS update from a server that the test steers. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/update_rig.h"

void update_rig_serve(update_rig_t *u, uint32_t len, uint8_t seed)
{
    free(u->image);
    u->len = len;
    u->image = web_image(len < 304 ? 304 : len, seed); /* what is served may be the beginning of one only */
    web_free(&u->web);
    u->web = web_with(u->image, len);
    web_configure(&u->config, NULL);
}

void update_rig_serve_runs(update_rig_t *u, uint32_t len)
{
    update_rig_serve(u, len, 2);
    uint8_t *data = u->image + 32, checksum = 0xEF;
    const uint32_t segment = ((len - 32) / 16) * 16 - 36;
    memset(data + 512, 0x77, segment - 512);
    for (uint32_t i = 0; i < segment; i++) {
        checksum ^= data[i];
    }
    data[segment + 3] = checksum;
    otter_digest_t sha = {0};
    assert_true(otter_sha256_begin(&sha));
    otter_digest_update(&sha, u->image, 32 + segment + 4);
    otter_digest_finish(&sha, data + segment + 4);
    otter_digest_end(&sha);
}

update_rig_t *update_rig_open(uint32_t len, const otter_device_config_t *config)
{
    update_rig_t *u = calloc(1, sizeof(*u));
    assert_non_null(u);
    sim_clock_take();
    rig_open_running(&u->rig, "two_ota_md5", config);
    u->slot = rig_named(&u->rig, "0");
    update_rig_serve(u, len, 2);
    return u;
}

void update_rig_fence(update_rig_t *u)
{
    u->rig.fenced = true;
    u->rig.fence_slot = u->slot;
}

int update_rig_tear_down(void **state)
{
    update_rig_t *u = *state;
    assert_null(u->rig.device.updates);
    otter_device_set_current(NULL);
    web_free(&u->web);
    free(u->image);
    free(u->other);
    rig_close(&u->rig);
    free(u);
    return 0;
}

esp_err_t update_rig_begin(update_rig_t *u, esp_https_ota_handle_t *handle)
{
    web_use_new_transport(&u->config, &u->web);
    return https_ota_begin(&u->rig.device, &u->config.ota, NULL, handle);
}

esp_https_ota_handle_t update_rig_must_begin(update_rig_t *u)
{
    esp_https_ota_handle_t handle = NULL;
    assert_int_equal(update_rig_begin(u, &handle), ESP_OK);
    assert_non_null(handle);
    return handle;
}

bool update_rig_boots_new(update_rig_t *u)
{
    return otter_ota_get_boot_partition(&u->rig.device) == u->slot;
}
