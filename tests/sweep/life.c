/* The steps of a life, each as an application or its owner would take it. */
#include "sweep/life.h"

#include "ota/update.h"
#include "sim/sim_undo.h"

#define CHUNK 1008u /* bytes of a download's writes: never a sector's worth, always whole write units */

static uint32_t chunk_of(const world_t *world)
{
    return world->images[0].len < CHUNK ? 256 : CHUNK;
}

static bool send(world_t *world, esp_ota_handle_t handle, unsigned image, uint32_t from, uint32_t to)
{
    uint32_t chunk = chunk_of(world);
    for (uint32_t at = from; at < to; at += chunk) {
        uint32_t len = to - at < chunk ? to - at : chunk;
        if (ota_write(&world->device, handle, world->images[image].bytes + at, len) != ESP_OK) {
            return false;
        }
    }
    return true;
}

/** Since an update has begun, the records say for sure what runs: no bit of them hangs any more. */
static bool begin(world_t *world, const esp_partition_t *slot, size_t size, esp_ota_handle_t *handle)
{
    if (ota_begin(&world->device, slot, size, handle) != ESP_OK) {
        return false;
    }
    if (world->weak) {
        world_allow_only_running(world);
    }
    return true;
}

/** The link breaks at the first sector's end, the device restarts and goes on from there. */
static bool download_twice(world_t *world, const esp_partition_t **slot, unsigned image)
{
    esp_ota_handle_t handle;
    uint32_t address = (*slot)->address, len = world->images[image].len, part = len < 4096 ? 256 : 4096;
    if (!begin(world, *slot, OTA_WITH_SEQUENTIAL_WRITES, &handle) || !send(world, handle, image, 0, part) ||
        !world_boot(world)) {
        return false;
    }
    world->phase = PHASE_DOWNLOAD;
    *slot = ota_get_next_update_partition(&world->device, NULL);
    CHECK((*slot)->address == address, "another slot is next after a download was broken off");
    world->target = *slot;
    return ota_resume(&world->device, *slot, OTA_WITH_SEQUENTIAL_WRITES, part, &handle) == ESP_OK &&
           send(world, handle, image, part, len) && ota_end(&world->device, handle) == ESP_OK;
}

static bool download(world_t *world, const esp_partition_t **slot, const step_t *step)
{
    esp_ota_handle_t handle;
    uint32_t len = world->images[step->image].len;
    size_t size = step->erase == ERASE_AHEAD   ? OTA_WITH_SEQUENTIAL_WRITES
                  : step->erase == ERASE_WHOLE ? OTA_SIZE_UNKNOWN
                                               : len;
    world->phase = PHASE_DOWNLOAD;
    world->target = *slot;
    if (step->erase == ERASE_RESUME) {
        return download_twice(world, slot, step->image);
    }
    return begin(world, *slot, size, &handle) && send(world, handle, step->image, 0, len) &&
           ota_end(&world->device, handle) == ESP_OK;
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
    world_allow(world, slot, image);
    return ota_set_boot_partition(&world->device, slot) == ESP_OK;
}

static bool update(world_t *world, const step_t *step)
{
    const esp_partition_t *slot = ota_get_next_update_partition(&world->device, NULL);
    for (unsigned i = 0; i == 0 || i < step->downloads; i++) {
        if (!download(world, &slot, step) || !select_slot(world, slot, step->image)) {
            return false;
        }
    }
    return try_out(world, slot->address, step->fate);
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
    const esp_partition_t *slot = ota_get_next_update_partition(&world->device, NULL);
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
    const esp_partition_t *slot = ota_get_next_update_partition(&world->device, NULL);
    uint8_t *byte = &world->images[step->image].bytes[350];
    *byte ^= 0x10;
    bool taken = download(world, &slot, step);
    *byte ^= 0x10;
    CHECK(!taken, "a damaged image is taken");
    if (world->sim.dead) {
        return false;
    }
    world->phase = PHASE_SELECT;
    CHECK(ota_set_boot_partition(&world->device, slot) != ESP_OK, "a damaged image is selected");
    return world_boot(world);
}

static bool rot(world_t *world, const step_t *step)
{
    const esp_partition_t *slot = ota_get_next_update_partition(&world->device, NULL);
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
    case STEP_SELECT:
        return select_again(world, step);
    case STEP_ERASE_LAST:
        return erase_last(world);
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

/** An image that neither ran nor was sent before, and is new enough. */
static unsigned next_image(const world_t *world, const step_t *step)
{
    if (world->config.config.anti_rollback) {
        return WORLD_IMAGES - 1;
    }
    unsigned image = 0;
    while (image == step->image || image == world->model.running.image) {
        image++;
    }
    return image;
}

bool life_recover(world_t *world, const step_t *step)
{
    if (!world_boot(world)) {
        return false;
    }
    bool on_trial = world->config.config.rollback && world_is_on_trial(world);
    if (on_trial) {
        if (!meet_fate(world, step->fate, world->model.running.address)) {
            return false;
        }
    } else if (!world->weak) {
        world_allow_only_running(world);
    }
    const step_t next = {.kind = STEP_UPDATE, .image = next_image(world, step), .fate = FATE_CONFIRM};
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

/* ---- the lives ---------------------------------------------------------------------------------------------------- */

static const layout_t with_factory = {.name = "factory, two slots", .factory = true, .slots = 2};
static const layout_t two_slots = {.name = "two slots", .slots = 2};
static const layout_t three_slots = {.name = "three slots", .slots = 3};
static const layout_t factory_three = {.name = "factory, three slots", .factory = true, .slots = 3};

#define PLAIN                                                                                                \
    {                                                                                                        \
        0                                                                                                    \
    }
#define ROLLBACK                                                                                             \
    {                                                                                                        \
        .rollback = true                                                                                     \
    }
#define GUARDED                                                                                              \
    {                                                                                                        \
        .rollback = true, .anti_rollback = true                                                              \
    }

/* clang-format off */
#define UPDATE(number, fate_, erase_) {.kind = STEP_UPDATE, .image = number, .fate = FATE_##fate_, .erase = ERASE_##erase_}
#define TWICE(number, fate_) {.kind = STEP_UPDATE, .image = number, .fate = FATE_##fate_, .downloads = 2}
#define FIRST_BOOT {.kind = STEP_FIRST_BOOT}
#define HOME(number, fate_) {.kind = STEP_SELECT, .image = number, .fate = FATE_##fate_}
#define AWAY(number, fate_) {.kind = STEP_SELECT, .image = number, .fate = FATE_##fate_, .erase = ERASE_KNOWN}

#define ORDINARY {FIRST_BOOT, UPDATE(1, CONFIRM, AHEAD), UPDATE(2, CONFIRM, KNOWN), UPDATE(3, CONFIRM, AHEAD)}
#define CRASHING {FIRST_BOOT, UPDATE(1, CRASH, AHEAD), UPDATE(2, CONFIRM, AHEAD), UPDATE(3, CRASH, KNOWN), \
                  UPDATE(1, CONFIRM, AHEAD)}
#define REJECTED {FIRST_BOOT, UPDATE(1, CONFIRM, AHEAD), UPDATE(2, REJECT, AHEAD), UPDATE(3, CONFIRM, AHEAD), \
                  {.kind = STEP_REJECT, .image = 1}}
#define AGAIN    {FIRST_BOOT, UPDATE(1, CONFIRM, AHEAD), TWICE(2, CONFIRM), TWICE(3, CRASH)}
#define RESUMED  {FIRST_BOOT, UPDATE(1, CONFIRM, RESUME), UPDATE(2, CRASH, RESUME), UPDATE(3, CONFIRM, RESUME)}
#define BULK     {FIRST_BOOT, UPDATE(1, CONFIRM, WHOLE), UPDATE(2, CONFIRM, WHOLE)}
#define GIVE_UP  {FIRST_BOOT, UPDATE(1, CONFIRM, AHEAD), UPDATE(2, CONFIRM, AHEAD), {.kind = STEP_ERASE_LAST}, \
                  UPDATE(3, CONFIRM, AHEAD)}
#define SMALL(layout_, options) {&layout_, options, 1, 0}
#define LARGE(layout_, options) {&layout_, options, 1, 3}
#define WIDE(layout_, options)  {&layout_, options, 16, 2}
#define WIDE_SMALL(layout_, options) {&layout_, options, 16, 0}

const life_t lives[] = {
    {"update/factory", LARGE(with_factory, PLAIN), PAIRS_NONE, ORDINARY},
    {"update/factory/rollback", LARGE(with_factory, ROLLBACK), PAIRS_NONE, ORDINARY},
    {"update/two", LARGE(two_slots, PLAIN), PAIRS_NONE, ORDINARY},
    {"update/two/rollback", LARGE(two_slots, ROLLBACK), PAIRS_NONE, ORDINARY},
    {"update/three", LARGE(three_slots, PLAIN), PAIRS_NONE, ORDINARY},
    {"update/three/rollback", LARGE(three_slots, ROLLBACK), PAIRS_NONE, ORDINARY},
    {"update/factory-three/rollback", LARGE(factory_three, ROLLBACK), PAIRS_NONE, ORDINARY},
    {"update/wide-writes", WIDE(with_factory, PLAIN), PAIRS_NONE, ORDINARY},
    {"update/wide-writes/rollback", WIDE(two_slots, ROLLBACK), PAIRS_NONE, ORDINARY},
    {"crash/factory", LARGE(with_factory, ROLLBACK), PAIRS_NONE, CRASHING},
    {"crash/two", LARGE(two_slots, ROLLBACK), PAIRS_NONE, CRASHING},
    {"crash/three", LARGE(three_slots, ROLLBACK), PAIRS_NONE, CRASHING},
    {"reject/factory", LARGE(with_factory, ROLLBACK), PAIRS_NONE, REJECTED},
    {"reject/two", LARGE(two_slots, ROLLBACK), PAIRS_NONE, REJECTED},
    {"again/factory", LARGE(with_factory, PLAIN), PAIRS_NONE, AGAIN},
    {"again/two/rollback", LARGE(two_slots, ROLLBACK), PAIRS_NONE, AGAIN},
    {"resume/factory", LARGE(with_factory, PLAIN), PAIRS_NONE, RESUMED},
    {"resume/two/rollback", LARGE(two_slots, ROLLBACK), PAIRS_NONE, RESUMED},
    {"bulk/factory", LARGE(with_factory, PLAIN), PAIRS_NONE, BULK},
    {"bulk/two/rollback", LARGE(two_slots, ROLLBACK), PAIRS_NONE, BULK},
    {"erase-last/factory", LARGE(with_factory, PLAIN), PAIRS_NONE, GIVE_UP},
    {"erase-last/two/rollback", LARGE(two_slots, ROLLBACK), PAIRS_NONE, GIVE_UP},
    {"damaged/factory", LARGE(with_factory, PLAIN), PAIRS_NONE,
     {FIRST_BOOT, {.kind = STEP_DAMAGED, .image = 1}, UPDATE(2, CONFIRM, AHEAD), {.kind = STEP_DAMAGED, .image = 3}}},
    {"damaged/two/rollback", LARGE(two_slots, ROLLBACK), PAIRS_NONE,
     {FIRST_BOOT, {.kind = STEP_DAMAGED, .image = 1}, UPDATE(2, CONFIRM, AHEAD), {.kind = STEP_DAMAGED, .image = 3}}},
    {"rot/two", LARGE(two_slots, PLAIN), PAIRS_NONE,
     {FIRST_BOOT, UPDATE(1, CONFIRM, AHEAD), {.kind = STEP_ROT, .image = 2}, UPDATE(3, CONFIRM, AHEAD)}},
    {"back and forth/factory", LARGE(with_factory, ROLLBACK), PAIRS_NONE,
     {FIRST_BOOT, UPDATE(1, CONFIRM, AHEAD), HOME(0, CONFIRM), AWAY(1, CONFIRM), HOME(0, CONFIRM), AWAY(1, CRASH)}},
    {"back and forth/two", LARGE(two_slots, PLAIN), PAIRS_NONE,
     {FIRST_BOOT, UPDATE(1, CONFIRM, AHEAD), HOME(0, CONFIRM), AWAY(1, CONFIRM), HOME(0, CONFIRM)}},
    {"back and forth/two/rollback", LARGE(two_slots, ROLLBACK), PAIRS_NONE,
     {FIRST_BOOT, UPDATE(1, CONFIRM, AHEAD), HOME(0, CONFIRM), AWAY(1, CRASH), AWAY(1, CONFIRM), HOME(0, REJECT)}},
    {"anti-rollback/factory", LARGE(with_factory, GUARDED), PAIRS_NONE,
     {FIRST_BOOT, UPDATE(1, CONFIRM, AHEAD), UPDATE(3, CONFIRM, AHEAD), {.kind = STEP_REFUSED, .image = 2}}},
    {"anti-rollback/two", LARGE(two_slots, GUARDED), PAIRS_NONE,
     {FIRST_BOOT, UPDATE(1, CRASH, AHEAD), UPDATE(3, CONFIRM, AHEAD), {.kind = STEP_REFUSED, .image = 1}}},
    {"small/factory", SMALL(with_factory, PLAIN), PAIRS_ALL, ORDINARY},
    {"small/factory/rollback", SMALL(with_factory, ROLLBACK), PAIRS_SAMPLED, ORDINARY},
    {"small/two", SMALL(two_slots, PLAIN), PAIRS_ALL, ORDINARY},
    {"small/two/rollback", SMALL(two_slots, ROLLBACK), PAIRS_ALL, ORDINARY},
    {"small/wide-writes/factory", WIDE_SMALL(with_factory, PLAIN), PAIRS_ALL, ORDINARY},
    {"small/wide-writes/two/rollback", WIDE_SMALL(two_slots, ROLLBACK), PAIRS_SAMPLED, ORDINARY},
    {"small/wide-writes/crash/factory", WIDE_SMALL(with_factory, ROLLBACK), PAIRS_SAMPLED, CRASHING},
    {"small/crash/two", SMALL(two_slots, ROLLBACK), PAIRS_SAMPLED, CRASHING},
    {"small/crash/three", SMALL(three_slots, ROLLBACK), PAIRS_SAMPLED, CRASHING},
    {"small/reject/two", SMALL(two_slots, ROLLBACK), PAIRS_SAMPLED, REJECTED},
    {"small/resume/two", SMALL(two_slots, ROLLBACK), PAIRS_SAMPLED, RESUMED},
    {"small/anti-rollback/two", SMALL(two_slots, GUARDED), PAIRS_SAMPLED,
     {FIRST_BOOT, UPDATE(1, CRASH, AHEAD), UPDATE(3, CONFIRM, AHEAD), {.kind = STEP_REFUSED, .image = 1}}},
};
/* clang-format on */
const unsigned life_count = sizeof(lives) / sizeof(lives[0]);
