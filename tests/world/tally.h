/* Counts of what happened in all worlds of a run: what never happens proves nothing. */
#pragma once

#include <stdint.h>

#define TALLY_QUIRKS_MAX 96

/* X(name, words) */
#define TALLY_EVENTS(X)                                                                                      \
    X(worlds, "worlds")                                                                                      \
    X(devices, "devices")                                                                                    \
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
    X(connects_refused, "connections refused")                                                               \
    X(requests, "requests answered")                                                                         \
    X(publishes, "files changed on the server")                                                              \
    X(judged, "times the moment was judged")                                                                 \
    X(arrived, "devices that arrived at the last release")

typedef struct {
#define TALLY_FIELD(name, words) uint64_t name;
    TALLY_EVENTS(TALLY_FIELD)
#undef TALLY_FIELD
    uint64_t quirks[TALLY_QUIRKS_MAX];
} tally_t;
