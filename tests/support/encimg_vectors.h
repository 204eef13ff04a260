/* esp_encrypted_img_* on the files of the vendor's tool, against what the vendor's component made of them. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "esp_encrypted_img.h"

/**
 * All files of one scheme, in chunks of 1, 100 and 1024 bytes.
 * @param scheme  "rsa" or "ecies"
 * @param cfg     an esp_decrypt_cfg_t in the form that the program's options give it
 */
void encimg_vectors_hold(const char *scheme, const void *cfg);

/** The whole of a file of the vectors' folder; the caller frees. */
char *encimg_file(const char *name, size_t *len);
