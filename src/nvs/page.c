/* NVS pages: the format is in FORMATS.md section 15, the order of changes in the header. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "nvs/page.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "otter/bytes.h"

/* The head of a page. */
enum { AT_STATE, AT_SEQ = 4, AT_VERSION = 8, AT_HEAD_CRC = 28, HEAD_SIZE = 32 };
#define AT_STATES  32u /* two bits an entry */
#define AT_ENTRIES 64u

#define VERSION_1 0xFFu
#define VERSION_2 0xFEu /* what is written; smaller numbers are newer */

_Static_assert(AT_ENTRIES + OTTER_NVS_ENTRIES * OTTER_NVS_ENTRY_SIZE == OTTER_NVS_PAGE_SIZE,
               "a page is full");
_Static_assert(AT_STATES + 4 * PAGE_STATE_WORDS == AT_ENTRIES, "the states lie before the entries");

void nvs_tell(const nvs_medium_t *medium, const char *format, ...)
{
    if (medium->tell != NULL) {
        char line[OTTER_WHY_MAX];
        va_list args;
        va_start(args, format);
        vsnprintf(line, sizeof(line), format, args);
        va_end(args);
        medium->tell(medium->arg, line);
    }
}

/** Where an entry is in its page. */
static uint32_t entry_at(uint32_t index)
{
    return AT_ENTRIES + OTTER_NVS_ENTRY_SIZE * index;
}

static uint32_t head_crc(const uint8_t *head)
{
    return crc32_le(UINT32_MAX, head + AT_SEQ, AT_HEAD_CRC - AT_SEQ);
}

nvs_entry_state_t nvs_page_entry_state(const nvs_page_t *page, uint32_t index)
{
    uint32_t bits = page->states[index / 16] >> 2 * (index % 16) & 3;
    return (bits & 2) == 0 ? ENTRY_ERASED : (nvs_entry_state_t)bits; /* 01 is none: a bit too many is gone */
}

/** All that can change a page but an erase. */
static esp_err_t program(const nvs_medium_t *medium, const nvs_page_t *page, uint32_t at, const void *bytes,
                         uint32_t len)
{
    return medium->read_only ? ESP_OK : otter_flash_program(medium->flash, page->address + at, bytes, len);
}

static esp_err_t program_word(const nvs_medium_t *medium, const nvs_page_t *page, uint32_t at, uint32_t word)
{
    uint8_t raw[4];
    le32_put(raw, word);
    return program(medium, page, at, raw, sizeof(raw));
}

/** Clears bits of the states of [first, first + count), the words in order. */
static esp_err_t set_states(const nvs_medium_t *medium, nvs_page_t *page, uint32_t first, uint32_t count,
                            nvs_entry_state_t state)
{
    uint32_t end = first + count;
    while (first < end) {
        const uint32_t word = first / 16;
        for (; first < end && first / 16 == word; first++) {
            page->states[word] &= ~((3u & ~(uint32_t)state) << 2 * (first % 16));
        }
        esp_err_t err = program_word(medium, page, AT_STATES + 4 * word, page->states[word]);
        if (err != ESP_OK) {
            return err;
        }
    }
    return ESP_OK;
}

/** One entry, as it is or through the cipher. */
static esp_err_t read_entry(const nvs_medium_t *medium, uint32_t address, uint8_t raw[OTTER_NVS_ENTRY_SIZE])
{
    esp_err_t err = otter_flash_read(medium->flash, address, raw, OTTER_NVS_ENTRY_SIZE);
    if (err != ESP_OK || medium->cipher == NULL) {
        return err;
    }
    return medium->cipher->run(medium->cipher, true, address - medium->offset, raw) ? ESP_OK : ESP_ERR_NO_MEM;
}

esp_err_t nvs_page_read(const nvs_medium_t *medium, const nvs_page_t *page, uint32_t index, void *bytes,
                        uint32_t len)
{
    const uint32_t address = page->address + entry_at(index);
    esp_err_t err = ESP_OK;
    if (medium->cipher == NULL) {
        return otter_flash_read(medium->flash, address, bytes, len);
    }
    for (uint32_t done = 0, step; done < len && err == ESP_OK; done += step) {
        uint8_t raw[OTTER_NVS_ENTRY_SIZE];
        step = min_u32(len - done, sizeof(raw));
        err = read_entry(medium, address + done, raw);
        memcpy((uint8_t *)bytes + done, raw, step);
    }
    return err;
}

esp_err_t nvs_page_read_entry(const nvs_medium_t *medium, const nvs_page_t *page, uint32_t index,
                              nvs_entry_t *entry)
{
    uint8_t raw[OTTER_NVS_ENTRY_SIZE];
    esp_err_t err = nvs_page_read(medium, page, index, raw, sizeof(raw));
    if (err != ESP_OK) {
        return err;
    }
    return nvs_entry_decode(raw, entry) ? ESP_OK : ESP_ERR_NVS_NOT_FOUND;
}

/** Entries from `index` that are WRITTEN, `most` at most. */
static uint32_t written_from(const nvs_page_t *page, uint32_t index, uint32_t most)
{
    uint32_t count = 0;
    while (count < most && index + count < OTTER_NVS_ENTRIES &&
           nvs_page_entry_state(page, index + count) == ENTRY_WRITTEN) {
        count++;
    }
    return count;
}

/** The values of a page; what is none becomes ERASED. */
static esp_err_t find_values(const nvs_medium_t *medium, nvs_page_t *page)
{
    for (uint32_t i = 0, span; i < OTTER_NVS_ENTRIES; i += span) {
        span = 1;
        if (nvs_page_entry_state(page, i) != ENTRY_WRITTEN) {
            continue;
        }
        nvs_entry_t entry;
        esp_err_t err = nvs_page_read_entry(medium, page, i, &entry);
        if (err != ESP_OK && err != ESP_ERR_NVS_NOT_FOUND) {
            return err;
        }
        const uint32_t left = OTTER_NVS_ENTRIES - i;
        if (err == ESP_OK) {
            span = entry.span < left ? entry.span : left;
        }
        if (err == ESP_OK && entry.span <= left && written_from(page, i, span) == span) {
            page->hash[i] = nvs_key_hash(entry.ns, entry.key);
            page->used = (uint8_t)(page->used + span);
            continue;
        }
        nvs_tell(medium, "page 0x%" PRIx32 ", entry %" PRIu32 ": written in part, or damaged", page->address,
                 i);
        err = nvs_page_erase_item(medium, page, i, span);
        if (err != ESP_OK) {
            return err;
        }
    }
    return ESP_OK;
}

/** The first EMPTY entry of a page that is written to: behind all that a write may have begun. */
static esp_err_t find_end(const nvs_medium_t *medium, nvs_page_t *page)
{
    uint32_t end = OTTER_NVS_ENTRIES;
    for (; end > 0 && nvs_page_entry_state(page, end - 1) == ENTRY_EMPTY; end--) {
        if (!otter_flash_reads_blank(medium->flash, page->address + entry_at(end - 1),
                                     OTTER_NVS_ENTRY_SIZE)) {
            break;
        }
    }
    page->next = (uint8_t)end;
    for (uint32_t i = 0; i < end; i++) {
        if (nvs_page_entry_state(page, i) == ENTRY_EMPTY) {
            nvs_tell(medium,
                     "page 0x%" PRIx32 ", entry %" PRIu32 ": not blank, and nothing says that it is written",
                     page->address, i);
            esp_err_t err = set_states(medium, page, i, 1, ENTRY_ERASED);
            if (err != ESP_OK) {
                return err;
            }
        }
    }
    return ESP_OK;
}

static nvs_page_state_t state_of(const uint8_t *head)
{
    const uint32_t word = le32_get(head + AT_STATE);
    const bool known =
        word == (uint32_t)PAGE_ACTIVE || word == (uint32_t)PAGE_FULL || word == (uint32_t)PAGE_FREEING;
    return known && le32_get(head + AT_HEAD_CRC) == head_crc(head) ? (nvs_page_state_t)word : PAGE_WORTHLESS;
}

esp_err_t nvs_page_load(const nvs_medium_t *medium, nvs_page_t *page)
{
    uint8_t head[AT_ENTRIES];
    *page = (nvs_page_t){.address = page->address};
    esp_err_t err = otter_flash_read(medium->flash, page->address, head, sizeof(head));
    if (err != ESP_OK) {
        return err;
    }
    if (bytes_are_erased(head, sizeof(head)) &&
        otter_flash_reads_blank(medium->flash, page->address, OTTER_NVS_PAGE_SIZE)) {
        page->state = PAGE_BLANK;
        return ESP_OK;
    }
    page->state = state_of(head);
    if (page->state == PAGE_WORTHLESS) {
        nvs_tell(medium, "page 0x%" PRIx32 ": its head is damaged; it is erased before it is used",
                 page->address);
        return ESP_OK;
    }
    if (head[AT_VERSION] < VERSION_2) {
        return ESP_ERR_NVS_NEW_VERSION_FOUND;
    }
    page->seq = le32_get(head + AT_SEQ);
    for (uint32_t i = 0; i < PAGE_STATE_WORDS; i++) {
        page->states[i] = le32_get(head + AT_STATES + 4 * i);
    }
    page->next = OTTER_NVS_ENTRIES;
    err = find_values(medium, page);
    return err == ESP_OK && page->state == PAGE_ACTIVE ? find_end(medium, page) : err;
}

esp_err_t nvs_page_count(const nvs_medium_t *medium, uint32_t address, uint32_t *values, uint32_t *others)
{
    const nvs_medium_t look_only = {
        .flash = medium->flash, .offset = medium->offset, .cipher = medium->cipher, .read_only = true};
    nvs_page_t page = {.address = address};
    esp_err_t err = nvs_page_load(&look_only, &page);
    if (err != ESP_OK || page.state == PAGE_BLANK || page.state == PAGE_WORTHLESS) {
        return err == ESP_ERR_NVS_NEW_VERSION_FOUND ? ESP_OK : err;
    }
    uint8_t head[AT_ENTRIES];
    err = otter_flash_read(medium->flash, address, head, sizeof(head));
    for (uint32_t i = 0; i < OTTER_NVS_ENTRIES && err == ESP_OK; i++) {
        const bool was_written = (head[AT_STATES + i / 4] >> 2 * (i % 4) & 3) == ENTRY_WRITTEN;
        *values += page.hash[i] != 0 ? 1 : 0;
        *others += was_written && nvs_page_entry_state(&page, i) == ENTRY_ERASED ? 1 : 0;
    }
    return err;
}

static esp_err_t erase_page(const nvs_medium_t *medium, nvs_page_t *page)
{
    const uint32_t address = page->address;
    esp_err_t err =
        medium->read_only ? ESP_OK : otter_flash_erase(medium->flash, address, OTTER_NVS_PAGE_SIZE);
    *page = (nvs_page_t){.address = address,
                         .state = err == ESP_OK ? PAGE_BLANK : PAGE_WORTHLESS,
                         .erased_now = err == ESP_OK};
    return err;
}

esp_err_t nvs_page_activate(const nvs_medium_t *medium, nvs_page_t *page, uint32_t seq)
{
    const bool is_blank = page->state == PAGE_BLANK && (page->erased_now || medium->flash->stable_reads);
    esp_err_t err = is_blank ? ESP_OK : erase_page(medium, page);
    if (err != ESP_OK) {
        return err;
    }
    uint8_t head[HEAD_SIZE];
    memset(head, ERASED_BYTE, sizeof(head));
    le32_put(head + AT_STATE, (uint32_t)PAGE_ACTIVE);
    le32_put(head + AT_SEQ, seq);
    head[AT_VERSION] = VERSION_2;
    le32_put(head + AT_HEAD_CRC, head_crc(head));
    const uint32_t address = page->address;
    *page = (nvs_page_t){.address = address, .state = PAGE_ACTIVE, .seq = seq};
    memset(page->states, ERASED_BYTE, sizeof(page->states));
    return program(medium, page, 0, head, sizeof(head));
}

esp_err_t nvs_page_set_state(const nvs_medium_t *medium, nvs_page_t *page, nvs_page_state_t state)
{
    page->state = state;
    return program_word(medium, page, AT_STATE, (uint32_t)state);
}

esp_err_t nvs_page_discard(const nvs_medium_t *medium, nvs_page_t *page)
{
    static const uint8_t worthless[HEAD_SIZE]; /* no state, and a checksum that is none of zeros */
    esp_err_t err = program(medium, page, 0, worthless, sizeof(worthless));
    if (err == ESP_OK && !medium->read_only) {
        err = otter_flash_sync(medium->flash);
    }
    return err == ESP_OK ? erase_page(medium, page) : err;
}

/** Whole entries, as they are or through the cipher. */
static esp_err_t program_entries(const nvs_medium_t *medium, const nvs_page_t *page, uint32_t at,
                                 const uint8_t *bytes, uint32_t len)
{
    esp_err_t err = ESP_OK;
    if (medium->cipher == NULL) {
        return program(medium, page, at, bytes, len);
    }
    for (uint32_t done = 0; done < len && err == ESP_OK; done += OTTER_NVS_ENTRY_SIZE) {
        uint8_t raw[OTTER_NVS_ENTRY_SIZE];
        memcpy(raw, bytes + done, sizeof(raw));
        const bool ok =
            medium->cipher->run(medium->cipher, false, page->address - medium->offset + at + done, raw);
        err = ok ? program(medium, page, at + done, raw, sizeof(raw)) : ESP_ERR_NO_MEM;
    }
    return err;
}

/** A value's head, and that it is there. */
static esp_err_t append_head(const nvs_medium_t *medium, nvs_page_t *page, const nvs_entry_t *head)
{
    OTTER_ASSERT(head->span <= nvs_page_room(page));
    uint8_t raw[OTTER_NVS_ENTRY_SIZE];
    nvs_entry_encode(head, raw);
    esp_err_t err = program_entries(medium, page, entry_at(page->next), raw, sizeof(raw));
    return err == ESP_OK ? set_states(medium, page, page->next, 1, ENTRY_WRITTEN) : err;
}

/** `len` bytes of a value from its entry `entry` on, the first behind the head being 1; padded to whole entries. */
static esp_err_t append_bytes(const nvs_medium_t *medium, const nvs_page_t *page, uint32_t entry,
                              const uint8_t *bytes, uint32_t len)
{
    const uint32_t at = entry_at(page->next + entry), whole = align_down_u32(len, OTTER_NVS_ENTRY_SIZE);
    esp_err_t err = whole > 0 ? program_entries(medium, page, at, bytes, whole) : ESP_OK;
    if (err != ESP_OK || whole == len) {
        return err;
    }
    uint8_t raw[OTTER_NVS_ENTRY_SIZE];
    memset(raw, ERASED_BYTE, sizeof(raw));
    memcpy(raw, bytes + whole, len - whole);
    return program_entries(medium, page, at + whole, raw, sizeof(raw));
}

/** All of it is there: now it counts. */
static esp_err_t append_end(const nvs_medium_t *medium, nvs_page_t *page, const nvs_entry_t *head)
{
    const uint32_t index = page->next;
    esp_err_t err = set_states(medium, page, index + 1, head->span - 1u, ENTRY_WRITTEN);
    if (err == ESP_OK) {
        page->hash[index] = nvs_key_hash(head->ns, head->key);
        page->used = (uint8_t)(page->used + head->span);
        page->next = (uint8_t)(index + head->span);
    }
    return err;
}

esp_err_t nvs_page_append(const nvs_medium_t *medium, nvs_page_t *page, const nvs_entry_t *head,
                          const uint8_t *bytes)
{
    esp_err_t err = append_head(medium, page, head);
    if (err == ESP_OK && nvs_entry_has_data(head)) {
        err = append_bytes(medium, page, 1, bytes, nvs_entry_len(head));
    }
    return err == ESP_OK ? append_end(medium, page, head) : err;
}

esp_err_t nvs_page_copy(const nvs_medium_t *medium, nvs_page_t *to, const nvs_page_t *from, uint32_t index)
{
    nvs_entry_t head;
    esp_err_t err = nvs_page_read_entry(medium, from, index, &head);
    if (err != ESP_OK) {
        return err;
    }
    err = append_head(medium, to, &head);
    for (uint32_t i = 1; i < head.span && err == ESP_OK; i++) {
        uint8_t raw[OTTER_NVS_ENTRY_SIZE];
        err = nvs_page_read(medium, from, index + i, raw, sizeof(raw));
        if (err == ESP_OK) {
            err = append_bytes(medium, to, i, raw, sizeof(raw));
        }
    }
    return err == ESP_OK ? append_end(medium, to, &head) : err;
}

esp_err_t nvs_page_erase_item(const nvs_medium_t *medium, nvs_page_t *page, uint32_t index, uint32_t span)
{
    if (page->hash[index] != 0) {
        page->hash[index] = 0;
        page->used = (uint8_t)(page->used - span);
    }
    esp_err_t err = set_states(medium, page, index + 1, span - 1, ENTRY_ERASED);
    return err == ESP_OK ? set_states(medium, page, index, 1, ENTRY_ERASED) : err;
}

esp_err_t nvs_page_purge(const nvs_medium_t *medium, const nvs_page_t *page)
{
    static const uint8_t zeros[OTTER_NVS_ENTRY_SIZE];
    esp_err_t err = ESP_OK;
    for (uint32_t i = 0; err == ESP_OK && i < OTTER_NVS_ENTRIES; i++) {
        uint8_t raw[OTTER_NVS_ENTRY_SIZE];
        if (nvs_page_entry_state(page, i) != ENTRY_ERASED) {
            continue;
        }
        err = otter_flash_read(medium->flash, page->address + entry_at(i), raw, sizeof(raw));
        if (err == ESP_OK && memcmp(raw, zeros, sizeof(raw)) != 0) {
            err = program(medium, page, entry_at(i), zeros, sizeof(zeros));
        }
    }
    return err;
}
