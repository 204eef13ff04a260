/* Rollouts, load and verdict in words, and the curve of characters. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "otter/text.h"

#define COLUMNS 72u
#define ROWS    12u
#define LAYERS  (FLEET_RELEASES_MAX + 1) /* the releases, and what failed */

static const char marks[LAYERS + 1] = ".o#%@*+=x";

/** "0:05:04" */
static const char *clock_text(int64_t ms, char buf[24])
{
    const int64_t s = ms / 1000;
    snprintf(buf, 24, "%" PRId64 ":%02d:%02d", s / 3600, (int)(s / 60 % 60), (int)(s % 60));
    return buf;
}

/** "10,000" */
static const char *count_text(uint64_t count, char buf[28])
{
    char digits[24];
    const int len = snprintf(digits, sizeof(digits), "%" PRIu64, count);
    char *to = buf;
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0) {
            *to++ = ',';
        }
        *to++ = digits[i];
    }
    *to = '\0';
    return buf;
}

/* ---- the curve ---- */

static void layers_of(const fleet_world_t *world, const fleet_sample_t *sample, uint32_t layers[LAYERS])
{
    memset(layers, 0, LAYERS * sizeof(layers[0]));
    for (uint32_t i = 0; i < world->config.release_count; i++) { /* the newest one lies lowest */
        layers[i] = sample->runs[world->config.release_count - 1 - i];
    }
    layers[LAYERS - 1] = sample->failed;
}

static char mark_of(const fleet_world_t *world, uint32_t layer)
{
    const uint32_t count = world->config.release_count;
    return layer >= count ? marks[LAYERS - 1] : marks[count - 1 - layer];
}

/** One column from its foot up; what is there at all has one cell or more. */
static void draw_column(const fleet_world_t *world, const fleet_sample_t *sample, char column[ROWS])
{
    uint32_t layers[LAYERS], seen = 0, row = 0;
    memset(column, ' ', ROWS);
    layers_of(world, sample, layers);
    for (uint32_t i = 0; i < LAYERS; i++) {
        seen += layers[i];
        uint32_t end =
            (uint32_t)(((uint64_t)seen * ROWS + world->config.devices / 2) / world->config.devices);
        if (layers[i] > 0 && end <= row) {
            end = row + 1;
        }
        if (i == LAYERS - 1 && layers[i] > 0 && row >= ROWS) {
            row = ROWS - 1;
        }
        while (row < end && row < ROWS) {
            column[row++] = mark_of(world, i);
        }
    }
}

static int64_t end_of(const fleet_world_t *world)
{
    const int64_t end = world->sample_count > 0 ? world->samples[world->sample_count - 1].at_ms : 0;
    return end > 0 ? end : 1;
}

static uint32_t column_of(const fleet_world_t *world, int64_t at_ms)
{
    const int64_t column = at_ms * COLUMNS / end_of(world);
    return column < COLUMNS ? (uint32_t)column : COLUMNS - 1;
}

/** The starts of groups, and where a rollout stopped. */
static void draw_marks(FILE *out, const fleet_world_t *world)
{
    char line[COLUMNS + 1];
    memset(line, ' ', COLUMNS);
    line[COLUMNS] = '\0';
    for (uint32_t r = 0; r < world->server.rollout_count; r++) {
        const fleet_rollout_t *rollout = &world->server.rollouts[r];
        for (uint32_t i = 0; i < rollout->plan.group_count; i++) {
            if (rollout->groups[i].progress != FLEET_WAITING) {
                line[column_of(world, rollout->groups[i].started_ms)] = (char)(i < 9 ? '1' + (int)i : '+');
            }
        }
        if (rollout->progress == FLEET_STOPPED) {
            line[column_of(world, rollout->stopped_ms)] = '!';
        }
    }
    fprintf(out, "       %s  a group starts; ! it stops\n", line);
}

static void draw_legend(FILE *out, const fleet_world_t *world)
{
    fprintf(out, "       ");
    for (uint32_t i = 0; i < world->config.release_count; i++) {
        fprintf(out, "%c runs %s   ", marks[i], world->config.releases[i].version);
    }
    fprintf(out, "x runs what it had: the update failed\n");
}

void fleet_report_curve(FILE *out, const fleet_world_t *world)
{
    static char columns[COLUMNS][ROWS];
    char from[24], until[24];
    if (world->sample_count == 0) {
        return;
    }
    for (uint32_t c = 0; c < COLUMNS; c++) {
        const uint32_t at = (uint32_t)((uint64_t)c * world->sample_count / COLUMNS);
        draw_column(world, &world->samples[c + 1 == COLUMNS ? world->sample_count - 1 : at], columns[c]);
    }
    for (uint32_t row = ROWS; row-- > 0;) {
        fprintf(out, "%4s |", row == ROWS - 1 ? "100%" : row == 0 ? "0%" : "");
        for (uint32_t c = 0; c < COLUMNS; c++) {
            fputc(columns[c][row], out);
        }
        fputs("|\n", out);
    }
    draw_marks(out, world);
    fprintf(out, "       %-*s%s\n", (int)(COLUMNS - 8), clock_text(0, from),
            clock_text(end_of(world), until));
    draw_legend(out, world);
}

/* ---- rollouts ---- */

static int compare_times(const void *a, const void *b)
{
    int64_t left, right;
    memcpy(&left, a, sizeof(left));
    memcpy(&right, b, sizeof(right));
    return left < right ? -1 : left > right;
}

bool fleet_report_times(const fleet_world_t *world, uint32_t rollout, fleet_times_t *times)
{
    const fleet_server_t *server = &world->server;
    int64_t *all = malloc((server->action_count + 1) * sizeof(*all));
    uint32_t count = 0;
    *times = (fleet_times_t){0};
    if (all == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < server->action_count; i++) {
        const fleet_action_t *action = &server->actions[i];
        if (action->rollout == rollout && !fleet_action_is_open(action)) {
            all[count++] = action->ended_ms - action->assigned_ms;
        }
    }
    if (count > 0) {
        qsort(all, count, sizeof(*all), compare_times);
        *times = (fleet_times_t){all[count / 2], all[(uint64_t)count * 95 / 100], all[count - 1]};
    }
    free(all);
    return true;
}

static const char *fate_of(const fleet_rollout_t *rollout)
{
    if (rollout->progress == FLEET_STOPPED) {
        return "stopped by itself";
    }
    return rollout->progress == FLEET_ENDED ? "done" : "not done yet";
}

static bool print_rollout(FILE *out, const fleet_world_t *world, uint32_t number)
{
    const fleet_rollout_t *rollout = &world->server.rollouts[number];
    fleet_times_t times;
    char a[28], b[28], c[28];
    fprintf(out, "\n%s: %s%s%s\n", rollout->plan.release->version, fate_of(rollout),
            rollout->why[0] != '\0' ? ": " : "", rollout->why);
    fprintf(out, "  group   devices      starts        ends   success   failure\n");
    for (uint32_t i = 0; i < rollout->plan.group_count; i++) {
        const fleet_group_t *group = &rollout->groups[i];
        const bool waits = group->progress == FLEET_WAITING, ended = group->progress == FLEET_ENDED;
        fprintf(out, "  %5" PRIu32 " %9s %11s %11s %9" PRIu32 " %9" PRIu32 "\n", i + 1,
                count_text(group->count, a), waits ? "never" : clock_text(group->started_ms, b),
                ended ? clock_text(group->ended_ms, c) : "-", group->finished, group->failed);
    }
    if (!fleet_report_times(world, number, &times)) {
        return false;
    }
    fprintf(out,
            "  from its assignment to its last word a device took %s (half of them), %s (95 of 100), %s (the "
            "slowest)\n",
            clock_text(times.median, a), clock_text(times.most_of_all, b), clock_text(times.longest, c));
    return true;
}

/* ---- load and verdict ---- */

static void print_load(FILE *out, const fleet_world_t *world)
{
    const fleet_load_t *load = &world->server.load;
    const int64_t seconds = world->now_ms / 1000 + 1;
    char a[28], b[28], c[28];
    fprintf(out, "\nthe server had %s requests, %.1f in a second, %" PRIu32 " in the busiest (%s)\n",
            count_text(load->requests, a), (double)load->requests / (double)seconds, load->most_requests,
            clock_text(load->most_requests_ms, b));
    fprintf(out, "  of these %s polls, %" PRIu32 " in the busiest second (%s), and %s downloads, %.1f MiB\n",
            count_text(load->polls, a), load->most_polls, clock_text(load->most_polls_ms, b),
            count_text(load->downloads, c), (double)world->bytes / (1 << 20));
    if (load->refused > 0) {
        fprintf(out, "  %s were refused, as there were too many\n", count_text(load->refused, a));
    }
    fprintf(out, "what went wrong on the way: %s power cuts, ", count_text(world->cuts, a));
    fprintf(out, "%s requests lost, %s answers lost, %s cut in half, ", count_text(world->lost_requests, a),
            count_text(world->lost_answers, b), count_text(world->half_answers, c));
    fprintf(out, "%s times a download broke\n", count_text(world->broken_downloads, a));
}

static void print_verdict(FILE *out, const fleet_world_t *world)
{
    const fleet_verdict_t *verdict = &world->verdict;
    char a[28], b[28];
    fprintf(out, "\nchecked against the flash of each device:\n");
    fprintf(out, "  %s installs; for one action more than once: %" PRIu32 "\n",
            count_text(world->installs - world->trials_again, a), verdict->installed_twice);
    if (world->trials_again > 0) {
        fprintf(out, "  trials begun again, as power went while their record was written: %s\n",
                count_text(world->trials_again, a));
    }
    fprintf(out, "  %s last words, success only of what ran and was confirmed then; lies: %" PRIu32 "\n",
            count_text(verdict->closings, b), verdict->lies);
    fprintf(out,
            "  devices of which the server says at the end what is not so: %" PRIu32
            "; that do not boot: %" PRIu32 "\n",
            verdict->untrue, verdict->dead);
    fprintf(out, "  requests that no device should send: %" PRIu64 "%s%s\n", world->server.complaints,
            world->server.complaints > 0 ? ", first " : "", world->server.complaint);
    if (verdict->first[0] != '\0') {
        fprintf(out, "  the first thing that went wrong: %s\n", verdict->first);
    }
    if (!world->over) {
        fprintf(out, "  it has not ended within the days that were simulated: %" PRIu32 " actions are open\n",
                verdict->open);
    }
}

bool fleet_report_text(FILE *out, const fleet_world_t *world)
{
    char a[28];
    fprintf(out, "%s devices that run %s, seed %" PRIu32 "\n\n", count_text(world->config.devices, a),
            world->config.releases[0].version, world->config.seed);
    fleet_report_curve(out, world);
    for (uint32_t i = 0; i < world->server.rollout_count; i++) {
        if (!print_rollout(out, world, i)) {
            return false;
        }
    }
    print_load(out, world);
    print_verdict(out, world);
    return true;
}
