/* The buffer of a flash, for one reader at a time. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "otter/flash.h"
#include "otter/system.h"

/** @return the flash's buffer until it is given back; none if the flash has none, or another task reads through it */
static inline otter_buffer_t flash_borrow_buffer(otter_flash_t *flash)
{
    otter_buffer_t buffer = {0};
    otter_lock(OTTER_LOCK_FLASH);
    if (!flash->buffer_lent && flash->buffer.bytes != NULL) {
        buffer = flash->buffer;
        flash->buffer_lent = true;
    }
    otter_unlock(OTTER_LOCK_FLASH);
    return buffer;
}

/** What was borrowed, also none. */
static inline void flash_return_buffer(otter_flash_t *flash, const otter_buffer_t *buffer)
{
    if (buffer->bytes != NULL) {
        otter_lock(OTTER_LOCK_FLASH);
        flash->buffer_lent = false;
        otter_unlock(OTTER_LOCK_FLASH);
    }
}
