/* otter flash info: looks at everything that decides how a device boots, and changes nothing. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "esp_log.h"
#include "json.h"
#include "flash_report.h"
#include "flash_verbs.h"
#include "otter/promise.h"

#define VERB "flash"

typedef struct {
    const char *path;
    linux_device_options_t device;
    bool json, check;
} info_options_t;

/** The report of an open device. @return EXIT_DONE, or EXIT_FAILED after saying what is missing */
static int look(flash_report_t *r, const info_options_t *o)
{
    const bool in_part = flash_is_encrypted_in_part(r);
    if (!in_part) {
        if (!flash_look(r)) {
            return cli_fail(VERB, "out of memory");
        }
        flash_look_at_encryption(r);
        flash_judge(r);
        flash_suggest_repairs(r);
    }
    if (!o->json) {
        flash_report_print(r);
    }
    if (in_part) {
        return o->check ? EXIT_FAILED : EXIT_DONE;
    }
    if (!r->has_table || (o->check && (r->level == FLASH_NOTHING || r->boot.tried_count > 0))) {
        fflush(stdout); /* what was found out comes before what is wrong */
        return cli_fail(VERB, "%s boots %s", r->path, r->verdict);
    }
    return EXIT_DONE;
}

void flash_tell_next(const char *path, const linux_device_options_t *options)
{
    linux_device_options_t look_only = *options;
    otter_fault_t fault;
    flash_report_t *r = calloc(1, sizeof(*r));
    look_only.read_only = look_only.whole = look_only.allow_no_md5 = true;
    if (r == NULL || linux_device_open(&r->dev, path, &look_only, &fault) != ESP_OK) {
        free(r);
        return; /* what was done is told; this would have been more */
    }
    r->path = path;
    r->warnings = cJSON_CreateArray();
    if (flash_is_encrypted_in_part(r)) {
        cli_did("boots next: %s", r->verdict);
    } else if (flash_look(r)) {
        flash_look_at_encryption(r);
        flash_judge(r);
        const cJSON *warning;
        cli_did("boots next: %s", r->verdict);
        cJSON_ArrayForEach(warning, r->warnings)
        {
            cli_did("warning: %s", warning->valuestring);
        }
    }
    flash_report_end(r);
    otter_ignore(linux_device_close(&r->dev)); /* opened read-only: nothing to lose */
    free(r);
}

static int flash_info(void *options)
{
    const info_options_t *o = options;
    int status;
    flash_report_t *r = calloc(1, sizeof(*r));
    if (r == NULL) {
        return cli_fail(VERB, "out of memory");
    }
    otter_fault_t fault;
    esp_log_level_set("*", ESP_LOG_NONE); /* the report says it once, in its own words */
    r->path = o->path;
    r->warnings = cJSON_CreateArray();
    r->repairs = cJSON_CreateArray();
    if (linux_device_open(&r->dev, o->path, &o->device, &fault) != ESP_OK) {
        r->dev.flash = NULL;
        snprintf(r->reason, sizeof(r->reason), "%s", fault.why);
        r->boot.otadata_copy = -1;
        status = cli_fail(VERB, "%s: %s", o->path, fault.why);
    } else {
        status = look(r, o);
    }
    if (o->json && json_print(VERB, flash_report_json(r)) != EXIT_DONE) {
        status = EXIT_FAILED;
    }
    flash_report_end(r);
    if (r->dev.flash != NULL) {
        otter_ignore(linux_device_close(&r->dev)); /* opened read-only: nothing to lose */
    }
    free(r);
    return status;
}

static const option_row_t rows[] = {
    {"FLASH", &option_argument, offsetof(info_options_t, path), .help = NULL},
    {"check", &option_switch, offsetof(info_options_t, check),
     .help = "exit status 1 if nothing boots, or something else than what otadata selects; 0 in spite of "
             "warnings, and "
             "of a chip's bootloader that the file has none of at all"},
    OPTION_CHIP(offsetof(info_options_t, device), CHIP_FOUND_OUT),
    OPTION_ROLLBACK(offsetof(info_options_t, device),
                    "as the bootloader was built; default: on for linux and device, off for other chips"),
    OPTION_ANTI_ROLLBACK(offsetof(info_options_t, device)),
    OPTION_REVISIONS(offsetof(info_options_t, device),
                     "FLASH.efuse, else whatever the images in the flash need"),
    OPTION_EFUSE(offsetof(info_options_t, device)),
    OPTION_FLASH_KEY(offsetof(info_options_t, device)),
    OPTION_TABLE_OFFSET(offsetof(info_options_t, device)),
    {"json", &option_switch, offsetof(info_options_t, json),
     .help = "for programs; docs/JSON.md explains the keys"},
    {0},
};

const cli_verb_t flash_info_verb = {
    .name = "flash info",
    .line = "explain a flash file or a chip's dump: what boots next, and why",
    .about = "Explains a flash file or a chip's dump, and changes nothing. The first line says what boots "
             "next; then come the "
             "bootloader, the partition table, both copies of otadata, and the image and state of every "
             "slot. A file that ends "
             "before its flash does (factory files, cut dumps) is read as if the rest were erased. At the "
             "end stands the command "
             "that mends what is wrong, and the one that brings the file onto a chip.\n",
    .after = "example: otter flash info flash.bin\n",
    .options = rows,
    .size = sizeof(info_options_t),
    .defaults = &(const info_options_t){.device = {.read_only = true, .whole = true, .allow_no_md5 = true}},
    .run = flash_info,
};
