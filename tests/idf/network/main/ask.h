/* What each file asks. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

/** What a station knows after a restart; restarts three times before it returns. */
void ask_kept(void);
void ask_now(void);
/** With callbacks of before ESP-IDF 5.5, in C++. */
void ask_old_now(void);
void ask_names(void);

#ifdef __cplusplus
}
#endif
