/* What a real server was asked, how it answered, and what came of it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "fleet/report.h"

void fleet_report_live(FILE *out, fleet_live_t *live)
{
    const fleet_world_t *world = live->world;
    const fleet_verdict_t *verdict = &world->verdict;
    const double seconds = (double)(world->now_ms > 0 ? world->now_ms : 1) / 1000;
    uint32_t times[3];
    fleet_live_times(live, times);
    fprintf(out, "%" PRIu32 " devices against %s, %.0f s\n\n", world->config.devices, world->server.base,
            seconds);
    fleet_report_curve(out, world);
    fprintf(out,
            "\nthe server knows of %" PRIu32 " devices how an action ended: %" PRIu32
            " with success, %" PRIu32 " with a failure\n",
            live->succeeded + live->failed, live->succeeded, live->failed);
    fprintf(out, "it had %" PRIu64 " requests, %.1f in a second, and %" PRIu64 " downloads, %.1f MiB\n",
            world->server.load.requests, (double)world->server.load.requests / seconds,
            world->server.load.downloads, (double)world->bytes / (1 << 20));
    fprintf(out,
            "  answers: %" PRIu64 " good (2xx), %" PRIu64 " refused (4xx, of these %" PRIu64
            " as too many), %" PRIu64 " failed (5xx), %" PRIu64 " others; none came to %" PRIu64 "\n",
            live->answers[2], live->answers[4], live->refused, live->answers[5],
            live->answers[1] + live->answers[3], live->answers[0]);
    fprintf(out,
            "  half of them were there within %" PRIu32 " ms, 95 of 100 within %" PRIu32
            " ms, all within %" PRIu32 " ms\n",
            times[0], times[1], times[2]);
    fprintf(out,
            "  %" PRIu64 " times a download broke; %" PRIu64 " power cuts, %" PRIu64
            " answers lost, as was asked for\n",
            world->broken_downloads, world->cuts, world->lost_answers);
    fprintf(out,
            "\nchecked against the flash of each device:\n  %" PRIu64
            " installs; for one action more than once: %" PRIu32 "; devices that do not boot: %" PRIu32 "\n",
            world->installs - world->trials_again, verdict->installed_twice, verdict->dead);
    fprintf(out,
            "  %" PRIu64
            " last words were sent, success only by what ran and was confirmed then; lies: %" PRIu32 "\n",
            verdict->closings, verdict->lies);
    if (verdict->first[0] != '\0') {
        fprintf(out, "  the first thing that went wrong: %s\n", verdict->first);
    }
}
