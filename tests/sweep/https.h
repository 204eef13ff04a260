/* Updates of the sweep that come by esp_https_ota from a scripted server. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sweep/copy.h"

/* How the download goes, a set of these; 0: the update does not come by HTTPS. */
enum {
    HTTPS_PLAIN = 1,
    HTTPS_RESUMES = 2,     /* ota_resumption */
    HTTPS_SAME = 4,        /* after a cut the same file is asked for again, else another */
    HTTPS_RANGES = 8,      /* partial_http_download */
    HTTPS_DROPS = 16,      /* the link drops again and again */
    HTTPS_ENCRYPTED = 32,  /* decrypt_cb */
    HTTPS_BREAKS = 64,     /* the link breaks for good at two thirds; the device restarts and asks again */
    HTTPS_WITHDRAWN = 128, /* as BREAKS, but the server has another file then; after a cut the first again */
    HTTPS_SEALED = 512,    /* files are encrypted, and the library reads them (support/sealed.h) */
    HTTPS_BY_HAND = 256    /* as BREAKS, but the application brings the image by esp_ota_begin then */
};

/**
 * One download to its end, with what comes of it: verified, copied if `kind` says so, selected if it is an application.
 * The owner's word must have been given.
 * @return false: power went, and no boot nor success came after it
 */
bool https_update(subject_t *subject, unsigned how, copy_kind_t kind, unsigned version);

/** A download that the link does not let through, and a restart. @return false: power went */
bool https_break_off(subject_t *subject, unsigned how, copy_kind_t kind, unsigned version);

/** The file of HTTPS_WITHDRAWN that the server has before `version`, and after a cut again. */
unsigned https_withdrawn(unsigned version);
