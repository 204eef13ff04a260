/*
 * Power cuts of whole HTTPS updates: every flash operation of the download through esp_https_ota, of otadata, of the boot and
 * of the confirmation is cut before, torn in two ways, and after; then power returns, the device must boot a complete
 * verified image, old or new, and take the next update to its end. Also with ota_resumption, where the update after the cut
 * goes on from what is in flash, and over connections that drop too.
 */
#include "unit/https_rig.h"

#define VERSIONS 3

static const uint32_t lengths[VERSIONS] = {9000, 13000, 5000};
static uint8_t *images[VERSIONS];

static const struct course {
    const char *name;
    const char *table;
    bool rollback, resumption, partial, drops, next_is_same; /* next: the update after the cut */
} courses[] = {
    {"plain", "two_ota_md5", false, false, false, false, false},
    {"rollback", "two_ota_md5", true, false, false, false, false},
    {"resumption, the same file again", "two_ota_md5", true, true, false, false, true},
    {"resumption, another file then", "two_ota_md5", true, true, false, false, false},
    {"resumption, no factory", "two_ota_nofactory_md5", true, true, false, false, true},
    {"resumption, without rollback", "two_ota_nofactory_md5", false, true, false, false, true},
    {"in ranges, over a bad link", "two_ota_md5", true, true, true, true, true},
};

typedef enum { DOWNLOAD, BOOT, CONFIRM, PHASE_COUNT } phase_t;

static const char *const tear_names[SIM_TEAR_COUNT] = {"before", "torn, a prefix", "torn, some bits", "after",
                                                       "lost in the cache"};
static uint32_t cut_counts[SIM_TEAR_COUNT][PHASE_COUNT], second_cuts, resumed_updates;

static struct {
    const struct course *course;
    unsigned update;
    uint32_t cut, second_cut;
    int tear;
    phase_t phase;
} now;

#define CHECK(condition, ...)                                                                                \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            print_message("replay: course \"%s\" update %u cut %u tear %d phase %d, second cut %u\n",        \
                          now.course->name, now.update, now.cut, now.tear, (int)now.phase, now.second_cut);  \
            fail_msg(__VA_ARGS__);                                                                           \
        }                                                                                                    \
    } while (0)

static bool boot_device(rig_t *rig)
{
    const otter_device_t old = rig->device;
    otter_boot_result_t result;
    otter_device_deinit(&rig->device);
    rig->flash.attested_len = 0;
    rig->fence_slot = NULL;
    otter_device_init(&rig->device, &rig->flash, &old.chip, &old.efuse, &old.config);
    return otter_boot(&rig->device, OTTER_BOOT_COMMIT, &result) == ESP_OK;
}

static bool run_update(rig_t *rig, unsigned version)
{
    char etag[8];
    snprintf(etag, sizeof(etag), "\"%u\"", version);
    web_t web = web_with(images[version], lengths[version]);
    web_config_t config;
    web.etag = etag;
    web.cut_at = now.course->drops ? 1500 : WEB_NEVER;
    web.cut_every = 2900;
    web_configure(&config, &web);
    config.ota.ota_resumption = now.course->resumption;
    config.ota.partial_http_download = now.course->partial;
    config.ota.max_http_request_size = 4000;
    now.phase = DOWNLOAD;
    rig->fence_slot = ota_get_next_update_partition(&rig->device, NULL);
    if (https_ota_run(&rig->device, &config.ota) != ESP_OK) {
        return false;
    }
    resumed_updates += rig->device.report.bytes_resumed > 0;
    now.phase = BOOT;
    if (!boot_device(rig)) {
        return false;
    }
    now.phase = CONFIRM;
    return ota_mark_app_valid_cancel_rollback(&rig->device) == ESP_OK;
}

/** The device came up with the old version or, if it could have been selected, with the new one; whole. */
static void check_running(const rig_t *rig, uint32_t old_address, unsigned old_version, unsigned new_version)
{
    const esp_partition_t *running = rig->device.running;
    CHECK(running != NULL, "nothing runs");
    unsigned version = running->address == old_address ? old_version : new_version;
    CHECK(web_slot_holds(rig, running, images[version], lengths[version]), "%s runs, damaged",
          running->label);
}

static void take_next_update(rig_t *rig, unsigned version)
{
    esp_ota_img_states_t state;
    if (ota_get_state_partition(&rig->device, rig->device.running, &state) == ESP_OK &&
        state == ESP_OTA_IMG_PENDING_VERIFY) {
        CHECK(ota_mark_app_valid_cancel_rollback(&rig->device) == ESP_OK,
              "the new image cannot confirm itself");
    }
    uint32_t slot = ota_get_next_update_partition(&rig->device, NULL)->address;
    CHECK(run_update(rig, version), "the device does not take the next update: %s", rig->device.report.why);
    CHECK(rig->device.running->address == slot, "the next update does not run");
    CHECK(web_slot_holds(rig, rig->device.running, images[version], lengths[version]),
          "the next update is damaged");
    CHECK(boot_device(rig) && rig->device.running->address == slot, "the next update does not stay");
}

/** The update after the cut is cut too, at some of its operations: what that leaves must boot as well. */
static void cut_next_update(rig_t *rig, const sim_flash_t *after_cut, uint32_t old_address,
                            unsigned old_version, unsigned new_version)
{
    for (now.second_cut = now.cut % 5;; now.second_cut += 5) {
        sim_flash_copy(&rig->sim, after_cut);
        CHECK(boot_device(rig), "the device does not boot");
        bool old_runs = rig->device.running->address == old_address;
        rig->sim.cut_at = rig->sim.ops + now.second_cut;
        rig->sim.tear = (sim_tear_t)(now.second_cut % SIM_TEAR_COUNT);
        bool updated = !old_runs || run_update(rig, new_version);
        if (!rig->sim.cut_fired) {
            CHECK(updated, "the update fails without a cut");
            rig->sim.cut_at = UINT32_MAX;
            return;
        }
        second_cuts++;
        sim_flash_power_on(&rig->sim);
        CHECK(boot_device(rig), "the device does not boot after the second cut");
        check_running(rig, old_address, old_version, new_version);
    }
}

static void cut_update(rig_t *rig, const sim_flash_t *before, sim_flash_t *after_cut, unsigned old_version,
                       unsigned new_version)
{
    sim_flash_copy(&rig->sim, before);
    CHECK(boot_device(rig), "the device does not boot");
    const uint32_t old_address = rig->device.running->address;
    rig->sim.cut_at = rig->sim.ops + now.cut;
    rig->sim.tear = (sim_tear_t)now.tear;
    bool updated = run_update(rig, new_version);
    CHECK(rig->sim.cut_fired, "no cut at this operation");
    const phase_t cut_in = now.phase;
    /* The very last write of a download only clears the progress: everything is done before it. */
    CHECK(!updated || now.course->resumption, "the update ends well although power went");
    cut_counts[now.tear][cut_in]++;
    sim_flash_power_on(&rig->sim);
    sim_flash_copy(after_cut, &rig->sim);
    if (now.tear == SIM_TEAR_BITS) {
        cut_next_update(rig, after_cut, old_address, old_version, new_version);
        sim_flash_copy(&rig->sim, after_cut);
    }
    CHECK(boot_device(rig), "the device does not boot");
    check_running(rig, old_address, old_version, new_version);
    bool new_runs = rig->device.running->address != old_address;
    take_next_update(rig, now.course->next_is_same && !new_runs ? new_version : (new_version + 1) % VERSIONS);
}

static void sweep_update(rig_t *rig, sim_flash_t *before, sim_flash_t *after_cut, unsigned old_version)
{
    const unsigned new_version = (old_version + 1) % VERSIONS;
    sim_flash_copy(&rig->sim, before);
    CHECK(boot_device(rig), "the device does not boot");
    uint32_t ops = rig->sim.ops;
    CHECK(run_update(rig, new_version), "the update fails without a cut: %s", rig->device.report.why);
    ops = rig->sim.ops - ops;
    for (now.cut = 0; now.cut < ops; now.cut++) {
        for (now.tear = 0; now.tear < SIM_TEAR_COUNT; now.tear++) {
            cut_update(rig, before, after_cut, old_version, new_version);
        }
    }
    sim_flash_copy(&rig->sim, before);
    CHECK(boot_device(rig) && run_update(rig, new_version), "the update fails without a cut");
    sim_flash_copy(before, &rig->sim);
}

static void sweep_course(const struct course *course)
{
    rig_t rig;
    now.course = course;
    rig_open(&rig, course->table, &(otter_device_config_t){.rollback = course->rollback});
    rig.untraced = rig.fenced = true;
    const esp_partition_t *factory = rig_named(&rig, "f");
    memcpy(rig.sim.bytes + (factory != NULL ? factory : rig_named(&rig, "0"))->address, images[0],
           lengths[0]);
    sim_flash_t before, after_cut;
    assert_true(sim_flash_init(&before, RIG_FLASH_SIZE) && sim_flash_init(&after_cut, RIG_FLASH_SIZE));
    CHECK(boot_device(&rig), "a new device does not boot");
    sim_flash_copy(&before, &rig.sim);
    for (now.update = 0; now.update < 3; now.update++) { /* into both slots, and back over the first */
        sweep_update(&rig, &before, &after_cut, now.update % VERSIONS);
    }
    sim_flash_free(&after_cut);
    sim_flash_free(&before);
    rig_close(&rig);
}

static void every_cut_of_every_https_update_leaves_a_device_that_boots_and_updates(void **state)
{
    (void)state;
    sim_clock_take();
    for (unsigned i = 0; i < VERSIONS; i++) {
        images[i] = web_image(lengths[i], (uint8_t)(i + 1));
    }
    for (size_t i = 0; i < COUNT(courses); i++) {
        sweep_course(&courses[i]);
    }
    uint32_t total = 0;
    for (int tear = 0; tear < SIM_TEAR_COUNT; tear++) {
        uint32_t *counts = cut_counts[tear], sum = counts[DOWNLOAD] + counts[BOOT] + counts[CONFIRM];
        assert_true(counts[DOWNLOAD] > 0 && counts[BOOT] > 0 && counts[CONFIRM] > 0);
        print_message("power cuts, %-17s %5u (download and switch %u, boot %u, confirm %u)\n",
                      tear_names[tear], sum, counts[DOWNLOAD], counts[BOOT], counts[CONFIRM]);
        total += sum;
    }
    print_message(
        "power cuts in all: %u, and %u more in the updates after them; %u updates went on where a cut had "
        "stopped them\n",
        total, second_cuts, resumed_updates);
    assert_true(resumed_updates > 0 && second_cuts > 0);
    for (unsigned i = 0; i < VERSIONS; i++) {
        free(images[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cut_of_every_https_update_leaves_a_device_that_boots_and_updates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
