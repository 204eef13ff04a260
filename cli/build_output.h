/* What cmake, ninja, compiler and linker say, and the one line that tells its reader what to do. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define BUILD_OUTPUT_TAIL  12u
#define BUILD_OUTPUT_MEANT 16u

/** A name that the compiler has not found, and one like it. */
typedef struct {
    char name[64], meant[64];
} build_meant_t;

typedef struct {
    char why[1024];                    /* the line that says what is wrong; "" */
    char cmake[512];                   /* CMake's first error: where, and what; "" */
    char tail[BUILD_OUTPUT_TAIL][512]; /* the last lines, in a ring */
    char skipped[512];                 /* a library that the linker did not take, for another machine; "" */
    size_t lines;
    build_meant_t meant[BUILD_OUTPUT_MEANT];
    size_t meant_count;
    bool quiet;
    bool failed;       /* the line before was ninja's "FAILED": the command comes */
    bool names_source; /* CMake is about to name a file */
} build_output_t;

/** Takes one line: shows what people want to see, keeps what explains a failure. @param arg  a build_output_t, zeroed at first */
void build_output_keep(void *arg, const char *text);

/** Says what went wrong, in one line. @param what  where nothing has explained it @return EXIT_FAILED */
int build_output_fail(const build_output_t *output, const char *what);
