/*
 * Power cuts: every flash operation of whole updates is cut before, torn in two ways, and after; then power returns, the
 * device must boot a complete verified image, old or new, and take the next update to its end.
 *
 * A failure prints its replay line: life, update, number of the operation, kind of the cut, and the cut in the boot after.
 */
#include "ota/switch.h"
#include "ota/update.h"
#include "support/ota_rig.h"

#define CHUNK       1000u /* bytes of a download's writes: never a sector's worth */
#define UPDATES_MAX 4

/** The images of the recordings that one chip boots, as a life's versions. */
static const char *const image_files[] = {"esp32_valid.bin", "esp32_v110_sec1.bin", "esp32_v120_sec3.bin",
                                          "esp32_drom_irom_64k.bin"};
#define IMAGE_COUNT (sizeof(image_files) / sizeof(image_files[0]))

static struct {
    uint8_t *bytes;
    uint32_t len;
} images[IMAGE_COUNT];

typedef enum { AHEAD, KNOWN_SIZE } erase_t;
typedef enum { CONFIRMED, CRASHES } fate_t;

/** One update: what comes, what becomes of it, how the slot is erased. */
typedef struct {
    unsigned image;
    fate_t fate;
    erase_t erase;
    unsigned downloads; /* so many times downloaded and selected before the restart */
} update_t;

/** A device's life: it starts with image 0 and takes these updates, each from the slot that runs then. */
typedef struct {
    const char *name, *table;
    bool rollback;
    update_t updates[UPDATES_MAX];
    unsigned count;
} life_t;

#define WITH_FACTORY    "two_ota_md5"
#define WITHOUT_FACTORY "two_ota_nofactory_md5"

static const life_t lives[] = {
    {"factory, ota_0, ota_1, ota_0",
     WITH_FACTORY,
     false,
     {{1, CONFIRMED, AHEAD, 1}, {2, CONFIRMED, KNOWN_SIZE, 1}, {0, CONFIRMED, AHEAD, 1}},
     3},
    {"factory, ota_0, ota_1, ota_0, with rollback",
     WITH_FACTORY,
     true,
     {{1, CONFIRMED, AHEAD, 1}, {2, CONFIRMED, KNOWN_SIZE, 1}, {0, CONFIRMED, AHEAD, 1}},
     3},
    {"ota_0, ota_1, ota_0, no factory",
     WITHOUT_FACTORY,
     false,
     {{1, CONFIRMED, AHEAD, 1}, {2, CONFIRMED, AHEAD, 1}},
     2},
    {"ota_0, ota_1, ota_0, no factory, with rollback",
     WITHOUT_FACTORY,
     true,
     {{1, CONFIRMED, AHEAD, 1}, {2, CONFIRMED, AHEAD, 1}},
     2},
    {"crash after factory", WITH_FACTORY, true, {{1, CRASHES, AHEAD, 1}, {2, CONFIRMED, AHEAD, 1}}, 2},
    {"crash after ota_0",
     WITH_FACTORY,
     true,
     {{1, CONFIRMED, AHEAD, 1}, {2, CRASHES, AHEAD, 1}, {0, CONFIRMED, AHEAD, 1}},
     3},
    {"two crashes, no factory",
     WITHOUT_FACTORY,
     true,
     {{1, CRASHES, AHEAD, 1}, {2, CRASHES, KNOWN_SIZE, 1}, {2, CONFIRMED, AHEAD, 1}},
     3},
    {"downloaded twice before the restart",
     WITH_FACTORY,
     false,
     {{1, CONFIRMED, AHEAD, 1}, {2, CONFIRMED, AHEAD, 2}, {0, CONFIRMED, KNOWN_SIZE, 2}},
     3},
    {"downloaded twice before the restart, with rollback",
     WITH_FACTORY,
     true,
     {{1, CONFIRMED, AHEAD, 2}, {2, CRASHES, AHEAD, 2}, {0, CONFIRMED, AHEAD, 3}},
     3},
    {"a larger image", WITH_FACTORY, true, {{3, CONFIRMED, AHEAD, 1}, {1, CONFIRMED, AHEAD, 1}}, 2},
};

typedef enum { DOWNLOAD, SELECT, BOOT, CONFIRM, PHASE_COUNT } phase_t;

static const char *const phase_names[PHASE_COUNT] = {"download", "select", "boot", "confirm"};
static const char *const tear_names[SIM_TEAR_COUNT] = {"before", "torn, a prefix", "torn, some bits", "after",
                                                       "lost in the cache"};
static uint32_t cut_counts[PHASE_COUNT][SIM_TEAR_COUNT];
static uint32_t second_cut_count;

/** Where a trial stands. */
static struct {
    const life_t *life;
    unsigned update;
    uint32_t cut, second_cut;
    sim_tear_t tear, second_tear;
    phase_t phase;
} now;

#define CHECK(condition, ...)                                                                                \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            print_message("replay: life \"%s\" update %u cut %u (%s) tear %d, second cut %u tear %d\n",      \
                          now.life->name, now.update, now.cut, phase_names[now.phase], (int)now.tear,        \
                          now.second_cut, (int)now.second_tear);                                             \
            fail_msg(__VA_ARGS__);                                                                           \
        }                                                                                                    \
    } while (0)

static bool holds_image(const rig_t *rig, const esp_partition_t *p, unsigned image)
{
    return memcmp(rig->sim.bytes + p->address, images[image].bytes, images[image].len) == 0;
}

/** The device as it comes up: nothing is remembered but flash. */
static void start_device(rig_t *rig)
{
    const otter_chip_t chip = rig->device.chip;
    const otter_efuse_t efuse = rig->device.efuse;
    const otter_device_config_t config = rig->device.config;
    otter_device_deinit(&rig->device);
    rig->fence_slot = NULL;
    otter_device_init(&rig->device, &rig->flash, &chip, &efuse, &config);
}

static bool boot_device(rig_t *rig)
{
    otter_boot_result_t result;
    start_device(rig);
    return otter_boot(&rig->device, OTTER_BOOT_COMMIT, &result) == ESP_OK;
}

static bool download(rig_t *rig, const esp_partition_t *slot, const update_t *update)
{
    esp_ota_handle_t handle;
    uint32_t len = images[update->image].len;
    size_t size = update->erase == AHEAD ? OTA_WITH_SEQUENTIAL_WRITES : len;
    if (ota_begin(&rig->device, slot, size, &handle) != ESP_OK) {
        return false;
    }
    for (uint32_t at = 0; at < len; at += CHUNK) {
        uint32_t step = len - at < CHUNK ? len - at : CHUNK;
        if (ota_write(&rig->device, handle, images[update->image].bytes + at, step) != ESP_OK) {
            return false;
        }
    }
    return ota_end(&rig->device, handle) == ESP_OK;
}

/** The new image's first run: it confirms itself, or the chip resets and the bootloader decides again. */
static bool live_or_die(rig_t *rig, fate_t fate)
{
    if (fate == CONFIRMED) {
        now.phase = CONFIRM;
        return ota_mark_app_valid_cancel_rollback(&rig->device) == ESP_OK;
    }
    now.phase = BOOT;
    return boot_device(rig);
}

/** A whole update of a running device. @return false: it failed, as it does when power goes */
static bool run_update(rig_t *rig, const update_t *update)
{
    const esp_partition_t *slot = ota_get_next_update_partition(&rig->device, NULL);
    rig->fence_slot = slot;
    for (unsigned i = 0; i < update->downloads; i++) {
        now.phase = DOWNLOAD;
        if (!download(rig, slot, update)) {
            return false;
        }
        now.phase = SELECT;
        if (ota_set_boot_partition(&rig->device, slot) != ESP_OK) {
            return false;
        }
    }
    now.phase = BOOT;
    return boot_device(rig) && live_or_die(rig, update->fate);
}

/** What must run, by address, whatever happens. */
typedef struct {
    uint32_t old_address, new_address;
    unsigned old_image, new_image;
} verdict_t;

/** The device came up with one of the two images, whole. */
static void check_running(const rig_t *rig, const verdict_t *may, bool new_allowed)
{
    const esp_partition_t *running = rig->device.running;
    CHECK(running != NULL, "nothing runs");
    if (running->address == may->old_address) {
        CHECK(holds_image(rig, running, may->old_image), "%s runs, damaged", running->label);
        return;
    }
    CHECK(running->address == may->new_address, "%s runs, which is neither old nor new", running->label);
    CHECK(new_allowed, "%s runs although it was never selected", running->label);
    CHECK(holds_image(rig, running, may->new_image), "%s runs, damaged", running->label);
}

static bool is_on_trial(rig_t *rig)
{
    esp_ota_img_states_t state;
    return ota_get_state_partition(&rig->device, rig->device.running, &state) == ESP_OK &&
           state == ESP_OTA_IMG_PENDING_VERIFY;
}

/** The next update after a cut, to its end: the device is not stuck, and it stays with what it took. */
static void take_next_update(rig_t *rig, const update_t *interrupted, const verdict_t *may)
{
    if (is_on_trial(rig)) {
        CHECK(live_or_die(rig, interrupted->fate), "the trial that a cut began does not end");
        CHECK(interrupted->fate == CONFIRMED || rig->device.running->address == may->old_address,
              "a crash did not fall back");
    }
    const update_t next = {.image = (interrupted->image + 1) % 3, .fate = CONFIRMED, .downloads = 1};
    const uint32_t slot = ota_get_next_update_partition(&rig->device, NULL)->address;
    CHECK(run_update(rig, &next), "the device does not take the next update");
    CHECK(rig->device.running->address == slot, "the next update does not run");
    CHECK(boot_device(rig) && rig->device.running->address == slot, "the next update does not stay");
    CHECK(holds_image(rig, rig->device.running, next.image), "the next update is damaged");
}

/** The boot after a cut is cut too, at each of its operations; every time the boot after that one must be good. */
static void cut_recovery(rig_t *rig, const sim_flash_t *after_cut, const verdict_t *may, bool new_allowed)
{
    for (now.second_cut = 0;; now.second_cut++) {
        for (int tear = 0; tear < SIM_TEAR_COUNT; tear++) {
            now.second_tear = (sim_tear_t)tear;
            sim_flash_copy(&rig->sim, after_cut);
            rig->sim.cut_at = now.second_cut;
            rig->sim.tear = now.second_tear;
            bool booted = boot_device(rig);
            if (!rig->sim.cut_fired) {
                CHECK(booted, "the device does not boot");
                rig->sim.cut_at = UINT32_MAX;
                return;
            }
            second_cut_count++;
            sim_flash_power_on(&rig->sim);
            CHECK(boot_device(rig), "the device does not boot after a cut in the boot after a cut");
            check_running(rig, may, new_allowed);
        }
    }
}

/** One trial: the update is cut, power returns. */
static void cut_update(rig_t *rig, const sim_flash_t *before, sim_flash_t *after_cut, const update_t *update,
                       const verdict_t *may)
{
    sim_flash_copy(&rig->sim, before);
    CHECK(boot_device(rig) && rig->sim.ops == 0, "a settled device writes when it boots");
    rig->sim.cut_at = now.cut;
    rig->sim.tear = now.tear;
    CHECK(!run_update(rig, update), "the update ends well although power went");
    CHECK(rig->sim.cut_fired, "no cut at this operation");
    const phase_t cut_in = now.phase;
    cut_counts[cut_in][now.tear]++;
    const bool new_allowed = cut_in != DOWNLOAD || update->downloads > 1; /* selected by the first */

    sim_flash_copy(after_cut, &rig->sim);
    cut_recovery(rig, after_cut, may, new_allowed);
    check_running(rig, may, new_allowed);
    take_next_update(rig, update, may);
}

/** All the cuts of one update of a life, then the update itself. */
static void sweep_update(rig_t *rig, sim_flash_t *before, sim_flash_t *after_cut, const update_t *update,
                         unsigned *image)
{
    sim_flash_copy(&rig->sim, before);
    CHECK(boot_device(rig), "the device does not boot");
    const verdict_t may = {
        .old_address = rig->device.running->address,
        .new_address = ota_get_next_update_partition(&rig->device, NULL)->address,
        .old_image = *image,
        .new_image = update->image,
    };
    CHECK(run_update(rig, update), "the update fails without a cut");
    check_running(rig, &may, true);
    const uint32_t ops = rig->sim.ops;
    CHECK((rig->device.running->address == may.new_address) == (update->fate == CONFIRMED),
          "wrong image runs");

    for (now.cut = 0; now.cut < ops; now.cut++) {
        for (int tear = 0; tear < SIM_TEAR_COUNT; tear++) {
            now.tear = (sim_tear_t)tear;
            cut_update(rig, before, after_cut, update, &may);
        }
    }
    sim_flash_copy(&rig->sim, before);
    CHECK(boot_device(rig) && run_update(rig, update), "the update fails without a cut");
    sim_flash_copy(before, &rig->sim);
    *image = update->fate == CONFIRMED ? update->image : *image;
}

static void sweep_life(const life_t *life)
{
    rig_t rig;
    rig_open(&rig, life->table, &(otter_device_config_t){.rollback = life->rollback});
    rig.untraced = rig.fenced = true;
    now.life = life;
    const esp_partition_t *factory = rig_named(&rig, "f");
    rig_place(&rig, (factory != NULL ? factory : rig_named(&rig, "0"))->address, "image", image_files[0]);

    sim_flash_t before, after_cut;
    assert_true(sim_flash_init(&before, RIG_FLASH_SIZE) && sim_flash_init(&after_cut, RIG_FLASH_SIZE));
    CHECK(boot_device(&rig), "a new device does not boot"); /* which may write its first record */
    sim_flash_copy(&before, &rig.sim);
    unsigned image = 0;
    for (now.update = 0; now.update < life->count; now.update++) {
        sweep_update(&rig, &before, &after_cut, &life->updates[now.update], &image);
    }
    sim_flash_free(&after_cut);
    sim_flash_free(&before);
    rig_close(&rig);
}

static void every_cut_of_every_update_leaves_a_device_that_boots_and_updates(void **state)
{
    (void)state;
    for (unsigned i = 0; i < IMAGE_COUNT; i++) {
        images[i].bytes = rig_load("image", image_files[i], &images[i].len);
    }
    for (size_t i = 0; i < sizeof(lives) / sizeof(lives[0]); i++) {
        sweep_life(&lives[i]);
    }
    for (unsigned i = 0; i < IMAGE_COUNT; i++) {
        free(images[i].bytes);
    }
    uint32_t total = 0;
    for (int tear = 0; tear < SIM_TEAR_COUNT; tear++) {
        uint32_t sum = 0;
        for (int phase = 0; phase < PHASE_COUNT; phase++) {
            assert_true(cut_counts[phase][tear] > 0);
            sum += cut_counts[phase][tear];
        }
        total += sum;
        print_message("power cuts, %-17s %5u (download %u, select %u, boot %u, confirm %u)\n",
                      tear_names[tear], sum, cut_counts[DOWNLOAD][tear], cut_counts[SELECT][tear],
                      cut_counts[BOOT][tear], cut_counts[CONFIRM][tear]);
    }
    print_message("power cuts in all: %u, and %u more in the boots after them\n", total, second_cut_count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cut_of_every_update_leaves_a_device_that_boots_and_updates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
