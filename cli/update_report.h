/* What `otter update` says when it is over: one line for people, or JSON (docs/JSON.md). */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "clean_text.h"
#include "esp_app_desc.h"
#include "esp_err.h"
#include "otter/report.h"

#define UPDATE_VERSION_SIZE CLEAN_TEXT_SIZE(32)

/** What the command found out. Starts as zeros but for start_us. */
typedef struct {
    /* the eFuse file that says which chip this is; NULL: it is known otherwise, or out of memory */
    char *judged_by;
    char *error;                             /* what the command knows more than the report; NULL: nothing */
    char needless[UPDATE_VERSION_SIZE + 64]; /* why nothing was written though nothing failed; "": it was */
    char from_version[UPDATE_VERSION_SIZE], to_version[UPDATE_VERSION_SIZE];
    char boots[17]; /* label of what boots next, as far as the flash file tells; "": nothing */
    char standing
        [200]; /* the same in words, after a failure: "the old firmware still boots"; "" while nothing is known */
    int64_t start_us;
    uint32_t sectors_erased;
    otter_update_report_t report;
} update_outcome_t;

/** The version in a descriptor, which is anybody's bytes, as readable text. */
void update_outcome_version(char to[UPDATE_VERSION_SIZE], const esp_app_desc_t *desc);

/** Says what went wrong; the first word counts. */
void update_outcome_error(update_outcome_t *outcome, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** Tells the outcome on standard output or, a failure, in one line on standard error. @return the exit status */
int update_outcome_tell(update_outcome_t *outcome, esp_err_t err, const char *flash_path, bool json,
                        bool quiet);
