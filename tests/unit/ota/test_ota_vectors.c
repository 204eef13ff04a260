/* The otadata calls against every recorded call sequence of four ESP-IDF versions; where otter differs, it says why. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ota/switch.h"
#include "support/ota_rig.h"

#define STEPS_RECORDED 106 /* in each of the versions */

static const char *const versions[] = {"v5.5.5", "v4.4.8", "v6.0.2", "HEAD"};

/* Where otter differs from ESP-IDF 5.5 on purpose (docs/DIFFERENCES.md): what it does instead. */
static const struct difference {
    const char *otadata, *ops; /* all of the sequence */
    bool rollback;
    int step;
    const char *trace; /* operations, joined with a space */
    const char *why;
} differences[] = {
#define BLANK20          "ffffffffffffffffffffffffffffffffffffffff"
#define SAME_SLOT_AFRESH "the same slot again gets a higher number, so that its new state takes effect"
    {"s0_1valid_s1_2valid", "set:1", false, 0,
     "erase 0xd000+0x1000 program 0xd000:04000000" BLANK20 "ffffffffa8689d70", SAME_SLOT_AFRESH},
    {"s0_1valid_s1_2valid", "set:1", true, 0,
     "erase 0xd000+0x1000 program 0xd000:04000000" BLANK20 "00000000a8689d70", SAME_SLOT_AFRESH},
    {"label_garbage", "set:1", false, 0,
     "erase 0xe000+0x1000 program 0xe000:04000000" BLANK20 "ffffffffa8689d70", SAME_SLOT_AFRESH},
    {"label_garbage", "set:1", true, 0,
     "erase 0xe000+0x1000 program 0xe000:04000000" BLANK20 "00000000a8689d70", SAME_SLOT_AFRESH},
    {"s0_3new_s1_2valid", "set:0", false, 0,
     "erase 0xd000+0x1000 program 0xd000:03000000" BLANK20 "ffffffff11504aed",
     "a selection that was never confirmed is rewritten in place: the other record is what a cut falls back "
     "to"},
    {"s0_3new_s1_2valid", "set:0", true, 0, "", "slot 0 is selected and NEW already: nothing to write"},
#define ACTIVE_LAST "the inactive record goes first, so that a cut finds the old decision or the new one"
    {"s0_1valid_s1_2valid", "set:f boot?", false, 0, "erase 0xd000+0x1000 erase 0xe000+0x1000", ACTIVE_LAST},
    {"s0_1valid_s1_2valid", "set:f boot?", true, 0, "erase 0xd000+0x1000 erase 0xe000+0x1000", ACTIVE_LAST},
#define NEVER_EQUAL                                                                                          \
    "the number is always above the active one's: 0 again would lose to record 0 and select nothing"
    {"seq0_rest_blank", "set:2", false, 0,
     "erase 0xe000+0x1000 program 0xe000:03000000" BLANK20 "ffffffff11504aed", NEVER_EQUAL},
    {"seq0_rest_blank", "set:2", true, 0,
     "erase 0xe000+0x1000 program 0xe000:03000000" BLANK20 "0000000011504aed", NEVER_EQUAL},
#define TAKEN_BACK "a selection that was taken back is replaced: it must not come up when the next one fails"
#define ONE_TWO    "set:0 set:1 set:0 set:1"
    {"blank", ONE_TWO, true, 1, "erase 0xd000+0x1000 program 0xd000:02000000" BLANK20 "000000007437f655",
     TAKEN_BACK},
    {"blank", ONE_TWO, true, 2, "erase 0xd000+0x1000 program 0xd000:03000000" BLANK20 "0000000011504aed",
     TAKEN_BACK},
    {"blank", ONE_TWO, true, 3, "erase 0xd000+0x1000 program 0xd000:04000000" BLANK20 "00000000a8689d70",
     TAKEN_BACK},
#define TO_AND_FRO "set:2 set:0 set:1 set:2 set:1"
    {"blank", TO_AND_FRO, true, 1, "erase 0xd000+0x1000 program 0xd000:04000000" BLANK20 "00000000a8689d70",
     TAKEN_BACK},
    {"blank", TO_AND_FRO, true, 2, "erase 0xe000+0x1000 program 0xe000:05000000" BLANK20 "00000000cd0f21c8",
     TAKEN_BACK},
    {"blank", TO_AND_FRO, true, 3, "erase 0xe000+0x1000 program 0xe000:06000000" BLANK20 "0000000023a094da",
     TAKEN_BACK},
    {"blank", TO_AND_FRO, true, 4, "erase 0xe000+0x1000 program 0xe000:08000000" BLANK20 "0000000010d74b3a",
     TAKEN_BACK},
};

#define DIFFERENCE_COUNT (sizeof(differences) / sizeof(differences[0]))

/** What one call of ours did, in the recording's terms. */
typedef struct {
    char trace[512], e0[65], e1[65];
    uint32_t ret;
} step_t;

static uint32_t address_of(const esp_partition_t *partition)
{
    return partition != NULL ? partition->address : 0;
}

/** The argument of "set:1". */
static const esp_partition_t *argument(const rig_t *rig, const char *op)
{
    return rig_named(rig, strchr(op, ':') + 1);
}

static esp_err_t run_op(rig_t *rig, const char *op)
{
    otter_device_t *device = &rig->device;
    if (strncmp(op, "set:", 4) == 0) {
        return otter_ota_set_boot_partition(device, argument(rig, op), NULL);
    }
    if (strcmp(op, "boot?") == 0) {
        rig_note(rig, "boot=0x%" PRIx32, address_of(otter_ota_get_boot_partition(device)));
        return ESP_OK;
    }
    if (strcmp(op, "next") == 0) {
        rig_note(rig, "next=0x%" PRIx32, address_of(otter_ota_get_next_update_partition(device, NULL)));
        return ESP_OK;
    }
    if (strcmp(op, "lastinv") == 0) {
        rig_note(rig, "lastinv=0x%" PRIx32, address_of(otter_ota_get_last_invalid_partition(device)));
        return ESP_OK;
    }
    if (strncmp(op, "state:", 6) == 0) {
        esp_ota_img_states_t state = ESP_OTA_IMG_UNDEFINED;
        esp_err_t err = otter_ota_get_state_partition(device, argument(rig, op), &state);
        rig_note(rig, "state=0x%x", (unsigned)state);
        return err;
    }
    if (strcmp(op, "valid") == 0) {
        return otter_ota_mark_app_valid_cancel_rollback(device, NULL);
    }
    if (strcmp(op, "invalid") == 0) {
        return otter_ota_mark_app_invalid_rollback(device, NULL);
    }
    static const struct {
        const char *op;
        esp_err_t (*call)(otter_device_t *device);
    } calls[] = {
        {"eraselast", otter_ota_erase_last_boot_app_partition},
        {"inval", otter_ota_invalidate_inactive_ota_data_slot},
    };
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        if (strcmp(op, calls[i].op) == 0) {
            return calls[i].call(device);
        }
    }
    assert_string_equal(op, "rbposs");
    return otter_ota_check_rollback_is_possible(device);
}

static void run_step(rig_t *rig, const char *op, step_t *step)
{
    rig_clear(rig);
    step->ret = (uint32_t)run_op(rig, op);
    step->trace[0] = '\0';
    for (uint32_t i = 0; i < rig->trace_count; i++) {
        size_t used = strlen(step->trace);
        snprintf(step->trace + used, sizeof(step->trace) - used, "%s%s", i > 0 ? " " : "", rig->trace[i]);
    }
    rig_hex(rig->sim.bytes + RIG_OTADATA, OTADATA_ENTRY_SIZE, step->e0);
    rig_hex(rig->sim.bytes + RIG_OTADATA + OTADATA_COPY_DISTANCE, OTADATA_ENTRY_SIZE, step->e1);
}

static bool is_as_recorded(const step_t *step, const cJSON *recorded)
{
    char trace[512] = "";
    const cJSON *line;
    cJSON_ArrayForEach(line, cJSON_GetObjectItem(recorded, "trace"))
    {
        size_t used = strlen(trace);
        snprintf(trace + used, sizeof(trace) - used, "%s%s", used > 0 ? " " : "", line->valuestring);
    }
    return step->ret == strtoul(rig_string(recorded, "ret"), NULL, 16) && strcmp(step->trace, trace) == 0 &&
           strcmp(step->e0, rig_string(recorded, "e0")) == 0 &&
           strcmp(step->e1, rig_string(recorded, "e1")) == 0;
}

static const struct difference *find_difference(const cJSON *row, int step)
{
    char ops[64] = "";
    const cJSON *op;
    cJSON_ArrayForEach(op, cJSON_GetObjectItem(row, "ops"))
    {
        size_t used = strlen(ops);
        snprintf(ops + used, sizeof(ops) - used, "%s%s", used > 0 ? " " : "", op->valuestring);
    }
    for (size_t i = 0; i < DIFFERENCE_COUNT; i++) {
        if (strcmp(differences[i].otadata, rig_string(row, "otadata")) == 0 && differences[i].step == step &&
            strcmp(differences[i].ops, ops) == 0 && differences[i].rollback == rig_bool(row, "rollback")) {
            return &differences[i];
        }
    }
    return NULL;
}

static void open_row(rig_t *rig, const cJSON *row)
{
    char file[64], loadable[32];
    rig_open(rig, rig_string(row, "ptable"), &(otter_device_config_t){.rollback = rig_bool(row, "rollback")});
    snprintf(file, sizeof(file), "%s.bin", rig_string(row, "otadata"));
    rig_place(rig, RIG_OTADATA, "otadata", file);
    snprintf(loadable, sizeof(loadable), "%s", rig_string(row, "loadable"));
    for (char *name = strtok(loadable, ","); name != NULL; name = strtok(NULL, ",")) {
        rig_place(rig, rig_named(rig, name)->address, "image", "esp32_valid.bin");
    }
    rig->device.running = rig_named(rig, rig_string(row, "running"));
}

/** One sequence beside what the versions did; counts agreements per version. Ours are 5.5's, or a named difference. */
static void check_row(const cJSON *row, uint32_t agreed[4], uint32_t *steps)
{
    rig_t rig;
    open_row(&rig, row);
    const cJSON *op;
    int at = 0;
    cJSON_ArrayForEach(op, cJSON_GetObjectItem(row, "ops"))
    {
        step_t step;
        run_step(&rig, op->valuestring, &step);
        for (size_t v = 0; v < 4; v++) {
            const cJSON *list = cJSON_GetObjectItem(row, versions[v]);
            const cJSON *recorded =
                cJSON_GetArrayItem(list != NULL ? list : cJSON_GetObjectItem(row, "v6.0.2"), at);
            assert_string_equal(rig_string(recorded, "op"), op->valuestring);
            bool same = is_as_recorded(&step, recorded);
            agreed[v] += same;
            if (same) {
                continue;
            }
            print_message("differs from %s: %s, %s, rollback %d: ours \"%s\" -> 0x%x\n", versions[v],
                          rig_string(row, "otadata"), op->valuestring, rig_bool(row, "rollback"), step.trace,
                          (unsigned)step.ret);
            const struct difference *named = find_difference(row, at);
            if (v == 0 && (named == NULL || strcmp(named->trace, step.trace) != 0 || step.ret != ESP_OK)) {
                fail_msg("this difference has no reason");
            }
        }
        at++;
        (*steps)++;
    }
    rig_close(&rig);
}

static void calls_do_what_was_recorded(void **state)
{
    (void)state;
    cJSON *rows = rig_json("otadata", "expected_ops.json");
    uint32_t agreed[4] = {0}, steps = 0;
    const cJSON *row;
    cJSON_ArrayForEach(row, rows)
    {
        check_row(row, agreed, &steps);
    }
    for (size_t v = 0; v < 4; v++) {
        print_message("%s: %u of %u steps the same\n", versions[v], agreed[v], steps);
    }
    assert_int_equal(steps, STEPS_RECORDED);
    assert_int_equal(agreed[0], STEPS_RECORDED - DIFFERENCE_COUNT);
    cJSON_Delete(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(calls_do_what_was_recorded)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
