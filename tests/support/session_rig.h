/* A device for the tests of update sessions: two slots, and factory runs. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ota/switch.h"
#include "ota/update.h"
#include "support/ota_rig.h"

typedef struct {
    rig_t rig;
    otter_device_t *device; /* the rig's */
    uint8_t *image;         /* esp32_valid.bin, as it is in factory */
    uint32_t image_len;
    const esp_partition_t *factory, *slot[2], *otadata;
} session_rig_t;

void session_open(session_rig_t *s, const otter_device_config_t *config);
void session_close(session_rig_t *s);

/** A recorded image into a partition, past the device, which then knows nothing of it. */
void session_place_app(session_rig_t *s, const esp_partition_t *partition, const char *file);

int session_set_up(void **state);
int session_set_up_rollback(void **state);
int session_set_up_anti_rollback(void **state);
int session_tear_down(void **state);

#define SESSION_TEST(name) cmocka_unit_test_setup_teardown(name, session_set_up, session_tear_down)
#define SESSION_TEST_ROLLBACK(name)                                                                          \
    cmocka_unit_test_setup_teardown(name, session_set_up_rollback, session_tear_down)
#define SESSION_TEST_ANTI_ROLLBACK(name)                                                                     \
    cmocka_unit_test_setup_teardown(name, session_set_up_anti_rollback, session_tear_down)
