/* Saying what a flash file holds. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "flash_report.h"
#include "flash_nvs.h"

#include <inttypes.h>
#include <stdio.h>

#include "clean_text.h"
#include "image_report.h"
#include "otter/signature.h"
#include "otter/system.h"
#include "table_csv.h"
#include "table_json.h"

/** What boots next, and why. */
static void print_verdict(const flash_report_t *r)
{
    static const char *const colors[] = {
        [FLASH_BOOTS] = "\033[1;32m", [FLASH_DOUBTS] = "\033[1;33m", [FLASH_NOTHING] = "\033[1;31m"};
    bool color = otter_console_has_color();
    char text[CLEAN_TEXT_SIZE(sizeof(r->reason))];
    printf("%sboots next: %s%s\n", color ? colors[r->level] : "", r->verdict, color ? "\033[0m" : "");
    if (r->has_table) {
        printf("  %s\n", clean_text(text, r->reason, sizeof(r->reason)));
    }
    for (uint32_t i = 0; i < r->boot.tried_count; i++) {
        char label[CLEAN_TEXT_SIZE(16)];
        printf("  passed over %s: %s\n", clean_text(label, r->boot.tried[i].label, 16),
               clean_text(text, r->boot.tried[i].fault.why, sizeof(r->boot.tried[i].fault.why)));
    }
}

/** "secure boot: images signed with RSA-3072 by key 0 (7187b04e...), key 1 (3debb0c4..., revoked)" */
static void print_secure_boot(const flash_report_t *r)
{
    const efuse_file_t *efuse = &r->dev.efuse;
    const char *between = "by";
    if (!efuse->secure_boot) {
        return;
    }
    const otter_signature_scheme_t scheme = r->dev.device.config.trust.scheme;
    printf("secure boot: images signed with %s ",
           scheme != OTTER_SIGNED_NOT ? otter_signature_scheme_name(scheme) : "what the chip knows");
    for (uint32_t i = 0; i < OTTER_TRUSTED_KEYS; i++) {
        char digest[17];
        if (efuse->keys[i].present) {
            printf("%s key %" PRIu32 " (%s...%s)", between, i,
                   otter_image_hex(digest, efuse->keys[i].digest, 8),
                   efuse->keys[i].revoked ? ", revoked" : "");
            between = ",";
        }
    }
    printf("%s\n", efuse->has_v1_key   ? "by its one key"
                   : between[0] == 'b' ? "by nobody: it trusts no key"
                                       : "");
}

/** "its flash erases 128K at once and programs 32 bytes, each once" */
static void print_geometry(const flash_report_t *r)
{
    char sector[32];
    const otter_flash_t *flash = r->dev.flash;
    table_format_size(flash->erase_size, sector);
    if (flash->erase_size != FILE_FLASH_SECTOR || flash->write_size != 1) {
        printf("its flash erases %s at once and programs %" PRIu32 " byte%s%s\n", sector, flash->write_size,
               flash->write_size == 1 ? "" : "s",
               flash->write_once ? ", which it does once after each erase" : "");
    }
}

static void print_device(const flash_report_t *r)
{
    char size[32];
    const otter_device_t *device = &r->dev.device;
    const otter_chip_facts_t *facts = otter_chip_facts(device->chip.id);
    if (r->no_table.file_is != NULL) {
        printf("\n%s: %" PRIu32 " bytes\n", r->path, r->file_length);
        return;
    }
    table_format_size(device->flash->size, size);
    printf("\n%s: %sB of flash, chip %s (from %s), rollback %s\n", r->path, size,
           facts != NULL ? facts->name : "unknown", r->dev.chip_source,
           device->config.rollback ? "on" : "off");
    if (r->dev.flash->cipher != NULL) {
        printf("flash encryption: %s, by the key of %s\n", otter_flash_cipher_name(r->dev.cipher.kind),
               r->dev.key_source);
    }
    print_geometry(r);
    print_secure_boot(r);
}

/** "valid, ESP32, ESP-IDF v5.2.1, for 4MB of flash, DIO, 40 MHz" */
static void print_bootloader_facts(const otter_image_stream_t *s, const otter_chip_facts_t *chip)
{
    const otter_image_info_t *info = &s->info;
    const char *mode = otter_image_flash_mode(&info->header);
    uint32_t size = otter_image_flash_size(&info->header);
    unsigned mhz = otter_image_flash_mhz(&info->header, chip);
    bool has_flash_chip = chip->id != OTTER_CHIP_LINUX;
    char text[CLEAN_TEXT_SIZE(32)];
    printf("%s, %s", s->verdict == ESP_OK ? "valid" : "BROKEN", chip->title);
    if (info->has_bootloader_desc) {
        printf(", ESP-IDF %s", clean_text(text, info->bootloader_desc.idf_ver, 32));
    }
    if (size != 0) {
        printf(", for %" PRIu32 "MB of flash", size >> 20);
    } else if (has_flash_chip) {
        printf(", for a flash size that no chip has (code %u)", info->header.spi_size);
    }
    if (mode != NULL) {
        printf(", %s", mode);
    } else if (has_flash_chip) {
        printf(", flash mode code %u", info->header.spi_mode);
    }
    if (mhz != 0) {
        printf(", %u MHz", mhz);
    } else if (has_flash_chip) {
        printf(", frequency code %u", info->header.spi_speed);
    }
    printf("%s%s\n", s->verdict != ESP_OK ? ": " : "", s->fault.why);
}

static void print_bootloader(const flash_report_t *r)
{
    const flash_bootloader_t *b = &r->bootloader;
    if (b->found) {
        printf("bootloader at 0x%" PRIx32 ": ", b->place.offset);
        print_bootloader_facts(&b->stream, b->place.chip);
    }
    if (b->needed && (!b->found || b->place.offset != b->expected.offset)) {
        static const char *const what[] = {[OTTER_BOOTLOADER_BLANK] = "nothing",
                                           [OTTER_BOOTLOADER_APP] = "an app image",
                                           [OTTER_BOOTLOADER_OTHER] = "no image"};
        printf("%s at 0x%" PRIx32 ", where this chip looks for its bootloader\n", what[b->expected.kind],
               b->expected.offset);
    }
}

static void print_partitions(const flash_report_t *r)
{
    static const char *const md5[] = {"without MD5", "MD5 good", "MD5 WRONG"};
    printf("\npartition table at 0x%" PRIx32 ", %s\n", r->dev.device.config.table_offset, md5[r->table.md5]);
    table_print_heading("  ");
    for (uint32_t i = 0; i < r->table.count; i++) {
        table_print_entry("  ", &r->table.entries[i]);
    }
}

/** What the next boot makes of a copy's state. */
static const char *fate_of_copy(const flash_report_t *r, uint32_t copy)
{
    if (r->boot.otadata_state[copy] == r->otadata[copy].state || r->boots == NULL) {
        return "";
    }
    return r->boot.otadata_state[copy] == ESP_OTA_IMG_ABORTED
               ? ", never confirmed: ABORTED from the next boot on"
               : ", on trial from the next boot on";
}

static void print_copy(const flash_report_t *r, uint32_t copy)
{
    const otter_ota_record_t *entry = &r->otadata[copy];
    printf("  copy %" PRIu32 ": ", copy);
    if (entry->erased) {
        printf("erased\n");
        return;
    }
    printf("seq %" PRIu32, entry->seq);
    if (r->slot_count > 0) {
        printf(" (ota_%" PRIu32 ")", entry->slot);
    }
    printf(", %s, crc 0x%08" PRIx32 " %s%s%s\n", otter_ota_state_name(entry->state), entry->crc,
           entry->whole ? "right" : "WRONG", fate_of_copy(r, copy),
           (int)copy == r->boot.otadata_copy ? "  <- active" : "");
}

static void print_otadata(const flash_report_t *r)
{
    if (r->otadata_partition == NULL) {
        printf("\notadata: none\n");
        return;
    }
    printf("\notadata at 0x%" PRIx32 "\n", r->otadata_partition->address);
    for (uint32_t copy = 0; copy < 2; copy++) {
        print_copy(r, copy);
    }
}

static void print_slot(const flash_report_t *r, const flash_slot_t *slot)
{
    char label[CLEAN_TEXT_SIZE(16)], app[IMAGE_APP_SIZE];
    clean_text(label, slot->partition->label, 16);
    printf("  %-*s %-14s ", clean_width(label, 16), label, slot->state != NULL ? slot->state : "-");
    const otter_image_stream_t *s = &slot->stream;
    if (slot->blank) {
        printf("%s\n", slot->partition->address < r->file_length ? "blank" : "not in the file");
        return;
    }
    printf("%s", image_app(&s->info, "", ", ", app));
    if (slot->of_length != 0) {
        printf("NOT BOOTABLE: interrupted download, %" PRIu32 " of %" PRIu32 " bytes are there\n",
               slot->arrived, slot->of_length);
    } else if (slot->interrupted) {
        printf("NOT BOOTABLE: interrupted download, valid to %" PRIu32 ", then erased\n", slot->arrived);
    } else if (s->verdict == ESP_OK) {
        printf("valid, %" PRIu32 " bytes of %" PRIu32 "%s\n", s->info.image_len, slot->partition->size,
               s->info.hash_seen ? "" : ", no SHA-256 appended");
    } else {
        printf("NOT BOOTABLE: %s\n", s->fault.why);
    }
}

static void print_slots(const flash_report_t *r)
{
    printf("\napp partitions (state by otadata, image as the bootloader judges it)\n");
    for (uint32_t i = 0; i < r->app_count; i++) {
        print_slot(r, &r->slots[i]);
    }
}

/** Images elsewhere, where there is no table whose warnings could name them. */
static void print_strays(const flash_report_t *r)
{
    for (uint32_t i = 0; !r->has_table && i < r->stray_count; i++) {
        const flash_image_t *image = &r->strays[i].image;
        char app[IMAGE_APP_SIZE];
        printf("an image at 0x%" PRIx32 "%s", image->offset, image_app(&image->info, " (", ")", app));
        /* Of a file that does not begin where the flash does, nothing lies where it could run. */
        printf("%s\n", r->no_table.shifted ? "" : image->verdict == ESP_OK ? ", valid" : ", broken");
    }
}

/** What mends it, and how it gets onto a chip. */
static void print_repairs(const flash_report_t *r)
{
    char line[FLASH_COMMAND_SIZE], clean[CLEAN_TEXT_SIZE(FLASH_COMMAND_SIZE)];
    const cJSON *repair;
    printf("%s", r->repairs->child != NULL ? "\n" : "");
    cJSON_ArrayForEach(repair, r->repairs)
    {
        printf("repair: %s\n        (%s)\n", cJSON_GetObjectItem(repair, "command")->valuestring,
               cJSON_GetObjectItem(repair, "problem")->valuestring);
    }
    if (r->has_table && flash_esptool_line(r, line, sizeof(line)) != NULL) {
        printf("\nonto a chip: %s\n", clean_text(clean, line, sizeof(line)));
    }
}

void flash_report_print(const flash_report_t *r)
{
    print_verdict(r);
    print_device(r);
    print_bootloader(r);
    print_strays(r);
    if (r->has_table) {
        print_partitions(r);
        print_otadata(r);
        print_slots(r);
        flash_nvs_print(r);
    }
    printf("%s", cJSON_GetArraySize(r->warnings) > 0 ? "\n" : "");
    const cJSON *warning;
    cJSON_ArrayForEach(warning, r->warnings)
    {
        printf("warning: %s\n", warning->valuestring);
    }
    print_repairs(r);
}
