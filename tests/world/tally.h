/* Counts of what happened in all worlds of a run: what never happens proves nothing. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#define TALLY_QUIRKS_MAX   128
#define TALLY_TROUBLES_MAX 32

/* X(name, words) */
#define TALLY_EVENTS(X)                                                                                      \
    X(worlds, "worlds")                                                                                      \
    X(devices, "devices")                                                                                    \
    X(encrypted, "of them with encrypted flash")                                                             \
    X(by_boot, "of them by their first boot")                                                                \
    X(cuts_first, "power cuts in first boots")                                                               \
    X(steps, "steps")                                                                                        \
    X(boots, "boots")                                                                                        \
    X(begins, "updates begun")                                                                               \
    X(begin_refused, "begins that failed")                                                                   \
    X(resumes, "updates that went on where an earlier one stopped")                                          \
    X(performs, "calls of perform")                                                                          \
    X(download_failed, "downloads that failed")                                                              \
    X(finishes, "updates that finished")                                                                     \
    X(finish_refused, "finishes that failed")                                                                \
    X(old_refused, "images refused for their secure version")                                                \
    X(aborts, "aborts")                                                                                      \
    X(trials, "trials begun")                                                                                \
    X(confirms, "trials confirmed")                                                                          \
    X(rejects, "trials rejected by the application")                                                         \
    X(rollbacks, "trials that ended in the image before")                                                    \
    X(switches, "slots selected without an update")                                                          \
    X(burns, "eFuse burns")                                                                                  \
    X(cuts_boot, "power cuts in the bootloader")                                                             \
    X(cuts_download, "power cuts while downloading")                                                         \
    X(cuts_finish, "power cuts while finishing")                                                             \
    X(cuts_record, "power cuts while confirming, rejecting or selecting")                                    \
    X(cuts_burn, "power cuts while burning eFuses")                                                          \
    X(cuts_idle, "power cuts between operations")                                                            \
    X(faults, "flash operations that failed for once")                                                       \
    X(worn, "sectors worn out")                                                                              \
    X(requests, "requests answered")                                                                         \
    X(overtaken, "connections served before an older one")                                                   \
    X(late, "connections served when nobody waited any more")                                                \
    X(mixed_up, "late answers that came on another connection")                                              \
    X(nested, "waits in which another device went on")                                                       \
    X(flips_head, "bits changed in a head")                                                                  \
    X(flips_framing, "bits changed in the framing")                                                          \
    X(flips_first, "bits changed in an image's first bytes")                                                 \
    X(flips_flag, "times that the bit changed which says that there is a hash")                              \
    X(flips_body, "bits changed in a body")                                                                  \
    X(flips_request, "bits changed in a request")                                                            \
    X(publishes, "files changed on the server")                                                              \
    X(judged, "times the moment was judged")                                                                 \
    X(judged_loosely, "of them when any genuine image would do")                                             \
    X(copied, "updates that were staged and copied")                                                         \
    X(decrypted, "updates that were decrypted")                                                              \
    X(arrived, "devices that arrived at the last release")

typedef struct {
#define TALLY_FIELD(name, words) uint64_t name;
    TALLY_EVENTS(TALLY_FIELD)
#undef TALLY_FIELD
    uint64_t quirks[TALLY_QUIRKS_MAX], troubles[TALLY_TROUBLES_MAX];
} tally_t;
