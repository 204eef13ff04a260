/* The deterministic world: runs the worlds of many seeds, or shows the story of one. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "esp_log.h"
#include "sim/sim_system.h"
#include "world.h"

#define SEEDS_USUAL    2000u
#define SEEDS_LONG     50000u
#define SEEDS_REPEATED 20u  /* worlds that are run twice: the same seed tells the same story */
#define SEEDS_TELLING  500u /* from so many on, everything that can happen must have happened */
#define HANG_S         60u
#define FAILURES_SHOWN 10u

static world_t world;
static tally_t tally;

static const char usage[] =
    "usage: test_world [--seeds N] [--start N] | --seed N [--trace] [--log]\n"
    "  --seeds N   so many worlds (default: OTTER_SEEDS, else 2000; 50000 with OTTER_LONG set)\n"
    "  --start N   from this seed on (default 1)\n"
    "  --seed N    only this one\n"
    "  --trace     tells its story\n"
    "  --log       with otter's own log\n";

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
    return never + quirks_print(&tally);
}

static unsigned long seeds_wanted(void)
{
    const char *seeds = getenv("OTTER_SEEDS"), *longer = getenv("OTTER_LONG");
    return seeds != NULL                         ? strtoul(seeds, NULL, 10)
           : longer != NULL && longer[0] != '\0' ? SEEDS_LONG
                                                 : SEEDS_USUAL;
}

static int run_many(uint64_t start, unsigned long seeds)
{
    unsigned long failures = 0;
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    unsigned unstable = check_replay(start, seeds < SEEDS_REPEATED ? (unsigned)seeds : SEEDS_REPEATED);
    for (unsigned long i = 0; i < seeds && failures < FAILURES_SHOWN; i++) {
        failures += !run(start + i, false, &tally);
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    unsigned never = print_tally();
    printf("seeds %llu to %llu: %lu broken, %u not repeatable, %u kinds of event never happened, %.1f s\n",
           (unsigned long long)start, (unsigned long long)start + seeds - 1, failures, unstable, never,
           (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9);
    return failures == 0 && unstable == 0 && (never == 0 || seeds < SEEDS_TELLING) ? EXIT_SUCCESS
                                                                                   : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"seeds", required_argument, NULL, 'n'}, {"start", required_argument, NULL, 'f'},
        {"seed", required_argument, NULL, 's'},  {"trace", no_argument, NULL, 't'},
        {"log", no_argument, NULL, 'l'},         {NULL, 0, NULL, 0},
    };
    unsigned long seeds = seeds_wanted();
    uint64_t start = 1, only = 0;
    bool trace = false, one = false, log = false;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case 'n':
            seeds = strtoul(optarg, NULL, 10);
            break;
        case 'f':
            start = strtoull(optarg, NULL, 10);
            break;
        case 's':
            only = strtoull(optarg, NULL, 10);
            one = true;
            break;
        case 't':
            trace = true;
            break;
        case 'l':
            log = true;
            break;
        default:
            fputs(usage, stderr);
            return 2;
        }
    }
    sim_console_show(log);
    esp_log_level_set("*", log ? ESP_LOG_VERBOSE : ESP_LOG_NONE);
    signal(SIGALRM, tell_hang);
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (one) {
        bool good = run(only, trace, &tally);
        printf("seed %llu: %s\n", (unsigned long long)only, good ? "good" : "broken");
        return good ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    return run_many(start, seeds);
}
