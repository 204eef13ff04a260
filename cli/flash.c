/* otter flash: hands over to its verbs. */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "flash_verbs.h"

static const char help_all[] =
    "otter flash: flash files, byte for byte what a chip's flash holds\n"
    "\n"
    "usage: otter flash new FLASH --size 4MB --table PARTS.csv [--app LABEL=app.bin]...\n"
    "       otter flash info FLASH [--json] [--check]\n"
    "       otter flash select FLASH SLOT [--confirm]\n"
    "       otter flash table FLASH PARTS.csv\n"
    "       otter flash read|write|erase FLASH LABEL|@OFFSET [FILE]\n"
    "\n"
    "`otter flash VERB --help` explains each.\n";

static const char help_new[] =
    "usage: otter flash new FLASH --size 4MB --table FILE [--app LABEL=IMAGE]... [options]\n"
    "\n"
    "Makes a new flash file: erased, with a partition table (CSV or binary) and app images in their "
    "partitions. An\n"
    "image must fit its partition and be one that the chip would boot. What a chip keeps in eFuses goes to\n"
    "FLASH.efuse; if that file is there already, it stands for the chip and stays.\n"
    "\n"
    "  --chip NAME       the kind of chip: linux, esp32, esp32c3, ...; default: that of the first image\n"
    "  --chip-rev REV    its revision, as v3.1 or 301; default: any\n"
    "  --bootloader FILE goes to the chip's place for it; default: none, but for linux a small image that "
    "stands "
    "for\n"
    "                    `otter run` and gives programs a hash to show. none: nothing there\n"
    "  --table-offset N  where the table goes; default: 0x8000\n"
    "  --extra-partition-subtypes TYPE,NAME,VALUE\n"
    "                    a name of the project's own in the CSV; may be given several times\n"
    "  --force           take images that the chip would not boot, too\n"
    "\n"
    "example: otter flash new flash.bin --size 4MB --table parts.csv --app factory=app.bin\n";

static const char help_read[] =
    "usage: otter flash read FLASH LABEL [FILE]\n"
    "       otter flash read FLASH @OFFSET [FILE] [--length BYTES]\n"
    "\n"
    "Copies a whole partition, or what lies at an offset, to FILE; without one, or with -, to standard "
    "output. Of an\n"
    "offset at which an image begins, that image is read, unless --length says how much.\n"
    "\n"
    "  --length BYTES    how much, from an offset: 24K, 0x6000, ...\n"
    "  --table-offset N  where the partition table is; default: 0x8000\n"
    "\n"
    "example: otter flash read flash.bin otadata | xxd | head\n"
    "         otter flash read flash.bin @0x1000 bootloader.bin\n";

static const char help_write[] =
    "usage: otter flash write FLASH LABEL|@OFFSET FILE [--force]\n"
    "\n"
    "Erases the sectors that FILE needs at the start of the partition, or at an offset, and writes it there. "
    "What goes into\n"
    "an app partition must be an image that the chip of this flash would boot; it is read back and verified. "
    "At an offset\n"
    "(a bootloader, a factory file) nothing is written after which bootloader, partition table or an app "
    "would be lost.\n"
    "\n"
    "  --chip NAME       judge as this chip; default: the one in FLASH.efuse, of the bootloader, or of the "
    "images\n"
    "  --flash-size 4MB  write the image as one that is made for this size of flash\n"
    "  --force           write whatever FILE is\n"
    "  --table-offset N  where the partition table is; default: 0x8000\n"
    "\n"
    "example: otter flash write flash.bin ota_0 app.bin\n"
    "         otter flash write flash.bin @0x1000 bootloader.bin\n";

static const char help_erase[] =
    "usage: otter flash erase FLASH LABEL\n"
    "       otter flash erase FLASH @OFFSET --length BYTES\n"
    "\n"
    "Erases a whole partition, or sectors. Erasing otadata makes the device boot the factory app, or\n"
    "the first slot.\n"
    "\n"
    "  --length BYTES    how much, from an offset: whole sectors of 4K\n"
    "  --table-offset N  where the partition table is; default: 0x8000\n"
    "\n"
    "example: otter flash erase flash.bin otadata\n";

static const char help_select[] =
    "usage: otter flash select FLASH SLOT [--confirm]\n"
    "\n"
    "Makes the app in SLOT boot next: writes otadata, as esp_ota_set_boot_partition() does. SLOT is a label, "
    "or factory,\n"
    "ota_0, ota_1, ... The image in it must be one that boots.\n"
    "\n"
    "  --confirm         as an app that has passed its self-test: no trial, and no rollback from it\n"
    "  --chip NAME       judge as this chip; default: the one in FLASH.efuse, of the bootloader, or of the "
    "images\n"
    "  --rollback on|off without --confirm: as the bootloader was built; on begins a trial. Default: on for "
    "chip linux,\n"
    "                    off for others\n"
    "  --table-offset N  where the partition table is; default: 0x8000\n"
    "\n"
    "example: otter flash select flash.bin ota_0 --confirm\n";

static const char help_table[] =
    "usage: otter flash table FLASH PARTS.csv\n"
    "\n"
    "Writes a partition table (CSV, binary, or that of another flash file) into a flash file that is there. "
    "Partitions\n"
    "keep what they hold; nothing is moved. It must be a table that the bootloader in the flash takes.\n"
    "\n"
    "  --force           take one for more flash than the bootloader is made for\n"
    "  --table-offset N  where it goes; default: 0x8000\n"
    "  --extra-partition-subtypes TYPE,NAME,VALUE\n"
    "                    a name of the project's own in the CSV; may be given several times\n"
    "\n"
    "example: otter flash table flash.bin partitions.csv\n";

static const char help_info[] =
    "usage: otter flash info FLASH [--json] [--check]\n"
    "\n"
    "Explains a flash file or a chip's dump, and changes nothing. The first line says what boots next; then "
    "come the\n"
    "bootloader, the partition table, both copies of otadata, and the image and state of every slot. A file "
    "that ends\n"
    "before its flash does (factory files, cut dumps) is read as if the rest were erased. At the end stands "
    "the command that\n"
    "mends what is wrong, and the one that brings the file onto a chip.\n"
    "\n"
    "  --check           exit status 1 if nothing boots\n"
    "  --chip NAME       judge as this chip; default: the one in FLASH.efuse, of the bootloader, or of the "
    "images\n"
    "  --rollback on|off as the bootloader was built; default: on for chip linux, off for others\n"
    "  --table-offset N  where the partition table is; default: 0x8000\n"
    "  --json            for programs; docs/JSON.md explains the keys\n"
    "\n"
    "example: otter flash info flash.bin\n";

static const struct verb {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
} verbs[] = {
    {"new", flash_new_verb, help_new},       {"info", flash_info_verb, help_info},
    {"read", flash_read_verb, help_read},    {"write", flash_write_verb, help_write},
    {"erase", flash_erase_verb, help_erase}, {"select", flash_select_verb, help_select},
    {"table", flash_table_verb, help_table},
};

static bool wants_help(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            return true;
        }
    }
    return false;
}

int cmd_flash(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(name, verbs[i].name) != 0) {
            continue;
        }
        if (wants_help(argc - 1, argv + 1)) {
            fputs(verbs[i].help, stdout);
            return EXIT_DONE;
        }
        return verbs[i].run(argc - 1, argv + 1);
    }
    if (wants_help(argc, argv)) {
        fputs(help_all, stdout);
        return EXIT_DONE;
    }
    return cli_usage("flash", "say new, info, select, table, read, write or erase%s%s",
                     *name != '\0' ? ", not " : "", name);
}
