/* The gate: kind of file, chip, revision and size, from the first bytes in RAM. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ota/gate.h"

#include <inttypes.h>
#include <stddef.h>

#include "otter/bytes.h"
#include "boot/copy_journal.h"
#include "boot/secure_version.h"
#include "esp_log.h"
#include "otter/image.h"
#include "image/misfit.h"
#include "ota/https_report.h"
#include "ota/update_target.h"
#include "ota/version_check.h"

static const char TAG[] = "esp_https_ota";

/** The image fits where it is written, and where it is copied to afterwards. */
static esp_err_t check_size(const ota_gate_t *gate, const ota_flow_t *flow)
{
    const ota_target_t *target = gate->target;
    const bool copied = target->copies && target->final != target->staging;
    const uint32_t journal = copied ? copy_journal_size(target->device->flash) : 0;
    const struct {
        const esp_partition_t *partition;
        uint32_t kept;
    } places[] = {{target->staging, journal}, {target->final, 0}};
    for (size_t i = 0; i < (copied ? 2 : 1); i++) {
        uint32_t size = places[i].partition->size, room = size - min_u32(size, places[i].kept);
        if (target->size > (int64_t)room) {
            return otter_fault(flow->fault, ESP_ERR_INVALID_SIZE,
                               "the image has %" PRId64 " bytes, partition %s only %" PRIu32 "%s",
                               target->size, places[i].partition->label, room,
                               places[i].kept > 0 ? ", less the sector that the copy needs" : "");
        }
    }
    return ESP_OK;
}

/** Says as ESP-IDF does which of chip and revision does not suit. */
static void log_misfit(const otter_chip_t *ours, const uint8_t *head, bool bootloader)
{
    esp_image_header_t header;
    otter_image_decode_header(head, &header);
    if (header.chip_id != ours->id) {
        ESP_LOGE(TAG, "Mismatch chip id, expected %u, found %u", (unsigned)ours->id,
                 (unsigned)header.chip_id);
    } else {
        image_log_misfit(&header, ours, bootloader);
    }
}

/** Kind of file, chip, revision, and whatever else the head tells. */
static esp_err_t check_head(const ota_gate_t *gate, const ota_flow_t *flow)
{
    const ota_target_t *target = gate->target;
    otter_device_t *device = target->device;
    const uint8_t *head = flow->in;
    esp_chip_id_t chip = (esp_chip_id_t)le16_get(head + offsetof(esp_image_header_t, chip_id));
    uint16_t min_revision = le16_get(head + offsetof(esp_image_header_t, min_chip_rev_full));
    https_report_event(device, ESP_HTTPS_OTA_VERIFY_CHIP_ID, &chip, sizeof(chip));
    https_report_event(device, ESP_HTTPS_OTA_VERIFY_CHIP_REVISION, &min_revision, sizeof(min_revision));
    bool app = target->final->type == ESP_PARTITION_TYPE_APP;
    esp_err_t err = otter_image_check_header(head, &device->chip, !app, flow->fault);
    if (err == ESP_ERR_INVALID_VERSION) {
        log_misfit(&device->chip, head, !app);
    } else if (head[0] != ESP_IMAGE_HEADER_MAGIC) { /* as esp_ota_write, which does not come to see it */
        ESP_LOGE("esp_ota_ops", "OTA image has invalid magic byte (expected 0xE9, saw 0x%02x)", head[0]);
    } else if (err == ESP_OK) {
        const otter_image_rules_t rules = ota_image_rules(device, target->staging, target->final);
        err = otter_image_check_head(head, min_u32((uint32_t)flow->len, OTTER_IMAGE_GATE_SIZE), &rules,
                                     flow->fault);
    }
    return err;
}

/** Of the image's head, or of what a download that goes on has written of it. */
static esp_err_t read_secure_version(const ota_gate_t *gate, const ota_flow_t *flow, uint32_t *version)
{
    const esp_partition_t *staging = gate->target->staging;
    const uint8_t *desc = (const uint8_t *)flow->in + OTTER_IMAGE_DESC_OFFSET;
    if (!gate->wants_head) {
        return secure_version_of_app(staging->flash_chip, staging->address, staging->size, version);
    }
    if (flow->len < OTTER_IMAGE_DESC_OFFSET + sizeof(esp_app_desc_t) ||
        le32_get(desc + offsetof(esp_app_desc_t, magic_word)) != ESP_APP_DESC_MAGIC_WORD) {
        return ESP_ERR_NOT_FOUND;
    }
    *version = le32_get(desc + offsetof(esp_app_desc_t, secure_version));
    return ESP_OK;
}

/** Anti-rollback: an image that would not boot, or could not be confirmed for good. */
static esp_err_t check_version(const ota_gate_t *gate, const ota_flow_t *flow)
{
    const otter_device_t *device = gate->target->device;
    uint32_t version;
    if (!device->config.anti_rollback || gate->target->final->type != ESP_PARTITION_TYPE_APP) {
        return ESP_OK;
    }
    esp_err_t err = read_secure_version(gate, flow, &version);
    if (err == ESP_ERR_NOT_FOUND) {
        return otter_fault(
            flow->fault, err,
            "the image has no app description, so no secure version: with anti-rollback it does "
            "not boot");
    }
    err = err == ESP_OK ? ota_check_version(device, version, flow->fault) : err;
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "%s", otter_fault_text(flow->fault, err));
    }
    return err;
}

static esp_err_t feed(ota_stage_t *stage, ota_flow_t *flow)
{
    ota_gate_t *gate = (ota_gate_t *)stage;
    if (gate->state == GATE_OPEN) {
        return gate->next->ops->feed(gate->next, flow);
    }
    if (gate->state == GATE_SHUT) {
        return ESP_FAIL; /* refused, and there is nothing to go on with */
    }
    if (gate->wants_head && flow->len < OTTER_IMAGE_HEADER_SIZE) {
        ESP_LOGE(TAG, "Complete headers were not received");
        return otter_fault(flow->fault, ESP_FAIL,
                           "the server sent %zu bytes, less than the header of an image (%u)", flow->len,
                           (unsigned)OTTER_IMAGE_HEADER_SIZE);
    }
    gate->state = GATE_SHUT;
    /* What it is comes first: a factory file is large because it is none of this partition's. */
    esp_err_t err = gate->wants_head ? check_head(gate, flow) : ESP_OK;
    if (err == ESP_OK) {
        err = check_size(gate, flow);
    }
    if (err == ESP_OK) {
        err = check_version(gate, flow);
    }
    if (err != ESP_OK) {
        return err;
    }
    ota_flow_t nothing = {.fault = flow->fault};
    err = gate->next->ops->feed(gate->next, &nothing);
    gate->state = err == ESP_OK ? GATE_OPEN : GATE_WAITS;
    return err;
}

static esp_err_t finish(ota_stage_t *stage, ota_flow_t *flow)
{
    ota_gate_t *gate = (ota_gate_t *)stage;
    return gate->next->ops->finish(gate->next, flow);
}

void ota_gate_init(ota_gate_t *gate, ota_stage_t *next, const ota_target_t *target)
{
    static const ota_stage_ops_t ops = {.feed = feed, .finish = finish};
    *gate = (ota_gate_t){.stage.ops = &ops, .next = next, .target = target};
}
