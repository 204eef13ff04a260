/* The body of a download on its way into the pipeline: what a server sends again must be what came before. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "ota/https_handle.h"

/** Compares with what is in flash, or still in the buffer, from `off` on: of a body that is the image as it is. */
static bool is_known(const https_ota_t *ota, uint64_t off, const uint8_t *data, size_t len)
{
    const ota_pipeline_t *p = &ota->pipeline;
    const uint64_t written = ota->session.written;
    uint8_t piece[512];
    for (size_t n; len > 0; off += n, data += n, len -= n) {
        n = len < sizeof(piece) ? len : sizeof(piece);
        if (off < written) {
            n = n < written - off ? n : (size_t)(written - off);
            if (session_stage_read(&ota->session, (uint32_t)off, piece, (uint32_t)n) != ESP_OK ||
                memcmp(piece, data, n) != 0) {
                return false;
            }
        } else if (off - written > p->buffered || n > p->buffered - (size_t)(off - written) ||
                   memcmp(p->buffer + (off - written), data, n) != 0) {
            return false;
        }
    }
    return true;
}

esp_err_t https_read_body(void *ctx, uint8_t *buf, size_t room, size_t *got)
{
    https_ota_t *ota = ctx;
    https_source_t *source = &ota->source;
    bool again;
    esp_err_t err = https_source_read(source, buf, room, got, &again);
    if (!again) {
        return err;
    }
    const size_t len = *got;
    *got = 0;
    if (ota->pipeline.count > 0) {
        return https_source_differs(
            source, len,
            "the server sent the file from its beginning again, and of one that is not the image as "
            "it is nothing is kept to compare it with");
    }
    return is_known(ota, source->body_pos - len, buf, len)
               ? ESP_ERR_NOT_FINISHED
               : https_source_differs(source, len, "the file on the server changed while it was downloaded");
}

bool https_image_is_whole(void *ctx, uint64_t pos)
{
    https_ota_t *ota = ctx;
    return ota->session.begun && ota->pipeline.buffered == 0 && ota->session.written == pos &&
           session_stage_image_len(&ota->session) == pos;
}
