/* The device between its agent and its world: boots, orders that are obeyed, answers that come or do not. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/device.h"

#include <stdlib.h>
#include <string.h>

#include "fleet/release.h"
#include "fleet/world.h"
#include "otter/boot.h"
#include "otter/bytes.h"
#include "otter/ota_ops.h"
#include "otter/text.h"

#define TABLE_AT      0x8000u
#define AGENT_SUBTYPE 0x40 /* an application's own */
#define SLOTS_AT      0x10000u
#define RESTART_MS    2000
#define CRASH_MS      5000 /* from the boot of a bad release to its watchdog's reset */
#define CUT_NEAR_MS   1000 /* a cut that is so near comes in the middle of what is done now */
#define CUT_OPS       16u  /* operations of flash, at most, until it does */

/** Two slots, each as large as it must be for the largest image. */
static uint32_t slot_size(const fleet_world_t *world)
{
    return align_up_u32(world->config.image_size, OTTER_PARTITION_APP_ALIGN);
}

static int64_t now_of(const fleet_device_t *device)
{
    return device->world->now_ms;
}

/* ---- what the agent asks of it ---- */

static esp_err_t load(void *ctx, uint8_t record[OTTER_DDI_RECORD_SIZE])
{
    return otter_ddi_store_load(&((fleet_device_t *)ctx)->store, record);
}

static esp_err_t save(void *ctx, const uint8_t record[OTTER_DDI_RECORD_SIZE])
{
    return otter_ddi_store_save(&((fleet_device_t *)ctx)->store, record);
}

static esp_err_t look(void *ctx, const char *wanted, otter_ddi_device_t *out)
{
    return otter_ddi_device_look(&((fleet_device_t *)ctx)->device, wanted, out);
}

static esp_err_t compare(void *ctx, const otter_ddi_file_t *file, bool *same)
{
    return otter_ddi_device_compare(&((fleet_device_t *)ctx)->device, file, same);
}

static void prepare_agent(fleet_device_t *device)
{
    static const char board[] = "simulated";
    device->attributes[0] = (otter_ddi_attribute_t){"sw_version", device->version};
    device->attributes[1] = (otter_ddi_attribute_t){"hw_boardname", board};
    device->attributes[2] = (otter_ddi_attribute_t){"hw_revision", device->bad ? "B" : "A"};
    device->config = (otter_ddi_config_t){.server = device->world->server.base,
                                          .tenant = device->world->server.tenant,
                                          .id = device->id,
                                          .attributes = device->attributes,
                                          .attribute_count = 3,
                                          .poll_s = device->world->config.poll_s,
                                          .load = load,
                                          .save = save,
                                          .look = look,
                                          .compare = compare,
                                          .ctx = device};
}

/* ---- its making ---- */

static bool write_flash(fleet_device_t *device)
{
    uint8_t raw[OTTER_PARTITION_TABLE_LEN];
    otter_flash_t *flash = &device->flash.flash;
    const fleet_release_t *release = &device->world->releases[0];
    const uint32_t size = slot_size(device->world);
    const otter_partition_entry_t table[] = {
        {ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_OTA, 0x9000, 0x2000, "otadata", 0},
        {ESP_PARTITION_TYPE_DATA, AGENT_SUBTYPE, 0xB000, 0x2000, "agent", 0},
        {ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_APP_OTA_0, SLOTS_AT, size, "ota_0", 0},
        {ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_APP_OTA_1, SLOTS_AT + size, size, "ota_1", 0},
    };
    return otter_partition_table_encode(table, sizeof(table) / sizeof(table[0]), true, raw) == ESP_OK &&
           otter_flash_program(flash, TABLE_AT, raw, sizeof(raw)) == ESP_OK &&
           otter_flash_program(flash, SLOTS_AT, release->bytes, release->size) == ESP_OK;
}

bool fleet_device_open(fleet_device_t *device, fleet_world_t *world, uint32_t number)
{
    device->world = world;
    device->number = number;
    device->cut_op = SPARSE_NEVER;
    device->reset_at = device->confirm_at = device->cut_at = FLEET_NEVER;
    device->piece_at = device->answer_at = FLEET_NEVER;
    text_format(device->id, sizeof(device->id), "%s%06u",
                world->config.id != NULL ? world->config.id : "dev-", (unsigned)number + 1);
    if (!sparse_flash_init(&device->flash, &world->pool, SLOTS_AT + 2 * slot_size(world))) {
        return false;
    }
    device->flash.flash.buffer = (otter_buffer_t){world->buffer, sizeof(world->buffer)};
    prepare_agent(device);
    const bool written = write_flash(device);
    sparse_flash_power_on(&device->flash);
    return written;
}

static void drop_download(fleet_device_t *device)
{
    if (device->download != NULL) {
        otter_ignore(otter_update_abort(&device->download->update)); /* where it is not open: nothing to do */
        free(device->download);
        device->download = NULL;
    }
    device->piece_at = FLEET_NEVER;
}

void fleet_device_close(fleet_device_t *device)
{
    drop_download(device);
    device->world->wire->drop(device);
    otter_device_deinit(&device->device);
    sparse_flash_free(&device->flash);
}

/* ---- power and boots ---- */

void fleet_device_cut(fleet_device_t *device, int64_t until_ms)
{
    device->flash.dead = true; /* what is closed now changes nothing any more */
    drop_download(device);
    device->world->wire->drop(device);
    device->on = false;
    device->cut_op = SPARSE_NEVER;
    device->reset_at = device->confirm_at = device->cut_at = FLEET_NEVER;
    device->at_ms = until_ms;
}

/** Which release it is that runs, and what the descriptor calls it. */
static void identify(fleet_device_t *device)
{
    esp_app_desc_t app = {0};
    otter_ignore(otter_ota_get_partition_description(&device->device, device->device.running, &app)); /* "" */
    text_format(device->version, sizeof(device->version), "%s", app.version);
    device->runs = (uint8_t)fleet_world_release(device->world, device->version);
}

/** A trial begins: that is an install, and an action has one. */
static void count_install(fleet_device_t *device)
{
    fleet_world_t *world = device->world;
    const bool torn = device->torn, again = strcmp(device->installed, device->wanted) == 0;
    world->installs++;
    device->torn = false;
    if (again && torn) {
        world->trials_again++; /* a cut has taken the record of the trial: it is begun again */
    } else if (again) {
        fleet_world_accuse(world, &world->verdict.installed_twice, device, "installed for an action twice");
    }
    memcpy(device->installed, device->wanted, sizeof(device->installed));
}

static void begin_trial(fleet_device_t *device)
{
    const fleet_world_t *world = device->world;
    const bool crashes = device->bad && world->config.releases[device->runs].crashes;
    device->trial = true;
    count_install(device);
    if (crashes) {
        device->reset_at = now_of(device) + CRASH_MS;
    } else {
        device->confirm_at = now_of(device) + world->config.self_test_ms;
    }
}

static void start_agent(fleet_device_t *device)
{
    const esp_partition_t *agent = otter_partition_list_find(&device->device.partitions, NULL,
                                                             ESP_PARTITION_TYPE_DATA, AGENT_SUBTYPE, "agent");
    device->config.seed = fleet_world_random(device->world, UINT32_MAX);
    memset(&device->store, 0, sizeof(device->store));
    if (agent == NULL || otter_ddi_store_open(&device->store, &device->flash.flash, agent) != ESP_OK ||
        otter_ddi_start(&device->agent, &device->config, now_of(device), NULL) != ESP_OK) {
        device->reset_at = now_of(device) + CRASH_MS;
    }
}

static void boot(fleet_device_t *device)
{
    static otter_boot_result_t result;
    const otter_device_config_t config = {.rollback = true};
    const otter_chip_t chip = {.id = FLEET_CHIP, .revision = 3};
    esp_ota_img_states_t state = ESP_OTA_IMG_UNDEFINED;
    drop_download(device);
    device->world->wire->drop(device);
    device->reset_at = device->confirm_at = FLEET_NEVER;
    const bool was_trial = device->trial;
    device->trial = false;
    otter_device_deinit(&device->device);
    otter_ignore(
        otter_device_init(&device->device, &device->flash.flash, &chip, NULL, &config)); /* boot tells */
    const esp_err_t err = otter_boot(&device->device, OTTER_BOOT_COMMIT, &result);
    if (device->flash.dead) { /* perhaps while the bootloader gave the trial up */
        device->trial = was_trial;
        device->torn = device->torn || was_trial;
        return;
    }
    if (err != ESP_OK) {
        device->runs = FLEET_RELEASES_MAX;
        fleet_world_accuse(device->world, &device->world->verdict.dead, device, "does not boot any more");
        return;
    }
    identify(device);
    otter_ignore(
        otter_ota_get_state_partition(&device->device, device->device.running, &state)); /* undefined */
    if (state == ESP_OTA_IMG_PENDING_VERIFY) {
        begin_trial(device);
    }
    if (device->reset_at == FLEET_NEVER) {
        start_agent(device);
    }
}

static void confirm(fleet_device_t *device)
{
    device->confirm_at = FLEET_NEVER;
    if (otter_ota_mark_app_valid_cancel_rollback(&device->device, NULL) != ESP_OK) {
        device->torn = device->torn || device->flash.dead;
        device->reset_at = now_of(device);
        return;
    }
    device->trial = false;
    otter_ddi_changed(&device->agent);
}

bool fleet_device_runs(fleet_device_t *device, const fleet_release_t *release)
{
    uint8_t piece[1024];
    const esp_partition_t *running = device->device.running;
    esp_ota_img_states_t state = ESP_OTA_IMG_UNDEFINED;
    if (running == NULL) {
        return false;
    }
    otter_ignore(
        otter_ota_get_state_partition(&device->device, running, &state)); /* none before the first update */
    for (uint32_t at = 0; at < release->size; at += sizeof(piece)) {
        const uint32_t step = min_u32(release->size - at, sizeof(piece));
        if (otter_flash_read(&device->flash.flash, running->address + at, piece, step) != ESP_OK ||
            memcmp(piece, release->bytes + at, step) != 0) {
            return false;
        }
    }
    return state == ESP_OTA_IMG_VALID || state == ESP_OTA_IMG_UNDEFINED;
}

/* ---- answers and files, from whatever wire ---- */

void fleet_device_answered(fleet_device_t *device, int status, const char *body, size_t len,
                           const char *broken)
{
    otter_ddi_t *agent = &device->agent;
    if (status != 0) {
        otter_ddi_answer(agent, status);
        (void)otter_ddi_body(agent, body, len);
    }
    if (broken != NULL) {
        otter_ddi_unanswered(agent, now_of(device), broken);
    } else {
        otter_ddi_answered(agent, now_of(device));
    }
}

static void end_download(fleet_device_t *device, otter_ddi_fetched_t fetched)
{
    if (!device->flash.dead) {
        otter_ddi_fetched(&device->agent, now_of(device), &fetched);
    }
    drop_download(device);
}

void fleet_device_fail_file(fleet_device_t *device, otter_stage_t stage, esp_err_t err, const char *why)
{
    end_download(device, (otter_ddi_fetched_t){.err = err, .stage = stage, .why = why});
}

bool fleet_device_begin_file(fleet_device_t *device, const otter_ddi_file_t *file, int64_t announced)
{
    fleet_download_t *download = calloc(1, sizeof(*download));
    device->download = download;
    if (download == NULL) {
        fleet_device_fail_file(device, OTTER_STAGE_CONNECT, ESP_ERR_NO_MEM, "out of memory");
        return false;
    }
    download->file = *file;
    download->slot = otter_ota_get_next_update_partition(&device->device, NULL);
    if (download->slot == NULL || file->size > download->slot->size ||
        (announced >= 0 && announced != file->size)) {
        fleet_device_fail_file(device, OTTER_STAGE_GATE, ESP_ERR_INVALID_SIZE,
                               "the file does not have the size it should");
        return false;
    }
    const esp_err_t err = otter_update_begin(&download->update, &device->device, download->slot,
                                             OTA_WITH_SEQUENTIAL_WRITES, &download->fault);
    if (err != ESP_OK) {
        fleet_device_fail_file(device, OTTER_STAGE_GATE, err, download->fault.why);
    }
    return err == ESP_OK;
}

static void end_file(fleet_device_t *device)
{
    fleet_download_t *download = device->download;
    otter_ddi_fetched_t fetched = {.stage = OTTER_STAGE_VERIFY, .why = download->fault.why};
    fetched.err = otter_update_end(&download->update, &download->fault);
    if (fetched.err == ESP_OK) {
        otter_ddi_device_fetched(&device->device, download->slot, &download->file, &fetched,
                                 &download->fault);
    }
    end_download(device, fetched);
}

bool fleet_device_take_file(fleet_device_t *device, const uint8_t *bytes, uint32_t len)
{
    fleet_download_t *download = device->download;
    if (len > download->file.size - download->done) {
        fleet_device_fail_file(device, OTTER_STAGE_GATE, ESP_ERR_INVALID_SIZE,
                               "the file is larger than was announced");
        return false;
    }
    const esp_err_t err = otter_update_write(&download->update, bytes, len, &download->fault);
    if (err != ESP_OK) {
        fleet_device_fail_file(device, OTTER_STAGE_DOWNLOAD, err, download->fault.why);
        return false;
    }
    download->done += len;
    device->world->bytes += len;
    if (!otter_ddi_progress(&device->agent, now_of(device), download->done)) {
        fleet_device_fail_file(device, OTTER_STAGE_DOWNLOAD, ESP_ERR_NOT_FINISHED, "it was stopped");
        return false;
    }
    if (download->done == download->file.size) {
        end_file(device);
    }
    return device->download != NULL;
}

/* ---- orders ---- */

static void restart(fleet_device_t *device, const otter_ddi_order_t *order)
{
    otter_fault_t fault = {0};
    bool changed;
    memcpy(device->wanted, device->agent.record.id, sizeof(device->wanted)); /* what its trial is for */
    const esp_err_t err = otter_ddi_device_select(&device->device, order, &changed, &fault);
    if (device->flash.dead) {
        return;
    }
    if (err != ESP_OK) {
        otter_ddi_not_restarted(&device->agent, now_of(device), changed, fault.why);
        return;
    }
    device->reset_at = now_of(device) + RESTART_MS;
}

/** Does what the agent says, until it has to wait for something. @return when it is to be asked again */
static int64_t obey(fleet_device_t *device)
{
    while (device->answer_at == FLEET_NEVER && device->reset_at == FLEET_NEVER && !device->flash.dead) {
        otter_ddi_order_t order;
        otter_ddi_next(&device->agent, now_of(device), &order);
        if (device->flash.dead) {
            break;
        }
        switch (order.kind) {
        case OTTER_DDI_REQUEST:
            device->world->wire->send(device, &order);
            break;
        case OTTER_DDI_FETCH:
            device->world->wire->fetch(device, &order);
            break;
        case OTTER_DDI_RESTART:
            restart(device, &order);
            break;
        default:
            return now_of(device) + order.wait_ms;
        }
    }
    return FLEET_NEVER;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void do_what_is_due(fleet_device_t *device)
{
    const int64_t now_ms = now_of(device);
    if (!device->on || device->reset_at <= now_ms) {
        device->on = true;
        boot(device);
        return;
    }
    if (device->confirm_at <= now_ms) {
        confirm(device);
    }
    if (!device->flash.dead) {
        device->world->wire->come(device);
    }
}

int64_t fleet_device_act(fleet_device_t *device)
{
    const int64_t now_ms = now_of(device);
    if (!device->on) {
        sparse_flash_power_on(&device->flash);
        device->flash.cut_at = device->cut_op;
    }
    if (device->cut_at != FLEET_NEVER && device->cut_at - now_ms < CUT_NEAR_MS) {
        device->flash.cut_at = device->flash.ops + fleet_world_random(device->world, CUT_OPS);
        device->flash.random = fleet_world_random(device->world, UINT32_MAX);
    }
    do_what_is_due(device);
    const int64_t wake = device->runs == FLEET_RELEASES_MAX ? FLEET_NEVER : obey(device);
    device->flash.cut_at = device->cut_op;
    if (device->flash.dead) {
        return now_ms; /* power is gone */
    }
    int64_t at = earlier(earlier(device->reset_at, device->confirm_at), earlier(device->piece_at, wake));
    at = earlier(at, device->answer_at);
    return earlier(at, device->cut_at);
}
