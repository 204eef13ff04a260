/* What the fuzz targets share: taking an input apart, cutting it at random, and failing on a broken property. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli.h"

/** A target: one file fuzz_NAME.c defines it. Always returns 0; a broken property aborts. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** What is left of an input. Taking from an empty one gives zeros. */
typedef struct {
    const uint8_t *bytes;
    size_t len;
} fuzz_input_t;

uint8_t fuzz_u8(fuzz_input_t *in);
uint16_t fuzz_u16(fuzz_input_t *in); /* little endian */
uint32_t fuzz_u32(fuzz_input_t *in);

/** The next `len` bytes, fewer where there are no more. */
fuzz_input_t fuzz_take(fuzz_input_t *in, size_t len);

/** Everything up to the next `delimiter`, which is dropped; all of the rest if there is none. */
fuzz_input_t fuzz_until(fuzz_input_t *in, uint8_t delimiter);

/** A terminated copy for the caller to free; it ends at a 0 byte of the input as any C string does. */
char *fuzz_text(fuzz_input_t in);

/** A number from 1 to `max` that only depends on `state`: where to cut. */
size_t fuzz_cut(uint32_t *state, size_t max);

/** One of `count` > 0 things. */
size_t fuzz_choose(fuzz_input_t *in, size_t count);

/** A path in a folder of this process's own, in memory where the machine has such; removed at exit. */
const char *fuzz_path(const char *name);

/** Replaces the file at `path`. */
void fuzz_write_file(const char *path, const void *bytes, size_t len);

/** A terminated copy of a file for the caller to free; *len may be NULL. */
char *fuzz_read_file(const char *path, size_t *len);

/**
 * Runs a verb of the command and checks what every verb promises: one line on standard error if and only if it fails,
 * and nothing that drives a terminal.
 * @param args  its name and arguments, NULL at the end
 * @return what it printed; the caller frees
 */
char *fuzz_run_verb(const cli_verb_t *verb, const char *const args[], int *status);

void fuzz_fail(const char *file, int line, const char *condition, const char *format, ...)
    __attribute__((noreturn, format(printf, 4, 5)));

/** A property: kept in every build, unlike assert. */
#define FUZZ_CHECK(condition, ...)                                                                           \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fuzz_fail(__FILE__, __LINE__, #condition, __VA_ARGS__);                                          \
        }                                                                                                    \
    } while (0)
