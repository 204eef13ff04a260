/* The steps of a life, each as an application or its owner would take it. */
#include "sweep/life.h"

#include "ota/switch.h"
#include "ota/update.h"
#include "sim/sim_undo.h"

#define HTTPS_DETOURS ((unsigned)(HTTPS_BREAKS | HTTPS_WITHDRAWN | HTTPS_BY_HAND)) /* not in a recovery */
#define CHUNK         1008u /* bytes of a download's writes: never a sector's worth, always whole write units */

static uint32_t chunk_of(const world_t *world)
{
    return world->images[0].len < CHUNK ? 256 : CHUNK;
}

static bool send(world_t *world, esp_ota_handle_t handle, const uint8_t *bytes, uint32_t from, uint32_t to)
{
    uint32_t chunk = chunk_of(world);
    for (uint32_t at = from; at < to; at += chunk) {
        uint32_t len = to - at < chunk ? to - at : chunk;
        if (ota_write(&world->device, handle, bytes + at, len) != ESP_OK) {
            return false;
        }
    }
    return true;
}

static bool begin(world_t *world, const esp_partition_t *slot, size_t size, esp_ota_handle_t *handle)
{
    if (ota_begin(&world->device, slot, size, handle) != ESP_OK) {
        return false;
    }
    world_records_are_sure(world, slot);
    return true;
}

/** The link breaks at the first sector's end, the device restarts and goes on from there. */
static bool download_twice(world_t *world, const esp_partition_t **slot, unsigned image)
{
    esp_ota_handle_t handle;
    uint32_t address = (*slot)->address, len = world->images[image].len, part = len < 4096 ? 256 : 4096;
    if (!begin(world, *slot, OTA_WITH_SEQUENTIAL_WRITES, &handle) ||
        !send(world, handle, world->images[image].bytes, 0, part) || !world_boot(world)) {
        return false;
    }
    world->phase = PHASE_DOWNLOAD;
    *slot = ota_get_next_update_partition(&world->device, NULL);
    CHECK((*slot)->address == address, "another slot is next after a download was broken off");
    world->target = *slot;
    return ota_resume(&world->device, *slot, OTA_WITH_SEQUENTIAL_WRITES, part, &handle) == ESP_OK &&
           send(world, handle, world->images[image].bytes, part, len) &&
           ota_end(&world->device, handle) == ESP_OK;
}

/** Through a staging partition if the step says so, which the call that ends the update copies to its final place. */
static bool download_and_copy(world_t *world, const route_t *route, const step_t *step)
{
    esp_ota_handle_t handle;
    uint32_t len;
    const uint8_t *bytes = copy_bytes(world, step->copy, step->image, &len);
    size_t size = step->erase == ERASE_AHEAD   ? OTA_WITH_SEQUENTIAL_WRITES
                  : step->erase == ERASE_WHOLE ? OTA_SIZE_UNKNOWN
                                               : len;
    if (!begin(world, route->staging, size, &handle) ||
        ota_set_final_partition(&world->device, handle, route->final, true) != ESP_OK ||
        !send(world, handle, bytes, 0, len)) {
        return false;
    }
    copy_expect(world, route, step->copy, step->image);
    if (ota_end(&world->device, handle) != ESP_OK) {
        return false;
    }
    copy_check_done(world);
    world_records_are_sure(world, route->final);
    return true;
}

static bool download_to(world_t *world, const route_t *route, const step_t *step)
{
    world->phase = PHASE_DOWNLOAD;
    world->target = route->staging;
    return download_and_copy(world, route, step);
}

/** @param[out] final  where it is now */
static bool download(world_t *world, const esp_partition_t **final, const step_t *step)
{
    const route_t route = copy_route(world, step->copy);
    *final = route.final;
    if (step->erase != ERASE_RESUME) {
        return download_to(world, &route, step);
    }
    world->phase = PHASE_DOWNLOAD;
    world->target = route.staging;
    return download_twice(world, final, step->image);
}

/** What becomes of the image that just booted for the first time. */
static bool meet_fate(world_t *world, fate_t fate, uint32_t new_address)
{
    if (fate == FATE_CONFIRM) {
        world->phase = PHASE_CONFIRM;
        if (ota_mark_app_valid_cancel_rollback(&world->device) != ESP_OK) {
            return false;
        }
        world_allow_only_running(world);
        return true;
    }
    if (fate == FATE_REJECT) {
        world->phase = PHASE_CONFIRM;
        if (ota_mark_app_invalid_rollback(&world->device) != ESP_OK) {
            return false;
        }
        world_forbid(world, new_address);
    }
    if (!world_boot(world)) {
        return false;
    }
    CHECK(world->model.running.address != new_address, "no fall back from what crashed or was rejected");
    world_allow_only_running(world);
    return true;
}

/** Restart into `address`, and the fate. */
static bool try_out(world_t *world, uint32_t address, fate_t fate)
{
    if (!world_boot(world)) {
        return false;
    }
    CHECK(world->model.running.address == address, "what was selected does not run");
    if (!world->config.config.rollback) {
        world_allow_only_running(world);
        return true;
    }
    return meet_fate(world, fate, address);
}

static bool select_slot(world_t *world, const esp_partition_t *slot, unsigned image)
{
    world->phase = PHASE_SELECT;
    world->chosen = slot->address;
    world_allow(world, slot, image);
    return ota_set_boot_partition(&world->device, slot) == ESP_OK;
}

/** The application comes to its place and is selected. @param[out] address  the place */
static bool bring(world_t *world, const step_t *step, uint32_t *address)
{
    const esp_partition_t *slot;
    bool by_hand = (step->https & HTTPS_BY_HAND) != 0;
    if (by_hand && !https_break_off(world, step->https, step->copy, step->image)) {
        return false;
    }
    if (step->https == 0 || by_hand) {
        if (!download(world, &slot, step) || !select_slot(world, slot, step->image)) {
            return false;
        }
        *address = slot->address;
        return true;
    }
    *address = copy_route(world, step->copy).final->address;
    return https_update(world, step->https, step->copy, step->image);
}

static bool update(world_t *world, const step_t *step)
{
    uint32_t address;
    for (unsigned i = 0; i == 0 || i < step->downloads; i++) {
        if (!bring(world, step, &address)) {
            return false;
        }
    }
    return try_out(world, address, step->fate);
}

/** The first choice never boots, whatever becomes of the second. */
static bool take_back(world_t *world, const step_t *step)
{
    step_t first = *step;
    const esp_partition_t *taken, *slot;
    first.image = step->image + 1 < WORLD_IMAGES ? step->image + 1 : 1;
    if (!download(world, &taken, &first) || !select_slot(world, taken, first.image)) {
        return false;
    }
    slot = ota_get_next_update_partition(&world->device, taken);
    if (!download_to(world, &(route_t){.staging = slot, .final = slot}, step) ||
        !select_slot(world, slot, step->image)) {
        return false;
    }
    world_forbid(world, taken->address);
    return try_out(world, slot->address, step->fate);
}

/** Nothing is on trial, and nothing changes but a state: what runs, runs. */
static bool confirm_again(world_t *world)
{
    world->phase = PHASE_CONFIRM;
    return ota_mark_app_valid_cancel_rollback(&world->device) == ESP_OK && world_boot(world);
}

/** Data, a bootloader or a table. */
static bool copy_other(world_t *world, const step_t *step)
{
    const esp_partition_t *final;
    bool done = step->https != 0 ? https_update(world, step->https, step->copy, step->image)
                                 : download(world, &final, step);
    return done && world_boot(world);
}

/** What lies in the partition where the previous application was is selected again. */
static bool select_again(world_t *world, const step_t *step)
{
    bool factory = world->config.layout->factory;
    const esp_partition_t *slot = world_partition(
        world, ESP_PARTITION_TYPE_APP,
        factory ? ESP_PARTITION_SUBTYPE_APP_FACTORY + (step->erase == ERASE_KNOWN ? 0x10u : 0u)
                : ESP_PARTITION_SUBTYPE_APP_OTA_MIN + (step->erase == ERASE_KNOWN ? 1u : 0u));
    if (!select_slot(world, slot, step->image)) {
        return false;
    }
    uint32_t address = slot->address;
    if (slot->subtype != ESP_PARTITION_SUBTYPE_APP_FACTORY) {
        return try_out(world, address, step->fate);
    }
    if (!world_boot(world)) {
        return false;
    }
    CHECK(world->model.running.address == address, "factory was selected and does not run");
    world_allow_only_running(world);
    return true;
}

static bool erase_last(world_t *world)
{
    world->phase = PHASE_OTHER;
    world->target = ota_get_next_update_partition(&world->device, NULL);
    return ota_erase_last_boot_app_partition(&world->device) == ESP_OK && world_boot(world);
}

/** The previous application, whose place and image the step names, comes back. */
static bool reject(world_t *world, const step_t *step)
{
    const uint32_t address = world->model.running.address;
    world_allow(world, ota_get_next_update_partition(&world->device, NULL), step->image);
    return meet_fate(world, FATE_REJECT, address);
}

static bool refused(world_t *world, const step_t *step)
{
    const esp_partition_t *slot;
    if (!download(world, &slot, step)) {
        return false;
    }
    world->phase = PHASE_SELECT;
    esp_err_t err = ota_set_boot_partition(&world->device, slot);
    CHECK(err == ESP_ERR_OTA_SMALL_SEC_VER || world->sim.dead,
          "an image below the secure version is selected");
    return !world->sim.dead && world_boot(world);
}

/** A careless application: it goes on after ota_end has said no. */
static bool damaged(world_t *world, const step_t *step)
{
    const esp_partition_t *slot;
    uint8_t *byte = &world->images[step->image].bytes[350];
    *byte ^= 0x10;
    bool taken = download(world, &slot, step);
    *byte ^= 0x10;
    CHECK(!taken, "a damaged image is taken");
    if (world->sim.dead) {
        return false;
    }
    world->phase = PHASE_SELECT;
    CHECK(step->copy != COPY_NONE || ota_set_boot_partition(&world->device, slot) != ESP_OK,
          "a damaged image is selected");
    return world_boot(world);
}

static bool rot(world_t *world, const step_t *step)
{
    const esp_partition_t *slot;
    const uint32_t home = world->model.running.address;
    if (!download(world, &slot, step) || !select_slot(world, slot, step->image)) {
        return false;
    }
    sim_undo_save(&world->sim, slot->address + 350, 1);
    world->sim.bytes[slot->address + 350] = 0;
    world_forbid(world, slot->address);
    if (!world_boot(world)) {
        return false;
    }
    CHECK(world->model.running.address == home, "no fall back from an image that is damaged in flash");
    return true;
}

bool life_step(world_t *world, const step_t *step)
{
    if (!world_boot(world)) {
        return false;
    }
    switch (step->kind) {
    case STEP_UPDATE:
        return update(world, step);
    case STEP_COPY:
        return copy_other(world, step);
    case STEP_SELECT:
        return select_again(world, step);
    case STEP_ERASE_LAST:
        return erase_last(world);
    case STEP_CONFIRM:
        return confirm_again(world);
    case STEP_TAKE_BACK:
        return take_back(world, step);
    case STEP_REJECT:
        return reject(world, step);
    case STEP_DAMAGED:
        return damaged(world, step);
    case STEP_ROT:
        return rot(world, step);
    case STEP_REFUSED:
        return refused(world, step);
    case STEP_FIRST_BOOT:
    case STEP_NONE:
        break;
    }
    return true;
}

/** An image that neither ran nor was sent before, and is new enough; or the one that the server still has, or has again. */
static unsigned next_image(const world_t *world, const step_t *step)
{
    const unsigned running = world->model.running.image;
    if (world->config.config.anti_rollback) {
        return WORLD_IMAGES - 1;
    }
    if (((step->https & HTTPS_SAME) != 0 || step->copied_next) && running != step->image) {
        return step->image;
    }
    if ((step->https & HTTPS_WITHDRAWN) != 0) {
        return https_withdrawn(step->image);
    }
    unsigned image = 0;
    while (image == step->image || image == running) {
        image++;
    }
    return image;
}

/** What was cut was to become no application: the next one of its kind arrives. */
static bool recover_copy(world_t *world, const step_t *step)
{
    step_t next = *step;
    next.image = (step->https & HTTPS_SAME) != 0 ? step->image : (step->image + 1) % WORLD_IMAGES;
    next.https &= ~HTTPS_DETOURS;
    if (!copy_other(world, &next)) {
        CHECK(world->sim.dead, "the device does not take the next update: %s", world->device.last_reason);
        return false;
    }
    return true;
}

static bool recover_update(world_t *world, const step_t *step)
{
    const step_t next = {.kind = STEP_UPDATE,
                         .image = next_image(world, step),
                         .fate = FATE_CONFIRM,
                         .https = step->https & ~HTTPS_DETOURS,
                         .copy = step->copied_next ? COPY_APP : step->copy};
    if (!update(world, &next)) {
        CHECK(world->sim.dead, "the device does not take the next update");
        return false;
    }
    if (!world_boot(world)) {
        return false;
    }
    CHECK(world->model.running.image == next.image, "the next update does not stay");
    return true;
}

/** Boot, and a trial to its end. */
static bool settle(world_t *world, fate_t fate)
{
    if (!world_boot(world)) {
        return false;
    }
    if (world->config.config.rollback && world_is_on_trial(world)) {
        return meet_fate(world, fate, world->model.running.address);
    }
    if (!world->weak) {
        world_allow_only_running(world);
        return true;
    }
    if (world->config.config.rollback && fate == FATE_CONFIRM) {
        world->phase = PHASE_CONFIRM; /* whether it is on trial may hang, too */
        (void)ota_mark_app_valid_cancel_rollback(&world->device);
    }
    return !world->sim.dead;
}

bool life_recover(world_t *world, const step_t *step)
{
    if (!settle(world, step->fate)) {
        return false;
    }
    /* What a boot has found of a copy stays so: its journal does not come back. */
    if (step->copy != COPY_NONE && !settle(world, step->fate)) {
        return false;
    }
    return step->kind == STEP_COPY ? recover_copy(world, step) : recover_update(world, step);
}
