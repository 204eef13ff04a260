/* What happens in the lives that the sweep cuts: tables of steps, and one function that takes a device through one. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sweep/https.h"

typedef enum {
    STEP_NONE,
    STEP_FIRST_BOOT,
    STEP_UPDATE, /* download, select, restart, and then `fate` */
    STEP_COPY,   /* what is no application is staged and copied, and the device restarts */
    STEP_SELECT, /* the application in partition `image` of the table (0: factory or ota_0) is selected again */
    STEP_ERASE_LAST, /* the other slot is given up */
    STEP_CONFIRM,    /* the application confirms itself although nothing is on trial */
    STEP_TAKE_BACK,  /* an update is selected, and before the restart another one in the slot behind it */
    STEP_REJECT,     /* the confirmed application gives itself up */
    STEP_REFUSED,    /* an image below the secure version arrives */
    STEP_DAMAGED,    /* an image arrives with one bit wrong, and is selected nevertheless */
    STEP_FORGED,     /* a whole image arrives that no trusted key signed, and is selected nevertheless */
    STEP_REVOKE,     /* the first key of the eFuses is revoked */
    STEP_ROT,        /* an update is selected, then its image loses bits in flash before it boots */
} step_kind_t;

typedef enum { FATE_CONFIRM, FATE_CRASH, FATE_REJECT } fate_t;

typedef enum {
    ERASE_AHEAD, /* sector by sector, as the bytes come */
    ERASE_KNOWN, /* at begin, the image's size */
    ERASE_WHOLE, /* at begin, the whole slot */
    ERASE_RESUME /* sector by sector, and the download is broken off and gone on with after a restart */
} erase_t;

typedef struct {
    step_kind_t kind;
    unsigned image;
    fate_t fate;
    erase_t erase;
    unsigned downloads; /* so many times before the restart; 0 counts as 1 */
    unsigned https;     /* HTTPS_*; 0: the application calls esp_ota_begin and so on itself */
    copy_kind_t copy;   /* through a staging partition */
    bool copied_next;   /* after a cut the same image comes again, through a staging partition */
} step_t;

#define LIFE_STEPS_MAX 8
#define LIVES_MAX      256

/** Cuts in the recovery from a cut: none, some in a long run only, all in the boot after it, some of each, or all. */
typedef enum { PAIRS_NONE, PAIRS_LONG, PAIRS_IN_BOOT, PAIRS_SAMPLED, PAIRS_ALL } pairs_t;

typedef struct {
    const char *name;
    subject_config_t subject;
    pairs_t pairs;
    step_t steps[LIFE_STEPS_MAX];
} life_t;

extern const life_t lives[];
extern const unsigned life_count;

/** Power on, boot, the step. @return false: it failed, as it must when power goes */
bool life_step(subject_t *subject, const step_t *step);

/** After a cut: boot, finish a trial, take one more update to its end, restart. @return false: power went */
bool life_recover(subject_t *subject, const step_t *step);
