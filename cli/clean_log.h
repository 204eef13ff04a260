/* The log of this program, made fit for a terminal: its lines quote labels and versions from flash. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** From now on every log line is cleaned (clean_text.h) before it goes to the console. */
void clean_log_begin(void);
