/* The steps of a life, each as an application or its owner would take it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sweep/life.h"

#include "ota/switch.h"
#include "ota/update.h"
#include "otter/ota_ops.h"
#include "otter/promise.h"
#include "sweep/settings.h"
#include "sim/sim_undo.h"

#define HTTPS_DETOURS ((unsigned)(HTTPS_BREAKS | HTTPS_WITHDRAWN | HTTPS_BY_HAND)) /* not in a recovery */

/** Bytes of a download's writes: never a sector's worth, always whole write units, if those are small. */
static uint32_t chunk_of(const subject_t *subject)
{
    const uint32_t chunk = subject_block(subject) / 4 - max_u32(16, min_u32(32, subject->config.write_size));
    return subject->images[0].len < chunk ? 256 : chunk;
}

static bool send(subject_t *subject, esp_ota_handle_t handle, const uint8_t *bytes, uint32_t from,
                 uint32_t to)
{
    uint32_t chunk = chunk_of(subject);
    for (uint32_t at = from; at < to; at += chunk) {
        uint32_t len = to - at < chunk ? to - at : chunk;
        if (at == from && !settings_change(subject)) { /* other tasks go on while an update is open */
            return false;
        }
        if (ota_write(&subject->device, handle, bytes + at, len) != ESP_OK) {
            return false;
        }
    }
    return true;
}

static bool begin(subject_t *subject, const esp_partition_t *slot, size_t size, esp_ota_handle_t *handle)
{
    if (ota_begin(&subject->device, slot, size, handle) != ESP_OK) {
        return false;
    }
    subject_records_are_sure(subject, slot);
    return true;
}

/** The link breaks at the first sector's end, the device restarts and goes on from there. */
static bool download_twice(subject_t *subject, const esp_partition_t **slot, unsigned image)
{
    esp_ota_handle_t handle;
    uint32_t address = (*slot)->address, len = subject->images[image].len,
             part = len < subject_block(subject) ? 256 : subject_block(subject);
    if (!begin(subject, *slot, OTA_WITH_SEQUENTIAL_WRITES, &handle) ||
        !send(subject, handle, subject->images[image].bytes, 0, part) || !subject_boot(subject)) {
        return false;
    }
    subject->phase = PHASE_DOWNLOAD;
    *slot = otter_ota_get_next_update_partition(&subject->device, NULL);
    CHECK((*slot)->address == address, "another slot is next after a download was broken off");
    subject->target = *slot;
    return ota_resume(&subject->device, *slot, OTA_WITH_SEQUENTIAL_WRITES, part, &handle) == ESP_OK &&
           send(subject, handle, subject->images[image].bytes, part, len) &&
           ota_end(&subject->device, handle) == ESP_OK;
}

/** Through a staging partition if the step says so, which the call that ends the update copies to its final place. */
static bool download_and_copy(subject_t *subject, const route_t *route, const step_t *step)
{
    esp_ota_handle_t handle;
    uint32_t len;
    const uint8_t *bytes = copy_bytes(subject, step->copy, step->image, &len);
    size_t size = step->erase == ERASE_AHEAD   ? OTA_WITH_SEQUENTIAL_WRITES
                  : step->erase == ERASE_WHOLE ? OTA_SIZE_UNKNOWN
                                               : len;
    if (!begin(subject, route->staging, size, &handle) ||
        ota_set_final_partition(&subject->device, handle, route->final, true) != ESP_OK ||
        !send(subject, handle, bytes, 0, len)) {
        return false;
    }
    copy_expect(subject, route, step->copy, step->image);
    if (ota_end(&subject->device, handle) != ESP_OK) {
        return false;
    }
    copy_check_done(subject);
    subject_records_are_sure(subject, route->final);
    return true;
}

static bool download_to(subject_t *subject, const route_t *route, const step_t *step)
{
    subject->phase = PHASE_DOWNLOAD;
    subject->target = route->staging;
    return download_and_copy(subject, route, step);
}

/** @param[out] final  where it is now */
static bool download(subject_t *subject, const esp_partition_t **final, const step_t *step)
{
    const route_t route = copy_route(subject, step->copy);
    *final = route.final;
    if (step->erase != ERASE_RESUME) {
        return download_to(subject, &route, step);
    }
    subject->phase = PHASE_DOWNLOAD;
    subject->target = route.staging;
    return download_twice(subject, final, step->image);
}

/** What becomes of the image that just booted for the first time. */
static bool meet_fate(subject_t *subject, fate_t fate, uint32_t new_address)
{
    if (fate == FATE_CONFIRM) {
        subject->phase = PHASE_CONFIRM;
        if (otter_ota_mark_app_valid_cancel_rollback(&subject->device, NULL) != ESP_OK) {
            return false;
        }
        subject_allow_only_running(subject);
        return true;
    }
    if (fate == FATE_REJECT) {
        subject->phase = PHASE_CONFIRM;
        if (otter_ota_mark_app_invalid_rollback(&subject->device, NULL) != ESP_OK) {
            return false;
        }
        subject_forbid(subject, new_address);
    }
    if (!subject_boot(subject)) {
        return false;
    }
    CHECK(subject->model.running.address != new_address, "no fall back from what crashed or was rejected");
    subject_allow_only_running(subject);
    return true;
}

/** Restart into `address`, and the fate. */
static bool try_out(subject_t *subject, uint32_t address, fate_t fate)
{
    if (!subject_boot(subject)) {
        return false;
    }
    CHECK(subject->model.running.address == address, "what was selected does not run");
    if (!subject->config.config.rollback) {
        subject_allow_only_running(subject);
        return true;
    }
    return meet_fate(subject, fate, address);
}

static bool select_slot(subject_t *subject, const esp_partition_t *slot, unsigned image)
{
    subject->phase = PHASE_SELECT;
    subject->chosen = slot->address;
    subject_allow(subject, slot, image);
    return otter_ota_set_boot_partition(&subject->device, slot, NULL) == ESP_OK;
}

/** The application comes to its place and is selected. @param[out] address  the place */
static bool bring(subject_t *subject, const step_t *step, uint32_t *address)
{
    const esp_partition_t *slot;
    bool by_hand = (step->https & HTTPS_BY_HAND) != 0;
    if (by_hand && !https_break_off(subject, step->https, step->copy, step->image)) {
        return false;
    }
    if (step->https == 0 || by_hand) {
        if (!download(subject, &slot, step) || !select_slot(subject, slot, step->image)) {
            return false;
        }
        *address = slot->address;
        return true;
    }
    *address = copy_route(subject, step->copy).final->address;
    return https_update(subject, step->https, step->copy, step->image);
}

static bool update(subject_t *subject, const step_t *step)
{
    uint32_t address;
    for (unsigned i = 0; i == 0 || i < step->downloads; i++) {
        if (!bring(subject, step, &address)) {
            return false;
        }
    }
    return try_out(subject, address, step->fate);
}

/** The first choice never boots, whatever becomes of the second. */
static bool take_back(subject_t *subject, const step_t *step)
{
    step_t first = *step;
    const esp_partition_t *taken, *slot;
    first.image = step->image + 1 < SUBJECT_IMAGES ? step->image + 1 : 1;
    if (!download(subject, &taken, &first) || !select_slot(subject, taken, first.image)) {
        return false;
    }
    slot = otter_ota_get_next_update_partition(&subject->device, taken);
    if (!download_to(subject, &(route_t){.staging = slot, .final = slot}, step) ||
        !select_slot(subject, slot, step->image)) {
        return false;
    }
    subject_forbid(subject, taken->address);
    return try_out(subject, slot->address, step->fate);
}

/** Nothing is on trial, and nothing changes but a state: what runs, runs. */
static bool confirm_again(subject_t *subject)
{
    subject->phase = PHASE_CONFIRM;
    return otter_ota_mark_app_valid_cancel_rollback(&subject->device, NULL) == ESP_OK &&
           subject_boot(subject);
}

/** Data, a bootloader or a table. */
static bool copy_other(subject_t *subject, const step_t *step)
{
    const esp_partition_t *final;
    bool done = step->https != 0 ? https_update(subject, step->https, step->copy, step->image)
                                 : download(subject, &final, step);
    return done && subject_boot(subject);
}

/** What lies in the partition where the previous application was is selected again. */
static bool select_again(subject_t *subject, const step_t *step)
{
    bool factory = subject->config.layout->factory;
    const esp_partition_t *slot = subject_partition(
        subject, ESP_PARTITION_TYPE_APP,
        factory ? ESP_PARTITION_SUBTYPE_APP_FACTORY + (step->erase == ERASE_KNOWN ? 0x10u : 0u)
                : ESP_PARTITION_SUBTYPE_APP_OTA_MIN + (step->erase == ERASE_KNOWN ? 1u : 0u));
    if (!select_slot(subject, slot, step->image)) {
        return false;
    }
    uint32_t address = slot->address;
    if (slot->subtype != ESP_PARTITION_SUBTYPE_APP_FACTORY) {
        return try_out(subject, address, step->fate);
    }
    if (!subject_boot(subject)) {
        return false;
    }
    CHECK(subject->model.running.address == address, "factory was selected and does not run");
    subject_allow_only_running(subject);
    return true;
}

static bool erase_last(subject_t *subject)
{
    subject->phase = PHASE_OTHER;
    subject->target = otter_ota_get_next_update_partition(&subject->device, NULL);
    return otter_ota_erase_last_boot_app_partition(&subject->device) == ESP_OK && subject_boot(subject);
}

/** The previous application, whose place and image the step names, comes back. */
static bool reject(subject_t *subject, const step_t *step)
{
    const uint32_t address = subject->model.running.address;
    subject_allow(subject, otter_ota_get_next_update_partition(&subject->device, NULL), step->image);
    return meet_fate(subject, FATE_REJECT, address);
}

static bool refused(subject_t *subject, const step_t *step)
{
    const esp_partition_t *slot;
    if (!download(subject, &slot, step)) {
        return false;
    }
    subject->phase = PHASE_SELECT;
    esp_err_t err = otter_ota_set_boot_partition(&subject->device, slot, NULL);
    CHECK(err == ESP_ERR_OTA_SMALL_SEC_VER || subject->sim.dead,
          "an image below the secure version is selected");
    return !subject->sim.dead && subject_boot(subject);
}

/** A careless application: it goes on after ota_end has said no. @param bits  that are wrong; 0: nobody signed it */
static bool unwanted(subject_t *subject, const step_t *step, uint8_t bits)
{
    const esp_partition_t *slot;
    uint8_t *byte = &subject->images[step->image].bytes[350];
    const char *what = bits != 0 ? "damaged" : "forged";
    *byte ^= bits;
    bool taken = download(subject, &slot, step);
    *byte ^= bits;
    CHECK(!taken, "a %s image is taken", what);
    if (subject->sim.dead) {
        return false;
    }
    subject->phase = PHASE_SELECT;
    CHECK(step->copy != COPY_NONE || otter_ota_set_boot_partition(&subject->device, slot, NULL) != ESP_OK,
          "a %s image is selected", what);
    return subject_boot(subject);
}

/**
 * Whoever revokes a key runs what another one has signed, or is refused; what the old one alone has signed is no choice any
 * more.
 */
static bool revoke(subject_t *subject)
{
    subject->phase = PHASE_OTHER;
    esp_err_t err = otter_ota_revoke_secure_boot_public_key(&subject->device, 0, NULL);
    if (subject->model.running.image == 0) {
        CHECK(err != ESP_OK, "the only key that has signed what runs is revoked");
        return !subject->sim.dead && subject_boot(subject);
    }
    if (err != ESP_OK) {
        return false;
    }
    subject->phase = PHASE_SELECT;
    if (subject->config.layout->factory) {
        const esp_partition_t *factory =
            subject_partition(subject, ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_APP_FACTORY);
        CHECK(otter_ota_set_boot_partition(&subject->device, factory, NULL) != ESP_OK,
              "an image of a revoked key is selected");
    }
    return subject_boot(subject);
}

static bool rot(subject_t *subject, const step_t *step)
{
    const esp_partition_t *slot;
    const uint32_t home = subject->model.running.address;
    if (!download(subject, &slot, step) || !select_slot(subject, slot, step->image)) {
        return false;
    }
    sim_undo_save(&subject->sim, slot->address + 350, 1);
    subject->sim.bytes[slot->address + 350] = 0;
    subject_forbid(subject, slot->address);
    if (!subject_boot(subject)) {
        return false;
    }
    CHECK(subject->model.running.address == home, "no fall back from an image that is damaged in flash");
    return true;
}

bool life_step(subject_t *subject, const step_t *step)
{
    const uint32_t ops = subject->sim.ops;
    if (!subject_boot(subject)) {
        return false;
    }
    CHECK(step->kind == STEP_FIRST_BOOT || subject->weak || subject->sim.ops == ops,
          "a settled device writes when it boots");
    if (!settings_change(subject)) {
        return false;
    }
    switch (step->kind) {
    case STEP_UPDATE:
        return update(subject, step);
    case STEP_COPY:
        return copy_other(subject, step);
    case STEP_SELECT:
        return select_again(subject, step);
    case STEP_ERASE_LAST:
        return erase_last(subject);
    case STEP_CONFIRM:
        return confirm_again(subject);
    case STEP_TAKE_BACK:
        return take_back(subject, step);
    case STEP_REJECT:
        return reject(subject, step);
    case STEP_DAMAGED:
        return unwanted(subject, step, 0x10);
    case STEP_FORGED:
        return unwanted(subject, step, 0);
    case STEP_REVOKE:
        return revoke(subject);
    case STEP_ROT:
        return rot(subject, step);
    case STEP_REFUSED:
        return refused(subject, step);
    case STEP_FIRST_BOOT:
    case STEP_NONE:
        break;
    }
    return true;
}

/** An image that neither ran nor was sent before, and is new enough; or the one that the server still has, or has again. */
static unsigned next_image(const subject_t *subject, const step_t *step)
{
    const unsigned running = subject->model.running.image;
    if (subject->config.config.anti_rollback) {
        return SUBJECT_IMAGES - 1;
    }
    if (((step->https & HTTPS_SAME) != 0 || step->copied_next) && running != step->image) {
        return step->image;
    }
    if ((step->https & HTTPS_WITHDRAWN) != 0) {
        return https_withdrawn(step->image);
    }
    unsigned image = 0;
    while (image == step->image || image == running || !subject_trusts(subject, image)) {
        image++;
    }
    return image;
}

/** What was cut was to become no application: the next one of its kind arrives. */
static bool recover_copy(subject_t *subject, const step_t *step)
{
    step_t next = *step;
    next.image = (step->https & HTTPS_SAME) != 0 ? step->image : (step->image + 1) % SUBJECT_IMAGES;
    next.https &= ~HTTPS_DETOURS;
    if (!copy_other(subject, &next)) {
        CHECK(subject->sim.dead, "the device does not take the next update: %s", subject->device.fault.why);
        return false;
    }
    return true;
}

static bool recover_update(subject_t *subject, const step_t *step)
{
    const step_t next = {.kind = STEP_UPDATE,
                         .image = next_image(subject, step),
                         .fate = FATE_CONFIRM,
                         .https = step->https & ~HTTPS_DETOURS,
                         .copy = step->copied_next ? COPY_APP : step->copy};
    if (!update(subject, &next)) {
        CHECK(subject->sim.dead, "the device does not take the next update");
        return false;
    }
    if (!subject_boot(subject)) {
        return false;
    }
    CHECK(subject->model.running.image == next.image, "the next update does not stay");
    return true;
}

/** Boot, and a trial to its end. */
static bool settle(subject_t *subject, fate_t fate)
{
    if (!subject_boot(subject)) {
        return false;
    }
    if (subject->config.config.rollback && subject_is_on_trial(subject)) {
        return meet_fate(subject, fate, subject->model.running.address);
    }
    if (!subject->weak) {
        subject_allow_only_running(subject);
        return true;
    }
    const bool units =
        subject->config.write_once || subject->config.encrypted; /* a record is there, or not */
    if (subject->config.config.rollback && fate == FATE_CONFIRM && !units) {
        subject->phase = PHASE_CONFIRM; /* whether it is on trial may hang, too */
        otter_ignore(otter_ota_mark_app_valid_cancel_rollback(&subject->device, NULL));
    }
    return !subject->sim.dead;
}

bool life_recover(subject_t *subject, const step_t *step)
{
    if (!settle(subject, step->fate)) {
        return false;
    }
    /* What a boot has found of a copy stays so: its journal does not come back. */
    if (step->copy != COPY_NONE && !settle(subject, step->fate)) {
        return false;
    }
    return step->kind == STEP_COPY ? recover_copy(subject, step) : recover_update(subject, step);
}
