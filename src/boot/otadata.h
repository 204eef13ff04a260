/* otadata: the two records that say which slot boots, as pure functions over their bytes (FORMATS.md section 4). */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "esp_err.h"
#include "esp_flash_partitions.h"
#include "otter/promise.h"

#define OTADATA_LABEL_OFFSET  4u         /* of 20 bytes that ESP-IDF does not use */
#define OTADATA_STATE_OFFSET  24u        /* of the state in a record, little endian */
#define OTADATA_CRC_OFFSET    28u        /* of the CRC in a record, to its end */
#define OTADATA_ENTRY_SIZE    32u        /* bytes on flash, at the start of each copy's sector */
#define OTADATA_COPY_COUNT    2u         /* copies, one sector each */
#define OTADATA_COPY_DISTANCE 0x1000u    /* from copy 0 to copy 1, or one sector if that is larger */
#define OTADATA_SEQ_ERASED    UINT32_MAX /* an erased copy reads as this */
#define OTADATA_NONE          (-1)       /* "no copy is active" */

/** One record, integers in host order. Nothing is judged by decoding: unknown states survive a rewrite. */
typedef struct {
    uint32_t seq; /* boots slot (seq - 1) % slot count */
    uint8_t label[20];
    uint32_t state; /* esp_ota_img_states_t or any other value */
    uint32_t crc;   /* as stored; covers seq only */
} otadata_entry_t;

void otadata_decode(const uint8_t raw[OTADATA_ENTRY_SIZE], otadata_entry_t *out);
void otadata_encode(const otadata_entry_t *entry, uint8_t raw[OTADATA_ENTRY_SIZE]);

/** A record that selects by `seq`: label erased, CRC right. */
otadata_entry_t otadata_make(uint32_t seq, uint32_t state);

/** The CRC a record with this sequence number must hold. */
uint32_t otadata_crc(uint32_t seq);
bool otadata_crc_matches(const otadata_entry_t *entry);

/*
 * Three predicates that differ. Each is used where the others would be wrong (FORMATS.md sections 4 and 7):
 * refused does not look at the CRC, uninitialised does not look at the state.
 */
bool otadata_is_refused(const otadata_entry_t *entry);       /* erased, or state INVALID or ABORTED */
bool otadata_is_valid(const otadata_entry_t *entry);         /* not refused, and the CRC matches */
bool otadata_is_uninitialised(const otadata_entry_t *entry); /* erased, or the CRC does not match */

bool otadata_is_blank(const otadata_entry_t *entry); /* all of it reads as erased flash */
bool otadata_is_torn(const otadata_entry_t *entry);  /* neither blank nor complete: a power cut left it */

/** Of the copies whose `eligible` is true the one with the higher (or lower) seq, copy 0 on a tie; OTADATA_NONE. */
int otadata_pick(const otadata_entry_t two[OTADATA_COPY_COUNT], const bool eligible[OTADATA_COPY_COUNT],
                 bool highest);

/** The copy that decides: valid, highest seq, copy 0 on a tie; OTADATA_NONE when neither is valid. */
int otadata_active(const otadata_entry_t two[OTADATA_COPY_COUNT]);

/** The slot that `seq` selects. `slot_count` > 0. Sequence 0 wraps, as it does on a chip. */
uint32_t otadata_slot(uint32_t seq, uint32_t slot_count);

/** True if the record is valid and selects `slot`. `slot_count` > 0. */
bool otadata_selects(const otadata_entry_t *entry, uint32_t slot, uint32_t slot_count);

/**
 * The smallest sequence number above `current` that selects `slot`.
 * @return ESP_OK, or ESP_ERR_OTA_SELECT_INFO_INVALID when there is none below OTADATA_SEQ_ERASED: 2^32 updates are
 *         beyond any flash, so such a record is damage, and overflowing it would select another slot
 */
OTTER_MUST_CHECK esp_err_t otadata_next_seq(uint32_t current, uint32_t slot, uint32_t slot_count,
                                            uint32_t *next);

/** "NEW", "VALID", ...; "unspecified" for a value without a name. */
const char *otadata_state_name(uint32_t state);
