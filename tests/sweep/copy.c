/* The watch over staged copies. It knows where a journal says that it counts, and believes nothing else that otter says. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sweep/copy.h"

#include <string.h>

#include "otter/bytes.h"
#include "boot/copy_journal.h"
#include "flash/partition_list.h"
#include "ota/switch.h"

static const esp_partition_t *partition_named(const subject_t *subject, const char *label)
{
    const esp_partition_t *p = otter_partition_list_find(
        &subject->device.partitions, NULL, ESP_PARTITION_TYPE_ANY, ESP_PARTITION_SUBTYPE_ANY, label);
    CHECK(p != NULL, "partition %s is gone", label);
    return p;
}

route_t copy_route(const subject_t *subject, copy_kind_t kind)
{
    otter_device_t *device = (otter_device_t *)&subject->device; /* asked, not changed */
    const esp_partition_t *next = otter_ota_get_next_update_partition(device, NULL);
    route_t route = {.staging = next, .final = next};
    if (kind == COPY_NONE) {
        return route;
    }
    if (subject->config.layout->staging) {
        route.staging = partition_named(subject, "staging");
    }
    switch (kind) {
    case COPY_APP:
        route.final =
            subject->config.layout->staging ? next : otter_ota_get_next_update_partition(device, next);
        break;
    case COPY_DATA:
        route.final = partition_named(subject, "files");
        break;
    case COPY_BOOTLOADER:
        route.final = partition_named(subject, "boot");
        break;
    case COPY_TABLE:
        route.final = partition_named(subject, "table");
        break;
    case COPY_NONE:
        break;
    }
    return route;
}

const uint8_t *copy_bytes(const subject_t *subject, copy_kind_t kind, unsigned version, uint32_t *len)
{
    if (kind == COPY_TABLE) {
        *len = OTTER_PARTITION_TABLE_LEN;
        return subject->tables[version];
    }
    *len = subject->images[version].len;
    return subject->images[version].bytes;
}

/** A digest that is quick and sees every byte; nobody forges anything here. */
static uint64_t digest_of(const uint8_t *bytes, uint32_t len)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i + 8 <= len; i += 8) {
        uint64_t word;
        memcpy(&word, bytes + i, sizeof(word));
        sum = ((sum ^ word) * 0x9E3779B97F4A7C15u) ^ (sum >> 29);
    }
    return sum;
}

void copy_expect(subject_t *subject, const route_t *route, copy_kind_t kind, unsigned version)
{
    copy_t *copy = &subject->model.copy;
    if (route->staging == route->final) {
        return;
    }
    *copy =
        (copy_t){.journal = JOURNAL_NOT_YET,
                 .address = route->final->address,
                 .size = route->final->size,
                 .journal_at = route->staging->address + route->staging->size - subject->flash.erase_size};
    copy->bytes = copy_bytes(subject, kind, version, &copy->len);
    copy->old = digest_of(subject->sim.bytes + copy->address, copy->size);
    subject->phase = PHASE_COPY;
}

static bool is_blank(const uint8_t *bytes, uint32_t len)
{
    return len == 0 || (bytes[0] == 0xFF && memcmp(bytes, bytes + 1, len - 1) == 0);
}

static bool is_new(const subject_t *subject)
{
    const copy_t *copy = &subject->model.copy;
    const bool encrypted = subject_is_encrypted(subject, copy->address);
    const uint32_t filled = encrypted ? align_up_u32(copy->len, OTTER_FLASH_CIPHER_BLOCK) : copy->len;
    const uint8_t *final = subject_see(subject, copy->address, copy->len);
    return memcmp(final, copy->bytes, copy->len) == 0 && is_blank(final + copy->len, filled - copy->len) &&
           is_blank(subject->sim.bytes + copy->address + filled, copy->size - filled) &&
           !sim_flash_is_weak(&subject->sim, copy->address, copy->size);
}

static bool is_old(const subject_t *subject)
{
    const copy_t *copy = &subject->model.copy;
    return digest_of(subject->sim.bytes + copy->address, copy->size) == copy->old;
}

void copy_check_done(subject_t *subject)
{
    CHECK(subject->model.copy.journal == JOURNAL_NONE || is_new(subject),
          "the copy succeeds, and final is not what was sent");
    subject->model.copy.journal = JOURNAL_NONE;
}

void copy_check_after_boot(subject_t *subject)
{
    switch (subject->model.copy.journal) {
    case JOURNAL_NONE:
        return;
    case JOURNAL_NOT_YET:
        CHECK(is_old(subject), "final has changed before there was a journal");
        break;
    case JOURNAL_PERHAPS:
        CHECK(is_old(subject) || is_new(subject), "final is neither old nor new");
        break;
    case JOURNAL_DURABLE:
        CHECK(is_new(subject), "final is not new although there was a journal");
        break;
    }
    subject->model.copy.journal = JOURNAL_NONE;
}

bool copy_may_write(const subject_t *subject, uint32_t off, uint32_t len)
{
    const copy_t *copy = &subject->model.copy;
    bool booting = subject->phase == PHASE_BOOT;
    if (copy->journal_at != 0 && len < subject->flash.erase_size &&
        is_inside(off, len, copy->journal_at, subject->flash.erase_size)) {
        return booting; /* marks; or what is left of a journal is made sure to be dead */
    }
    if (copy->journal_at == off && len == subject->flash.erase_size && subject->config.write_once &&
        booting) {
        return true; /* the same, where units are programmed once */
    }
    return is_inside(off, len, copy->address, copy->size) &&
           (copy->journal == JOURNAL_DURABLE || (booting && copy->journal == JOURNAL_PERHAPS));
}

bool copy_journal_begins(subject_t *subject, uint32_t off)
{
    copy_t *copy = &subject->model.copy;
    const uint32_t unit = subject->config.write_size, first = subject->config.write_once ? 4 : 0;
    const uint32_t committed =
        align_up_u32(COPY_JOURNAL_HEADER_SIZE, otter_flash_unit(&subject->flash)) + first * unit;
    if (copy->journal == JOURNAL_NONE || off != copy->journal_at + committed) {
        return false;
    }
    if (copy->journal == JOURNAL_NOT_YET) {
        copy->journal = JOURNAL_PERHAPS;
    }
    return true;
}
