/* Sectors that end where their last written byte does, and are found again by their contents. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/sparse_flash.h"

#include <stdlib.h>
#include <string.h>

#include "otter/bytes.h"

#define STEP    64u /* bytes by which a sector that is written grows */
#define BUCKETS 64u /* to begin with */

struct sparse_sector {
    struct sparse_sector *next; /* in its bucket */
    uint32_t refs, len, hash;
    bool shared;
    uint8_t bytes[]; /* `len` of them; what follows is erased */
};

/* ---- the pool ---- */

static uint32_t hash_of(const uint8_t *bytes, uint32_t len)
{
    uint64_t hash = len, word;
    for (uint32_t i = 0; i + sizeof(word) <= len;
         i += (uint32_t)sizeof(word)) { /* len is a multiple of STEP */
        memcpy(&word, bytes + i, sizeof(word));
        hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
        hash ^= hash >> 29;
    }
    return (uint32_t)(hash ^ hash >> 32);
}

static struct sparse_sector **bucket_of(const sparse_pool_t *pool, uint32_t hash)
{
    return &pool->buckets[hash & (pool->bucket_count - 1)];
}

/** Room for one more. Buckets that cannot grow get longer. */
static bool make_room(sparse_pool_t *pool)
{
    if (pool->count < pool->bucket_count) {
        return true;
    }
    const uint32_t count = pool->bucket_count == 0 ? BUCKETS : 2 * pool->bucket_count;
    const sparse_pool_t bigger = {.buckets = calloc(count, sizeof(struct sparse_sector *)),
                                  .bucket_count = count};
    if (bigger.buckets == NULL) {
        return pool->bucket_count != 0;
    }
    for (uint32_t i = 0; i < pool->bucket_count; i++) {
        struct sparse_sector *next;
        for (struct sparse_sector *sector = pool->buckets[i]; sector != NULL; sector = next) {
            struct sparse_sector **bucket = bucket_of(&bigger, sector->hash);
            next = sector->next;
            sector->next = *bucket;
            *bucket = sector;
        }
    }
    free(pool->buckets);
    pool->buckets = bigger.buckets;
    pool->bucket_count = count;
    return true;
}

static void release(sparse_pool_t *pool, struct sparse_sector *sector)
{
    if (sector == NULL || --sector->refs > 0) {
        return;
    }
    if (sector->shared) {
        struct sparse_sector **at = bucket_of(pool, sector->hash);
        while (*at != sector) {
            at = &(*at)->next;
        }
        *at = sector->next;
        pool->count--;
    }
    pool->bytes -= sector->len;
    free(sector);
}

/** The one sector with these contents. */
static struct sparse_sector *share(sparse_pool_t *pool, struct sparse_sector *sector)
{
    uint32_t len = sector->len;
    while (len > 0 && bytes_are_erased(sector->bytes + len - STEP, STEP)) {
        len -= STEP;
    }
    if (len == 0) {
        release(pool, sector);
        return NULL;
    }
    pool->bytes -= sector->len - len;
    sector->len = len;
    if (!make_room(pool)) {
        return sector; /* as good, and larger */
    }
    sector->hash = hash_of(sector->bytes, len);
    struct sparse_sector **bucket = bucket_of(pool, sector->hash);
    for (struct sparse_sector *other = *bucket; other != NULL; other = other->next) {
        if (other->hash == sector->hash && other->len == len &&
            memcmp(other->bytes, sector->bytes, len) == 0) {
            release(pool, sector);
            other->refs++;
            return other;
        }
    }
    struct sparse_sector *small = realloc(sector, sizeof(*sector) + len);
    sector = small != NULL ? small : sector;
    sector->shared = true;
    sector->next = *bucket;
    *bucket = sector;
    pool->count++;
    return sector;
}

void sparse_pool_free(sparse_pool_t *pool)
{
    free(pool->buckets);
    *pool = (sparse_pool_t){0};
}

/* ---- one flash ---- */

/** What was written last is done: another sector comes. */
static void settle(sparse_flash_t *sparse)
{
    if (sparse->changing != SPARSE_NEVER) {
        struct sparse_sector **sector = &sparse->sectors[sparse->changing];
        *sector = *sector == NULL ? NULL : share(sparse->pool, *sector);
        sparse->changing = SPARSE_NEVER;
    }
}

static esp_err_t read_sparse(void *dev, uint32_t off, void *dst, uint32_t len)
{
    const sparse_flash_t *sparse = dev;
    uint8_t *to = dst;
    if (sparse->dead) {
        return ESP_ERR_FLASH_OP_FAIL;
    }
    while (len > 0) {
        const struct sparse_sector *sector = sparse->sectors[off / SPARSE_SECTOR];
        const uint32_t at = off % SPARSE_SECTOR, step = min_u32(len, SPARSE_SECTOR - at);
        const uint32_t have = sector != NULL && sector->len > at ? min_u32(step, sector->len - at) : 0;
        if (have > 0) {
            memcpy(to, sector->bytes + at, have);
        }
        memset(to + have, ERASED_BYTE, step - have);
        to += step;
        off += step;
        len -= step;
    }
    return ESP_OK;
}

/** The sector as one that is this flash's alone, with `len` bytes or more. @return NULL: out of memory */
static struct sparse_sector *own(sparse_flash_t *sparse, uint32_t index, uint32_t len)
{
    struct sparse_sector *old = sparse->sectors[index];
    if (sparse->changing != index) {
        settle(sparse);
    }
    const uint32_t had = old != NULL ? old->len : 0;
    const uint32_t wants = max_u32(had, align_up_u32(len, STEP));
    const bool mine = old != NULL && !old->shared;
    if (mine && wants == had) {
        sparse->changing = index;
        return old;
    }
    struct sparse_sector *sector = realloc(mine ? old : NULL, sizeof(*sector) + wants);
    if (sector == NULL) {
        return NULL;
    }
    if (!mine) {
        *sector = (struct sparse_sector){.refs = 1};
        if (had > 0) {
            memcpy(sector->bytes, old->bytes, had);
        }
        release(sparse->pool, old);
    }
    memset(sector->bytes + had, ERASED_BYTE, wants - had);
    sparse->pool->bytes += wants - (mine ? had : 0);
    sector->len = wants;
    sparse->sectors[index] = sector;
    sparse->changing = index;
    return sector;
}

/** Counts one operation. @return how much of `len` is done before power goes; `len` where it stays */
static uint32_t count_op(sparse_flash_t *sparse, uint32_t len)
{
    if (sparse->ops++ != sparse->cut_at) {
        return len;
    }
    sparse->dead = true;
    sparse->random = sparse->random * 1664525u + 1013904223u;
    const uint32_t how = sparse->random >> 24 & 3u;
    return how == 0 ? 0 : how == 1 ? len : (uint32_t)((uint64_t)len * (sparse->random >> 8 & 0xFFFFu) >> 16);
}

static esp_err_t program_piece(sparse_flash_t *sparse, uint32_t off, const uint8_t *src, uint32_t len)
{
    const uint32_t at = off % SPARSE_SECTOR;
    struct sparse_sector *sector = own(sparse, off / SPARSE_SECTOR, at + len);
    if (sector == NULL) {
        return ESP_ERR_FLASH_OP_FAIL;
    }
    for (uint32_t i = 0; i < len; i++) {
        if ((src[i] & ~sector->bytes[at + i]) != 0) {
            return ESP_ERR_FLASH_OP_FAIL; /* 0 -> 1 */
        }
    }
    memcpy(sector->bytes + at, src, len); /* it only clears bits */
    return ESP_OK;
}

static esp_err_t program_sparse(void *dev, uint32_t off, const void *src, uint32_t len)
{
    sparse_flash_t *sparse = dev;
    const uint8_t *from = src;
    esp_err_t err = sparse->dead ? ESP_ERR_FLASH_OP_FAIL : ESP_OK;
    uint32_t left = err == ESP_OK ? count_op(sparse, len) : 0;
    while (left > 0 && err == ESP_OK) {
        const uint32_t step = min_u32(left, SPARSE_SECTOR - off % SPARSE_SECTOR);
        err = program_piece(sparse, off, from, step);
        off += step;
        from += step;
        left -= step;
    }
    return sparse->dead ? ESP_ERR_FLASH_OP_FAIL : err;
}

/** Power went while a sector was erased: its first bytes are blank, the others as they were. */
static void tear_sector(sparse_flash_t *sparse, uint32_t index, uint32_t done)
{
    struct sparse_sector *sector = done > 0 && sparse->sectors[index] != NULL ? own(sparse, index, 0) : NULL;
    if (sector != NULL) {
        memset(sector->bytes, ERASED_BYTE, min_u32(done, sector->len));
    }
}

static esp_err_t erase_sparse(void *dev, uint32_t off, uint32_t len)
{
    sparse_flash_t *sparse = dev;
    for (uint32_t at = off; at - off < len && !sparse->dead; at += SPARSE_SECTOR) {
        const uint32_t index = at / SPARSE_SECTOR;
        const uint32_t done = count_op(sparse, SPARSE_SECTOR);
        if (done < SPARSE_SECTOR) {
            tear_sector(sparse, index, done);
            break;
        }
        if (sparse->changing == index) {
            sparse->changing = SPARSE_NEVER;
        }
        release(sparse->pool, sparse->sectors[index]);
        sparse->sectors[index] = NULL;
    }
    return sparse->dead ? ESP_ERR_FLASH_OP_FAIL : ESP_OK;
}

bool sparse_flash_init(sparse_flash_t *sparse, sparse_pool_t *pool, uint32_t size)
{
    static const otter_flash_ops_t ops = {
        .read = read_sparse, .program = program_sparse, .erase = erase_sparse};
    *sparse = (sparse_flash_t){
        .flash = {.ops = &ops, .dev = sparse, .size = size, .erase_size = SPARSE_SECTOR, .write_size = 1},
        .pool = pool,
        .changing = SPARSE_NEVER,
        .cut_at = SPARSE_NEVER};
    sparse->sectors = calloc(size / SPARSE_SECTOR, sizeof(struct sparse_sector *));
    return sparse->sectors != NULL;
}

void sparse_flash_power_on(sparse_flash_t *sparse)
{
    settle(sparse);
    sparse->dead = false;
    sparse->cut_at = SPARSE_NEVER;
}

void sparse_flash_free(sparse_flash_t *sparse)
{
    for (uint32_t i = 0; sparse->sectors != NULL && i < sparse->flash.size / SPARSE_SECTOR; i++) {
        release(sparse->pool, sparse->sectors[i]);
    }
    free(sparse->sectors);
    sparse->sectors = NULL;
}
