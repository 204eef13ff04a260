/*
 * Decrypts what arrives. The last bytes of an image leave the stage only with the tag proved: until then what lies in the slot is
 * never the whole image. After a reset what is in flash is encrypted again, so that the tag proves it as if it came now.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ota/encrypted_stage.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ota/slot_io.h"
#include "otter/bytes.h"

typedef struct {
    ota_stage_t stage;
    otter_decryption_t d;
    bool proved;              /* all came, and the tag fits */
    otter_decryption_t again; /* of what a server sends for the second time */
} encrypted_stage_t;

static esp_err_t decrypt(otter_decryption_t *d, ota_flow_t *flow)
{
    otter_decryption_flow_t piece = {.in = flow->in, .len = flow->len, .out = flow->out, .room = flow->room};
    esp_err_t err = otter_decryption_feed(d, &piece, flow->fault);
    flow->used = piece.used;
    flow->made = piece.made;
    return err;
}

static esp_err_t feed(ota_stage_t *stage, ota_flow_t *flow)
{
    encrypted_stage_t *s = (encrypted_stage_t *)stage;
    esp_err_t err = decrypt(&s->d, flow);
    if (err != ESP_OK || !otter_decryption_is_complete(&s->d)) {
        return err;
    }
    if (flow->used < flow->len) {
        return otter_fault(flow->fault, ESP_ERR_OTA_VALIDATE_FAILED,
                           "the file goes on behind the %" PRIu32 " bytes of image that its header announces",
                           s->d.length);
    }
    if (!s->proved) {
        err = otter_decryption_check(&s->d, flow->fault);
        s->proved = err == ESP_OK;
    }
    return err;
}

static esp_err_t finish(ota_stage_t *stage, ota_flow_t *flow)
{
    encrypted_stage_t *s = (encrypted_stage_t *)stage;
    return s->proved ? ESP_OK : otter_decryption_check(&s->d, flow->fault);
}

/** Encrypts again what is in the slot. */
static esp_err_t recall(otter_decryption_t *d, const ota_resume_t *from)
{
    uint8_t piece[512];
    otter_fault_t nobody = {0};
    const bool usable =
        from->slot != NULL && from->kept_len == OTTER_ENCRYPTED_HEADER && from->made <= from->slot->size;
    esp_err_t err = usable ? otter_decryption_recall(d, from->kept, NULL, 0, &nobody) : ESP_ERR_NOT_FOUND;
    for (uint32_t at = 0, n; at < from->made && err == ESP_OK; at += n) {
        n = min_u32((uint32_t)from->made - at, (uint32_t)sizeof(piece));
        err = ota_read_range(from->slot->flash_chip, from->slot, at, piece, n);
        err = err == ESP_OK ? otter_decryption_recall(d, NULL, piece, n, &nobody) : err;
    }
    /* With nothing left to come no last byte would bring the tag's verdict. */
    return err == ESP_OK && otter_decryption_is_complete(d) ? ESP_ERR_NOT_FOUND : err;
}

static esp_err_t resume(ota_stage_t *stage, const ota_resume_t *from, uint64_t *used)
{
    encrypted_stage_t *s = (encrypted_stage_t *)stage;
    const bool nowhere = from->made == 0 && from->kept == NULL;
    esp_err_t err = nowhere ? ESP_OK : recall(&s->d, from);
    const bool goes_on = err == ESP_OK && !nowhere;
    if (!goes_on) {
        otter_decryption_restart(&s->d);
        otter_decryption_restart(&s->again);
    }
    *used = goes_on ? OTTER_ENCRYPTED_HEADER + from->made : 0;
    return err;
}

static ota_about_t about(const ota_stage_t *stage)
{
    const otter_decryption_t *d = &((const encrypted_stage_t *)stage)->d;
    ota_about_t about = {.image = -1, .in_front = OTTER_ENCRYPTED_HEADER};
    if (d->have == OTTER_ENCRYPTED_HEADER) {
        about.image = d->length;
        about.kept = d->header;
        about.kept_len = OTTER_ENCRYPTED_HEADER;
    }
    return about;
}

static esp_err_t again(ota_stage_t *stage, bool first, ota_flow_t *flow)
{
    encrypted_stage_t *s = (encrypted_stage_t *)stage;
    if (first) {
        otter_decryption_restart(&s->again);
    }
    return decrypt(&s->again, flow);
}

static bool is_whole(const ota_stage_t *stage)
{
    return ((const encrypted_stage_t *)stage)->proved;
}

static void free_stage(ota_stage_t *stage)
{
    encrypted_stage_t *s = (encrypted_stage_t *)stage;
    otter_decryption_restart(&s->d);
    otter_decryption_restart(&s->again);
    free(s);
}

static ota_stage_t *stage_new(const otter_image_key_t *key)
{
    static const ota_stage_ops_t ops = {.feed = feed,
                                        .finish = finish,
                                        .resume = resume,
                                        .free = free_stage,
                                        .about = about,
                                        .again = again,
                                        .is_whole = is_whole};
    encrypted_stage_t *s = calloc(1, sizeof(*s));
    if (s == NULL) {
        return NULL;
    }
    *s = (encrypted_stage_t){.stage.ops = &ops, .d.key = key, .again.key = key};
    return &s->stage;
}

const otter_encrypted_images_t otter_encrypted_images = {.stage_new = stage_new};
