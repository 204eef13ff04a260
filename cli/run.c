/* otter run: the virtual device on a flash file. */
#include "cli.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    "  --boots N           end when N boots have ended; without it, ten crashes of one app in a row end it\n"
    "  --watchdog SECONDS  reset when a task has used the processor for so long without blocking, or has "
    "subscribed "
    "to the\n"
    "                      task watchdog (esp_task_wdt_add) and not reset it for so long (default 60, 0: "
    "never)\n"
    "  --no-rollback       as a bootloader without CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE\n"
    "  --anti-rollback     as with CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK\n"
    "  --cut-after N       cut the power in the middle of flash operation N of the run, bootloader's and "
    "app's together\n"
    "  --env NAME=VALUE    set a variable in the app's environment, which is otherwise that of this command\n"
    "  --table-offset N    where the partition table is (default 0x8000)\n"
    "\n"
    "exit status: 0 the app is idle, N boots have ended, or the power was cut; 1 nothing boots, or nothing "
    "but crashes;\n"
    "             2 wrong usage; 128 + the signal's number when a signal ended it\n";

enum { OPT_BOOTS = 256, OPT_WATCHDOG, OPT_NO_ROLLBACK, OPT_ANTI_ROLLBACK, OPT_ENV, OPT_TABLE, OPT_CUT };

static const struct option long_options[] = {
    {"boots", required_argument, NULL, OPT_BOOTS},
    {"watchdog", required_argument, NULL, OPT_WATCHDOG},
    {"no-rollback", no_argument, NULL, OPT_NO_ROLLBACK},
    {"anti-rollback", no_argument, NULL, OPT_ANTI_ROLLBACK},
    {"cut-after", required_argument, NULL, OPT_CUT},
    {"env", required_argument, NULL, OPT_ENV},
    {"table-offset", required_argument, NULL, OPT_TABLE},
    {"table", required_argument, NULL, OPT_TABLE}, /* as this option was called */
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

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

/** Takes one option. @return false if its value is unusable */
static bool apply_option(int option, const char *value, run_options_t *options)
{
    switch (option) {
    case OPT_BOOTS:
        return parse_number(value, 1, UINT32_MAX, &options->boots_max);
    case OPT_WATCHDOG:
        return parse_number(value, 0, 1000000, &options->watchdog_s);
    case OPT_NO_ROLLBACK:
        options->device.rollback = LINUX_DEVICE_OFF;
        return true;
    case OPT_ANTI_ROLLBACK:
        options->device.anti_rollback = true;
        return true;
    case OPT_CUT:
        return parse_number(value, 1, UINT32_MAX, &options->cut_after);
    case OPT_ENV:
        return set_variable(value);
    default:
        return cli_parse_offset(value, 1, &options->device.table_offset);
    }
}

int cmd_run(int argc, char **argv)
{
    run_options_t options = {.watchdog_s = WATCHDOG_DEFAULT_S};
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
    if (options.device.anti_rollback && options.device.rollback == LINUX_DEVICE_OFF) {
        return cli_usage("run", "--anti-rollback needs rollback: leave --no-rollback out");
    }
    const char *path = argv[optind];
    run_report_t report;
    run_device(path, &options, &report);
    switch (report.end) {
    case RUN_IDLE:
    case RUN_BOOTS_LIMIT:
    case RUN_UNPOWERED:
        return EXIT_DONE;
    case RUN_STOPPED:
        return 128 + report.signal;
    case RUN_FAILED:
    case RUN_SHORT:
    default:
        return cli_fail("run", "%s: %s", path, report.why);
    }
}
