/* The gate of a download: what can be refused before anything is erased. Bytes pass it where they lie. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "otter/device.h"
#include "ota/stage.h"

#define GATE_HEAD_MAX                                                                                        \
    1024u /* bytes of an image's head that are waited for, as ESP-IDF 5: header, descriptor and some */

/** Where an update goes. */
typedef struct {
    otter_device_t *device;
    const esp_partition_t *staging;    /* what is written: a row of the table, or `registered` */
    const esp_partition_t *final;      /* what the bytes are for: the same, a row, or `meant` */
    esp_partition_t registered, meant; /* the application's, which may be gone before the update is */
    bool copies;                       /* staging is copied to final at the end */
    int64_t size;                      /* bytes of the image, -1: nobody knows yet */
} ota_target_t;

/** What is written is an application or a bootloader. */
bool ota_target_is_image(const ota_target_t *target);

/**
 * The stage in front of the one that writes. Its first feed wants the head of an image, GATE_HEAD_MAX bytes if there are so
 * many; it judges them and calls `next` with no bytes, which has the slot prepared, and takes nothing. From then on all goes
 * to `next`. If next refuses, the next feed judges again; what the gate itself refuses stays refused (ESP_FAIL).
 */
typedef struct {
    ota_stage_t stage;
    ota_stage_t *next;
    const ota_target_t *target;
    bool wants_head; /* the image begins here: one that is gone on with has passed when it began */
    enum { GATE_WAITS, GATE_OPEN, GATE_SHUT } state;
} ota_gate_t;

/** A closed gate in front of `next`; both are the caller's. */
void ota_gate_init(ota_gate_t *gate, ota_stage_t *next, const ota_target_t *target);
