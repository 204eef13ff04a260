/* otter image info and verify: judge a file that is an image, or begins with one. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli.h"
#include "image_look.h"
#include "image_options.h"
#include "image_report.h"
#include "image_verbs.h"

/** As people call it. */
static const char *name_of(const char *path)
{
    return path[0] == '-' && path[1] == '\0' ? "standard input" : path;
}

static int print_json(const image_look_t *look)
{
    cJSON *object = image_report_json(look);
    char *text = object != NULL ? cJSON_Print(object) : NULL;
    cJSON_Delete(object);
    if (text == NULL) {
        return cli_fail("image", "out of memory");
    }
    puts(text);
    free(text);
    return EXIT_DONE;
}

int image_info_verb(int argc, char **argv)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    bool json = false;
    int c;
    optind = 0; /* start over, with what glibc keeps */
    opterr = 0;
    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        switch (c) {
        case 'j':
            json = true;
            break;
        case 'h':
            fputs(image_help, stdout);
            return EXIT_DONE;
        default:
            return cli_usage("image", "info does not know %s", argv[optind - 1]);
        }
    }
    if (argc - optind != 1) {
        return cli_usage("image", "info takes one file");
    }
    image_look_t look;
    const char *name = name_of(argv[optind]);
    bool read = image_look(&look, argv[optind], NULL);
    int status = EXIT_DONE;
    if (json) {
        status = print_json(&look);
    } else if (read) {
        image_report_print(&look, name);
    }
    if (look.error[0] != '\0') {
        fflush(stdout); /* what was found out comes before what is wrong */
        status = cli_fail("image", "%s: %s", name, look.error);
    }
    image_look_end(&look);
    return status;
}

/* ---- verify ---- */

/**
 * The device to judge by. Without a known revision every revision is right: the highest one, on a chip whose eFuses say
 * to ignore upper limits.
 */
static otter_chip_t judging_chip(uint16_t id, bool rev_given, uint16_t rev)
{
    return (otter_chip_t){
        .id = id,
        .revision = rev_given ? rev : UINT16_MAX,
        .blk_revision = UINT16_MAX,
        .ignore_max_revision = !rev_given,
        .ignore_max_blk_revision = true,
    };
}

typedef struct {
    const char *path;
    const otter_chip_facts_t *chip; /* NULL: the image's own */
    bool rev_given, help;
    uint16_t rev;
} verify_options_t;

static int parse_verify_options(int argc, char **argv, verify_options_t *o)
{
    static const struct option options[] = {
        {"chip", required_argument, NULL, 'c'},
        {"chip-rev", required_argument, NULL, 'r'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    int c;
    optind = 0;
    opterr = 0;
    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        switch (c) {
        case 'c':
            o->chip = otter_chip_by_name(optarg);
            if (o->chip == NULL) {
                return cli_usage("image", "'%s' is not a chip", optarg);
            }
            break;
        case 'r':
            o->rev_given = true;
            if (!parse_revision(optarg, &o->rev)) {
                return cli_usage("image", "'%s' is not a chip revision, such as v3.1", optarg);
            }
            break;
        case 'h':
            o->help = true;
            return EXIT_DONE;
        default:
            return cli_usage("image", "verify does not know %s, or it needs a value", argv[optind - 1]);
        }
    }
    if (argc - optind != 1) {
        return cli_usage("image", "verify takes one file");
    }
    o->path = argv[optind];
    return EXIT_DONE;
}

int image_verify_verb(int argc, char **argv)
{
    verify_options_t o = {0};
    int status = parse_verify_options(argc, argv, &o);
    if (o.path == NULL) { /* wrong usage, or only help was asked for */
        fputs(o.help ? image_help : "", stdout);
        return status;
    }
    image_look_t look;
    const char *name = name_of(o.path);
    otter_chip_t chip = judging_chip(o.chip != NULL ? o.chip->id : 0, o.rev_given, o.rev);
    bool read = image_look(&look, o.path, o.chip != NULL ? &chip : NULL);
    if (read && o.chip == NULL && o.rev_given && look.error[0] == '\0') {
        chip.id = look.stream.info.header.chip_id; /* the image's own chip, now with a revision to judge */
        image_look_again(&look, &chip);
    }
    if (look.error[0] != '\0') {
        status = cli_fail("image", "%s: %s", name, look.error);
    } else {
        image_report_print_verdict(&look, name);
    }
    image_look_end(&look);
    return status;
}
