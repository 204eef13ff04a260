/* otter run: the virtual device on a flash file. */
#include "cli.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "boot/otadata.h"
#include "host/number.h"
#include "linux/run.h"

#define WATCHDOG_DEFAULT_S 60

static const char help[] =
    "usage: otter run FLASH [OPTION]...\n"
    "\n"
    "Runs the virtual device (chip linux) in a flash file: bootloader, app, reset, again. The console is "
    "standard\n"
    "output. It ends when the app has nothing more to do: each of its tasks has ended or waits for ever.\n"
    "\n"
    "how long:\n"
    "  --boots N           end when N boots have ended; without it, ten crashes of one app in a row end it, "
    "and "
    "a\n"
    "                      version that is installed again each time and fails three trials\n"
    "  --until TEXT        end as soon as the console has said TEXT (it is a pipe then, and no terminal)\n"
    "  --max-seconds N     end after N seconds (2.5 is fine)\n"
    "  --watchdog SECONDS  reset when a task has used the processor for so long without blocking, or has "
    "subscribed "
    "to the\n"
    "                      task watchdog (esp_task_wdt_add) and not reset it for so long (default 60, 0: "
    "never)\n"
    "\n"
    "power cuts:\n"
    "  --cut-after N       cut the power in the middle of flash operation N of the run, bootloader's and "
    "app's together\n"
    "  --cut-list          list these operations when the run ends: number, boot, who, what, where\n"
    "  --cut-at SECONDS    cut the power after so long, in the middle of the operation that is under way\n"
    "\n"
    "for scripts:\n"
    "  --expect VERSION[,STATE]  fail unless this version ran last and, with STATE, its record in otadata "
    "says "
    "so:\n"
    "                      VALID (also of an app that needs no record), PENDING_VERIFY, UNDEFINED, ...\n"
    "\n"
    "the device:\n"
    "  --no-rollback       as a bootloader without CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE\n"
    "  --anti-rollback     as with CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK\n"
    "  --env NAME=VALUE    set a variable in the app's environment, which is otherwise that of this command\n"
    "  --table-offset N    where the partition table is (default 0x8000)\n"
    "\n"
    "exit status:\n"
    "  0  it ended as it was to: the app is idle, N boots, TEXT, N seconds, or the power cut\n"
    "  1  the device failed: nothing boots, nothing but crashes, the same update again and again\n"
    "  2  wrong usage\n"
    "  3  it ended otherwise: not as expected, without the power cut or TEXT, or with an update on trial "
    "that "
    "nobody\n"
    "     confirmed (unless PENDING_VERIFY is expected, or the power was cut)\n"
    "  4  this machine has not enough of something; the device has not booted, and lost no trial\n"
    "  128 + the signal's number when a signal ended it\n"
    "\n"
    "examples: otter run flash.bin --max-seconds 20 --expect 2.0.0,VALID\n"
    "          cp flash.bin t.bin; otter run t.bin --cut-list | grep ota_1\n";

#define EXIT_OTHERWISE 3
#define EXIT_SHORT     4

enum {
    OPT_BOOTS = 256,
    OPT_WATCHDOG,
    OPT_NO_ROLLBACK,
    OPT_ANTI_ROLLBACK,
    OPT_ENV,
    OPT_TABLE,
    OPT_CUT,
    OPT_CUT_LIST,
    OPT_CUT_AT,
    OPT_UNTIL,
    OPT_MAX_SECONDS,
    OPT_EXPECT
};

static const struct option long_options[] = {
    {"boots", required_argument, NULL, OPT_BOOTS},
    {"watchdog", required_argument, NULL, OPT_WATCHDOG},
    {"no-rollback", no_argument, NULL, OPT_NO_ROLLBACK},
    {"anti-rollback", no_argument, NULL, OPT_ANTI_ROLLBACK},
    {"cut-after", required_argument, NULL, OPT_CUT},
    {"cut-list", no_argument, NULL, OPT_CUT_LIST},
    {"cut-at", required_argument, NULL, OPT_CUT_AT},
    {"until", required_argument, NULL, OPT_UNTIL},
    {"max-seconds", required_argument, NULL, OPT_MAX_SECONDS},
    {"expect", required_argument, NULL, OPT_EXPECT},
    {"env", required_argument, NULL, OPT_ENV},
    {"table-offset", required_argument, NULL, OPT_TABLE},
    {"table", required_argument, NULL, OPT_TABLE}, /* as this option was called */
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/** What --expect says. */
typedef struct {
    char version[33]; /* "": nothing is expected */
    bool has_state;
    uint32_t state; /* esp_ota_img_states_t */
} expected_t;

typedef struct {
    run_options_t run;
    expected_t expected;
} options_t;

static bool parse_number(const char *text, uint32_t min, uint32_t max, uint32_t *value)
{
    uint64_t number = 0;
    bool ok = number_parse(text, min, max, &number);
    *value = (uint32_t)number;
    return ok;
}

static bool set_variable(const char *assignment)
{
    const char *equals = strchr(assignment, '=');
    char *name =
        equals != NULL && equals != assignment ? strndup(assignment, (size_t)(equals - assignment)) : NULL;
    bool ok = name != NULL && setenv(name, equals + 1, 1) == 0;
    free(name);
    return ok;
}

/** Seconds, with up to three digits behind a point, as milliseconds; more than none, at most a million seconds. */
static bool parse_seconds(const char *text, uint32_t *ms)
{
    char whole[16];
    size_t len = strcspn(text, ".");
    uint64_t seconds, rest = 0;
    if (len >= sizeof(whole)) {
        return false;
    }
    memcpy(whole, text, len);
    whole[len] = '\0';
    if (!number_parse(whole, 0, 1000000, &seconds)) {
        return false;
    }
    if (text[len] == '.') {
        const char *digits = text + len + 1;
        size_t count = strspn(digits, "0123456789");
        if (count == 0 || count > 3 || digits[count] != '\0') {
            return false;
        }
        for (size_t i = 0; i < 3; i++) {
            rest = rest * 10 + (i < count ? (uint64_t)(digits[i] - '0') : 0);
        }
    }
    *ms = (uint32_t)(seconds * 1000 + rest);
    return *ms > 0;
}

/** "2.0.0" or "2.0.0,VALID" */
static bool parse_expected(const char *text, expected_t *expected)
{
    static const uint32_t states[] = {ESP_OTA_IMG_NEW,     ESP_OTA_IMG_PENDING_VERIFY, ESP_OTA_IMG_VALID,
                                      ESP_OTA_IMG_INVALID, ESP_OTA_IMG_ABORTED,        ESP_OTA_IMG_UNDEFINED};
    const char *comma = strrchr(text, ',');
    size_t len = comma != NULL ? (size_t)(comma - text) : strlen(text);
    if (len == 0 || len >= sizeof(expected->version)) {
        return false;
    }
    memcpy(expected->version, text, len);
    expected->version[len] = '\0';
    for (size_t i = 0; comma != NULL && i < sizeof(states) / sizeof(states[0]); i++) {
        if (strcasecmp(comma + 1, otadata_state_name(states[i])) == 0) {
            expected->has_state = true;
            expected->state = states[i];
        }
    }
    return comma == NULL || expected->has_state;
}

/** Takes one option. @return false if its value is unusable */
static bool apply_option(int option, const char *value, options_t *options)
{
    run_options_t *run = &options->run;
    switch (option) {
    case OPT_BOOTS:
        return parse_number(value, 1, UINT32_MAX, &run->boots_max);
    case OPT_WATCHDOG:
        return parse_number(value, 0, 1000000, &run->watchdog_s);
    case OPT_NO_ROLLBACK:
        run->device.rollback = LINUX_DEVICE_OFF;
        return true;
    case OPT_ANTI_ROLLBACK:
        run->device.anti_rollback = true;
        return true;
    case OPT_CUT:
        return parse_number(value, 1, UINT32_MAX, &run->cut_after);
    case OPT_CUT_LIST:
        run->list_operations = true;
        return true;
    case OPT_CUT_AT:
        return parse_seconds(value, &run->cut_at_ms);
    case OPT_UNTIL:
        run->until = value;
        return value[0] != '\0';
    case OPT_MAX_SECONDS:
        return parse_seconds(value, &run->off_at_ms);
    case OPT_EXPECT:
        return parse_expected(value, &options->expected);
    case OPT_ENV:
        return set_variable(value);
    default:
        return cli_parse_offset(value, 1, &run->device.table_offset);
    }
}

static const char *state_text(uint32_t state)
{
    return state == RUN_NO_RECORD ? "no record" : otadata_state_name(state);
}

/** An app without a record needs no confirmation. */
static bool is_state(uint32_t state, uint32_t expected)
{
    return state == expected || (state == RUN_NO_RECORD && expected == ESP_OTA_IMG_VALID);
}

static bool is_as_expected(const run_report_t *report, const expected_t *expected)
{
    return expected->version[0] == '\0' ||
           (strcmp(report->version, expected->version) == 0 &&
            (!expected->has_state || (report->known && is_state(report->state, expected->state))));
}

static bool is_on_trial(const run_report_t *report)
{
    return report->known && report->state == ESP_OTA_IMG_PENDING_VERIFY;
}

/** What is told of an update that nobody has confirmed. */
static void describe_trial(const run_report_t *report, char *text, size_t size)
{
    text_format(text, size, "version %s in %s is on trial and was not confirmed: the next boot goes back%s%s",
                report->version, report->label, report->next[0] != '\0' ? " to " : "", report->next);
}

/** A run that came to an end by itself: was it the one that was wanted? @return the exit status; `why` unless it is 0 */
static int judge(const options_t *options, const run_report_t *report, char *why, size_t why_size)
{
    const run_options_t *run = &options->run;
    const expected_t *expected = &options->expected;
    if (report->looping[0] != '\0') {
        text_format(
            why, why_size,
            "update loop: version %s was installed again and has failed its trial %u times; the app should "
            "pass over what has failed here (docs/RELIABILITY.md)",
            report->looping, (unsigned)report->failures);
        return EXIT_FAILED;
    }
    if (report->end == RUN_BOOTS_LIMIT && report->crashes == report->boots) {
        text_format(why, why_size, "all %u boots ended in a crash", (unsigned)report->boots);
        return EXIT_FAILED;
    }
    if ((run->cut_after != 0 || run->cut_at_ms != 0) && !report->cut) {
        text_format(why, why_size, "the power was not cut: the run ended after %u flash operations%s",
                    (unsigned)report->operations, run->cut_after != 0 ? " (--cut-list shows them)" : "");
        return EXIT_OTHERWISE;
    }
    if (run->until != NULL && report->end != RUN_SAID && report->end != RUN_UNPOWERED) {
        text_format(why, why_size, "the console has not said '%s'", run->until);
        return EXIT_OTHERWISE;
    }
    if (!is_as_expected(report, expected)) {
        text_format(why, why_size, "expected version %s%s%s, but %s%s ran last%s%s (%s)", expected->version,
                    expected->has_state ? ", " : "",
                    expected->has_state ? otadata_state_name(expected->state) : "",
                    report->version[0] != '\0' ? "version " : "none", report->version,
                    report->label[0] != '\0' ? " in " : "", report->label,
                    report->known ? state_text(report->state) : "what is in flash cannot be read");
        return EXIT_OTHERWISE;
    }
    if (!is_on_trial(report)) {
        return EXIT_DONE;
    }
    bool wanted = expected->has_state && expected->state == ESP_OTA_IMG_PENDING_VERIFY;
    describe_trial(report, why, why_size);
    return wanted || report->end == RUN_UNPOWERED ? EXIT_DONE : EXIT_OTHERWISE;
}

static int tell_end(const char *path, const options_t *options, const run_report_t *report)
{
    char why[512] = "";
    if (report->end == RUN_FAILED || report->end == RUN_SHORT) {
        (void)cli_fail("run", "%s: %s", path, report->why);
        return report->end == RUN_SHORT ? EXIT_SHORT : EXIT_FAILED;
    }
    if (report->end == RUN_STOPPED) {
        if (is_on_trial(report)) {
            describe_trial(report, why, sizeof(why));
            printf("%s\n", why);
        }
        return 128 + report->signal;
    }
    int status = judge(options, report, why, sizeof(why));
    if (status != EXIT_DONE) {
        (void)cli_fail("run", "%s: %s", path, why);
    } else if (why[0] != '\0') {
        printf("%s\n", why); /* as it was wanted, but nobody should overlook it */
    }
    if (status == EXIT_DONE && report->output[0] != '\0') {
        status = cli_fail("run", "cannot write to standard output: %s", report->output);
    }
    return status;
}

int cmd_run(int argc, char **argv)
{
    options_t options = {.run = {.watchdog_s = WATCHDOG_DEFAULT_S}};
    int option, index = 0;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":h", long_options, &index)) != -1) {
        if (option == 'h') {
            fputs(help, stdout);
            return EXIT_DONE;
        }
        if (option == '?' || option == ':') {
            return cli_usage("run", option == ':' ? "%s needs a value" : "there is no option %s",
                             argv[optind - 1]);
        }
        if (!apply_option(option, optarg, &options)) {
            return cli_usage("run", "'%s' is no value for --%s", optarg, long_options[index].name);
        }
    }
    if (argc - optind != 1) {
        return cli_usage("run", argc == optind ? "which flash file?" : "one flash file at a time");
    }
    if (options.run.device.anti_rollback && options.run.device.rollback == LINUX_DEVICE_OFF) {
        return cli_usage("run", "--anti-rollback needs rollback: leave --no-rollback out");
    }
    if (options.run.cut_after != 0 && options.run.cut_at_ms != 0) {
        return cli_usage("run", "--cut-after or --cut-at: power is cut once");
    }
    const char *path = argv[optind];
    run_report_t report;
    run_device(path, &options.run, &report);
    return tell_end(path, &options, &report);
}
