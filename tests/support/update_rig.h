/* One HTTPS update from a server that the test steers: the fixture of the esp_https_ota tests. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "support/https_rig.h"

typedef struct {
    rig_t rig;
    uint8_t *image, *other;      /* other: another version, where the test makes one */
    uint32_t len;                /* bytes that are served of image */
    const esp_partition_t *slot; /* ota_0, where the update goes */
    web_t web;
    web_config_t config;
} update_rig_t;

/** The server has an image of `len` bytes from now on. */
void update_rig_serve(update_rig_t *u, uint32_t len, uint8_t seed);

/** The same of bytes that are alike behind the first few hundred. */
void update_rig_serve_runs(update_rig_t *u, uint32_t len);

/** A running device, the simulated clock, and an image of `len` bytes. */
update_rig_t *update_rig_open(uint32_t len, const otter_device_config_t *config);

/** Programs and erases outside the slot and otadata fail the test from now on. */
void update_rig_fence(update_rig_t *u);

/** Checks that no session stays open. */
int update_rig_tear_down(void **state);

/** A new transport in the configuration, then begin. */
esp_err_t update_rig_begin(update_rig_t *u, esp_https_ota_handle_t *handle);

esp_https_ota_handle_t update_rig_must_begin(update_rig_t *u);

bool update_rig_boots_new(update_rig_t *u);
