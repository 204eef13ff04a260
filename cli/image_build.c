/* otter image build: an app image from an ELF file, for the virtual device or for a chip, or around any bytes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "otter/bytes.h"
#include "clean_text.h"
#include "cli.h"
#include "elf.h"
#include "otter/image.h"
#include "image_layout.h"
#include "image_writer.h"
#include "kinds.h"
#include "payload_image.h"
#include "small_bootloader.h"

#define VERB            "image build"
#define ELF_MAX         0x7FF00000u /* bytes; with its descriptor it still fits the largest flash */
#define LINUX_EXEC_ADDR 0x10000000u /* load address of the executable's segment, by agreement */
#define DESC_AT(field)  offsetof(esp_app_desc_t, field)
#define WP_PIN_NOT_SET  0xEE
#define OWN_DESC        ".rodata_desc" /* where a program of ESP-IDF's has its esp_app_desc */

typedef struct {
    const char *elf, *payload, *output; /* of the first two one is given */
    const otter_chip_facts_t *chip;
    const char *project, *version, *idf_ver; /* NULL: not given */
    bool has_secure_version;
    uint32_t secure_version;
    uint16_t min_rev, max_rev;
    const char *flash_freq;
    uint8_t flash_mode, flash_size; /* codes of the header */
    bool bootloader, no_hash, quiet, own_desc;
} build_options_t;

/** What is wrong with the ELF file; its section names may be part of the reason. */
static int fail_elf(const build_options_t *o, const otter_fault_t *fault)
{
    char clean[CLEAN_TEXT_SIZE(OTTER_WHY_MAX)];
    return cli_fail("image", "%s: %s", o->elf, clean_text(clean, fault->why, OTTER_WHY_MAX));
}

/* ---- the descriptor ---- */

static void put_text(uint8_t *desc, size_t at, size_t size, const char *text)
{
    if (text != NULL) {
        memset(desc + at, 0, size);
        memcpy(desc + at, text, strnlen(text, size));
    }
}

/** Fields that were given replace those of `desc`, 256 bytes. */
static void override_desc(uint8_t *desc, const build_options_t *o)
{
    put_text(desc, DESC_AT(version), 32, o->version);
    put_text(desc, DESC_AT(project_name), 32, o->project);
    put_text(desc, DESC_AT(idf_ver), 32, o->idf_ver);
    if (o->has_secure_version) {
        le32_put(desc + DESC_AT(secure_version), o->secure_version);
    }
}

/** SOURCE_DATE_EPOCH, in the forms of __DATE__ and __TIME__; without it both stay empty. */
static void put_build_time(uint8_t *desc)
{
    const char *epoch = getenv("SOURCE_DATE_EPOCH");
    char *end;
    long long seconds = epoch != NULL ? strtoll(epoch, &end, 10) : -1;
    struct tm tm;
    time_t when = (time_t)seconds;
    if (epoch == NULL || end == epoch || *end != '\0' || seconds < 0 || gmtime_r(&when, &tm) == NULL) {
        return;
    }
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    char date[32], hms[16];
    snprintf(date, sizeof(date), "%s %2d %d", months[tm.tm_mon], tm.tm_mday, tm.tm_year + 1900);
    snprintf(hms, sizeof(hms), "%02d:%02d:%02d", tm.tm_hour, tm.tm_min, tm.tm_sec);
    put_text(desc, DESC_AT(date), 16, date);
    put_text(desc, DESC_AT(time), 16, hms);
}

static void make_desc(uint8_t *desc, const build_options_t *o)
{
    memset(desc, 0, OTTER_IMAGE_DESC_SIZE);
    le32_put(desc, ESP_APP_DESC_MAGIC_WORD);
    override_desc(desc, o);
    put_build_time(desc);
}

/** What ESP-IDF puts in the place of the digest where it builds for linux, as "some known value for testing". */
static const uint8_t idf_linux_digest[32] = {0xDE, 0xAD, 0xBE, 0xEF, 0x47, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06,
                                             0x07, 0x08, 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x0E, 0x0F, 0x10, 0x11,
                                             0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1A, 0x1B};

/** The digest of the whole ELF file; a place that is not empty is not overwritten. */
static bool put_elf_digest(uint8_t *desc, const uint8_t *elf, size_t elf_len)
{
    static const uint8_t empty[32];
    uint8_t *at = desc + DESC_AT(app_elf_sha256);
    if (memcmp(at, empty, 32) != 0 && memcmp(at, idf_linux_digest, 32) != 0) {
        return cli_refuse("image", "the ELF file's app descriptor already holds a digest of an ELF file");
    }
    return image_sha256(elf, elf_len, at) || cli_refuse("image", "out of memory");
}

/* ---- header ---- */

static bool make_header(esp_image_header_t *header, const build_options_t *o, uint32_t entry)
{
    uint8_t freq = 0; /* code 0 is every chip's default frequency */
    if (o->flash_freq != NULL && !parse_flash_freq(o->flash_freq, o->chip, &freq)) {
        (void)cli_usage(VERB, "--flash-freq wants a flash frequency of %s, not '%s'", o->chip->title,
                        o->flash_freq);
        return false;
    }
    *header = (esp_image_header_t){
        .magic = ESP_IMAGE_HEADER_MAGIC,
        .spi_mode = o->flash_mode,
        .spi_speed = freq & 0xFu,
        .spi_size = o->flash_size & 0xFu,
        .entry_addr = entry,
        .wp_pin = WP_PIN_NOT_SET,
        .chip_id = (esp_chip_id_t)o->chip->id,
        .min_chip_rev_full = o->min_rev,
        .max_chip_rev_full = o->max_rev,
        .hash_appended = !o->no_hash,
    };
    return true;
}

/* ---- the three kinds of image ---- */

static bool has_own_texts(const build_options_t *o)
{
    if (o->project == NULL || o->version == NULL) {
        cli_usage(VERB, "say --project and --version: %s brings no app descriptor",
                  o->elf != NULL ? o->elf : o->payload);
        return false;
    }
    return true;
}

/**
 * The descriptor that the program has itself, as ESP-IDF's programs do, with what it has behind it. Options count where it says
 * nothing, and before it unless --own-desc says otherwise.
 * @param desc  OTTER_IMAGE_DESC_SIZE bytes
 * @return false, and said: it is none
 */
static bool take_own_desc(const build_options_t *o, const uint8_t *own, size_t len, uint8_t *desc)
{
    if (len != OTTER_IMAGE_DESC_SIZE || le32_get(own) != ESP_APP_DESC_MAGIC_WORD) {
        return cli_refuse("image",
                          "%s: section " OWN_DESC " holds no app descriptor: esp_app_desc_t has %u bytes",
                          o->elf, OTTER_IMAGE_DESC_SIZE);
    }
    uint8_t given[OTTER_IMAGE_DESC_SIZE];
    memcpy(given, desc, sizeof(given));
    memcpy(desc, own, len);
    if (!o->own_desc) {
        override_desc(desc, o);
    }
    static const struct {
        size_t at, size;
    } texts[] = {{DESC_AT(version), 32}, {DESC_AT(project_name), 32}, {DESC_AT(idf_ver), 32}};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (desc[texts[i].at] == 0) {
            memcpy(desc + texts[i].at, given + texts[i].at, texts[i].size);
        }
    }
    return true;
}

/** Descriptor, then the whole executable file. @return exit status */
static int build_for_linux(const build_options_t *o, const uint8_t *elf, size_t elf_len, image_writer_t *w)
{
    otter_fault_t fault;
    if (elf_check_runs_here(elf, elf_len, &fault) != ESP_OK ||
        elf_check_whole(elf, elf_len, &fault) != ESP_OK) {
        return cli_fail("image", "%s: %s; chip linux wants a program of this machine", o->elf, fault.why);
    }
    esp_image_header_t header;
    uint8_t desc[OTTER_IMAGE_DESC_SIZE];
    size_t own_len;
    const uint8_t *own = elf_own_section(elf, elf_len, OWN_DESC, &own_len);
    if ((own == NULL && !has_own_texts(o)) || !make_header(&header, o, 0)) {
        return EXIT_USAGE;
    }
    make_desc(desc, o);
    if ((own != NULL && !take_own_desc(o, own, own_len, desc)) || !put_elf_digest(desc, elf, elf_len)) {
        return EXIT_FAILED;
    }
    image_writer_begin(w, &header);
    image_writer_segment(w, 0, desc, sizeof(desc));
    image_writer_segment(w, LINUX_EXEC_ADDR, elf, elf_len);
    return EXIT_DONE;
}

/** The page an app on a chip with a choice was linked for: as its descriptor says, else as its address suggests. */
static uint32_t page_of_desc(const otter_chip_facts_t *chip, const layout_piece_t *desc)
{
    uint8_t log2 = desc->data[DESC_AT(mmu_page_size)];
    if (log2 != 0) {
        return otter_chip_mmu_page(chip, log2);
    }
    for (uint32_t page = chip->mmu_page; page >= chip->mmu_page_min; page /= 2) {
        if (desc->addr % page == OTTER_IMAGE_DESC_OFFSET) {
            return page;
        }
    }
    return chip->mmu_page;
}

/** Sees to it that the layout has a descriptor with what was given and the digest. @return exit status */
static int provide_desc(const build_options_t *o, layout_t *layout, const uint8_t *elf, size_t elf_len)
{
    otter_fault_t fault;
    layout_piece_t *desc = layout_find_desc(layout);
    if (desc == NULL) {
        uint8_t made[OTTER_IMAGE_DESC_SIZE];
        if (!has_own_texts(o)) {
            return EXIT_USAGE;
        }
        make_desc(made, o);
        if (layout_add_desc(layout, made, &fault) != ESP_OK) {
            return fail_elf(o, &fault);
        }
        desc = layout_find_desc(layout);
    } else {
        if (le32_get(desc->data) != ESP_APP_DESC_MAGIC_WORD) {
            return cli_fail("image", "%s: section %s holds no app descriptor", o->elf, APPDESC_SECTION);
        }
        override_desc(desc->data, o);
    }
    if (o->chip->mmu_page_min != 0) {
        layout->page = page_of_desc(o->chip, desc);
        if (layout->page == 0) {
            return cli_fail("image", "%s: the app descriptor's MMU page size is none of this chip", o->elf);
        }
    }
    return put_elf_digest(desc->data, elf, elf_len) ? EXIT_DONE : EXIT_FAILED;
}

static int write_for_chip(const build_options_t *o, const elf_t *sections, const uint8_t *elf, size_t elf_len,
                          image_writer_t *w)
{
    otter_fault_t fault;
    esp_image_header_t header;
    layout_t layout;
    if (!make_header(&header, o, sections->entry)) {
        return EXIT_USAGE;
    }
    int status = EXIT_FAILED;
    if (layout_from_elf(&layout, sections, o->chip, &fault) != ESP_OK) {
        fail_elf(o, &fault);
        goto done;
    }
    status = provide_desc(o, &layout, elf, elf_len);
    if (status != EXIT_DONE) {
        goto done;
    }
    image_writer_begin(w, &header);
    if (layout_write(&layout, w, &fault) != ESP_OK) {
        status = fail_elf(o, &fault);
    }
done:
    layout_free(&layout);
    return status;
}

static int build_for_chip(const build_options_t *o, const uint8_t *elf, size_t elf_len, image_writer_t *w)
{
    otter_fault_t fault;
    elf_t sections;
    if (elf_read(&sections, elf, elf_len, &fault) != ESP_OK) {
        return fail_elf(o, &fault);
    }
    int status;
    if (sections.machine != o->chip->elf_machine) {
        status =
            cli_fail("image", "%s is for ELF machine %u; %s needs %u (%s)", o->elf, sections.machine,
                     o->chip->title, o->chip->elf_machine, o->chip->elf_machine == 243 ? "RISC-V" : "Xtensa");
    } else {
        status = write_for_chip(o, &sections, elf, elf_len, w);
    }
    elf_free(&sections);
    return status;
}

/** What leaves this program is judged by the same code that a device has. */
static bool result_is_good(const build_options_t *o, const image_writer_t *w)
{
    if (w->len > o->chip->image_limit) {
        cli_fail("image", "%s makes an image of %zu bytes; for %s it may have %" PRIu32, o->elf, w->len,
                 o->chip->title, o->chip->image_limit);
        return false;
    }
    otter_image_stream_t s = {0};
    otter_image_rules_t rules = {.size = (uint32_t)w->len};
    if (otter_image_stream_begin(&s, &rules) == ESP_OK) {
        otter_image_stream_feed(&s, w->bytes, w->len);
    }
    esp_err_t err = otter_image_stream_close(&s);
    if (err != ESP_OK) {
        cli_fail("image", "the image of %s would be refused: %s", o->elf, s.fault.why);
    }
    otter_image_stream_end(&s);
    return err == ESP_OK;
}

static void tell(const build_options_t *o, uint64_t len)
{
    if (!o->quiet && !cli_is_standard_output(o->output)) {
        cli_did("%s: an image for %s, %" PRIu64 " bytes", o->output, o->chip->name, len);
    }
}

/** Descriptor, then any bytes. @return exit status */
static int build_for_device(const build_options_t *o)
{
    payload_t payload;
    esp_image_header_t header;
    uint8_t desc[OTTER_IMAGE_DESC_SIZE];
    uint64_t len = 0;
    if (!has_own_texts(o) || !make_header(&header, o, 0)) {
        return EXIT_USAGE;
    }
    bool ok = payload_open(&payload, o->payload);
    if (ok) {
        make_desc(desc, o);
        memcpy(desc + DESC_AT(app_elf_sha256), payload.digest, sizeof(payload.digest));
        ok = payload_write_image(&payload, &header, desc, o->output, &len);
    }
    payload_close(&payload);
    if (ok) {
        tell(o, len);
    }
    return ok ? EXIT_DONE : EXIT_FAILED;
}

/** The one that stands for the boot step of a device that has it elsewhere. @return exit status */
static int build_bootloader(const build_options_t *o)
{
    image_writer_t w = {0};
    bool ok = small_bootloader_make(&w, (uint16_t)o->chip->id)
                  ? cli_write_file("image", o->output, w.bytes, w.len)
                  : cli_refuse("image", "out of memory");
    if (ok) {
        tell(o, w.len);
    }
    image_writer_free(&w);
    return ok ? EXIT_DONE : EXIT_FAILED;
}

/** What the image is made of, and what it is for, fit each other. @return exit status */
static int check_source(build_options_t *o)
{
    if ((o->elf != NULL) + (o->payload != NULL) + o->bootloader != 1) {
        return cli_usage(VERB, "say --elf APP, or --payload FILE, or --bootloader");
    }
    if (o->bootloader) {
        return o->chip != NULL && !otter_chip_is_espressif(o->chip->id)
                   ? EXIT_DONE
                   : cli_usage(VERB,
                               "--bootloader is for --chip linux or device; a chip's own comes from ESP-IDF");
    }
    if (o->payload != NULL && o->chip == NULL) {
        o->chip = otter_chip_facts(OTTER_CHIP_DEVICE);
    }
    if (o->chip == NULL) {
        return cli_usage(VERB, "--chip is needed: what %s is for", o->elf);
    }
    if ((o->chip->id == OTTER_CHIP_DEVICE) != (o->payload != NULL)) {
        return cli_usage(VERB,
                         o->payload != NULL
                             ? "--payload is for chip device, not %s"
                             : "chip %s takes --payload: any bytes, for a bootloader of its own",
                         o->chip->name);
    }
    return EXIT_DONE;
}

static int build(void *options)
{
    build_options_t *o = options;
    size_t elf_len;
    int checked = check_source(o);
    if (checked != EXIT_DONE || o->elf == NULL) {
        return checked != EXIT_DONE ? checked : o->bootloader ? build_bootloader(o) : build_for_device(o);
    }
    uint8_t *elf = cli_read_file("image", o->elf, ELF_MAX, &elf_len);
    if (elf == NULL) {
        return EXIT_FAILED;
    }
    image_writer_t w = {0};
    int status = o->chip->id == OTTER_CHIP_LINUX ? build_for_linux(o, elf, elf_len, &w)
                                                 : build_for_chip(o, elf, elf_len, &w);
    free(elf);
    if (status == EXIT_DONE && !image_writer_end(&w)) {
        status = cli_fail("image", "out of memory");
    }
    if (status == EXIT_DONE &&
        (!result_is_good(o, &w) || !cli_write_file("image", o->output, w.bytes, w.len))) {
        status = EXIT_FAILED;
    }
    if (status == EXIT_DONE) {
        tell(o, w.len);
    }
    image_writer_free(&w);
    return status;
}

/* ---- options ---- */

static bool take_text(const char *text, void *target, const option_row_t *row, char *why)
{
    (void)row, (void)why;
    *(const char **)target = text;
    return strlen(text) <= 32;
}

static bool take_secure_version(const char *text, void *target, const option_row_t *row, char *why)
{
    build_options_t *o = target;
    o->has_secure_version = option_number.take(text, &o->secure_version, row, why);
    return o->has_secure_version;
}

static const option_kind_t kind_text = {"TEXT", "at most 32 bytes", take_text, NULL, NULL};
static const option_kind_t kind_secure_version = {"N", NULL, take_secure_version, NULL, NULL};

#define AT(member) offsetof(build_options_t, member)

static const option_row_t rows[] = {
    {"elf", &option_file, AT(elf),
     .help = "linux: an executable of this machine; else a 32-bit ELF file for the chip", .value = "APP"},
    {"payload", &option_file, AT(payload),
     .help = "instead of --elf: any bytes (a squashfs, a kernel, a tar file) for a device with a bootloader "
             "of its "
             "own; they lie 4096 bytes behind the start of the image, and `otter boot` tells where"},
    {"bootloader", &option_switch, AT(bootloader),
     .help = "instead of --elf: the small image that has a bootloader's place in the flash of chip linux or "
             "device, as `flash new` writes it"},
    {"chip", &kind_chip, AT(chip),
     .help =
         "what it is for; linux is the virtual device, device (the default with --payload) any other one"},
    {"output", &option_file, AT(output), .help = "where to write; - is standard output", .letter = 'o',
     .needed = true},
    {"project", &kind_text, AT(project),
     .help = "name and version for the app descriptor, at most 32 bytes each; an ELF file that brings its "
             "own descriptor "
             "(.flash.appdesc) needs neither",
     .value = "NAME"},
    {"version", &kind_text, AT(version), .help = "see --project", .value = "VERSION"},
    {"secure-version", &kind_secure_version, 0, .help = "anti-rollback version (default 0)",
     .max = UINT32_MAX},
    {"idf-ver", &kind_text, AT(idf_ver), .help = "version of ESP-IDF in the descriptor (default: empty)"},
    {"own-desc", &option_switch, AT(own_desc),
     .help =
         "where a program for chip linux has an app descriptor of its own (section .rodata_desc), it counts "
         "before --project, --version, --idf-ver and --secure-version"},
    {"min-rev", &kind_revision, AT(min_rev),
     .help = "lowest chip revision that may run it, as v3.1 or 301 (default: any)"},
    {"max-rev", &kind_revision, AT(max_rev), .help = "highest one (default: any)"},
    {"flash-mode", &kind_flash_mode, AT(flash_mode), .help = "qio, qout, dio (default) or dout"},
    {"flash-freq", &option_text, AT(flash_freq), .help = "such as 40m or 80m (default: the chip's own)",
     .value = "FREQ"},
    {"flash-size", &kind_flash_size, AT(flash_size), .help = "1MB to 128MB (default 4MB)"},
    {"no-hash", &option_switch, AT(no_hash), .help = "append no SHA-256"},
    {"quiet", &option_switch, AT(quiet), .help = "do not say what was written", .letter = 'q'},
    {0},
};

const cli_verb_t image_build_verb = {
    .name = VERB,
    .line = "make an app image from an ELF file, or around any bytes",
    .about = "Makes an app image from an ELF file, or around any bytes. The same input gives the same bytes: "
             "date and time stay "
             "empty unless "
             "SOURCE_DATE_EPOCH is set.\n",
    .after = "example: otter image build --elf app --chip linux --project hello --version 1.0.0 -o app.bin\n"
             "         otter image build --payload root.squashfs --project gateway --version 1.0.0 -o "
             "gateway.bin\n",
    .options = rows,
    .size = sizeof(build_options_t),
    .defaults = &(const build_options_t){.max_rev = UINT16_MAX,
                                         .flash_mode = ESP_IMAGE_SPI_MODE_DIO,
                                         .flash_size = ESP_IMAGE_FLASH_SIZE_4MB},
    .run = build,
};
