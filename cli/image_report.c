/* Saying what a file with an image holds. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "image_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "otter/bytes.h"
#include "clean_text.h"
#include "elf.h"
#include "image_json.h"
#include "json.h"
#include "otter/chip.h"

#define FACT "%-13s " /* the name at the start of a line */

static const char *const contents[] = {
    [FLASH_ERASED] = "erased (0xFF)",
    [FLASH_ZERO] = "zeros",
    [FLASH_NOISE] = "encrypted or compressed, as it looks",
    [FLASH_DATA] = "other data",
};

static const char *chip_title(uint16_t id)
{
    const char *title = otter_chip_title(id);
    return title != NULL ? title : "unknown chip";
}

const char *image_app(const otter_image_info_t *info, const char *before, const char *after,
                      char buf[IMAGE_APP_SIZE])
{
    char project[CLEAN_TEXT_SIZE(32)], version[CLEAN_TEXT_SIZE(32)];
    buf[0] = '\0';
    if (info->has_desc && (info->desc.project_name[0] != '\0' || info->desc.version[0] != '\0')) {
        clean_text(project, info->desc.project_name, 32);
        clean_text(version, info->desc.version, 32);
        snprintf(buf, IMAGE_APP_SIZE, "%s%s%s%s%s", before, project,
                 project[0] != '\0' && version[0] != '\0' ? " " : "", version, after);
    }
    return buf;
}

/* ---- header ---- */

/** 65535 is no lower limit of the eFuse block's revision either. */
static uint16_t blk_minimum(const otter_image_info_t *info)
{
    return info->min_blk_revision != UINT16_MAX ? info->min_blk_revision : 0;
}

/** "v0.3 or later", "v0.3 to v1.99": the limits that an image sets. */
static const char *limits_text(uint16_t min, uint16_t max, char buf[32])
{
    char low[12], high[12];
    otter_image_revision_text(min, low);
    if (max == 0 || max == UINT16_MAX) {
        snprintf(buf, 32, "%s or later", low);
    } else {
        snprintf(buf, 32, "%s to %s", low, otter_image_revision_text(max, high));
    }
    return buf;
}

/** What the header says of the flash chip: "DIO, 40 MHz, 4 MB"; a code without a meaning as such. */
static void print_flash(const esp_image_header_t *header, bool counts)
{
    const otter_chip_facts_t *facts = otter_chip_facts(header->chip_id);
    const char *mode = otter_image_flash_mode(header);
    unsigned mhz = facts != NULL ? otter_image_flash_mhz(header, facts) : 0;
    uint32_t size = otter_image_flash_size(header);
    char unknown[40];
    snprintf(unknown, sizeof(unknown), "mode code %u", header->spi_mode);
    printf(FACT "%s, ", "flash", mode != NULL ? mode : unknown);
    snprintf(unknown, sizeof(unknown), "frequency code %u", header->spi_speed);
    if (mhz != 0) {
        snprintf(unknown, sizeof(unknown), "%u MHz", mhz);
    }
    printf("%s, ", unknown);
    snprintf(unknown, sizeof(unknown), "size code %u", header->spi_size);
    if (size != 0) {
        snprintf(unknown, sizeof(unknown), "%" PRIu32 " MB", size >> 20);
    }
    printf("%s%s\n", unknown, counts ? "" : "  (of an app; what counts is the bootloader's)");
}

/** What somebody else's bootloader is to find. */
static void print_payload(const otter_image_info_t *info)
{
    uint32_t off, len;
    if (info->header.chip_id == OTTER_CHIP_DEVICE && otter_image_payload(info, &off, &len)) {
        printf(FACT "%" PRIu32 " bytes at 0x%" PRIx32 "\n", "payload", len, off);
    }
}

static void print_header(const image_look_t *look)
{
    const otter_image_info_t *info = &look->stream.info;
    const esp_image_header_t *header = &info->header;
    const otter_chip_facts_t *facts = otter_chip_facts(header->chip_id);
    char limits[32];
    printf(FACT "%s (0x%04x), revision %s\n", "chip", chip_title(header->chip_id), header->chip_id,
           limits_text(header->min_chip_rev_full, header->max_chip_rev_full, limits));
    if (info->has_blk_limits && look->kind == OTTER_IMAGE_KIND_APP) {
        printf(FACT "revision %s%s\n", "eFuse block",
               limits_text(blk_minimum(info), info->max_blk_revision, limits),
               info->has_desc ? ""
                              : "  (there is no app descriptor; the bootloader takes what is at its place)");
    }
    if (facts == NULL || otter_chip_is_espressif(facts->id)) {
        print_flash(header, look->kind != OTTER_IMAGE_KIND_APP);
    }
    if (facts != NULL && facts->mmu_page_min != 0 && look->kind == OTTER_IMAGE_KIND_APP) {
        printf(FACT "%" PRIu32 " KB\n", "MMU page", info->mmu_page_size >> 10);
    }
    if (header->chip_id != OTTER_CHIP_DEVICE) {
        printf(FACT "0x%08" PRIx32 "\n", "entry", header->entry_addr);
    }
    print_payload(info);
}

/* ---- segments, checksum, hash ---- */

static const char *use_of_segment(const otter_image_info_t *info, uint32_t index)
{
    const otter_chip_facts_t *facts = otter_chip_facts(info->header.chip_id);
    uint32_t addr = info->segments[index].load_addr;
    if (facts == NULL) {
        return "";
    }
    if (!otter_chip_is_espressif(facts->id)) {
        const char *what = facts->id == OTTER_CHIP_DEVICE ? "payload" : "executable";
        return index == 0                                                     ? "descriptor"
               : index == 1 && otter_image_kind(info) == OTTER_IMAGE_KIND_APP ? what
                                                                              : "";
    }
    if (otter_chip_maps(facts, addr, info->mmu_page_size)) {
        return "mapped";
    }
    return addr < 0x10000000 ? "padding" : "loaded";
}

/** Of a virtual device's app: can it run on this machine? */
static void print_machine(image_look_t *look)
{
    const otter_image_info_t *info = &look->stream.info;
    uint8_t head[ELF_HEAD_SIZE];
    otter_fault_t fault;
    if (info->header.chip_id == OTTER_CHIP_LINUX && look->kind == OTTER_IMAGE_KIND_APP &&
        info->segments_seen > 1 &&
        otter_flash_read(&look->view.flash, look->start + info->segment_data[1], head, sizeof(head)) ==
            ESP_OK &&
        elf_check_runs_here(head, sizeof(head), &fault) != ESP_OK) {
        printf(FACT "`otter run` cannot start it here: %s\n", "", fault.why);
    }
}

static void print_segments(image_look_t *look)
{
    const otter_image_info_t *info = &look->stream.info;
    for (uint32_t i = 0; i < info->segments_seen; i++) {
        printf("segment %-2" PRIu32 "    0x%08" PRIx32 ", %" PRIu32 " bytes at 0x%" PRIx32 "  %s\n", i,
               info->segments[i].load_addr, info->segments[i].data_len, info->segment_data[i],
               use_of_segment(info, i));
    }
    print_machine(look);
    if (info->segments_seen < look->segments_named) {
        printf(FACT "%" PRIu32 " more in the header%s\n", "segments",
               look->segments_named - info->segments_seen,
               info->segments_seen == ESP_IMAGE_MAX_SEGMENTS ? "" : ", beyond the end of the file");
    }
}

static void print_hash(const image_look_t *look)
{
    const otter_image_info_t *info = &look->stream.info;
    char stored[2 * OTTER_IMAGE_HASH_LEN + 1], computed[2 * OTTER_IMAGE_HASH_LEN + 1];
    if (info->checksum_seen) {
        printf(FACT "0x%02x, %s\n", "checksum", info->checksum_stored,
               info->checksum_valid ? "right" : "WRONG");
    }
    if (info->hash_seen) {
        otter_image_hex(stored, info->digest, OTTER_IMAGE_HASH_LEN);
        printf(FACT "%s, %s\n", "SHA-256", stored,
               info->hash_valid      ? "right"
               : info->hash_compared ? "WRONG, as stored"
                                     : "not compared");
        if (info->hash_compared && !info->hash_valid) {
            printf(FACT "%s  computed%s\n", "",
                   otter_image_hex(computed, info->computed, OTTER_IMAGE_HASH_LEN),
                   look->stream.verdict == ESP_OK ? "; the chip's ROM does not compare it" : "");
        }
    } else if (look->stream.verdict == ESP_OK) {
        printf(FACT "none appended: only the checksum protects the image\n", "SHA-256");
    }
    if (info->image_len != 0) {
        printf(FACT "%" PRIu32 " bytes\n", "length", info->image_len);
    }
}

static void print_signature(const image_signature_t *signature)
{
    if (signature->count == 0) {
        return;
    }
    printf(FACT "Secure Boot V%d at 0x%" PRIx32, "signature", signature->v1 ? 1 : 2, signature->offset);
    if (signature->v1) {
        printf(", %s; present, not checked: `otter image verify --key` does\n",
               otter_signature_scheme_name(OTTER_SIGNED_V1));
        return;
    }
    printf("\n");
    for (uint32_t i = 0; i < OTTER_SIGNATURE_BLOCKS; i++) {
        const signature_seen_t *seen = &signature->block[i];
        char name[16], digest[2 * OTTER_KEY_DIGEST_LEN + 1];
        snprintf(name, sizeof(name), "  block %" PRIu32, i);
        if (!seen->present) {
            continue;
        }
        printf(FACT, name);
        if (seen->scheme != OTTER_SIGNED_NOT) {
            printf("%s, key %s: ", otter_signature_scheme_name(seen->scheme),
                   otter_image_hex(digest, seen->key_digest, OTTER_KEY_DIGEST_LEN));
        }
        printf("%s%s\n", seen->valid ? "valid" : "INVALID: ", seen->why);
    }
}

/* ---- descriptors ---- */

static void print_text(const char *name, const char *raw, size_t len)
{
    char text[CLEAN_TEXT_SIZE(32)];
    if (raw[0] != '\0') {
        printf(FACT "%s\n", name, clean_text(text, raw, len));
    }
}

/** @param digest_of  what the digest in it is of */
static void print_app(const esp_app_desc_t *desc, const char *digest_of)
{
    char hex[2 * sizeof(desc->app_elf_sha256) + 1], text[CLEAN_TEXT_SIZE(32)];
    printf(FACT "%s\n", "project", clean_text(text, desc->project_name, sizeof(desc->project_name)));
    printf(FACT "%s\n", "version", clean_text(text, desc->version, sizeof(desc->version)));
    printf(FACT "%" PRIu32 "\n", "secure ver.", desc->secure_version);
    print_text("built on", desc->date, sizeof(desc->date));
    print_text("built at", desc->time, sizeof(desc->time));
    print_text("ESP-IDF", desc->idf_ver, sizeof(desc->idf_ver));
    printf(FACT "%s\n", digest_of, otter_image_hex(hex, desc->app_elf_sha256, sizeof(desc->app_elf_sha256)));
}

static void print_bootloader(const esp_bootloader_desc_t *desc)
{
    printf(FACT "%" PRIu32 "\n", "version", desc->version);
    printf(FACT "%u\n", "secure ver.", desc->secure_version);
    print_text("built on", desc->date_time, sizeof(desc->date_time));
    print_text("ESP-IDF", desc->idf_ver, sizeof(desc->idf_ver));
}

/* ---- what follows ---- */

static void print_part(const image_part_t *part)
{
    char app[IMAGE_APP_SIZE];
    const otter_image_info_t *info = &part->image.info;
    printf("  0x%08" PRIx32 "  ", part->offset);
    if (part->kind == OTTER_IMAGE_KIND_NONE) {
        printf("partition table, %" PRIu32 " partitions\n", part->rows);
        return;
    }
    printf("%s %s, %s", part->image.verdict == ESP_OK ? "valid" : "BROKEN", otter_image_kind_name(part->kind),
           chip_title(info->header.chip_id));
    printf("%s", image_app(info, ", ", "", app));
    if (part->image.verdict == ESP_OK) {
        printf(", %" PRIu32 " bytes\n", info->image_len);
    } else {
        printf(": %s\n", part->image.why);
    }
}

static void print_behind(const image_look_t *look)
{
    uint32_t len = look->view.size - look->end;
    if (look->part_count > 0) {
        printf("\n%s\n", look->kind == OTTER_IMAGE_KIND_NONE ? "in the file:" : "behind it:");
        if (look->begins_at != 0) {
            printf("  (the file begins at 0x%" PRIx32 " of its flash)\n", look->begins_at);
        }
        for (uint32_t i = 0; i < look->part_count; i++) {
            print_part(&look->parts[i]);
        }
    } else if (len > 0 && look->stream.verdict == ESP_OK) {
        printf(FACT "%" PRIu32 " bytes at 0x%" PRIx32 ": %s\n", "behind it", len, look->end,
               contents[look->behind]);
    } else if (look->kind == OTTER_IMAGE_KIND_NONE && len > 0) {
        printf(FACT "%" PRIu32 " bytes: %s\n", "content", len, contents[look->behind]);
    }
}

/** The next step, where what the file is makes people stumble. */
static void print_advice(image_look_t *look)
{
    bool images = false;
    uint8_t head[ELF_HEAD_SIZE];
    for (uint32_t i = 0; i < look->part_count; i++) {
        images |= look->parts[i].kind != OTTER_IMAGE_KIND_NONE;
    }
    if (look->is_factory || (look->kind == OTTER_IMAGE_KIND_NONE && images)) {
        printf("\n`otter flash info` tells what boots of it%s\n",
               look->is_factory ? "; an update needs the app's own image" : "");
    } else if (look->kind == OTTER_IMAGE_KIND_NONE && look->part_count > 0) {
        printf("\n`otter table show` explains it\n");
    } else if (look->kind == OTTER_IMAGE_KIND_NONE &&
               otter_flash_read(&look->view.flash, 0, head, sizeof(head)) == ESP_OK &&
               elf_is_elf(head, sizeof(head))) {
        printf("\n`otter image build` makes an image of it\n");
    } else if (look->kind == OTTER_IMAGE_KIND_BOOTLOADER || look->kind == OTTER_IMAGE_KIND_RAM) {
        printf("\nno app: an update or an app partition needs the app's own image\n");
    }
}

static const char *sealed_for(const otter_encrypted_header_t *header)
{
    return header->seems_ecies ? "a key on P-256 (ECIES)" : "RSA-3072";
}

static void print_encrypted(const image_look_t *look, const char *name)
{
    const otter_encrypted_header_t *header = &look->encrypted;
    char hex[2 * OTTER_GCM_LEN + 1];
    printf("%s: %sencrypted image (esp_encrypted_img)%s%s\n", name,
           look->fault.code != ESP_OK ? "BROKEN " : "", look->fault.code != ESP_OK ? ": " : "",
           look->fault.why);
    if (look->view.size < OTTER_ENCRYPTED_HEADER) {
        return;
    }
    printf(FACT "%" PRIu32 " bytes, AES-256-GCM\n", "image", header->length);
    printf(FACT "for %s, by the look of it\n", "sealed", sealed_for(header));
    printf(FACT "%s\n", "IV", otter_image_hex(hex, header->nonce, OTTER_GCM_LEN));
    printf(FACT "%s  (only the key tells if it fits)\n", "tag",
           otter_image_hex(hex, header->tag, OTTER_GCM_LEN));
    printf(
        "\n`otter image decrypt --key KEY` opens it; `otter update --decrypt-key KEY` takes it as it is\n");
}

void image_report_print(image_look_t *look, const char *name)
{
    const otter_image_info_t *info = &look->stream.info;
    if (look->is_encrypted) {
        print_encrypted(look, name);
        return;
    }
    if (look->is_factory) {
        printf("%s: merged factory file; at 0x%" PRIx32 " ", name, look->start);
    } else {
        printf("%s: ", name);
    }
    if (look->is_signed_data) {
        printf("no image, but data that is signed: %" PRIu32 " bytes\n", look->signature.offset);
        print_signature(&look->signature);
        return;
    }
    if (look->kind == OTTER_IMAGE_KIND_NONE) {
        printf("no image: %s\n", look->stream.fault.why);
    } else if (look->kind == OTTER_IMAGE_KIND_ESP8266) {
        printf("not judged: %s\n", look->stream.fault.why);
    } else {
        printf("%s %s%s%s\n", look->stream.verdict == ESP_OK ? "valid" : "BROKEN",
               otter_image_kind_name(look->kind), look->stream.fault.why[0] != '\0' ? ": " : "",
               look->stream.fault.why);
    }
    if (look->kind != OTTER_IMAGE_KIND_NONE && look->kind != OTTER_IMAGE_KIND_ESP8266) {
        print_header(look);
        print_segments(look);
        print_hash(look);
        print_signature(&look->signature);
    }
    if (info->has_desc) {
        print_app(&info->desc, info->header.chip_id == OTTER_CHIP_DEVICE ? "of payload" : "ELF SHA-256");
    } else if (info->has_bootloader_desc) {
        print_bootloader(&info->bootloader_desc);
    }
    print_behind(look);
    print_advice(look);
}

/** What a revision that nobody told must be. */
static void print_condition(const char *of, bool judged, uint16_t min)
{
    char text[16];
    if (!judged && min != 0) {
        printf(", needs %s revision %s or later", of, otter_image_revision_text(min, text));
    }
}

void image_report_print_verdict(const image_look_t *look, const char *name, bool judged_revision,
                                bool judged_blk_revision)
{
    const otter_image_info_t *info = &look->stream.info;
    char app[IMAGE_APP_SIZE];
    printf("%s: ", name);
    if (look->is_factory) {
        printf("merged factory file, not an app: ");
    }
    printf("valid %s %s, %" PRIu32 " bytes", chip_title(info->header.chip_id),
           otter_image_kind_name(look->kind), info->image_len);
    printf("%s", image_app(info, ", ", "", app));
    print_condition("chip", judged_revision, info->header.min_chip_rev_full);
    if (info->has_blk_limits && look->kind == OTTER_IMAGE_KIND_APP) {
        print_condition("eFuse block", judged_blk_revision, blk_minimum(info));
    }
    if (look->kind != OTTER_IMAGE_KIND_APP && !look->is_factory) {
        printf(", not an app");
    }
    printf("%s\n", !info->hash_seen    ? " (no SHA-256 appended, only the checksum was compared)"
                   : !info->hash_valid ? " (its SHA-256 is wrong, which the chip's ROM does not compare)"
                                       : "");
}

/* ---- for programs ---- */

static cJSON *part_json(const image_part_t *part)
{
    const otter_image_info_t *info = &part->image.info;
    cJSON *json = cJSON_CreateObject();
    bool table = part->kind == OTTER_IMAGE_KIND_NONE, valid = table || part->image.verdict == ESP_OK;
    json_number(json, "offset", true, part->offset);
    json_string(json, "kind", table ? "table" : otter_image_kind_key(part->kind));
    json_bool(json, "valid", true, valid);
    json_string(json, "error", valid ? NULL : part->image.why);
    json_number(json, "length", info->image_len != 0, info->image_len);
    return json;
}

static cJSON *signature_json(const image_signature_t *signature)
{
    if (signature->count == 0) {
        return cJSON_CreateNull();
    }
    cJSON *json = cJSON_CreateObject();
    const char *scheme = NULL; /* of the first that tells it */
    cJSON *keys = cJSON_CreateArray();
    for (uint32_t i = 0; i < OTTER_SIGNATURE_BLOCKS; i++) {
        const signature_seen_t *seen = &signature->block[i];
        char digest[2 * OTTER_KEY_DIGEST_LEN + 1];
        const bool known = seen->scheme != OTTER_SIGNED_NOT, named = known && !signature->v1;
        const char *name =
            known ? otter_signature_scheme_name(signature->v1 ? OTTER_SIGNED_ECDSA_P256 : seen->scheme)
                  : NULL;
        if (!seen->present) {
            continue;
        }
        scheme = scheme == NULL ? name : scheme;
        cJSON *key = cJSON_CreateObject();
        json_number(key, "block", true, i);
        json_string(key, "scheme", name);
        otter_image_hex(digest, seen->key_digest, OTTER_KEY_DIGEST_LEN);
        json_string(key, "key_digest", named ? digest : NULL);
        json_bool(key, "valid", !signature->v1, seen->valid);
        json_string(key, "error", seen->why[0] != '\0' ? seen->why : NULL);
        cJSON_AddItemToArray(keys, key);
    }
    json_number(json, "version", true, signature->v1 ? 1 : 2);
    json_string(json, "scheme", scheme);
    json_number(json, "offset", true, signature->offset);
    json_number(json, "blocks", true, signature->count);
    json_item(json, "keys", keys);
    return json;
}

static cJSON *encrypted_json(const image_look_t *look)
{
    if (!look->is_encrypted || look->view.size < OTTER_ENCRYPTED_HEADER) {
        return cJSON_CreateNull();
    }
    const otter_encrypted_header_t *header = &look->encrypted;
    char hex[2 * OTTER_GCM_LEN + 1];
    cJSON *json = cJSON_CreateObject();
    json_string(json, "seems_for", header->seems_ecies ? "ecies" : "rsa3072");
    json_number(json, "length", true, header->length);
    json_string(json, "iv", otter_image_hex(hex, header->nonce, OTTER_GCM_LEN));
    json_string(json, "tag", otter_image_hex(hex, header->tag, OTTER_GCM_LEN));
    return json;
}

static cJSON *behind_json(const image_look_t *look)
{
    static const char *const keys[] = {
        [FLASH_ERASED] = "erased", [FLASH_ZERO] = "zeros", [FLASH_NOISE] = "noise", [FLASH_DATA] = "data"};
    uint32_t len = look->view.size - look->end;
    if (len == 0) {
        return cJSON_CreateNull();
    }
    cJSON *json = cJSON_CreateObject();
    json_number(json, "offset", true, look->end);
    json_number(json, "length", true, len);
    json_string(json, "content", keys[look->behind]);
    return json;
}

cJSON *image_report_json(const image_look_t *look)
{
    cJSON *json = image_json(&look->stream);
    bool good = look->fault.code == ESP_OK;
    cJSON_ReplaceItemInObject(json, "valid", cJSON_CreateBool(good));
    cJSON_ReplaceItemInObject(json, "error", good ? cJSON_CreateNull() : cJSON_CreateString(look->fault.why));
    if (look->is_factory) {
        cJSON_ReplaceItemInObject(json, "kind", cJSON_CreateString("factory"));
    } else if (look->is_encrypted) {
        cJSON_ReplaceItemInObject(json, "kind", cJSON_CreateString("encrypted"));
    } else if (look->is_signed_data) {
        cJSON_ReplaceItemInObject(json, "kind", cJSON_CreateString("data"));
    }
    json_number(json, "offset", true, look->start);
    json_number(json, "begins_at", true, look->begins_at);
    json_item(json, "signature", signature_json(&look->signature));
    json_item(json, "behind", look->is_encrypted ? cJSON_CreateNull() : behind_json(look));
    json_item(json, "encrypted", encrypted_json(look));
    cJSON *parts = cJSON_AddArrayToObject(json, "contents");
    for (uint32_t i = 0; i < look->part_count; i++) {
        cJSON_AddItemToArray(parts, part_json(&look->parts[i]));
    }
    return json;
}
