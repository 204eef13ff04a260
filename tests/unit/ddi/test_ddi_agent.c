/* What the agent does with what a server offers, asks and refuses: windows, cancellations, quotas, tokens, other hosts. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/ddi_rig.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static int set_up(void **state)
{
    ddi_rig_t *rig = malloc(sizeof(*rig));
    assert_non_null(rig);
    ddi_rig_open(rig);
    *state = rig;
    return 0;
}

static int tear_down(void **state)
{
    ddi_rig_t *rig = *state;
    const bool good = !rig->lied && rig->server.fleet.complaints == 0 && !rig->token_left_home;
    if (!good) {
        print_error("%s\n%s\n%s", rig->server.fleet.complaint, rig->said, rig->server.log);
    }
    ddi_rig_close(rig);
    free(rig);
    return good ? 0 : -1;
}

#define RIG_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static void steps(ddi_rig_t *rig, unsigned count)
{
    while (count-- > 0) {
        ddi_rig_step(rig);
    }
}

static unsigned count_of(const char *text, const char *piece)
{
    unsigned count = 0;
    for (const char *at = text; (at = strstr(at, piece)) != NULL; at++) {
        count++;
    }
    return count;
}

/* ---- when it installs ---- */

/* One client told a maintenance window that was not open yet as success, and the server believed it. */
static void a_window_that_is_not_open_keeps_the_image_and_tells_no_end(void **state)
{
    ddi_rig_t *rig = *state;
    fleet_action_t *action = ddi_rig_assign(rig, "7");
    action->update = "skip";
    steps(rig, 60);
    assert_int_equal(action->status, FLEET_RUNNING);
    assert_int_equal(action->closings, 0);
    assert_int_equal(rig->fetches, 1);
    assert_int_equal(count_of(rig->server.log, "downloaded"), 1);
    assert_int_equal(count_of(rig->server.log, "GET deploymentBase"), 2);
    action->update = "forced"; /* it opens */
    action->changes++;
    assert_true(ddi_rig_run(rig, 100));
    assert_int_equal(action->status, FLEET_FINISHED);
    assert_int_equal(rig->fetches, 1);
}

static void an_image_kept_for_a_window_outlives_a_restart(void **state)
{
    ddi_rig_t *rig = *state;
    fleet_action_t *action = ddi_rig_assign(rig, "7");
    action->update = "skip";
    steps(rig, 20);
    ddi_rig_restart(rig);
    steps(rig, 20);
    action->update = "forced";
    action->changes++;
    assert_true(ddi_rig_run(rig, 100));
    assert_int_equal(action->status, FLEET_FINISHED);
    assert_int_equal(rig->fetches, 1);
}

static void download_only_ends_with_the_download(void **state)
{
    ddi_rig_t *rig = *state;
    fleet_action_t *action = ddi_rig_assign(rig, "7");
    action->update = "skip";
    action->order.mode = FLEET_DOWNLOAD_ONLY;
    assert_true(ddi_rig_run(rig, 100));
    assert_int_equal(action->closings, 0);
    assert_int_equal(rig->installs, 0);
}

static void a_soft_offer_is_taken_at_once_or_waits_for_a_word(void **state)
{
    ddi_rig_t *rig = *state;
    fleet_action_t *action = ddi_rig_assign(rig, "7");
    action->download = action->update = "attempt";
    rig->config.soft = OTTER_DDI_HOLD;
    steps(rig, 40);
    assert_int_equal(action->status, FLEET_RUNNING);
    assert_int_equal(rig->fetches, 1);
    otter_ddi_allow(&rig->agent);
    assert_true(ddi_rig_run(rig, 100));
    assert_int_equal(action->status, FLEET_FINISHED);
    fleet_action_t *next = ddi_rig_assign(rig, "8"); /* what runs already: nothing is fetched */
    next->download = next->update = "attempt";
    assert_true(ddi_rig_run(rig, 100));
    assert_int_equal(next->status, FLEET_FINISHED);
    assert_int_equal(rig->fetches, 1);
}

static void a_confirmation_is_given_held_or_denied(void **state)
{
    static const struct {
        otter_ddi_policy_t policy;
        fleet_status_t status;
        unsigned answers;
    } rows[] = {{OTTER_DDI_HOLD, FLEET_CONFIRM, 0},
                {OTTER_DDI_DENY, FLEET_CONFIRM, 1},
                {OTTER_DDI_NOW, FLEET_FINISHED, 1}};
    ddi_rig_t *rig = *state;
    fleet_action_t *action = ddi_rig_assign(rig, "7");
    for (size_t i = 0; i < COUNT(rows); i++) {
        action->status = FLEET_CONFIRM;
        action->changes++;
        rig->config.confirmation = rows[i].policy;
        rig->server.log[0] = '\0';
        steps(rig, 60);
        assert_int_equal(action->status, rows[i].status);
        assert_int_equal(count_of(rig->server.log, "POST confirmationBase"), rows[i].answers);
    }
}

/* ---- what is refused ---- */

static void what_runs_is_never_installed_again(void **state)
{
    static const struct {
        const char *id;
        bool sha1_only;
    } rows[] = {{"7", false}, {"8", false}, {"7", true}, {"-1", true}};
    ddi_rig_t *rig = *state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        fleet_action_t *action = ddi_rig_assign(rig, rows[i].id);
        ddi_rig_release(rig, action)->sha1_only = rows[i].sha1_only;
        assert_true(ddi_rig_run(rig, 100));
        assert_int_equal(action->status, FLEET_FINISHED);
        assert_int_equal(rig->installs, 1);
        assert_int_equal(rig->fetches, 1);
        steps(rig, 3);
    }
}

static void an_end_that_the_server_forgets_is_told_again_not_repeated(void **state)
{
    ddi_rig_t *rig = *state;
    fleet_action_t *action = ddi_rig_assign(rig, "7");
    rig->crashes = true;
    assert_true(ddi_rig_run(rig, 100));
    action->status = FLEET_RUNNING; /* yesterday's action again, before a poll without it */
    rig->agent.record.phase = 4;
    rig->agent.record.acknowledged = 1;
    assert_true(ddi_rig_run(rig, 100));
    assert_int_equal(action->status, FLEET_FAILED);
    assert_int_equal(rig->installs, 1);
    assert_non_null(strstr(action->detail, "was rolled back"));
}

static void failures_that_may_pass_stay_open_and_others_end_the_action(void **state)
{
    static const struct {
        otter_stage_t stage;
        uint32_t times, give_up_s;
        fleet_status_t status;
    } rows[] = {
        {OTTER_STAGE_CONNECT, 5, 0, FLEET_FINISHED},
        {OTTER_STAGE_REQUEST, 3, 0, FLEET_FINISHED},
        {OTTER_STAGE_DOWNLOAD, 2, 0, FLEET_FINISHED},
        {OTTER_STAGE_CONNECT, UINT32_MAX, 7200, FLEET_FAILED},
        {OTTER_STAGE_GATE, UINT32_MAX, 0, FLEET_FAILED},
        {OTTER_STAGE_VERIFY, UINT32_MAX, 0, FLEET_FAILED},
        {OTTER_STAGE_CONFIG, UINT32_MAX, 0, FLEET_FAILED},
    };
    ddi_rig_t *rig = *state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        ddi_rig_close(rig);
        ddi_rig_open(rig);
        fleet_action_t *action = ddi_rig_assign(rig, "7");
        rig->fetch_err = ESP_FAIL;
        rig->fetch_stage = rows[i].stage;
        rig->fetch_fails = rows[i].times;
        rig->config.give_up_s = rows[i].give_up_s;
        const int64_t before = rig->now_ms;
        assert_true(ddi_rig_run(rig, 1000));
        assert_int_equal(action->status, rows[i].status);
        if (rows[i].give_up_s > 0) { /* no busy loop, and no end before its time */
            assert_true(rig->now_ms - before >= rows[i].give_up_s * INT64_C(1000));
            assert_true(rig->fetches < 30);
        }
        if (rows[i].status == FLEET_FAILED) {
            assert_non_null(strstr(action->detail, "as the test says"));
        }
        assert_false(rig->lied);
    }
}

static void an_offer_that_cannot_be_taken_is_told_with_its_reason(void **state)
{
    static const struct {
        const char *body, *why;
    } rows[] = {
        {"{\"id\":\"7\",\"deployment\":{\"download\":\"forced\",\"update\":\"forced\",\"chunks\":[]}}",
         "no file"},
        {"{\"id\":\"7\",\"deployment\":{\"download\":\"forced\",\"update\":\"forced\",\"chunks\":[{\"part\":"
         "\"os\","
         "\"artifacts\":[{\"size\":5,\"_links\":{\"download\":{\"href\":\"https://x/y\"}}}]}]}}",
         "SHA-256 or SHA-1"},
        {"{\"id\":\"7\",\"deployment\":{\"download\":\"forced\",\"update\":\"forced\",\"chunks\":[{\"part\":"
         "\"os\","
         "\"artifacts\":[{\"size\":5},{\"size\":6}]}]}}",
         "one has to be named as an image"},
    };
    ddi_rig_t *rig = *state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        ddi_rig_close(rig);
        ddi_rig_open(rig);
        fleet_action_t *action = ddi_rig_assign(rig, "7");
        ddi_rig_step(rig); /* the poll */
        rig->server.fails = 1;
        rig->server.fail_status = 200;
        rig->server.fail_body = rows[i].body;
        assert_true(ddi_rig_run(rig, 20));
        assert_int_equal(action->status, FLEET_FAILED);
        assert_non_null(strstr(action->detail, rows[i].why));
        assert_int_equal(rig->fetches, 0);
    }
}

#define SHA1 "da39a3ee5e6b4b0d3255bfef95601890afd80709"

static void the_part_that_the_device_has_is_the_one_that_counts(void **state)
{
    static const char fs[] = "{\"part\":\"fs\",\"artifacts\":[{\"filename\":\"a.bin\",\"size\":3}]},";
    static const char notes[] = "{\"filename\":\"notes.txt\",\"size\":3,\"hashes\":{\"sha1\":\"" SHA1
                                "\"},\"_links\":{\"download\":{\"href\":\"https://x/notes\"}}},";
    static const struct {
        const char *part, *chunks, *files, *ending;
        bool others;
        const char *why; /* NULL: it is installed */
    } rows[] = {
        {"radio", NULL, NULL, NULL, false, "no file is for this part of the device: os"},
        {"os", fs, NULL, NULL, false, "another part of the device: fs"},
        {"os", fs, NULL, NULL, true, NULL},
        {"os", fs, notes, NULL, true, NULL},
        {NULL, fs, NULL, NULL, false, "several chunks could be"},
        {NULL, NULL, notes, NULL, false, NULL},
        {NULL, NULL, notes, ".img", false, "one has to be named as an image"},
        {NULL, NULL, notes, ".txt", false, "verify: the file's digest"},
    };
    ddi_rig_t *rig = *state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        ddi_rig_close(rig);
        ddi_rig_open(rig);
        rig->config.part = rows[i].part;
        rig->config.ending = rows[i].ending;
        rig->config.others = rows[i].others;
        fleet_action_t *action = ddi_rig_assign(rig, "7");
        ddi_rig_release(rig, action)->chunks_before = rows[i].chunks;
        ddi_rig_release(rig, action)->files_before = rows[i].files;
        assert_true(ddi_rig_run(rig, 100));
        if (action->status != (rows[i].why == NULL ? FLEET_FINISHED : FLEET_FAILED) ||
            (rows[i].why != NULL && strstr(action->detail, rows[i].why) == NULL)) {
            fail_msg("row %zu: status %d, %s\n%s", i, action->status, action->detail, rig->server.log);
        }
    }
}

/** A server whose offer is another one each time that it is asked for again is not asked for ever. */
static void an_offer_that_changes_while_it_is_read_waits_for_the_next_poll(void **state)
{
    static const char notes[] = "{\"filename\":\"notes.txt\",\"size\":3},";
    ddi_rig_t *rig = *state;
    fleet_action_t *action = ddi_rig_assign(rig, "7");
    const int64_t from_ms = rig->now_ms;
    for (int i = 0; i < 20; i++) {
        otter_ddi_order_kind_t kind = ddi_rig_step(rig);
        if (kind == OTTER_DDI_WAIT) {
            break;
        }
        ddi_rig_release(rig, action)->files_before =
            strstr(rig->server.log, "deploymentBase/7") == NULL ? notes : NULL;
        assert_int_not_equal(kind, OTTER_DDI_FETCH);
    }
    assert_true(rig->now_ms > from_ms);
    assert_true(ddi_rig_run(rig, 100));
    assert_int_equal(action->status, FLEET_FINISHED);
}

/** A device that is about to restart may be seen as it was: it is not told to restart again while it does. */
static void a_restart_on_its_way_is_awaited(void **state)
{
    ddi_rig_t *rig = *state;
    otter_ddi_order_t order;
    (void)ddi_rig_assign(rig, "7");
    do {
        if (rig->fetches == 0 || strstr(rig->server.log, "downloaded") == NULL) {
            ddi_rig_step(rig);
            continue;
        }
        otter_ddi_next(&rig->agent, rig->now_ms, &order);
        if (order.kind == OTTER_DDI_REQUEST) { /* what it tells before */
            otter_ddi_answer(&rig->agent, 200);
            otter_ddi_answered(&rig->agent, rig->now_ms);
        }
    } while (strstr(rig->said, "restart: ") == NULL);
    for (; rig->now_ms < 590000; rig->now_ms += 10000) {
        otter_ddi_changed(&rig->agent);
        otter_ddi_next(&rig->agent, rig->now_ms, &order);
        assert_int_not_equal(order.kind, OTTER_DDI_RESTART);
        if (order.kind == OTTER_DDI_REQUEST) {
            otter_ddi_unanswered(&rig->agent, rig->now_ms, "lost");
        }
    }
    rig->now_ms += 700000; /* it did not come */
    for (int i = 0; i < 3 && order.kind != OTTER_DDI_RESTART; i++) {
        otter_ddi_next(&rig->agent, rig->now_ms, &order);
        if (order.kind == OTTER_DDI_REQUEST) {
            otter_ddi_unanswered(&rig->agent, rig->now_ms, "lost");
            rig->now_ms += 700000;
        }
    }
    assert_int_equal(order.kind, OTTER_DDI_RESTART);
}

/* ---- cancellations ---- */

/** Cancels when the agent has made `at` steps. @return false: it was over before */
static bool try_cancelling(ddi_rig_t *rig, unsigned at)
{
    ddi_rig_close(rig);
    ddi_rig_open(rig);
    fleet_action_t *action = ddi_rig_assign(rig, "7");
    steps(rig, at);
    if (action->status != FLEET_RUNNING) {
        return false;
    }
    action->status = FLEET_CANCELING;
    const bool ended = ddi_rig_run(rig, 100);
    const bool installed = ddi_rig_runs_new(rig);
    if (!ended || action->status != (installed ? FLEET_FINISHED : FLEET_CANCELED) || rig->lied) {
        fail_msg("cancelled after %u steps: status %d, %s\n%s%s", at, action->status,
                 installed ? "installed" : "not installed", rig->said, rig->server.log);
    }
    return true;
}

static void a_cancellation_at_any_step_ends_in_the_truth(void **state)
{
    unsigned at = 0;
    while (try_cancelling(*state, at)) {
        at++;
    }
    assert_true(at > 6);
}

static void an_action_that_the_server_ends_by_itself_is_dropped(void **state)
{
    ddi_rig_t *rig = *state;
    fleet_action_t *action = ddi_rig_assign(rig, "7");
    action->update = "skip";
    steps(rig, 12);
    action->status = FLEET_CANCELED; /* by force */
    steps(rig, 20);
    assert_true(otter_ddi_is_idle(&rig->agent));
    assert_int_equal(rig->installs, 0);
    fleet_action_t *next = ddi_rig_assign(rig, "8");
    assert_true(ddi_rig_run(rig, 100));
    assert_int_equal(next->status, FLEET_FINISHED);
}

static void a_device_that_the_server_has_deleted_drops_what_it_had_to_tell(void **state)
{
    ddi_rig_t *rig = *state;
    ddi_rig_assign(rig, "7");
    while (rig->installs == 0) {
        ddi_rig_step(rig);
    }
    ddi_rig_target(rig)->deleted = true;
    steps(rig, 30);
    assert_true(otter_ddi_is_idle(&rig->agent));
    assert_int_equal(count_of(rig->server.log, "closed success"), 0);
}

/* ---- answers that are none ---- */

static void a_server_in_trouble_is_left_alone_and_loses_nothing(void **state)
{
    static const struct {
        int status;
        const char *body;
        uint32_t times, least_s; /* until it is asked again at the end */
    } rows[] = {
        {401, NULL, 12, 3600},   {403, NULL, 3, 60},           {409, NULL, 5, 1},
        {429, "", 6, 16},        {500, NULL, 5, 240},          {503, "<html>", 12, 300},
        {200, "<html>", 6, 300}, {200, "{\"_links\":", 2, 30}, {302, NULL, 3, 60},
    };
    ddi_rig_t *rig = *state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        ddi_rig_close(rig);
        ddi_rig_open(rig);
        fleet_action_t *action = ddi_rig_assign(rig, "7");
        rig->server.fails = rows[i].times;
        rig->server.fail_status = rows[i].status;
        rig->server.fail_body = rows[i].body;
        while (rig->server.fails > 1) {
            ddi_rig_step(rig);
        }
        const int64_t before = rig->now_ms;
        while (rig->server.fails > 0) {
            ddi_rig_step(rig);
        }
        if (rig->now_ms - before < rows[i].least_s * INT64_C(1000)) {
            fail_msg("%d: asked again after %d ms", rows[i].status, (int)(rig->now_ms - before));
        }
        assert_true(ddi_rig_run(rig, 100));
        assert_int_equal(action->status, FLEET_FINISHED);
    }
}

static void a_used_up_quota_ends_what_may_be_left_out_and_not_the_end(void **state)
{
    ddi_rig_t *rig = *state;
    fleet_action_t *action = ddi_rig_assign(rig, "7");
    action->order.quota = 2;
    assert_true(ddi_rig_run(rig, 100));
    assert_int_equal(action->status, FLEET_FINISHED);
    assert_int_equal(action->closings, 1);
}

static void a_closing_that_is_not_taken_does_not_stop_the_polls(void **state)
{
    ddi_rig_t *rig = *state;
    ddi_rig_assign(rig, "7");
    while (rig->installs == 0) {
        ddi_rig_step(rig);
    }
    rig->server.fails = 1;
    rig->server.fail_status = 400;
    const uint32_t polls = ddi_rig_target(rig)->polls;
    while (rig->server.fails > 0) {
        ddi_rig_step(rig);
    }
    steps(rig, 10);
    assert_true(ddi_rig_target(rig)->polls > polls);
    assert_true(ddi_rig_run(rig, 100));
    assert_int_equal(rig->server.fleet.actions[0].status, FLEET_FINISHED);
}

static void nothing_is_done_where_the_record_cannot_be_written(void **state)
{
    ddi_rig_t *rig = *state;
    fleet_action_t *action = ddi_rig_assign(rig, "7");
    rig->records_fail = 20;
    while (rig->records_fail > 0) {
        ddi_rig_step(rig);
    }
    assert_int_equal(rig->installs, 0);
    assert_true(rig->now_ms > 600000); /* no busy loop */
    assert_true(ddi_rig_run(rig, 200));
    assert_int_equal(action->status, FLEET_FINISHED);
}

/* ---- hosts and tokens ---- */

static void the_token_goes_to_the_server_alone(void **state)
{
    static const char *const links[] = {
        "https://cdn.example/app.bin",        "http://fleet.example:8443/app.bin",
        "https://fleet.example/app.bin",      "https://fleet.example:8444/app.bin",
        "https://fleet.example.evil/app.bin", "https://fleet.example:8443@evil.example/app.bin",
    };
    ddi_rig_t *rig = *state;
    for (size_t i = 0; i < COUNT(links); i++) {
        ddi_rig_close(rig);
        ddi_rig_open(rig);
        fleet_action_t *action = ddi_rig_assign(rig, "7");
        ddi_rig_release(rig, action)->link = links[i];
        assert_true(ddi_rig_run(rig, 100));
        assert_int_equal(action->status, FLEET_FINISHED);
        if (rig->token_left_home) {
            fail_msg("the token may go to %s", links[i]);
        }
    }
}

static void a_link_of_the_api_to_another_host_is_asked_for_at_home(void **state)
{
    ddi_rig_t *rig = *state;
    fleet_action_t *action = ddi_rig_assign(rig, "7");
    rig->server.fails = 1;
    rig->server.fail_status = 200;
    rig->server.fail_body =
        "{\"_links\":{\"deploymentBase\":{\"href\":\"http://localhost:18443/DEFAULT/controller/v1/dev-1/"
        "deploymentBase/7?c=0\"}}}";
    assert_true(ddi_rig_run(rig, 100));
    assert_int_equal(action->status, FLEET_FINISHED);
}

/* ---- polls ---- */

static void polls_keep_to_what_the_server_says_within_bounds(void **state)
{
    static const struct {
        const char *sleep;
        int64_t seconds;
    } rows[] = {{"00:05:00", 300}, {"00:00:01", 10}, {"P30D", 604800}, {"PT1H", 3600}, {"never", 3600}};
    ddi_rig_t *rig = *state;
    ddi_rig_target(rig)->has_attributes = true;
    for (size_t i = 0; i < COUNT(rows); i++) {
        rig->server.fleet.sleep = rows[i].sleep;
        uint32_t polls = ddi_rig_target(rig)->polls;
        while (ddi_rig_target(rig)->polls == polls) {
            ddi_rig_step(rig);
        }
        const int64_t before = rig->now_ms;
        polls = ddi_rig_target(rig)->polls;
        while (ddi_rig_target(rig)->polls == polls) {
            ddi_rig_step(rig);
        }
        const int64_t waited_ms = rig->now_ms - before;
        if (waited_ms < rows[i].seconds * 900 || waited_ms > rows[i].seconds * 1100) {
            fail_msg("%s: waited %d ms", rows[i].sleep, (int)waited_ms);
        }
    }
}

/* A fleet that gets its power back at one moment: the most polls in any second. */
static void ten_thousand_devices_do_not_come_at_once(void **state)
{
    enum { DEVICES = 10000, SECONDS = 60 };
    ddi_rig_t *rig = *state;
    static uint32_t polls[SECONDS + 1];
    uint32_t most = 0;
    memset(polls, 0, sizeof(polls));
    rig->config.at_once = false;
    for (uint32_t i = 0; i < DEVICES; i++) {
        otter_ddi_order_t order;
        int64_t now_ms = 0;
        rig->config.seed = i + 1;
        assert_int_equal(otter_ddi_start(&rig->agent, &rig->config, 0, NULL), ESP_OK);
        otter_ddi_next(&rig->agent, now_ms, &order);
        while (order.kind == OTTER_DDI_WAIT) {
            now_ms += order.wait_ms;
            otter_ddi_next(&rig->agent, now_ms, &order);
        }
        assert_int_equal(order.kind, OTTER_DDI_REQUEST);
        assert_true(now_ms <= SECONDS * 1000);
        polls[now_ms / 1000]++;
    }
    for (size_t i = 0; i < COUNT(polls); i++) {
        most = polls[i] > most ? polls[i] : most;
    }
    assert_true(most < 250); /* 167 on average */
}

static void attributes_are_told_when_asked_and_unasked_after_a_change(void **state)
{
    static const otter_ddi_attribute_t attributes[] = {{"sw_version", "1.0 \"a\""},
                                                       {"hw_boardname", "b\xC3\xBC"}};
    ddi_rig_t *rig = *state;
    rig->config.attributes = attributes;
    rig->config.attribute_count = 2;
    ddi_rig_restart(rig);
    steps(rig, 10);
    assert_non_null(strstr(ddi_rig_target(rig)->attributes, "\"sw_version\":\"1.0 \\u0022a\\u0022\""));
    assert_int_equal(count_of(rig->server.log, "PUT configData"), 1);
    ddi_rig_assign(rig, "7");
    assert_true(ddi_rig_run(rig, 100));
    steps(rig, 4);
    assert_int_equal(count_of(rig->server.log, "PUT configData"), 2);
    assert_non_null(strstr(ddi_rig_target(rig)->attributes, "\"slot\":\"ota_"));
}

/* ---- the beginning ---- */

static void what_cannot_be_begun_says_why(void **state)
{
    static char long_id[200];
    ddi_rig_t *rig = *state;
    memset(long_id, 'x', sizeof(long_id) - 1);
    const struct {
        const char *server, *tenant, *id, *why;
    } rows[] = {
        {"fleet.example", "T", "a", "no URL"},
        {DDI_RIG_SERVER, "", "a", "a tenant"},
        {DDI_RIG_SERVER, "T", "", "1 to 128"},
        {DDI_RIG_SERVER, "T", long_id, "1 to 128"},
        {DDI_RIG_SERVER, "T", "a/b", "blank or '/'"},
        {DDI_RIG_SERVER, "T", "a b", "blank"},
        {DDI_RIG_SERVER, long_id, long_id + 100, "too long"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        otter_fault_t fault = {0};
        otter_ddi_config_t config = rig->config;
        config.server = rows[i].server;
        config.tenant = rows[i].tenant;
        config.id = rows[i].id;
        assert_int_equal(otter_ddi_start(&rig->agent, &config, 0, &fault), ESP_ERR_INVALID_ARG);
        if (strstr(fault.why, rows[i].why) == NULL) {
            fail_msg("row %zu: %s", i, fault.why);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(a_window_that_is_not_open_keeps_the_image_and_tells_no_end),
        RIG_TEST(an_image_kept_for_a_window_outlives_a_restart),
        RIG_TEST(download_only_ends_with_the_download),
        RIG_TEST(a_soft_offer_is_taken_at_once_or_waits_for_a_word),
        RIG_TEST(a_confirmation_is_given_held_or_denied),
        RIG_TEST(what_runs_is_never_installed_again),
        RIG_TEST(an_end_that_the_server_forgets_is_told_again_not_repeated),
        RIG_TEST(failures_that_may_pass_stay_open_and_others_end_the_action),
        RIG_TEST(an_offer_that_cannot_be_taken_is_told_with_its_reason),
        RIG_TEST(the_part_that_the_device_has_is_the_one_that_counts),
        RIG_TEST(a_restart_on_its_way_is_awaited),
        RIG_TEST(an_offer_that_changes_while_it_is_read_waits_for_the_next_poll),
        RIG_TEST(a_cancellation_at_any_step_ends_in_the_truth),
        RIG_TEST(an_action_that_the_server_ends_by_itself_is_dropped),
        RIG_TEST(a_device_that_the_server_has_deleted_drops_what_it_had_to_tell),
        RIG_TEST(a_server_in_trouble_is_left_alone_and_loses_nothing),
        RIG_TEST(a_used_up_quota_ends_what_may_be_left_out_and_not_the_end),
        RIG_TEST(a_closing_that_is_not_taken_does_not_stop_the_polls),
        RIG_TEST(nothing_is_done_where_the_record_cannot_be_written),
        RIG_TEST(the_token_goes_to_the_server_alone),
        RIG_TEST(a_link_of_the_api_to_another_host_is_asked_for_at_home),
        RIG_TEST(polls_keep_to_what_the_server_says_within_bounds),
        RIG_TEST(ten_thousand_devices_do_not_come_at_once),
        RIG_TEST(attributes_are_told_when_asked_and_unasked_after_a_change),
        RIG_TEST(what_cannot_be_begun_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
