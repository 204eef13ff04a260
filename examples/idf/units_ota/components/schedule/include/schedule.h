/* How long to wait before the next look for an update. */
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    uint32_t first_s; /* after the first failure; above 0 */
    uint32_t limit_s; /* never longer than this */
} schedule_t;

/** Seconds after `failures` in a row: doubled by each, up to the limit. Without a failure it is the limit. */
uint32_t schedule_next_s(const schedule_t *schedule, uint32_t failures);

#ifdef __cplusplus
}
#endif
