/* RAM flash: NOR rules are law here, and power goes where the test says. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/sim_flash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/sim_cache.h"
#include "sim/sim_medium.h"
#include "sim/sim_undo.h"

#define BUFFER_SIZE 0x10000u /* lent to the code under test */

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

static esp_err_t sim_read(void *dev, uint32_t off, void *dst, uint32_t len)
{
    sim_flash_t *sim = dev;
    if (sim->dead || sim->reads++ >= sim->fail_read_at) {
        return ESP_ERR_FLASH_OP_FAIL;
    }
    return sim_medium_read(sim, off, dst, len) ? ESP_OK : ESP_ERR_INVALID_CRC;
}

bool sim_flash_is_weak(const sim_flash_t *sim, uint32_t off, uint32_t len)
{
    return sim->weak_count != 0 && sim_medium_next_weak(sim, off, len) < len;
}

static void tear_program(sim_flash_t *sim, uint32_t off, const uint8_t *src, uint32_t len)
{
    uint32_t done = sim->tear_len == UINT32_MAX ? len / 2 : sim->tear_len, unit = sim->flash.write_size;
    done = done < len ? done : len;
    done -= done % unit;
    switch (sim->tear) {
    case SIM_TEAR_AFTER:
        sim_medium_program(sim, off, src, len);
        break;
    case SIM_TEAR_FEW:
    case SIM_TEAR_BITS:
        sim_medium_program(sim, off, src, done);
        if (done < len) {
            sim_medium_tear_unit(sim, off + done, src + done);
        }
        break;
    case SIM_TEAR_PREFIX:
        sim_medium_program(sim, off, src, done);
        break;
    case SIM_TEAR_LOST:
        sim_medium_program(sim, off, src, len);
        sim_cache_lose(sim);
        break;
    case SIM_TEAR_BEFORE:
    case SIM_TEAR_COUNT:
        break;
    }
}

/** Does programming `src` only turn ones into zeros? Eight bytes at a time: tests program much. */
static bool only_clears(const uint8_t *now, const uint8_t *src, uint32_t len)
{
    uint64_t old, new, sets = 0;
    for (; len >= sizeof(old); now += sizeof(old), src += sizeof(old), len -= (uint32_t)sizeof(old)) {
        memcpy(&old, now, sizeof(old));
        memcpy(&new, src, sizeof(new));
        sets |= new & ~old;
    }
    for (uint32_t i = 0; i < len; i++) {
        sets |= (uint64_t)(src[i] & ~now[i]);
    }
    return sets == 0;
}

static esp_err_t sim_program(void *dev, uint32_t off, const void *src, uint32_t len)
{
    sim_flash_t *sim = dev;
    const uint8_t *bytes = src;
    if (sim->dead) {
        return ESP_ERR_FLASH_OP_FAIL;
    }
    check_fence(sim, off, len);
    if (!sim_flash_may_program(sim, off, src, len)) {
        fprintf(stderr, "sim_flash: 0x%x+0x%x is programmed, not all of it erased\n", off, len);
        abort();
    }
    if (!only_clears(sim->bytes + off, bytes, len)) {
        return ESP_ERR_FLASH_OP_FAIL; /* strict: 0 -> 1 */
    }
    note_change(sim, off, len);
    if (count_op(sim)) {
        tear_program(sim, off, bytes, len);
        return ESP_ERR_FLASH_OP_FAIL;
    }
    sim_medium_program(sim, off, bytes, len);
    return ESP_OK;
}

static void tear_erase(sim_flash_t *sim, uint32_t off)
{
    const uint32_t size = sim->flash.erase_size;
    uint32_t done = sim->tear_len;
    if (done == UINT32_MAX) {
        done = sim->tear == SIM_TEAR_PREFIX ? size / 2 : 0;
    } else if (done > size || sim->flash.write_once) {
        done = done > size ? size : done - done % sim->flash.write_size;
    }
    switch (sim->tear) {
    case SIM_TEAR_AFTER:
        sim_medium_erase(sim, off, size);
        break;
    case SIM_TEAR_BITS:
        sim_medium_tear_sector(sim, off, done);
        break;
    case SIM_TEAR_FEW:
        sim_medium_touch_sector(sim, off);
        break;
    case SIM_TEAR_PREFIX:
        sim_medium_erase(sim, off, done);
        break;
    case SIM_TEAR_LOST:
        sim_medium_erase(sim, off, size);
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
    const uint32_t size = sim->flash.erase_size;
    for (uint32_t sector = off; sector - off < len; sector += size) {
        note_change(sim, sector, size);
        if (count_op(sim)) {
            tear_erase(sim, sector);
            return ESP_ERR_FLASH_OP_FAIL;
        }
        sim_medium_erase(sim, sector, size);
        if (sim->erase_counts != NULL) {
            sim->erase_counts[sector / size]++;
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
    sim_cache_flush(sim);
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
                             .erase_size = flash->erase_size,
                             .write_size = flash->write_size,
                             .write_once = flash->write_once,
                             .buffer = flash->buffer};
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
    sim_cache_flush(sim);
}

bool sim_flash_init(sim_flash_t *sim, uint32_t size)
{
    memset(sim, 0, sizeof(*sim));
    sim->bytes = malloc(size);
    sim->weak = calloc((size + SIM_PAGE - 1) / SIM_PAGE, sizeof(*sim->weak));
    sim->flash.buffer = (otter_buffer_t){malloc(BUFFER_SIZE), BUFFER_SIZE};
    if (sim->bytes == NULL || sim->weak == NULL || sim->flash.buffer.bytes == NULL) {
        sim_flash_free(sim);
        return false;
    }
    memset(sim->bytes, 0xFF, size);
    sim->flash.size = size;
    sim->flash.erase_size = 4096;
    sim->flash.write_size = 1;
    reset_controls(sim);
    return true;
}

void sim_flash_copy(sim_flash_t *to, const sim_flash_t *from)
{
    memcpy(to->bytes, from->bytes, from->flash.size);
    for (uint32_t off = 0; off < to->flash.size && (to->weak_count | from->weak_count) != 0;
         off += SIM_PAGE) {
        sim_medium_set_weak(to, off, from->weak[off / SIM_PAGE]);
    }
    to->flash.erase_size = from->flash.erase_size;
    to->flash.write_size = from->flash.write_size;
    to->flash.write_once = from->flash.write_once;
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

void sim_flash_power_on(sim_flash_t *sim)
{
    sim->dead = false;
    sim->cut_at = UINT32_MAX;
    sim_cache_flush(sim);
}

void sim_flash_free(sim_flash_t *sim)
{
    sim_undo_forget(sim);
    sim_cache_free(sim);
    for (uint32_t off = 0; off < sim->flash.size && sim->weak != NULL; off += SIM_PAGE) {
        sim_medium_set_weak(sim, off, NULL);
    }
    free(sim->weak);
    free(sim->bytes);
    free(sim->flash.buffer.bytes);
    sim->flash.buffer = (otter_buffer_t){0};
    sim->weak = NULL;
    sim->bytes = NULL;
}
