/* otter image info and verify: judge a file that is an image, or begins with one. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clean_text.h"
#include "cli.h"
#include "host/named_file.h"
#include "image/kind.h"
#include "image_json.h"
#include "image_options.h"
#include "image_verbs.h"

#define READ_PIECE (256 * 1024)

/** Feeds the file to the stream until it has its verdict. @return false: could not read, errno says why */
static bool feed_file(image_stream_t *s, int fd)
{
    uint8_t *buf = malloc(READ_PIECE);
    if (buf == NULL) {
        return false;
    }
    ssize_t n = 1;
    while (n != 0 && s->verdict == ESP_ERR_NOT_FINISHED) {
        n = read(fd, buf, READ_PIECE);
        if (n < 0 && errno != EINTR) {
            break;
        }
        if (n > 0) {
            image_stream_feed(s, buf, (size_t)n);
        }
    }
    int error = errno;
    free(buf);
    errno = error;
    return n >= 0 || s->verdict != ESP_ERR_NOT_FINISHED;
}

/** Nothing can be judged: the stream gets that as its verdict, with the reason. @return false */
static bool cannot(image_stream_t *s, const char *what, int error)
{
    s->verdict = ESP_FAIL;
    snprintf(s->why, sizeof(s->why), "%s%s%s", what, error != 0 ? ": " : "",
             error != 0 ? strerror(error) : "");
    return false;
}

/** Judges the open file; the verdict is in the stream in any case. @return false: it is not about an image */
static bool judge_fd(image_stream_t *s, int fd, uint64_t size, const otter_chip_t *chip)
{
    if (size > UINT32_MAX) {
        return cannot(s, "no image is that long", EFBIG);
    }
    image_rules_t rules = {.chip = chip, .size = (uint32_t)size, .loading = true};
    if (image_stream_begin(s, &rules) == ESP_OK && !feed_file(s, fd)) {
        return cannot(s, "cannot read it", errno);
    }
    image_stream_close(s);
    return true;
}

static bool judge_file(image_stream_t *s, const char *path, const otter_chip_t *chip)
{
    struct stat st;
    int fd = input_open(path, INPUT_ORDINARY, &st, s->why, sizeof(s->why));
    if (fd < 0) {
        s->verdict = ESP_FAIL;
        return false;
    }
    bool judged = judge_fd(s, fd, (uint64_t)st.st_size, chip);
    close(fd);
    return judged;
}

static const char *chip_title(uint16_t id)
{
    const otter_chip_facts_t *facts = otter_chip_facts(id);
    return facts != NULL ? facts->title : "unknown chip";
}

/* ---- info, for people ---- */

static void print_segments(const image_stream_t *s)
{
    const image_info_t *info = &s->info;
    const otter_chip_facts_t *facts = otter_chip_facts(info->header.chip_id);
    for (uint32_t i = 0; i < info->segments_seen; i++) {
        uint32_t addr = info->segments[i].load_addr;
        const char *kind = "loaded";
        if (facts == NULL) {
            kind = "";
        } else if (facts->id == OTTER_CHIP_LINUX) {
            kind = i == 0 ? "descriptor" : i == 1 ? "executable" : "";
        } else if (image_addr_is_mapped(facts, addr, info->mmu_page_size)) {
            kind = "mapped";
        } else if (addr < 0x10000000) {
            kind = "padding";
        }
        printf("segment %-2" PRIu32 "    0x%08" PRIx32 ", %" PRIu32 " bytes at 0x%" PRIx32 "  %s\n", i, addr,
               info->segments[i].data_len, info->segment_data[i], kind);
    }
}

static void print_text(const char *name, const char *raw, size_t len)
{
    char text[CLEAN_TEXT_SIZE(32)];
    printf("%-13s %s\n", name, clean_text(text, raw, len));
}

static void print_app(const esp_app_desc_t *desc)
{
    char hex[2 * sizeof(desc->app_elf_sha256) + 1];
    print_text("project", desc->project_name, sizeof(desc->project_name));
    print_text("version", desc->version, sizeof(desc->version));
    printf("%-13s %" PRIu32 "\n", "secure ver.", desc->secure_version);
    if (desc->date[0] != '\0' || desc->time[0] != '\0') {
        print_text("built on", desc->date, sizeof(desc->date));
        print_text("built at", desc->time, sizeof(desc->time));
    }
    if (desc->idf_ver[0] != '\0') {
        print_text("ESP-IDF", desc->idf_ver, sizeof(desc->idf_ver));
    }
    printf("%-13s %s\n", "ELF SHA-256", image_hex(hex, desc->app_elf_sha256, sizeof(desc->app_elf_sha256)));
}

static void print_header(const esp_image_header_t *header)
{
    char min[12], max[12];
    printf("%-13s %s (0x%04x), revision %s", "chip", chip_title(header->chip_id), header->chip_id,
           image_revision_text(header->min_chip_rev_full, min));
    if (header->max_chip_rev_full == 0 || header->max_chip_rev_full == UINT16_MAX) {
        printf(" or later\n");
    } else {
        printf(" to %s\n", image_revision_text(header->max_chip_rev_full, max));
    }
    printf("%-13s 0x%08" PRIx32 "\n", "entry", header->entry_addr);
}

static void print_info(const image_stream_t *s, const char *path)
{
    const image_info_t *info = &s->info;
    printf("%s: %s %s%s%s\n", path, s->verdict == ESP_OK ? "valid" : "BROKEN",
           image_kind_name(image_kind(info)), s->why[0] != '\0' ? ": " : "", s->why);
    if (info->header_seen && info->header.magic == ESP_IMAGE_HEADER_MAGIC) {
        print_header(&info->header);
        print_segments(s);
    }
    if (info->checksum_seen) {
        printf("%-13s 0x%02x, %s\n", "checksum", info->checksum_stored,
               info->checksum_valid ? "right" : "WRONG");
    }
    if (info->hash_seen) {
        char hex[2 * IMAGE_HASH_LEN + 1];
        printf("%-13s %s, %s\n", "SHA-256", image_hex(hex, info->digest, IMAGE_HASH_LEN),
               info->hash_valid ? "right" : "WRONG");
    } else if (s->verdict == ESP_OK) {
        printf("%-13s none appended: only the checksum protects the image\n", "SHA-256");
    }
    if (info->image_len != 0) {
        printf("%-13s %" PRIu32 " bytes\n", "length", info->image_len);
    }
    if (info->has_desc) {
        print_app(&info->desc);
    }
}

static int print_json(const image_stream_t *s)
{
    cJSON *object = image_json(s);
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
    image_stream_t s = {0};
    bool judged = judge_file(&s, argv[optind], NULL);
    int status = EXIT_DONE;
    if (json) {
        status = print_json(&s);
    } else if (judged) {
        print_info(&s, argv[optind]);
    }
    if (s.verdict != ESP_OK) {
        fflush(stdout); /* what was found out comes before what is wrong */
        status = cli_fail("image", "%s: %s", argv[optind], s.why);
    }
    image_stream_end(&s);
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

static int tell_verdict(const image_stream_t *s, const char *path)
{
    if (s->verdict != ESP_OK) {
        return cli_fail("image", "%s: %s", path, s->why);
    }
    const image_info_t *info = &s->info;
    printf("%s: valid %s image, %" PRIu32 " bytes", path, chip_title(info->header.chip_id), info->image_len);
    if (info->has_desc) {
        char project[CLEAN_TEXT_SIZE(32)], version[CLEAN_TEXT_SIZE(32)];
        printf(", %s %s", clean_text(project, info->desc.project_name, 32),
               clean_text(version, info->desc.version, 32));
    }
    printf("%s\n", info->hash_seen ? "" : " (no SHA-256 appended, only the checksum was compared)");
    return EXIT_DONE;
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
    image_stream_t s = {0};
    otter_chip_t chip = judging_chip(o.chip != NULL ? o.chip->id : 0, o.rev_given, o.rev);
    judge_file(&s, o.path, o.chip != NULL ? &chip : NULL);
    if (o.chip == NULL && o.rev_given && s.verdict == ESP_OK) {
        chip.id = s.info.header.chip_id; /* the image's own chip, now with a revision to judge */
        judge_file(&s, o.path, &chip);
    }
    status = tell_verdict(&s, o.path);
    image_stream_end(&s);
    return status;
}
