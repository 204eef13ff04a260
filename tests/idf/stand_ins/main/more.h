/* Stand-ins that fewer projects ask for. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

void ask_more(void);
void ask_names(void);
void ask_provision(void);
