/*
 * The sweep: cuts the power in every flash operation of the lives in lives.c, in every way of tears.c, and again while the
 * device recovers. After each cut the device must boot an allowed image, whole, and take the next update to its end.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "otter/bytes.h"
#include "esp_log.h"
#include "support/long_run.h"
#include "sim/sim_system.h"
#include "sim/sim_undo.h"
#include "sweep/life.h"
#include "sweep/tears.h"

#define CUTS_MAX      3
#define SEEN_MAX      8191u
#define SHARED_ONE_IN 4u /* where fewer tears are drawn, an operation mostly has one, and nothing to share */

static const char usage[] =
    "usage: sweep                           what ./dev test runs; with CI set 27 times as much, with "
    "OTTER_LONG 130 times\n"
    "       sweep --only TEXT               the life of that name, or the lives with TEXT in it\n"
    "       sweep --list                    the lives\n"
    "       sweep --replay LINE             one trial, with the device's console; LINE is what a failure "
    "prints\n"
    "       sweep --expect-failure [TEXT]   status 0 if a check fails, 1 if none does: for planted bugs\n";

typedef struct {
    uint32_t op;
    tear_t tear;
} cut_t;

/** Where a trial stands: what its replay line says. */
static struct {
    unsigned life, step;
    cut_t cuts[CUTS_MAX];
    unsigned depth;
    bool expect_failure;
} now;

static struct {
    uint64_t by_kind[PHASE_COUNT][CUT_COUNT];
    uint64_t by_depth[CUTS_MAX + 1];
    uint64_t by_life[LIVES_MAX];
    uint64_t alike;       /* cuts that left the device as another one had */
    uint64_t resumptions; /* downloads that went on from what was in flash */
} counts;

/** How thoroughly: tears per depth; every first cut but of signed lives, and of the cuts in a recovery one in so many. */
typedef struct {
    tears_t tears[CUTS_MAX];
    uint32_t in_turn;       /* each operation has one in so many of its first cuts, the next one the others */
    uint32_t signed_one_in; /* first cuts of lives whose images are signed: half of their time is RSA's */
    uint32_t pair_one_in;   /* where all pairs are wanted */
    uint32_t second_one_in; /* where not all pairs are wanted */
    uint32_t deeper_one_in; /* after so many second cuts there are third ones at all ... */
    uint32_t third_one_in;  /* ... of which one in so many */
    bool each_runs;         /* the device runs up to each cut; else once for all tears of an operation */
} plan_t;

/* A day's work has every operation cut in a third of the ways that differ most, the next one in another third.
 * AddressSanitizer is five times slower, and there for what happens in memory: in the ways that differ most all first cuts, fewer
 * of the others. */
#ifdef __SANITIZE_ADDRESS__
static const bool is_slow = true;
#else
static const bool is_slow = false;
#endif
static const plan_t sparse_plan = {{TEARS_FEW, TEARS_FEW, TEARS_FEW}, 1, 8, 8, 96, 40, 30, false};
static const plan_t day_plan = {{TEARS_FEW, TEARS_FEW, TEARS_FEW}, 3, 16, 16, 192, 40, 60, false};
static const plan_t short_plan = {{TEARS_MANY, TEARS_FEW, TEARS_FEW}, 1, 4, 1, 24, 40, 40, false};
static const plan_t long_plan = {{TEARS_ALL, TEARS_FEW, TEARS_FEW}, 1, 1, 1, 48, 24, 80, true};

void sweep_fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    printf("FAILED: ");
    vprintf(format, args);
    va_end(args);
    printf("\n  replay: sweep --replay '%s.%u", lives[now.life].name, now.step);
    for (unsigned i = 0; i < now.depth; i++) {
        const cut_t *cut = &now.cuts[i];
        printf("/%" PRIu32 ",%d,%" PRIu32 ",%d,%" PRIu32, cut->op, (int)cut->tear.tear, cut->tear.len,
               cut->tear.weak, cut->tear.seed);
    }
    printf("'\n");
    fflush(stdout);
    _Exit(now.expect_failure ? 0 : 1);
}

/* ---- one trial ---- */

/** The flash of a device that may have weak bits must not be said to read stably; it is written more often then. */
static void set_weak(subject_t *subject, bool weak)
{
    subject->weak = weak;
    subject->flash.stable_reads = !weak && !subject->config.write_once && subject->config.block_size == 0;
}

static uint64_t model_digest(const model_t *model)
{
    uint64_t sum = 1;
    for (size_t i = 0; i < sizeof(*model); i++) {
        sum = (sum ^ ((const uint8_t *)model)[i]) * 0x100000001B3u;
    }
    return sum;
}

/** A state of a device to which trials return. */
typedef struct {
    uint32_t mark;
    model_t model;
    bool weak;
} state_t;

static state_t keep_state(subject_t *subject)
{
    return (state_t){.mark = sim_flash_mark(&subject->sim), .model = subject->model, .weak = subject->weak};
}

static void return_to(subject_t *subject, const state_t *state)
{
    sim_flash_rewind(&subject->sim, state->mark);
    subject->model = state->model;
    set_weak(subject, state->weak);
}

/** Weak bits read alike in every run from the same state: what was traced is what is cut, and replays. */
static void seed_noise(subject_t *subject)
{
    subject->sim.noise = now.depth == 0 ? 1 : now.cuts[now.depth - 1].tear.seed;
    sim_random_seed(subject->sim.noise);
}

/** The step itself, or at greater depth the recovery from the cut before. */
static bool run(subject_t *subject, const step_t *step, unsigned depth)
{
    return depth == 0 ? life_step(subject, step) : life_recover(subject, step);
}

static void run_uncut(subject_t *subject, const step_t *step)
{
    seed_noise(subject);
    CHECK(run(subject, step, now.depth), "%s fails although power stays",
          now.depth == 0 ? "the step" : "the recovery");
}

/** The simulator learns where power goes and how. The cut becomes the last of now.cuts. */
static void plan_cut(subject_t *subject, const cut_t *cut)
{
    sim_flash_t *sim = &subject->sim;
    set_weak(subject, subject->weak || cut->tear.weak);
    sim->cut_fired = false;
    sim->cut_at = cut->op;
    sim->tear = cut->tear.tear;
    sim->tear_len = cut->tear.len;
    sim->tear_weak = cut->tear.weak;
    sim->random = cut->tear.seed;
    now.cuts[now.depth++] = *cut;
}

/** Runs until power goes, and gives it back. @param[out] keep  the operation; NULL: it is not wanted */
static void run_cut(subject_t *subject, const step_t *step, const cut_t *cut, cut_op_t *keep)
{
    seed_noise(subject);
    plan_cut(subject, cut);
    subject->sim.ops = 0;
    subject->keep = keep;
    bool ok = run(subject, step, now.depth - 1);
    subject->keep = NULL;
    CHECK(subject->sim.cut_fired, "this cut did not fire");
    CHECK(!ok, "success is reported although power went");
    subject_power_on(subject);
}

/** The same without a run up to there: the operation is known, and the device can see of its cut only that power is gone. */
static void cut_kept(subject_t *subject, const state_t *state, const cut_op_t *kept, const cut_t *cut)
{
    sim_flash_rewind(&subject->sim, kept->mark);
    subject->model = kept->before;
    subject->weak = state->weak;
    plan_cut(subject, cut);
    subject->sim.ops = cut->op;
    subject_cut_again(subject, kept);
    CHECK(subject->sim.cut_fired, "this cut did not fire");
    subject_power_on(subject);
}

/** run_cut(), and the operation stays kept if nothing but it has changed the model in the end. */
static void run_and_keep(subject_t *subject, const step_t *step, const state_t *state, const cut_t *cut,
                         cut_op_t *keep)
{
    run_cut(subject, step, cut, keep);
    const model_t then = subject->model;
    now.depth--;
    cut_kept(subject, state, keep, cut);
    if (memcmp(&subject->model, &then, sizeof(then)) != 0) {
        keep->mark = 0;
        subject->model = then;
    }
}

/** Power goes as the cut says on the way from `state`. @param kept  the operation, once it is known; NULL: run in any case */
static void cut_from(subject_t *subject, const step_t *step, const state_t *state, const cut_t *cut,
                     cut_op_t *kept)
{
    const bool shares =
        kept != NULL && cut->tear.tear != SIM_TEAR_LOST; /* which depends on what came before it */
    if (shares && kept->mark != 0) {
        cut_kept(subject, state, kept, cut);
        return;
    }
    return_to(subject, state);
    if (shares) {
        run_and_keep(subject, step, state, cut, kept);
    } else {
        run_cut(subject, step, cut, NULL);
    }
}

/* ---- all trials from one state ---- */

static uint32_t trace_ops(subject_t *subject, const step_t *step, const state_t *state, op_t *ops)
{
    subject->tracing = true;
    subject->trace_count = 0;
    run_uncut(subject, step);
    subject->tracing = false;
    memcpy(ops, subject->trace, subject->trace_count * sizeof(*ops));
    uint32_t count = subject->trace_count;
    return_to(subject, state);
    return count;
}

/** What chance is drawn from: a life's name, so that another life changes nothing of it. */
static uint32_t seed_of_step(void)
{
    const char *name = lives[now.life].name;
    return crc32_le(now.step, name, strlen(name));
}

/** Is this one of so many? Of 0: never. */
static bool is_drawn(uint32_t *dice, uint32_t one_in)
{
    *dice = *dice * 1664525u + 1013904223u;
    return one_in == 1 || (one_in > 1 && (*dice >> 8) % one_in == 0);
}

/** Is this operation part of the boot that comes first? */
static bool is_in_first_boot(const op_t *ops, uint32_t op)
{
    while (op > 0 && ops[op].phase == PHASE_BOOT) {
        op--;
    }
    return ops[op].phase == PHASE_BOOT;
}

/** Of the cuts of this operation, 0: none; a boot that finishes a copy is short and cut everywhere. */
static uint32_t cuts_one_in(const plan_t *plan, unsigned depth, const op_t *ops, uint32_t op)
{
    const pairs_t pairs = lives[now.life].pairs;
    const bool all = pairs == PAIRS_ALL || ops[op].phase == PHASE_BOOT_COPY;
    if (depth == 0) {
        return lives[now.life].subject.signers != NULL ? plan->signed_one_in : 1;
    }
    if (pairs == PAIRS_IN_BOOT) {
        return is_in_first_boot(ops, op) ? 1 : 0;
    }
    if (ops[op].phase == PHASE_ENCRYPT) {
        return 8 * (depth == 1 ? plan->second_one_in : plan->third_one_in);
    }
    if (depth == 1 && all) {
        return plan->pair_one_in;
    }
    return depth == 1 ? plan->second_one_in : plan->third_one_in;
}

/** Which tears a pass over all operations takes. */
typedef enum { TEARS_SURE, TEARS_WEAK, TEARS_BOTH } pass_t;

static void sweep_from_here(subject_t *subject, const step_t *step, const plan_t *plan, unsigned depth_max);

/** The states in which cuts of one pass have left the device, by their digests. */
typedef struct {
    uint64_t slots[SEEN_MAX];
    uint32_t count;
} seen_t;

/**
 * Has a cut of this pass left the device exactly so? What it does then is known: power that went after an operation, before the
 * next one, or with a cache that lost nothing is often the same. Where bits hang, no two states are alike.
 */
static bool was_seen(seen_t *seen, const subject_t *subject, const state_t *state)
{
    if (subject->sim.weak_count != 0 || seen->count > SEEN_MAX / 2) {
        return false;
    }
    const uint64_t digest = sim_undo_changes(&subject->sim, state->mark) ^ model_digest(&subject->model);
    uint32_t at = (uint32_t)(digest % SEEN_MAX);
    while (seen->slots[at] != 0 && seen->slots[at] != digest) {
        at = (at + 1) % SEEN_MAX;
    }
    if (seen->slots[at] == digest) {
        counts.alike++;
        return true;
    }
    seen->slots[at] = digest;
    seen->count++;
    return false;
}

static void count_cut(const subject_t *subject, const tear_t *tear)
{
    counts.by_kind[subject->op_phase][tear_kind(tear)]++;
    counts.by_depth[now.depth]++;
    counts.by_life[now.life]++;
}

/** Every cut, of this kind, of what runs from `state`; and from each of them, one level deeper. */
static void sweep_pass(subject_t *subject, const step_t *step, const plan_t *plan, unsigned depth_max,
                       const state_t *state, pass_t pass)
{
    static cut_op_t kept_at[CUTS_MAX];
    const unsigned depth = now.depth;
    cut_op_t *kept = &kept_at[depth];
    seen_t seen = {0};
    op_t ops[SUBJECT_TRACE_MAX];
    tear_t tears[TEARS_MAX];
    set_weak(subject, state->weak || pass == TEARS_WEAK);
    const uint32_t op_count = trace_ops(subject, step, state, ops);
    uint32_t dice = depth == 0 ? seed_of_step() : now.cuts[depth - 1].tear.seed;
    for (uint32_t op = 0; op < op_count; op++) {
        const uint32_t salt = seed_of_step() + depth * SUBJECT_TRACE_MAX + op;
        const uint32_t one_in = cuts_one_in(plan, depth, ops, op);
        uint32_t tear_count = tears_of(&ops[op], subject->config.write_size, plan->tears[depth], salt, tears);
        kept->mark = 0;
        for (uint32_t i = 0; i < tear_count; i++) {
            bool wanted =
                pass == TEARS_BOTH ? tears[i].tear != SIM_TEAR_LOST : tears[i].weak == (pass == TEARS_WEAK);
            wanted &= tears[i].tear != SIM_TEAR_LOST || !subject->config.write_once; /* a chip has no cache */
            wanted &= depth > 0 || (op + i) % plan->in_turn == 0;
            if (!wanted || !is_drawn(&dice, one_in)) {
                continue;
            }
            const cut_t cut = {.op = op, .tear = tears[i]};
            cut_from(subject, step, state, &cut, one_in <= SHARED_ONE_IN && !plan->each_runs ? kept : NULL);
            count_cut(subject, &cut.tear);
            const bool known = !plan->each_runs && was_seen(&seen, subject, state);
            if (now.depth < depth_max && (depth == 0 || is_drawn(&dice, plan->deeper_one_in))) {
                sweep_from_here(subject, step, plan, depth_max);
            }
            if (!known) {
                run_uncut(subject, step);
            }
            now.depth = depth;
        }
        return_to(subject, state);
    }
}

static bool has_cache(void)
{
    for (unsigned i = 0; i < now.depth; i++) {
        if (now.cuts[i].tear.tear == SIM_TEAR_LOST) {
            return true;
        }
    }
    return false;
}

/**
 * Where weak bits are possible flash is written more often: those cuts are a pass of their own. A chip has no cache, and a file
 * no weak bits: nothing is lost after the one or weak after the other.
 */
static void sweep_from_here(subject_t *subject, const step_t *step, const plan_t *plan, unsigned depth_max)
{
    const state_t state = keep_state(subject);
    if (state.weak) {
        sweep_pass(subject, step, plan, depth_max, &state, TEARS_BOTH);
    } else {
        sweep_pass(subject, step, plan, depth_max, &state, TEARS_SURE);
        if (!has_cache()) {
            sweep_pass(subject, step, plan, depth_max, &state, TEARS_WEAK);
        }
    }
}

static void sweep_life(unsigned index, const plan_t *plan)
{
    static subject_t subject;
    const unsigned depth_of[] = {[PAIRS_NONE] = 1,
                                 [PAIRS_LONG] = plan == &long_plan ? CUTS_MAX : 1,
                                 [PAIRS_IN_BOOT] = 2,
                                 [PAIRS_SAMPLED] = CUTS_MAX,
                                 [PAIRS_ALL] = CUTS_MAX};
    const life_t *life = &lives[index];
    now.life = index;
    now.depth = 0;
    subject_open(&subject, &life->subject);
    for (now.step = 0; now.step < LIFE_STEPS_MAX && life->steps[now.step].kind != STEP_NONE; now.step++) {
        const step_t *step = &life->steps[now.step];
        set_weak(&subject, false);
        sweep_from_here(&subject, step, plan, depth_of[life->pairs]);
        run_uncut(&subject, step);
    }
    counts.resumptions += subject.resumptions;
    subject_close(&subject);
}

/* ---- one trial by its line ---- */

/** One cut of what a failure prints behind the life's name, a dot and the step. */
static bool read_cut(const char **line, cut_t *cut)
{
    int tear, weak, used = 0;
    if (sscanf(*line, "/%" SCNu32 ",%d,%" SCNu32 ",%d,%" SCNu32 "%n", &cut->op, &tear, &cut->tear.len, &weak,
               &cut->tear.seed, &used) != 5) {
        return false;
    }
    cut->tear.tear = (sim_tear_t)tear;
    cut->tear.weak = weak != 0;
    *line += used;
    return true;
}

static void show(subject_t *subject)
{
    subject->verbose = true;
    sim_console_show(true);
    esp_log_level_set("*", ESP_LOG_INFO);
}

/** The life up to the step, then the cuts one after the other, then the recovery. @return false: `line` cannot be read */
static bool run_trial(unsigned life, const char *line, bool shown)
{
    static subject_t subject;
    int used = 0;
    unsigned last;
    if (sscanf(line, "%u%n", &last, &used) != 1 || last >= LIFE_STEPS_MAX) {
        return false;
    }
    line += used;
    now.life = life;
    now.depth = 0;
    subject_open(&subject, &lives[life].subject);
    set_weak(&subject, false);
    for (now.step = 0; now.step < last; now.step++) {
        run_uncut(&subject, &lives[life].steps[now.step]);
    }
    if (shown) {
        show(&subject);
    }
    const step_t *step = &lives[life].steps[last];
    cut_t cut;
    while (now.depth < CUTS_MAX && read_cut(&line, &cut)) {
        (void)keep_state(&subject);
        if (shown) {
            fprintf(stderr, "---- power will go in operation %" PRIu32 " (%s)\n", cut.op,
                    cut_kind_name(tear_kind(&cut.tear)));
        }
        run_cut(&subject, step, &cut, NULL);
        if (shown) {
            fprintf(stderr, "---- power is back\n");
        }
    }
    run_uncut(&subject, step);
    subject_close(&subject);
    return *line == '\0';
}

/*
 * Trials that no sample would meet for sure. Their numbers count operations: where a change takes or adds some, a trial may say
 * that its cut did not fire, and wants the numbers of the same operations as they are then.
 */
static const struct {
    const char *life, *line;
} kept_trials[] = {
    /* A record of the new slot hangs, and so does the one that is written anew for it: there is none at the next boot. */
    {"once/8 KiB/16/taken back", "3/6,2,24,1,1055792430/12,2,16,1,3977640745/1,2,0,1,2363970265"},
    /* The flag of a journal hangs twice, and reads as nothing when the journal is closed. */
    {"once/8 KiB/16/copy/data", "1/6,2,0,1,4000767564/0,2,0,1,507057144"},
    /* The first record of a table reads well at one boot, and as the table's end in the middle of the next one. */
    {"encrypted/copy/table/no MD5", "1/19,2,15,1,2771302755/0,0,0,0,1369888896"},
    /* Half erased, a table without MD5 has a slot that is not made of whole sectors. */
    {"once/8 KiB/16/copy/table/no MD5", "1/14,2,0,0,3957470365/23,3,0,0,2402071785"},
};

static void run_kept_trials(unsigned life)
{
    for (size_t i = 0; i < sizeof(kept_trials) / sizeof(kept_trials[0]); i++) {
        if (strcmp(kept_trials[i].life, lives[life].name) == 0) {
            CHECK(run_trial(life, kept_trials[i].line, false), "a trial that is kept cannot be read");
        }
    }
}

/* ---- the program ---- */

static const char *const phase_names[PHASE_COUNT] = {"boot", "boot: copy", "encrypt", "download", "progress",
                                                     "copy", "select",     "confirm", "NVS",      "other"};

static void print_counts(double seconds)
{
    uint64_t total = 0;
    printf("%-12s", "cuts in");
    for (int kind = 0; kind < CUT_COUNT; kind++) {
        printf(" %10s", cut_kind_name((cut_kind_t)kind));
    }
    printf("\n");
    for (int phase = 0; phase < PHASE_COUNT; phase++) {
        printf("%-12s", phase_names[phase]);
        for (int kind = 0; kind < CUT_COUNT; kind++) {
            printf(" %10" PRIu64, counts.by_kind[phase][kind]);
            total += counts.by_kind[phase][kind];
        }
        printf("\n");
    }
    printf("first cuts %" PRIu64 ", second %" PRIu64 ", third %" PRIu64 ": %" PRIu64
           " in all, each of them fired; %.1f s\n",
           counts.by_depth[1], counts.by_depth[2], counts.by_depth[3], total, seconds);
    printf("%" PRIu64 " downloads went on where a cut or a bad link had stopped them\n", counts.resumptions);
    printf("%" PRIu64
           " cuts left the device as another one of the same step had: what follows was not run again\n",
           counts.alike);
}

static double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/** The life of this name; where there is none, those with it in their names. */
static bool is_wanted(unsigned index, const char *only)
{
    for (unsigned i = 0; i < life_count; i++) {
        if (strcmp(lives[i].name, only) == 0) {
            return i == index;
        }
    }
    return strstr(lives[index].name, only) != NULL;
}

/** @param only  as is_wanted has it; "": all of them */
static int sweep_all(const plan_t *plan, uint64_t least, const char *only)
{
    double start = seconds_now();
    for (unsigned i = 0; i < life_count; i++) {
        if (!is_wanted(i, only)) {
            continue;
        }
        const double life_start = seconds_now();
        sweep_life(i, plan);
        if (!now.expect_failure) { /* a planted bug is not found by a cut that does not fire */
            run_kept_trials(i);
            printf("%-40s %8" PRIu64 " cuts %6.1f s\n", lives[i].name, counts.by_life[i],
                   seconds_now() - life_start);
            fflush(stdout);
        }
    }
    print_counts(seconds_now() - start);
    uint64_t total = counts.by_depth[1] + counts.by_depth[2] + counts.by_depth[3];
    if (total < least || (least > 0 && counts.resumptions == 0)) {
        printf("FAILED: fewer cuts than the %" PRIu64 " that are promised, or no resumed download\n", least);
        return 1;
    }
    return now.expect_failure ? 1 : 0;
}

static int replay(const char *line)
{
    const char *dot = strrchr(line, '.');
    const size_t len = dot != NULL ? (size_t)(dot - line) : 0;
    unsigned life = 0;
    while (life < life_count &&
           (strlen(lives[life].name) != len || strncmp(lives[life].name, line, len) != 0)) {
        life++;
    }
    if (life == life_count || !run_trial(life, dot + 1, true)) {
        fprintf(stderr, "sweep: a replay line looks like 'update/two.1/17,2,0,1,12345'\n");
        return 2;
    }
    printf("this trial passes\n");
    return 0;
}

static int list(void)
{
    for (unsigned i = 0; i < life_count; i++) {
        printf("%s (%s)\n", lives[i].name, lives[i].subject.layout->name);
    }
    return 0;
}

static bool is_any_life(const char *text)
{
    unsigned i = 0;
    while (i < life_count && strstr(lives[i].name, text) == NULL) {
        i++;
    }
    return i < life_count;
}

int main(int argc, char **argv)
{
    esp_log_level_set("*", ESP_LOG_NONE);
    sim_clock_take();
    const char *option = argc > 1 ? argv[1] : "", *text = argc > 2 ? argv[2] : "";
    if (strcmp(option, "--help") == 0) {
        fputs(usage, stdout);
        return 0;
    }
    if (strcmp(option, "--list") == 0 && argc == 2) {
        return list();
    }
    if (strcmp(option, "--replay") == 0 && argc == 3) {
        return replay(text);
    }
    now.expect_failure = strcmp(option, "--expect-failure") == 0;
    const bool only = strcmp(option, "--only") == 0 && argc == 3;
    if (argc > 3 || (argc > 1 && !only && !now.expect_failure)) {
        fputs(usage, stderr);
        return 2;
    }
    if (!is_any_life(text)) {
        fprintf(stderr, "sweep: no life has \"%s\" in its name; --list names them\n", text);
        return 2;
    }
    const bool is_long = long_run_wanted() && !now.expect_failure;
    const uint64_t least = text[0] != '\0' ? 0 : is_long ? 1000000 : full_run_wanted() ? 100000 : 40000;
    const plan_t *usual = now.expect_failure   ? &short_plan
                          : !full_run_wanted() ? &day_plan
                          : is_slow            ? &sparse_plan
                                               : &short_plan;
    return sweep_all(is_long ? &long_plan : usual, least, text);
}
