/* The device of a build folder: its flash file, and the eFuses that the first boot of a chip would burn. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "otter/promise.h"
#include "otter/trust.h"

#define BUILD_FILES_MAX 64u
#define BUILD_PATH_SIZE 4096u
#define BUILD_WAIT_MS   10000 /* for a device that was told to end, and is not gone yet */

/** One file that goes into the flash. */
typedef struct {
    uint32_t offset;
    uint8_t *data; /* owned */
    size_t len;
    bool is_app, encrypted;
} build_part_t;

typedef struct {
    const char *verb, *folder;
    uint32_t size; /* of the flash, bytes */
    build_part_t parts[BUILD_FILES_MAX];
    size_t part_count;
    char flash[BUILD_PATH_SIZE],
        stamp[BUILD_PATH_SIZE]; /* paths: the flash file, and the digest of what was written into it */
    char digest[65];
    /* What the first boot of a chip burns: the keys that have signed the app, in either version, and that of the flash. */
    bool secure_boot, secure_boot_v1, aggressive_revoke;
    uint32_t flash_key_len; /* bytes; 0: its flash is not encrypted */
    bool release;           /* nor can it be again */
} build_set_t;

/** The path of something in the build folder. @return false, and said: it would be too long */
OTTER_MUST_CHECK bool build_set_path(const build_set_t *set, char out[BUILD_PATH_SIZE], const char *name);

/**
 * The public key of ESP32's first scheme, which no image carries: the build has put it beside itself.
 * @param has  there is one
 * @return false, and said: it cannot be read
 */
OTTER_MUST_CHECK bool build_set_v1_key(const build_set_t *set, uint8_t key[OTTER_V1_KEY_LEN], bool *has);

/**
 * The flash file, where there is none of this size yet, and a chip's eFuse file with nothing burned; says what is replaced.
 * @param flash  the caller was told to write what was built
 * @param fresh  another device, whatever is there
 * @return false, and said
 */
OTTER_MUST_CHECK bool build_device_make(const build_set_t *set, bool flash, bool fresh);

/** Writes what was built into it, and burns what the options ask for and is not burned yet. @return false, and said */
OTTER_MUST_CHECK bool build_device_write(const build_set_t *set);
