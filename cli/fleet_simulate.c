/* otter fleet simulate: a rollout to thousands of devices, on a clock of its own. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "esp_log.h"
#include "fleet/live.h"
#include "fleet/release.h"
#include "fleet/report.h"
#include "fleet_json.h"
#include "fleet_live.h"
#include "fleet_svg.h"
#include "host/named_file.h"
#include "host/number.h"
#include "linux/interrupt.h"
#include "otter/system.h"

#define VERB              "fleet simulate"
#define STEP_MS           10000 /* of the simulated clock, between two looks at the other one */
#define TELL_US           1000000
#define PLAIN_TELL_US     5000000
#define VERSION_MAX       31u
#define PREFIX_MAX        64u
#define LIVE_SELF_TEST_MS 2000 /* real time is dear */
#define NOT_SAID          UINT32_MAX
#define NAME_CHARACTERS   "0123456789.-_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

typedef struct {
    fleet_world_config_t world;
    fleet_live_options_t live;
    const char *svg;
    uint64_t image_size;
    uint32_t lose;
    bool json, quiet;
} simulate_options_t;

/* ---- values ---- */

static bool has_only(const char *text, const char *characters)
{
    return text[0] != '\0' && text[strspn(text, characters)] == '\0';
}

static bool add_release(const char *text, fleet_world_config_t *world, bool crashes, char *why)
{
    if (strlen(text) > VERSION_MAX || !has_only(text, NAME_CHARACTERS)) {
        return false;
    }
    if (world->release_count == 0) {
        world->releases[world->release_count++].version = "1.0.0";
    }
    for (uint32_t i = 0; i < world->release_count; i++) {
        if (strcmp(world->releases[i].version, text) == 0) {
            snprintf(why, OPTIONS_WHY_SIZE, "there is a release %s already%s", text,
                     i == 0 ? ": the one that all devices run at first" : "");
            return false;
        }
    }
    if (world->release_count == FLEET_RELEASES_MAX) {
        snprintf(why, OPTIONS_WHY_SIZE, "there are at most %u releases", FLEET_RELEASES_MAX - 1);
        return false;
    }
    world->releases[world->release_count].version = text;
    world->releases[world->release_count++].crashes = crashes;
    return true;
}

static bool take_release(const char *text, void *target, const option_row_t *row, char *why)
{
    (void)row;
    return add_release(text, target, false, why);
}

static bool take_bad_release(const char *text, void *target, const option_row_t *row, char *why)
{
    (void)row;
    return add_release(text, target, true, why);
}

/** "5,20,75": percents that are 100 together. @return how many; 0: they are not */
static uint32_t take_percents(const char *text, uint32_t *percents, uint32_t most)
{
    uint32_t count = 0, sum = 0;
    for (const char *at = text; count < most; count++) {
        char digits[4] = "";
        const size_t len = strcspn(at, ",");
        uint64_t value;
        if (len >= sizeof(digits)) {
            return 0;
        }
        memcpy(digits, at, len);
        if (!number_parse(digits, 1, 100, &value)) {
            return 0;
        }
        percents[count] = (uint32_t)value;
        sum += (uint32_t)value;
        if (at[len] == '\0') {
            return sum == 100 ? count + 1 : 0;
        }
        at += len + 1;
    }
    return 0;
}

static bool take_groups(const char *text, void *target, const option_row_t *row, char *why)
{
    fleet_plan_t *plan = target;
    (void)row, (void)why;
    plan->group_count = take_percents(text, plan->percent, FLEET_GROUPS_MAX);
    return plan->group_count > 0;
}

/** "wifi=80,nb=20" */
static bool take_links(const char *text, void *target, const option_row_t *row, char *why)
{
    uint32_t *percents = target, sum = 0;
    (void)row, (void)why;
    memset(percents, 0, FLEET_LINKS * sizeof(*percents));
    for (const char *at = text; *at != '\0';) {
        const size_t len = strcspn(at, "="), end = strcspn(at, ",");
        char digits[4] = "";
        uint32_t link = 0;
        uint64_t value;
        while (link < FLEET_LINKS &&
               (strlen(fleet_links[link].name) != len || strncmp(fleet_links[link].name, at, len) != 0)) {
            link++;
        }
        if (link == FLEET_LINKS || end <= len || end - len - 1 >= sizeof(digits)) {
            return false;
        }
        memcpy(digits, at + len + 1, end - len - 1);
        if (!number_parse(digits, 0, 100, &value)) {
            return false;
        }
        percents[link] = (uint32_t)value;
        sum += (uint32_t)value;
        at += end + (at[end] == ',');
    }
    return sum == 100;
}

/** "0.5" as hundredths. */
static bool take_hundredths(const char *text, void *target, const option_row_t *row, char *why)
{
    char whole[16] = "", part[3] = "00";
    const size_t len = strcspn(text, ".");
    const char *behind = text[len] == '.' ? text + len + 1 : "";
    uint64_t high, low;
    (void)why;
    if (len >= sizeof(whole) || strlen(behind) > 2 || (text[len] == '.' && behind[0] == '\0') ||
        strspn(behind, "0123456789") != strlen(behind)) {
        return false;
    }
    memcpy(whole, text, len);
    memcpy(part, behind, strlen(behind));
    low = (uint64_t)(part[0] - '0') * 10 + (uint64_t)(part[1] - '0');
    if (!number_parse(whole, 0, row->max, &high) || high * 100 + low > row->max * 100) {
        return false;
    }
    *(uint32_t *)target = (uint32_t)(high * 100 + low);
    return true;
}

static bool take_prefix(const char *text, void *target, const option_row_t *row, char *why)
{
    (void)row, (void)why;
    *(const char **)target = text;
    return strlen(text) <= PREFIX_MAX && has_only(text, NAME_CHARACTERS);
}

static const option_kind_t kind_prefix = {"PREFIX", "at most 64 letters, digits, '.', '-' and '_'",
                                          take_prefix, NULL, NULL};
static const option_kind_t kind_release = {
    "VERSION", "a version of at most 31 letters, digits, '.', '-' and '_'", take_release, NULL, NULL};
static const option_kind_t kind_bad_release = {
    "VERSION", "a version of at most 31 letters, digits, '.', '-' and '_'", take_bad_release, NULL, NULL};
static const option_kind_t kind_groups = {"PERCENTS", "at most 16 percents that are 100 together, as 5,20,75",
                                          take_groups, NULL, NULL};
static const option_kind_t kind_links = {
    "LINKS", "shares that are 100 together of lan, wifi, lte and nb, as wifi=80,nb=20", take_links, NULL,
    NULL};
static const option_kind_t kind_hundredths = {"NUMBER", "a number with at most two digits behind its point",
                                              take_hundredths, NULL, NULL};

/* ---- the run ---- */

static void tell_progress(const fleet_world_t *world, int64_t since_us)
{
    uint32_t ended = 0, open = 0;
    for (uint32_t i = 0; i < world->server.action_count; i++) {
        const bool is_open = fleet_action_is_open(&world->server.actions[i]);
        open += is_open;
        ended += !is_open;
    }
    const bool terminal = isatty(STDERR_FILENO) == 1;
    const int64_t s = world->now_ms / 1000;
    fprintf(stderr,
            "%s%" PRId64 ":%02d:%02d simulated in %d s: %" PRIu32 " updates ended, %" PRIu32 " under way%s",
            terminal ? "\r\033[K" : "", s / 3600, (int)(s / 60 % 60), (int)(s % 60),
            (int)((otter_now_us() - since_us) / 1000000), ended, open, terminal ? "" : "\n");
}

/** @return false: a signal came */
static bool simulate(fleet_world_t *world, bool quiet)
{
    const int64_t since_us = otter_now_us();
    int64_t tell_us = since_us + TELL_US;
    bool told = false;
    while (fleet_world_run(world, world->now_ms + STEP_MS) && interrupt_came() == INTERRUPT_NONE) {
        if (!quiet && otter_now_us() >= tell_us) {
            tell_progress(world, since_us);
            tell_us = otter_now_us() + (isatty(STDERR_FILENO) == 1 ? TELL_US : PLAIN_TELL_US);
            told = true;
        }
    }
    if (told && isatty(STDERR_FILENO) == 1) {
        fputs("\r\033[K", stderr);
    }
    return interrupt_came() == INTERRUPT_NONE;
}

static int report(fleet_world_t *world, const simulate_options_t *o)
{
    const bool good = fleet_world_judge(world);
    if (o->svg != NULL && !fleet_write_svg(VERB, o->svg, world)) {
        return EXIT_FAILED;
    }
    const int printed =
        o->json ? fleet_json_print(VERB, world, good)
                : (fleet_report_text(stdout, world) ? EXIT_DONE : cli_fail(VERB, "out of memory"));
    if (printed != EXIT_DONE) {
        return printed;
    }
    if (!good) {
        return cli_fail(VERB, "something was found that must not be");
    }
    return world->over
               ? EXIT_DONE
               : cli_fail(VERB, "it has not ended in %" PRIu32 " days: --days gives it more", o->world.days);
}

static int simulate_run(void *options)
{
    simulate_options_t *o = options;
    char why[OPTIONS_WHY_SIZE] = "";
    if (o->svg != NULL && o->json && cli_is_standard_output(o->svg)) {
        return cli_usage(VERB, "--json and --svg - cannot both go to standard output");
    }
    if (o->live.server != NULL && o->world.release_count == 0) {
        o->world.releases[o->world.release_count++].version = "1.0.0";
    } else if (o->world.release_count == 0 && !add_release("2.0.0", &o->world, true, why)) {
        return cli_usage(VERB, "%s", why);
    }
    if (o->lose != NOT_SAID || o->live.server != NULL) { /* a real server's answers get lost by themselves */
        o->world.lose = o->lose != NOT_SAID ? o->lose : 0;
    }
    o->world.self_test_ms = o->live.server != NULL ? LIVE_SELF_TEST_MS : o->world.self_test_ms;
    o->world.image_size = (uint32_t)o->image_size;
    esp_log_level_set("*", ESP_LOG_NONE); /* thousands of bootloaders would speak */
    interrupt_catch();
    if (o->live.server != NULL) {
        return o->json ? cli_usage(VERB, "--json is of a simulated server")
                       : fleet_live_simulate(VERB, &o->live, &o->world, o->svg, o->quiet);
    }
    fleet_world_t *world = calloc(1, sizeof(*world));
    if (world == NULL) {
        return cli_fail(VERB, "out of memory");
    }
    int status = EXIT_FAILED;
    if (!fleet_world_open(world, &o->world)) {
        status = cli_fail(VERB, "there is no memory for %" PRIu32 " devices", o->world.devices);
    } else if (simulate(world, o->quiet)) {
        status = report(world, o);
    } else {
        status = cli_fail(VERB, "interrupted before its end");
    }
    fleet_world_close(world);
    free(world);
    return status;
}

#define AT(member) offsetof(simulate_options_t, world.member)

static const option_row_t rows[] = {
    {.help = "the fleet:"},
    {"devices", &option_number, AT(devices), .help = "how many, each in 12 KiB of memory (default 1000)",
     .min = 1, .max = FLEET_DEVICES_MAX, .value = "NUMBER"},
    {"seed", &option_number, AT(seed),
     .help = "of all that is left to chance: the same again with the same (default 1)", .max = UINT32_MAX,
     .value = "NUMBER"},
    {"poll", &option_number, AT(poll_s), .help = "seconds between two polls of a device (default 300)",
     .min = 10, .max = 604800, .value = "SECONDS"},
    {"links", &kind_links, AT(link_percent),
     .help = "percents of lan (5 ms, 5 MB/s), wifi (40 ms, 500 KB/s), lte (150 ms, 100 KB/s, loses 1 %) and "
             "nb (2 s, "
             "4 KB/s, loses 5 %); default lan=10,wifi=60,lte=25,nb=5"},
    {"image-size", &option_size, offsetof(simulate_options_t, image_size),
     .help = "of a release (default 64K)", .min = FLEET_IMAGE_MIN, .max = FLEET_IMAGE_MAX},
    {.help = "the plan:"},
    {"release", &kind_release, offsetof(simulate_options_t, world),
     .help = "a release to roll out; more of them follow each other. At first all devices run 1.0.0"},
    {"bad-release", &kind_bad_release, offsetof(simulate_options_t, world),
     .help = "the same of one that crashes on the boards of one revision; default, where no release is "
             "named: 2.0.0"},
    {"bad", &option_number, AT(bad_percent),
     .help = "percent of the boards that are of this revision (default 2)", .max = 100, .value = "PERCENT"},
    {"groups", &kind_groups, AT(plan),
     .help = "percents of the fleet that follow each other (default 5,20,75)"},
    {"success", &option_number, AT(plan.success_percent),
     .help = "percent of a group that has succeeded before the next one starts (default 90)", .min = 1,
     .max = 100, .value = "PERCENT"},
    {"error", &option_number, AT(plan.error_percent),
     .help = "percent of a group at which the rollout stops by itself (default 10)", .min = 1, .max = 100,
     .value = "PERCENT"},
    {"withdraw", &option_switch, AT(withdraw),
     .help = "after a stop the release before goes back to all that have the new one"},
    {.help = "what goes wrong:"},
    {"lose", &kind_hundredths, offsetof(simulate_options_t, lose),
     .help = "percent of the answers that get lost, half of them in their middle (default 1)", .max = 100,
     .value = "PERCENT"},
    {"power-cuts", &kind_hundredths, AT(cuts), .help = "a day and device (default 0.2)", .max = 1000},
    {"blackout", &option_number, AT(blackout_s),
     .help =
         "after so many seconds the whole fleet loses power, and gets it back at one moment a minute later",
     .max = 604800, .value = "SECONDS"},
    {"rate", &option_number, AT(rate),
     .help = "requests in any second that the server takes; more are refused with 429 (default: all)",
     .max = 10000000, .value = "NUMBER"},
    {"days", &option_number, AT(days), .help = "that it may last (default 7)", .min = 1, .max = 366,
     .value = "DAYS"},
    {.help = "a real server instead, in real time:"},
    {"server", &option_text, offsetof(simulate_options_t, live.server),
     .help = "as https://fleet.example:8443; it says what is rolled out to whom. Ends when it knows of each "
             "device how an action "
             "ended",
     .value = "URL"},
    {"tenant", &option_text, offsetof(simulate_options_t, live.tenant), .help = "default: DEFAULT",
     .value = "NAME"},
    {"id", &kind_prefix, AT(id), .help = "what the devices' names there begin with (default dev-)"},
    {"token-file", &option_file, offsetof(simulate_options_t, live.token_path),
     .help = "the gateway's token, in a file that nobody else can read", .value = "FILE"},
    {"target-token", &option_switch, offsetof(simulate_options_t, live.target_token),
     .help = "it is a device's own token, which all of them have"},
    {"ca", &option_file, offsetof(simulate_options_t, live.ca_path),
     .help = "CA certificate(s), PEM: what the server's certificate must be signed by"},
    {"system-ca", &option_switch, offsetof(simulate_options_t, live.system_ca),
     .help = "trust the certificates of this machine instead"},
    {"allow-http", &option_switch, offsetof(simulate_options_t, live.allow_http),
     .help = "accept a plain http:// server"},
    {"connections", &option_number, offsetof(simulate_options_t, live.connections),
     .help = "at one time, at most (default 64)", .min = 1, .max = FLEET_CONNECTIONS_MAX, .value = "NUMBER"},
    {"for", &option_seconds, offsetof(simulate_options_t, live.for_ms), .help = "at most (default 600)",
     .min = 1, .max = 4000000},
    {.help = "the report:"},
    {"svg", &option_file, offsetof(simulate_options_t, svg), .help = "write the curve as a picture",
     .value = "FILE"},
    {"json", &option_switch, offsetof(simulate_options_t, json),
     .help = "print it as a JSON object (docs/JSON.md)"},
    {"quiet", &option_switch, offsetof(simulate_options_t, quiet), .help = "show no progress"},
    {0},
};

const cli_verb_t fleet_simulate_verb = {
    .name = VERB,
    .line = "try a rollout on thousands of virtual devices, and see what it asks of a server",
    .about = "Runs virtual devices, their links and a server that speaks hawkBit's DDI in one process, on a "
             "clock that does "
             "not wait. Each device is the library's own agent, update and boot code on flash of its own; "
             "power goes in the "
             "middle of an operation, answers get lost, a release crashes on some boards. At the end the "
             "server's books are "
             "compared with each device's flash.\n",
    .after =
        "examples: otter fleet simulate --devices 10000 --seed 7 --svg curve.svg\n"
        "          otter fleet simulate --groups 1,9,90 --error 20 --bad-release 2.0.0 --bad 30 --withdraw\n"
        "          otter fleet simulate --server https://fleet.example --token-file gateway --ca ca.pem "
        "--devices 500 --poll 30\n"
        "\n"
        "How to read it: docs/FLEET.md. A rollout that stops by itself is what it is for, and no failure. "
        "exit status: 0 "
        "the server was told the truth and all has ended; 1 it was not, or something has not ended in its "
        "days, or it "
        "cannot begin (a line says what); 2 wrong usage\n",
    .options = rows,
    .size = sizeof(simulate_options_t),
    .defaults =
        &(const simulate_options_t){.live = {.tenant = "DEFAULT", .connections = 64, .for_ms = 600000},
                                    .image_size = 0x10000,
                                    .lose = NOT_SAID,
                                    .world = FLEET_WORLD_DEFAULTS},
    .run = simulate_run,
};
