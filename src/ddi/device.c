/* What the agent asks of a device: what runs, whether it is confirmed, whether a slot holds what the server meant. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "otter/bytes.h"
#include "otter/crypto.h"
#include "otter/ddi.h"
#include "otter/image.h"
#include "otter/ota_ops.h"
#include "otter/system.h"
#include "otter/text.h"
#include "otter/update.h"

#define PIECE 512u /* bytes, on the stack */

/** The digest of the first `len` bytes of a partition. */
static esp_err_t hash_partition(otter_device_t *device, const esp_partition_t *partition, uint32_t len,
                                otter_ddi_hash_t kind, uint8_t hash[32])
{
    uint8_t bytes[PIECE];
    otter_digest_t digest = {0};
    if (len > partition->size) {
        return ESP_ERR_INVALID_SIZE;
    }
    memset(hash, 0, 32);
    const bool begun = kind == OTTER_DDI_SHA256 ? otter_sha256_begin(&digest) : otter_sha1_begin(&digest);
    esp_err_t err = begun ? ESP_OK : ESP_ERR_NO_MEM;
    for (uint32_t at = 0; at < len && err == ESP_OK; at += PIECE) {
        const uint32_t step = min_u32(len - at, PIECE);
        err = otter_flash_read(device->flash, partition->address + at, bytes, step);
        if (err == ESP_OK) {
            otter_digest_update(&digest, bytes, step);
            otter_system_alive();
        }
    }
    if (err == ESP_OK) {
        otter_digest_finish(&digest, hash);
    }
    otter_digest_end(&digest);
    return err;
}

/** The image in a partition, as far as its structure goes: its bytes and their SHA-256. */
static esp_err_t identify(otter_device_t *device, const esp_partition_t *partition, uint32_t *len,
                          uint8_t sha256[32])
{
    esp_err_t err =
        otter_image_length(device->flash, &device->chip, partition->address, partition->size, len);
    return err == ESP_OK ? hash_partition(device, partition, *len, OTTER_DDI_SHA256, sha256) : err;
}

static const esp_partition_t *find_slot(const otter_device_t *device, const char *label)
{
    return label[0] == '\0' ? NULL
                            : otter_partition_list_find(&device->partitions, NULL, ESP_PARTITION_TYPE_APP,
                                                        ESP_PARTITION_SUBTYPE_ANY, label);
}

static bool has_state(otter_device_t *device, const esp_partition_t *partition, esp_ota_img_states_t a,
                      esp_ota_img_states_t b)
{
    esp_ota_img_states_t state;
    return otter_ota_get_state_partition(device, partition, &state) == ESP_OK && (state == a || state == b);
}

esp_err_t otter_ddi_device_look(otter_device_t *device, const char *wanted, otter_ddi_device_t *out)
{
    const esp_partition_t *running = device->running;
    const esp_partition_t *slot = find_slot(device, wanted);
    esp_app_desc_t description;
    memset(out, 0, sizeof(*out));
    if (running == NULL) {
        return ESP_ERR_INVALID_STATE;
    }
    text_format(out->running.slot, sizeof(out->running.slot), "%s", running->label);
    out->confirmed = !has_state(device, running, ESP_OTA_IMG_PENDING_VERIFY, ESP_OTA_IMG_NEW);
    if (slot != NULL && has_state(device, slot, ESP_OTA_IMG_INVALID, ESP_OTA_IMG_ABORTED)) {
        out->wanted = OTTER_DDI_SLOT_REJECTED;
    } else if (slot != NULL && slot == otter_ota_get_boot_partition(device)) {
        out->wanted = OTTER_DDI_SLOT_SELECTED;
    }
    if (otter_ota_get_partition_description(device, running, &description) == ESP_OK) {
        text_format(out->running.version, sizeof(out->running.version), "%s", description.version);
    }
    return identify(device, running, &out->image_len, out->running.image_sha256);
}

static esp_err_t compare_with(otter_device_t *device, const esp_partition_t *partition,
                              const otter_ddi_file_t *file, bool *same)
{
    uint8_t hash[32];
    esp_err_t err = hash_partition(device, partition, file->size, file->kind, hash);
    if (err == ESP_ERR_INVALID_SIZE) {
        *same = false; /* it would not fit there */
        return ESP_OK;
    }
    if (err == ESP_OK) {
        *same = memcmp(hash, file->hash, sizeof(hash)) == 0;
    }
    return err;
}

esp_err_t otter_ddi_device_compare(otter_device_t *device, const otter_ddi_file_t *file, bool *same)
{
    return device->running != NULL ? compare_with(device, device->running, file, same)
                                   : ESP_ERR_INVALID_STATE;
}

const esp_partition_t *otter_ddi_device_partition(const otter_device_t *device, const char *label,
                                                  otter_fault_t *fault)
{
    const esp_partition_t *found = otter_partition_list_find(
        &device->partitions, NULL, ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY, label);
    if (found == NULL) {
        otter_ignore(otter_fault(fault, ESP_ERR_NOT_FOUND, "there is no data partition %s", label));
    }
    return found;
}

esp_err_t otter_ddi_device_holds(otter_device_t *device, const char *partition, const otter_ddi_file_t *file,
                                 bool *same)
{
    const esp_partition_t *data = otter_ddi_device_partition(device, partition, NULL);
    return data != NULL ? compare_with(device, data, file, same) : ESP_ERR_NOT_FOUND;
}

/** Does the partition begin with this file, as it was announced? */
static esp_err_t check_file(otter_device_t *device, const esp_partition_t *partition,
                            const otter_ddi_file_t *file, otter_fault_t *fault)
{
    uint8_t hash[32];
    esp_err_t err = hash_partition(device, partition, file->size, file->kind, hash);
    if (err != ESP_OK) {
        return otter_fault(fault, err, "what was fetched cannot be read (%s)", esp_err_to_name(err));
    }
    return memcmp(hash, file->hash, sizeof(hash)) == 0
               ? ESP_OK
               : otter_fault(fault, ESP_ERR_INVALID_CRC,
                             "the file's digest begins %02x%02x%02x%02x, and the server announced "
                             "%02x%02x%02x%02x",
                             hash[0], hash[1], hash[2], hash[3], file->hash[0], file->hash[1], file->hash[2],
                             file->hash[3]);
}

void otter_ddi_device_fetched(otter_device_t *device, const esp_partition_t *slot,
                              const otter_ddi_file_t *file, otter_ddi_fetched_t *fetched,
                              otter_fault_t *fault)
{
    *fetched = (otter_ddi_fetched_t){.stage = OTTER_STAGE_VERIFY, .slot = slot->label, .why = fault->why};
    esp_err_t err = file != NULL ? check_file(device, slot, file, fault) : ESP_OK;
    if (err == ESP_OK) {
        err = identify(device, slot, &fetched->image_len, fetched->image_sha256);
        if (err != ESP_OK) {
            err = otter_fault(fault, err, "what was fetched is no image (%s)", esp_err_to_name(err));
        }
    }
    fetched->err = err;
}

/** From the slot that it came into to where it belongs, with a journal that the boot step follows. */
static esp_err_t copy_to(otter_device_t *device, const esp_partition_t *slot, const esp_partition_t *data,
                         uint32_t size, otter_fault_t *fault)
{
    otter_update_t update;
    const uint32_t unit = otter_flash_unit(device->flash), whole = (size + unit - 1) / unit * unit;
    esp_err_t err = otter_update_resume(&update, device, slot, OTA_WITH_SEQUENTIAL_WRITES, whole, fault);
    if (err != ESP_OK) {
        return err;
    }
    err = otter_update_set_final_partition(&update, data, true, fault);
    if (err != ESP_OK) {
        otter_ignore(otter_update_abort(&update)); /* it is open */
        return err;
    }
    return otter_update_end(&update, fault);
}

void otter_ddi_device_stored(otter_device_t *device, const esp_partition_t *slot, const esp_partition_t *data,
                             const otter_ddi_file_t *file, otter_ddi_fetched_t *fetched, otter_fault_t *fault)
{
    *fetched = (otter_ddi_fetched_t){.stage = OTTER_STAGE_VERIFY, .slot = data->label, .why = fault->why};
    fetched->err = check_file(device, slot, file, fault);
    if (fetched->err != ESP_OK) {
        return;
    }
    fetched->err = copy_to(device, slot, data, file->size, fault);
    if (fetched->err == ESP_OK) {
        fetched->err = check_file(device, data, file, fault);
    } else if (fault->why[0] == '\0') {
        otter_ignore(otter_fault(fault, fetched->err, "%s cannot be written (%s)", data->label,
                                 esp_err_to_name(fetched->err)));
    }
}

esp_err_t otter_ddi_device_select(otter_device_t *device, const otter_ddi_order_t *order, bool *changed,
                                  otter_fault_t *fault)
{
    uint8_t sha256[32];
    uint32_t len;
    const esp_partition_t *slot = find_slot(device, order->slot);
    *changed = false;
    if (slot == NULL) {
        return otter_fault(fault, ESP_ERR_NOT_FOUND, "there is no app partition %s", order->slot);
    }
    *changed = identify(device, slot, &len, sha256) != ESP_OK || len != order->image_len ||
               memcmp(sha256, order->image_sha256, sizeof(sha256)) != 0;
    if (*changed) {
        return otter_fault(fault, ESP_ERR_INVALID_STATE, "%s does not hold what was fetched any more",
                           order->slot);
    }
    if (slot == device->running) {
        return otter_fault(fault, ESP_ERR_INVALID_STATE, "%s runs", order->slot);
    }
    return otter_ota_set_boot_partition(device, slot, fault);
}
