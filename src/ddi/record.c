/* Encodes and decodes the agent's record; what a medium gives back is not believed without its checksum. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ddi/record.h"

#include <string.h>

#include "otter/bytes.h"

#define MAGIC 0x3152444Fu /* "ODR1" */

/* Offsets. */
enum {
    AT_MAGIC = 0,
    AT_SERVER = 4,
    AT_PHASE = 8,
    AT_ACKNOWLEDGED = 9,
    AT_OK = 10,
    AT_TRIES = 11,
    AT_HASH_KIND = 12,
    AT_SIZE = 16,
    AT_IMAGE_LEN = 20,
    AT_OPEN_S = 24,
    AT_CODE = 28,
    AT_ATTRIBUTES = 32,
    AT_HASH = 36,
    AT_IMAGE = 68,
    AT_ID = 100,
    AT_SLOT = 140,
    AT_REASON = 157,
    AT_CRC = OTTER_DDI_RECORD_SIZE - 4,
};
_Static_assert(AT_REASON + OTTER_DDI_REASON_SIZE <= AT_CRC, "the reason ends before the checksum");

void ddi_record_encode(const struct otter_ddi_record *record, uint8_t bytes[OTTER_DDI_RECORD_SIZE])
{
    memset(bytes, 0, OTTER_DDI_RECORD_SIZE);
    le32_put(bytes + AT_MAGIC, MAGIC);
    le32_put(bytes + AT_SERVER, record->server_crc);
    bytes[AT_PHASE] = record->phase;
    bytes[AT_ACKNOWLEDGED] = record->acknowledged;
    bytes[AT_OK] = record->verdict_ok;
    bytes[AT_TRIES] = record->tries;
    bytes[AT_HASH_KIND] = (uint8_t)record->file.kind;
    le32_put(bytes + AT_SIZE, record->file.size);
    le32_put(bytes + AT_IMAGE_LEN, record->image_len);
    le32_put(bytes + AT_OPEN_S, record->open_s);
    le32_put(bytes + AT_CODE, (uint32_t)record->code);
    le32_put(bytes + AT_ATTRIBUTES, record->attributes_crc);
    memcpy(bytes + AT_HASH, record->file.hash, sizeof(record->file.hash));
    memcpy(bytes + AT_IMAGE, record->image_sha256, sizeof(record->image_sha256));
    memcpy(bytes + AT_ID, record->id, sizeof(record->id));
    memcpy(bytes + AT_SLOT, record->slot, sizeof(record->slot));
    memcpy(bytes + AT_REASON, record->reason, sizeof(record->reason));
    le32_put(bytes + AT_CRC, crc32_le(0, bytes, AT_CRC));
}

/** Texts end where they have room to, and numbers are ones that were written. */
static bool is_sound(const uint8_t *bytes)
{
    return bytes[AT_PHASE] < DDI_PHASES && bytes[AT_ACKNOWLEDGED] <= 1 && bytes[AT_OK] <= 1 &&
           bytes[AT_HASH_KIND] <= OTTER_DDI_SHA256 && bytes[AT_ID + OTTER_DDI_ID_SIZE - 1] == 0 &&
           bytes[AT_SLOT + OTTER_DDI_SLOT_SIZE - 1] == 0 && bytes[AT_REASON + OTTER_DDI_REASON_SIZE - 1] == 0;
}

bool ddi_record_decode(const uint8_t bytes[OTTER_DDI_RECORD_SIZE], struct otter_ddi_record *record)
{
    if (le32_get(bytes + AT_MAGIC) != MAGIC || le32_get(bytes + AT_CRC) != crc32_le(0, bytes, AT_CRC) ||
        !is_sound(bytes)) {
        return false;
    }
    record->server_crc = le32_get(bytes + AT_SERVER);
    record->phase = bytes[AT_PHASE];
    record->acknowledged = bytes[AT_ACKNOWLEDGED];
    record->verdict_ok = bytes[AT_OK];
    record->tries = bytes[AT_TRIES];
    record->file.kind = (otter_ddi_hash_t)bytes[AT_HASH_KIND];
    record->file.size = le32_get(bytes + AT_SIZE);
    record->image_len = le32_get(bytes + AT_IMAGE_LEN);
    record->open_s = le32_get(bytes + AT_OPEN_S);
    record->code = (int32_t)le32_get(bytes + AT_CODE);
    record->attributes_crc = le32_get(bytes + AT_ATTRIBUTES);
    memcpy(record->file.hash, bytes + AT_HASH, sizeof(record->file.hash));
    memcpy(record->image_sha256, bytes + AT_IMAGE, sizeof(record->image_sha256));
    memcpy(record->id, bytes + AT_ID, sizeof(record->id));
    memcpy(record->slot, bytes + AT_SLOT, sizeof(record->slot));
    memcpy(record->reason, bytes + AT_REASON, sizeof(record->reason));
    return true;
}
