/* The update session call by call: every result of begin, write, end and the otadata calls, and what they leave behind. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "otter/image.h"
#include "support/session_rig.h"

#define BAD_HANDLE 0x5EED5EEDu

static esp_ota_handle_t begin(session_rig_t *f, const esp_partition_t *p, size_t size)
{
    esp_ota_handle_t handle = 0;
    assert_int_equal(ota_begin(f->device, p, size, &handle), ESP_OK);
    assert_int_not_equal(handle, 0);
    return handle;
}

/** Writes a whole image into a slot in chunks. @return what ota_end says */
static esp_err_t install(session_rig_t *f, const esp_partition_t *p, const char *file, size_t size,
                         uint32_t chunk)
{
    uint32_t len;
    uint8_t *bytes = rig_load("image", file, &len);
    esp_ota_handle_t handle = begin(f, p, size);
    for (uint32_t at = 0; at < len; at += chunk) {
        assert_int_equal(ota_write(f->device, handle, bytes + at, len - at < chunk ? len - at : chunk),
                         ESP_OK);
    }
    free(bytes);
    return ota_end(f->device, handle);
}

/* ---- begin ---- */

static void begin_refuses_in_the_documented_order(void **state)
{
    session_rig_t *f = *state;
    otter_device_t *device = f->device;
    esp_ota_handle_t handle = BAD_HANDLE;
    esp_partition_t stranger = *f->slot[0];
    stranger.size += 0x1000;
    assert_int_equal(ota_begin(device, NULL, 0, &handle), ESP_ERR_INVALID_ARG);
    assert_int_equal(ota_begin(device, f->slot[0], 0, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(ota_begin(device, &stranger, 0, &handle), ESP_ERR_NOT_FOUND);
    assert_int_equal(ota_begin(device, f->factory, 0, &handle), ESP_ERR_INVALID_ARG);
    device->running = f->slot[0];
    assert_int_equal(ota_begin(device, f->slot[0], 0, &handle), ESP_ERR_OTA_PARTITION_CONFLICT);
    assert_int_equal(ota_begin(device, f->slot[1], f->slot[1]->size + 1, &handle), ESP_ERR_INVALID_SIZE);
    assert_int_equal(handle, BAD_HANDLE);
    assert_null(device->updates);
    assert_int_equal(f->rig.sim.ops, 0);
}

static void begin_erases_what_the_size_says(void **state)
{
    session_rig_t *f = *state;
    static const struct {
        size_t size;
        uint32_t sectors;
    } rows[] = {
        {1, 1},
        {4096, 1},
        {4097, 2},
        {0x100000, 256},
        {0, 256},
        {OTA_SIZE_UNKNOWN, 256},
        {OTA_WITH_SEQUENTIAL_WRITES, 0},
        {(size_t)(int)0xfffffffe, 0}, /* the constant through an int, as ESP-IDF 4 passes it */
        {(size_t)(int)0xffffffff, 256},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint32_t before = f->rig.sim.ops;
        esp_ota_handle_t handle = begin(f, f->slot[0], rows[i].size);
        assert_int_equal(f->rig.sim.ops - before, rows[i].sectors);
        assert_int_equal(ota_abort(f->device, handle), ESP_OK);
    }
}

static void begin_takes_no_size_for_another_whose_low_bits_it_has(void **state)
{
    session_rig_t *f = *state;
    static const uint64_t sizes[] = {0x100000000, 0x100000001,    0x1fffffffe,
                                     0x1ffffffff, UINT64_MAX - 2, 0x100001};
    esp_ota_handle_t handle = BAD_HANDLE;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        if (sizes[i] <= SIZE_MAX) {
            assert_int_equal(ota_begin(f->device, f->slot[0], (size_t)sizes[i], &handle),
                             ESP_ERR_INVALID_SIZE);
        }
    }
    assert_int_equal(handle, BAD_HANDLE);
    assert_null(f->device->updates);
    assert_int_equal(f->rig.sim.ops, 0);
}

static void begin_twice_on_a_slot_is_refused_and_on_two_slots_is_not(void **state)
{
    session_rig_t *f = *state;
    esp_ota_handle_t first = begin(f, f->slot[0], OTA_WITH_SEQUENTIAL_WRITES), second = BAD_HANDLE;
    assert_int_equal(ota_write(f->device, first, "\xE9", 1), ESP_OK);
    assert_int_equal(ota_begin(f->device, f->slot[0], OTA_WITH_SEQUENTIAL_WRITES, &second),
                     ESP_ERR_OTA_ALREADY_IN_PROGRESS);
    assert_int_equal(ota_resume(f->device, f->slot[0], 0, 0, &second), ESP_ERR_OTA_ALREADY_IN_PROGRESS);
    assert_int_equal(second, BAD_HANDLE);
    second = begin(f, f->slot[1], OTA_WITH_SEQUENTIAL_WRITES);
    assert_int_not_equal(first, second);
    assert_int_equal(ota_abort(f->device, first), ESP_OK);
    first = begin(f, f->slot[0], OTA_WITH_SEQUENTIAL_WRITES);
    assert_int_not_equal(first, second);
}

static void an_update_that_has_written_nothing_gives_way_to_the_next(void **state)
{
    session_rig_t *f = *state;
    static const struct {
        const char *name;
        size_t first_size, second_size;
        bool resumes;      /* the second goes on where another run was */
        const char *write; /* to the first: refused, and nothing is written */
    } rows[] = {
        {"erased as it goes", OTA_WITH_SEQUENTIAL_WRITES, OTA_WITH_SEQUENTIAL_WRITES, false, NULL},
        {"erased at once", OTA_SIZE_UNKNOWN, 100000, false, NULL},
        {"gone on with", OTA_WITH_SEQUENTIAL_WRITES, OTA_WITH_SEQUENTIAL_WRITES, true, NULL},
        {"after no image was sent to it", OTA_WITH_SEQUENTIAL_WRITES, OTA_WITH_SEQUENTIAL_WRITES, false,
         "<html>"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        print_message("%s\n", rows[i].name);
        esp_ota_handle_t first = begin(f, f->slot[0], rows[i].first_size), second = BAD_HANDLE;
        if (rows[i].write != NULL) {
            assert_int_equal(ota_write(f->device, first, rows[i].write, 6), ESP_ERR_OTA_VALIDATE_FAILED);
        }
        assert_int_equal(rows[i].resumes
                             ? ota_resume(f->device, f->slot[0], rows[i].second_size, 4096, &second)
                             : ota_begin(f->device, f->slot[0], rows[i].second_size, &second),
                         ESP_OK);
        assert_int_not_equal(first, second);
        assert_int_equal(ota_end(f->device, first), ESP_ERR_NOT_FOUND);
        assert_int_equal(ota_abort(f->device, first), ESP_ERR_NOT_FOUND);
        assert_int_equal(ota_set_final_partition(f->device, first, f->slot[0], false), ESP_ERR_NOT_FOUND);
        assert_int_equal(ota_write(f->device, first, "\xE9", 1), ESP_ERR_NOT_FOUND);
        assert_int_equal(ota_write_with_offset(f->device, first, "\xE9", 1, 0), ESP_ERR_NOT_FOUND);
        assert_int_equal(ota_abort(f->device, second), ESP_OK);
        assert_int_equal(ota_write(f->device, second, "\xE9", 1), ESP_ERR_INVALID_ARG); /* as in ESP-IDF */
        assert_null(f->device->updates);
    }
}

/** What is refused for its arguments changes nothing, and what is to be copied into the slot does not give way. */
static void an_update_gives_way_only_to_one_that_can_begin(void **state)
{
    session_rig_t *f = *state;
    esp_ota_handle_t first = begin(f, f->slot[0], OTA_WITH_SEQUENTIAL_WRITES), second = BAD_HANDLE;
    assert_int_equal(ota_begin(f->device, f->slot[0], (size_t)f->slot[0]->size + 1, &second),
                     ESP_ERR_INVALID_SIZE);
    assert_int_equal(ota_set_final_partition(f->device, first, f->slot[1], true), ESP_OK);
    assert_int_equal(ota_begin(f->device, f->slot[1], OTA_WITH_SEQUENTIAL_WRITES, &second),
                     ESP_ERR_OTA_ALREADY_IN_PROGRESS);
    assert_int_equal(ota_abort(f->device, first), ESP_OK);
}

static void begin_that_fails_in_flash_leaves_nothing_behind(void **state)
{
    session_rig_t *f = *state;
    esp_ota_handle_t handle = BAD_HANDLE;
    f->rig.sim.cut_at = 3;
    assert_int_equal(ota_begin(f->device, f->slot[0], 0, &handle), ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(handle, BAD_HANDLE);
    assert_null(f->device->updates);
    sim_flash_power_on(&f->rig.sim);
    begin(f, f->slot[0], 0);
}

static void begin_refuses_while_the_running_app_is_on_trial(void **state)
{
    session_rig_t *f = *state; /* with rollback */
    esp_ota_handle_t handle = BAD_HANDLE;
    f->device->running = f->slot[0];
    rig_put_record(&f->rig, 0, 1, ESP_OTA_IMG_PENDING_VERIFY);
    assert_int_equal(ota_begin(f->device, f->slot[1], 0, &handle), ESP_ERR_OTA_ROLLBACK_INVALID_STATE);
    assert_int_equal(ota_resume(f->device, f->slot[1], 0, 0, &handle), ESP_ERR_OTA_ROLLBACK_INVALID_STATE);
    assert_int_equal(otter_ota_mark_app_valid_cancel_rollback(f->device, NULL), ESP_OK);
    begin(f, f->slot[1], 0);
}

static void begin_with_rollback_forgets_the_application_before(void **state)
{
    session_rig_t *f = *state; /* with rollback */
    f->device->running = f->slot[1];
    rig_put_record(&f->rig, 0, 1, ESP_OTA_IMG_VALID);
    rig_put_record(&f->rig, 1, 2, ESP_OTA_IMG_VALID);
    begin(f, f->slot[0], OTA_WITH_SEQUENTIAL_WRITES);
    assert_int_equal(rig_get_record(&f->rig, 0).seq, OTADATA_SEQ_ERASED);
    assert_int_equal(rig_get_record(&f->rig, 1).seq, 2);
}

static void begin_takes_a_selected_slot_out_of_use(void **state)
{
    session_rig_t *f = *state;
    f->device->running = f->slot[0];
    rig_put_record(&f->rig, 0, 1, ESP_OTA_IMG_VALID);
    rig_put_record(&f->rig, 1, 2, ESP_OTA_IMG_UNDEFINED);
    begin(f, f->slot[1], OTA_WITH_SEQUENTIAL_WRITES);
    assert_int_equal(rig_get_record(&f->rig, 0).seq, 1);
    assert_int_equal(rig_get_record(&f->rig, 1).seq, OTADATA_SEQ_ERASED);
    assert_ptr_equal(otter_ota_get_boot_partition(f->device), f->slot[0]);
}

static void begin_refuses_a_read_only_partition(void **state)
{
    session_rig_t *f = *state;
    esp_ota_handle_t handle = BAD_HANDLE;
    ((esp_partition_t *)f->slot[0])->readonly = true; /* the fixture's own list */
    assert_int_equal(ota_begin(f->device, f->slot[0], OTA_WITH_SEQUENTIAL_WRITES, &handle),
                     ESP_ERR_NOT_ALLOWED);
    assert_null(f->device->updates);
}

/* ---- handles ---- */

static void zero_stale_and_unknown_handles_are_refused(void **state)
{
    session_rig_t *f = *state;
    otter_device_t *device = f->device;
    esp_ota_handle_t stale = begin(f, f->slot[0], OTA_WITH_SEQUENTIAL_WRITES);
    assert_int_equal(ota_abort(device, stale), ESP_OK);
    const esp_ota_handle_t handles[] = {0, stale, BAD_HANDLE, UINT32_MAX};
    for (size_t i = 0; i < sizeof(handles) / sizeof(handles[0]); i++) {
        assert_int_equal(ota_write(device, handles[i], f->image, 4), ESP_ERR_INVALID_ARG);
        assert_int_equal(ota_write_with_offset(device, handles[i], f->image, 4, 0), ESP_ERR_INVALID_ARG);
        assert_int_equal(ota_end(device, handles[i]), ESP_ERR_NOT_FOUND);
        assert_int_equal(ota_abort(device, handles[i]), ESP_ERR_NOT_FOUND);
        assert_int_equal(ota_set_final_partition(device, handles[i], f->slot[1], false), ESP_ERR_NOT_FOUND);
    }
}

static void handle_numbers_wrap_past_zero_and_past_open_ones(void **state)
{
    session_rig_t *f = *state;
    esp_ota_handle_t open = begin(f, f->slot[0], OTA_WITH_SEQUENTIAL_WRITES);
    assert_int_equal(open, 1);
    f->device->last_update_handle = UINT32_MAX;
    assert_int_equal(begin(f, f->slot[1], OTA_WITH_SEQUENTIAL_WRITES), 2);
}

static void dropping_the_device_frees_open_updates(void **state)
{
    session_rig_t *f = *state;
    esp_ota_handle_t handle = begin(f, f->slot[0], OTA_WITH_SEQUENTIAL_WRITES);
    assert_int_equal(ota_write(f->device, handle, f->image, f->image_len), ESP_OK);
    begin(f, f->slot[1], OTA_WITH_SEQUENTIAL_WRITES);
    otter_device_deinit(f->device); /* the sanitizer sees what is left */
    assert_null(f->device->updates);
}

/* ---- write ---- */

static void write_refuses_what_it_documents(void **state)
{
    session_rig_t *f = *state;
    otter_device_t *device = f->device;
    f->rig.sim.bytes[f->slot[0]->address] = 0x12;
    esp_ota_handle_t handle = begin(f, f->slot[0], OTA_WITH_SEQUENTIAL_WRITES);
    assert_int_equal(ota_write(device, handle, NULL, 4), ESP_ERR_INVALID_ARG);
    assert_int_equal(ota_write(device, BAD_HANDLE, f->image, 0), ESP_OK);
    assert_int_equal(ota_write(device, handle, "\xE8", 1), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_int_equal(f->rig.sim.bytes[f->slot[0]->address], 0x12); /* not even erased */
    assert_int_equal(ota_write(device, handle, f->image, f->image_len), ESP_OK);
    assert_int_equal(ota_end(device, handle), ESP_OK);
}

static void write_fills_a_slot_to_its_last_byte_and_no_further(void **state)
{
    session_rig_t *f = *state;
    otter_device_t *device = f->device;
    uint32_t size = f->slot[0]->size;
    uint8_t *bytes = malloc((size_t)size + 1);
    assert_non_null(bytes);
    memset(bytes, 0x5A, (size_t)size + 1);
    memcpy(bytes, f->image, f->image_len); /* what follows an image does not matter */
    f->rig.fenced = true;
    f->rig.fence_slot = f->slot[0];
    esp_ota_handle_t handle = begin(f, f->slot[0], OTA_WITH_SEQUENTIAL_WRITES);
    assert_int_equal(ota_write(device, handle, bytes, (size_t)size + 1), ESP_ERR_INVALID_SIZE);
    assert_int_equal(f->rig.sim.ops, 0);
    assert_int_equal(ota_write(device, handle, bytes, size), ESP_OK);
    assert_int_equal(ota_write(device, handle, bytes, 1), ESP_ERR_INVALID_SIZE);
    assert_int_equal(ota_write(device, handle, bytes, SIZE_MAX), ESP_ERR_INVALID_SIZE);
    assert_memory_equal(f->rig.sim.bytes + f->slot[0]->address, bytes, size);
    assert_int_equal(ota_end(device, handle), ESP_OK);
    free(bytes);
}

static void sequential_writes_erase_each_sector_once_and_only_what_they_reach(void **state)
{
    session_rig_t *f = *state;
    static const uint32_t chunks[] = {1, 7, 1000, 4095, 4096, 4097, 65536, 70000};
    uint32_t counts[RIG_FLASH_SIZE / 4096];
    for (size_t i = 0; i < sizeof(chunks) / sizeof(chunks[0]); i++) {
        memset(f->rig.sim.bytes + f->slot[0]->address, 0, f->slot[0]->size);
        memset(counts, 0, sizeof(counts));
        f->rig.sim.erase_counts = counts;
        assert_int_equal(
            install(f, f->slot[0], "esp32_drom_irom_64k.bin", OTA_WITH_SEQUENTIAL_WRITES, chunks[i]), ESP_OK);
        f->rig.sim.erase_counts = NULL;
        for (uint32_t sector = 0; sector < RIG_FLASH_SIZE / 4096; sector++) {
            uint32_t first = f->slot[0]->address / 4096;
            bool reached = sector >= first && sector < first + (66384 + 4095) / 4096;
            assert_int_equal(counts[sector], reached);
        }
    }
}

static void a_write_that_failed_can_be_repeated(void **state)
{
    session_rig_t *f = *state;
    otter_device_t *device = f->device;
    uint32_t len;
    uint8_t *bytes = rig_load("image", "esp32_drom_irom_64k.bin", &len);
    esp_ota_handle_t handle = begin(f, f->slot[0], OTA_WITH_SEQUENTIAL_WRITES);
    assert_int_equal(ota_write(device, handle, bytes, 1000), ESP_OK);
    f->rig.sim.cut_at = f->rig.sim.ops + 17; /* in the second piece of a long write */
    f->rig.sim.tear = SIM_TEAR_PREFIX;
    assert_int_equal(ota_write(device, handle, bytes + 1000, len - 1000), ESP_ERR_FLASH_OP_FAIL);
    sim_flash_power_on(&f->rig.sim);
    assert_int_equal(ota_write(device, handle, bytes + 1000, len - 1000), ESP_OK);
    assert_int_equal(ota_end(device, handle), ESP_OK);
    assert_memory_equal(f->rig.sim.bytes + f->slot[0]->address, bytes, len);
    free(bytes);
}

static void flash_with_a_write_unit_takes_any_chunking(void **state)
{
    session_rig_t *f = *state;
    static const uint32_t chunks[] = {1, 3, 16, 17, 1000, 4095, 70001};
    uint32_t len;
    uint8_t *bytes = rig_load("image", "trailing_garbage_ok.bin", &len); /* 1561 bytes: not a multiple */
    f->rig.flash.write_size = 16;
    for (size_t i = 0; i < sizeof(chunks) / sizeof(chunks[0]); i++) {
        assert_int_equal(
            install(f, f->slot[0], "trailing_garbage_ok.bin", OTA_WITH_SEQUENTIAL_WRITES, chunks[i]), ESP_OK);
        assert_memory_equal(f->rig.sim.bytes + f->slot[0]->address, bytes, len);
        assert_true(rig_is_erased(&f->rig, f->slot[0]->address + len, 15));
        assert_int_equal(install(f, f->slot[0], "esp32_drom_irom_64k.bin", 66384, chunks[i]), ESP_OK);
    }
    esp_ota_handle_t handle;
    assert_int_equal(ota_resume(f->device, f->slot[0], OTA_WITH_SEQUENTIAL_WRITES, 8, &handle),
                     ESP_ERR_INVALID_ARG);
    handle = begin(f, f->slot[0], OTA_WITH_SEQUENTIAL_WRITES);
    assert_int_equal(ota_write(f->device, handle, bytes, 1), ESP_OK);
    f->rig.sim.cut_at = f->rig.sim.ops;
    assert_int_equal(ota_end(f->device, handle), ESP_ERR_INVALID_STATE);
    assert_null(f->device->updates);
    free(bytes);
}

static void writes_at_offsets_are_checked_and_judged_from_flash(void **state)
{
    session_rig_t *f = *state;
    otter_device_t *device = f->device;
    esp_ota_handle_t handle = begin(f, f->slot[0], OTA_WITH_SEQUENTIAL_WRITES);
    assert_int_equal(ota_write_with_offset(device, handle, f->image, 4, 0), ESP_ERR_INVALID_STATE);
    assert_int_equal(ota_abort(device, handle), ESP_OK);

    uint32_t size = f->slot[0]->size, half = f->image_len / 2;
    handle = begin(f, f->slot[0], 0);
    assert_int_equal(ota_write_with_offset(device, handle, NULL, 4, 0), ESP_ERR_INVALID_ARG);
    assert_int_equal(ota_write_with_offset(device, handle, f->image, 4, size - 3), ESP_ERR_INVALID_SIZE);
    assert_int_equal(ota_write_with_offset(device, handle, f->image, 4, UINT32_MAX), ESP_ERR_INVALID_SIZE);
    assert_int_equal(ota_write_with_offset(device, handle, f->image, SIZE_MAX, 0), ESP_ERR_INVALID_SIZE);
    assert_int_equal(ota_write_with_offset(device, handle, f->image + half, f->image_len - half, half),
                     ESP_OK);
    assert_int_equal(ota_write_with_offset(device, handle, f->image, half, 0), ESP_OK);
    assert_int_equal(ota_end(device, handle), ESP_OK);
}

/* ---- end ---- */

static void end_tells_the_verdict_and_frees_the_handle(void **state)
{
    session_rig_t *f = *state;
    static const struct {
        const char *file;
        esp_err_t want;
    } rows[] = {
        {"esp32_valid.bin", ESP_OK},
        {"esp32_nohash.bin", ESP_OK},
        {"trailing_garbage_ok.bin", ESP_OK},
        {"bad_checksum.bin", ESP_ERR_OTA_VALIDATE_FAILED},
        {"bad_hash.bin", ESP_ERR_OTA_VALIDATE_FAILED},
        {"bad_data_xor_neutral.bin", ESP_ERR_OTA_VALIDATE_FAILED},
        {"wrong_chip.bin", ESP_ERR_OTA_VALIDATE_FAILED},
        {"min_rev_301.bin", ESP_ERR_OTA_VALIDATE_FAILED},
        {"max_rev_299.bin", ESP_ERR_OTA_VALIDATE_FAILED},
        {"segments_17.bin", ESP_ERR_OTA_VALIDATE_FAILED},
        {"trunc_10.bin", ESP_ERR_OTA_VALIDATE_FAILED},
        {"trunc_mid_segment.bin", ESP_ERR_OTA_VALIDATE_FAILED},
        {"trunc_mid_hash.bin", ESP_ERR_OTA_VALIDATE_FAILED},
        {"bad_ram_addr.bin", ESP_ERR_OTA_VALIDATE_FAILED}, /* no bootloader would load it */
    };
    static const size_t sizes[] = {0, OTA_WITH_SEQUENTIAL_WRITES};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (uint32_t chunk = 1; chunk < 2000; chunk = chunk * 3 + 1) {
            memset(f->rig.sim.bytes + f->slot[0]->address, 0xFF, 0x2000);
            esp_err_t err = install(f, f->slot[0], rows[i].file, sizes[chunk & 1], chunk);
            if (err != rows[i].want) {
                fail_msg("%s in chunks of %u: 0x%x", rows[i].file, chunk, err);
            }
            assert_null(f->device->updates);
            assert_int_equal(f->device->fault.why[0] == '\0', err == ESP_OK);
        }
    }
}

static void end_without_a_byte_is_an_error_that_frees_the_handle(void **state)
{
    session_rig_t *f = *state;
    esp_ota_handle_t handle = begin(f, f->slot[0], 0);
    assert_int_equal(ota_end(f->device, handle), ESP_ERR_INVALID_ARG);
    assert_int_equal(ota_end(f->device, handle), ESP_ERR_NOT_FOUND);
}

static void end_judges_what_is_in_flash_not_what_was_sent(void **state)
{
    session_rig_t *f = *state;
    esp_ota_handle_t handle = begin(f, f->slot[0], OTA_WITH_SEQUENTIAL_WRITES);
    assert_int_equal(ota_write(f->device, handle, f->image, f->image_len), ESP_OK);
    f->rig.sim.bytes[f->slot[0]->address + 400] ^= 0x10; /* a bit that did not take */
    assert_int_equal(ota_end(f->device, handle), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_int_equal(otter_ota_set_boot_partition(f->device, f->slot[0], NULL), ESP_ERR_OTA_VALIDATE_FAILED);
}

static void end_reads_each_byte_once_and_set_boot_the_headers(void **state)
{
    session_rig_t *f = *state;
    uint32_t len = 66384;
    uint64_t before = f->rig.flash.stats.bytes_read;
    assert_int_equal(install(f, f->slot[0], "esp32_drom_irom_64k.bin", OTA_WITH_SEQUENTIAL_WRITES, 1024),
                     ESP_OK);
    uint64_t read = f->rig.flash.stats.bytes_read - before;
    assert_true(read >= len && read < len + 2 * 0x10000);
    before = f->rig.flash.stats.bytes_read;
    assert_int_equal(otter_ota_set_boot_partition(f->device, f->slot[0], NULL), ESP_OK);
    assert_true(f->rig.flash.stats.bytes_read - before < 1024);
}

static void failing_reads_while_writing_are_told_at_the_end(void **state)
{
    session_rig_t *f = *state;
    esp_ota_handle_t handle = begin(f, f->slot[0], OTA_WITH_SEQUENTIAL_WRITES);
    f->rig.sim.fail_read_at = f->rig.sim.reads;
    assert_int_equal(ota_write(f->device, handle, f->image, f->image_len), ESP_OK);
    assert_int_equal(ota_end(f->device, handle), ESP_ERR_OTA_VALIDATE_FAILED);
    f->rig.sim.fail_read_at = UINT32_MAX;
    assert_null(f->device->updates);
}

/* ---- resume and final ---- */

static void resume_goes_on_where_the_last_run_stopped(void **state)
{
    session_rig_t *f = *state;
    otter_device_t *device = f->device;
    uint32_t len;
    uint8_t *bytes = rig_load("image", "esp32_drom_irom_64k.bin", &len);
    static const uint32_t stops[] = {1, 4096, 5000, 65536, 66383};
    for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++) {
        uint32_t stop = stops[i];
        esp_ota_handle_t handle = begin(f, f->slot[0], OTA_WITH_SEQUENTIAL_WRITES);
        assert_int_equal(ota_write(device, handle, bytes, stop), ESP_OK);
        assert_int_equal(ota_abort(device, handle), ESP_OK);
        assert_int_equal(ota_resume(device, f->slot[0], OTA_WITH_SEQUENTIAL_WRITES, stop, &handle), ESP_OK);
        for (uint32_t at = stop; at < len; at += 900) {
            assert_int_equal(ota_write(device, handle, bytes + at, len - at < 900 ? len - at : 900), ESP_OK);
        }
        assert_int_equal(ota_end(device, handle), ESP_OK);
    }
    free(bytes);
}

static void resume_refuses_what_it_documents(void **state)
{
    session_rig_t *f = *state;
    otter_device_t *device = f->device;
    esp_ota_handle_t handle = BAD_HANDLE;
    esp_partition_t stranger = *f->slot[0];
    stranger.address += 0x1000;
    assert_int_equal(ota_resume(device, NULL, 0, 0, &handle), ESP_ERR_INVALID_ARG);
    assert_int_equal(ota_resume(device, f->slot[0], 0, 0, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(ota_resume(device, f->slot[0], 0, (size_t)f->slot[0]->size + 1, &handle),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(ota_resume(device, &stranger, 0, 0, &handle), ESP_ERR_NOT_FOUND);
    assert_int_equal(ota_resume(device, f->factory, 0, 0, &handle), ESP_ERR_INVALID_ARG);
    assert_int_equal(ota_resume(device, f->otadata, 0, 0, &handle), ESP_ERR_INVALID_ARG);
    device->running = f->slot[0];
    assert_int_equal(ota_resume(device, f->slot[0], 0, 0, &handle), ESP_ERR_OTA_PARTITION_CONFLICT);
    assert_int_equal(handle, BAD_HANDLE);
    assert_null(device->updates);
}

static void final_partition_decides_how_bytes_are_judged_and_where_they_go(void **state)
{
    session_rig_t *f = *state;
    otter_device_t *device = f->device;
    esp_ota_handle_t handle = begin(f, f->slot[1], 0);
    esp_partition_t stranger = *f->slot[0];
    stranger.type = ESP_PARTITION_TYPE_DATA;
    assert_int_equal(ota_set_final_partition(device, handle, NULL, false), ESP_ERR_INVALID_ARG);
    assert_int_equal(ota_set_final_partition(device, handle, &stranger, false), ESP_ERR_NOT_FOUND);
    assert_int_equal(ota_set_final_partition(device, handle, f->slot[1], true), ESP_OK);
    assert_int_equal(ota_set_final_partition(device, handle, f->factory, true),
                     ESP_ERR_OTA_PARTITION_CONFLICT);
    assert_int_equal(ota_set_final_partition(device, handle, f->slot[0], true), ESP_OK);
    assert_int_equal(ota_write(device, handle, f->image, f->image_len), ESP_OK);
    assert_int_equal(ota_set_final_partition(device, handle, f->slot[0], true), ESP_ERR_INVALID_STATE);
    assert_int_equal(ota_end(device, handle), ESP_OK);
    assert_memory_equal(f->rig.sim.bytes + f->slot[0]->address, f->image, f->image_len);
}

static void data_is_not_judged(void **state)
{
    session_rig_t *f = *state;
    otter_device_t *device = f->device;
    const esp_partition_t *nvs = &device->partitions.items[0];
    assert_int_equal(nvs->type, ESP_PARTITION_TYPE_DATA);
    esp_ota_handle_t handle = begin(f, f->slot[1], 0);
    assert_int_equal(ota_set_final_partition(device, handle, nvs, true), ESP_OK);
    assert_int_equal(ota_write(device, handle, "hello", 5), ESP_OK);
    assert_int_equal(ota_end(device, handle), ESP_OK);
    assert_memory_equal(f->rig.sim.bytes + nvs->address, "hello", 5);
}

/* ---- selecting and asking ---- */

/** What was found good by other rules than the bootloader's for an app is no reason to select it. */
static void set_boot_judges_what_other_rules_have_accepted(void **state)
{
    static const struct {
        const char *image;
        bool as_bootloader; /* judged by a session whose final partition is one; else by esp_image_verify() */
        const char *why;
    } rows[] = {
        {"bad_data_xor_neutral.bin", true, "SHA-256"},
        {"bad_ram_addr.bin", false, "segment "},
    };
    session_rig_t *f = *state;
    esp_partition_t *bootloader = &f->device->partitions.items[0];
    bootloader->type = ESP_PARTITION_TYPE_BOOTLOADER;
    bootloader->subtype = ESP_PARTITION_SUBTYPE_BOOTLOADER_OTA;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint32_t len;
        uint8_t *image = rig_load("image", rows[i].image, &len);
        esp_ota_handle_t handle = begin(f, f->slot[0], 0);
        if (rows[i].as_bootloader) {
            assert_int_equal(ota_set_final_partition(f->device, handle, bootloader, false), ESP_OK);
        }
        assert_int_equal(ota_write(f->device, handle, image, len), ESP_OK);
        assert_int_equal(ota_end(f->device, handle),
                         rows[i].as_bootloader ? ESP_OK : ESP_ERR_OTA_VALIDATE_FAILED);
        const otter_image_rules_t rules = {
            .chip = &f->device->chip, .flash_offset = f->slot[0]->address, .size = f->slot[0]->size};
        assert_int_equal(otter_image_verify(f->device->flash, &rules, NULL, NULL),
                         rows[i].as_bootloader ? ESP_ERR_IMAGE_INVALID : ESP_OK);
        otter_fault_t fault = {0};
        assert_int_equal(otter_ota_set_boot_partition(f->device, f->slot[0], &fault),
                         ESP_ERR_OTA_VALIDATE_FAILED);
        assert_non_null(strstr(fault.why, rows[i].why));
        free(image);
    }
}

static void set_boot_refuses_what_it_documents(void **state)
{
    session_rig_t *f = *state;
    otter_device_t *device = f->device;
    assert_int_equal(otter_ota_set_boot_partition(device, NULL, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(otter_ota_set_boot_partition(device, f->slot[0], NULL), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_int_equal(otter_ota_set_boot_partition(device, f->otadata, NULL), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_int_equal(otter_ota_set_boot_partition(device, f->factory, NULL), ESP_OK);
    assert_int_equal(f->rig.sim.ops, 0); /* factory is selected already */
}

static void a_record_changes_between_barriers(void **state)
{
    session_rig_t *f = *state;
    static const char *const want[] = {
        "sync", "program 0xd01c:00000000",
        "sync", "erase 0xd000+0x1000",
        "sync", "program 0xd000:01000000ffffffffffffffffffffffffffffffffffffffffffffffff9a984347",
        "sync"};
    assert_int_equal(install(f, f->slot[0], "esp32_valid.bin", OTA_WITH_SEQUENTIAL_WRITES, 4096), ESP_OK);
    f->rig.ops.sync = rig_sync;
    f->rig.untraced = false;
    assert_int_equal(otter_ota_set_boot_partition(f->device, f->slot[0], NULL), ESP_OK);
    assert_int_equal(f->rig.trace_count, 7);
    for (uint32_t i = 0; i < 7; i++) {
        assert_string_equal(f->rig.trace[i], want[i]);
    }
}

static void set_boot_refuses_the_test_app(void **state)
{
    (void)state;
    rig_t rig;
    rig_open(&rig, "three_ota_test_md5", &(otter_device_config_t){.rollback = false});
    const esp_partition_t *test = rig_named(&rig, "t");
    rig_place(&rig, test->address, "image", "esp32_valid.bin");
    assert_int_equal(otter_ota_set_boot_partition(&rig.device, test, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(rig.sim.ops, 0);
    assert_int_equal(otter_ota_get_app_partition_count(&rig.device), 3);
    rig_close(&rig);
}

static void set_boot_of_a_slot_behind_a_gap_is_refused(void **state)
{
    (void)state;
    rig_t rig;
    rig_open(&rig, "odd_gap_slots_0_2", &(otter_device_config_t){.rollback = false});
    const esp_partition_t *slot = rig_named(&rig, "2");
    rig_place(&rig, slot->address, "image", "esp32_valid.bin");
    assert_int_equal(otter_ota_get_app_partition_count(&rig.device), 1);
    assert_int_equal(otter_ota_set_boot_partition(&rig.device, slot, NULL), ESP_ERR_INVALID_ARG);
    rig_close(&rig);
}

static void a_device_without_otadata_says_not_found(void **state)
{
    session_rig_t *f = *state;
    otter_device_t *device = f->device;
    rig_place(&f->rig, f->slot[0]->address, "image", "esp32_valid.bin");
    ((esp_partition_t *)f->otadata)->subtype = ESP_PARTITION_SUBTYPE_DATA_FAT; /* the fixture's own list */
    esp_ota_img_states_t ota_state;
    assert_int_equal(otter_ota_set_boot_partition(device, f->slot[0], NULL), ESP_ERR_NOT_FOUND);
    assert_int_equal(otter_ota_set_boot_partition(device, f->factory, NULL), ESP_ERR_NOT_FOUND);
    assert_null(otter_ota_get_boot_partition(device));
    assert_null(otter_ota_get_last_invalid_partition(device));
    assert_int_equal(otter_ota_get_state_partition(device, f->slot[0], &ota_state), ESP_ERR_NOT_FOUND);
    assert_int_equal(otter_ota_mark_app_valid_cancel_rollback(device, NULL), ESP_ERR_NOT_FOUND);
    assert_int_equal(otter_ota_mark_app_invalid_rollback(device, NULL), ESP_ERR_NOT_FOUND);
    assert_int_equal(otter_ota_erase_last_boot_app_partition(device), ESP_FAIL);
    assert_int_equal(otter_ota_invalidate_inactive_ota_data_slot(device), ESP_FAIL);
    assert_false(otter_ota_check_rollback_is_possible(device));
}

static void next_update_partition_goes_around_the_slots(void **state)
{
    session_rig_t *f = *state;
    otter_device_t *device = f->device;
    esp_partition_t stranger = *f->slot[0];
    stranger.size = 1;
    assert_ptr_equal(otter_ota_get_next_update_partition(device, NULL), f->slot[0]);
    assert_ptr_equal(otter_ota_get_next_update_partition(device, f->factory), f->slot[0]);
    assert_ptr_equal(otter_ota_get_next_update_partition(device, f->slot[0]), f->slot[1]);
    assert_ptr_equal(otter_ota_get_next_update_partition(device, f->slot[1]), f->slot[0]);
    assert_null(otter_ota_get_next_update_partition(device, &stranger));
    device->running = f->slot[0];
    assert_ptr_equal(otter_ota_get_next_update_partition(device, NULL), f->slot[1]);
}

static void descriptions_say_what_is_there(void **state)
{
    session_rig_t *f = *state;
    otter_device_t *device = f->device;
    esp_app_desc_t desc;
    assert_int_equal(otter_ota_get_partition_description(device, NULL, &desc), ESP_ERR_INVALID_ARG);
    assert_int_equal(otter_ota_get_partition_description(device, f->factory, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(otter_ota_get_partition_description(device, f->otadata, &desc), ESP_ERR_NOT_SUPPORTED);
    assert_int_equal(otter_ota_get_partition_description(device, f->slot[0], &desc), ESP_ERR_NOT_FOUND);
    assert_int_equal(desc.magic_word, UINT32_MAX);
    rig_place(&f->rig, f->slot[0]->address, "image", "esp32_v120_sec3.bin");
    assert_int_equal(otter_ota_get_partition_description(device, f->slot[0], &desc), ESP_OK);
    assert_string_equal(desc.version, "1.2.0");
    assert_int_equal(desc.secure_version, 3);

    esp_bootloader_desc_t boot;
    assert_int_equal(otter_ota_get_bootloader_description(device, NULL, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(otter_ota_get_bootloader_description(device, NULL, &boot), ESP_ERR_NOT_FOUND);
    rig_place(&f->rig, 0x1000, "image", "esp32c3_bootloader.bin"); /* where an ESP32's lies */
    assert_int_equal(otter_ota_get_bootloader_description(device, NULL, &boot), ESP_OK);
    assert_int_equal(boot.version, 1);
    assert_int_equal(otter_ota_get_bootloader_description(device, f->slot[0], &boot), ESP_ERR_NOT_FOUND);
}

static void state_is_of_slots_and_of_the_active_record_first(void **state)
{
    session_rig_t *f = *state;
    otter_device_t *device = f->device;
    esp_ota_img_states_t found;
    assert_int_equal(otter_ota_get_state_partition(device, NULL, &found), ESP_ERR_INVALID_ARG);
    assert_int_equal(otter_ota_get_state_partition(device, f->slot[0], NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(otter_ota_get_state_partition(device, f->factory, &found), ESP_ERR_NOT_SUPPORTED);
    assert_int_equal(otter_ota_get_state_partition(device, f->slot[0], &found), ESP_ERR_NOT_FOUND);
    rig_put_record(&f->rig, 0, 1, ESP_OTA_IMG_ABORTED);
    assert_int_equal(otter_ota_get_state_partition(device, f->slot[0], &found), ESP_OK);
    assert_int_equal(found, ESP_OTA_IMG_ABORTED);
    rig_put_record(&f->rig, 1, 3, ESP_OTA_IMG_VALID);
    assert_int_equal(otter_ota_get_state_partition(device, f->slot[0], &found), ESP_OK);
    assert_int_equal(found, ESP_OTA_IMG_VALID);
    assert_int_equal(otter_ota_get_state_partition(device, f->slot[1], &found), ESP_ERR_NOT_FOUND);
}

/* ---- confirming and rejecting ---- */

static void factory_can_neither_be_confirmed_nor_rejected(void **state)
{
    session_rig_t *f = *state;
    assert_int_equal(otter_ota_mark_app_valid_cancel_rollback(f->device, NULL), ESP_FAIL);
    assert_int_equal(otter_ota_mark_app_invalid_rollback(f->device, NULL), ESP_FAIL);
    assert_false(otter_ota_check_rollback_is_possible(f->device));
}

static void rejecting_needs_something_to_go_back_to(void **state)
{
    session_rig_t *f = *state;
    rig_put_record(&f->rig, 0, 1, ESP_OTA_IMG_PENDING_VERIFY);
    assert_true(otter_ota_check_rollback_is_possible(f->device)); /* factory */
    f->rig.sim.bytes[f->factory->address] = 0;
    f->rig.device.verified = 0; /* the test reached around the flash */
    assert_int_equal(otter_ota_mark_app_invalid_rollback(f->device, NULL), ESP_ERR_OTA_ROLLBACK_FAILED);
    assert_int_equal(rig_get_record(&f->rig, 0).state, ESP_OTA_IMG_PENDING_VERIFY);
    rig_place(&f->rig, f->factory->address, "image", "esp32_valid.bin");
    assert_int_equal(otter_ota_mark_app_invalid_rollback(f->device, NULL), ESP_OK);
    assert_int_equal(rig_get_record(&f->rig, 0).state, ESP_OTA_IMG_INVALID);
    assert_ptr_equal(otter_ota_get_boot_partition(f->device), f->factory);
}

static void confirming_without_a_trial_erases_nothing(void **state)
{
    session_rig_t *f = *state;
    rig_put_record(&f->rig, 0, 1, ESP_OTA_IMG_UNDEFINED);
    f->rig.untraced = false;
    rig_clear(&f->rig);
    assert_int_equal(otter_ota_mark_app_valid_cancel_rollback(f->device, NULL), ESP_OK);
    assert_int_equal(f->rig.trace_count, 2);
    assert_string_equal(f->rig.trace[0], "program 0xd018:02");
    assert_string_equal(f->rig.trace[1], "program 0xd019:000000");
    assert_int_equal(rig_get_record(&f->rig, 0).seq, 1);
    assert_int_equal(rig_get_record(&f->rig, 0).state, ESP_OTA_IMG_VALID);
    assert_int_equal(otter_ota_mark_app_valid_cancel_rollback(f->device, NULL), ESP_OK);
    assert_int_equal(f->rig.trace_count, 2);
}

static void where_bytes_cannot_be_programmed_confirming_moves_the_only_record(void **state)
{
    session_rig_t *f = *state;
    f->rig.flash.write_size = 16;
    rig_put_record(&f->rig, 0, 1, ESP_OTA_IMG_UNDEFINED);
    assert_int_equal(otter_ota_mark_app_valid_cancel_rollback(f->device, NULL), ESP_OK);
    assert_int_equal(rig_get_record(&f->rig, 0).seq, OTADATA_SEQ_ERASED);
    assert_int_equal(rig_get_record(&f->rig, 1).seq, 3);
    assert_int_equal(rig_get_record(&f->rig, 1).state, ESP_OTA_IMG_VALID);
    uint32_t ops = f->rig.sim.ops;
    assert_int_equal(otter_ota_mark_app_valid_cancel_rollback(f->device, NULL), ESP_OK);
    assert_int_equal(f->rig.sim.ops, ops);
}

/** The erase of otadata works, the program after it fails, and power stays. */
static void fail_second_operation(session_rig_t *f)
{
    f->rig.sim.cut_at = f->rig.sim.ops + 1;
    f->rig.sim.tear = SIM_TEAR_BEFORE;
}

static void a_confirmation_that_failed_is_repeated_before_the_next_update(void **state)
{
    session_rig_t *f = *state;
    esp_ota_handle_t handle = BAD_HANDLE;
    f->device->running = f->slot[1];
    rig_put_record(&f->rig, 0, 1, ESP_OTA_IMG_VALID); /* to fall back to, and the next slot to be written */
    rig_put_record(&f->rig, 1, 2, ESP_OTA_IMG_PENDING_VERIFY);
    fail_second_operation(f);
    assert_int_equal(otter_ota_mark_app_valid_cancel_rollback(f->device, NULL), ESP_ERR_FLASH_OP_FAIL);
    sim_flash_power_on(&f->rig.sim);
    assert_ptr_equal(otter_ota_get_boot_partition(f->device), f->slot[0]);
    assert_int_equal(ota_begin(f->device, f->slot[0], 0, &handle), ESP_ERR_OTA_ROLLBACK_INVALID_STATE);
    assert_int_equal(otter_ota_mark_app_valid_cancel_rollback(f->device, NULL), ESP_OK);
    assert_ptr_equal(otter_ota_get_boot_partition(f->device), f->slot[1]);
    assert_int_equal(rig_get_record(&f->rig, 1).state, ESP_OTA_IMG_VALID);
    assert_int_equal(rig_get_record(&f->rig, 0).state, ESP_OTA_IMG_VALID);
    begin(f, f->slot[0], 0);
}

static void a_rejection_that_failed_rejects_nobody_else(void **state)
{
    session_rig_t *f = *state;
    esp_ota_handle_t handle = BAD_HANDLE;
    assert_int_equal(install(f, f->slot[0], "esp32_valid.bin", 0, 4096), ESP_OK);
    f->device->running = f->slot[1];
    rig_put_record(&f->rig, 0, 1, ESP_OTA_IMG_VALID);
    rig_put_record(&f->rig, 1, 2, ESP_OTA_IMG_PENDING_VERIFY);
    fail_second_operation(f);
    assert_int_equal(otter_ota_mark_app_invalid_rollback(f->device, NULL), ESP_ERR_FLASH_OP_FAIL);
    sim_flash_power_on(&f->rig.sim);
    assert_int_equal(otter_ota_mark_app_invalid_rollback(f->device, NULL), ESP_OK);
    assert_int_equal(rig_get_record(&f->rig, 0).state, ESP_OTA_IMG_VALID);
    assert_int_equal(ota_begin(f->device, f->slot[0], 0, &handle), ESP_ERR_OTA_ROLLBACK_INVALID_STATE);
}

static void begin_gives_what_runs_a_record_before_it_takes_the_one_that_decides(void **state)
{
    session_rig_t *f = *state;
    f->device->running = f->slot[1]; /* ota_0 was selected and did not boot */
    rig_put_record(&f->rig, 0, 1, ESP_OTA_IMG_VALID);
    begin(f, f->slot[0], 0);
    assert_ptr_equal(otter_ota_get_boot_partition(f->device), f->slot[1]);
    assert_int_equal(rig_get_record(&f->rig, 1).seq, 2);
    assert_int_equal(rig_get_record(&f->rig, 0).seq, OTADATA_SEQ_ERASED);
}

static void confirming_what_has_not_run_burns_nothing(void **state)
{
    session_rig_t *f = *state; /* with anti-rollback */
    assert_int_equal(install(f, f->slot[0], "esp32_v110_sec1.bin", 0, 4096), ESP_OK);
    f->device->running = f->slot[0];
    rig_put_record(&f->rig, 0, 1, ESP_OTA_IMG_VALID);
    rig_put_record(&f->rig, 1, 2, ESP_OTA_IMG_NEW); /* selects ota_1 */
    assert_int_equal(otter_ota_mark_app_valid_cancel_rollback(f->device, NULL), ESP_OK);
    assert_int_equal(rig_get_record(&f->rig, 1).state, ESP_OTA_IMG_VALID);
    assert_int_equal(f->rig.secure_version, 0);
}

static void selecting_factory_takes_back_first_what_has_not_booted(void **state)
{
    session_rig_t *f = *state; /* ota_0 runs */
    f->device->running = f->slot[0];
    rig_put_record(&f->rig, 0, 1, ESP_OTA_IMG_VALID);
    rig_put_record(&f->rig, 1, 2, ESP_OTA_IMG_NEW);
    f->rig.sim.cut_at = f->rig.sim.ops;
    f->rig.sim.tear = SIM_TEAR_AFTER;
    assert_int_equal(otter_ota_set_boot_partition(f->device, f->factory, NULL), ESP_ERR_FLASH_OP_FAIL);
    sim_flash_power_on(&f->rig.sim);
    assert_ptr_equal(otter_ota_get_boot_partition(f->device), f->slot[0]);
    assert_int_equal(otter_ota_set_boot_partition(f->device, f->factory, NULL), ESP_OK);
    assert_ptr_equal(otter_ota_get_boot_partition(f->device), f->factory);
}

static void anti_rollback_erases_a_version_that_is_too_old(void **state)
{
    session_rig_t *f = *state;
    f->rig.secure_version = 2;
    assert_int_equal(install(f, f->slot[0], "esp32_v110_sec1.bin", 0, 4096), ESP_OK);
    assert_int_equal(otter_ota_set_boot_partition(f->device, f->slot[0], NULL), ESP_ERR_OTA_SMALL_SEC_VER);
    assert_true(rig_is_erased(&f->rig, f->slot[0]->address, f->slot[0]->size));
    assert_true(rig_is_erased(&f->rig, RIG_OTADATA, RIG_OTADATA_SIZE));
}

static void anti_rollback_burns_the_confirmed_version(void **state)
{
    session_rig_t *f = *state;
    f->rig.secure_version = 1;
    assert_int_equal(install(f, f->slot[0], "esp32_v120_sec3.bin", 0, 4096), ESP_OK);
    assert_int_equal(otter_ota_set_boot_partition(f->device, f->slot[0], NULL), ESP_OK);
    f->device->running = f->slot[0];
    assert_int_equal(otter_ota_mark_app_valid_cancel_rollback(f->device, NULL), ESP_OK);
    assert_int_equal(f->rig.secure_version, 3);
    assert_false(otter_ota_check_rollback_is_possible(f->device)); /* factory never counts */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SESSION_TEST(begin_refuses_in_the_documented_order),
        SESSION_TEST(begin_erases_what_the_size_says),
        SESSION_TEST(begin_takes_no_size_for_another_whose_low_bits_it_has),
        SESSION_TEST(begin_twice_on_a_slot_is_refused_and_on_two_slots_is_not),
        SESSION_TEST(an_update_that_has_written_nothing_gives_way_to_the_next),
        SESSION_TEST(an_update_gives_way_only_to_one_that_can_begin),
        SESSION_TEST(begin_that_fails_in_flash_leaves_nothing_behind),
        SESSION_TEST_ROLLBACK(begin_refuses_while_the_running_app_is_on_trial),
        SESSION_TEST_ROLLBACK(begin_with_rollback_forgets_the_application_before),
        SESSION_TEST(begin_takes_a_selected_slot_out_of_use),
        SESSION_TEST(begin_refuses_a_read_only_partition),
        SESSION_TEST(zero_stale_and_unknown_handles_are_refused),
        SESSION_TEST(handle_numbers_wrap_past_zero_and_past_open_ones),
        SESSION_TEST(dropping_the_device_frees_open_updates),
        SESSION_TEST(write_refuses_what_it_documents),
        SESSION_TEST(write_fills_a_slot_to_its_last_byte_and_no_further),
        SESSION_TEST(sequential_writes_erase_each_sector_once_and_only_what_they_reach),
        SESSION_TEST(a_write_that_failed_can_be_repeated),
        SESSION_TEST(flash_with_a_write_unit_takes_any_chunking),
        SESSION_TEST(writes_at_offsets_are_checked_and_judged_from_flash),
        SESSION_TEST(end_tells_the_verdict_and_frees_the_handle),
        SESSION_TEST(end_without_a_byte_is_an_error_that_frees_the_handle),
        SESSION_TEST(end_judges_what_is_in_flash_not_what_was_sent),
        SESSION_TEST(end_reads_each_byte_once_and_set_boot_the_headers),
        SESSION_TEST(failing_reads_while_writing_are_told_at_the_end),
        SESSION_TEST(resume_goes_on_where_the_last_run_stopped),
        SESSION_TEST(resume_refuses_what_it_documents),
        SESSION_TEST(final_partition_decides_how_bytes_are_judged_and_where_they_go),
        SESSION_TEST(data_is_not_judged),
        SESSION_TEST(set_boot_judges_what_other_rules_have_accepted),
        SESSION_TEST(set_boot_refuses_what_it_documents),
        SESSION_TEST(a_record_changes_between_barriers),
        cmocka_unit_test(set_boot_refuses_the_test_app),
        cmocka_unit_test(set_boot_of_a_slot_behind_a_gap_is_refused),
        SESSION_TEST(a_device_without_otadata_says_not_found),
        SESSION_TEST(next_update_partition_goes_around_the_slots),
        SESSION_TEST(descriptions_say_what_is_there),
        SESSION_TEST(state_is_of_slots_and_of_the_active_record_first),
        SESSION_TEST(factory_can_neither_be_confirmed_nor_rejected),
        SESSION_TEST(rejecting_needs_something_to_go_back_to),
        SESSION_TEST(confirming_without_a_trial_erases_nothing),
        SESSION_TEST(where_bytes_cannot_be_programmed_confirming_moves_the_only_record),
        SESSION_TEST_ROLLBACK(a_confirmation_that_failed_is_repeated_before_the_next_update),
        SESSION_TEST_ROLLBACK(a_rejection_that_failed_rejects_nobody_else),
        SESSION_TEST(begin_gives_what_runs_a_record_before_it_takes_the_one_that_decides),
        SESSION_TEST_ANTI_ROLLBACK(confirming_what_has_not_run_burns_nothing),
        SESSION_TEST_ROLLBACK(selecting_factory_takes_back_first_what_has_not_booted),
        SESSION_TEST_ANTI_ROLLBACK(anti_rollback_erases_a_version_that_is_too_old),
        SESSION_TEST_ANTI_ROLLBACK(anti_rollback_burns_the_confirmed_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
