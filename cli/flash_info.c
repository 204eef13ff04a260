/* otter flash info: looks at everything that decides how a device boots, and changes nothing. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "flash_report.h"
#include "flash_verbs.h"

#define VERB "flash"

typedef struct {
    const char *path;
    linux_device_options_t device;
    bool json, check;
} info_options_t;

static int take_option(info_options_t *o, int c)
{
    switch (c) {
    case 'j':
        o->json = true;
        return EXIT_DONE;
    case 'k':
        o->check = true;
        return EXIT_DONE;
    case 'c':
        o->device.chip = otter_chip_by_name(optarg);
        return o->device.chip != NULL ? EXIT_DONE : cli_usage(VERB, "'%s' is not a chip", optarg);
    case 'o':
        return cli_parse_offset(optarg, 1, &o->device.table_offset)
                   ? EXIT_DONE
                   : cli_usage(VERB, "'%s' is not an offset in flash", optarg);
    case 'r':
        o->device.rollback = strcmp(optarg, "on") == 0 ? LINUX_DEVICE_ON : LINUX_DEVICE_OFF;
        return strcmp(optarg, "on") == 0 || strcmp(optarg, "off") == 0
                   ? EXIT_DONE
                   : cli_usage(VERB, "--rollback is on or off, not '%s'", optarg);
    default:
        return cli_usage(VERB, "info does not know an option, or it needs a value");
    }
}

static int parse_options(int argc, char **argv, info_options_t *o)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'},           {"check", no_argument, NULL, 'k'},
        {"chip", required_argument, NULL, 'c'},     {"table-offset", required_argument, NULL, 'o'},
        {"offset", required_argument, NULL, 'o'}, /* as this option was called */
        {"rollback", required_argument, NULL, 'r'}, {0},
    };
    int c;
    optind = 0;
    opterr = 0;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        int status = take_option(o, c);
        if (status != EXIT_DONE) {
            return status;
        }
    }
    if (argc - optind != 1) {
        return cli_usage(VERB, "info takes one flash file");
    }
    o->path = argv[optind];
    return EXIT_DONE;
}

static int print_json(const flash_report_t *r)
{
    cJSON *json = flash_report_json(r);
    char *text = json != NULL ? cJSON_Print(json) : NULL;
    cJSON_Delete(json);
    if (text == NULL) {
        return cli_fail(VERB, "out of memory");
    }
    puts(text);
    free(text);
    return EXIT_DONE;
}

/** The report of an open device. @return EXIT_DONE, or EXIT_FAILED after saying what is missing */
static int look(flash_report_t *r, const info_options_t *o)
{
    if (!flash_look(r)) {
        return cli_fail(VERB, "out of memory");
    }
    flash_judge(r);
    flash_suggest_repairs(r);
    if (!o->json) {
        flash_report_print(r);
    }
    if (!r->has_table || (o->check && r->level == FLASH_NOTHING)) {
        fflush(stdout); /* what was found out comes before what is wrong */
        return cli_fail(VERB, "%s boots %s", r->path, r->verdict);
    }
    return EXIT_DONE;
}

void flash_tell_next(const char *path, const linux_device_options_t *options)
{
    linux_device_options_t look_only = *options;
    char why[FLASH_LINE_SIZE];
    flash_report_t *r = calloc(1, sizeof(*r));
    look_only.read_only = look_only.whole = look_only.allow_no_md5 = true;
    if (r == NULL || linux_device_open(&r->dev, path, &look_only, why, sizeof(why)) != ESP_OK) {
        free(r);
        return; /* what was done is told; this would have been more */
    }
    r->path = path;
    r->warnings = cJSON_CreateArray();
    if (flash_look(r)) {
        flash_judge(r);
        const cJSON *warning;
        cli_did("boots next: %s", r->verdict);
        cJSON_ArrayForEach(warning, r->warnings)
        {
            cli_did("warning: %s", warning->valuestring);
        }
    }
    flash_report_end(r);
    (void)linux_device_close(&r->dev);
    free(r);
}

int flash_info_verb(int argc, char **argv)
{
    info_options_t o = {.device = {.read_only = true, .whole = true, .allow_no_md5 = true}};
    int status = parse_options(argc, argv, &o);
    if (status != EXIT_DONE) {
        return status;
    }
    flash_report_t *r = calloc(1, sizeof(*r));
    if (r == NULL) {
        return cli_fail(VERB, "out of memory");
    }
    char why[FLASH_LINE_SIZE];
    r->path = o.path;
    r->warnings = cJSON_CreateArray();
    r->repairs = cJSON_CreateArray();
    if (linux_device_open(&r->dev, o.path, &o.device, why, sizeof(why)) != ESP_OK) {
        r->dev.flash = NULL;
        snprintf(r->reason, sizeof(r->reason), "%s", why);
        r->boot.otadata_copy = OTADATA_NONE;
        status = cli_fail(VERB, "%s: %s", o.path, why);
    } else {
        status = look(r, &o);
    }
    if (o.json && print_json(r) != EXIT_DONE) {
        status = EXIT_FAILED;
    }
    flash_report_end(r);
    if (r->dev.flash != NULL) {
        (void)linux_device_close(&r->dev); /* opened read-only: nothing to lose */
    }
    free(r);
    return status;
}
