/* A cipher for flash in tests: XTS-AES-128 with a key that everybody knows. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "otter/flash.h"

/** One for all flashes of the program. Ends the program when out of memory. */
const otter_flash_cipher_t *test_cipher(void);

/** [off, off + len) of a flash whose bytes begin at `flash` are encrypted, or decrypted, as they are; whole blocks of 16. */
void test_cipher_apply(uint8_t *flash, bool decrypt, uint32_t off, uint32_t len);
