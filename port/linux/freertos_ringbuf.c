/* ESP-IDF's ring buffers, waited for in the kernel. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "freertos/ringbuf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "linux/freertos_kernel.h"

/*
 * Invariants:
 * 1. Positions only grow; the place of one is its remainder by the size. freed <= read <= taken <= freed + size.
 * 2. Items begin with a header, whose place is a multiple of 4 and at least a header's length before the end. Nothing of an
 *    item lies on both sides of the end; a blank leads there.
 * 3. Items come whole into a reader's sight in the order of their positions, also if they are completed in another.
 */

#define ALIGNMENT 4u

typedef enum { ITEM_WRITTEN = 1, ITEM_RETURNED = 2, ITEM_BLANK = 4, ITEM_GOES_ON = 8 } item_flags_t;

typedef struct {
    uint32_t len; /* bytes, not rounded */
    uint32_t flags;
} header_t;

#define HEADER_SIZE sizeof(header_t)

struct RingbufferDefinition {
    pthread_cond_t changed;
    RingbufferType_t type;
    bool is_static; /* its memory is the caller's */
    size_t size, max_item;
    uint64_t taken, read, freed; /* positions: where the next is put, read, and given back */
    size_t waiting;              /* items, or bytes, that can be read */
    QueueSetHandle_t set;        /* is told of each item that comes; NULL: none */
    uint8_t *bytes;
};

_Static_assert(sizeof(header_t) == 8, "as on a chip");
_Static_assert(sizeof(struct RingbufferDefinition) <= sizeof(StaticRingbuffer_t),
               "it fits where programs keep one");
_Static_assert(_Alignof(struct RingbufferDefinition) == _Alignof(StaticRingbuffer_t), "and lies right there");

/** Somebody who waits; lives on its stack. */
typedef struct {
    RingbufHandle_t ringbuf;
    size_t size; /* to put */
} wait_t;

static size_t aligned(size_t size)
{
    return (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

static size_t to_end(RingbufHandle_t r, uint64_t position)
{
    return r->size - (size_t)(position % r->size);
}

static uint8_t *byte_at(RingbufHandle_t r, uint64_t position)
{
    return r->bytes + (size_t)(position % r->size);
}

static header_t *header_at(RingbufHandle_t r, uint64_t position)
{
    return (header_t *)(void *)byte_at(r, position); /* aligned: invariant 2 */
}

/** Where no header fits the next is at the beginning. */
static uint64_t skip_rest(RingbufHandle_t r, uint64_t position)
{
    return to_end(r, position) < HEADER_SIZE ? position + to_end(r, position) : position;
}

static uint64_t behind_item(RingbufHandle_t r, uint64_t position)
{
    const header_t *header = header_at(r, position);
    return (header->flags & ITEM_BLANK) != 0 ? position + to_end(r, position)
                                             : skip_rest(r, position + HEADER_SIZE + aligned(header->len));
}

static size_t free_bytes(RingbufHandle_t r)
{
    return r->size - (size_t)(r->taken - r->freed);
}

/* ---- create, delete ---- */

static bool is_possible(size_t size, RingbufferType_t type)
{
    return type == RINGBUF_TYPE_BYTEBUF
               ? size > 0
               : (unsigned)type < RINGBUF_TYPE_MAX && size >= 2 * HEADER_SIZE && size <= UINT32_MAX / 2;
}

static RingbufHandle_t init(RingbufHandle_t r, size_t size, RingbufferType_t type, uint8_t *bytes)
{
    kernel_condition_init(&r->changed);
    r->size = size;
    r->type = type;
    r->bytes = bytes;
    r->max_item = type == RINGBUF_TYPE_NOSPLIT      ? aligned(size / 2) - HEADER_SIZE
                  : type == RINGBUF_TYPE_ALLOWSPLIT ? size - 2 * HEADER_SIZE
                                                    : size;
    return r;
}

RingbufHandle_t xRingbufferCreate(size_t size, RingbufferType_t type)
{
    if (size > SIZE_MAX / 2) {
        return NULL;
    }
    size = type == RINGBUF_TYPE_BYTEBUF ? size : aligned(size);
    RingbufHandle_t r = is_possible(size, type) ? calloc(1, sizeof(*r) + size) : NULL;
    return r != NULL ? init(r, size, type, (uint8_t *)(r + 1)) : NULL;
}

RingbufHandle_t xRingbufferCreateNoSplit(size_t item_size, size_t count)
{
    if (item_size > UINT32_MAX / 4 || count > UINT32_MAX / (aligned(item_size) + HEADER_SIZE)) {
        return NULL;
    }
    return xRingbufferCreate((aligned(item_size) + HEADER_SIZE) * count, RINGBUF_TYPE_NOSPLIT);
}

RingbufHandle_t xRingbufferCreateStatic(size_t size, RingbufferType_t type, uint8_t *storage,
                                        StaticRingbuffer_t *buffer)
{
    bool fits = type == RINGBUF_TYPE_BYTEBUF ||
                (size % ALIGNMENT == 0 && (uintptr_t)storage % _Alignof(header_t) == 0);
    if (storage == NULL || buffer == NULL || !fits || !is_possible(size, type)) {
        return NULL;
    }
    RingbufHandle_t r = (RingbufHandle_t)(void *)buffer;
    memset(r, 0, sizeof(*r));
    r->is_static = true;
    return init(r, size, type, storage);
}

void vRingbufferDelete(RingbufHandle_t ringbuf)
{
    if (ringbuf != NULL && kernel_condition_end(&ringbuf->changed) && !ringbuf->is_static) {
        free(ringbuf);
    }
}

/* ---- send ---- */

/** Bytes that are left blank so that an item of this size, header included, is in one piece. */
static size_t blank_before(RingbufHandle_t r, size_t total)
{
    return total > to_end(r, r->taken) ? to_end(r, r->taken) : 0;
}

static bool fits(const void *object)
{
    const wait_t *wait = object;
    RingbufHandle_t r = wait->ringbuf;
    if (r->type == RINGBUF_TYPE_BYTEBUF) {
        return wait->size <= free_bytes(r);
    }
    const size_t total = HEADER_SIZE + aligned(wait->size), blank = blank_before(r, total);
    const size_t more = r->type == RINGBUF_TYPE_ALLOWSPLIT && blank != 0 ? HEADER_SIZE : blank;
    return total + more <= free_bytes(r);
}

/** With the lock held: the next piece has a place. @return where its bytes go */
static uint8_t *take(RingbufHandle_t r, size_t len, uint32_t flags)
{
    header_t *header = header_at(r, r->taken);
    *header = (header_t){.len = (uint32_t)len, .flags = flags};
    r->taken = behind_item(r, r->taken);
    return (uint8_t *)(header + 1);
}

static void put_piece(RingbufHandle_t r, const uint8_t *bytes, size_t len, uint32_t flags)
{
    uint8_t *place = take(r, len, ITEM_WRITTEN | flags);
    if (len > 0) {
        memcpy(place, bytes, len);
    }
    r->waiting++;
}

static void put_bytes(RingbufHandle_t r, const uint8_t *bytes, size_t len)
{
    size_t first = len < to_end(r, r->taken) ? len : to_end(r, r->taken);
    memcpy(byte_at(r, r->taken), bytes, first);
    memcpy(r->bytes, bytes + first, len - first);
    r->taken += len;
    r->waiting += len;
}

/** With the lock held, and room for it. */
static void put(RingbufHandle_t r, const uint8_t *bytes, size_t len)
{
    if (r->type == RINGBUF_TYPE_BYTEBUF && len > 0) {
        put_bytes(r, bytes, len);
        return;
    }
    size_t blank = blank_before(r, HEADER_SIZE + aligned(len)), first = 0;
    if (blank > HEADER_SIZE && r->type == RINGBUF_TYPE_ALLOWSPLIT) {
        first = blank - HEADER_SIZE;
        put_piece(r, bytes, first, ITEM_GOES_ON);
    } else if (blank > 0) {
        (void)take(r, 0, ITEM_BLANK);
    }
    put_piece(r, len > 0 ? bytes + first : NULL, len - first, 0);
}

/** With the lock held: readers have something new. */
static void announce(RingbufHandle_t r)
{
    pthread_cond_broadcast(&r->changed);
    if (r->set != NULL) {
        queue_set_tell(r->set, (QueueSetMemberHandle_t)(void *)r);
    }
}

BaseType_t xRingbufferSend(RingbufHandle_t ringbuf, const void *item, size_t size, TickType_t wait)
{
    kernel_check(ringbuf != NULL && (item != NULL || size == 0), "xRingbufferSend", "NULL");
    if (size > ringbuf->max_item) {
        return pdFALSE;
    }
    if (size == 0 && ringbuf->type == RINGBUF_TYPE_BYTEBUF) {
        return pdTRUE;
    }
    const wait_t mine = {ringbuf, size};
    kernel_lock();
    bool room = kernel_wait(&ringbuf->changed, fits, &mine, wait);
    if (room) {
        put(ringbuf, item, size);
        announce(ringbuf);
    }
    kernel_unlock();
    return room ? pdTRUE : pdFALSE;
}

BaseType_t xRingbufferSendAcquire(RingbufHandle_t ringbuf, void **item, size_t size, TickType_t wait)
{
    kernel_check(ringbuf != NULL && item != NULL && ringbuf->type == RINGBUF_TYPE_NOSPLIT,
                 "xRingbufferSendAcquire", "NULL, or not of RINGBUF_TYPE_NOSPLIT");
    if (size > ringbuf->max_item) {
        return pdFALSE;
    }
    const wait_t mine = {ringbuf, size};
    kernel_lock();
    bool room = kernel_wait(&ringbuf->changed, fits, &mine, wait);
    if (room) {
        if (blank_before(ringbuf, HEADER_SIZE + aligned(size)) > 0) {
            (void)take(ringbuf, 0, ITEM_BLANK);
        }
        *item = take(ringbuf, size, 0);
    }
    kernel_unlock();
    return room ? pdTRUE : pdFALSE;
}

/** The header of an item that the caller has. */
static header_t *header_of(RingbufHandle_t r, const void *item)
{
    const uint8_t *bytes = item;
    bool inside = bytes >= r->bytes + HEADER_SIZE && bytes <= r->bytes + r->size &&
                  (size_t)(bytes - r->bytes) % ALIGNMENT == 0;
    return inside ? header_at(r, (size_t)(bytes - r->bytes) - HEADER_SIZE) : NULL;
}

BaseType_t xRingbufferSendComplete(RingbufHandle_t ringbuf, void *item)
{
    kernel_check(ringbuf != NULL && ringbuf->type == RINGBUF_TYPE_NOSPLIT, "xRingbufferSendComplete",
                 "NULL, or not of RINGBUF_TYPE_NOSPLIT");
    kernel_lock();
    header_t *header = header_of(ringbuf, item);
    bool mine = header != NULL && header->flags == 0;
    if (mine) {
        header->flags = ITEM_WRITTEN;
        ringbuf->waiting++;
        announce(ringbuf);
    }
    kernel_unlock();
    kernel_check(mine, "xRingbufferSendComplete", "no item that was acquired");
    return pdTRUE;
}

/* ---- receive ---- */

/** With the lock held: the next item that was put. @return NULL: there is none, or it is not complete */
static header_t *next_item(RingbufHandle_t r, uint64_t *position)
{
    *position = r->read;
    if (*position < r->taken && (header_at(r, *position)->flags & ITEM_BLANK) != 0) {
        *position = behind_item(r, *position);
    }
    header_t *header = *position < r->taken ? header_at(r, *position) : NULL;
    return header != NULL && (header->flags & ITEM_WRITTEN) != 0 ? header : NULL;
}

static bool can_read(const void *object)
{
    RingbufHandle_t r = ((const wait_t *)object)->ringbuf;
    uint64_t position;
    return r->type == RINGBUF_TYPE_BYTEBUF ? r->read == r->freed && r->read < r->taken
                                           : next_item(r, &position) != NULL;
}

/** With the lock held, and something to read. */
static void *read_piece(RingbufHandle_t r, size_t *size, bool *goes_on)
{
    uint64_t position;
    header_t *header = next_item(r, &position);
    r->read = behind_item(r, position);
    r->waiting--;
    *size = header->len;
    *goes_on = (header->flags & ITEM_GOES_ON) != 0;
    return header + 1;
}

static void *read_bytes(RingbufHandle_t r, size_t *size, size_t max)
{
    void *bytes = byte_at(r, r->read);
    size_t len = (size_t)(r->taken - r->read), in_one = to_end(r, r->read);
    len = len < in_one ? len : in_one;
    len = len < max ? len : max;
    r->read += len;
    r->waiting -= len;
    *size = len;
    return bytes;
}

static void *receive(RingbufHandle_t r, size_t *size, size_t max, TickType_t wait)
{
    const wait_t mine = {r, 0};
    void *item = NULL;
    size_t unused = 0;
    bool goes_on;
    size = size != NULL ? size : &unused;
    kernel_lock();
    if (kernel_wait(&r->changed, can_read, &mine, wait)) {
        item = r->type == RINGBUF_TYPE_BYTEBUF ? read_bytes(r, size, max) : read_piece(r, size, &goes_on);
    }
    kernel_unlock();
    return item;
}

void *xRingbufferReceive(RingbufHandle_t ringbuf, size_t *size, TickType_t wait)
{
    kernel_check(ringbuf != NULL, "xRingbufferReceive", "NULL");
    return receive(ringbuf, size, SIZE_MAX, wait);
}

void *xRingbufferReceiveUpTo(RingbufHandle_t ringbuf, size_t *size, TickType_t wait, size_t max)
{
    kernel_check(ringbuf != NULL && ringbuf->type == RINGBUF_TYPE_BYTEBUF, "xRingbufferReceiveUpTo",
                 "NULL, or not of RINGBUF_TYPE_BYTEBUF");
    return max > 0 ? receive(ringbuf, size, max, wait) : NULL;
}

BaseType_t xRingbufferReceiveSplit(RingbufHandle_t ringbuf, void **head, void **tail, size_t *head_size,
                                   size_t *tail_size, TickType_t wait)
{
    kernel_check(ringbuf != NULL && ringbuf->type == RINGBUF_TYPE_ALLOWSPLIT && head != NULL &&
                     tail != NULL && head_size != NULL && tail_size != NULL,
                 "xRingbufferReceiveSplit", "NULL, or not of RINGBUF_TYPE_ALLOWSPLIT");
    const wait_t mine = {ringbuf, 0};
    kernel_lock();
    bool there = kernel_wait(&ringbuf->changed, can_read, &mine, wait);
    if (there) {
        bool goes_on;
        *head = read_piece(ringbuf, head_size, &goes_on);
        *tail = goes_on ? read_piece(ringbuf, tail_size, &goes_on) : NULL;
    }
    kernel_unlock();
    return there ? pdTRUE : pdFALSE;
}

/** With the lock held. @return false: it is no item that was received */
static bool give_back(RingbufHandle_t r, const void *item)
{
    if (r->type == RINGBUF_TYPE_BYTEBUF) {
        bool was_read = item == byte_at(r, r->freed) && r->freed < r->read;
        r->freed = r->read;
        return was_read;
    }
    header_t *header = header_of(r, item);
    if (header == NULL || (header->flags & ~(uint32_t)ITEM_GOES_ON) != ITEM_WRITTEN) {
        return false;
    }
    header->flags |= ITEM_RETURNED;
    while (r->freed < r->read && (header_at(r, r->freed)->flags & (ITEM_RETURNED | ITEM_BLANK)) != 0) {
        r->freed = behind_item(r, r->freed);
    }
    return true;
}

void vRingbufferReturnItem(RingbufHandle_t ringbuf, void *item)
{
    kernel_check(ringbuf != NULL, "vRingbufferReturnItem", "NULL");
    kernel_lock();
    bool known = give_back(ringbuf, item);
    pthread_cond_broadcast(&ringbuf->changed);
    kernel_unlock();
    kernel_check(known, "vRingbufferReturnItem", "no item that was received, or it was returned already");
}

/* ---- questions ---- */

size_t xRingbufferGetMaxItemSize(RingbufHandle_t ringbuf)
{
    kernel_check(ringbuf != NULL, "xRingbufferGetMaxItemSize", "NULL");
    return ringbuf->max_item;
}

size_t xRingbufferGetCurFreeSize(RingbufHandle_t ringbuf)
{
    kernel_check(ringbuf != NULL, "xRingbufferGetCurFreeSize", "NULL");
    kernel_lock();
    size_t room = free_bytes(ringbuf), in_one = to_end(ringbuf, ringbuf->taken), heads = HEADER_SIZE;
    if (ringbuf->type == RINGBUF_TYPE_BYTEBUF) {
        heads = 0;
    } else if (room > in_one && ringbuf->type == RINGBUF_TYPE_ALLOWSPLIT) {
        heads = 2 * HEADER_SIZE;
    } else if (room > in_one) {
        room = room - in_one > in_one ? room - in_one : in_one;
    }
    size_t size = room > heads ? room - heads : 0;
    kernel_unlock();
    return size < ringbuf->max_item ? size : ringbuf->max_item;
}

BaseType_t xRingbufferGetStaticBuffer(RingbufHandle_t ringbuf, uint8_t **storage, StaticRingbuffer_t **buffer)
{
    kernel_check(ringbuf != NULL && storage != NULL && buffer != NULL, "xRingbufferGetStaticBuffer", "NULL");
    if (!ringbuf->is_static) {
        return pdFALSE;
    }
    *storage = ringbuf->bytes;
    *buffer = (StaticRingbuffer_t *)(void *)ringbuf;
    return pdTRUE;
}

/** With the lock held: behind the last item that is complete, as are all before it. */
static uint64_t written(RingbufHandle_t r)
{
    uint64_t position = r->read;
    while (r->type != RINGBUF_TYPE_BYTEBUF && position < r->taken &&
           (header_at(r, position)->flags & (ITEM_WRITTEN | ITEM_BLANK)) != 0) {
        position = behind_item(r, position);
    }
    return r->type != RINGBUF_TYPE_BYTEBUF ? position : r->taken;
}

void vRingbufferGetInfo(RingbufHandle_t ringbuf, UBaseType_t *free, UBaseType_t *read, UBaseType_t *write,
                        UBaseType_t *acquire, UBaseType_t *waiting)
{
    kernel_check(ringbuf != NULL, "vRingbufferGetInfo", "NULL");
    kernel_lock();
    const struct {
        UBaseType_t *out;
        uint64_t position;
    } places[] = {
        {free, ringbuf->freed}, {read, ringbuf->read}, {write, written(ringbuf)}, {acquire, ringbuf->taken}};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        if (places[i].out != NULL) {
            *places[i].out = (UBaseType_t)(places[i].position % ringbuf->size);
        }
    }
    if (waiting != NULL) {
        *waiting = (UBaseType_t)ringbuf->waiting;
    }
    kernel_unlock();
}

void xRingbufferPrintInfo(RingbufHandle_t ringbuf)
{
    UBaseType_t free, read, write, acquire, waiting;
    vRingbufferGetInfo(ringbuf, &free, &read, &write, &acquire, &waiting);
    printf("Rb size:%zu\tfree: %u\trptr: %u\tfreeptr: %u\twptr: %u, aptr: %u\n", ringbuf->size,
           (unsigned)xRingbufferGetCurFreeSize(ringbuf), read, free, write, acquire);
}

/* ---- sets ---- */

static BaseType_t change_set(RingbufHandle_t r, QueueSetHandle_t before, QueueSetHandle_t after)
{
    kernel_lock();
    bool may = r->set == before && r->waiting == 0;
    if (may) {
        r->set = after;
    }
    kernel_unlock();
    return may ? pdTRUE : pdFALSE;
}

BaseType_t xRingbufferAddToQueueSetRead(RingbufHandle_t ringbuf, QueueSetHandle_t set)
{
    kernel_check(ringbuf != NULL && set != NULL, "xRingbufferAddToQueueSetRead", "NULL");
    return change_set(ringbuf, NULL, set);
}

BaseType_t xRingbufferRemoveFromQueueSetRead(RingbufHandle_t ringbuf, QueueSetHandle_t set)
{
    kernel_check(ringbuf != NULL && set != NULL, "xRingbufferRemoveFromQueueSetRead", "NULL");
    return change_set(ringbuf, set, NULL);
}
