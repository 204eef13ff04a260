/* The deterministic world: runs the worlds of many seeds, or shows the story of one. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "esp_log.h"
#include "support/long_run.h"
#include "quirks.h"
#include "sim/sim_system.h"

#define SEEDS_USUAL    500u
#define SEEDS_FULL     2000u /* in CI */
#define SEEDS_LONG     50000u
#define SEEDS_FINDING  8000u /* at most, until a planted bug shows */
#define SEEDS_REPEATED 20u   /* worlds that are run twice: the same seed tells the same story */
#define SEEDS_TELLING  500u  /* from so many on, everything that can happen must have happened */
#define HANG_S         60u
#define FAILURES_SHOWN 10u

static world_t world;
static tally_t tally;

static const char usage[] =
    "usage: test_world [--seeds N] [--start N] [--log]\n"
    "       test_world --seed N [--trace] [--log]\n"
    "       test_world --quirks\n"
    "  --seeds N         so many worlds (default: OTTER_SEEDS, else 500; in CI 2000, with OTTER_LONG set "
    "50000)\n"
    "  --start N         from this seed on (default 1)\n"
    "  --seed N          only this one\n"
    "  --trace           tells its story\n"
    "  --log             with otter's own log\n"
    "  --quirks          what can go wrong with the server, and the rows of docs/MISBEHAVIOUR.md that it "
    "stands for\n"
    "  --expect-failure  stops at the first world that breaks; that is success then\n";

typedef struct {
    uint64_t seeds, start, only;
    bool one, trace, log, expect_failure;
} options_t;

/** Ends the program where `text` is no number. */
static uint64_t number(const char *what, const char *text)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0) {
        fprintf(stderr, "test_world: %s: \"%s\" is no number\n%s", what, text, usage);
        exit(2);
    }
    return value;
}

/** A world that hangs says which one it is. */
static void tell_hang(int signal)
{
    (void)signal;
    char text[96];
    int len = snprintf(text, sizeof(text), "seed %llu hangs\n", (unsigned long long)world.seed);
    (void)!write(STDERR_FILENO, text, (size_t)len);
    _exit(EXIT_FAILURE);
}

static bool run(uint64_t seed, bool trace, tally_t *counts)
{
    alarm(HANG_S);
    bool good = world_run(&world, seed, trace, counts);
    alarm(0);
    if (!good) {
        printf("seed %llu: %s\n  replay: test_world --seed %llu --trace\n", (unsigned long long)seed,
               world.failure, (unsigned long long)seed);
    }
    return good;
}

/** One seed, one story. */
static unsigned check_replay(uint64_t start, unsigned count)
{
    unsigned wrong = 0;
    tally_t unused = {0};
    for (unsigned i = 0; i < count; i++) {
        world_run(&world, start + i, false, &unused);
        uint64_t first = world.story_hash;
        world_run(&world, start + i, false, &unused);
        if (first != world.story_hash) {
            printf("seed %llu tells two stories\n", (unsigned long long)start + i);
            wrong++;
        }
    }
    return wrong;
}

static unsigned print_tally(void)
{
    unsigned never = 0;
#define PRINT_EVENT(name, words)                                                                             \
    printf("  %9llu  %s\n", (unsigned long long)tally.name, words);                                          \
    never += tally.name == 0;
    TALLY_EVENTS(PRINT_EVENT)
#undef PRINT_EVENT
    return never + troubles_print(&tally) + quirks_print(&tally);
}

static uint64_t seeds_wanted(void)
{
    const char *seeds = getenv("OTTER_SEEDS");
    return seeds != NULL       ? number("OTTER_SEEDS", seeds)
           : long_run_wanted() ? SEEDS_LONG
           : full_run_wanted() ? SEEDS_FULL
                               : SEEDS_USUAL;
}

static int run_many(const options_t *o)
{
    uint64_t failures = 0, done = 0;
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    unsigned unstable =
        check_replay(o->start, o->seeds < SEEDS_REPEATED ? (unsigned)o->seeds : SEEDS_REPEATED);
    for (; done < o->seeds && failures < FAILURES_SHOWN; done++) {
        failures += !run(o->start + done, false, &tally);
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    unsigned never = print_tally();
    printf(
        "%llu seeds from %llu on: %llu broken, %u not repeatable, %u kinds of event never happened, %.1f s\n",
        (unsigned long long)done, (unsigned long long)o->start, (unsigned long long)failures, unstable, never,
        (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9);
    bool good = failures == 0 && unstable == 0 && (never == 0 || o->seeds < SEEDS_TELLING);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

/** A planted bug must be found: tests/mutants. */
static int find_failure(const options_t *o)
{
    for (uint64_t i = 0; i < SEEDS_FINDING; i++) {
        if (!run(o->start + i, false, &tally)) {
            return EXIT_SUCCESS;
        }
    }
    printf("%u seeds from %llu on: nothing broke\n", SEEDS_FINDING, (unsigned long long)o->start);
    return EXIT_FAILURE;
}

static int run_one(const options_t *o)
{
    bool good = run(o->only, o->trace, &tally);
    printf("seed %llu: %s\n", (unsigned long long)o->only, good ? "good" : "broken");
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int list_quirks(void)
{
    troubles_list();
    quirks_list();
    return EXIT_SUCCESS;
}

/** Options to `o`. @return -1, or the exit status of a program that has done all it should */
static int read_options(int argc, char **argv, options_t *o)
{
    static const struct option options[] = {
        {"seeds", required_argument, NULL, 'n'},
        {"start", required_argument, NULL, 'f'},
        {"seed", required_argument, NULL, 's'},
        {"trace", no_argument, NULL, 't'},
        {"log", no_argument, NULL, 'l'},
        {"quirks", no_argument, NULL, 'q'},
        {"help", no_argument, NULL, 'h'},
        {"expect-failure", no_argument, NULL, 'x'},
        {NULL, 0, NULL, 0},
    };
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case 'n':
            o->seeds = number("--seeds", optarg);
            break;
        case 'f':
            o->start = number("--start", optarg);
            break;
        case 's':
            o->only = number("--seed", optarg);
            o->one = true;
            break;
        case 't':
            o->trace = true;
            break;
        case 'l':
            o->log = true;
            break;
        case 'x':
            o->expect_failure = true;
            break;
        case 'q':
            return list_quirks();
        case 'h':
            fputs(usage, stdout);
            return EXIT_SUCCESS;
        default:
            fputs(usage, stderr);
            return 2;
        }
    }
    if (optind != argc) {
        fprintf(stderr, "test_world: what is \"%s\"?\n%s", argv[optind], usage);
        return 2;
    }
    return -1;
}

int main(int argc, char **argv)
{
    options_t o = {.seeds = seeds_wanted(), .start = 1};
    int status = read_options(argc, argv, &o);
    if (status >= 0) {
        return status;
    }
    sim_console_show(o.log);
    esp_log_level_set("*", o.log ? ESP_LOG_VERBOSE : ESP_LOG_NONE);
    signal(SIGALRM, tell_hang);
    setvbuf(stdout, NULL, _IOLBF, 0);
    status = o.one ? run_one(&o) : o.expect_failure ? find_failure(&o) : run_many(&o);
    network_free(&world.network);
    return status;
}
