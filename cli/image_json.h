/* The JSON object that tells of one app image: `otter image info --json`, and each slot of `otter flash info --json`. */
#pragma once

#include <cjson/cJSON.h>

#include "image/image.h"

/**
 * @param s  a stream with its verdict; may be good or broken
 * @return a new object, the caller's; NULL when out of memory. Its keys, what is not known being null:
 *         valid, error (text), chip (name), chip_id, entry, segments [{load_addr, length}], checksum_valid,
 *         hash_valid (null too when no hash is appended), hash (hex), image_len (bytes), min_rev, max_rev
 *         (major * 100 + minor; 65535: no limit), app {project_name, version, secure_version, date, time, idf_ver,
 *         elf_sha256 (hex)}
 */
cJSON *image_json(const image_stream_t *s);
