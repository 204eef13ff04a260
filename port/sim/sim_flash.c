/* RAM flash: NOR rules are law here, and power goes where the test says. */
#include "sim/sim_flash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECTOR 4096u

static uint32_t next_random(sim_flash_t *sim)
{
    sim->random ^= sim->random << 13;
    sim->random ^= sim->random >> 17;
    sim->random ^= sim->random << 5;
    return sim->random;
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
    memcpy(dst, sim->bytes + off, len);
    return ESP_OK;
}

static void program_bytes(sim_flash_t *sim, uint32_t off, const uint8_t *src, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++) {
        sim->bytes[off + i] &= src[i];
    }
}

static void tear_program(sim_flash_t *sim, uint32_t off, const uint8_t *src, uint32_t len)
{
    uint32_t half = len / 2;
    switch (sim->tear) {
    case SIM_TEAR_AFTER:
        program_bytes(sim, off, src, len);
        break;
    case SIM_TEAR_BITS:
        program_bytes(sim, off, src, half);
        sim->bytes[off + half] &=
            (uint8_t)(src[half] | next_random(sim)); /* only some of the 0 bits arrived */
        break;
    case SIM_TEAR_PREFIX:
        program_bytes(sim, off, src, half);
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
    if (count_op(sim)) {
        tear_program(sim, off, bytes, len);
        return ESP_ERR_FLASH_OP_FAIL;
    }
    program_bytes(sim, off, bytes, len);
    return ESP_OK;
}

static void tear_erase(sim_flash_t *sim, uint32_t off)
{
    uint8_t *sector = sim->bytes + off;
    switch (sim->tear) {
    case SIM_TEAR_AFTER:
        memset(sector, 0xFF, SECTOR);
        break;
    case SIM_TEAR_BITS:
        for (uint32_t i = 0; i < SECTOR; i++) {
            sector[i] |= (uint8_t)next_random(sim); /* an erase in progress: some bits are back at 1 */
        }
        break;
    case SIM_TEAR_PREFIX:
        memset(sector, 0xFF, SECTOR / 2);
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
        if (count_op(sim)) {
            tear_erase(sim, sector);
            return ESP_ERR_FLASH_OP_FAIL;
        }
        memset(sim->bytes + sector, 0xFF, SECTOR);
        if (sim->erase_counts != NULL) {
            sim->erase_counts[sector / SECTOR]++;
        }
    }
    return ESP_OK;
}

static const otter_flash_ops_t sim_ops = {.read = sim_read, .program = sim_program, .erase = sim_erase};

static void reset_controls(sim_flash_t *sim)
{
    sim->flash = (otter_flash_t){
        .ops = &sim_ops, .dev = sim, .size = sim->flash.size, .erase_size = SECTOR, .write_size = 1};
    sim->ops = 0;
    sim->cut_at = UINT32_MAX;
    sim->tear = SIM_TEAR_BEFORE;
    sim->random = 0x9E3779B9u;
    sim->dead = false;
    sim->cut_fired = false;
    sim->fail_read_at = UINT32_MAX;
    sim->reads = 0;
    sim->fence_off = sim->fence_len = 0;
}

bool sim_flash_init(sim_flash_t *sim, uint32_t size)
{
    memset(sim, 0, sizeof(*sim));
    sim->bytes = malloc(size);
    if (sim->bytes == NULL) {
        return false;
    }
    memset(sim->bytes, 0xFF, size);
    sim->flash.size = size;
    reset_controls(sim);
    return true;
}

void sim_flash_copy(sim_flash_t *to, const sim_flash_t *from)
{
    memcpy(to->bytes, from->bytes, from->flash.size);
    reset_controls(to);
}

void sim_flash_power_on(sim_flash_t *sim)
{
    sim->dead = false;
    sim->cut_at = UINT32_MAX;
    sim->flash.attested_len = 0; /* what the core remembered was in RAM */
}

void sim_flash_free(sim_flash_t *sim)
{
    free(sim->bytes);
    sim->bytes = NULL;
}
