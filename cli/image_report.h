/* The two ways to say what a file with an image holds: for people and for programs. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <cjson/cJSON.h>

#include "clean_text.h"
#include "image_look.h"

/** Room for the name and version of an app, fit for a terminal. */
#define IMAGE_APP_SIZE (2 * CLEAN_TEXT_SIZE(32) + 8)

/** " (hello 2.0.0)": name and version between `before` and `after`; "" of an image that has none. Returns buf. */
const char *image_app(const otter_image_info_t *info, const char *before, const char *after,
                      char buf[IMAGE_APP_SIZE]);

/** For people, on standard output. @param name  of the file */
void image_report_print(image_look_t *look, const char *name);

/**
 * "valid ESP32-C3 app image, 352 bytes, proj 1.2.3": what is good, in one line on standard output.
 * @param judged_revision, judged_blk_revision  false: that of the chip was not known, so what the image needs is told
 */
void image_report_print_verdict(const image_look_t *look, const char *name, bool judged_revision,
                                bool judged_blk_revision);

/** The object that docs/JSON.md explains; the caller's. json_print() tells when memory was out. */
cJSON *image_report_json(const image_look_t *look);
