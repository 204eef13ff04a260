/* What `otter flash info` found out about a flash file, and its two ways to say it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "boot/otadata.h"
#include "flash/partition_table.h"
#include "image/bootloader.h"
#include "image/image.h"
#include "linux/linux_device.h"
#include "otter/boot.h"

#define FLASH_LINE_SIZE 640

/** One app partition. */
typedef struct {
    const esp_partition_t *partition;
    const char *state;     /* of the otadata copy that stands for it; NULL: none does */
    bool blank;            /* erased where an image would begin */
    image_stream_t stream; /* with the verdict on the image, if not blank */
} flash_slot_t;

/** The bootloader, which chips alone have in flash: the virtual device's is `otter run`. */
typedef struct {
    bool needed;              /* by this chip */
    bootloader_place_t home;  /* what lies where this chip looks for it */
    bool found;               /* there is one, here or elsewhere */
    bootloader_place_t place; /* of the one that there is */
    image_stream_t stream;    /* with the verdict on it */
} flash_bootloader_t;

typedef enum {
    FLASH_BOOTS,   /* what is to boot boots, and nothing looks wrong */
    FLASH_DOUBTS,  /* something boots, and something is wrong */
    FLASH_NOTHING, /* nothing boots */
} flash_level_t;

typedef struct {
    const char *path;
    linux_device_t dev;
    uint32_t
        file_length; /* bytes of the file; less than the flash has where it was cut, or ends with its last image */
    bool has_table;
    uint8_t table_raw[PARTITION_TABLE_LEN];
    partition_table_t table; /* as it is in flash; may be one that nobody would take */
    flash_bootloader_t bootloader;
    const esp_partition_t *otadata_partition; /* NULL: there is none that can be read */
    otadata_entry_t otadata[OTADATA_COPY_COUNT];
    uint32_t slot_count; /* OTA slots, for the arithmetic of otadata */
    flash_slot_t *slots; /* owned; all app partitions */
    uint32_t app_count;
    otter_boot_result_t boot; /* what a bootloader does, whether there is one or not */
    cJSON *warnings;          /* owned; an array of lines fit for a terminal */

    flash_level_t level;
    char verdict[FLASH_LINE_SIZE]; /* what boots next, in one line */
    const char *boots;             /* label of what boots next; NULL: nothing does */
    char reason[FLASH_LINE_SIZE];  /* and why; "" when the verdict says it all */
} flash_report_t;

/** Adds a warning: a line that may hold anything. */
void flash_warn(flash_report_t *report, const char *format, ...) __attribute__((format(printf, 2, 3)));

/**
 * Fills the report of the open device report->dev. What it cannot find is told by what stays empty.
 * @return false when out of memory
 */
bool flash_look(flash_report_t *report);

/** Frees what flash_look() took; the device stays open. */
void flash_report_end(flash_report_t *report);

/** From what was found to what boots: fills level, verdict, boots and reason. */
void flash_judge(flash_report_t *report);

/** For people, on standard output. */
void flash_report_print(const flash_report_t *report);

/** The object that docs/JSON.md explains; the caller's. NULL when out of memory. */
cJSON *flash_report_json(const flash_report_t *report);
