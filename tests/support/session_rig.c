/* Opens and closes the device of update sessions. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/session_rig.h"

void session_open(session_rig_t *s, const otter_device_config_t *config)
{
    memset(s, 0, sizeof(*s));
    rig_open_running(&s->rig, "two_ota_md5", config);
    s->device = &s->rig.device;
    s->image = rig_load("image", "esp32_valid.bin", &s->image_len);
    s->factory = rig_named(&s->rig, "f");
    s->slot[0] = rig_named(&s->rig, "0");
    s->slot[1] = rig_named(&s->rig, "1");
    for (uint32_t i = 0; i < s->device->partitions.count; i++) {
        const esp_partition_t *p = &s->device->partitions.items[i];
        if (p->type == ESP_PARTITION_TYPE_DATA && p->subtype == ESP_PARTITION_SUBTYPE_DATA_OTA) {
            s->otadata = p;
        }
    }
}

void session_close(session_rig_t *s)
{
    free(s->image);
    rig_close(&s->rig);
}

void session_place_app(session_rig_t *s, const esp_partition_t *partition, const char *file)
{
    rig_place(&s->rig, partition->address, "image", file);
    s->rig.device.verified = 0; /* the test reached around the flash */
}

static int session_set_up_with(void **state, const otter_device_config_t *config)
{
    session_rig_t *s = malloc(sizeof(*s));
    assert_non_null(s);
    session_open(s, config);
    *state = s;
    return 0;
}

int session_set_up(void **state)
{
    return session_set_up_with(state, &(otter_device_config_t){.rollback = false});
}

int session_set_up_rollback(void **state)
{
    return session_set_up_with(state, &(otter_device_config_t){.rollback = true});
}

int session_set_up_anti_rollback(void **state)
{
    return session_set_up_with(state, &(otter_device_config_t){.rollback = true, .anti_rollback = true});
}

int session_tear_down(void **state)
{
    session_close(*state);
    free(*state);
    return 0;
}
