/* The device of the sweep, and the watch over it: fences, and what runs compared with what was sent. */
#include "sweep/world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/le.h"
#include "boot/otadata.h"
#include "otter/boot.h"
#include "sweep/copy.h"

#define SECTOR 4096u

/* ---- flash as the device sees it ---- */

static void check_fence(const world_t *world, uint32_t off, uint32_t len)
{
    const esp_partition_t *target = world->target, *running = world->device.running;
    bool allowed = is_inside(off, len, WORLD_OTADATA, OTADATA_SIZE_MIN) ||
                   (target != NULL && is_inside(off, len, target->address, target->size)) ||
                   copy_may_write(world, off, len);
    CHECK(allowed, "an operation on 0x%" PRIx32 "+0x%" PRIx32 " leaves its partition", off, len);
    CHECK(running == NULL || off >= running->address + running->size || off + len <= running->address,
          "an operation on the running slot");
}

/** What the device is at: the steps say it but for what happens inside one call or boot. */
static phase_t phase_at(const world_t *world, uint32_t off)
{
    bool otadata = is_inside(off, 1, WORLD_OTADATA, OTADATA_SIZE_MIN);
    bool record = world->record_at != 0 && is_inside(off, 1, world->record_at, SECTOR);
    switch (world->phase) {
    case PHASE_BOOT:
        return otadata ? PHASE_BOOT : PHASE_BOOT_COPY;
    case PHASE_COPY:
        return otadata ? PHASE_SELECT : PHASE_COPY;
    case PHASE_DOWNLOAD:
    case PHASE_SELECT:
        return record ? PHASE_RECORD : world->phase;
    default:
        return world->phase;
    }
}

static void note_op(world_t *world, op_kind_t kind, uint32_t off, uint32_t len)
{
    if (!world->sim.dead) {
        world->op_phase = kind == OP_EFUSE ? world->phase : phase_at(world, off);
    }
    if (world->verbose) {
        fprintf(stderr, "---- operation %" PRIu32 ": %s 0x%" PRIx32 "+0x%" PRIx32 "\n", world->sim.ops,
                kind == OP_PROGRAM ? "program"
                : kind == OP_ERASE ? "erase"
                                   : "eFuse",
                off, len);
    }
    if (world->tracing) {
        CHECK(world->trace_count < WORLD_TRACE_MAX, "a step has more operations than the sweep can keep");
        world->trace[world->trace_count++] = (op_t){.kind = kind, .phase = world->op_phase, .len = len};
    }
}

static esp_err_t world_read(void *dev, uint32_t off, void *dst, uint32_t len)
{
    world_t *world = dev;
    return world->sim.flash.ops->read(&world->sim, off, dst, len);
}

static esp_err_t world_program(void *dev, uint32_t off, const void *src, uint32_t len)
{
    world_t *world = dev;
    check_fence(world, off, len);
    note_op(world, OP_PROGRAM, off, len);
    bool journal = copy_journal_begins(world, off), was_dead = world->sim.dead;
    esp_err_t err = world->sim.flash.ops->program(&world->sim, off, src, len);
    if (journal && (err == ESP_OK || (world->sim.dead && !was_dead && world->sim.tear == SIM_TEAR_AFTER))) {
        world->model.copy.journal = JOURNAL_DURABLE;
    }
    return err;
}

static esp_err_t world_erase(void *dev, uint32_t off, uint32_t len)
{
    world_t *world = dev;
    check_fence(world, off, len);
    for (uint32_t done = 0; done < len; done += SECTOR) {
        note_op(world, OP_ERASE, off + done, SECTOR);
    }
    return world->sim.flash.ops->erase(&world->sim, off, len);
}

static esp_err_t world_sync(void *dev)
{
    world_t *world = dev;
    return world->sim.flash.ops->sync(&world->sim);
}

/* ---- the eFuse ---- */

static esp_err_t read_version(void *dev, uint32_t *version)
{
    world_t *world = dev;
    *version = world->model.secure_version;
    return world->sim.dead ? ESP_FAIL : ESP_OK;
}

/** Bit after bit: a cut may leave a version in between. */
static esp_err_t burn_version(void *dev, uint32_t version)
{
    world_t *world = dev;
    sim_flash_t *sim = &world->sim;
    uint32_t now = world->model.secure_version;
    if (sim->dead) {
        return ESP_FAIL;
    }
    CHECK(version > now, "the secure version goes from %" PRIu32 " to %" PRIu32, now, version);
    CHECK(world->weak || !world_is_on_trial(world), "the secure version rises before the confirmation");
    note_op(world, OP_EFUSE, 0, version - now);
    bool cut = sim->ops++ == sim->cut_at;
    if (cut) {
        sim->dead = sim->cut_fired = true;
        version = sim->tear == SIM_TEAR_BEFORE || sim->tear == SIM_TEAR_LOST ? now
                  : sim->tear == SIM_TEAR_AFTER                              ? version
                                                                             : now + sim->tear_len;
    }
    world->model.secure_version = version;
    return cut ? ESP_FAIL : ESP_OK;
}

/* ---- life of a device ---- */

static void start_device(world_t *world)
{
    const otter_chip_t chip = {.id = 0, .revision = 300};
    const otter_efuse_t efuse = {
        .dev = world, .read_secure_version = read_version, .burn_secure_version = burn_version};
    otter_device_deinit(&world->device);
    world->target = NULL;
    world->record_at = 0;
    otter_device_init(&world->device, &world->flash, &chip, &efuse, &world->config.config);
}

void world_open(world_t *world, const world_config_t *config)
{
    memset(world, 0, sizeof(*world));
    world->config = *config;
    if (!sim_flash_init(&world->sim, WORLD_FLASH_SIZE)) {
        abort();
    }
    world->sim.flash.write_size = config->write_size;
    world->ops = (otter_flash_ops_t){
        .read = world_read, .program = world_program, .erase = world_erase, .sync = world_sync};
    world->flash = (otter_flash_t){.ops = &world->ops,
                                   .dev = world,
                                   .size = WORLD_FLASH_SIZE,
                                   .erase_size = SECTOR,
                                   .write_size = config->write_size};
    world_make_contents(world);
    world->model.may[0] = (place_t){.address = 0x10000, .image = 0};
    world->model.count = 1;
}

void world_close(world_t *world)
{
    otter_device_deinit(&world->device);
    sim_flash_free(&world->sim);
}

void world_power_on(world_t *world)
{
    sim_flash_power_on(&world->sim);
}

/** The allowed image that is in flash, whole, where the device runs. */
static const place_t *find_running(const world_t *world, uint32_t address, bool *allowed)
{
    *allowed = false;
    for (uint32_t i = 0; i < world->model.count; i++) {
        const place_t *place = &world->model.may[i];
        if (place->address != address) {
            continue;
        }
        *allowed = true;
        if (memcmp(world->sim.bytes + address, world->images[place->image].bytes,
                   world->images[place->image].len) == 0) {
            return place;
        }
    }
    return NULL;
}

static void note_running(world_t *world, const esp_partition_t *running)
{
    bool allowed;
    const place_t *place = find_running(world, running->address, &allowed);
    CHECK(allowed, "%s runs, which nobody allowed", running->label);
    CHECK(place != NULL, "%s runs, damaged or with what was not selected", running->label);
    CHECK(!sim_flash_is_weak(&world->sim, place->address, world->images[place->image].len),
          "%s runs with weak bits", running->label);
    CHECK(!world->config.config.anti_rollback ||
              world->images[place->image].secure_version >= world->model.secure_version,
          "%s runs below the secure version", running->label);
    world->model.running = *place;
}

bool world_boot(world_t *world)
{
    otter_boot_result_t result;
    world->phase = PHASE_BOOT;
    world->chosen = 0;
    start_device(world);
    if (otter_boot(&world->device, OTTER_BOOT_COMMIT, &result) != ESP_OK || world->sim.dead) {
        CHECK(world->sim.dead, "the device does not boot: %s", result.reason);
        return false;
    }
    note_running(world, world->device.running);
    copy_check_after_boot(world);
    return true;
}

const esp_partition_t *world_partition(const world_t *world, uint32_t type, uint32_t subtype)
{
    for (uint32_t i = 0; i < world->device.partitions.count; i++) {
        const esp_partition_t *p = &world->device.partitions.items[i];
        if ((uint32_t)p->type == type && (uint32_t)p->subtype == subtype) {
            return p;
        }
    }
    return NULL;
}

/* ---- the owner's word ---- */

void world_allow(world_t *world, const esp_partition_t *slot, unsigned image)
{
    CHECK(world->model.count < WORLD_PLACES_MAX, "more places than the sweep can keep");
    world->model.may[world->model.count++] = (place_t){.address = slot->address, .image = image};
}

void world_forbid(world_t *world, uint32_t address)
{
    model_t *model = &world->model;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < model->count; i++) {
        if (model->may[i].address != address) {
            model->may[kept++] = model->may[i];
        }
    }
    model->count = kept;
}

void world_allow_only_running(world_t *world)
{
    world->model.may[0] = world->model.running;
    world->model.count = 1;
}

void world_records_are_sure(world_t *world, const esp_partition_t *slot)
{
    const bool other_chosen = world->chosen != 0 && world->chosen != slot->address;
    if (world->weak && slot->type == ESP_PARTITION_TYPE_APP && !other_chosen) {
        world_allow_only_running(world);
    }
}

bool world_is_on_trial(const world_t *world)
{
    uint32_t newest = 0, state = ESP_OTA_IMG_UNDEFINED;
    for (uint32_t copy = 0; copy < 2; copy++) {
        const uint8_t *raw = world->sim.bytes + WORLD_OTADATA + copy * SECTOR;
        uint32_t seq = le32_get(raw), now = le32_get(raw + 24);
        bool counts = seq != UINT32_MAX && now != ESP_OTA_IMG_INVALID && now != ESP_OTA_IMG_ABORTED;
        if (counts && le32_get(raw + 28) == otadata_crc(seq) && seq > newest) {
            newest = seq;
            state = now;
        }
    }
    return state == ESP_OTA_IMG_PENDING_VERIFY;
}
