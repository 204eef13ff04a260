/* Resuming across resets with ota_resumption: whatever happened before, the right image arrives, and little comes twice. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/long_run.h"
#include "support/resume_rig.h"

static bool asks = true; /* of ota_resumption */

/** One update, of so many calls of perform (-1: all), then finished or dropped. */
static esp_err_t update(update_rig_t *f, const char *url, int performs, bool finish)
{
    web_configure(&f->config, &f->web);
    f->config.http.url = url;
    f->config.ota.ota_resumption = asks;
    f->rig.device.https = sealed_options(resume_sealed);
    esp_https_ota_handle_t handle;
    esp_err_t err = https_ota_begin(&f->rig.device, &f->config.ota, NULL, &handle);
    if (err != ESP_OK) {
        return err;
    }
    do {
        err = performs != 0 ? esp_https_ota_perform(handle) : ESP_ERR_HTTPS_OTA_IN_PROGRESS;
    } while (err == ESP_ERR_HTTPS_OTA_IN_PROGRESS && performs-- != 0);
    if (err == ESP_OK && finish) {
        return esp_https_ota_finish(handle);
    }
    (void)esp_https_ota_abort(handle);
    return err;
}

static void must_update(update_rig_t *f, const uint8_t *image)
{
    assert_int_equal(update(f, WEB_URL, -1, true), ESP_OK);
    assert_true(web_slot_holds(&f->rig, f->slot, image, f->web.len - HEAD));
    assert_true(new_runs(f));
}

/** Receives RECEIVED bytes and resets. */
static void lose_connection(update_rig_t *f)
{
    f->web.cut_at = RECEIVED;
    f->web.refuse_from = 1;
    f->web.refuse_count = 1000;
    assert_int_equal(update(f, WEB_URL, -1, true), ESP_ERR_HTTP_CONNECT);
    reset_device(f);
    f->web = web_with(f->image, IMAGE_LEN);
}

/** The same from the beginning: ten sectors are marked. */
static void be_interrupted(update_rig_t *f)
{
    wipe(f);
    lose_connection(f);
}

/** "GET 36864- if "v1"", of the file that has so many bytes of image before. */
static const char *asked_from(uint32_t image_at)
{
    static char texts[2][40];
    char *text = texts[image_at > 0];
    snprintf(text, sizeof(texts[0]), "GET %u- if \"v1\"", (unsigned)(image_at + HEAD));
    return text;
}

static int64_t taken_at_cut; /* bytes that had been received when power went; -1: it did not */

/** A simulated device does not stop at once. */
static void note_cut(rig_t *rig)
{
    if (rig->sim.cut_fired && taken_at_cut < 0) {
        taken_at_cut = (int64_t)rig->device.report.bytes_downloaded;
    }
}

static esp_err_t noting_program(void *dev, uint32_t off, const void *src, uint32_t len)
{
    esp_err_t err = rig_program(dev, off, src, len);
    note_cut(dev);
    return err;
}

static esp_err_t noting_erase(void *dev, uint32_t off, uint32_t len)
{
    esp_err_t err = rig_erase(dev, off, len);
    note_cut(dev);
    return err;
}

static void power_cut_at_every_flash_operation_costs_one_sector_at_most(void **state)
{
    update_rig_t *f = *state;
    wipe(f);
    f->rig.ops.program = noting_program;
    f->rig.ops.erase = noting_erase;
    uint32_t ops = f->rig.sim.ops, cuts = 0;
    must_update(f, f->image);
    ops = f->rig.sim.ops - ops;
    uint64_t most = 0;
    const int in_turn = full_run_wanted() ? 1 : 2; /* a day's work: half of the tears, then the other half */
    for (uint32_t at = 0; at < ops; at++) {
        for (int tear = (int)at % in_turn; tear < SIM_TEAR_COUNT; tear += in_turn) {
            wipe(f);
            f->rig.sim.cut_fired = false;
            taken_at_cut = -1;
            f->rig.sim.cut_at = f->rig.sim.ops + at;
            f->rig.sim.tear = (sim_tear_t)tear;
            (void)update(f, WEB_URL, -1, true);
            assert_true(f->rig.sim.cut_fired);
            cuts++;
            uint64_t taken = (uint64_t)taken_at_cut;
            if (!new_runs(f)) {
                assert_int_equal(update(f, WEB_URL, -1, true), ESP_OK);
                taken += f->rig.device.report.bytes_downloaded;
                assert_true(new_runs(f));
            }
            assert_true(web_slot_holds(&f->rig, f->slot, f->image, IMAGE_LEN));
            bool counts =
                tear != SIM_TEAR_LOST; /* a cache in front may lose anything, but never the right image */
            most = counts && taken - FILE_LEN > most ? taken - FILE_LEN : most;
        }
    }
    print_message("%u power cuts in an update of %u bytes: at most %u bytes were fetched twice\n", cuts,
                  IMAGE_LEN, (unsigned)most);
    assert_true(most <= SECTOR);
}

static void handles_dropped_anywhere_cost_one_sector_at_most(void **state)
{
    update_rig_t *f = *state;
    uint64_t most = 0;
    const int calls = (int)(IMAGE_LEN / 1024 + 2);
    for (int performs = 0; performs <= calls; performs++) {
        wipe(f);
        esp_err_t err = update(f, WEB_URL, performs, false);
        assert_int_equal(err, performs < calls ? ESP_ERR_HTTPS_OTA_IN_PROGRESS : ESP_OK);
        uint64_t taken =
            f->rig.device.report.bytes_downloaded; /* not what the server sent, which is all of it */
        if (performs % 2 == 0) {
            reset_device(f); /* the same process may go on too */
        }
        assert_int_equal(update(f, WEB_URL, -1, true), ESP_OK);
        taken += f->rig.device.report.bytes_downloaded;
        const uint64_t whole = f->rig.device.report.bytes_downloaded +
                               f->rig.device.report.bytes_resumed; /* the head came before */
        assert_true(whole == (performs == 0 ? FILE_LEN : IMAGE_LEN));
        assert_true(web_slot_holds(&f->rig, f->slot, f->image, IMAGE_LEN));
        most = taken - FILE_LEN > most ? taken - FILE_LEN : most;
    }
    print_message("handles dropped after each call: at most %u bytes were taken twice\n", (unsigned)most);
    assert_true(most <= SECTOR);
}

static void a_device_that_is_reset_again_and_again_gets_there(void **state)
{
    update_rig_t *f = *state;
    wipe(f);
    unsigned resets = 0;
    while (update(f, WEB_URL, 9, true) == ESP_ERR_HTTPS_OTA_IN_PROGRESS) { /* nine buffers each time */
        reset_device(f);
        assert_true(++resets < 20);
    }
    assert_true(resets >= IMAGE_LEN / (9 * 1024));
    assert_true(web_slot_holds(&f->rig, f->slot, f->image, IMAGE_LEN));
    assert_true(new_runs(f));
}

/** Marks have a write unit of their own each. */
static void flash_with_any_write_unit_resumes(void **state)
{
    update_rig_t *f = *state;
    static const struct {
        uint32_t write_size;
        uint64_t resumed; /* at least; 0: nothing */
    } rows[] = {{1, 36864}, {4, 36864}, {16, 36864}, {32, 36864}, {64, 36864}, {256, 32768}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        f->rig.sim.flash.write_size = f->rig.flash.write_size = 1; /* what prepares the device */
        wipe(f);
        f->rig.sim.flash.write_size = f->rig.flash.write_size = rows[i].write_size;
        lose_connection(f);
        assert_int_equal(update(f, WEB_URL, -1, true), ESP_OK);
        uint64_t resumed = f->rig.device.report.bytes_resumed;
        assert_true(web_slot_holds(&f->rig, f->slot, f->image, IMAGE_LEN));
        assert_true(new_runs(f));
        if (resumed < rows[i].resumed || (rows[i].resumed == 0 && resumed != 0)) {
            fail_msg("write units of %u bytes: %u bytes resumed", rows[i].write_size, (unsigned)resumed);
        }
    }
}

static void progress_is_seen_through_the_api(void **state)
{
    update_rig_t *f = *state;
    be_interrupted(f);
    web_configure(&f->config, &f->web);
    f->config.ota.ota_resumption = true;
    f->rig.device.https = sealed_options(resume_sealed);
    f->config.ota.ota_image_bytes_written = 12345; /* an application's own idea of it does no harm */
    uint32_t ops = f->rig.sim.ops;
    esp_https_ota_handle_t handle;
    esp_app_desc_t desc;
    assert_int_equal(https_ota_begin(&f->rig.device, &f->config.ota, NULL, &handle), ESP_OK);
    assert_int_equal(f->rig.sim.ops, ops); /* begin writes nothing */
    assert_string_equal(f->web.asked[0], asked_from(9 * SECTOR));
    assert_int_equal(f->rig.device.report.bytes_resumed, 9 * SECTOR);
    assert_int_equal(esp_https_ota_get_image_size(handle), IMAGE_LEN);
    assert_int_equal(esp_https_ota_get_image_len_read(handle), -1);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(esp_https_ota_get_img_desc(handle, &desc), ESP_OK);
        assert_string_equal(desc.version, "2.0.0");
    }
    assert_int_equal(esp_https_ota_perform(handle), ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    assert_in_range(esp_https_ota_get_image_len_read(handle), 9 * SECTOR, 10 * SECTOR);
    assert_int_equal(web_perform(handle), ESP_OK);
    assert_int_equal(esp_https_ota_finish(handle), ESP_OK);
    assert_true(web_slot_holds(&f->rig, f->slot, f->image, IMAGE_LEN));
}

/* ---- what changed in between ---- */

typedef enum {
    NOTHING,
    MARK_TORN,
    MARK_WRONG,
    MARKS_GONE,
    HEADER_TORN,
    DATA_DAMAGED,
    FIRST_DAMAGED
} damage_t;

static void damage(update_rig_t *f, damage_t what)
{
    uint8_t *slot = f->rig.sim.bytes + f->slot->address, *record = slot + f->slot->size - RECORD_SIZE;
    switch (what) {
    case NOTHING:
        break;
    case MARK_TORN:
        record[MARKS + 4 * 9] = 0x12; /* the one after the last */
        break;
    case MARK_WRONG:
        record[MARKS + 4 * 5] = 0;
        record[MARKS + 4 * 5 + 1] = 0;
        break;
    case MARKS_GONE:
        memset(record + MARKS, 0xFF, RECORD_SIZE - MARKS);
        break;
    case HEADER_TORN:
        record[17] = 0;
        break;
    case DATA_DAMAGED:
        slot[3 * SECTOR + 100] ^= 0x10;
        break;
    case FIRST_DAMAGED:
        slot[0] = 0;
        break;
    }
}

static void what_changed_between_two_updates_is_seen(void **state)
{
    update_rig_t *f = *state;
    static const char part[] = "HTTP/1.1 206 Partial Content\r\nContent-Length: 4\r\n";
    char other_range[160], other_total[160];
    snprintf(other_range, sizeof(other_range), "%sContent-Range: bytes 4096-%u/%u\r\n\r\nabcd", part,
             (unsigned)FILE_LEN - 1, (unsigned)FILE_LEN);
    snprintf(other_total, sizeof(other_total), "%sContent-Range: bytes %u-%u/%u\r\n\r\nabcd", part,
             (unsigned)(9 * SECTOR + HEAD), (unsigned)FILE_LEN + 15, (unsigned)FILE_LEN + 16);
    const struct {
        const char *name, *url;
        bool other_file, no_ranges, no_if_range;
        const char *etag;
        uint32_t len;
        damage_t damage;
        const char *canned;
        uint32_t resumed; /* sectors that are not fetched again */
        const char *first;
    } rows[] = {
        {"nothing", WEB_URL, false, false, false, "\"v1\"", IMAGE_LEN, NOTHING, NULL, 9,
         asked_from(9 * SECTOR)},
        {"the URL", "https://server.example/other.bin", false, false, false, "\"v1\"", IMAGE_LEN, NOTHING,
         NULL, 0, "GET"},
        {"the file", WEB_URL, true, false, false, "\"v2\"", IMAGE_LEN, NOTHING, NULL, 0,
         asked_from(9 * SECTOR)},
        {"the file and its length", WEB_URL, true, false, false, "\"v2\"", IMAGE_LEN - 5, NOTHING, NULL, 0,
         NULL},
        {"the file, told only by its length", WEB_URL, true, false, true, NULL, IMAGE_LEN - 5, NOTHING, NULL,
         0, NULL},
        {"the file, and If-Range is not understood", WEB_URL, true, false, true, "\"v2\"", IMAGE_LEN, NOTHING,
         NULL, 0, NULL},
        {"the server: no ranges", WEB_URL, false, true, false, "\"v1\"", IMAGE_LEN, NOTHING, NULL, 0, NULL},
        {"the server: another range", WEB_URL, false, false, false, "\"v1\"", IMAGE_LEN, NOTHING, other_range,
         0, NULL},
        {"the server: another total", WEB_URL, false, false, false, "\"v1\"", IMAGE_LEN, NOTHING, other_total,
         0, NULL},
        {"the server: 416", WEB_URL, false, false, false, "\"v1\"", IMAGE_LEN, NOTHING,
         "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n\r\n", 0, NULL},
        {"a mark is torn", WEB_URL, false, false, false, "\"v1\"", IMAGE_LEN, MARK_TORN, NULL, 9, NULL},
        {"a mark is wrong", WEB_URL, false, false, false, "\"v1\"", IMAGE_LEN, MARK_WRONG, NULL, 5, NULL},
        {"the marks are gone", WEB_URL, false, false, false, "\"v1\"", IMAGE_LEN, MARKS_GONE, NULL, 0, "GET"},
        {"the record is torn", WEB_URL, false, false, false, "\"v1\"", IMAGE_LEN, HEADER_TORN, NULL, 0,
         "GET"},
        {"the data is damaged", WEB_URL, false, false, false, "\"v1\"", IMAGE_LEN, DATA_DAMAGED, NULL, 3,
         NULL},
        {"the first sector is damaged", WEB_URL, false, false, false, "\"v1\"", IMAGE_LEN, FIRST_DAMAGED,
         NULL, 0, "GET"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (int again = 0; again < 2; again++) { /* the second time that update is interrupted too */
            print_message("%s, %d\n", rows[i].name, again);
            be_interrupted(f);
            damage(f, rows[i].damage);
            uint8_t *file = rows[i].other_file ? f->other : f->image;
            uint8_t *shorter = rows[i].len < IMAGE_LEN ? web_image(rows[i].len, 4) : NULL;
            f->web = web_with(shorter != NULL ? shorter : file, rows[i].len);
            f->web.etag = rows[i].etag;
            f->web.no_ranges = rows[i].no_ranges;
            f->web.no_if_range = rows[i].no_if_range;
            f->web.canned[0] = rows[i].canned;
            if (again) {
                assert_int_equal(update(f, rows[i].url, 20, true), ESP_ERR_HTTPS_OTA_IN_PROGRESS);
                reset_device(f);
            }
            assert_int_equal(update(f, rows[i].url, -1, true), ESP_OK);
            assert_true(web_slot_holds(&f->rig, f->slot, f->web.image, rows[i].len));
            if (!again) {
                assert_int_equal(f->rig.device.report.bytes_resumed, rows[i].resumed * SECTOR);
                const bool kept =
                    HEAD > 0 && (rows[i].damage == MARKS_GONE || rows[i].damage == FIRST_DAMAGED);
                const char *first = kept ? asked_from(0) : rows[i].first; /* the head need not come again */
                assert_true(first == NULL || strcmp(f->web.asked[0], first) == 0);
            } else if (rows[i].etag != NULL && !rows[i].no_ranges) {
                assert_in_range(f->rig.device.report.bytes_resumed, 4 * SECTOR, 15 * SECTOR);
            }
            assert_true(new_runs(f));
            free(shorter);
        }
    }
}

static void downloads_that_cannot_be_proved_leave_no_record_but_arrive(void **state)
{
    update_rig_t *f = *state;
    static const struct {
        const char *name, *etag, *date;
        bool no_length;
    } rows[] = {
        {"weak ETag", "W/\"v1\"", "Sat, 01 Nov 2025 10:00:00 GMT", false},
        {"no validator", NULL, NULL, false},
        {"no length", "\"v1\"", NULL, true},
        {"an ETag that does not fit",
         "\"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456"
         "789"
         "012345678901234567890123456789\"",
         NULL, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (int interrupted = 0; interrupted < 2; interrupted++) {
            print_message("%s\n", rows[i].name);
            wipe(f);
            f->web.etag = rows[i].etag;
            f->web.date = rows[i].date;
            f->web.no_length = rows[i].no_length;
            if (interrupted) {
                assert_int_equal(update(f, WEB_URL, 40, true), ESP_ERR_HTTPS_OTA_IN_PROGRESS);
                reset_device(f);
                assert_int_equal(f->rig.sim.bytes[f->slot->address + f->slot->size - RECORD_SIZE], 0xFF);
            }
            must_update(f, f->image);
            assert_string_equal(f->web.asked[interrupted], "GET");
        }
    }
}

static void images_up_to_the_last_sector_and_into_it_are_told_apart(void **state)
{
    update_rig_t *f = *state;
    static const struct {
        uint32_t len;
        bool record;
    } rows[] = {{0x100000 - SECTOR, true}, {0x100000 - SECTOR + 1, false}, {0x100000, false}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        wipe(f);
        uint8_t *image = web_image(rows[i].len, 5);
        f->web = web_with(image, rows[i].len);
        assert_int_equal(update(f, WEB_URL, 400, true), ESP_ERR_HTTPS_OTA_IN_PROGRESS);
        reset_device(f);
        assert_int_equal(update(f, WEB_URL, -1, true), ESP_OK);
        assert_int_equal(f->rig.device.report.bytes_resumed, rows[i].record ? 400 / 4 * SECTOR : 0);
        assert_true(web_slot_holds(&f->rig, f->slot, image, rows[i].len));
        assert_true(new_runs(f));
        free(image);
    }
}

static void what_else_writes_the_slot_ends_the_memory_of_the_download(void **state)
{
    update_rig_t *f = *state;
    for (int by_resume = 0; by_resume < 2; by_resume++) {
        be_interrupted(f);
        esp_ota_handle_t handle;
        assert_int_equal(
            by_resume ? ota_resume(&f->rig.device, f->slot, OTA_WITH_SEQUENTIAL_WRITES, SECTOR, &handle)
                      : ota_begin(&f->rig.device, f->slot, OTA_WITH_SEQUENTIAL_WRITES, &handle),
            ESP_OK);
        assert_int_equal(ota_abort(&f->rig.device, handle), ESP_OK);
        must_update(f, f->image);
        assert_string_equal(f->web.asked[0], "GET");
    }
}

static void a_length_of_whole_sectors_leaves_something_to_ask_for(void **state)
{
    update_rig_t *f = *state;
    wipe(f);
    uint8_t *image = web_image(8 * SECTOR, 5);
    f->web = web_with(image, 8 * SECTOR);
    assert_int_equal(update(f, WEB_URL, 33, false), ESP_OK); /* all is written, and then it is dropped */
    reset_device(f);
    must_update(f, image);
    assert_string_equal(f->web.asked[1], asked_from(7 * SECTOR));
    assert_int_equal(f->web.requests, 2);
    free(image);
}

static void a_finished_or_failed_download_is_not_gone_on_with(void **state)
{
    update_rig_t *f = *state;
    for (int corrupt = 0; corrupt < 2; corrupt++) {
        wipe(f);
        f->image[50000] ^= (uint8_t)corrupt;
        f->web = web_with(f->image, IMAGE_LEN);
        assert_int_equal(update(f, WEB_URL, -1, true), corrupt ? ESP_ERR_OTA_VALIDATE_FAILED : ESP_OK);
        memset(f->rig.sim.bytes + RIG_OTADATA, 0xFF, RIG_OTADATA_SIZE);
        reset_device(f);
        f->image[50000] ^= (uint8_t)corrupt;
        f->web = web_with(f->image, IMAGE_LEN);
        must_update(f, f->image);
        assert_string_equal(f->web.asked[0], "GET");
    }
}

/** Who is interrupted does not know it before: progress is kept asked for or not, but used only where it is asked for. */
static void a_download_that_did_not_ask_can_be_gone_on_with(void **state)
{
    update_rig_t *f = *state;
    for (int asked = 0; asked < 4; asked++) {
        asks = (asked & 1) != 0;
        be_interrupted(f);
        asks = (asked & 2) != 0;
        assert_int_equal(update(f, WEB_URL, -1, true), ESP_OK);
        assert_true(web_slot_holds(&f->rig, f->slot, f->image, IMAGE_LEN));
        assert_string_equal(f->web.asked[0], asks ? asked_from(9 * SECTOR) : "GET");
        assert_int_equal(f->rig.device.report.bytes_resumed, asks ? 9 * SECTOR : 0);
    }
    asks = true;
}

/** The record's sector is erased once by a download, and once more by one that finds marks that are wrong. */
static void progress_costs_one_erase_of_its_sector(void **state)
{
    update_rig_t *f = *state;
    static uint32_t erases[RIG_FLASH_SIZE / SECTOR];
    const uint32_t place = (f->slot->address + f->slot->size) / SECTOR - 1;
    static const struct {
        const char *name;
        bool stable, used, resumes;
        damage_t damage;
        uint32_t erases;
    } rows[] = {
        {"a blank slot", true, false, false, NOTHING, 0},
        {"a blank slot whose bits may hang", false, false, false, NOTHING, 1},
        {"a slot that had an update", true, true, false, NOTHING, 1},
        {"gone on with", true, false, true, NOTHING, 0},
        {"gone on with after a torn mark", true, false, true, MARK_TORN, 1},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        print_message("%s\n", rows[i].name);
        f->rig.flash.stable_reads = rows[i].stable;
        wipe(f);
        if (rows[i].used) {
            must_update(f, f->image);
            memset(f->rig.sim.bytes + RIG_OTADATA, 0xFF, RIG_OTADATA_SIZE);
            reset_device(f);
        }
        if (rows[i].resumes) {
            lose_connection(f);
            damage(f, rows[i].damage);
        }
        memset(erases, 0, sizeof(erases));
        f->rig.sim.erase_counts = erases;
        must_update(f, f->image);
        f->rig.sim.erase_counts = NULL;
        assert_int_equal(erases[place], rows[i].erases);
    }
    f->rig.flash.stable_reads = false;
}

static void the_running_slot_is_never_touched_for_its_record(void **state)
{
    update_rig_t *f = *state;
    be_interrupted(f);
    damage(f, MARK_TORN);
    f->rig.device.running = f->slot;
    uint32_t ops = f->rig.sim.ops;
    web_configure(&f->config, &f->web);
    f->config.ota.ota_resumption = true;
    f->config.ota.partition.staging = f->slot;
    f->rig.device.https = sealed_options(resume_sealed);
    esp_https_ota_handle_t handle;
    assert_int_equal(https_ota_begin(&f->rig.device, &f->config.ota, NULL, &handle), ESP_OK);
    assert_int_equal(esp_https_ota_perform(handle), ESP_ERR_OTA_PARTITION_CONFLICT);
    assert_int_equal(esp_https_ota_abort(handle), ESP_OK);
    assert_int_equal(f->rig.sim.ops, ops);
}

#define TEST(name)                                                                                           \
    cmocka_unit_test_setup_teardown(name, resume_set_up, resume_tear_down),                                  \
        {#name " (ECIES)", name, resume_set_up_ecies, resume_tear_down, NULL},                               \
    {                                                                                                        \
#name " (RSA)", name, resume_set_up_rsa, resume_tear_down, NULL                                      \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(power_cut_at_every_flash_operation_costs_one_sector_at_most),
        TEST(handles_dropped_anywhere_cost_one_sector_at_most),
        TEST(a_device_that_is_reset_again_and_again_gets_there),
        TEST(flash_with_any_write_unit_resumes),
        TEST(progress_is_seen_through_the_api),
        TEST(what_changed_between_two_updates_is_seen),
        TEST(downloads_that_cannot_be_proved_leave_no_record_but_arrive),
        TEST(images_up_to_the_last_sector_and_into_it_are_told_apart),
        TEST(a_length_of_whole_sectors_leaves_something_to_ask_for),
        TEST(what_else_writes_the_slot_ends_the_memory_of_the_download),
        TEST(a_finished_or_failed_download_is_not_gone_on_with),
        TEST(a_download_that_did_not_ask_can_be_gone_on_with),
        TEST(progress_costs_one_erase_of_its_sector),
        TEST(the_running_slot_is_never_touched_for_its_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
