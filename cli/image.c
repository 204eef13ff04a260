/* otter image: hands over to build, info or verify. */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "image_verbs.h"

const char image_help[] =
    "usage: otter image info FILE [--json]\n"
    "       otter image verify FILE [--chip CHIP] [--chip-rev REV]\n"
    "       otter image build --elf APP --chip CHIP [--project NAME --version VERSION] [OPTION]... -o OUT\n"
    "\n"
    "info     what a file holds: an app or bootloader image, the dump of a partition, a merged factory file; "
    "and what\n"
    "         lies behind the image. Exit status 1 if it is broken or no image\n"
    "verify   judge it as a device would: structure, checksum, hash, and with --chip its chip and revision\n"
    "         Both take - for standard input, and pipes\n"
    "build    make an app image from an ELF file\n"
    "\n"
    "  CHIP   linux (the virtual device), esp32, esp32s2, esp32s3, esp32c2, esp32c3, esp32c5, esp32c6, "
    "esp32c61,\n"
    "         esp32h2, esp32h21, esp32h4, esp32p4\n"
    "  REV    a chip revision: v3.1, 3.1, or the number 301\n"
    "\n"
    "options of build:\n"
    "  --elf APP              linux: an executable of this machine; else a 32-bit ELF file for the chip\n"
    "  --project NAME         name and version for the app descriptor, at most 32 bytes each; an ELF file "
    "that\n"
    "  --version VERSION      brings its own descriptor (.flash.appdesc) needs neither\n"
    "  --secure-version N     anti-rollback version, default 0\n"
    "  --idf-ver TEXT         version of ESP-IDF in the descriptor, default empty\n"
    "  --min-rev REV          lowest and highest chip revision that may run it, default: any\n"
    "  --max-rev REV\n"
    "  --flash-mode MODE      qio, qout, dio (default) or dout\n"
    "  --flash-freq FREQ      such as 40m or 80m; default: the chip's own\n"
    "  --flash-size SIZE      1MB to 128MB, default 4MB\n"
    "  --no-hash              append no SHA-256\n"
    "  -o, --output OUT       where to write; - is standard output\n"
    "  -q, --quiet            do not say what was written\n"
    "\n"
    "The same input gives the same bytes. Date and time stay empty unless SOURCE_DATE_EPOCH is set.\n";

int cmd_image(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
    } verbs[] = {
        {"info", image_info_verb},
        {"verify", image_verify_verb},
        {"build", image_build_verb},
    };
    if (argc < 2) {
        return cli_usage("image", "say info, verify or build");
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        fputs(image_help, stdout);
        return EXIT_DONE;
    }
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(argv[1], verbs[i].name) == 0) {
            return verbs[i].run(argc - 1, argv + 1);
        }
    }
    return cli_usage("image", "there is no '%s'; say info, verify or build", argv[1]);
}
