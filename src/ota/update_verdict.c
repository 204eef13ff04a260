/*
 * The verdict on what an update has written: an image by its rules, a table, signed data. It is about bytes that were read back
 * from flash, and the trust is that of this moment.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ota/update_verdict.h"

#include <inttypes.h>

#include "boot/secure_version.h"
#include "boot/trust.h"
#include "esp_log.h"
#include "image/misfit.h"
#include "image/signed_bytes.h"
#include "otter/partition_table.h"
#include "otter/signature.h"
#include "ota/switch.h"
#include "ota/image_follower.h"
#include "ota/update_target.h"
#include "ota/version_check.h"

static const char TAG[] = "esp_ota_ops";

static esp_err_t judge_table(const otter_update_t *update, otter_fault_t *fault)
{
    const esp_partition_t *staging = update->staging;
    return staging->size >= OTTER_PARTITION_TABLE_LEN
               ? otter_partition_table_verify_at(staging->flash_chip, staging->address,
                                                 update->device->flash->size, NULL, fault)
               : ESP_ERR_INVALID_SIZE;
}

bool update_is_signed_data(const otter_update_t *update)
{
    return update->device->config.trust.data && update->final->type == ESP_PARTITION_TYPE_DATA &&
           update->final->subtype == ESP_PARTITION_SUBTYPE_DATA_UNDEFINED;
}

/** The last sector that was written has the signatures of all before it. */
static esp_err_t judge_signed_data(const otter_update_t *update, otter_fault_t *fault)
{
    const esp_partition_t *staging = update->staging;
    otter_trust_config_t config = update->device->config.trust;
    config.source = config.source == OTTER_TRUST_ANYBODY ? OTTER_TRUST_RUNNING_APP : config.source;
    if (config.scheme == OTTER_SIGNED_V1) {
        return otter_fault(fault, ESP_ERR_NOT_SUPPORTED, "the V1 scheme signs no data");
    }
    const uint32_t len = update->writer.end;
    if (len < 2 * OTTER_SIGNATURE_SECTOR || len % OTTER_SIGNATURE_SECTOR != 0) {
        return otter_fault(fault, ESP_ERR_INVALID_SIZE,
                           "%" PRIu32 " bytes are no signed data: these are sectors of %u bytes, and one of "
                           "signatures behind them (`otter image sign --data`)",
                           len, OTTER_SIGNATURE_SECTOR);
    }
    const otter_trust_t trust = trust_by(update->device, &config, false);
    esp_err_t err = signed_bytes_verify(staging->flash_chip, staging->address,
                                        staging->address + len - OTTER_SIGNATURE_SECTOR, &trust, fault);
    if (err == ESP_OK) {
        image_log_signed(&trust);
    }
    return err;
}

/** The verdict itself; `fault` is there. */
static esp_err_t judge_contents(otter_update_t *update, otter_fault_t *fault)
{
    if (update->final->type == ESP_PARTITION_TYPE_PARTITION_TABLE) {
        return judge_table(update, fault);
    }
    if (!ota_is_image(update->final)) {
        return update_is_signed_data(update) ? judge_signed_data(update, fault) : ESP_OK;
    }
    otter_device_t *device = update->device;
    const bool compared = update->final->type == ESP_PARTITION_TYPE_APP; /* a bootloader's hash is not */
    const otter_trust_t trust = trust_to_update(device, !compared);
    esp_err_t err =
        image_follower_verify(&update->follower, update->writer.in_order, &trust, &update->image_len, fault);
    if (err == ESP_OK) {
        image_log_signed(&trust);
    }
    if (err == ESP_OK && compared && update->staging->flash_chip == device->flash) {
        device->verified = update->follower.watch;
        device->verified_by = trust;
    }
    return err;
}

/** What is copied overwrites what may be needed: an application that could not boot afterwards is not. */
static esp_err_t judge_version(const otter_update_t *update, otter_fault_t *fault)
{
    const esp_partition_t *staging = update->staging;
    uint32_t version = 0;
    if (!update->device->config.anti_rollback || !update->copy_to_final ||
        update->final->type != ESP_PARTITION_TYPE_APP) {
        return ESP_OK;
    }
    esp_err_t err = secure_version_of_app(staging->flash_chip, staging->address, staging->size, &version);
    return err == ESP_OK ? ota_check_version(update->device, version, fault) : err;
}

esp_err_t update_judge(otter_update_t *update, otter_fault_t *fault)
{
    esp_err_t err = judge_contents(update, fault);
    if (err == ESP_OK) {
        err = judge_version(update, fault);
    }
    if (err == ESP_OK || err == ESP_ERR_NO_MEM) {
        return err;
    }
    if (fault->why[0] == '\0') {
        otter_fault(fault, err, "%s", esp_err_to_name(err));
    }
    if (err == ESP_FAIL && ota_is_image(update->final)) {
        image_log_misfit_at(update->staging->flash_chip, update->staging->address, &update->device->chip,
                            update->final->type == ESP_PARTITION_TYPE_BOOTLOADER);
    }
    image_log_fault(update->staging->address, fault->why);
    ESP_LOGE(TAG, "New image failed verification");
    ESP_LOGE(TAG, "%s: %s", update->staging->label, fault->why);
    return ESP_ERR_OTA_VALIDATE_FAILED;
}
