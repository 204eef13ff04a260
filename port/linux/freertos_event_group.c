/* FreeRTOS event groups: flags, waited for in the kernel. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "freertos/event_groups.h"

#include <stdlib.h>
#include <string.h>

#include "linux/freertos_kernel.h"

#define ALL_BITS 0x00FFFFFFu /* FreeRTOS keeps the upper eight for itself */

/** A wait that a later SetBits may answer; lives on the waiting task's stack. */
typedef struct bits_wait {
    struct bits_wait *next;
    EventBits_t bits;
    bool all, clear;
    bool answered;
    EventBits_t seen; /* the flags at the moment of the answer */
} bits_wait_t;

struct EventGroupDef_t {
    pthread_cond_t changed;
    EventBits_t bits;
    bits_wait_t *waits;
    bool is_static; /* its memory is the caller's */
    bool deleted;   /* the last one that leaves its wait frees it */
};

_Static_assert(sizeof(struct EventGroupDef_t) <= sizeof(StaticEventGroup_t),
               "it fits where programs keep one");
_Static_assert(_Alignof(struct EventGroupDef_t) == _Alignof(StaticEventGroup_t), "and lies right there");

EventGroupHandle_t xEventGroupCreate(void)
{
    EventGroupHandle_t group = calloc(1, sizeof(*group));
    if (group != NULL) {
        kernel_condition_init(&group->changed);
    }
    return group;
}

EventGroupHandle_t xEventGroupCreateStatic(StaticEventGroup_t *buffer)
{
    EventGroupHandle_t group = (EventGroupHandle_t)(void *)buffer;
    if (group != NULL) {
        memset(group, 0, sizeof(*group));
        group->is_static = true;
        kernel_condition_init(&group->changed);
    }
    return group;
}

/** With the lock held: one that is deleted and that nobody waits for any more. */
static void free_unused(EventGroupHandle_t group)
{
    if (group->deleted && group->waits == NULL) {
        pthread_cond_destroy(&group->changed);
        if (!group->is_static) {
            free(group);
        }
    }
}

void vEventGroupDelete(EventGroupHandle_t group)
{
    if (group == NULL) {
        return;
    }
    kernel_lock();
    group->deleted = true;
    for (bits_wait_t *wait = group->waits; wait != NULL; wait = wait->next) {
        wait->answered = true;
        wait->seen = 0;
    }
    pthread_cond_broadcast(&group->changed);
    free_unused(group);
    kernel_unlock();
}

static bool satisfies(EventBits_t now, const bits_wait_t *wait)
{
    EventBits_t hit = now & wait->bits;
    return wait->all ? hit == wait->bits : hit != 0;
}

/** With the lock held. */
static void set_bits(EventGroupHandle_t group, EventBits_t bits)
{
    group->bits |= bits & ALL_BITS;
    /* As in FreeRTOS, one set answers every wait that it satisfies, and only then the flags are cleared for them. */
    EventBits_t clear = 0;
    for (bits_wait_t *wait = group->waits; wait != NULL; wait = wait->next) {
        if (!wait->answered && satisfies(group->bits, wait)) {
            wait->answered = true;
            wait->seen = group->bits;
            clear |= wait->clear ? wait->bits : 0;
        }
    }
    group->bits &= ~clear;
    pthread_cond_broadcast(&group->changed);
}

EventBits_t xEventGroupSetBits(EventGroupHandle_t group, EventBits_t bits)
{
    kernel_lock();
    set_bits(group, bits);
    EventBits_t now = group->bits;
    kernel_unlock();
    return now;
}

EventBits_t xEventGroupClearBits(EventGroupHandle_t group, EventBits_t bits)
{
    kernel_lock();
    EventBits_t before = group->bits;
    group->bits &= ~bits;
    kernel_unlock();
    return before;
}

static bool is_answered(const void *object)
{
    return ((const bits_wait_t *)object)->answered;
}

typedef struct {
    EventGroupHandle_t group;
    bits_wait_t *wait;
} enlisted_t;

static void leave(void *arg)
{
    enlisted_t *enlisted = arg;
    for (bits_wait_t **link = &enlisted->group->waits; *link != NULL; link = &(*link)->next) {
        if (*link == enlisted->wait) {
            *link = enlisted->wait->next;
            break;
        }
    }
    free_unused(enlisted->group);
}

/** A task deleted while it waits ends with the lock released, so the list is left under a lock of its own taking. */
static void leave_when_deleted(void *arg)
{
    kernel_lock();
    leave(arg);
    kernel_unlock();
}

/** With the lock held. @return the flags when the wait ended */
static EventBits_t wait_for(EventGroupHandle_t group, bits_wait_t *wait, TickType_t ticks)
{
    EventBits_t seen = group->bits;
    if (satisfies(seen, wait)) {
        group->bits &= wait->clear ? ~wait->bits : ALL_BITS;
        return seen;
    }
    enlisted_t enlisted = {group, wait};
    wait->next = group->waits;
    group->waits = wait;
    pthread_cleanup_push(leave_when_deleted, &enlisted);
    seen = kernel_wait(&group->changed, is_answered, wait, ticks) ? wait->seen : group->bits;
    pthread_cleanup_pop(0);
    leave(&enlisted);
    return seen;
}

EventBits_t xEventGroupWaitBits(EventGroupHandle_t group, EventBits_t bits, BaseType_t clear_on_exit,
                                BaseType_t wait_for_all, TickType_t ticks)
{
    bits_wait_t wait = {
        .bits = bits & ALL_BITS, .all = wait_for_all != pdFALSE, .clear = clear_on_exit != pdFALSE};
    kernel_lock();
    EventBits_t seen = wait_for(group, &wait, ticks);
    kernel_unlock();
    return seen;
}

EventBits_t xEventGroupSync(EventGroupHandle_t group, EventBits_t set, EventBits_t bits, TickType_t ticks)
{
    bits_wait_t wait = {.bits = bits & ALL_BITS, .all = true, .clear = true};
    kernel_lock();
    /* Other waits may clear flags that this rendezvous needs, so it is decided here, with the flags as they are set. */
    EventBits_t seen = group->bits | (set & ALL_BITS);
    set_bits(group, set);
    if (satisfies(seen, &wait)) {
        group->bits &= ~wait.bits;
    } else {
        seen = wait_for(group, &wait, ticks);
    }
    kernel_unlock();
    return seen;
}

EventBits_t xEventGroupGetBits(EventGroupHandle_t group)
{
    return xEventGroupClearBits(group, 0);
}

BaseType_t xEventGroupSetBitsFromISR(EventGroupHandle_t group, EventBits_t bits, BaseType_t *woken)
{
    (void)woken;
    (void)xEventGroupSetBits(group, bits);
    return pdPASS;
}

BaseType_t xEventGroupClearBitsFromISR(EventGroupHandle_t group, EventBits_t bits)
{
    (void)xEventGroupClearBits(group, bits);
    return pdPASS;
}
