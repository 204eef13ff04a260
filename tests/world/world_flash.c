/* The simulator's flash behind a fence, with wear and operations that fail for once. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "otter/bytes.h"
#include "boot/otadata_flash.h"
#include "otter/partition_table.h"
#include "support/test_cipher.h"
#include "world.h"

static chance_t *chance_of(const world_flash_t *f)
{
    return &f->device->world->chance;
}

static const world_layout_t nor = {.sector = 4096,
                                   .table = 0x8000,
                                   .otadata = 0xD000,
                                   .factory = 0x10000,
                                   .slots = 0x20000,
                                   .slot_size = WORLD_SLOT_MIN,
                                   .stage = 0x60000,
                                   .flash_size = 0x80000};
/* As inside of an STM32H7; an image and what an update keeps beside it have a sector each. */
static const world_layout_t large = {.sector = 0x20000,
                                     .table = 0x20000,
                                     .otadata = 0x40000,
                                     .factory = 0x80000,
                                     .slots = 0xC0000,
                                     .slot_size = 0x40000,
                                     .stage = 0x1C0000,
                                     .flash_size = 0x200000};

const world_shape_t *world_flash_shape_at(uint32_t index)
{
    static const world_shape_t shapes[WORLD_SHAPES] = {
        {&nor, 1, false}, {&nor, 1, false},  {&nor, 1, false},   {&nor, 1, false},
        {&nor, 1, false}, {&nor, 1, false},  {&nor, 4, false},   {&nor, 4, false},
        {&nor, 4, false}, {&nor, 16, false}, {&nor, 16, false},  {&nor, 8, true},
        {&nor, 16, true}, {&nor, 32, true},  {&large, 4, false}, {&large, 32, true},
    };
    return &shapes[index];
}

static bool is_inside(uint32_t off, uint32_t len, uint32_t start, uint32_t size)
{
    return off >= start && range_fits(off - start, len, size);
}

static bool is_otadata(const world_flash_t *f, uint32_t off, uint32_t len)
{
    return is_inside(off, len, f->layout->otadata, 2 * f->layout->sector);
}

/** Nothing but otadata and the slot being written may change, and only while that is under way. */
static bool passes_fence(world_flash_t *f, const char *what, uint32_t off, uint32_t len)
{
    bool in_otadata = f->otadata_open && is_otadata(f, off, len);
    bool in_slot = f->slot_open != 0 && is_inside(off, len, f->slot_open, f->layout->slot_size);
    bool in_stage = f->stage_open && is_inside(off, len, f->layout->stage, f->layout->slot_size);
    if (!in_otadata && !in_slot && !in_stage && !f->all_open && !f->sim.dead) {
        world_fail(f->device->world, f->device,
                   "%s of 0x%" PRIx32 "+0x%" PRIx32 " leaves the fence (otadata %s, slot at 0x%" PRIx32 ")",
                   what, off, len, f->otadata_open ? "open" : "closed", f->slot_open);
    }
    f->otadata_changes += in_otadata;
    return in_otadata || in_slot || in_stage || f->all_open;
}

static bool fails_for_once(world_flash_t *f, uint32_t ppm, uint32_t off)
{
    if (ppm == 0 || f->sim.dead || chance_below(chance_of(f), 1000000) >= ppm) {
        return false;
    }
    f->faults++;
    f->record_faults += is_otadata(f, off, 1);
    f->device->world->tally->faults++;
    return true;
}

static esp_err_t erase_sectors(world_flash_t *f, uint32_t off, uint32_t len);

/** Waits for the end of an erase that has begun. After a loss of power there is nothing to wait for: the rest is as it was. */
static esp_err_t end_pending(world_flash_t *f)
{
    const uint32_t len = f->sim.dead ? 0 : f->pending.len;
    f->pending.len = 0;
    return len > 0 ? erase_sectors(f, f->pending.off, len) : ESP_OK;
}

static esp_err_t world_read(void *dev, uint32_t off, void *dst, uint32_t len)
{
    world_flash_t *f = dev;
    const esp_err_t before = end_pending(f);
    if (before != ESP_OK) {
        return before;
    }
    if (fails_for_once(f, f->read_faults_ppm, off)) {
        story(f->device->world, f->device, "flash: a read at 0x%" PRIx32 " fails", off);
        memset(dst, 0x5A, len);
        return ESP_ERR_FLASH_OP_FAIL;
    }
    return f->sim.flash.ops->read(&f->sim, off, dst, len);
}

static void note_cut(world_flash_t *f, bool was_dead, const char *what, uint32_t off)
{
    if (f->sim.dead && !was_dead) {
        story(f->device->world, f->device, "POWER CUT in the %s at 0x%" PRIx32 " (tear %d)", what, off,
              (int)f->sim.tear);
    }
}

static esp_err_t world_program(void *dev, uint32_t off, const void *src, uint32_t len)
{
    world_flash_t *f = dev;
    const esp_err_t before = end_pending(f);
    if (before != ESP_OK) {
        return before;
    }
    if (!passes_fence(f, "program", off, len)) {
        return ESP_ERR_FLASH_OP_FAIL;
    }
    bool fault = fails_for_once(f, f->write_faults_ppm, off), was_dead = f->sim.dead;
    if (fault) {
        len = align_down_u32(chance_below(chance_of(f), len + 1),
                             f->flash.write_size); /* so much of it came about */
        story(f->device->world, f->device, "flash: a program at 0x%" PRIx32 " fails after %" PRIu32 " bytes",
              off, len);
    }
    esp_err_t err = len > 0 ? f->sim.flash.ops->program(&f->sim, off, src, len) : ESP_OK;
    note_cut(f, was_dead, "program", off);
    return fault ? ESP_ERR_FLASH_OP_FAIL : err;
}

/** A sector at the end of its life: some bits stay at 0, always the same ones. */
static void wear(world_flash_t *f, uint32_t sector)
{
    const uint32_t size = f->layout->sector;
    if (f->erases[sector] <= f->endurance[sector] || f->flash.write_once) {
        return;
    }
    if (f->erases[sector] == f->endurance[sector] + 1) {
        f->worn++;
        f->worn_records += is_otadata(f, sector * size, 1);
        f->device->world->tally->worn++;
        story(f->device->world, f->device, "flash: the sector at 0x%" PRIx32 " is worn out", sector * size);
    }
    chance_t stuck = {.state = sector + 1};
    for (unsigned i = 0; i < 8; i++) {
        f->sim.bytes[sector * size + chance_below(&stuck, i < 4 ? 32 : size)] &=
            (uint8_t) ~(1u << chance_below(&stuck, 8));
    }
}

static esp_err_t erase_sector(world_flash_t *f, uint32_t off)
{
    bool was_dead = f->sim.dead;
    if (fails_for_once(f, f->write_faults_ppm, off)) {
        story(f->device->world, f->device, "flash: an erase at 0x%" PRIx32 " fails", off);
        return ESP_ERR_FLASH_OP_FAIL;
    }
    esp_err_t err = f->sim.flash.ops->erase(&f->sim, off, f->layout->sector);
    note_cut(f, was_dead, "erase", off);
    if (!was_dead) {
        f->erases[off / f->layout->sector]++;
        wear(f, off / f->layout->sector);
    }
    return err;
}

static esp_err_t erase_sectors(world_flash_t *f, uint32_t off, uint32_t len)
{
    esp_err_t err = ESP_OK;
    for (uint32_t done = 0; done < len && err == ESP_OK; done += f->layout->sector) {
        err = erase_sector(f, off + done);
    }
    return err;
}

static esp_err_t world_erase(void *dev, uint32_t off, uint32_t len)
{
    world_flash_t *f = dev;
    esp_err_t err = end_pending(f);
    if (err == ESP_OK && !passes_fence(f, "erase", off, len)) {
        err = ESP_ERR_FLASH_OP_FAIL;
    }
    return err == ESP_OK ? erase_sectors(f, off, len) : err;
}

/** Half of it is done when the caller goes on. */
static esp_err_t world_erase_begin(void *dev, uint32_t off, uint32_t len)
{
    world_flash_t *f = dev;
    const uint32_t sector = f->layout->sector, done = len / sector / 2 * sector;
    esp_err_t err = passes_fence(f, "erase", off, len) ? world_erase(dev, off, done) : ESP_ERR_FLASH_OP_FAIL;
    if (err == ESP_OK) {
        f->pending.off = off + done;
        f->pending.len = len - done;
        f->pending.asked = 0;
    }
    return err;
}

static bool world_is_busy(void *dev)
{
    world_flash_t *f = dev;
    return f->pending.len > 0 && f->pending.asked++ < 3;
}

static esp_err_t world_sync(void *dev)
{
    world_flash_t *f = dev;
    const esp_err_t before = end_pending(f);
    return before != ESP_OK ? before : f->sim.flash.ops->sync(&f->sim);
}

/** What a power cut now would leave, read without faults. */
static esp_err_t sound_read(void *dev, uint32_t off, void *dst, uint32_t len)
{
    const world_flash_t *f = dev;
    memcpy(dst, f->sim.bytes + off, len);
    return f->flash.write_once && sim_flash_is_weak(&f->sim, off, len) ? ESP_ERR_INVALID_CRC : ESP_OK;
}

static const otter_flash_ops_t world_ops = {
    .read = world_read, .program = world_program, .erase = world_erase, .sync = world_sync};
static const otter_flash_ops_t world_block_ops = {.read = world_read,
                                                  .program = world_program,
                                                  .erase = world_erase,
                                                  .sync = world_sync,
                                                  .erase_begin = world_erase_begin,
                                                  .is_busy = world_is_busy};
static const otter_flash_ops_t sound_ops = {.read = sound_read}; /* the harness looks; it never writes */

bool world_flash_init(world_flash_t *f, world_device_t *device, const world_shape_t *shape, bool stable_reads)
{
    memset(f, 0, sizeof(*f));
    f->device = device;
    f->layout = shape->layout;
    f->flash = (otter_flash_t){.ops = &world_ops,
                               .dev = f,
                               .size = f->layout->flash_size,
                               .erase_size = f->layout->sector,
                               .write_size = shape->write_size,
                               .write_once = shape->write_once,
                               .stable_reads = stable_reads && !shape->write_once};
    for (uint32_t sector = 0; sector < WORLD_SECTORS_MAX; sector++) {
        f->endurance[sector] = UINT32_MAX;
    }
    const bool made = sim_flash_init(&f->sim, f->flash.size);
    f->sim.flash.erase_size = f->flash.erase_size;
    f->sim.flash.write_size = f->flash.write_size;
    f->sim.flash.write_once = f->flash.write_once;
    f->flash.buffer = f->sim.flash.buffer;
    f->sound = f->flash;
    f->sound.ops = &sound_ops;
    return made;
}

void world_flash_erase_blocks(world_flash_t *f)
{
    if (!f->flash.stable_reads) {
        f->flash.ops = &world_block_ops;
        f->flash.block_size = 4 * f->layout->sector;
    }
}

void world_flash_encrypt(world_flash_t *f, uint32_t app, uint32_t len)
{
    test_cipher_apply(f->sim.bytes, false, f->layout->table, OTTER_PARTITION_TABLE_SECTOR);
    test_cipher_apply(f->sim.bytes, false, app, align_up_u32(len, OTTER_FLASH_CIPHER_BLOCK));
    f->flash.cipher = f->sound.cipher = test_cipher();
}

void world_flash_wait(world_flash_t *f)
{
    f->flash.cipher = NULL;
    f->flash.waiting = test_cipher();
    f->all_open = true;
}

void world_flash_waited(world_flash_t *f)
{
    f->flash.cipher = f->sound.cipher = test_cipher();
    f->flash.waiting = NULL;
    f->all_open = false;
    f->otadata_changes = 0;
    memset(f->erases, 0, sizeof(f->erases)); /* it is as new as any other */
}

bool world_flash_holds(const world_flash_t *f, uint32_t off, const uint8_t *bytes, uint32_t len)
{
    otter_flash_t sound = f->sound;
    const bool plain = is_inside(off, len, f->layout->stage, f->layout->slot_size);
    bool holds = true;
    for (uint32_t done = 0; done < len && holds; done += WORLD_SECTOR_MIN) {
        uint8_t piece[WORLD_SECTOR_MIN];
        const uint32_t size = min_u32(len - done, sizeof(piece));
        holds = (plain ? otter_flash_read_raw(&sound, off + done, piece, size)
                       : otter_flash_read_decrypted(&sound, off + done, piece, size)) == ESP_OK &&
                memcmp(piece, bytes + done, size) == 0;
    }
    return holds;
}

void world_flash_records(const world_flash_t *f, otadata_entry_t two[OTADATA_COPY_COUNT])
{
    otter_flash_t sound = f->sound;
    if (otadata_read(&sound, f->layout->otadata, 2 * f->layout->sector, two) != ESP_OK) {
        abort(); /* it never fails */
    }
}

bool world_flash_records_are_weak(const world_flash_t *f)
{
    return sim_flash_is_weak(&f->sim, f->layout->otadata, 2 * f->layout->sector);
}

void world_flash_free(world_flash_t *f)
{
    sim_flash_free(&f->sim);
}

void world_flash_calm(world_flash_t *f)
{
    f->read_faults_ppm = f->write_faults_ppm = 0;
    f->sim.cut_at = UINT32_MAX;
}

void world_flash_plan_cut(world_flash_t *f, chance_t *chance)
{
    f->sim.cut_at = f->sim.ops + chance_below(chance, chance_percent(chance, 50) ? 4 : 60);
    /* Bits that hang are a chip's, a cache is a file's. */
    f->sim.tear = (sim_tear_t)chance_below(chance, f->flash.stable_reads ? SIM_TEAR_COUNT : SIM_TEAR_LOST);
    f->sim.tear_len = chance_percent(chance, 30) ? UINT32_MAX : chance_below(chance, f->layout->sector);
    f->sim.tear_weak = chance_percent(chance, 25) && !f->flash.stable_reads;
    f->sim.random = chance_next(chance) | 1;
    f->sim.noise = chance_next(chance) | 1;
}
