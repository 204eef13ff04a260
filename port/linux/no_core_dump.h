/* A process that holds a secret key leaves no picture of its memory when it crashes. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** From now on no core dump of this process is written, nor of its children; for whoever is about to read a key. */
void no_core_dump(void);
