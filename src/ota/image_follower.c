/* The image follower: feeds the image stream from flash alone, so its verdict is about what flash holds. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ota/image_follower.h"

#include <stdio.h>

#include "otter/bytes.h"
#include "boot/trust.h"
#include "flash/flash_buffer.h"
#include "ota/slot_io.h"

void image_follower_begin(image_follower_t *follower, const esp_partition_t *partition,
                          const otter_image_rules_t *rules)
{
    image_follower_end(follower);
    *follower = (image_follower_t){.partition = partition, .rules = *rules};
}

void image_follower_end(image_follower_t *follower)
{
    otter_image_stream_end(&follower->stream);
}

/** A verdict that is reached early ends the reading, not the update. */
static void read_up_to(image_follower_t *f, uint32_t end)
{
    if (f->partition == NULL || f->lost || f->read_back >= end) {
        return;
    }
    otter_flash_t *flash = f->partition->flash_chip;
    const otter_buffer_t buffer = flash_borrow_buffer(flash);
    f->lost = buffer.size == 0;
    if (!f->lost && !f->begun) {
        f->begun = otter_image_stream_begin(&f->stream, &f->rules) == ESP_OK;
        f->lost = !f->begun;
    }
    while (!f->lost && f->read_back < end && f->stream.verdict == ESP_ERR_NOT_FINISHED) {
        uint32_t len = min_u32(end - f->read_back, buffer.size);
        /* First the watch, then the reading: what somebody writes in between is noticed. */
        f->watch = otter_flash_watch(flash, f->watch, f->partition->address, f->read_back + len);
        f->lost =
            f->watch == 0 || ota_read_range(flash, f->partition, f->read_back, buffer.bytes, len) != ESP_OK;
        if (!f->lost) {
            (void)otter_image_stream_feed(&f->stream, buffer.bytes, len); /* sticky: judged at the end */
            f->read_back += len;
        }
    }
    flash_return_buffer(flash, &buffer);
}

void image_follower_sectors(image_follower_t *follower, uint32_t end)
{
    if (follower->partition == NULL) {
        return;
    }
    const otter_flash_t *flash = follower->partition->flash_chip;
    uint32_t complete = align_down_u32(end, flash->erase_size);
    if (complete > follower->read_back && complete - follower->read_back >= flash->buffer.size) {
        read_up_to(follower, complete);
    }
}

bool image_follower_is_complete(image_follower_t *follower, uint32_t end)
{
    read_up_to(follower, end);
    return follower->begun && !follower->lost && follower->stream.verdict == ESP_OK;
}

esp_err_t image_follower_verify(image_follower_t *follower, bool followed, const otter_trust_t *trust,
                                uint32_t *image_len, otter_fault_t *fault)
{
    otter_flash_t *flash = follower->partition->flash_chip;
    const uint32_t start = follower->partition->address;
    if (!trust_is_same(&follower->rules.trust, trust)) {
        follower->rules.trust = *trust;
        followed = false;
    }
    if (followed) {
        read_up_to(follower, follower->partition->size);
    }
    esp_err_t err;
    if (!followed || follower->lost || !otter_flash_is_unwritten(flash, follower->watch, start)) {
        follower->lost = true;
        follower->watch = otter_flash_watch(flash, 0, start, follower->partition->size);
        err = otter_image_stream_from_flash(&follower->stream, flash, &follower->rules);
    } else {
        err = otter_image_stream_close(&follower->stream);
    }
    if (err != ESP_OK) {
        *fault = follower->stream.fault;
    }
    *image_len = err == ESP_OK ? follower->stream.info.image_len : 0;
    return err;
}
