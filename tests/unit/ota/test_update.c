/* otter/update.h and otter/https_update.h: updates whose structure and memory are their caller's, and what follows them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/https_rig.h"
#include "support/session_rig.h"
#include "support/update_rig.h"

static otter_update_t update; /* the tests' own: nothing of it is the library's */

/* ---- the heap: the linker hands every allocation of the layers to the functions here ---- */

static uint32_t allocations;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *p, size_t size);

void *__wrap_malloc(size_t size)
{
    allocations++;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    allocations++;
    return __real_calloc(count, size);
}

void *__wrap_realloc(void *p, size_t size)
{
    allocations++;
    return __real_realloc(p, size);
}

/* ---- sessions ---- */

static esp_err_t write_all(otter_update_t *u, const uint8_t *bytes, uint32_t len, uint32_t piece,
                           otter_fault_t *fault)
{
    esp_err_t err = ESP_OK;
    for (uint32_t at = 0; at < len && err == ESP_OK; at += piece) {
        err = otter_update_write(u, bytes + at, len - at < piece ? len - at : piece, fault);
    }
    return err;
}

static void a_good_image_is_taken_through_any_buffer(void **state)
{
    session_rig_t *f = *state;
    static const uint32_t sizes[] = {0, 1, 300, 4096, 5000, 0x10000};
    uint8_t *bytes = malloc(0x10000);
    for (size_t i = 0; i < 2 * sizeof(sizes) / sizeof(sizes[0]); i++) {
        f->rig.flash.buffer = (otter_buffer_t){sizes[i / 2] > 0 ? bytes : NULL, sizes[i / 2]};
        f->rig.flash.stable_reads = i % 2 == 1;
        memset(f->rig.sim.bytes + f->slot[0]->address, 0x5A, f->slot[0]->size);
        otter_fault_t fault = {0};
        allocations = 0;
        assert_int_equal(
            otter_update_begin(&update, f->device, f->slot[0], OTA_WITH_SEQUENTIAL_WRITES, &fault), ESP_OK);
        assert_int_equal(write_all(&update, f->image, f->image_len, 999, &fault), ESP_OK);
        assert_int_equal(otter_update_written(&update), f->image_len);
        assert_int_equal(otter_update_end(&update, &fault), ESP_OK);
        assert_memory_equal(f->rig.sim.bytes + f->slot[0]->address, f->image, f->image_len);
        assert_int_equal(otter_ota_set_boot_partition(f->device, f->slot[0], &fault), ESP_OK);
        assert_int_equal(otter_ota_mark_app_valid_cancel_rollback(f->device, &fault), ESP_OK);
        assert_string_equal(fault.why, "");
        assert_int_equal(allocations, 0);
    }
    f->rig.flash.buffer = (otter_buffer_t){0};
    free(bytes);
}

static void a_damaged_image_is_refused_through_any_buffer(void **state)
{
    session_rig_t *f = *state;
    uint8_t bytes[1024];
    f->image[f->image_len - 40] ^= 1;
    for (uint32_t size = 0; size <= sizeof(bytes); size += 512) {
        f->rig.flash.buffer = (otter_buffer_t){size > 0 ? bytes : NULL, size};
        otter_fault_t fault = {0};
        assert_int_equal(otter_update_begin(&update, f->device, f->slot[1], OTA_SIZE_UNKNOWN, NULL), ESP_OK);
        assert_int_equal(write_all(&update, f->image, f->image_len, 4096, NULL), ESP_OK);
        assert_int_equal(otter_update_end(&update, &fault), ESP_ERR_OTA_VALIDATE_FAILED);
        assert_string_equal(fault.why, "checksum is 0x15, 0x14 is stored");
    }
    f->rig.flash.buffer = (otter_buffer_t){0};
}

static void what_is_refused_says_why(void **state)
{
    session_rig_t *f = *state;
    static const esp_partition_t stranger = {.label = "stranger", .size = 0x1000};
    otter_device_t *d = f->device;
    const struct {
        const esp_partition_t *partition;
        size_t size;
        esp_err_t code;
        const char *why;
    } rows[] = {
        {&stranger, 0, ESP_ERR_NOT_FOUND, "stranger is no partition of this device"},
        {f->factory, 0, ESP_ERR_INVALID_ARG, "factory is no update slot"},
        {f->slot[0], 0x7FFFFFF, ESP_ERR_INVALID_SIZE,
         "an image of 134217727 bytes does not fit ota_0 of 1048576"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        otter_fault_t fault = {0};
        assert_int_equal(otter_update_begin(&update, d, rows[i].partition, rows[i].size, &fault),
                         rows[i].code);
        assert_string_equal(fault.why, rows[i].why);
        assert_int_equal(fault.code, rows[i].code);
        assert_int_equal(otter_update_abort(&update), ESP_ERR_NOT_FOUND); /* nothing is open */
    }
    otter_fault_t fault = {0};
    assert_int_equal(otter_update_begin(&update, d, f->slot[0], 0, &fault), ESP_OK);
    assert_int_equal(otter_update_write(&update, "x", 1, &fault), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_string_equal(fault.why, "OTA image has invalid magic byte (expected 0xE9, saw 0x78)");
    assert_int_equal(otter_update_abort(&update), ESP_OK);
    assert_int_equal(otter_ota_mark_app_invalid_rollback(d, &fault), ESP_FAIL);
    assert_string_equal(fault.why, "no record of otadata is active");
}

static void an_update_that_is_not_open_is_found_nowhere(void **state)
{
    session_rig_t *f = *state;
    otter_update_t second;
    assert_int_equal(otter_update_begin(&update, f->device, f->slot[0], 0, NULL), ESP_OK);
    assert_int_equal(otter_update_begin(&second, f->device, f->slot[0], 0, NULL), ESP_OK); /* replaces it */
    assert_int_equal(otter_update_write(&update, f->image, 100, NULL), ESP_ERR_NOT_FOUND);
    assert_int_equal(otter_update_write(&second, f->image, 100, NULL), ESP_OK);
    otter_fault_t fault = {0};
    assert_int_equal(otter_update_begin(&update, f->device, f->slot[0], 0, &fault),
                     ESP_ERR_OTA_ALREADY_IN_PROGRESS);
    assert_string_equal(fault.why, "another update is writing ota_0");
    otter_device_deinit(f->device); /* closes what is open, which is still the caller's */
    assert_int_equal(otter_update_end(&second, NULL), ESP_ERR_NOT_FOUND);
    assert_int_equal(otter_update_verify(&second, NULL), ESP_ERR_NOT_FOUND);
    assert_int_equal(otter_update_write_with_offset(&second, "", 1, 0, NULL), ESP_ERR_NOT_FOUND);
    assert_int_equal(otter_update_set_final_partition(&second, f->slot[1], false, NULL), ESP_ERR_NOT_FOUND);
    assert_int_equal(otter_update_written(&second) | otter_update_image_len(&second), 0);
}

static void an_interrupted_update_goes_on(void **state)
{
    session_rig_t *f = *state;
    const uint32_t half = f->image_len / 2 & ~0xFFFu;
    assert_int_equal(otter_update_begin(&update, f->device, f->slot[0], 0, NULL), ESP_OK);
    assert_int_equal(write_all(&update, f->image, half, 512, NULL), ESP_OK);
    assert_int_equal(otter_update_abort(&update), ESP_OK);
    assert_int_equal(
        otter_update_resume(&update, f->device, f->slot[0], OTA_WITH_SEQUENTIAL_WRITES, half, NULL), ESP_OK);
    assert_int_equal(otter_update_written(&update), half);
    assert_int_equal(write_all(&update, f->image + half, f->image_len - half, 512, NULL), ESP_OK);
    assert_int_equal(otter_update_verify(&update, NULL), ESP_OK);
    assert_int_equal(otter_update_image_len(&update), f->image_len);
    assert_int_equal(otter_update_end(&update, NULL), ESP_OK);
}

static void a_large_write_unit_is_refused_before_anything_is_erased(void **state)
{
    session_rig_t *f = *state;
    otter_fault_t fault = {0};
    f->rig.flash.write_size = 2 * OTTER_UPDATE_UNIT_MAX;
    const uint32_t ops = f->rig.sim.ops;
    assert_int_equal(otter_update_begin(&update, f->device, f->slot[0], 0, &fault), ESP_ERR_NOT_SUPPORTED);
    assert_string_equal(fault.why, "ota_0: a write unit of 64 bytes; updates take up to 32");
    assert_int_equal(f->rig.sim.ops, ops);
}

/* ---- over HTTPS ---- */

typedef struct {
    unsigned clients, events, pieces, give_up_at;
    const otter_update_report_t *report;
} follower_t;

static esp_err_t on_client(void *ctx, esp_http_client_handle_t client)
{
    ((follower_t *)ctx)->clients++;
    return esp_http_client_set_header(client, "X-Device", "lamp");
}

static void on_event(void *ctx, esp_https_ota_event_t id, const void *data, size_t size)
{
    (void)id, (void)data, (void)size;
    ((follower_t *)ctx)->events++;
}

static bool on_progress(void *ctx, const otter_update_report_t *report)
{
    follower_t *follower = ctx;
    follower->report = report;
    return ++follower->pieces != follower->give_up_at;
}

static int https_set_up(void **state)
{
    *state = update_rig_open(50000, &(otter_device_config_t){0});
    return 0;
}

static void a_download_uses_the_memory_and_the_context_it_was_given(void **state)
{
    update_rig_t *f = *state;
    uint8_t receive[OTTER_HTTPS_RECEIVE_MIN], read_back[512];
    follower_t follower = {0};
    const otter_https_options_t options = {.on_client = on_client,
                                           .on_event = on_event,
                                           .on_progress = on_progress,
                                           .ctx = &follower,
                                           .receive = {receive, sizeof(receive)}};
    f->rig.flash.buffer = (otter_buffer_t){read_back, sizeof(read_back)};
    f->config.http.buffer_size = 100000; /* what counts is the memory that was given */
    web_use_new_transport(&f->config, &f->web);
    assert_int_equal(otter_https_ota(&f->rig.device, &f->config.ota, &options), ESP_OK);
    assert_true(update_rig_boots_new(f));
    assert_true(web_slot_holds(&f->rig, f->slot, f->image, f->len));
    assert_memory_equal(receive, f->image + 48 * 1024,
                        f->len - 48 * 1024); /* the last piece went through it */
    assert_int_equal(follower.clients, 1);
    assert_true(follower.events > 10);
    assert_true(follower.pieces >= f->len / sizeof(receive));
    assert_ptr_equal(follower.report, &f->rig.device.report);
    char value[16];
    assert_non_null(web_header(f->web.last_request, "X-Device: ", value, sizeof(value)));
    assert_string_equal(value, "lamp");
    f->rig.flash.buffer = (otter_buffer_t){0};
}

static void who_follows_a_download_can_give_it_up(void **state)
{
    update_rig_t *f = *state;
    follower_t follower = {.give_up_at = 3};
    const otter_https_options_t options = {.on_progress = on_progress, .ctx = &follower};
    web_use_new_transport(&f->config, &f->web);
    assert_int_equal(otter_https_ota(&f->rig.device, &f->config.ota, &options), ESP_FAIL);
    assert_int_equal(follower.pieces, 3);
    assert_string_equal(f->rig.device.report.fault.why, "given up by the caller");
    assert_false(update_rig_boots_new(f));
}

static void a_receive_buffer_that_is_too_small_is_refused(void **state)
{
    update_rig_t *f = *state;
    uint8_t receive[OTTER_HTTPS_RECEIVE_MIN - 1];
    const otter_https_options_t options = {.receive = {receive, sizeof(receive)}};
    esp_https_ota_handle_t handle = NULL;
    web_use_new_transport(&f->config, &f->web);
    assert_int_equal(otter_https_ota_begin(&f->rig.device, &f->config.ota, &options, &handle),
                     ESP_ERR_INVALID_ARG);
    assert_null(handle);
    assert_string_equal(f->rig.device.report.fault.why, "a receive buffer of 1023 bytes; the least is 1024");
    assert_int_equal(f->web.connects, 0);
    otter_transport_t *unused = (otter_transport_t *)(void *)f->config.http.transport;
    unused->ops->destroy(unused);
}

#define HTTPS_TEST(name) cmocka_unit_test_setup_teardown(name, https_set_up, update_rig_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SESSION_TEST(a_good_image_is_taken_through_any_buffer),
        SESSION_TEST(a_damaged_image_is_refused_through_any_buffer),
        SESSION_TEST(what_is_refused_says_why),
        SESSION_TEST(an_update_that_is_not_open_is_found_nowhere),
        SESSION_TEST(an_interrupted_update_goes_on),
        SESSION_TEST(a_large_write_unit_is_refused_before_anything_is_erased),
        HTTPS_TEST(a_download_uses_the_memory_and_the_context_it_was_given),
        HTTPS_TEST(who_follows_a_download_can_give_it_up),
        HTTPS_TEST(a_receive_buffer_that_is_too_small_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
