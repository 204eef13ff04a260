/* The JSON object that tells of one app image: `otter image info --json`, and each slot of `otter flash info --json`. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <cjson/cJSON.h>

#include "otter/image.h"

/**
 * @param s  a stream with its verdict; may be good or broken
 * @return a new object, the caller's; docs/JSON.md explains its keys. json_print() tells when memory was out
 */
cJSON *image_json(const otter_image_stream_t *s);
