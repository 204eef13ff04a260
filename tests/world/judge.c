/* The judge: knows the genuine images byte by byte and believes nothing that otter says about them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "boot/otadata.h"
#include "world.h"

bool same_place(place_t a, place_t b)
{
    return a.slot == b.slot && a.release == b.release;
}

/** The release whose bytes lie at this address. */
static int release_at(const world_device_t *d, uint32_t address)
{
    for (unsigned i = 0; i < d->world->release_count; i++) {
        const release_t *release = &d->world->releases[i];
        if (world_flash_holds(&d->flash, address, release->bytes, release->judged)) {
            return (int)i;
        }
    }
    return WORLD_NONE;
}

place_t judge_place(const world_device_t *d, int slot)
{
    return (place_t){.slot = slot, .release = release_at(d, device_slot_address(d, slot))};
}

place_t judge_stage(const world_device_t *d)
{
    return (place_t){.slot = d->target, .release = release_at(d, d->flash.layout->stage)};
}

static int slot_of(const esp_partition_t *partition)
{
    return partition->subtype == ESP_PARTITION_SUBTYPE_APP_FACTORY
               ? WORLD_FACTORY
               : (int)partition->subtype - (int)ESP_PARTITION_SUBTYPE_APP_OTA_MIN;
}

bool judge_trusts(const world_device_t *d, int release)
{
    const release_t *releases = d->world->releases;
    const int running = d->running.release;
    switch (d->plan.device.trust.source) {
    case OTTER_TRUST_EFUSES:
        return releases[release].signer == 'a';
    case OTTER_TRUST_RUNNING_APP: /* one that was never judged may run after failures, for want of a better one */
        return running == WORLD_NONE || releases[release].signer == releases[running].signer;
    default:
        return true;
    }
}

const char *judge_objection(const world_device_t *d, place_t place)
{
    if (place.release == WORLD_NONE) {
        return "an image that nobody released";
    }
    const release_t *release = &d->world->releases[place.release];
    if (d->plan.device.anti_rollback && release->secure_version < d->efuse) {
        return "a secure version below the device's";
    }
    if (d->plan.device.trust.source == OTTER_TRUST_EFUSES && release->signer != 'a') {
        return "an image that its owner did not sign";
    }
    if (d->fuzzy || world_flash_records_are_weak(&d->flash)) { /* reads differently each time */
        return NULL;
    }
    if ((same_place(place, d->next) && d->next_state != NEXT_NONE) ||
        (same_place(place, d->replaced) && d->replaced_may)) {
        return NULL;
    }
    if (same_place(place, d->home)) {
        return d->next_state == NEXT_SURE ? "the image before, although a new one was selected" : NULL;
    }
    return "neither the confirmed image nor the selected one";
}

bool judge_started(world_device_t *d, place_t place)
{
    const char *wrong = judge_objection(d, place);
    if (wrong != NULL) {
        world_fail(d->world, d, "slot %d boots with release %d: %s", place.slot, place.release, wrong);
    }
    return wrong == NULL;
}

void judge_moment(world_device_t *d)
{
    otter_device_t later;
    otter_boot_result_t result;
    d->world->tally->judged++;
    d->world->tally->judged_loosely += d->fuzzy;
    otter_device_init(&later, &d->flash.sound, &d->device.chip, &d->device.efuse, &d->plan.device);
    later.config.copies = &otter_staged_copies;
    esp_err_t err = otter_boot(&later, OTTER_BOOT_DRY_RUN, &result);
    if (err != ESP_OK) {
        world_fail(d->world, d, "nothing would boot now: %s (%s)", esp_err_to_name(err), result.reason);
    } else {
        place_t place = judge_place(d, slot_of(result.partition));
        const char *wrong = judge_objection(d, place);
        if (wrong != NULL) {
            world_fail(d->world, d, "slot %d would boot now with release %d: %s (%s)", place.slot,
                       place.release, wrong, result.reason);
        }
    }
    otter_device_deinit(&later);
    if (!d->fuzzy && d->home.release != WORLD_NONE && !same_place(judge_place(d, d->home.slot), d->home)) {
        world_fail(d->world, d, "the confirmed image in slot %d is no longer whole", d->home.slot);
    }
}

/** Erases an attempt may cost: each sector of the slot once, its last one (resume record) once more, otadata three times. */
void judge_wear(world_device_t *d, bool refused)
{
    if (d->flash.faults != d->faults_before || d->flash.worn > 0) {
        return; /* what failed is done again */
    }
    const world_layout_t *layout = d->flash.layout;
    const uint32_t once = d->plan.shape->write_once ? 1 : 0; /* what else is cleared without an erase */
    uint32_t first = device_slot_address(d, d->target) / layout->sector;
    uint32_t count = layout->slot_size / layout->sector;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t erases = d->flash.erases[first + i] - d->erases_before[first + i];
        /* Once more: the record of the download; or what the application decrypted, where the update was given up. */
        uint32_t allowed = 1u + (i == count - 1 || d->plan.decrypts || d->plan.sealed) + refused +
                           d->copies_twice + (i == count - 1 ? 2 * once : 0);
        if (erases > allowed) {
            world_fail(d->world, d,
                       "sector %" PRIu32 " of slot %d was erased %" PRIu32 " times in one update", i,
                       d->target, erases);
        }
    }
    uint32_t otadata = layout->otadata / layout->sector;
    uint32_t erases = d->flash.erases[otadata] - d->erases_before[otadata] + d->flash.erases[otadata + 1] -
                      d->erases_before[otadata + 1];
    if (erases > 3 + once + (uint32_t)d->fuzzy) { /* what a boot that failed to read left is tidied up, too */
        world_fail(d->world, d, "otadata was erased %" PRIu32 " times in one update", erases);
    }
}
