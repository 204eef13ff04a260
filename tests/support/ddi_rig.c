/* The device of the agent's tests: obeys orders, boots, loses power. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/ddi_rig.h"

#include "otter/ota_ops.h"
#include "otter/update.h"
#include "support/image_builder.h"

#define SEGMENT   9000u /* bytes of the new image's: three sectors */
#define TOKEN     "secret"
#define DATA      "phy_init"
#define DATA_SIZE 4096u
#define OLD_DATA  0x5A

/* ---- callbacks ---- */

static esp_err_t load(void *ctx, uint8_t record[OTTER_DDI_RECORD_SIZE])
{
    return otter_ddi_store_load(&((ddi_rig_t *)ctx)->store, record);
}

static esp_err_t save(void *ctx, const uint8_t record[OTTER_DDI_RECORD_SIZE])
{
    ddi_rig_t *rig = ctx;
    if (rig->records_fail > 0) {
        rig->records_fail--;
        return ESP_ERR_FLASH_OP_FAIL;
    }
    return otter_ddi_store_save(&rig->store, record);
}

static esp_err_t look(void *ctx, const char *wanted, otter_ddi_device_t *device)
{
    return otter_ddi_device_look(((ddi_rig_t *)ctx)->device, wanted, device);
}

static esp_err_t compare(void *ctx, const otter_ddi_file_t *file, bool *same)
{
    return otter_ddi_device_compare(((ddi_rig_t *)ctx)->device, file, same);
}

static esp_err_t holds(void *ctx, const char *partition, const otter_ddi_file_t *file, bool *same)
{
    return otter_ddi_device_holds(((ddi_rig_t *)ctx)->device, partition, file, same);
}

/** A line for each request, without the only device's name. */
static void note(void *ctx, int64_t now_ms, const char *line)
{
    ddi_rig_t *rig = ctx;
    char *log = rig->server.log;
    const size_t used = strlen(log), device = sizeof("dev-1 ") - 1;
    (void)now_ms;
    snprintf(log + used, sizeof(rig->server.log) - used, "%s\n",
             strncmp(line, "dev-1 ", device) == 0 ? line + device : line);
}

static void say(void *ctx, const char *event, const char *text)
{
    ddi_rig_t *rig = ctx;
    size_t used = strlen(rig->said);
    snprintf(rig->said + used, sizeof(rig->said) - used, "%s: %s\n", event, text);
}

static void check_closing(void *ctx, const fleet_action_t *action, bool success)
{
    ddi_rig_t *rig = ctx;
    const fleet_release_t *release = action->release;
    rig->lied = rig->lied || (success && release->bytes != NULL && !ddi_rig_runs_new(rig)) ||
                (success && release->also != NULL && !ddi_rig_has_new_data(rig)) ||
                (!success && release->bytes == rig->file && ddi_rig_runs_new(rig));
}

/* ---- the device ---- */

bool ddi_rig_runs_new(const ddi_rig_t *rig)
{
    esp_ota_img_states_t state;
    otter_device_t *device = rig->device;
    return device->running != NULL &&
           memcmp(rig->session.rig.sim.bytes + device->running->address, rig->file, rig->file_len) == 0 &&
           otter_ota_get_state_partition(device, device->running, &state) == ESP_OK &&
           state == ESP_OTA_IMG_VALID;
}

static const uint8_t *data_of(const ddi_rig_t *rig)
{
    const esp_partition_t *data = otter_ddi_device_partition(rig->device, DATA, NULL);
    return rig->session.rig.sim.bytes + data->address;
}

bool ddi_rig_has_new_data(const ddi_rig_t *rig)
{
    return memcmp(data_of(rig), rig->data, rig->data_len) == 0;
}

/** What runs finds the old files or the new ones, never a mixture. */
static void check_data(const ddi_rig_t *rig)
{
    const uint8_t *bytes = data_of(rig);
    bool old = true;
    for (uint32_t i = 0; i < DATA_SIZE; i++) {
        old = old && bytes[i] == OLD_DATA;
    }
    if (!old && !ddi_rig_has_new_data(rig)) {
        fail_msg("an application runs on files that are half written");
    }
}

static bool has_power(const ddi_rig_t *rig)
{
    return !rig->session.rig.sim.dead;
}

/** Boots; the image confirms itself, or does not and the watchdog resets it. @return false: power failed again */
static bool boot(ddi_rig_t *rig)
{
    for (int i = 0; i < 3; i++) {
        otter_boot_result_t result;
        otter_device_t *device = rig->device;
        const otter_device_config_t config = device->config;
        const otter_chip_t chip = device->chip;
        const otter_efuse_t efuse = device->efuse;
        otter_device_deinit(device);
        otter_ignore(
            otter_device_init(device, &rig->session.rig.flash, &chip, &efuse, &config)); /* boot tells */
        esp_err_t err = otter_boot(device, OTTER_BOOT_COMMIT, &result);
        rig->boots++;
        if (!has_power(rig)) {
            return false;
        }
        assert_int_equal(err, ESP_OK);
        if (rig->data != NULL) {
            check_data(rig);
        }
        esp_ota_img_states_t state = ESP_OTA_IMG_UNDEFINED;
        otter_ignore(otter_ota_get_state_partition(device, device->running, &state)); /* factory has none */
        if (state != ESP_OTA_IMG_PENDING_VERIFY) {
            return true;
        }
        rig->installs++;
        if (rig->waits) {
            return true;
        }
        if (!rig->crashes) {
            err = otter_ota_mark_app_valid_cancel_rollback(device, NULL);
            assert_true(err == ESP_OK || !has_power(rig));
            return has_power(rig);
        }
    }
    fail_msg("boots the same trial for ever");
    return false;
}

void ddi_rig_restart(ddi_rig_t *rig)
{
    do {
        sim_flash_power_on(&rig->session.rig.sim);
    } while (!boot(rig));
    assert_int_equal(otter_ddi_store_open(&rig->store, &rig->session.rig.flash, rig->store_at), ESP_OK);
    assert_int_equal(otter_ddi_start(&rig->agent, &rig->config, rig->now_ms, NULL), ESP_OK);
}

void ddi_rig_open(ddi_rig_t *rig)
{
    memset(rig, 0, sizeof(*rig));
    session_open(&rig->session, &(otter_device_config_t){.rollback = true});
    rig->device = rig->session.device;
    rig->store_at = otter_partition_list_find(&rig->device->partitions, NULL, ESP_PARTITION_TYPE_DATA,
                                              ESP_PARTITION_SUBTYPE_DATA_NVS, NULL);
    assert_non_null(rig->store_at);
    const image_plan_t plan = {.flash_code = 0x20,
                               .entry = IMAGE_ENTRY,
                               .load_addr = IMAGE_DROM,
                               .segment = SEGMENT,
                               .hashed = true};
    rig->file_len = image_len(&plan);
    rig->file = calloc(1, rig->file_len);
    for (uint32_t i = IMAGE_DATA_AT; i < IMAGE_DATA_AT + SEGMENT; i++) {
        rig->file[i] = (uint8_t)(i * 7);
    }
    image_describe(rig->file, "app", "2.0", 0);
    image_finish(&plan, rig->file);
    fleet_server_t *server = &rig->server.fleet;
    fleet_server_init(server);
    server->base = DDI_RIG_SERVER;
    server->token = TOKEN;
    server->on_closing = check_closing;
    server->on_line = note;
    server->ctx = rig;
    assert_int_equal(fleet_server_add(server, "dev-1"), 0);
    rig->lose_at = DDI_RIG_NEVER;
    rig->config = (otter_ddi_config_t){.server = DDI_RIG_SERVER,
                                       .tenant = "DEFAULT",
                                       .id = "dev-1",
                                       .seed = 1,
                                       .at_once = true,
                                       .load = load,
                                       .save = save,
                                       .look = look,
                                       .compare = compare,
                                       .say = say,
                                       .ctx = rig};
    ddi_rig_restart(rig);
}

void ddi_rig_close(ddi_rig_t *rig)
{
    fleet_server_free(&rig->server.fleet);
    free(rig->file);
    free(rig->data);
    session_close(&rig->session);
}

fleet_target_t *ddi_rig_target(ddi_rig_t *rig)
{
    return &rig->server.fleet.targets[0];
}

fleet_release_t *ddi_rig_release(ddi_rig_t *rig, const fleet_action_t *action)
{
    return &rig->server.releases[2 * (action->id - 1)];
}

fleet_action_t *ddi_rig_assign(ddi_rig_t *rig, const char *id)
{
    static const fleet_order_t forced = {.mode = FLEET_FORCED};
    fleet_server_t *server = &rig->server.fleet;
    assert_true(2 * server->action_count + 1 < DDI_RIG_RELEASES);
    fleet_release_t *image = &rig->server.releases[2 * server->action_count], *data = image + 1;
    *data = (fleet_release_t){
        .version = "7", .part = "fs", .name = "files.img", .bytes = rig->data, .size = rig->data_len};
    *image = (fleet_release_t){.version = "2.0",
                               .part = "os",
                               .name = "app.bin",
                               .bytes = rig->file,
                               .size = rig->file_len,
                               .also = rig->data != NULL ? data : NULL};
    const uint32_t number = fleet_server_assign(server, rig->now_ms, 0, image, &forced);
    assert_int_not_equal(number, 0);
    fleet_action_t *action = &server->actions[number - 1];
    action->name = id;
    return action;
}

void ddi_rig_take_data(ddi_rig_t *rig)
{
    static const otter_ddi_part_t parts[] = {{"fs", DATA}};
    const esp_partition_t *data = otter_ddi_device_partition(rig->device, DATA, NULL);
    assert_non_null(data);
    assert_int_equal(data->size, DATA_SIZE);
    memset(rig->session.rig.sim.bytes + data->address, OLD_DATA, DATA_SIZE);
    rig->data_len = 3001;
    rig->data = malloc(rig->data_len);
    assert_non_null(rig->data);
    for (uint32_t i = 0; i < rig->data_len; i++) {
        rig->data[i] = (uint8_t)(i * 5 + 1);
    }
    rig->config.parts = parts;
    rig->config.part_count = 1;
    rig->config.holds = holds;
    ddi_rig_restart(rig);
}

/* ---- orders ---- */

/** Bytes of files may have been changed by the test. */
static void hash_releases(ddi_rig_server_t *server)
{
    for (uint32_t i = 0; i < 2 * server->fleet.action_count; i++) {
        if (server->releases[i].bytes != NULL) {
            assert_true(fleet_release_hash(&server->releases[i]));
        }
    }
}

/** The server's answer, or what the test says instead. */
static void ask_server(ddi_rig_t *rig, const otter_ddi_order_t *order, fleet_answer_t *answer)
{
    ddi_rig_server_t *server = &rig->server;
    const fleet_request_t wanted = {.method = order->method,
                                    .url = order->url,
                                    .authorization = order->authorize ? "GatewayToken " TOKEN : NULL,
                                    .type = order->body != NULL ? "application/json" : NULL,
                                    .body = order->body};
    server->requests++;
    if (server->fails > 0) {
        char line[160];
        server->fails--;
        answer->status = server->fail_status;
        snprintf(answer->text, sizeof(answer->text), "%s",
                 server->fail_body != NULL ? server->fail_body : "");
        snprintf(line, sizeof(line), "%s, which the test answers %d", order->method, answer->status);
        note(rig, rig->now_ms, line);
        return;
    }
    hash_releases(server);
    fleet_server_handle(&server->fleet, rig->now_ms, &wanted, answer);
}

static void request(ddi_rig_t *rig, const otter_ddi_order_t *order)
{
    static fleet_answer_t answer;
    const uint32_t number = rig->server.requests;
    const bool lost = number >= rig->lose_at && number - rig->lose_at < rig->lose_count;
    if (lost && rig->loss == DDI_LOSE_REQUEST) {
        rig->server.requests++;
        otter_ddi_unanswered(&rig->agent, rig->now_ms, "lost");
        return;
    }
    ask_server(rig, order, &answer);
    if (lost && rig->loss == DDI_LOSE_ANSWER) {
        otter_ddi_unanswered(&rig->agent, rig->now_ms, "lost");
        return;
    }
    const size_t len = strlen(answer.text);
    otter_ddi_answer(&rig->agent, answer.status);
    for (size_t i = 0; i < (lost ? len / 2 : len); i++) { /* a byte at a time, as it may come */
        if (!otter_ddi_body(&rig->agent, answer.text + i, 1)) {
            break;
        }
    }
    if (lost) {
        otter_ddi_unanswered(&rig->agent, rig->now_ms, "cut off");
    } else {
        otter_ddi_answered(&rig->agent, rig->now_ms);
    }
}

/** @param data  the partition that it is for; NULL: it is the image */
static esp_err_t write_file(ddi_rig_t *rig, const esp_partition_t *slot, const esp_partition_t *data,
                            bool *stopped, otter_fault_t *fault)
{
    otter_update_t update;
    const uint8_t *file = data != NULL ? rig->data : rig->file;
    const uint32_t len = data != NULL ? rig->data_len : rig->file_len;
    esp_err_t err = otter_update_begin(&update, rig->device, slot, OTA_WITH_SEQUENTIAL_WRITES, fault);
    if (err == ESP_OK && data != NULL) {
        err = otter_update_set_final_partition(&update, data, false, fault);
    }
    if (err != ESP_OK) {
        return err;
    }
    for (uint32_t at = 0; at < len && err == ESP_OK && !*stopped; at += 1000) {
        uint32_t step = len - at < 1000 ? len - at : 1000;
        err = otter_update_write(&update, file + at, step, fault);
        *stopped = !otter_ddi_progress(&rig->agent, rig->now_ms, at + step);
    }
    if (err != ESP_OK || *stopped) {
        otter_ignore(otter_update_abort(&update)); /* what the write said is what counts */
        return err;
    }
    return otter_update_end(&update, fault);
}

static void fetch(ddi_rig_t *rig, const otter_ddi_order_t *order)
{
    otter_fault_t fault = {0};
    otter_ddi_fetched_t fetched = {
        .err = rig->fetch_err, .stage = rig->fetch_stage, .why = "as the test says"};
    const otter_ddi_file_t file = order->file;
    const esp_partition_t *slot = otter_ota_get_next_update_partition(rig->device, NULL);
    const esp_partition_t *data =
        order->partition != NULL ? otter_ddi_device_partition(rig->device, order->partition, &fault) : NULL;
    bool stopped = false;
    assert_true(strncmp(order->url, "http", 4) == 0);
    rig->fetches++;
    rig->token_left_home =
        rig->token_left_home ||
        (order->authorize && strncmp(order->url, DDI_RIG_SERVER "/", sizeof(DDI_RIG_SERVER)) != 0);
    if (rig->fetch_fails > 0) {
        rig->fetch_fails--;
    } else {
        fetched = (otter_ddi_fetched_t){.stage = OTTER_STAGE_DOWNLOAD, .why = fault.why};
        fetched.err = write_file(rig, slot, data, &stopped, &fault);
        if (fetched.err == ESP_OK && !stopped && data != NULL) {
            rig->stores++;
            otter_ddi_device_stored(rig->device, slot, data, &file, &fetched, &fault);
        } else if (fetched.err == ESP_OK && !stopped) {
            otter_ddi_device_fetched(rig->device, slot, &file, &fetched, &fault);
        }
    }
    if (has_power(rig)) {
        otter_ddi_fetched(&rig->agent, rig->now_ms, &fetched);
    }
}

static void restart(ddi_rig_t *rig, const otter_ddi_order_t *order)
{
    otter_fault_t fault = {0};
    bool changed;
    esp_err_t err = otter_ddi_device_select(rig->device, order, &changed, &fault);
    if (!has_power(rig)) {
        return;
    }
    if (err != ESP_OK) {
        otter_ddi_not_restarted(&rig->agent, rig->now_ms, changed, fault.why);
        return;
    }
    ddi_rig_restart(rig);
}

otter_ddi_order_kind_t ddi_rig_step(ddi_rig_t *rig)
{
    otter_ddi_order_t order;
    otter_ddi_next(&rig->agent, rig->now_ms, &order);
    const otter_ddi_order_kind_t kind = order.kind;
    if (kind == OTTER_DDI_REQUEST) {
        request(rig, &order);
    } else if (kind == OTTER_DDI_FETCH) {
        fetch(rig, &order);
    } else if (kind == OTTER_DDI_RESTART) {
        restart(rig, &order);
    } else {
        rig->now_ms += order.wait_ms;
    }
    if (!has_power(rig)) {
        ddi_rig_restart(rig);
    }
    return kind;
}

bool ddi_rig_run(ddi_rig_t *rig, unsigned steps)
{
    for (unsigned i = 0; i < steps; i++) {
        const otter_ddi_order_kind_t kind = ddi_rig_step(rig);
        if (kind == OTTER_DDI_WAIT && otter_ddi_is_idle(&rig->agent) &&
            fleet_server_active(&rig->server.fleet, 0) == NULL) {
            return true;
        }
    }
    return false;
}
