/* The build folder of an ESP-IDF project: what goes where in its flash, and how its options say that it boots. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "linux/linux_device.h"
#include "otter/promise.h"

#define BUILD_FOLDER_NAME "build-otter" /* in the project's folder */

/** How the device begins. */
typedef struct {
    bool flash; /* what was built is written also where it is in flash already */
    bool fresh; /* flash and eFuses are those of a new chip */
} build_folder_start_t;

/** True of a folder: neither a flash file nor a device is one. */
bool build_folder_is(const char *path);

/**
 * Sees to it that the flash file of a build folder (or of the project around it) is there and holds what was built last, and
 * that the device boots by the project's options. What an update or an app has written stays until something else is built.
 * Says why not.
 * @param verb    in whose name
 * @param device  what is not set in it is set
 * @return the path of the flash file, which the caller frees; NULL: it has been told why not
 */
OTTER_MUST_CHECK char *build_folder_prepare(const char *verb, const char *path,
                                            const build_folder_start_t *start,
                                            linux_device_options_t *device);

/**
 * After a run: what of the sources has been covered, in coverage.info (lcov's format), if it was built to be counted.
 * @return false, and said: it cannot be made
 */
OTTER_MUST_CHECK bool build_folder_end(const char *verb, const char *path);
