/* Flash operations in words, and the list of those that a run has made: what a planned power cut may be put into. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "linux/file_flash.h"
#include "otter/device.h"
#include "otter/promise.h"

/** "erase of ota_1 at 0x5000": the partition and the offset in it; "flash" where there is none. */
void run_operation_text(const otter_device_t *device, const otter_run_op_t *op, char *text, size_t size);

typedef struct {
    int trace;     /* memory file that gets a otter_run_op_t for each operation; 0: no list is wanted */
    uint32_t read; /* operations that were read from it */
    char *text;    /* owned: the list so far */
    size_t len;
    bool full; /* no memory for more */
} run_operations_t;

/** @return false with errno */
OTTER_MUST_CHECK bool run_operations_open(run_operations_t *list);

/** Adds the operations since the last call, made by `who` ("bootloader", "app 1.0.0") in boot number `boot`. */
void run_operations_note(run_operations_t *list, const otter_device_t *device, uint32_t boot,
                         const char *who);

/** Prints the list on the console, one operation a line, and frees it. `made`: how many there were */
void run_operations_print(run_operations_t *list, uint32_t made);
