/* The traced device: flash operations as the recordings write them, and files of the vectors. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/ota_rig.h"

void rig_note(rig_t *rig, const char *format, ...)
{
    assert_true(rig->trace_count < RIG_TRACE_MAX);
    va_list args;
    va_start(args, format);
    vsnprintf(rig->trace[rig->trace_count++], sizeof(rig->trace[0]), format, args);
    va_end(args);
}

void rig_hex(const uint8_t *bytes, uint32_t len, char *out)
{
    for (uint32_t i = 0; i < len; i++) {
        snprintf(out + 2 * (size_t)i, 3, "%02x", bytes[i]);
    }
}

esp_err_t rig_read(void *dev, uint32_t off, void *dst, uint32_t len)
{
    rig_t *rig = dev;
    for (uint32_t i = 0; rig->trace_tries && i < rig->device.partitions.count; i++) {
        const esp_partition_t *p = &rig->device.partitions.items[i];
        if (p->type == ESP_PARTITION_TYPE_APP && p->address == off) {
            rig_note(rig, "try 0x%" PRIx32, off);
        }
    }
    return rig->sim.flash.ops->read(&rig->sim, off, dst, len);
}

bool rig_inside(uint32_t off, uint32_t len, uint32_t start, uint32_t size)
{
    return off >= start && off - start <= size && len <= size - (off - start);
}

static void rig_check_fence(const rig_t *rig, uint32_t off, uint32_t len)
{
    const esp_partition_t *slot = rig->fence_slot;
    if (rig->fenced && !rig_inside(off, len, RIG_OTADATA, RIG_OTADATA_SIZE) &&
        (slot == NULL || !rig_inside(off, len, slot->address, slot->size))) {
        fail_msg("operation on 0x%" PRIx32 "+0x%" PRIx32 " outside the slot and otadata", off, len);
    }
}

esp_err_t rig_program(void *dev, uint32_t off, const void *src, uint32_t len)
{
    rig_t *rig = dev;
    rig_check_fence(rig, off, len);
    bool again = memcmp(rig->sim.bytes + off, src, len) == 0; /* makes bits sure and changes none */
    if (len <= OTADATA_ENTRY_SIZE && !rig->untraced && !again) {
        char hex[2 * OTADATA_ENTRY_SIZE + 1] = "";
        rig_hex(src, len, hex);
        rig_note(rig, "program 0x%" PRIx32 ":%s", off, hex);
    }
    return rig->sim.flash.ops->program(&rig->sim, off, src, len);
}

/** A record's CRC goes before its erase, which is not recorded (docs/DIFFERENCES.md): the line is dropped. */
static void rig_drop_spoil(rig_t *rig, uint32_t sector)
{
    char spoil[64];
    snprintf(spoil, sizeof(spoil), "program 0x%" PRIx32 ":00000000", sector + OTADATA_CRC_OFFSET);
    if (rig->trace_count > 0 && strcmp(rig->trace[rig->trace_count - 1], spoil) == 0) {
        rig->trace_count--;
    }
}

/** Erases that touch are one line, as in the recordings: long ones come in steps. */
static void rig_note_erase(rig_t *rig, uint32_t off, uint32_t len)
{
    uint32_t last_off, last_len;
    rig_drop_spoil(rig, off);
    if (rig->trace_count > 0) {
        char *last = rig->trace[rig->trace_count - 1];
        if (sscanf(last, "erase 0x%" SCNx32 "+0x%" SCNx32, &last_off, &last_len) == 2 && off >= 0x10000u &&
            last_off + last_len == off) {
            snprintf(last, sizeof(rig->trace[0]), "erase 0x%" PRIx32 "+0x%" PRIx32, last_off, last_len + len);
            return;
        }
    }
    rig_note(rig, "erase 0x%" PRIx32 "+0x%" PRIx32, off, len);
}

esp_err_t rig_erase(void *dev, uint32_t off, uint32_t len)
{
    rig_t *rig = dev;
    rig_check_fence(rig, off, len);
    if (!rig->untraced) {
        rig_note_erase(rig, off, len);
    }
    return rig->sim.flash.ops->erase(&rig->sim, off, len);
}

static esp_err_t rig_barrier(void *dev)
{
    rig_t *rig = dev;
    return rig->sim.flash.ops->sync(&rig->sim);
}

esp_err_t rig_sync(void *dev)
{
    rig_note(dev, "sync");
    return ESP_OK;
}

uint8_t *rig_load(const char *folder, const char *name, uint32_t *len)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s/%s", TEST_VECTORS, folder, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fail_msg("cannot open %s", path);
    }
    fseek(file, 0, SEEK_END);
    *len = (uint32_t)ftell(file);
    rewind(file);
    uint8_t *bytes = malloc((size_t)*len + 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, *len, file), *len);
    bytes[*len] = 0;
    fclose(file);
    return bytes;
}

uint32_t rig_place(rig_t *rig, uint32_t off, const char *folder, const char *name)
{
    uint32_t len;
    uint8_t *bytes = rig_load(folder, name, &len);
    memcpy(rig->sim.bytes + off, bytes, len);
    free(bytes);
    return len;
}

cJSON *rig_json(const char *folder, const char *name)
{
    uint32_t len;
    uint8_t *text = rig_load(folder, name, &len);
    cJSON *json = cJSON_Parse((const char *)text);
    free(text);
    assert_non_null(json);
    return json;
}

const char *rig_string(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    assert_true(cJSON_IsString(item));
    return item->valuestring;
}

bool rig_bool(const cJSON *object, const char *key)
{
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, key));
}

static esp_err_t rig_read_version(void *dev, uint32_t *version)
{
    *version = ((rig_t *)dev)->secure_version;
    return ESP_OK;
}

static esp_err_t rig_burn_version(void *dev, uint32_t version)
{
    rig_t *rig = dev;
    rig->secure_version = version;
    rig_note(rig, "efuse %" PRIu32, version);
    return ESP_OK;
}

static esp_err_t rig_read_key(void *dev, uint32_t index, otter_efuse_key_t *key)
{
    *key = ((rig_t *)dev)->keys[index];
    return ESP_OK;
}

static esp_err_t rig_revoke_key(void *dev, uint32_t index)
{
    rig_t *rig = dev;
    rig->keys[index].revoked = true;
    rig_note(rig, "revoked %" PRIu32, index);
    return ESP_OK;
}

void rig_open(rig_t *rig, const char *table, const otter_device_config_t *config)
{
    memset(rig, 0, sizeof(*rig));
    assert_true(sim_flash_init(&rig->sim, RIG_FLASH_SIZE));
    rig->ops = (otter_flash_ops_t){
        .read = rig_read, .program = rig_program, .erase = rig_erase, .sync = rig_barrier};
    rig->flash = (otter_flash_t){.ops = &rig->ops,
                                 .dev = rig,
                                 .size = RIG_FLASH_SIZE,
                                 .erase_size = 4096,
                                 .write_size = 1,
                                 .buffer = rig->sim.flash.buffer};
    char name[64];
    snprintf(name, sizeof(name), "%s.bin", table);
    rig_place(rig, RIG_TABLE_OFFSET, "ptable/bin", name);
    const otter_chip_t chip = {.id = 0, .revision = RIG_CHIP_REV};
    const otter_efuse_t efuse = {.dev = rig,
                                 .read_secure_version = rig_read_version,
                                 .burn_secure_version = rig_burn_version,
                                 .read_key_digest = rig_read_key,
                                 .revoke_key_digest = rig_revoke_key};
    otter_device_init(&rig->device, &rig->flash, &chip, &efuse, config);
    rig->device.config.copies = &otter_staged_copies;
    assert_int_equal(rig->device.partitions.status, ESP_OK);
}

void rig_close(rig_t *rig)
{
    otter_device_deinit(&rig->device);
    sim_flash_free(&rig->sim);
}

void rig_clear(rig_t *rig)
{
    rig->trace_count = 0;
}

const esp_partition_t *rig_app(const rig_t *rig, int subtype)
{
    for (uint32_t i = 0; i < rig->device.partitions.count; i++) {
        const esp_partition_t *p = &rig->device.partitions.items[i];
        if (p->type == ESP_PARTITION_TYPE_APP && (int)p->subtype == subtype) {
            return p;
        }
    }
    return NULL;
}

const esp_partition_t *rig_named(const rig_t *rig, const char *name)
{
    if (name[0] == 'f') {
        return rig_app(rig, ESP_PARTITION_SUBTYPE_APP_FACTORY);
    }
    if (name[0] == 't') {
        return rig_app(rig, ESP_PARTITION_SUBTYPE_APP_TEST);
    }
    return rig_app(rig, ESP_PARTITION_SUBTYPE_APP_OTA_MIN + atoi(name[0] == 'o' ? name + 4 : name));
}

void rig_open_running(rig_t *rig, const char *table, const otter_device_config_t *config)
{
    rig_open(rig, table, config);
    rig->untraced = true;
    rig_place(rig, rig_named(rig, "f")->address, "image", "esp32_valid.bin");
    rig->device.running = rig_named(rig, "f");
}

void rig_put_record(rig_t *rig, uint32_t copy, uint32_t seq, uint32_t state)
{
    const otadata_entry_t entry = otadata_make(seq, state);
    otadata_encode(&entry, rig->sim.bytes + RIG_OTADATA + copy * OTADATA_COPY_DISTANCE);
}

otadata_entry_t rig_get_record(const rig_t *rig, uint32_t copy)
{
    otadata_entry_t entry;
    otadata_decode(rig->sim.bytes + RIG_OTADATA + copy * OTADATA_COPY_DISTANCE, &entry);
    return entry;
}

bool rig_is_erased(const rig_t *rig, uint32_t off, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++) {
        if (rig->sim.bytes[off + i] != 0xFF) {
            return false;
        }
    }
    return true;
}

bool rig_entry_is(const rig_t *rig, uint32_t copy, const char *hex)
{
    char have[2 * OTADATA_ENTRY_SIZE + 1];
    rig_hex(rig->sim.bytes + RIG_OTADATA + copy * OTADATA_COPY_DISTANCE, OTADATA_ENTRY_SIZE, have);
    return strcmp(have, hex) == 0;
}
