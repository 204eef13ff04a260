/* The crypto seam: link-time functions that a port implements with a crypto library. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "otter/promise.h"

#ifdef __cplusplus
extern "C" {
#endif

#define OTTER_SHA256_LEN 32u
#define OTTER_MD5_LEN    16u

/** A running SHA-256; the port's own structure. */
typedef struct otter_sha256 otter_sha256_t;

/** A hash that has seen nothing. @return NULL when out of memory; the caller frees it. */
OTTER_MUST_CHECK otter_sha256_t *otter_sha256_new(void);

/** Start over, as if just made. @return false: out of memory; nothing but reset and free may be called then */
OTTER_MUST_CHECK bool otter_sha256_reset(otter_sha256_t *sha);

void otter_sha256_update(otter_sha256_t *sha, const void *data, size_t len);

/** Writes the digest; reset before the next use. */
void otter_sha256_finish(otter_sha256_t *sha, uint8_t digest[OTTER_SHA256_LEN]);

/** NULL is fine. */
void otter_sha256_free(otter_sha256_t *sha);

/** One-shot MD5: the partition table's own digest, no protection against anybody. @return ESP_OK or ESP_ERR_NO_MEM */
OTTER_MUST_CHECK esp_err_t otter_md5(const void *data, size_t len, uint8_t digest[OTTER_MD5_LEN]);

#ifdef __cplusplus
}
#endif
