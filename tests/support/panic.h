/* What ends in a panic, tried in a process of its own. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** Fails unless `call` aborts, and the console then says `text`. */
void assert_panics(void (*call)(void), const char *text);
