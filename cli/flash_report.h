/* What `otter flash info` found out about a flash file, and its two ways to say it. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "otter/partition_table.h"
#include "flash_search.h"
#include "otter/bootloader.h"
#include "otter/image.h"
#include "linux/linux_device.h"
#include "otter/boot.h"
#include "otter/ota_ops.h"
#include "otter/promise.h"

#define FLASH_LINE_SIZE    640
#define FLASH_COMMAND_SIZE 1024

/** One app partition. */
typedef struct {
    const esp_partition_t *partition;
    const char *state;           /* of the otadata copy that stands for it; NULL: none does */
    bool blank;                  /* erased where an image would begin */
    otter_image_stream_t stream; /* with the verdict on the image, if not blank */
    bool interrupted;            /* the image is broken because its download was */
    uint32_t arrived;            /* bytes of it that are there, then */
    uint32_t of_length;          /* bytes of the whole, where the download left word of it; 0: unknown */
} flash_slot_t;

/** An image that lies where the table has none: not at the start of an app partition, and not the bootloader. */
typedef struct {
    flash_image_t image;
    const char *inside; /* label of the partition that it lies in; NULL: none */
} flash_stray_t;

#define FLASH_STRAYS_MAX 16u

/** What there is instead of a table at its place. */
typedef struct {
    const char *file_is;          /* "an app image": what all of the file is instead; NULL: not known */
    flash_content_t whole, place; /* of all of the file, of the table's sector */
    bool elsewhere;               /* there is a table, at `offset` */
    uint32_t offset;
    bool shifted; /* the images lie as far off as the table: the file does not begin where the flash does */
} flash_no_table_t;

/** The bootloader, which chips alone have in flash: the virtual device's is `otter run`. */
typedef struct {
    bool needed;                       /* by this chip */
    otter_bootloader_place_t expected; /* what lies where this chip looks for it */
    bool found;                        /* there is one, here or elsewhere */
    otter_bootloader_place_t place;    /* of the one that there is */
    otter_image_stream_t stream;       /* with the verdict on it */
} flash_bootloader_t;

typedef enum {
    FLASH_BOOTS,   /* what is to boot boots, and nothing looks wrong */
    FLASH_DOUBTS,  /* something boots, and something is wrong */
    FLASH_NOTHING, /* nothing boots */
} flash_level_t;

typedef struct {
    const char *path;
    linux_device_t dev;
    bool has_first_boot; /* the flash waits for the boot that encrypts it, or is in it */
    otter_first_boot_t first_boot;
    /* bytes of the file; less than the flash has where it was cut, or ends with its last image */
    uint32_t file_length;
    bool truncated; /* in the middle of an image */
    bool has_table;
    flash_no_table_t no_table; /* without one */
    uint8_t table_raw[OTTER_PARTITION_TABLE_LEN];
    otter_partition_table_t table; /* as it is in flash; may be one that nobody would take */
    flash_bootloader_t bootloader;
    const esp_partition_t *otadata_partition; /* NULL: there is none that can be read */
    otter_ota_record_t otadata[2];
    const esp_partition_t *core_dump; /* that holds one; NULL: none does */
    uint32_t core_dump_length;        /* bytes */
    uint32_t slot_count;              /* OTA slots, for the arithmetic of otadata */
    flash_slot_t *slots;              /* owned; all app partitions */
    uint32_t app_count;
    flash_stray_t strays[FLASH_STRAYS_MAX];
    uint32_t stray_count;
    otter_boot_result_t boot; /* what a bootloader does, whether there is one or not */
    cJSON *warnings;          /* owned; an array of lines fit for a terminal */
    cJSON *repairs;           /* owned; an array of {problem, command} */

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
OTTER_MUST_CHECK bool flash_look(flash_report_t *report);

/** Fills in has_first_boot and first_boot; if that boot has begun also the verdict, and nothing else can be told. */
bool flash_is_encrypted_in_part(flash_report_t *report);

/** Warns of what is encrypted, or is not, without being meant to be. After the rest was looked at. */
void flash_look_at_encryption(flash_report_t *report);

/** Frees what flash_look() took; the device stays open. */
void flash_report_end(flash_report_t *report);

/** From what was found to what boots: fills level, verdict, boots and reason. */
void flash_judge(flash_report_t *report);

/** From the verdict to the commands that mend what it found: fills repairs. */
void flash_suggest_repairs(flash_report_t *report);

/** "esptool --chip esp32 write-flash 0x0 flash.bin": how all of the file gets onto a chip. NULL for chip linux. Returns buf. */
const char *flash_esptool_line(const flash_report_t *report, char *buf, size_t size);

/** For people, on standard output. */
void flash_report_print(const flash_report_t *report);

/** The object that docs/JSON.md explains; the caller's. json_print() tells when memory was out. */
cJSON *flash_report_json(const flash_report_t *report);
