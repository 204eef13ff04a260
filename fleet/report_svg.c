/* The curve for a browser: which release how many devices run, and what that costs the server. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "fleet/report.h"

#define WIDTH       960.0
#define HEIGHT      320.0
#define LEFT        60.0
#define TOP         40.0
#define LOAD_TOP    (TOP + HEIGHT + 50)
#define LOAD_HEIGHT 100.0
#define BOTTOM      (LOAD_TOP + LOAD_HEIGHT + 60)

static const char *const colors[FLEET_RELEASES_MAX] = {"#b8c4ce", "#3f8fc5", "#4caf50", "#9c6ade",
                                                       "#f0a830", "#2a9d8f", "#8d6e63", "#607d8b"};
#define FAILED_COLOR "#d64541"

static double x_of(const fleet_world_t *world, int64_t at_ms)
{
    const int64_t end = world->samples[world->sample_count - 1].at_ms;
    return LEFT + (end > 0 ? WIDTH * (double)at_ms / (double)end : 0);
}

static double y_of(const fleet_world_t *world, uint32_t devices)
{
    return TOP + HEIGHT - HEIGHT * devices / world->config.devices;
}

/** Devices in the layers from the newest release down to `layer`; one above all releases: and those that failed. */
static uint32_t up_to(const fleet_world_t *world, const fleet_sample_t *sample, uint32_t layer)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i <= layer && i < world->config.release_count; i++) {
        sum += sample->runs[world->config.release_count - 1 - i];
    }
    return layer >= world->config.release_count ? sum + sample->failed : sum;
}

/** Layers are drawn one over the other, the largest first. */
static void draw_layer(FILE *out, const fleet_world_t *world, uint32_t layer)
{
    const char *color =
        layer >= world->config.release_count ? FAILED_COLOR : colors[world->config.release_count - 1 - layer];
    fprintf(out, "<path fill=\"%s\" d=\"M%.1f,%.1f", color, LEFT, TOP + HEIGHT);
    for (uint32_t i = 0; i < world->sample_count; i++) {
        const fleet_sample_t *sample = &world->samples[i];
        fprintf(out, "L%.1f,%.1f", x_of(world, sample->at_ms), y_of(world, up_to(world, sample, layer)));
    }
    fprintf(out, "L%.1f,%.1fZ\"/>\n", LEFT + WIDTH, TOP + HEIGHT);
}

static void draw_line(FILE *out, double x, const char *color, const char *text, uint32_t number)
{
    fprintf(
        out,
        "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"%s\" stroke-dasharray=\"4 3\"/>\n", x,
        x, TOP - 6, TOP + HEIGHT, color);
    fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" fill=\"%s\" text-anchor=\"middle\">%s", x, TOP - 12, color,
            text);
    if (number > 0) {
        fprintf(out, " %" PRIu32, number);
    }
    fputs("</text>\n", out);
}

static void draw_events(FILE *out, const fleet_world_t *world)
{
    for (uint32_t r = 0; r < world->server.rollout_count; r++) {
        const fleet_rollout_t *rollout = &world->server.rollouts[r];
        for (uint32_t i = 0; i < rollout->plan.group_count; i++) {
            if (rollout->groups[i].progress != FLEET_WAITING) {
                draw_line(out, x_of(world, rollout->groups[i].started_ms), "#444", "group", i + 1);
            }
        }
        if (rollout->progress == FLEET_STOPPED) {
            draw_line(out, x_of(world, rollout->stopped_ms), FAILED_COLOR, "stopped", 0);
        }
    }
}

static uint64_t load_of(const fleet_world_t *world, uint32_t i)
{
    const fleet_sample_t *now = &world->samples[i], *before = &world->samples[i - 1];
    const int64_t ms = now->at_ms - before->at_ms;
    return ms > 0 ? (now->requests - before->requests) * 1000 / (uint64_t)ms : 0;
}

static void draw_load(FILE *out, const fleet_world_t *world)
{
    uint64_t most = 1;
    for (uint32_t i = 1; i < world->sample_count; i++) {
        most = load_of(world, i) > most ? load_of(world, i) : most;
    }
    fprintf(out,
            "<text x=\"%.1f\" y=\"%.1f\">requests a second, %" PRIu64 " at most over %" PRId64 " s</text>\n",
            LEFT, LOAD_TOP - 10, most, world->sample_step_ms / 1000);
    fprintf(out, "<polyline fill=\"none\" stroke=\"#3f8fc5\" points=\"");
    for (uint32_t i = 1; i < world->sample_count; i++) {
        fprintf(out, "%.1f,%.1f ", x_of(world, world->samples[i].at_ms),
                LOAD_TOP + LOAD_HEIGHT - LOAD_HEIGHT * (double)load_of(world, i) / (double)most);
    }
    fprintf(
        out,
        "\"/>\n<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"none\" stroke=\"#999\"/>\n",
        LEFT, LOAD_TOP, WIDTH, LOAD_HEIGHT);
}

static void draw_legend(FILE *out, const fleet_world_t *world)
{
    double x = LEFT;
    for (uint32_t i = 0; i <= world->config.release_count; i++) {
        const bool failed = i == world->config.release_count;
        fprintf(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"12\" height=\"12\" fill=\"%s\"/>\n", x, BOTTOM - 30,
                failed ? FAILED_COLOR : colors[i]);
        fprintf(out, "<text x=\"%.1f\" y=\"%.1f\">%s%s</text>\n", x + 18, BOTTOM - 20,
                failed ? "the update failed: runs what it had" : "runs ",
                failed ? "" : world->config.releases[i].version);
        x += 130;
    }
}

void fleet_report_svg(FILE *out, const fleet_world_t *world)
{
    const int64_t end_s = world->samples[world->sample_count - 1].at_ms / 1000;
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" font-family=\"sans-serif\" "
            "font-size=\"13\">\n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
            LEFT + WIDTH + 30, BOTTOM);
    for (uint32_t i = world->config.release_count + 1; i-- > 0;) {
        draw_layer(out, world, i);
    }
    draw_events(out, world);
    fprintf(out,
            "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"none\" stroke=\"#999\"/>\n",
            LEFT, TOP, WIDTH, HEIGHT);
    fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%" PRIu32 "</text>\n", LEFT - 6, TOP + 10,
            world->config.devices);
    fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">0</text>\n", LEFT - 6, TOP + HEIGHT);
    fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%" PRId64 ":%02d:%02d</text>\n",
            LEFT + WIDTH, TOP + HEIGHT + 18, end_s / 3600, (int)(end_s / 60 % 60), (int)(end_s % 60));
    fprintf(out, "<text x=\"%.1f\" y=\"%.1f\">0:00:00</text>\n", LEFT, TOP + HEIGHT + 18);
    draw_load(out, world);
    draw_legend(out, world);
    fputs("</svg>\n", out);
}
