/* FreeRTOS event groups: flags, waited for in the kernel. */
#include "freertos/event_groups.h"

#include <stdlib.h>

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
};

EventGroupHandle_t xEventGroupCreate(void)
{
    EventGroupHandle_t group = calloc(1, sizeof(*group));
    if (group != NULL) {
        kernel_condition_init(&group->changed);
    }
    return group;
}

void vEventGroupDelete(EventGroupHandle_t group)
{
    if (group != NULL) {
        pthread_cond_destroy(&group->changed);
        free(group);
    }
}

static bool satisfies(EventBits_t now, const bits_wait_t *wait)
{
    EventBits_t hit = now & wait->bits;
    return wait->all ? hit == wait->bits : hit != 0;
}

EventBits_t xEventGroupSetBits(EventGroupHandle_t group, EventBits_t bits)
{
    kernel_lock();
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
    EventBits_t now = group->bits;
    pthread_cond_broadcast(&group->changed);
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
}

/** A task deleted while it waits ends with the lock released, so the list is left under a lock of its own taking. */
static void leave_when_deleted(void *arg)
{
    kernel_lock();
    leave(arg);
    kernel_unlock();
}

EventBits_t xEventGroupWaitBits(EventGroupHandle_t group, EventBits_t bits, BaseType_t clear_on_exit,
                                BaseType_t wait_for_all, TickType_t ticks)
{
    bits_wait_t wait = {
        .bits = bits & ALL_BITS, .all = wait_for_all != pdFALSE, .clear = clear_on_exit != pdFALSE};
    kernel_lock();
    EventBits_t seen = group->bits;
    if (satisfies(seen, &wait)) {
        group->bits &= wait.clear ? ~wait.bits : ALL_BITS;
        kernel_unlock();
        return seen;
    }
    enlisted_t enlisted = {group, &wait};
    wait.next = group->waits;
    group->waits = &wait; // cppcheck-suppress autoVariables; leave() takes it out again
    pthread_cleanup_push(leave_when_deleted, &enlisted);
    seen = kernel_wait(&group->changed, is_answered, &wait, ticks) ? wait.seen : group->bits;
    pthread_cleanup_pop(0);
    leave(&enlisted);
    kernel_unlock();
    return seen;
}

EventBits_t xEventGroupGetBits(EventGroupHandle_t group)
{
    return xEventGroupClearBits(group, 0);
}
