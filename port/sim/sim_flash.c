/* RAM flash: NOR rules are law here, and power goes where the test says. */
#include "sim/sim_flash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/sim_cache.h"
#include "sim/sim_undo.h"

#define SECTOR       SIM_SECTOR
#define RECORD_BYTES 32u /* at the start of a sector */

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

bool sim_flash_chance(sim_flash_t *sim)
{
    return (next_random(&sim->random) & 0x100u) != 0;
}

/** To be called before [off, off + len) changes. */
static void note_change(sim_flash_t *sim, uint32_t off, uint32_t len)
{
    sim_undo_save(sim, off, len);
    if (sim->tear == SIM_TEAR_LOST && sim->cut_at != UINT32_MAX) {
        sim_cache_note(sim, off, len);
    }
}

/** Ends the test where code leaves the area it may change: a wrong address is never a recoverable error. */
static void check_fence(const sim_flash_t *sim, uint32_t off, uint32_t len)
{
    if (sim->fence_len != 0 && (off < sim->fence_off || off - sim->fence_off > sim->fence_len - len)) {
        fprintf(stderr, "sim_flash: operation on 0x%x+0x%x leaves the fence 0x%x+0x%x\n", off, len,
                sim->fence_off, sim->fence_len);
        abort();
    }
}

/** Counts one operation. @return true if power goes in this one */
static bool count_op(sim_flash_t *sim)
{
    bool cut = sim->ops++ == sim->cut_at;
    if (cut) {
        sim->dead = true;
        sim->cut_fired = true;
    }
    return cut;
}

/** What the chip answers where bits are weak. */
static void add_noise(sim_flash_t *sim, uint32_t off, uint8_t *dst, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++) {
        const uint8_t *mask = sim->weak[(off + i) / SECTOR];
        if (mask != NULL && mask[(off + i) % SECTOR] != 0) {
            dst[i] &= (uint8_t) ~(mask[(off + i) % SECTOR] & next_random(&sim->noise));
        }
    }
}

static esp_err_t sim_read(void *dev, uint32_t off, void *dst, uint32_t len)
{
    sim_flash_t *sim = dev;
    if (sim->dead || sim->reads++ >= sim->fail_read_at) {
        return ESP_ERR_FLASH_OP_FAIL;
    }
    memcpy(dst, sim->bytes + off, len);
    if (sim->weak_count != 0) {
        add_noise(sim, off, dst, len);
    }
    return ESP_OK;
}

bool sim_flash_is_weak(const sim_flash_t *sim, uint32_t off, uint32_t len)
{
    for (uint32_t i = 0; i < len && sim->weak_count != 0; i++) {
        const uint8_t *mask = sim->weak[(off + i) / SECTOR];
        if (mask != NULL && mask[(off + i) % SECTOR] != 0) {
            return true;
        }
    }
    return false;
}

static uint8_t *weak_mask(sim_flash_t *sim, uint32_t off)
{
    uint8_t **mask = &sim->weak[off / SECTOR];
    if (*mask == NULL) {
        *mask = calloc(1, SECTOR);
        if (*mask == NULL) {
            abort();
        }
        sim->weak_count++;
    }
    return *mask;
}

static void clear_weak(sim_flash_t *sim, uint32_t off)
{
    uint8_t **mask = &sim->weak[off / SECTOR];
    if (*mask != NULL) {
        free(*mask);
        *mask = NULL;
        sim->weak_count--;
    }
}

static void program_bytes(sim_flash_t *sim, uint32_t off, const uint8_t *src, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++) {
        sim->bytes[off + i] &= src[i];
    }
    for (uint32_t i = 0; i < len && sim->weak_count != 0; i++) {
        uint8_t *mask = sim->weak[(off + i) / SECTOR];
        if (mask != NULL) {
            mask[(off + i) % SECTOR] &= src[i]; /* a bit that is programmed to 0 is sure again */
        }
    }
}

/** Only some of the 0 bits of this byte arrived; others hang between 0 and 1 if the tear is of that kind. */
static void tear_byte(sim_flash_t *sim, uint32_t off, uint8_t src)
{
    uint8_t missed = (uint8_t)(~src & next_random(&sim->random) & sim->bytes[off]);
    sim->bytes[off] &= (uint8_t)(src | missed);
    if (sim->tear_weak) {
        weak_mask(sim, off)[off % SECTOR] |= missed;
    }
}

static void tear_program(sim_flash_t *sim, uint32_t off, const uint8_t *src, uint32_t len)
{
    uint32_t done = sim->tear_len == UINT32_MAX ? len / 2 : sim->tear_len, unit = sim->flash.write_size;
    done = done < len ? done : len;
    done -= done % unit;
    switch (sim->tear) {
    case SIM_TEAR_AFTER:
        program_bytes(sim, off, src, len);
        break;
    case SIM_TEAR_FEW:
    case SIM_TEAR_BITS:
        program_bytes(sim, off, src, done);
        for (uint32_t i = done; i < len && i < done + unit; i++) {
            tear_byte(sim, off + i, src[i]);
        }
        break;
    case SIM_TEAR_PREFIX:
        program_bytes(sim, off, src, done);
        break;
    case SIM_TEAR_LOST:
        program_bytes(sim, off, src, len);
        sim_cache_lose(sim);
        break;
    case SIM_TEAR_BEFORE:
    case SIM_TEAR_COUNT:
        break;
    }
}

static esp_err_t sim_program(void *dev, uint32_t off, const void *src, uint32_t len)
{
    sim_flash_t *sim = dev;
    const uint8_t *bytes = src;
    if (sim->dead) {
        return ESP_ERR_FLASH_OP_FAIL;
    }
    check_fence(sim, off, len);
    for (uint32_t i = 0; i < len; i++) {
        if ((bytes[i] & ~sim->bytes[off + i]) != 0) {
            return ESP_ERR_FLASH_OP_FAIL; /* strict: 0 -> 1 */
        }
    }
    note_change(sim, off, len);
    if (count_op(sim)) {
        tear_program(sim, off, bytes, len);
        return ESP_ERR_FLASH_OP_FAIL;
    }
    program_bytes(sim, off, bytes, len);
    return ESP_OK;
}

/** The first `done` bytes of a sector are erased for good. */
static void erase_prefix(sim_flash_t *sim, uint32_t off, uint32_t done)
{
    memset(sim->bytes + off, 0xFF, done);
    if (sim->weak[off / SECTOR] != NULL) {
        memset(sim->weak[off / SECTOR], 0, done);
    }
}

/** An erase in progress: some bits are back at 1, some hang between if the tear is of that kind. */
static void tear_sector(sim_flash_t *sim, uint32_t off, uint32_t done)
{
    uint8_t *sector = sim->bytes + off;
    erase_prefix(sim, off, done);
    for (uint32_t i = done; i < SECTOR; i++) {
        uint8_t risen = (uint8_t)(~sector[i] & next_random(&sim->random));
        sector[i] |= risen;
        if (sim->tear_weak && risen != 0) {
            weak_mask(sim, off)[i] |= (uint8_t)(risen & next_random(&sim->random));
        }
    }
}

/** One byte in sixteen of a sector, or more of them where a record may be, has one bit changed. */
static void touch_sector(sim_flash_t *sim, uint32_t off)
{
    for (uint32_t i = 0; i < SECTOR; i++) {
        const uint32_t dice = next_random(&sim->random);
        if ((dice & (i < RECORD_BYTES ? 3u : 15u)) == 0) {
            sim->bytes[off + i] ^= (uint8_t)(1u << (dice >> 8) % 8);
        }
    }
}

static void tear_erase(sim_flash_t *sim, uint32_t off)
{
    uint32_t done = sim->tear_len;
    if (done == UINT32_MAX) {
        done = sim->tear == SIM_TEAR_PREFIX ? SECTOR / 2 : 0;
    }
    switch (sim->tear) {
    case SIM_TEAR_AFTER:
        clear_weak(sim, off);
        memset(sim->bytes + off, 0xFF, SECTOR);
        break;
    case SIM_TEAR_BITS:
        tear_sector(sim, off, done);
        break;
    case SIM_TEAR_FEW:
        touch_sector(sim, off);
        break;
    case SIM_TEAR_PREFIX:
        erase_prefix(sim, off, done);
        break;
    case SIM_TEAR_LOST:
        erase_prefix(sim, off, SECTOR);
        sim_cache_lose(sim);
        break;
    case SIM_TEAR_BEFORE:
    case SIM_TEAR_COUNT:
        break;
    }
}

static esp_err_t sim_erase(void *dev, uint32_t off, uint32_t len)
{
    sim_flash_t *sim = dev;
    if (sim->dead) {
        return ESP_ERR_FLASH_OP_FAIL;
    }
    check_fence(sim, off, len);
    for (uint32_t sector = off; sector - off < len; sector += SECTOR) {
        note_change(sim, sector, SECTOR);
        if (count_op(sim)) {
            tear_erase(sim, sector);
            return ESP_ERR_FLASH_OP_FAIL;
        }
        clear_weak(sim, sector);
        memset(sim->bytes + sector, 0xFF, SECTOR);
        if (sim->erase_counts != NULL) {
            sim->erase_counts[sector / SECTOR]++;
        }
    }
    return ESP_OK;
}

static esp_err_t sim_sync(void *dev)
{
    sim_flash_t *sim = dev;
    if (sim->dead) {
        return ESP_ERR_FLASH_OP_FAIL;
    }
    sim_cache_settle(sim);
    return ESP_OK;
}

static const otter_flash_ops_t sim_ops = {
    .read = sim_read, .program = sim_program, .erase = sim_erase, .sync = sim_sync};

static void reset_controls(sim_flash_t *sim)
{
    otter_flash_t *flash = &sim->flash;
    *flash = (otter_flash_t){.ops = &sim_ops,
                             .dev = sim,
                             .size = flash->size,
                             .erase_size = SECTOR,
                             .write_size = flash->write_size};
    sim->ops = 0;
    sim->cut_at = UINT32_MAX;
    sim->tear = SIM_TEAR_BEFORE;
    sim->tear_len = UINT32_MAX;
    sim->tear_weak = false;
    sim->random = sim->noise = 0x9E3779B9u;
    sim->dead = false;
    sim->cut_fired = false;
    sim->fail_read_at = UINT32_MAX;
    sim->reads = 0;
    sim->fence_off = sim->fence_len = 0;
    sim_cache_settle(sim);
}

bool sim_flash_init(sim_flash_t *sim, uint32_t size)
{
    memset(sim, 0, sizeof(*sim));
    sim->bytes = malloc(size);
    sim->weak = calloc(size / SECTOR, sizeof(*sim->weak));
    if (sim->bytes == NULL || sim->weak == NULL) {
        sim_flash_free(sim);
        return false;
    }
    memset(sim->bytes, 0xFF, size);
    sim->flash.size = size;
    sim->flash.write_size = 1;
    reset_controls(sim);
    return true;
}

void sim_flash_copy(sim_flash_t *to, const sim_flash_t *from)
{
    memcpy(to->bytes, from->bytes, from->flash.size);
    for (uint32_t off = 0; off < to->flash.size && (to->weak_count | from->weak_count) != 0; off += SECTOR) {
        clear_weak(to, off);
        if (from->weak[off / SECTOR] != NULL) {
            memcpy(weak_mask(to, off), from->weak[off / SECTOR], SECTOR);
        }
    }
    to->flash.write_size = from->flash.write_size;
    sim_undo_forget(to);
    reset_controls(to);
}

uint32_t sim_flash_mark(sim_flash_t *sim)
{
    return sim_undo_mark(sim);
}

void sim_flash_rewind(sim_flash_t *sim, uint32_t mark)
{
    sim_undo_rewind(sim, mark);
    reset_controls(sim);
}

void sim_flash_set_weak(sim_flash_t *sim, uint32_t off, const uint8_t *mask)
{
    if (mask == NULL) {
        clear_weak(sim, off);
    } else {
        memcpy(weak_mask(sim, off), mask, SECTOR);
    }
}

void sim_flash_power_on(sim_flash_t *sim)
{
    sim->dead = false;
    sim->cut_at = UINT32_MAX;
    sim_cache_settle(sim);
    sim->flash.attested_len = 0; /* what the core remembered was in RAM */
}

void sim_flash_free(sim_flash_t *sim)
{
    sim_undo_forget(sim);
    sim_cache_free(sim);
    for (uint32_t off = 0; off < sim->flash.size && sim->weak != NULL; off += SECTOR) {
        clear_weak(sim, off);
    }
    free(sim->weak);
    free(sim->bytes);
    sim->weak = NULL;
    sim->bytes = NULL;
}
