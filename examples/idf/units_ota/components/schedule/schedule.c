/* Waits that double. */
#include "schedule.h"

uint32_t schedule_next_s(const schedule_t *schedule, uint32_t failures)
{
    if (failures == 0) {
        return schedule->limit_s;
    }
    uint32_t wait_s = schedule->first_s;
    while (--failures > 0 && wait_s < schedule->limit_s) {
        wait_s = wait_s > schedule->limit_s / 2 ? schedule->limit_s : wait_s * 2;
    }
    return wait_s < schedule->limit_s ? wait_s : schedule->limit_s;
}
