/* The two ways to say what a file with an image holds: for people and for programs. */
#pragma once

#include <cjson/cJSON.h>

#include "image_look.h"

/** For people, on standard output. @param name  of the file */
void image_report_print(image_look_t *look, const char *name);

/** "valid ESP32-C3 app image, 352 bytes, proj 1.2.3": what is good, in one line on standard output. */
void image_report_print_verdict(const image_look_t *look, const char *name);

/** The object that docs/JSON.md explains; the caller's. NULL when out of memory. */
cJSON *image_report_json(const image_look_t *look);
