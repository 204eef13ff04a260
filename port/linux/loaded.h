/* What the loader leaves behind at the start of a program. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * Half a megabyte of a program with OpenSSL are relocations and names of symbols, which lie in memory as the pages of their files
 * and are needed no more. They are given back to the system; what is read of them later comes from the files again.
 */
void loaded_give_back(void);
