/* The life of a device: boots, an application that updates, confirms, rejects and switches, and power that goes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "boot/otadata.h"
#include "turn.h"
#include "ota/switch.h"

#define CALM_ROUNDS 5 /* updates in which a device arrives once nothing fails any more */

/* ---- the fence, and flash that fails ---- */

void open_fence(world_device_t *d, int slot)
{
    d->flash.otadata_open = true;
    d->flash.stage_open = d->plan.staged;
    d->flash.slot_open = slot == WORLD_FACTORY ? 0 : device_slot_address(d, slot);
}

void close_fence(world_device_t *d)
{
    d->flash.otadata_open = d->flash.stage_open = false;
    d->flash.slot_open = 0;
}

static bool records_are_weak(const world_device_t *d)
{
    return world_flash_records_are_weak(&d->flash);
}

watch_t watch_flash(const world_device_t *d)
{
    return (watch_t){.faults = d->flash.faults,
                     .record_faults = d->flash.record_faults,
                     .otadata_changes = d->flash.otadata_changes,
                     .weak = records_are_weak(d)};
}

bool is_excused(const world_device_t *d, const watch_t *before)
{
    return d->flash.worn > 0 || d->flash.faults != before->faults || records_are_weak(d) ||
           (d->on && d->device.partitions.status != ESP_OK); /* a table that could not be read at boot */
}

/** What fails in a slot does not count: an image is verified before a record names it. Nor does a read that only failed. */
bool is_blurred(const world_device_t *d, const watch_t *before)
{
    bool changed = d->flash.otadata_changes != before->otadata_changes;
    bool half_done = changed && (d->flash.record_faults != before->record_faults || before->weak);
    return d->flash.worn_records > 0 || half_done || records_are_weak(d);
}

/* ---- boot ---- */

/* States of records, as a set. */
#define STATE_NEW     1u
#define STATE_PENDING 2u
#define STATE_HOME    4u /* VALID, UNDEFINED and what nobody knows */

/** What the records in flash say about this slot; none that was refused counts. */
static unsigned states_of(const world_device_t *d, int slot)
{
    unsigned states = 0;
    otadata_entry_t two[OTADATA_COPY_COUNT];
    world_flash_records(&d->flash, two);
    for (uint32_t copy = 0; copy < OTADATA_COPY_COUNT; copy++) {
        const otadata_entry_t entry = two[copy];
        bool counts = otadata_is_valid(&entry) && !otadata_is_refused(&entry);
        if (counts && (int)otadata_slot(entry.seq, d->plan.slot_count) == slot) {
            states |= entry.state == ESP_OTA_IMG_NEW              ? STATE_NEW
                      : entry.state == ESP_OTA_IMG_PENDING_VERIFY ? STATE_PENDING
                                                                  : STATE_HOME;
        }
    }
    return states;
}

static bool record_is_pending(const world_device_t *d, int slot)
{
    return (states_of(d, slot) & STATE_PENDING) != 0;
}

void come_home(world_device_t *d)
{
    d->home = d->running;
    d->home_waits = false;
    /* After failures it may run although its own trial has not begun: then that is still to come. */
    d->fuzzy = d->fuzzy || (d->plan.device.rollback && (states_of(d, d->running.slot) & STATE_NEW) != 0);
}

/** Without a record of its own an image runs because the search found it: the next search may find another. */
static bool is_selected(const world_device_t *d, int slot)
{
    otadata_entry_t two[OTADATA_COPY_COUNT];
    world_flash_records(&d->flash, two);
    int active = otadata_active(two);
    return active == OTADATA_NONE ? slot == WORLD_FACTORY
                                  : slot == (int)otadata_slot(two[active].seq, d->plan.slot_count);
}

static bool is_next(const world_device_t *d, place_t place)
{
    return (d->next_state != NEXT_NONE && same_place(d->next, place)) ||
           (d->replaced_may && same_place(d->replaced, place));
}

/** What boots for good from now on. */
static void settle_home(world_device_t *d, place_t place, bool blurred)
{
    d->home = place;
    d->home_waits = false;
    d->next_state = NEXT_NONE;
    d->replaced_may = false;
    d->trial = false;
    d->fuzzy = blurred;
}

/** An image has started: what does that say about the boots to come? */
static void settle_boot(world_device_t *d, place_t place, bool faulty)
{
    d->on = true;
    d->running = place;
    d->home_waits = false;
    if (d->fuzzy) {
        d->trial = d->plan.device.rollback && record_is_pending(d, place.slot);
        if (!d->trial && !faulty && is_selected(d, place.slot)) {
            settle_home(d, place, d->flash.worn_records > 0);
        }
    } else if (is_next(d, place)) {
        /* After a cut in the confirmation the record tells whether it was done; else a trial there must be. */
        bool tried = d->next_state == NEXT_SURE || record_is_pending(d, place.slot);
        d->trial = d->plan.device.rollback && place.slot != WORLD_FACTORY && tried;
        if (!d->trial) {
            settle_home(d, place, false);
        }
    }
    d->next_state = NEXT_NONE;
    d->replaced_may = false;
    d->world->tally->trials += d->trial;
}

static int slot_of(const esp_partition_t *partition)
{
    return partition->subtype == ESP_PARTITION_SUBTYPE_APP_FACTORY
               ? WORLD_FACTORY
               : (int)partition->subtype - (int)ESP_PARTITION_SUBTYPE_APP_OTA_MIN;
}

/** A failure in the boot itself may hide a record or an image from it. */
static void blur_boot(world_device_t *d, place_t place, const watch_t *before)
{
    bool faulty = d->flash.faults != before->faults;
    bool unsure = d->next_state != NEXT_NONE || d->replaced_may;
    bool odd = faulty && (unsure || judge_objection(d, place) != NULL);
    d->fuzzy = d->fuzzy || odd || is_blurred(d, before) || d->flash.record_faults != before->record_faults;
}

static void start_device(world_device_t *d)
{
    const otter_chip_t chip = d->device.chip;
    const otter_efuse_t efuse = d->device.efuse;
    otter_device_init(&d->device, &d->flash.flash, &chip, &efuse, &d->plan.device);
    d->device.config.copies = &otter_staged_copies;
}

static void boot(world_device_t *d)
{
    const watch_t before = watch_flash(d);
    otter_boot_result_t result;
    d->world->tally->boots++;
    start_device(d);
    open_fence(d, d->copies ? d->copy_target : WORLD_FACTORY); /* a copy that was cut is finished */
    esp_err_t err = otter_boot(&d->device, OTTER_BOOT_COMMIT, &result);
    close_fence(d);
    bool faulty = d->flash.faults != before.faults;
    if (d->flash.sim.dead) {
        bool misled = faulty && d->flash.otadata_changes != before.otadata_changes;
        d->fuzzy = d->fuzzy || misled || is_blurred(d, &before);
        d->next_state = d->next_state == NEXT_SURE ? NEXT_MAYBE : d->next_state;
        return;
    }
    if (err != ESP_OK) {
        d->fuzzy = d->fuzzy || is_blurred(d, &before) || d->next_state != NEXT_NONE;
        story(d->world, d, "boot: %s (%s)", esp_err_to_name(err), result.reason);
        if (!faulty) {
            world_fail(d->world, d, "does not boot: %s (%s)", esp_err_to_name(err), result.reason);
        }
        return;
    }
    d->copies = d->copies && (faulty || d->flash.worn > 0);
    place_t place = judge_place(d, slot_of(result.partition));
    story(d->world, d, "boot: slot %d runs release %d: %s", place.slot, place.release, result.reason);
    blur_boot(d, place, &before);
    if (judge_started(d, place)) {
        settle_boot(d, place, faulty);
    }
}

/* ---- the application's other calls ---- */

/** Confirming counts what is selected: what runs, or, before the restart into it, what was chosen to be next. */
static void confirm(world_device_t *d)
{
    const watch_t before = watch_flash(d);
    const bool chosen = d->next_state == NEXT_SURE;
    const place_t place = chosen ? d->next : d->running;
    open_fence(d, WORLD_FACTORY);
    esp_err_t err = otter_ota_mark_app_valid_cancel_rollback(&d->device, NULL);
    close_fence(d);
    story(d->world, d, "confirm%s: %s", chosen ? " what has not run yet" : "", esp_err_to_name(err));
    if (err == ESP_OK && d->flash.sim.dead) {
        world_fail(d->world, d, "a confirmation succeeded although power went");
    }
    d->fuzzy = d->fuzzy || ((err != ESP_OK || before.weak) && is_blurred(d, &before));
    if (!d->trial && !chosen) {
        return;
    }
    if (err == ESP_OK) {
        d->world->tally->confirms++;
        settle_home(d, place, is_blurred(d, &before));
        d->home_waits = chosen;
        return;
    }
    if (!d->flash.sim.dead && !is_excused(d, &before) && !d->fuzzy) {
        world_fail(d->world, d, "the trial cannot be confirmed: %s", esp_err_to_name(err));
    }
    d->next =
        place; /* if it was written, it is confirmed; else the trial ended, or is lost before it began */
    d->next_state = NEXT_MAYBE;
}

static void reject(world_device_t *d)
{
    open_fence(d, WORLD_FACTORY);
    esp_err_t err = otter_ota_mark_app_invalid_rollback(&d->device, NULL);
    close_fence(d);
    d->world->tally->rejects++;
    story(d->world, d, "reject: %s", esp_err_to_name(err));
    if (err == ESP_OK && d->flash.sim.dead) {
        world_fail(d->world, d, "a rejection succeeded although power went");
    }
}

void choose(world_device_t *d, place_t place, bool done)
{
    if (d->home_waits || d->next_state != NEXT_NONE) {
        d->replaced = d->home_waits ? d->home : d->next;
        d->replaced_may = true;
    }
    d->replaced_may = d->replaced_may && !done;
    if (d->home_waits) {
        come_home(d); /* it is what comes back, not another choice */
    } else if (done && !d->trial && d->home.slot == WORLD_FACTORY && states_of(d, d->running.slot) != 0) {
        come_home(d); /* factory was selected, then something else twice: what runs got a record again */
    }
    d->next = place;
    d->next_state = done ? NEXT_SURE : NEXT_MAYBE;
}

/** Another image that is there anyway is to boot next. */
static void switch_slot(world_device_t *d)
{
    world_t *world = d->world;
    int slot = (int)chance_below(&world->chance, d->plan.slot_count + 1) - 1;
    place_t place = judge_place(d, slot);
    bool there = slot != WORLD_FACTORY || d->plan.factory;
    bool half_copied = d->copies && slot == d->copy_target;
    if (!there || half_copied || slot == d->running.slot || place.release == WORLD_NONE ||
        d->next_state == NEXT_MAYBE || d->fuzzy) {
        return;
    }
    const release_t *release = &world->releases[place.release];
    if (d->plan.device.anti_rollback && release->secure_version < d->efuse) {
        return; /* a slot with it would be erased; updates do that often enough */
    }
    const watch_t before = watch_flash(d);
    open_fence(d, WORLD_FACTORY);
    esp_err_t err = otter_ota_set_boot_partition(&d->device, device_partition(d, slot), NULL);
    close_fence(d);
    world->tally->switches++;
    story(world, d, "select slot %d with release %d: %s", slot, place.release, esp_err_to_name(err));
    if (err == ESP_OK && d->flash.sim.dead) {
        world_fail(world, d, "a selection succeeded although power went");
    }
    if (err == ESP_OK && !judge_trusts(d, place.release)) {
        world_fail(world, d, "an image is selected that a stranger has signed");
    }
    if (err != ESP_OK && judge_trusts(d, place.release) && !d->flash.sim.dead && !is_excused(d, &before)) {
        world_fail(world, d, "a good image cannot be selected: %s", esp_err_to_name(err));
    }
    if (err == ESP_OK || d->flash.otadata_changes != before.otadata_changes) {
        choose(d, place, err == ESP_OK);
    }
    d->fuzzy = is_blurred(d, &before);
    if (err == ESP_OK && slot == WORLD_FACTORY) {
        settle_home(d, place, d->fuzzy); /* there is no record any more, and no way back */
    }
}

/* ---- steps ---- */

/** After something that may have been cut. */
static void power_cycle(world_device_t *d)
{
    device_stop(d);
    sim_flash_power_on(&d->flash.sim);
}

static void restart(world_device_t *d, const char *why)
{
    story(d->world, d, "%s", why);
    d->world->tally->rollbacks += d->trial;
    device_stop(d);
}

/** The application of an image on trial. @return the tally of power cuts that may have come */
static uint64_t *trial_step(world_device_t *d)
{
    tally_t *tally = d->world->tally;
    chance_t *c = &d->world->chance;
    if (d->next_state == NEXT_SURE) {
        restart(d, "restart of a trial into another choice");
        return &tally->cuts_idle;
    }
    bool healthy = d->running.release != WORLD_NONE && d->world->releases[d->running.release].healthy;
    if (chance_percent(c, 20)) {
        begin_update(d); /* which must not come about */
        return &tally->cuts_download;
    }
    if (chance_percent(c, 5)) {
        switch_slot(d);
        return &tally->cuts_record;
    }
    if (healthy && chance_percent(c, 80)) {
        confirm(d);
    } else if (!same_place(d->running, d->home) && chance_percent(c, 50)) {
        reject(d);
    }
    if (d->trial && !d->flash.sim.dead) {
        restart(d, "restart with the trial unconfirmed");
    }
    return &tally->cuts_record;
}

static uint64_t *idle_step(world_device_t *d)
{
    tally_t *tally = d->world->tally;
    chance_t *c = &d->world->chance;
    uint32_t what = chance_below(c, 100);
    if (d->next_state == NEXT_SURE && what < 70) {
        restart(d, "restart");
        return &tally->cuts_idle;
    }
    if (what < 75) {
        begin_update(d);
        return &tally->cuts_download;
    }
    if (what < 80) {
        restart(d, "restart");
    } else if (what < 85) {
        switch_slot(d);
    } else if (what < 90) {
        confirm(d);
    }
    return &tally->cuts_record;
}

static uint64_t *step(world_device_t *d)
{
    tally_t *tally = d->world->tally;
    chance_t *c = &d->world->chance;
    if (!d->on) {
        boot(d);
        return &tally->cuts_boot;
    }
    if (d->handle == NULL) {
        return d->trial ? trial_step(d) : idle_step(d);
    }
    uint32_t what = chance_below(c, 100);
    if (what == 0) {
        restart(d, "crash in an update");
        return &tally->cuts_idle;
    }
    if (what == 1) {
        abort_update(d);
        return &tally->cuts_download;
    }
    uint64_t *cuts = d->received ? &tally->cuts_finish : &tally->cuts_download;
    continue_update(d);
    return cuts;
}

void take_turn(world_device_t *d)
{
    chance_t *c = &d->world->chance;
    if (d->flash.sim.cut_at == UINT32_MAX && chance_percent(c, 8)) {
        world_flash_plan_cut(&d->flash, c);
    }
    d->busy = true;
    uint64_t *cuts = &d->world->tally->cuts_idle;
    if (d->on && chance_below(c, 200) == 0) {
        d->flash.sim.dead = true;
        story(d->world, d, "POWER CUT between operations");
    } else {
        cuts = step(d);
    }
    if (d->flash.sim.dead) {
        ++*cuts;
        power_cycle(d);
    }
    judge_moment(d);
    d->busy = false;
}

/** One round without failures. @return true: the device runs `release` for good */
static bool calm_round(world_device_t *d, int release)
{
    if (!d->on) {
        boot(d);
    }
    if (d->trial) {
        confirm(d);
    }
    if (d->trial) {
        restart(d, "restart with the trial unconfirmed"); /* worn otadata */
        return false;
    }
    if (d->world->failed || (d->running.release == release && !d->trial)) {
        return !d->world->failed;
    }
    complete_update(d);
    judge_moment(d);
    restart(d, "restart");
    return false;
}

void calm_device(world_device_t *d, int release)
{
    world_flash_calm(&d->flash);
    story(d->world, d, "calm: nothing fails any more");
    restart(d, "restart");
    bool arrived = false;
    for (int round = 0; round < CALM_ROUNDS && !arrived && !d->world->failed; round++) {
        arrived = calm_round(d, release);
    }
    d->world->tally->arrived += arrived;
    if (!arrived && !d->world->failed && d->flash.worn == 0) {
        world_fail(d->world, d, "runs release %d, not the last one (%d), after %d updates without failures",
                   d->running.release, release, CALM_ROUNDS);
    }
}
