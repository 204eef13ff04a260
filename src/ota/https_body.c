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

/** The same of a body that a stage makes an image of: of both times it is the same that was made. */
static bool makes_the_same(https_ota_t *ota, ota_stage_t *stage, uint64_t off, const uint8_t *data,
                           size_t len)
{
    uint8_t piece[512];
    otter_fault_t nobody = {0};
    bool same = true;
    ota->image_again = off == 0 ? 0 : ota->image_again;
    for (bool first = off == 0; len > 0 && same; first = false) {
        ota_flow_t flow = {.in = data, .len = len, .out = piece, .room = sizeof(piece), .fault = &nobody};
        same = stage->ops->again(stage, first, &flow) == ESP_OK && flow.used > 0 &&
               is_known(ota, ota->image_again, piece, flow.made);
        ota->image_again += flow.made;
        data += flow.used;
        len -= flow.used;
    }
    return same;
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
    const uint64_t off = source->body_pos - len;
    ota_stage_t *stage = ota_pipeline_knowing(&ota->pipeline);
    *got = 0;
    if (ota->pipeline.count > 0 && stage == NULL) {
        return https_source_differs(
            source, len,
            "the server sent the file from its beginning again, and of one that is not the image as "
            "it is nothing is kept to compare it with");
    }
    const bool same =
        stage != NULL ? makes_the_same(ota, stage, off, buf, len) : is_known(ota, off, buf, len);
    return same ? ESP_ERR_NOT_FINISHED
                : https_source_differs(source, len, "the file on the server changed while it was downloaded");
}

bool https_image_is_whole(void *ctx, uint64_t pos)
{
    https_ota_t *ota = ctx;
    const ota_stage_t *stage = ota_pipeline_knowing(&ota->pipeline);
    const bool here = ota->session.begun && ota->pipeline.buffered == 0;
    return stage != NULL
               ? here && stage->ops->is_whole(stage)
               : here && ota->session.written == pos && session_stage_image_len(&ota->session) == pos;
}
