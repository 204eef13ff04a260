/* Encodes and decodes the agent's record; what a medium gives back is not believed without its checksum. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ddi/record.h"

#include <stddef.h>
#include <string.h>

#include "otter/bytes.h"

#define MAGIC 0x3152444Fu /* "ODR1" */

/* Offsets (FORMATS.md section 16) of what is not in the table only. */
enum {
    AT_MAGIC = 0,
    AT_FIELDS = 4,
    AT_PHASE = 8,
    AT_ACKNOWLEDGED = 9,
    AT_OK = 10,
    AT_HASH_KIND = 12,
    AT_ID = 100,
    AT_SLOT = 140,
    AT_REASON = 157,
    AT_CRC = OTTER_DDI_RECORD_SIZE - 4,
};
_Static_assert(AT_REASON + OTTER_DDI_REASON_SIZE <= AT_CRC, "the reason ends before the checksum");

/* The fields in their order: numbers of 32 bits, little endian, and bytes as they are. */
#define AT(name) offsetof(struct otter_ddi_record, name)
#define NUMBER(name)                                                                                         \
    {                                                                                                        \
        true, 4, AT(name)                                                                                    \
    }
#define BYTES(name)                                                                                          \
    {                                                                                                        \
        false, sizeof(((struct otter_ddi_record *)0)->name), AT(name)                                        \
    }
#define GAP(size)                                                                                            \
    {                                                                                                        \
        false, size, NOWHERE                                                                                 \
    } /* file.kind is in it, which is of another size in memory */
#define NOWHERE UINT16_MAX
static const struct {
    bool number;
    uint8_t size;
    uint16_t at;
} fields[] = {NUMBER(server_crc),
              BYTES(phase),
              BYTES(acknowledged),
              BYTES(verdict_ok),
              BYTES(tries),
              GAP(4),
              NUMBER(file.size),
              NUMBER(image_len),
              NUMBER(open_s),
              NUMBER(code),
              NUMBER(attributes_crc),
              BYTES(file.hash),
              BYTES(image_sha256),
              BYTES(id),
              BYTES(slot),
              BYTES(reason)};

void ddi_record_encode(const struct otter_ddi_record *record, uint8_t bytes[OTTER_DDI_RECORD_SIZE])
{
    uint32_t number;
    uint8_t *to = bytes + AT_FIELDS;
    memset(bytes, 0, OTTER_DDI_RECORD_SIZE);
    le32_put(bytes + AT_MAGIC, MAGIC);
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); to += fields[i++].size) {
        const uint8_t *from = (const uint8_t *)record + fields[i].at;
        if (fields[i].number) {
            memcpy(&number, from, sizeof(number));
            le32_put(to, number);
        } else if (fields[i].at != NOWHERE) {
            memcpy(to, from, fields[i].size);
        }
    }
    bytes[AT_HASH_KIND] = (uint8_t)record->file.kind;
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
    const uint8_t *from = bytes + AT_FIELDS;
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); from += fields[i++].size) {
        const uint32_t number = le32_get(from);
        if (fields[i].at != NOWHERE) {
            memcpy((uint8_t *)record + fields[i].at, fields[i].number ? (const void *)&number : from,
                   fields[i].size);
        }
    }
    record->file.kind = (otter_ddi_hash_t)bytes[AT_HASH_KIND];
    return true;
}
