/* otadata records: bytes, predicates and arithmetic. No flash here. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/otadata.h"

#include <string.h>

#include "otter/bytes.h"

/* Every state with a meaning. A state that is not here boots like UNDEFINED and is never changed. */
static const struct {
    uint32_t state;
    const char *name;
    bool refused; /* never selected again, whatever the build's options */
} states[] = {
    {ESP_OTA_IMG_NEW, "NEW", false},        {ESP_OTA_IMG_PENDING_VERIFY, "PENDING_VERIFY", false},
    {ESP_OTA_IMG_VALID, "VALID", false},    {ESP_OTA_IMG_INVALID, "INVALID", true},
    {ESP_OTA_IMG_ABORTED, "ABORTED", true}, {ESP_OTA_IMG_UNDEFINED, "UNDEFINED", false},
};

void otadata_decode(const uint8_t raw[OTADATA_ENTRY_SIZE], otadata_entry_t *out)
{
    out->seq = le32_get(raw);
    memcpy(out->label, raw + OTADATA_LABEL_OFFSET, sizeof(out->label));
    out->state = le32_get(raw + OTADATA_STATE_OFFSET);
    out->crc = le32_get(raw + OTADATA_CRC_OFFSET);
}

void otadata_encode(const otadata_entry_t *entry, uint8_t raw[OTADATA_ENTRY_SIZE])
{
    le32_put(raw, entry->seq);
    memcpy(raw + OTADATA_LABEL_OFFSET, entry->label, sizeof(entry->label));
    le32_put(raw + OTADATA_STATE_OFFSET, entry->state);
    le32_put(raw + OTADATA_CRC_OFFSET, entry->crc);
}

otadata_entry_t otadata_make(uint32_t seq, uint32_t state)
{
    otadata_entry_t entry = {.seq = seq, .state = state, .crc = otadata_crc(seq)};
    memset(entry.label, ERASED_BYTE, sizeof(entry.label));
    return entry;
}

uint32_t otadata_crc(uint32_t seq)
{
    uint8_t raw[4];
    le32_put(raw, seq);
    return crc32_le(UINT32_MAX, raw, sizeof(raw));
}

bool otadata_crc_matches(const otadata_entry_t *entry)
{
    return entry->crc == otadata_crc(entry->seq);
}

bool otadata_is_refused(const otadata_entry_t *entry)
{
    bool refused = entry->seq == OTADATA_SEQ_ERASED;
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        refused |= states[i].state == entry->state && states[i].refused;
    }
    return refused;
}

bool otadata_is_valid(const otadata_entry_t *entry)
{
    return !otadata_is_refused(entry) && otadata_crc_matches(entry);
}

bool otadata_is_uninitialised(const otadata_entry_t *entry)
{
    return entry->seq == OTADATA_SEQ_ERASED || !otadata_crc_matches(entry);
}

bool otadata_is_blank(const otadata_entry_t *entry)
{
    uint8_t raw[OTADATA_ENTRY_SIZE];
    otadata_encode(entry, raw);
    return bytes_are_erased(raw, sizeof(raw));
}

bool otadata_is_torn(const otadata_entry_t *entry)
{
    return !otadata_is_blank(entry) && !otadata_crc_matches(entry);
}

int otadata_pick(const otadata_entry_t two[OTADATA_COPY_COUNT], const bool eligible[OTADATA_COPY_COUNT],
                 bool highest)
{
    if (eligible[0] && eligible[1]) {
        bool second = highest ? two[1].seq > two[0].seq : two[1].seq < two[0].seq;
        return second ? 1 : 0;
    }
    if (eligible[0]) {
        return 0;
    }
    return eligible[1] ? 1 : OTADATA_NONE;
}

int otadata_active(const otadata_entry_t two[OTADATA_COPY_COUNT])
{
    const bool valid[OTADATA_COPY_COUNT] = {otadata_is_valid(&two[0]), otadata_is_valid(&two[1])};
    return otadata_pick(two, valid, true);
}

uint32_t otadata_slot(uint32_t seq, uint32_t slot_count)
{
    return (seq - 1) % slot_count;
}

bool otadata_selects(const otadata_entry_t *entry, uint32_t slot, uint32_t slot_count)
{
    return otadata_is_valid(entry) && otadata_slot(entry->seq, slot_count) == slot;
}

esp_err_t otadata_next_seq(uint32_t current, uint32_t slot, uint32_t slot_count, uint32_t *next)
{
    uint64_t first = (uint64_t)current + 1;
    uint64_t ahead = (slot + (uint64_t)slot_count - (first - 1) % slot_count) % slot_count;
    if (first + ahead >= OTADATA_SEQ_ERASED) {
        return ESP_ERR_OTA_SELECT_INFO_INVALID;
    }
    *next = (uint32_t)(first + ahead);
    return ESP_OK;
}

const char *otadata_state_name(uint32_t state)
{
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        if (states[i].state == state) {
            return states[i].name;
        }
    }
    return "unspecified";
}
