/* Bytes of a flash with a signature sector behind them, whatever they are: an image's are judged as its bytes pass (image.c). */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "otter/fault.h"
#include "otter/flash.h"
#include "otter/promise.h"
#include "otter/trust.h"

/** False, with why in fault, if nothing could be good, whoever signed it. @param trust  that asks for signatures */
OTTER_MUST_CHECK bool trust_has_somebody(const otter_trust_t *trust, otter_fault_t *fault);

/**
 * Reads them once, and the sector.
 * @param start, end  of what is signed; the sector begins at `end`. All of it is inside the flash
 * @param trust       that asks for signatures, of Secure Boot V2
 * @return ESP_OK, ESP_ERR_IMAGE_INVALID, ESP_ERR_NO_MEM, trust->error, what otter_flash_read() says; the reason in fault
 */
OTTER_MUST_CHECK esp_err_t signed_bytes_verify(otter_flash_t *flash, uint32_t start, uint32_t end,
                                               const otter_trust_t *trust, otter_fault_t *fault);
