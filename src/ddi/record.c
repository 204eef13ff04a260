/* Encodes and decodes the agent's record; what a medium gives back is not believed without its checksum. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ddi/record.h"

#include <stddef.h>
#include <string.h>

#include "otter/bytes.h"

#define MAGIC 0x3252444Fu /* "ODR2" */

/* Offsets in the bytes (FORMATS.md section 16): behind the magic those in memory. */
#define AT_RECORD 4u
#define AT_CRC    (OTTER_DDI_RECORD_SIZE - 4u)
#define AT(name)  offsetof(struct otter_ddi_record, name)
_Static_assert(AT(files_crc) == AT(stored) + 3 && AT(id) == AT(image_sha256) + 32, "there are no gaps");
_Static_assert(AT_RECORD + sizeof(struct otter_ddi_record) <= AT_CRC, "it ends before the checksum");

static const uint16_t numbers[] = {AT(server_crc), AT(file.kind), AT(file.size),      AT(image_len),
                                   AT(open_s),     AT(code),      AT(attributes_crc), AT(files_crc)};

/** Numbers as this processor has them, little endian, or back again. */
static void turn_numbers(uint8_t *record)
{
    uint32_t number;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        memcpy(&number, record + numbers[i], sizeof(number));
        le32_put(record + numbers[i], number);
    }
}

void ddi_record_encode(const struct otter_ddi_record *record, uint8_t bytes[OTTER_DDI_RECORD_SIZE])
{
    memset(bytes, 0, OTTER_DDI_RECORD_SIZE);
    le32_put(bytes, MAGIC);
    memcpy(bytes + AT_RECORD, record, sizeof(*record));
    turn_numbers(bytes + AT_RECORD);
    le32_put(bytes + AT_CRC, crc32_le(0, bytes, AT_CRC));
}

/** Texts end where they have room to, and numbers are ones that were written. */
static bool is_sound(const struct otter_ddi_record *record)
{
    return record->phase < DDI_PHASES && record->acknowledged <= 1 && record->verdict_ok <= 1 &&
           record->stored <= 1 && record->file.kind <= OTTER_DDI_SHA256 &&
           record->id[OTTER_DDI_ID_SIZE - 1] == '\0' && record->slot[OTTER_DDI_SLOT_SIZE - 1] == '\0' &&
           record->reason[OTTER_DDI_REASON_SIZE - 1] == '\0';
}

bool ddi_record_decode(const uint8_t bytes[OTTER_DDI_RECORD_SIZE], struct otter_ddi_record *record)
{
    struct otter_ddi_record read;
    if (le32_get(bytes) != MAGIC || le32_get(bytes + AT_CRC) != crc32_le(0, bytes, AT_CRC)) {
        return false;
    }
    memcpy(&read, bytes + AT_RECORD, sizeof(read));
    turn_numbers((uint8_t *)&read);
    if (!is_sound(&read)) {
        return false;
    }
    *record = read;
    return true;
}
