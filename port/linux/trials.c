/* A short list, the last trial first. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/trials.h"

#include <stdio.h>
#include <string.h>

uint32_t trials_note(trials_t *trials, const char *version, bool confirmed)
{
    uint32_t at = 0;
    while (at < TRIALS_MAX - 1 && strcmp(trials->versions[at].version, version) != 0) {
        at++;
    }
    bool known = strcmp(trials->versions[at].version, version) == 0;
    uint32_t failures = known ? trials->versions[at].failures : 0;
    memmove(&trials->versions[1], &trials->versions[0], at * sizeof(trials->versions[0]));
    snprintf(trials->versions[0].version, sizeof(trials->versions[0].version), "%s", version);
    trials->versions[0].failures = confirmed ? 0 : failures + 1;
    return trials->versions[0].failures;
}
