/* A device for the tests of update sessions: two slots, and factory runs. */
#pragma once

#include "ota/switch.h"
#include "ota/update.h"
#include "unit/ota_rig.h"

typedef struct {
    rig_t rig;
    otter_device_t *device; /* the rig's */
    uint8_t *image;         /* esp32_valid.bin, as it is in factory */
    uint32_t image_len;
    const esp_partition_t *factory, *slot[2], *otadata;
} session_rig_t;

static inline void session_open(session_rig_t *s, const otter_device_config_t *config)
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

static inline void session_close(session_rig_t *s)
{
    free(s->image);
    rig_close(&s->rig);
}

static inline int session_set_up_with(void **state, const otter_device_config_t *config)
{
    session_rig_t *s = malloc(sizeof(*s));
    assert_non_null(s);
    session_open(s, config);
    *state = s;
    return 0;
}

static inline int session_set_up(void **state)
{
    return session_set_up_with(state, &(otter_device_config_t){.rollback = false});
}

static inline int session_set_up_rollback(void **state)
{
    return session_set_up_with(state, &(otter_device_config_t){.rollback = true});
}

static inline int session_set_up_anti_rollback(void **state)
{
    return session_set_up_with(state, &(otter_device_config_t){.rollback = true, .anti_rollback = true});
}

static inline int session_tear_down(void **state)
{
    session_close(*state);
    free(*state);
    return 0;
}

#define SESSION_TEST(name) cmocka_unit_test_setup_teardown(name, session_set_up, session_tear_down)
#define SESSION_TEST_ROLLBACK(name)                                                                          \
    cmocka_unit_test_setup_teardown(name, session_set_up_rollback, session_tear_down)
#define SESSION_TEST_ANTI_ROLLBACK(name)                                                                     \
    cmocka_unit_test_setup_teardown(name, session_set_up_anti_rollback, session_tear_down)
