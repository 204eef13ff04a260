/* A file system of the application's own: one file, "/text", in memory; and what streams of C++ read. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

void ask_own(void);
void read_by_cpp(const char *path);

#ifdef __cplusplus
}
#endif
