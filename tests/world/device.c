/* A device of the world: its plan, its first flash contents, its eFuses. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "otter/partition_table.h"
#include "otter/image.h"
#include "support/image_signer.h"
#include "world.h"

#define ENCRYPTED_ONE_IN 6u /* devices */
#define BY_BOOT_ONE_IN   2u /* of these */
#define FIRST_BOOTS      8u /* at most, of one device; the last ones without a cut */
#define BLOCKS_ONE_IN    3u /* of those whose flash does not read stably */

uint32_t device_slot_address(const world_device_t *d, int slot)
{
    const world_layout_t *layout = d->flash.layout;
    return slot == WORLD_FACTORY ? layout->factory : layout->slots + (uint32_t)slot * layout->slot_size;
}

const esp_partition_t *device_partition(const world_device_t *d, int slot)
{
    for (uint32_t i = 0; i < d->device.partitions.count; i++) {
        const esp_partition_t *p = &d->device.partitions.items[i];
        if (p->address == device_slot_address(d, slot)) {
            return p;
        }
    }
    return NULL;
}

const esp_partition_t *device_stage(const world_device_t *d)
{
    for (uint32_t i = 0; i < d->device.partitions.count; i++) {
        if (d->device.partitions.items[i].address == d->flash.layout->stage) {
            return &d->device.partitions.items[i];
        }
    }
    return NULL;
}

/* ---- eFuses ---- */

static esp_err_t read_version(void *dev, uint32_t *version)
{
    *version = ((world_device_t *)dev)->efuse;
    return ESP_OK;
}

static esp_err_t read_key(void *dev, uint32_t index, otter_efuse_key_t *key)
{
    (void)dev;
    *key = (otter_efuse_key_t){.present = index == 0};
    image_key_digest('a', key->digest);
    return ESP_OK;
}

static esp_err_t burn_version(void *dev, uint32_t version)
{
    world_device_t *d = dev;
    world_t *world = d->world;
    if (d->flash.sim.dead) {
        return ESP_FAIL;
    }
    if (version <= d->efuse) {
        world_fail(world, d, "the secure version was to go from %u to %u", (unsigned)d->efuse,
                   (unsigned)version);
        return ESP_FAIL;
    }
    bool cut = !world->calm && chance_percent(&world->chance, 10);
    if (!cut || chance_percent(&world->chance, 50)) {
        d->efuse = version;
        world->tally->burns++;
    }
    story(world, d, "eFuse: secure version %u%s", (unsigned)version, cut ? ", POWER CUT" : "");
    d->flash.sim.dead = cut;
    world->tally->cuts_burn += cut;
    return cut ? ESP_FAIL : ESP_OK;
}

static esp_err_t read_crypt_count(void *dev, uint32_t *bits)
{
    *bits = ((world_device_t *)dev)->crypt_count;
    return ESP_OK;
}

static esp_err_t burn_crypt_count(void *dev)
{
    world_device_t *d = dev;
    if (d->flash.sim.dead || d->crypt_count != 0) {
        return ESP_FAIL;
    }
    d->crypt_count = 1;
    return ESP_OK;
}

/* ---- first contents ---- */

static bool write_table(world_device_t *d)
{
    const world_layout_t *layout = d->flash.layout;
    const uint32_t size = layout->slot_size;
    otter_partition_entry_t entries[3 + WORLD_SLOTS_MAX] = {
        {.type = 1, .subtype = 0, .offset = layout->otadata, .size = 2 * layout->sector, .label = "otadata"}};
    uint32_t count = 1;
    if (d->plan.factory) {
        entries[count++] = (otter_partition_entry_t){
            .type = 0, .subtype = 0, .offset = layout->factory, .size = size, .label = "factory"};
    }
    for (uint32_t slot = 0; slot < d->plan.slot_count; slot++) {
        otter_partition_entry_t *entry = &entries[count++];
        *entry = (otter_partition_entry_t){.type = 0,
                                           .subtype = (uint8_t)(0x10 + slot),
                                           .offset = device_slot_address(d, (int)slot),
                                           .size = size};
        snprintf(entry->label, sizeof(entry->label), "ota_%u", (unsigned)slot);
    }
    if (d->plan.staged) {
        entries[count++] = (otter_partition_entry_t){
            .type = 1, .subtype = 6, .offset = layout->stage, .size = size, .label = "stage"};
    }
    return otter_partition_table_encode(entries, count, true, d->flash.sim.bytes + layout->table) == ESP_OK;
}

static void draw_plan(world_device_t *d)
{
    chance_t *c = &d->world->chance;
    bool rollback = chance_percent(c, 60);
    d->plan = (device_plan_t){
        .device = {.rollback = rollback, .anti_rollback = rollback && chance_percent(c, 50)},
        .factory = chance_percent(c, 60),
        .slot_count = 2 + chance_below(c, chance_percent(c, 30) ? 3 : 1),
        .resumption = chance_percent(c, 50),
        .partial = chance_percent(c, 25),
        .bulk_erase = chance_percent(c, 30),
        .request_size = 1000 + (int)chance_below(c, 20000),
        .buffer_size = chance_percent(c, 50) ? 1024 : (int)chance_below(c, 20000),
        .attempts = chance_percent(c, 20) ? -1 : (int)chance_below(c, 7),
        .plain = chance_percent(c, 30),
        .shape = world_flash_shape_at(chance_below(c, WORLD_SHAPES)),
        .stable_reads = chance_percent(c, 40),
        .staged = chance_percent(c, 15),
        .decrypts = chance_percent(c, 15),
        .user = (user_t)chance_below(c, 3),
    };
    d->plan.device.allow_http = d->plan.plain;
    d->plan.device.require_hash =
        d->plan.plain || chance_percent(c, 30); /* without TLS only the hash tells */
    d->plan.sealed = d->plan.decrypts && d->world->seed % 2 == 1;
    d->plan.decrypts = d->plan.decrypts && !d->plan.sealed;
    d->plan.resumption = d->plan.resumption && !d->plan.decrypts;
    d->plan.encrypted = (d->world->seed + (uint64_t)d->name) % ENCRYPTED_ONE_IN == 0;
    d->plan.by_boot = d->plan.encrypted && !d->plan.shape->write_once &&
                      (d->world->seed / ENCRYPTED_ONE_IN + (uint64_t)d->name) % BY_BOOT_ONE_IN == 0;
    d->plan.device.table_offset = d->plan.shape->layout->table;
    if (d->world->signs) {
        d->plan.device.trust = (otter_trust_config_t){
            .source = chance_percent(c, 50) ? OTTER_TRUST_EFUSES : OTTER_TRUST_RUNNING_APP,
            .scheme = OTTER_SIGNED_RSA_3072,
            .signatures = &otter_signatures};
    }
}

static void draw_frailty(world_device_t *d)
{
    chance_t *c = &d->world->chance;
    if (chance_percent(c, 25)) {
        d->flash.read_faults_ppm = 1 + chance_below(c, chance_percent(c, 40) ? 30000 : 3000);
    }
    if (chance_percent(c, 25)) {
        d->flash.write_faults_ppm = 1 + chance_below(c, 20000);
    }
    for (unsigned i = chance_percent(c, 15) ? 1 + chance_below(c, 6) : 0; i > 0; i--) {
        const world_layout_t *layout = d->flash.layout;
        uint32_t sector = chance_percent(c, 30) ? layout->otadata / layout->sector + chance_below(c, 2)
                                                : layout->slots / layout->sector +
                                                      chance_below(c, 2 * layout->slot_size / layout->sector);
        d->flash.endurance[sector] = chance_below(c, 6);
    }
}

static void describe(const world_device_t *d)
{
    const device_plan_t *p = &d->plan;
    story(d->world, d,
          "device: %u slots%s%s%s%s%s%s%s%s%s%s%s%s%s, sectors of %u, writes of %u%s%s, buffer %d, attempts "
          "%d, "
          "user %d, faults "
          "%u/%u ppm",
          (unsigned)p->slot_count, p->factory ? ", factory" : "", p->device.rollback ? ", rollback" : "",
          p->device.anti_rollback ? ", anti-rollback" : "", p->device.require_hash ? ", hash" : "",
          p->resumption ? ", resumption" : "", p->partial ? ", partial" : "",
          p->bulk_erase ? ", bulk erase" : "", p->staged ? ", staged" : "",
          p->decrypts ? ", decrypts"
          : p->sealed ? ", sealed"
                      : "",
          p->plain ? ", no TLS" : "",
          p->by_boot     ? ", encrypted by its first boot"
          : p->encrypted ? ", encrypted flash"
                         : "",
          p->device.trust.source == OTTER_TRUST_EFUSES ? ", secure boot" : "",
          p->device.trust.source == OTTER_TRUST_RUNNING_APP ? ", signed updates" : "",
          (unsigned)p->shape->layout->sector, (unsigned)p->shape->write_size,
          p->shape->write_once ? ", once" : "",
          d->flash.flash.stable_reads      ? ", reads stably"
          : d->flash.flash.block_size != 0 ? ", erases blocks"
                                           : "",
          p->buffer_size, p->attempts, (int)p->user, (unsigned)d->flash.read_faults_ppm,
          (unsigned)d->flash.write_faults_ppm);
}

/** One boot of plain flash whose cipher waits. @return true: it has come to its end */
static bool boot_first(world_device_t *d, chance_t *chance)
{
    otter_device_t device;
    otter_boot_result_t result;
    otter_device_init(&device, &d->flash.flash, &d->device.chip, &d->device.efuse, &d->plan.device);
    device.config.first_encryption = &otter_first_encryption;
    esp_err_t err = otter_boot(&device, OTTER_BOOT_COMMIT, &result);
    otter_device_deinit(&device);
    if (d->flash.sim.dead) {
        d->world->tally->cuts_first++;
        sim_flash_power_on(&d->flash.sim);
        world_flash_plan_cut(&d->flash, chance);
        return false;
    }
    if (err != ESP_OK || d->crypt_count == 0) {
        world_fail(d->world, d, "its first boot does not encrypt: %s (%s)", esp_err_to_name(err),
                   result.reason);
    }
    return true;
}

/** The first boot encrypts what is there, wherever power goes in it; chance of its own keeps the rest of the world as it was. */
static void encrypt_by_boot(world_device_t *d)
{
    const world_layout_t *layout = d->flash.layout;
    const release_t *release = &d->world->releases[0];
    chance_t chance = {.state = d->world->seed * 256 + (uint64_t)d->name};
    uint8_t table[OTTER_PARTITION_TABLE_LEN];
    memcpy(table, d->flash.sim.bytes + layout->table, sizeof(table));
    world_flash_plan_cut(&d->flash, &chance);
    bool done = false;
    for (unsigned i = 0; i < FIRST_BOOTS && !done; i++) {
        if (i + 2 > FIRST_BOOTS) {
            d->flash.sim.cut_at = UINT32_MAX;
        }
        if (d->crypt_count == 0) {
            world_flash_wait(&d->flash);
        } else {
            world_flash_waited(&d->flash); /* only the journal may be left, and a first record */
            d->flash.all_open = true;
        }
        done = boot_first(d, &chance);
    }
    d->flash.sim.cut_at = UINT32_MAX;
    world_flash_waited(&d->flash);
    if (!world_flash_holds(&d->flash, layout->table, table, sizeof(table)) ||
        !world_flash_holds(&d->flash, device_slot_address(d, d->home.slot), release->bytes, release->len)) {
        world_fail(d->world, d, "its first boot has changed what it encrypted");
    }
    d->world->tally->by_boot++;
}

bool device_init(world_device_t *d, world_t *world, char name)
{
    memset(d, 0, sizeof(*d));
    d->world = world;
    d->name = name;
    d->line.device = d;
    draw_plan(d);
    if (!world_flash_init(&d->flash, d, d->plan.shape, d->plan.stable_reads)) {
        return false;
    }
    if ((d->world->seed / 2 + (uint64_t)d->name) % BLOCKS_ONE_IN == 0) {
        world_flash_erase_blocks(&d->flash);
    }
    d->line.plain = d->plan.plain;
    d->home = (place_t){.slot = d->plan.factory ? WORLD_FACTORY : 0, .release = 0};
    d->next = d->running = (place_t){.slot = WORLD_FACTORY, .release = WORLD_NONE};
    memcpy(d->flash.sim.bytes + device_slot_address(d, d->home.slot), world->releases[0].bytes,
           world->releases[0].len);
    const otter_chip_t chip = {.id = WORLD_CHIP, .revision = 300};
    const otter_efuse_t efuse = {.dev = d,
                                 .read_secure_version = read_version,
                                 .burn_secure_version = burn_version,
                                 .read_key_digest = read_key,
                                 .read_crypt_count = read_crypt_count,
                                 .burn_crypt_count = burn_crypt_count};
    d->device.chip = chip;
    d->device.efuse = efuse;
    if (!write_table(d)) {
        return false;
    }
    if (d->plan.by_boot) {
        encrypt_by_boot(d);
    } else if (d->plan.encrypted) {
        world_flash_encrypt(&d->flash, device_slot_address(d, d->home.slot), world->releases[0].len);
    }
    world->tally->encrypted += d->plan.encrypted;
    draw_frailty(d);
    describe(d);
    return true;
}

void device_stop(world_device_t *d)
{
    bool dead = d->flash.sim.dead;
    d->flash.sim.dead = true; /* nothing that is let go of reaches the flash */
    if (d->handle != NULL) {
        (void)esp_https_ota_abort(d->handle);
        d->handle = NULL;
    }
    d->flash.sim.dead = dead;
    if (d->device.updates != NULL) {
        world_fail(d->world, d, "an update is still open although its handle is gone");
    }
    otter_device_deinit(&d->device);
    d->on = d->begun = d->received = d->trial = false;
}

void device_free(world_device_t *d)
{
    device_stop(d);
    world_flash_free(&d->flash);
}
