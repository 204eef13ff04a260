/* Opens the files of one folder by URL path; nothing outside the folder, nothing but regular files. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "otter/promise.h"

#define FOLDER_PATH_SIZE 4096 /* bytes of a decoded path with its NUL */

/**
 * The path of a request target, decoded and relative to the folder.
 * @param target  origin form ("/a/b") or absolute form ("https://host/a/b"), without query, still percent-encoded
 * @return false if it can name no file here: not such a form, a malformed escape, an encoded NUL or slash, a "." or
 *         ".." segment, empty, too long
 */
OTTER_MUST_CHECK bool folder_decode_target(const char *target, char path[FOLDER_PATH_SIZE]);

/** @return a descriptor of the folder, -1 with errno set */
OTTER_MUST_CHECK int folder_open(const char *path);

/**
 * Opens a file at or below the folder. Symbolic links are followed as long as they stay inside.
 * @param path  from folder_decode_target()
 * @param st    receives what it is
 * @return a descriptor to read from (the caller closes it), or the negative errno: -ENOENT stands for everything that is
 *         no regular file in the folder
 */
OTTER_MUST_CHECK int folder_open_file(int folder, const char *path, struct stat *st);
