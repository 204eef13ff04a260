/* What an update costs the flash: erases of each sector and programs, counted, printed and bounded. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ota/switch.h"
#include "ota/update.h"
#include "support/ota_rig.h"

#define SECTOR  4096u
#define SECTORS (RIG_FLASH_SIZE / SECTOR)

/** What lies in the slot before, and how the update comes. */
typedef struct {
    const char *name;
    bool stable_reads;
    uint8_t before; /* each byte of the slot; 0xFF: blank; 0: the image itself, then blank */
    size_t size;    /* told to ota_begin; 0: the image's */
    uint32_t chunk; /* bytes of each write */
    uint32_t erases_max, programs_max; /* of the slot */
} cost_t;

static const char image_name[] = "esp32_drom_irom_64k.bin"; /* 66384 bytes: 17 sectors */
#define IMAGE_SECTORS 17u

static const cost_t costs[] = {
    {"blank slot", true, 0xFF, OTA_WITH_SEQUENTIAL_WRITES, 0x10000, 0, 2},
    {"blank slot, size known", true, 0xFF, 0, 0x10000, 0, 2},
    {"blank slot, all of it erased first", true, 0xFF, OTA_SIZE_UNKNOWN, 0x10000, 0, 2},
    {"blank slot, short writes", true, 0xFF, OTA_WITH_SEQUENTIAL_WRITES, 1000, 0, 84},
    {"the same image", true, 0, OTA_WITH_SEQUENTIAL_WRITES, 0x10000, 0, 0},
    {"the same image, a sector at a time", true, 0, OTA_WITH_SEQUENTIAL_WRITES, SECTOR, 0, 0},
    {"another image", true, 0x5A, OTA_WITH_SEQUENTIAL_WRITES, 0x10000, IMAGE_SECTORS, 2},
    {"another image, short writes", true, 0x5A, OTA_WITH_SEQUENTIAL_WRITES, 1000, IMAGE_SECTORS, 84},
    {"another image, size known", true, 0x5A, 0, 0x10000, IMAGE_SECTORS, 2},
    {"blank slot of a chip with weak bits", false, 0xFF, OTA_WITH_SEQUENTIAL_WRITES, 0x10000, IMAGE_SECTORS,
     2},
    {"the same image on a chip with weak bits", false, 0, OTA_WITH_SEQUENTIAL_WRITES, 0x10000, IMAGE_SECTORS,
     2},
};

static struct {
    rig_t rig;
    uint32_t erases[SECTORS];
    uint8_t *image;
    uint32_t len;
    const esp_partition_t *slot;
} wear;

static uint32_t sum_erases(uint32_t address, uint32_t size, uint32_t *most)
{
    uint32_t sum = 0;
    for (uint32_t sector = address / SECTOR; sector < (address + size) / SECTOR; sector++) {
        sum += wear.erases[sector];
        *most = wear.erases[sector] > *most ? wear.erases[sector] : *most;
    }
    return sum;
}

static void open_device(const cost_t *cost)
{
    rig_open(&wear.rig, "two_ota_md5", &(otter_device_config_t){.rollback = true});
    wear.rig.untraced = true;
    wear.rig.flash.stable_reads = cost->stable_reads;
    wear.image = rig_load("image", image_name, &wear.len);
    rig_place(&wear.rig, rig_named(&wear.rig, "f")->address, "image", "esp32_valid.bin");
    otter_boot_result_t result;
    assert_int_equal(otter_boot(&wear.rig.device, OTTER_BOOT_COMMIT, &result), ESP_OK);
    wear.slot = otter_ota_get_next_update_partition(&wear.rig.device, NULL);
    uint8_t *bytes = wear.rig.sim.bytes + wear.slot->address;
    memset(bytes, cost->before != 0 ? cost->before : 0xFF, wear.slot->size);
    if (cost->before == 0) {
        memcpy(bytes, wear.image, wear.len);
    }
    memset(wear.erases, 0, sizeof(wear.erases));
    wear.rig.sim.erase_counts = wear.erases;
}

static void update(const cost_t *cost)
{
    otter_device_t *device = &wear.rig.device;
    esp_ota_handle_t handle;
    assert_int_equal(ota_begin(device, wear.slot, cost->size != 0 ? cost->size : wear.len, &handle), ESP_OK);
    for (uint32_t at = 0; at < wear.len; at += cost->chunk) {
        uint32_t len = wear.len - at < cost->chunk ? wear.len - at : cost->chunk;
        assert_int_equal(ota_write(device, handle, wear.image + at, len), ESP_OK);
    }
    assert_int_equal(ota_end(device, handle), ESP_OK);
    assert_memory_equal(wear.rig.sim.bytes + wear.slot->address, wear.image, wear.len);
}

static void an_update_erases_a_sector_once_at_most_and_only_where_it_must(void **state)
{
    (void)state;
    print_message("an image of %u sectors onto         erases  most of one  programs\n", IMAGE_SECTORS);
    for (size_t i = 0; i < sizeof(costs) / sizeof(costs[0]); i++) {
        const cost_t *cost = &costs[i];
        uint32_t most = 0;
        open_device(cost);
        const uint32_t programs_before = wear.rig.flash.stats.programs;
        update(cost);
        const uint32_t programs = wear.rig.flash.stats.programs - programs_before;
        const uint32_t erases = sum_erases(wear.slot->address, wear.slot->size, &most);
        print_message("  %-40s %5u %12u %9u\n", cost->name, erases, most, programs);
        assert_in_range(erases, 0, cost->erases_max);
        assert_in_range(most, 0, 1);
        assert_in_range(programs, 0, cost->programs_max);
        free(wear.image);
        rig_close(&wear.rig);
    }
}

/** Wherever its one byte lies, a sector that is not blank is erased, and no other. */
static void one_byte_makes_a_sector_not_blank(void **state)
{
    (void)state;
    static const uint32_t places[] = {0, 1, 255, 256, 2048, SECTOR - 1};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        uint32_t most = 0;
        open_device(&costs[1]); /* a blank slot, size known */
        wear.rig.sim.bytes[wear.slot->address + 3 * SECTOR + places[i]] = 0;
        update(&costs[1]);
        assert_int_equal(sum_erases(wear.slot->address, wear.slot->size, &most), 1);
        assert_int_equal(wear.erases[wear.slot->address / SECTOR + 3], 1);
        free(wear.image);
        rig_close(&wear.rig);
    }
}

/** Most updates bring other bytes all through; to see that costs little. */
static void of_what_differs_all_through_a_sector_each_64_kib_is_looked_at(void **state)
{
    (void)state;
    enum { PIECE = 0x10000, PIECES = 8 };
    static uint8_t bytes[PIECE];
    uint32_t most = 0;
    esp_ota_handle_t handle;
    open_device(&costs[6]); /* another image */
    otter_device_t *device = &wear.rig.device;
    const uint64_t before = wear.rig.flash.stats.bytes_read;
    assert_int_equal(ota_begin(device, wear.slot, OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    memset(bytes, 0xE9, sizeof(bytes)); /* which is no image: it is read back until that is seen */
    for (int i = 0; i < PIECES; i++) {
        assert_int_equal(ota_write(device, handle, bytes, sizeof(bytes)), ESP_OK);
    }
    assert_in_range(wear.rig.flash.stats.bytes_read - before, 0, 2 * PIECE + PIECES * SECTOR + 1024);
    assert_int_equal(sum_erases(wear.slot->address, wear.slot->size, &most), PIECES * PIECE / SECTOR);
    assert_int_equal(ota_abort(device, handle), ESP_OK);

    /* Where it is the same again, it is spared again, from the next 64 KiB on. */
    uint8_t *slot = wear.rig.sim.bytes + wear.slot->address;
    memset(slot + PIECE, 0x5A, SECTOR);
    memset(wear.erases, 0, sizeof(wear.erases));
    assert_int_equal(ota_begin(device, wear.slot, OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    for (int i = 0; i < PIECES; i++) {
        assert_int_equal(ota_write(device, handle, bytes, sizeof(bytes)), ESP_OK);
    }
    assert_int_equal(sum_erases(wear.slot->address, wear.slot->size, &most), 1);
    assert_memory_equal(slot + PIECE, bytes, PIECE);
    assert_int_equal(ota_abort(device, handle), ESP_OK);
    free(wear.image);
    rig_close(&wear.rig);
}

static void a_change_of_state_erases_otadata_once_at_most(void **state)
{
    (void)state;
    uint32_t most = 0;
    otter_boot_result_t result;
    open_device(&costs[0]);
    update(&costs[0]);
    assert_int_equal(sum_erases(RIG_OTADATA, RIG_OTADATA_SIZE, &most),
                     0); /* nothing changes before the choice */

    assert_int_equal(otter_ota_set_boot_partition(&wear.rig.device, wear.slot, NULL), ESP_OK);
    const uint32_t selected = sum_erases(RIG_OTADATA, RIG_OTADATA_SIZE, &most);
    assert_int_equal(otter_boot(&wear.rig.device, OTTER_BOOT_COMMIT, &result), ESP_OK);
    const uint32_t booted = sum_erases(RIG_OTADATA, RIG_OTADATA_SIZE, &most);
    assert_int_equal(otter_ota_mark_app_valid_cancel_rollback(&wear.rig.device, NULL), ESP_OK);
    const uint32_t confirmed = sum_erases(RIG_OTADATA, RIG_OTADATA_SIZE, &most);
    print_message("otadata erases: selected %u, first boot %u, confirmed %u\n", selected, booted - selected,
                  confirmed - booted);
    assert_int_equal(selected, 0); /* that copy was blank */
    assert_in_range(booted - selected, 0, 1);
    assert_in_range(confirmed - booted, 0, 1);

    assert_int_equal(otter_boot(&wear.rig.device, OTTER_BOOT_COMMIT, &result), ESP_OK);
    assert_int_equal(otter_ota_mark_app_valid_cancel_rollback(&wear.rig.device, NULL), ESP_OK);
    assert_int_equal(sum_erases(RIG_OTADATA, RIG_OTADATA_SIZE, &most),
                     confirmed); /* what is so is not written */
    free(wear.image);
    rig_close(&wear.rig);
}

/** Without rollback nothing is on trial: a confirmation only programs. */
static void without_rollback_only_selecting_erases_otadata(void **state)
{
    (void)state;
    for (unsigned updates = 0; updates < 2; updates++) {
        uint32_t most = 0;
        otter_boot_result_t result;
        open_device(&costs[0]);
        wear.rig.device.config.rollback = false;
        rig_put_record(&wear.rig, 0, 1, ESP_OTA_IMG_VALID); /* an update each before this one */
        rig_put_record(&wear.rig, 1, 2, updates == 0 ? ESP_OTA_IMG_UNDEFINED : ESP_OTA_IMG_VALID);
        update(&costs[0]);
        assert_int_equal(otter_ota_set_boot_partition(&wear.rig.device, wear.slot, NULL), ESP_OK);
        assert_in_range(sum_erases(RIG_OTADATA, RIG_OTADATA_SIZE, &most), 0, 1);
        const uint32_t selected = sum_erases(RIG_OTADATA, RIG_OTADATA_SIZE, &most);
        assert_int_equal(otter_boot(&wear.rig.device, OTTER_BOOT_COMMIT, &result), ESP_OK);
        assert_int_equal(otter_ota_mark_app_valid_cancel_rollback(&wear.rig.device, NULL), ESP_OK);
        assert_int_equal(sum_erases(RIG_OTADATA, RIG_OTADATA_SIZE, &most), selected);
        free(wear.image);
        rig_close(&wear.rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_update_erases_a_sector_once_at_most_and_only_where_it_must),
        cmocka_unit_test(one_byte_makes_a_sector_not_blank),
        cmocka_unit_test(of_what_differs_all_through_a_sector_each_64_kib_is_looked_at),
        cmocka_unit_test(a_change_of_state_erases_otadata_once_at_most),
        cmocka_unit_test(without_rollback_only_selecting_erases_otadata),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
