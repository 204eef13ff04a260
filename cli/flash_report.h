/* What `otter flash info` found out about a flash file, and its two ways to say it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "boot/otadata.h"
#include "flash/partition_table.h"
#include "image/image.h"
#include "linux/linux_device.h"
#include "otter/boot.h"

/** One app partition. */
typedef struct {
    const esp_partition_t *partition;
    const char *state;     /* of the otadata copy that stands for it; NULL: none does */
    bool blank;            /* erased where an image would begin */
    image_stream_t stream; /* with the verdict on the image, if not blank */
} flash_slot_t;

typedef struct {
    const char *path;
    linux_device_t dev;
    partition_table_t table;                  /* as it is in flash; may be one that nobody would take */
    const esp_partition_t *otadata_partition; /* NULL: there is none that can be read */
    otadata_entry_t otadata[OTADATA_COPY_COUNT];
    uint32_t slot_count; /* OTA slots, for the arithmetic of otadata */
    flash_slot_t *slots; /* owned; all app partitions */
    uint32_t app_count;
    otter_boot_result_t boot;
    cJSON *warnings; /* owned; an array of lines fit for a terminal */
} flash_report_t;

/** For people, on standard output. */
void flash_report_print(const flash_report_t *report);

/** The object that docs/JSON.md explains; the caller's. NULL when out of memory. */
cJSON *flash_report_json(const flash_report_t *report);
