/* Who holds the lock of a file (flock), as the kernel tells everybody. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#define LOCK_HOLDER_SIZE 128 /* enough for what lock_holder_name() writes */

/**
 * Names a process that holds a lock of a file: "process 123 (otter run demo)". Its command line is cut where it is long, and what
 * cannot be printed is '?'. Where the kernel does not tell (a process of another container, /proc not mounted, nobody any more):
 * "another process".
 * @param size  at least LOCK_HOLDER_SIZE
 */
void lock_holder_name(const char *path, char *text, size_t size);
