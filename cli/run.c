/* otter run: the virtual device on a flash file. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "otter/ota_ops.h"
#include "otter/text.h"
#include "build_folder.h"
#include "kinds.h"
#include "linux/flash_speed.h"
#include "linux/run.h"
#include "linux/slow_link.h"

#define WATCHDOG_DEFAULT_S 60
#define WHY_SIZE           512u

#define EXIT_OTHERWISE 3
#define EXIT_SHORT     4

/** What --expect says. */
typedef struct {
    char version[33]; /* "": nothing is expected */
    bool has_state;
    uint32_t state; /* esp_ota_img_states_t */
} expected_t;

typedef struct {
    const char *flash;
    char *made; /* path of the flash file of a build folder; owned */
    build_folder_start_t start;
    uint64_t net_rate; /* 0: not given */
    otter_run_flash_speed_t flash_speed;
    bool fast;
    run_options_t run;
    expected_t expected;
} options_t;

static bool take_variable(const char *text, void *target, const option_row_t *row, char *why)
{
    (void)target, (void)row, (void)why;
    const char *equals = strchr(text, '=');
    char *name = equals != NULL && equals != text ? strndup(text, (size_t)(equals - text)) : NULL;
    bool ok = name != NULL && setenv(name, equals + 1, 1) == 0;
    free(name);
    return ok;
}

/** "4=0" or "4=0@500ms": adds to the plan that the device's pins follow. */
static bool take_pin(const char *text, void *target, const option_row_t *row, char *why)
{
    (void)target, (void)row, (void)why;
    static const char variable[] = "OTTER_GPIO";
    unsigned pin, level, ms = 0;
    char unit[4] = "", end = '\0', *plan = NULL;
    int n = sscanf(text, "%2u=%1u@%9u%3[ms]%c", &pin, &level, &ms, unit, &end);
    bool ok = (n == 2 && strchr(text, '@') == NULL) || n == 3 ||
              (n == 4 && (strcmp(unit, "ms") == 0 || strcmp(unit, "s") == 0));
    if (!ok || pin > 63 || level > 1) {
        return false;
    }
    const char *before = getenv(variable);
    ms *= strcmp(unit, "s") == 0 ? 1000 : 1;
    ok = asprintf(&plan, "%s%s%u=%u@%u", before != NULL ? before : "", before != NULL ? "," : "", pin, level,
                  ms) >= 0 &&
         setenv(variable, plan, 1) == 0;
    free(plan);
    return ok;
}

/** A port of this machine that nobody has; it stays the same from boot to boot. @return 0: there is none */
static unsigned free_port(struct in_addr address)
{
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_addr = address};
    socklen_t size = sizeof(place);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && bind(fd, (struct sockaddr *)&place, size) == 0 &&
              getsockname(fd, (struct sockaddr *)&place, &size) == 0;
    if (fd >= 0) {
        close(fd);
    }
    return ok ? ntohs(place.sin_port) : 0;
}

/** "80=8080", "80=0" or "80=0.0.0.0:8080": where a server of the device is on this machine. */
static bool take_port(const char *text, void *target, const option_row_t *row, char *why)
{
    (void)target, (void)row, (void)why;
    static const char variable[] = "OTTER_PORTS";
    unsigned device, host;
    char address[INET_ADDRSTRLEN] = "127.0.0.1", end = '\0', *plan = NULL;
    struct in_addr parsed;
    bool ok = sscanf(text, "%5u=%5u%c", &device, &host, &end) == 2 ||
              sscanf(text, "%5u=%15[0-9.]:%5u%c", &device, address, &host, &end) == 3;
    if (!ok || inet_pton(AF_INET, address, &parsed) != 1 || device == 0 || device > UINT16_MAX ||
        host > UINT16_MAX) {
        return false;
    }
    host = host != 0 ? host : free_port(parsed);
    const char *before = getenv(variable);
    ok = host != 0 &&
         asprintf(&plan, "%s%s%u=%s:%u", before != NULL ? before : "", before != NULL ? "," : "", device,
                  address, host) >= 0 &&
         setenv(variable, plan, 1) == 0;
    free(plan);
    return ok;
}

/** "NOR", or a file. */
static bool take_flash_speed(const char *text, void *target, const option_row_t *row, char *why)
{
    (void)row;
    options_t *options = target;
    otter_fault_t fault = {0};
    char value[FLASH_SPEED_TEXT_SIZE];
    if (flash_speed_load(text, &options->flash_speed, &fault) != ESP_OK) {
        snprintf(why, OPTIONS_WHY_SIZE, "%s", fault.why);
        return false;
    }
    flash_speed_encode(&options->flash_speed, value);
    options->run.device.flash_speed = &options->flash_speed;
    return setenv(OTTER_RUN_ENV_FLASH_SPEED, value, 1) == 0;
}

/** "1M,20ms,0" */
static bool take_link(const char *text, void *target, const option_row_t *row, char *why)
{
    (void)target, (void)row;
    otter_run_link_t link;
    char value[SLOW_LINK_TEXT_SIZE];
    if (!slow_link_parse(text, &link, why)) {
        return false;
    }
    slow_link_encode(&link, value);
    return setenv(OTTER_RUN_ENV_LINK, value, 1) == 0;
}

/** "02:00:00:00:12:34" */
static bool take_mac(const char *text, void *target, const option_row_t *row, char *why)
{
    (void)target, (void)row, (void)why;
    unsigned bytes[6];
    char end;
    return strlen(text) == 17 &&
           sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%c", &bytes[0], &bytes[1], &bytes[2], &bytes[3], &bytes[4],
                  &bytes[5], &end) == 6 &&
           (bytes[0] & 1) == 0 && setenv("OTTER_MAC", text, 1) == 0;
}

/** "2.0.0" or "2.0.0,VALID" */
static bool take_expected(const char *text, void *target, const option_row_t *row, char *why)
{
    (void)row, (void)why;
    expected_t *expected = target;
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
        if (strcasecmp(comma + 1, otter_ota_state_name(states[i])) == 0) {
            expected->has_state = true;
            expected->state = states[i];
        }
    }
    return comma == NULL || expected->has_state;
}

static const char *state_text(uint32_t state)
{
    return state == RUN_NO_RECORD ? "no record" : otter_ota_state_name(state);
}

/** An app without a record needs no confirmation. */
static bool is_state(uint32_t state, uint32_t expected)
{
    return state == expected || (state == RUN_NO_RECORD && expected == ESP_OTA_IMG_VALID);
}

/** The report has a ? for each byte of a version that is not printable ASCII. */
static bool is_version(const char *reported, const char *wanted)
{
    while (*wanted != '\0' && *reported == (*wanted >= ' ' && *wanted <= '~' ? *wanted : '?')) {
        reported++;
        wanted++;
    }
    return *reported == '\0' && *wanted == '\0';
}

static bool is_as_expected(const run_report_t *report, const expected_t *expected)
{
    return expected->version[0] == '\0' ||
           (is_version(report->version, expected->version) &&
            (!expected->has_state || (report->known && is_state(report->state, expected->state))));
}

static bool is_on_trial(const run_report_t *report)
{
    return report->known && report->state == ESP_OTA_IMG_PENDING_VERIFY;
}

/** What is told of an update that nobody has confirmed. */
static void describe_trial(const run_report_t *report, char why[WHY_SIZE])
{
    text_format(why, WHY_SIZE,
                "version %s in %s is on trial and was not confirmed: the next boot goes back%s%s",
                report->version, report->label, report->next[0] != '\0' ? " to " : "", report->next);
}

/** A run that came to an end by itself: was it the one that was wanted? @return the exit status; `why` unless it is 0 */
static int judge(const options_t *options, const run_report_t *report, char why[WHY_SIZE])
{
    const run_options_t *run = &options->run;
    const expected_t *expected = &options->expected;
    if (report->looping[0] != '\0') {
        text_format(
            why, WHY_SIZE,
            "update loop: version %s was installed again and has failed its trial %u times; the app should "
            "pass over what has failed here (docs/RELIABILITY.md)",
            report->looping, (unsigned)report->failures);
        return EXIT_FAILED;
    }
    if (report->end == RUN_BOOTS_LIMIT && report->crashes == report->boots) {
        text_format(why, WHY_SIZE,
                    report->boots == 1 ? "the boot ended in a crash" : "all %u boots ended in a crash",
                    (unsigned)report->boots);
        return EXIT_FAILED;
    }
    /* The time was over in one more boot, which got no further than those before it, as far as one can tell. */
    if (report->end == RUN_TIME_OVER && report->crashes_in_row > 1 && report->crashes + 1 >= report->boots) {
        text_format(why, WHY_SIZE, "version %s in %s crashed %u times in a row until the time was over",
                    report->version, report->label, (unsigned)report->crashes_in_row);
        return EXIT_FAILED;
    }
    if ((run->cut_after != 0 || run->cut_at_ms != 0) && !report->cut) {
        text_format(why, WHY_SIZE, "the power was not cut: the run ended after %u flash operations%s",
                    (unsigned)report->operations, run->cut_after != 0 ? " (--cut-list shows them)" : "");
        return EXIT_OTHERWISE;
    }
    if (run->until != NULL && report->end != RUN_SAID && report->end != RUN_UNPOWERED) {
        text_format(why, WHY_SIZE, "the console has not said '%s'", run->until);
        return EXIT_OTHERWISE;
    }
    if (!is_as_expected(report, expected)) {
        text_format(why, WHY_SIZE, "expected version %s%s%s, but %s%s ran last%s%s (%s)", expected->version,
                    expected->has_state ? ", " : "",
                    expected->has_state ? otter_ota_state_name(expected->state) : "",
                    report->version[0] != '\0' ? "version " : "none", report->version,
                    report->label[0] != '\0' ? " in " : "", report->label,
                    report->known ? state_text(report->state) : "what is in flash cannot be read");
        return EXIT_OTHERWISE;
    }
    if (!is_on_trial(report)) {
        return EXIT_DONE;
    }
    bool wanted = expected->has_state && expected->state == ESP_OTA_IMG_PENDING_VERIFY;
    describe_trial(report, why);
    return wanted || report->end == RUN_UNPOWERED ? EXIT_DONE : EXIT_OTHERWISE;
}

static int tell_end(const char *path, const options_t *options, const run_report_t *report)
{
    char why[WHY_SIZE] = "";
    if (report->end == RUN_FAILED || report->end == RUN_SHORT) {
        (void)cli_fail("run", "%s: %s", path, report->why);
        return report->end == RUN_SHORT ? EXIT_SHORT : EXIT_FAILED;
    }
    if (report->end == RUN_STOPPED) {
        if (is_on_trial(report)) {
            describe_trial(report, why);
            printf("%s\n", why);
        }
        return 128 + report->signal;
    }
    int status = judge(options, report, why);
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

static int run(void *taken)
{
    options_t *options = taken;
    if (options->run.device.anti_rollback && options->run.device.rollback == LINUX_DEVICE_OFF) {
        return cli_usage("run", "--anti-rollback needs rollback: leave --rollback off out");
    }
    if (options->run.cut_after != 0 && options->run.cut_at_ms != 0) {
        return cli_usage("run", "--cut-after or --cut-at: power is cut once");
    }
    char rate[24];
    snprintf(rate, sizeof(rate), "%" PRIu64, options->net_rate);
    if (options->net_rate != 0 && setenv("OTTER_NET_RATE", rate, 1) != 0) {
        return cli_fail("run", "out of memory");
    }
    if (options->fast && setenv(OTTER_RUN_ENV_FAST, "1", 1) != 0) {
        return cli_fail("run", "out of memory");
    }
    options->run.fast = options->fast;
    const char *folder = options->flash;
    options->run.watchdog_s = options->run.debugger ? 0 : options->run.watchdog_s;
    if (build_folder_is(folder)) {
        options->made = build_folder_prepare("run", options->flash, &options->start, &options->run.device);
        if (options->made == NULL) {
            return EXIT_FAILED;
        }
        options->flash = options->made;
    } else if (options->start.flash || options->start.fresh) {
        return cli_usage("run", "--flash and --new are for the build folder of a project");
    }
    run_report_t report;
    run_device(options->flash, &options->run, &report);
    int status = tell_end(options->flash, options, &report);
    if (options->made != NULL && !build_folder_end("run", folder) && status == EXIT_DONE) {
        status = EXIT_FAILED;
    }
    return status;
}

static void free_options(void *taken)
{
    free(((options_t *)taken)->made);
}

static const option_kind_t kind_expected = {
    "VERSION[,STATE]", "a version, and a state as VALID behind a comma", take_expected, NULL, NULL};
static const option_kind_t kind_pin = {
    "PIN=LEVEL[@TIME]", "a pin, 0 to 63, its level 0 or 1, and a time as 500ms or 2s", take_pin, NULL, NULL};
static const option_kind_t kind_port = {
    "PORT=[ADDRESS:]PORT", "a port of the device and one of this machine, as 80=8080 or 80=0.0.0.0:8080",
    take_port, NULL, NULL};
static const option_kind_t kind_flash_speed = {"NOR|FILE", NULL, take_flash_speed, NULL, NULL};
static const option_kind_t kind_link = {"RATE,DELAY,LOSS", NULL, take_link, NULL, NULL};
static const option_kind_t kind_mac = {"MAC", "a MAC address as 02:00:00:00:12:34, of no group", take_mac,
                                       NULL, NULL};
static const option_kind_t kind_variable = {"NAME=VALUE", "NAME=VALUE", take_variable, NULL, NULL};

#define RUN(member) offsetof(options_t, run.member)

static const option_row_t rows[] = {
    {"FLASH", &option_argument, offsetof(options_t, flash), .help = NULL},
    {"flash", &option_switch, offsetof(options_t, start.flash),
     .help = "of a build folder: write what was built, even if it is in flash already"},
    {"new", &option_switch, offsetof(options_t, start.fresh),
     .help = "of a build folder: begin with a new device, its flash and eFuses those of a new chip"},
    {.help = "how long:"},
    {"boots", &option_number, RUN(boots_max),
     .help = "end when N boots have ended; without it, ten crashes of one app in a row end it, and a version "
             "that is "
             "installed again each time and fails three trials, or is installed over itself ten times",
     .min = 1, .max = UINT32_MAX},
    {"until", &option_text, RUN(until),
     .help = "end as soon as the console has said TEXT (it is a pipe then, and no terminal)"},
    {"max-seconds", &option_seconds, RUN(off_at_ms), .help = "end after so long (2.5 is fine)",
     .max = 1000000},
    {"watchdog", &option_number, RUN(watchdog_s),
     .help = "reset when a task has used the processor for so long without blocking, or has subscribed to "
             "the task watchdog "
             "(esp_task_wdt_add) and not reset it for so long (default 60, 0: never)",
     .max = 1000000, .value = "SECONDS"},
    {.help = "power cuts:"},
    {"cut-after", &option_number, RUN(cut_after),
     .help = "cut the power in the middle of flash operation N of the run, bootloader's and app's together",
     .min = 1, .max = UINT32_MAX},
    {"cut-list", &option_switch, RUN(list_operations),
     .help = "list these operations when the run ends: number, boot, who, what, where"},
    {"cut-at", &option_seconds, RUN(cut_at_ms),
     .help = "cut the power after so long, in the middle of the operation that is under way", .max = 1000000},
    {"brownout-at", &option_seconds, RUN(brownout_at_ms),
     .help =
         "let the supply sag after so long: the app that runs then is reset in the middle of what it does "
         "(ESP_RST_BROWNOUT), and the device boots again",
     .max = 1000000},
    {"skip-sleep", &option_switch, RUN(skip_sleep),
     .help = "a deep sleep with a timer (esp_deep_sleep) takes no time"},
    {"gdb", &option_switch, RUN(debugger),
     .help = "start the app in gdb (break app_main, run); there is no watchdog then"},
    {.help = "for scripts:"},
    {"expect", &kind_expected, offsetof(options_t, expected),
     .help = "fail unless this version ran last and, with STATE, its record in otadata says so: VALID (also "
             "of an app that "
             "needs no record), PENDING_VERIFY, UNDEFINED, ..."},
    {.help = "the device:"},
    OPTION_ROLLBACK(offsetof(options_t, run.device),
                    "off: as a bootloader without CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE (default: on)"),
    OPTION_ANTI_ROLLBACK(offsetof(options_t, run.device)),
    OPTION_ENCRYPT_FLASH(offsetof(options_t, run.device)),
    OPTION_EFUSE(offsetof(options_t, run.device)),
    {"gpio", &kind_pin, 0,
     .help = "the level of an input pin (driver/gpio.h), from the boot or so long after it; may be given "
             "several times"},
    {"port", &kind_port, 0,
     .help = "where a server of the device (esp_http_server) is on this machine; 0: on a port that is free, "
             "which the "
             "console "
             "tells; without an address for this machine alone; may be given several times"},
    {"net-rate", &option_size, offsetof(options_t, net_rate),
     .help = "bytes a second that its network brings, as 100K; default: as many as come", .min = 1024,
     .max = 1u << 30},
    {"flash-speed", &kind_flash_speed, 0,
     .help =
         "let the flash take as long as a chip: NOR (typical times of a data sheet: 45 ms to erase 4 KiB, "
         "150 ms for 64 KiB, 0.4 ms to program a page), NOR-WORST (its longest), or a file with lines as "
         "`sector_erase = 45 ms` (docs/FORMATS.md)"},
    {"link", &kind_link, 0,
     .help =
         "let what the app receives by HTTP and TLS come over a slow link: bits a second, delay one way, and "
         "lost segments, as 1M,20ms,1%; a fourth value is the device's TCP window (default 5760 bytes)"},
    {"fast", &option_switch, offsetof(options_t, fast),
     .help = "let the device's clock run ahead over all that its tasks wait for together (delays, timers, "
             "sleep, flash, the "
             "link), time-outs and the watchdog included; not over answers of servers. --max-seconds, "
             "--cut-at and "
             "--brownout-at are times of this machine"},
    {"mac", &kind_mac, 0,
     .help = "the MAC address that the device was made with (esp_efuse_mac_get_default); default: "
             "02:00:00:00:00:01"},
    {"env", &kind_variable, 0,
     .help = "set a variable in the app's environment, which is otherwise that of this command"},
    OPTION_TABLE_OFFSET(offsetof(options_t, run.device)),
    {"table", &kind_offset, RUN(device.table_offset), .help = NULL},
    {0},
};

const cli_verb_t run_verb = {
    .name = "run",
    .line = "run the virtual device on a flash file",
    .about = "Runs the virtual device (chip linux) in a flash file: bootloader, app, reset, again. The "
             "console is standard "
             "output. It ends when the app has nothing more to do: each of its tasks has ended or waits for "
             "ever.\n",
    .after = "exit status:\n"
             "  0  it ended as it was to: the app is idle, N boots, TEXT, N seconds, or the power cut\n"
             "  1  the device failed: nothing boots, nothing but crashes, the same update again and again,\n"
             "     or the disk did not take all of its flash\n"
             "  2  wrong usage\n"
             "  3  it ended otherwise: not as expected, without the power cut or TEXT, or with an update on\n"
             "     trial that nobody confirmed (unless PENDING_VERIFY is expected, or the power was cut)\n"
             "  4  this machine has not enough of something; the device has not booted, and lost no trial\n"
             "  128 + the signal's number when a signal ended it\n"
             "\n"
             "examples: otter run my_project/build-otter\n"
             "          otter run flash.bin --max-seconds 20 --expect 2.0.0,VALID\n"
             "          cp flash.bin t.bin; otter run t.bin --cut-list | grep ota_1\n",
    .options = rows,
    .size = sizeof(options_t),
    .defaults = &(const options_t){.run.watchdog_s = WATCHDOG_DEFAULT_S},
    .run = run,
    .end = free_options,
};
