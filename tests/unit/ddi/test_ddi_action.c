/* The agent on a device that boots, against a server that knows the truth: updates, rollbacks, lost answers, lost power. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "otter/ota_ops.h"
#include "support/ddi_rig.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static ddi_rig_t *open_rig(void)
{
    ddi_rig_t *rig = malloc(sizeof(*rig));
    assert_non_null(rig);
    ddi_rig_open(rig);
    return rig;
}

static ddi_rig_t *open_rig_with_data(void)
{
    ddi_rig_t *rig = open_rig();
    ddi_rig_take_data(rig);
    return rig;
}

static void close_rig(ddi_rig_t *rig)
{
    ddi_rig_close(rig);
    free(rig);
}

/** One action from its beginning to its end tells the truth, whatever failed in between. */
static void assert_ended(ddi_rig_t *rig, const fleet_action_t *action, fleet_status_t status,
                         uint32_t installs, const char *trial)
{
    if (action->status != status || rig->installs != installs || rig->lied ||
        rig->server.fleet.complaints > 0) {
        fail_msg("%s: status %d, %" PRIu32 " installs%s, %s\n%s%s", trial, action->status, rig->installs,
                 rig->lied ? ", the server was told what is not true" : "",
                 rig->server.fleet.complaints > 0 ? rig->server.fleet.complaint : "no complaint", rig->said,
                 rig->server.log);
    }
}

static void a_good_image_is_installed_once_and_told(void **state)
{
    (void)state;
    ddi_rig_t *rig = open_rig();
    fleet_action_t *action = ddi_rig_assign(rig, "7");
    assert_true(ddi_rig_run(rig, 100));
    assert_ended(rig, action, FLEET_FINISHED, 1, "plain");
    assert_int_equal(action->closings, 1);
    assert_non_null(strstr(rig->server.log, "downloaded none"));
    assert_non_null(strstr(action->detail, "runs and is confirmed"));
    assert_non_null(strstr(ddi_rig_target(rig)->attributes, "\"last_update\":\"success\""));
    close_rig(rig);
}

static void an_image_that_is_rolled_back_is_told_as_a_failure(void **state)
{
    (void)state;
    ddi_rig_t *rig = open_rig();
    fleet_action_t *action = ddi_rig_assign(rig, "7");
    rig->crashes = true;
    assert_true(ddi_rig_run(rig, 100));
    assert_ended(rig, action, FLEET_FAILED, 1, "crashes");
    assert_non_null(strstr(action->detail, "was rolled back"));
    close_rig(rig);
}

/** Up to the trial of the new image, which the test has in its hands. */
static fleet_action_t *begin_trial(ddi_rig_t *rig)
{
    fleet_action_t *action = ddi_rig_assign(rig, "7");
    rig->waits = true;
    for (int i = 0; i < 60; i++) {
        ddi_rig_step(rig);
    }
    assert_int_equal(rig->installs, 1);
    assert_int_equal(action->closings, 0); /* whatever was asked meanwhile */
    assert_int_equal(action->status, FLEET_RUNNING);
    return action;
}

static void an_image_on_trial_is_told_when_it_is_confirmed(void **state)
{
    (void)state;
    ddi_rig_t *rig = open_rig();
    fleet_action_t *action = begin_trial(rig);
    assert_int_equal(otter_ota_mark_app_valid_cancel_rollback(rig->device, NULL), ESP_OK);
    otter_ddi_changed(&rig->agent);
    assert_true(ddi_rig_run(rig, 100));
    assert_ended(rig, action, FLEET_FINISHED, 1, "confirmed late");
    close_rig(rig);
}

static void an_image_that_loses_power_on_trial_is_told_as_rolled_back(void **state)
{
    (void)state;
    ddi_rig_t *rig = open_rig();
    fleet_action_t *action = begin_trial(rig);
    ddi_rig_restart(rig);
    assert_true(ddi_rig_run(rig, 100));
    assert_ended(rig, action, FLEET_FAILED, 1, "reset on trial");
    close_rig(rig);
}

static void a_cancellation_during_the_trial_is_rejected(void **state)
{
    (void)state;
    ddi_rig_t *rig = open_rig();
    fleet_action_t *action = begin_trial(rig);
    action->status = FLEET_CANCELING;
    for (int i = 0; i < 60; i++) {
        ddi_rig_step(rig);
    }
    assert_int_equal(action->status, FLEET_RUNNING);
    assert_non_null(strstr(rig->server.log, "rejected none"));
    assert_int_equal(otter_ota_mark_app_valid_cancel_rollback(rig->device, NULL), ESP_OK);
    assert_true(ddi_rig_run(rig, 100));
    assert_ended(rig, action, FLEET_FINISHED, 1, "cancelled too late");
    close_rig(rig);
}

/** @return the number of the request that tells how an action ended */
static uint32_t find_closing(bool crashes)
{
    ddi_rig_t *rig = open_rig();
    const fleet_action_t *action = ddi_rig_assign(rig, "7");
    rig->crashes = crashes;
    while (action->closings == 0) {
        ddi_rig_step(rig);
    }
    const uint32_t number = rig->server.requests - 1;
    close_rig(rig);
    return number;
}

static void the_last_word_outlives_a_restart(void **state)
{
    (void)state;
    for (int crashes = 0; crashes <= 1; crashes++) {
        ddi_rig_t *rig = open_rig();
        fleet_action_t *action = ddi_rig_assign(rig, "7");
        rig->crashes = crashes != 0;
        rig->lose_at = find_closing(rig->crashes);
        rig->lose_count = 1;
        while (rig->server.requests <= rig->lose_at) {
            ddi_rig_step(rig);
        }
        ddi_rig_restart(rig);
        assert_int_equal(action->closings, 0);
        assert_true(ddi_rig_run(rig, 100));
        assert_ended(rig, action, crashes ? FLEET_FAILED : FLEET_FINISHED, 1, "restarted");
        assert_int_equal(action->closings, 1);
        close_rig(rig);
    }
}

/** Runs an action with one thing going wrong; `loses` requests are lost from `at` on. */
static bool try_losing(ddi_loss_t loss, uint32_t at, uint32_t loses, bool crashes, bool data)
{
    char trial[80];
    ddi_rig_t *rig = data ? open_rig_with_data() : open_rig();
    fleet_action_t *action = ddi_rig_assign(rig, "7");
    rig->loss = loss;
    rig->lose_at = at;
    rig->lose_count = loses;
    rig->crashes = crashes;
    snprintf(trial, sizeof(trial), "loss %d of %" PRIu32 " from request %" PRIu32, loss, loses, at);
    const bool ended = ddi_rig_run(rig, 400);
    assert_ended(rig, action, crashes ? FLEET_FAILED : FLEET_FINISHED, 1, trial);
    assert_true(ended);
    assert_true(!data || (rig->stores == 1 && ddi_rig_has_new_data(rig)));
    const bool more = rig->server.requests > at;
    close_rig(rig);
    return more;
}

/* One client installed the same action four times because three answers to its closing feedback were lost. */
static void each_lost_request_and_answer_leaves_one_install(void **state)
{
    (void)state;
    static const uint32_t loses[] = {1, 3, 7};
    for (ddi_loss_t loss = DDI_LOSE_REQUEST; loss <= DDI_LOSE_HALF_ANSWER; loss++) {
        for (size_t i = 0; i < COUNT(loses); i++) {
            for (uint32_t at = 0; try_losing(loss, at, loses[i], false, false); at++) {
            }
            for (uint32_t at = 0; try_losing(loss, at, loses[i], true, false); at++) {
            }
            for (uint32_t at = 0; try_losing(loss, at, loses[i], false, true); at++) {
            }
        }
    }
}

/** Runs an action with power failing at one operation of flash. @return false: it had fewer operations */
static bool try_cutting(sim_tear_t tear, uint32_t at, bool crashes, bool data)
{
    char trial[80];
    ddi_rig_t *rig = data ? open_rig_with_data() : open_rig();
    sim_flash_t *sim = &rig->session.rig.sim;
    fleet_action_t *action = ddi_rig_assign(rig, "7");
    rig->crashes = crashes;
    sim->cut_at = sim->ops + at;
    sim->tear = tear;
    sim->tear_weak = at % 2 == 0;
    sim->random = at + 1;
    sim->noise = at + 7;
    snprintf(trial, sizeof(trial), "power cut at operation %" PRIu32 ", tear %d", at, tear);
    const bool ended = ddi_rig_run(rig, 400);
    /* A trial whose first boot is cut is given up by the bootloader: that is a rollback, and is told as one. */
    const bool gave_up = action->status == FLEET_FAILED && !ddi_rig_runs_new(rig) && sim->cut_fired;
    if (!gave_up || rig->installs > 1) {
        assert_ended(rig, action, crashes ? FLEET_FAILED : FLEET_FINISHED, rig->installs, trial);
        assert_true(rig->installs <= 1);
    }
    if (rig->lied || !ended || rig->server.fleet.complaints > 0) {
        fail_msg("%s: lied %d, ended %d, %s\n%s%s", trial, rig->lied, ended, rig->server.fleet.complaint,
                 rig->said, rig->server.log);
    }
    assert_true(!data || ddi_rig_has_new_data(rig)); /* whatever became of the image: it came before */
    const bool more = sim->cut_fired;
    close_rig(rig);
    return more;
}

static void power_that_fails_at_any_operation_leaves_the_truth(void **state)
{
    (void)state;
    for (sim_tear_t tear = SIM_TEAR_BEFORE; tear <= SIM_TEAR_AFTER; tear++) {
        uint32_t at = 0;
        while (try_cutting(tear, at, false, false)) {
            at++;
        }
        assert_true(at > 10); /* the record's and the image's operations were among them */
        for (at = 0; try_cutting(tear, at, true, false); at++) {
        }
    }
}

static void power_that_fails_at_any_operation_of_two_images_leaves_the_truth(void **state)
{
    (void)state;
    for (sim_tear_t tear = SIM_TEAR_BEFORE; tear <= SIM_TEAR_AFTER; tear++) {
        uint32_t at = 0;
        while (try_cutting(tear, at, false, true)) {
            at++;
        }
        assert_true(at > 20); /* those of the files, their journal and their copy, too */
        for (at = 0; try_cutting(tear, at, true, true); at++) {
        }
    }
}

/* ---- files for a data partition ---- */

static void files_for_a_data_partition_are_installed_before_the_image(void **state)
{
    (void)state;
    ddi_rig_t *rig = open_rig_with_data();
    fleet_action_t *action = ddi_rig_assign(rig, "7");
    while (rig->installs == 0) {
        assert_int_equal(action->closings, 0);
        ddi_rig_step(rig);
    }
    assert_true(ddi_rig_has_new_data(rig));
    assert_true(ddi_rig_run(rig, 100));
    assert_ended(rig, action, FLEET_FINISHED, 1, "two images");
    assert_int_equal(rig->stores, 1);
    assert_int_equal(rig->fetches, 2);
    assert_non_null(strstr(rig->said, "stored: action 7: 3001 bytes in phy_init"));
    close_rig(rig);
}

static void files_that_are_there_and_an_image_that_runs_are_left_alone(void **state)
{
    (void)state;
    ddi_rig_t *rig = open_rig_with_data();
    ddi_rig_assign(rig, "7");
    assert_true(ddi_rig_run(rig, 100));
    fleet_action_t *action = ddi_rig_assign(rig, "8"); /* the same, once more */
    assert_true(ddi_rig_run(rig, 100));
    assert_ended(rig, action, FLEET_FINISHED, 1, "nothing new");
    assert_int_equal(rig->fetches, 2);
    rig->data[0] ^= 1; /* now the image is the same, and the files are not */
    action = ddi_rig_assign(rig, "9");
    assert_true(ddi_rig_run(rig, 100));
    assert_ended(rig, action, FLEET_FINISHED, 1, "new files, the same image");
    assert_int_equal(rig->stores, 2);
    assert_int_equal(rig->fetches, 3);
    rig->data[0] ^= 1;
    action = ddi_rig_assign(rig, "10");
    ddi_rig_release(rig, action)->bytes = NULL; /* an offer of files alone */
    assert_true(ddi_rig_run(rig, 100));
    assert_ended(rig, action, FLEET_FINISHED, 1, "files alone");
    assert_int_equal(rig->stores, 3);
    close_rig(rig);
}

/** An id may come again, as goosebit's does: what it is about counts. */
static void the_same_id_with_other_files_is_another_action(void **state)
{
    (void)state;
    ddi_rig_t *rig = open_rig_with_data();
    fleet_action_t *action = ddi_rig_assign(rig, "-1");
    assert_true(ddi_rig_run(rig, 100));
    rig->data[0] ^= 1;
    action->status = FLEET_RUNNING;
    assert_true(ddi_rig_run(rig, 100));
    assert_ended(rig, action, FLEET_FINISHED, 1, "other files");
    assert_int_equal(rig->stores, 2);
    close_rig(rig);
}

static void a_failure_or_cancellation_behind_installed_files_says_so(void **state)
{
    (void)state;
    static const char truth[] = "but its data may be installed";
    ddi_rig_t *rig = open_rig_with_data();
    fleet_action_t *action = ddi_rig_assign(rig, "7");
    rig->crashes = true;
    assert_true(ddi_rig_run(rig, 100));
    assert_ended(rig, action, FLEET_FAILED, 1, "rolled back");
    assert_non_null(strstr(action->detail, "was rolled back"));
    assert_non_null(strstr(action->detail, truth));
    close_rig(rig);

    rig = open_rig_with_data();
    action = ddi_rig_assign(rig, "7");
    while (rig->stores == 0) {
        ddi_rig_step(rig);
    }
    action->status = FLEET_CANCELING;
    ddi_rig_restart(rig);
    assert_true(ddi_rig_run(rig, 100));
    assert_ended(rig, action, FLEET_CANCELED, 0, "cancelled between the two");
    assert_non_null(strstr(action->detail, truth));
    close_rig(rig);
}

/** What only a window lets in is not put into its place before, and there is no other place for it. */
static void files_wait_for_the_window_that_their_installing_waits_for(void **state)
{
    (void)state;
    ddi_rig_t *rig = open_rig_with_data();
    fleet_action_t *action = ddi_rig_assign(rig, "7");
    action->update = "skip";
    for (int i = 0; i < 40; i++) {
        ddi_rig_step(rig);
    }
    assert_int_equal(rig->fetches, 0);
    assert_true(otter_ddi_is_idle(&rig->agent));
    assert_int_equal(action->status, FLEET_RUNNING);
    action->update = "forced";
    action->changes++;
    assert_true(ddi_rig_run(rig, 100));
    assert_ended(rig, action, FLEET_FINISHED, 1, "in the window");
    close_rig(rig);
}

/** A file that is not what was announced leaves the old ones in their place. */
static void files_that_are_not_what_was_announced_are_refused(void **state)
{
    (void)state;
    ddi_rig_t *rig = open_rig_with_data();
    uint8_t *told = malloc(rig->data_len);
    assert_non_null(told);
    memcpy(told, rig->data, rig->data_len);
    told[2000] ^= 1;
    fleet_action_t *action = ddi_rig_assign(rig, "7");
    ddi_rig_release(rig, action)[1].bytes = told;
    assert_true(ddi_rig_run(rig, 100));
    assert_ended(rig, action, FLEET_FAILED, 0, "another file");
    assert_non_null(strstr(action->detail, "verify: the file's digest"));
    assert_false(ddi_rig_has_new_data(rig));
    free(told);
    close_rig(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_image_is_installed_once_and_told),
        cmocka_unit_test(an_image_that_is_rolled_back_is_told_as_a_failure),
        cmocka_unit_test(an_image_on_trial_is_told_when_it_is_confirmed),
        cmocka_unit_test(an_image_that_loses_power_on_trial_is_told_as_rolled_back),
        cmocka_unit_test(a_cancellation_during_the_trial_is_rejected),
        cmocka_unit_test(the_last_word_outlives_a_restart),
        cmocka_unit_test(each_lost_request_and_answer_leaves_one_install),
        cmocka_unit_test(power_that_fails_at_any_operation_leaves_the_truth),
        cmocka_unit_test(power_that_fails_at_any_operation_of_two_images_leaves_the_truth),
        cmocka_unit_test(files_for_a_data_partition_are_installed_before_the_image),
        cmocka_unit_test(files_that_are_there_and_an_image_that_runs_are_left_alone),
        cmocka_unit_test(the_same_id_with_other_files_is_another_action),
        cmocka_unit_test(a_failure_or_cancellation_behind_installed_files_says_so),
        cmocka_unit_test(files_wait_for_the_window_that_their_installing_waits_for),
        cmocka_unit_test(files_that_are_not_what_was_announced_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
