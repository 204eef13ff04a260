/* The fleet's server in memory: what it offers, what it takes, what it refuses, and rollouts that stop by themselves. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fleet/server.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define BASE        "https://fleet.example/DEFAULT/controller/v1/"
#define SUCCESS                                                                                              \
    "{\"status\":{\"execution\":\"closed\",\"result\":{\"finished\":\"success\"},\"details\":[\"ok\"]}}"
#define FAILURE                                                                                              \
    "{\"status\":{\"execution\":\"closed\",\"result\":{\"finished\":\"failure\"},\"details\":[\"no\"],"      \
    "\"code\":5}}"
#define FEEDBACK(word)                                                                                       \
    "{\"status\":{\"execution\":\"" word "\",\"result\":{\"finished\":\"none\"},\"details\":[\"x\"]}}"

static uint8_t bytes[100];
static fleet_release_t release = {
    .version = "2.0.0", .part = "os", .name = "app.bin", .bytes = bytes, .size = 100};
static fleet_server_t server;
static fleet_answer_t answer;
static int64_t now_ms;

static int set_up(void **state)
{
    (void)state;
    fleet_server_init(&server);
    server.base = "https://fleet.example";
    server.token = "secret";
    now_ms = 0;
    return fleet_release_hash(&release) && fleet_server_add(&server, "a") == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    fleet_server_free(&server);
    return 0;
}

static int ask(const char *method, const char *path, const char *body)
{
    char url[256];
    snprintf(url, sizeof(url), BASE "%s", path);
    const fleet_request_t request = {.method = method,
                                     .url = url,
                                     .authorization = "GatewayToken secret",
                                     .type = body != NULL ? "application/json" : NULL,
                                     .body = body};
    fleet_server_handle(&server, now_ms, &request, &answer);
    return answer.status;
}

static bool says(const char *piece)
{
    return strstr(answer.text, piece) != NULL;
}

static fleet_action_t *assign(const fleet_order_t *order)
{
    const uint32_t id = fleet_server_assign(&server, now_ms, 0, &release, order);
    assert_int_not_equal(id, 0);
    return &server.actions[id - 1];
}

/* ---- who asks ---- */

static void only_the_token_opens_and_makes_devices_known(void **state)
{
    (void)state;
    static const char *const headers[] = {
        NULL,          "", "GatewayToken", "GatewayToken secre", "GatewayToken secret2", "TargetToken secret",
        "Basic secret"};
    for (size_t i = 0; i < COUNT(headers); i++) {
        const fleet_request_t request = {.method = "GET", .url = BASE "b", .authorization = headers[i]};
        fleet_server_handle(&server, now_ms, &request, &answer);
        assert_int_equal(answer.status, 401);
        assert_string_equal(answer.text, "");
        assert_int_equal(server.target_count, 1);
    }
    assert_int_equal(server.complaints, COUNT(headers));
    assert_int_equal(ask("GET", "b", NULL), 200);
    assert_int_equal(ask("GET", "b", NULL), 200);
    assert_int_equal(server.target_count, 2);
    assert_int_equal(ask("GET", "c/configData", NULL), 404); /* only a poll makes known */
    server.targets[1].deleted = true;
    assert_int_equal(ask("GET", "b", NULL), 404);
}

static void thousands_of_devices_are_told_apart(void **state)
{
    (void)state;
    char id[16];
    for (uint32_t i = 0; i < 5000; i++) {
        snprintf(id, sizeof(id), "d%" PRIu32, i);
        assert_int_equal(fleet_server_add(&server, id), i + 1);
        assert_int_equal(fleet_server_add(&server, id), FLEET_NONE);
    }
    for (uint32_t i = 0; i < 5000; i++) {
        snprintf(id, sizeof(id), "d%" PRIu32, i);
        assert_int_equal(fleet_server_find(&server, id, strlen(id)), i + 1);
    }
    assert_int_equal(fleet_server_find(&server, "d5000", 5), FLEET_NONE);
}

static void too_many_requests_in_a_second_are_refused_without_a_word(void **state)
{
    (void)state;
    server.rate = 3;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(ask("GET", "a", NULL), i < 3 ? 200 : 429);
    }
    assert_string_equal(answer.text, "");
    now_ms = 1000;
    assert_int_equal(ask("GET", "a", NULL), 200);
    assert_int_equal(server.load.refused, 2);
    assert_int_equal(server.load.most_requests, 5);
    assert_int_equal(server.complaints, 0);
}

/* ---- what is offered ---- */

static void a_poll_asks_for_attributes_until_they_come(void **state)
{
    (void)state;
    assert_int_equal(ask("GET", "a", NULL), 200);
    assert_string_equal(
        answer.text,
        "{\"config\":{\"polling\":{\"sleep\":\"00:05:00\"}},\"_links\":{\"configData\":{\"href\":\"" BASE
        "a/configData\"}}}");
    assert_int_equal(ask("PUT", "a/configData", "{\"mode\":\"merge\",\"data\":{\"sw_version\":\"1\"}}"), 200);
    assert_int_equal(ask("GET", "a", NULL), 200);
    assert_string_equal(answer.text, "{\"config\":{\"polling\":{\"sleep\":\"00:05:00\"}}}");
}

static void the_file_is_there_for_whom_it_is_assigned_to(void **state)
{
    (void)state;
    assign(&(fleet_order_t){0});
    assert_int_equal(ask("GET", "a", NULL), 200);
    assert_true(says("deploymentBase/1?c=0"));
    assert_int_equal(ask("GET", "a/deploymentBase/1?c=0", NULL), 200);
    assert_true(says("\"download\":\"forced\",\"update\":\"forced\",\"chunks\""));
    assert_true(says("\"size\":100,") &&
                says("\"sha256\":\"cd00e292c5970d3c5e2f0ffa5171e555bc46bfc4faddfb4a418b6840b86e79a3\""));
    assert_true(says(BASE "a/softwaremodules/1/artifacts/app.bin\""));
    assert_int_equal(ask("GET", "a/softwaremodules/1/artifacts/app.bin", NULL), 200);
    assert_ptr_equal(answer.file, &release);
    assert_int_equal(server.complaints, 0);
    assert_int_equal(ask("GET", "b", NULL), 200);
    assert_int_equal(ask("GET", "b/softwaremodules/1/artifacts/app.bin", NULL), 404);
    assert_null(answer.file);
    assert_int_equal(ask("GET", "b/deploymentBase/1", NULL), 404);
    assert_int_equal(ask("GET", "a/deploymentBase/2", NULL), 404);
}

static void a_maintenance_window_opens_and_closes(void **state)
{
    (void)state;
    const fleet_action_t *action =
        assign(&(fleet_order_t){.window_from_ms = 600000, .window_until_ms = 1200000});
    static const struct {
        int64_t at_ms;
        const char *sleep, *link, *update;
    } rows[] = {
        {0, "00:03:20", "deploymentBase/1?c=0", "\"update\":\"skip\",\"maintenanceWindow\":\"unavailable\""},
        {590000, "00:00:30", "deploymentBase/1?c=1",
         "\"update\":\"skip\",\"maintenanceWindow\":\"unavailable\""},
        {600000, "00:05:00", "deploymentBase/1?c=2",
         "\"update\":\"forced\",\"maintenanceWindow\":\"available\""},
        {1199999, "00:05:00", "deploymentBase/1?c=2",
         "\"update\":\"forced\",\"maintenanceWindow\":\"available\""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        now_ms = rows[i].at_ms;
        assert_int_equal(ask("GET", "a", NULL), 200);
        assert_true(says(rows[i].sleep) && says(rows[i].link));
        assert_int_equal(ask("GET", "a/deploymentBase/1", NULL), 200);
        assert_true(says(rows[i].update));
        assert_int_equal(ask("POST", "a/deploymentBase/1/feedback", FEEDBACK("downloaded")), 200);
        assert_int_equal(action->status, FLEET_RUNNING);
    }
    now_ms = 1200000;
    assert_int_equal(ask("GET", "a", NULL), 200);
    assert_true(says("cancelAction/1\""));
}

static void each_way_to_carry_it_out_has_its_words(void **state)
{
    (void)state;
    static const struct {
        fleet_order_t order;
        const char *words;
    } rows[] = {
        {{.mode = FLEET_SOFT}, "\"download\":\"attempt\",\"update\":\"attempt\""},
        {{.mode = FLEET_TIMEFORCED, .force_at_ms = 9}, "\"download\":\"attempt\",\"update\":\"attempt\""},
        {{.mode = FLEET_TIMEFORCED, .force_at_ms = 0}, "\"download\":\"forced\",\"update\":\"forced\""},
        {{.mode = FLEET_DOWNLOAD_ONLY}, "\"download\":\"forced\",\"update\":\"skip\""},
        {{.mode = FLEET_DOWNLOAD_FIRST}, "\"download\":\"skip\",\"update\":\"skip\""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char path[48];
        const uint32_t id = fleet_server_assign(&server, now_ms, 0, &release, &rows[i].order);
        snprintf(path, sizeof(path), "a/deploymentBase/%" PRIu32, id);
        assert_int_equal(ask("GET", path, NULL), 200);
        assert_true(says(rows[i].words));
    }
}

static void a_forced_time_changes_the_offer_when_it_comes(void **state)
{
    (void)state;
    const fleet_action_t *action = assign(&(fleet_order_t){.mode = FLEET_TIMEFORCED, .force_at_ms = 5000});
    assert_int_equal(ask("GET", "a/deploymentBase/1", NULL), 200);
    assert_true(says("\"update\":\"attempt\""));
    now_ms = 5000;
    assert_int_equal(ask("GET", "a", NULL), 200);
    assert_true(says("?c=1"));
    assert_int_equal(ask("GET", "a/deploymentBase/1", NULL), 200);
    assert_true(says("\"update\":\"forced\""));
    assert_int_equal(action->changes, 1);
}

/* ---- what is told ---- */

static void what_no_device_should_send_is_refused_and_kept(void **state)
{
    (void)state;
    static const struct {
        const char *method, *path, *body;
        int status;
    } rows[] = {
        {"POST", "a/deploymentBase/1/feedback", "", 400},
        {"POST", "a/deploymentBase/1/feedback", "{\"status\":{", 400},
        {"POST", "a/deploymentBase/1/feedback", "{}", 400},
        {"POST", "a/deploymentBase/1/feedback", SUCCESS "x", 400},
        {"POST", "a/deploymentBase/1/feedback", FEEDBACK("done"), 400},
        {"POST", "a/deploymentBase/1/feedback", FEEDBACK("close"), 400},
        {"POST", "a/deploymentBase/1/feedback",
         "{\"status\":{\"execution\":\"closed\",\"result\":{\"finished\":\"success\"},\"details\":\"x\"}}",
         400},
        {"POST", "a/deploymentBase/1/feedback",
         "{\"status\":{\"execution\":\"closed\",\"result\":{\"finished\":\"success\"},\"details\":[1]}}",
         400},
        {"POST", "a/deploymentBase/1/feedback",
         "{\"status\":{\"execution\":\"closed\",\"result\":{},\"details\":[]}}", 400},
        {"GET", "a/deploymentBase/1/feedback", NULL, 405},
        {"PUT", "a/deploymentBase/1/feedback", SUCCESS, 405},
        {"POST", "a/deploymentBase/1", SUCCESS, 405},
        {"POST", "a", SUCCESS, 405},
        {"POST", "a/configData", "{\"mode\":\"merge\",\"data\":{\"a\":\"b\"}}", 405},
        {"PUT", "a/configData", "{\"mode\":\"merge\",\"data\":{}}", 400},
        {"PUT", "a/configData", "{\"mode\":\"merge\",\"data\":[\"a\"]}", 400},
        {"PUT", "a/configData", "{\"mode\":\"replace\",\"data\":{\"a\":\"b\"}}", 400},
        {"PUT", "a/configData", "{\"mode\":\"merge\",\"data\":{\"a\":1}}", 400},
        {"POST", "a/cancelAction/1/feedback", SUCCESS, 405},
        {"POST", "a/deploymentBase/-1/feedback", SUCCESS, 404},
        {"POST", "a/deploymentBase/99999999999999999999/feedback", SUCCESS, 404},
        {"POST", "a/deploymentBase/x/feedback", SUCCESS, 404},
        {"GET", "a/nothing", NULL, 404},
        {"GET", "a/softwaremodules/1/artifacts/app.bin.MD5", NULL, 404},
        {"POST", "a/confirmationBase/1/feedback", "{\"confirmation\":\"perhaps\",\"details\":[]}", 400},
    };
    const fleet_action_t *action = assign(&(fleet_order_t){0});
    for (size_t i = 0; i < COUNT(rows); i++) {
        const uint64_t before = server.complaints;
        if (ask(rows[i].method, rows[i].path, rows[i].body) != rows[i].status ||
            server.complaints != before + 1) {
            fail_msg("row %zu: %d", i, answer.status);
        }
        assert_int_equal(action->status, FLEET_RUNNING);
    }
    const fleet_request_t plain = {.method = "POST",
                                   .url = BASE "a/deploymentBase/1/feedback",
                                   .authorization = "GatewayToken secret",
                                   .body = SUCCESS};
    fleet_server_handle(&server, now_ms, &plain, &answer);
    assert_int_equal(answer.status, 415);
}

static void an_action_ends_once(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        fleet_status_t status;
    } rows[] = {{SUCCESS, FLEET_FINISHED}, {FAILURE, FLEET_FAILED}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        char path[48];
        const uint32_t id = fleet_server_assign(&server, now_ms, 0, &release, &(fleet_order_t){0});
        snprintf(path, sizeof(path), "a/deploymentBase/%" PRIu32 "/feedback", id);
        const fleet_action_t *action = &server.actions[id - 1];
        assert_int_equal(ask("POST", path, FEEDBACK("proceeding")), 200);
        assert_int_equal(ask("POST", path, FEEDBACK("rejected")), 200); /* a warning */
        assert_int_equal(action->status, FLEET_RUNNING);
        assert_int_equal(ask("POST", path, rows[i].body), 200);
        assert_int_equal(action->status, rows[i].status);
        assert_int_equal(ask("POST", path, FAILURE), 410);
        assert_int_equal(ask("POST", path, FEEDBACK("proceeding")), 410);
        assert_int_equal(action->status, rows[i].status);
        assert_int_equal(action->closings, 1);
    }
    assert_int_equal(server.actions[1].code, 5);
    assert_int_equal(server.complaints, 0);
}

static void a_download_ends_an_action_that_is_only_for_it(void **state)
{
    (void)state;
    const fleet_action_t *action = assign(&(fleet_order_t){.mode = FLEET_DOWNLOAD_ONLY});
    assert_int_equal(ask("POST", "a/deploymentBase/1/feedback", FEEDBACK("downloaded")), 200);
    assert_int_equal(action->status, FLEET_FINISHED);
    assert_int_equal(ask("POST", "a/deploymentBase/1/feedback", SUCCESS), 410);
}

static void quotas_are_named_and_leave_room_for_the_end(void **state)
{
    (void)state;
    static char many[16 * 1024];
    const fleet_action_t *action = assign(&(fleet_order_t){.quota = 3});
    for (int i = 0; i < 6; i++) {
        assert_int_equal(ask("POST", "a/deploymentBase/1/feedback", FEEDBACK("proceeding")),
                         i < 3 ? 200 : 429);
    }
    assert_true(says("hawkbit.server.error.quota.tooManyEntries"));
    size_t used = (size_t)sprintf(
        many,
        "{\"status\":{\"execution\":\"closed\",\"result\":{\"finished\":\"success\"},\"details\":[\"0\"");
    for (int i = 1; i < 51; i++) {
        used += (size_t)sprintf(many + used, ",\"%d\"", i);
    }
    snprintf(many + used, sizeof(many) - used, "]}}");
    assert_int_equal(ask("POST", "a/deploymentBase/1/feedback", many), 429); /* 51 details */
    assert_int_equal(action->status, FLEET_RUNNING);
    used = (size_t)sprintf(many, "{\"mode\":\"merge\",\"data\":{\"0\":\"\"");
    for (int i = 1; i < 101; i++) {
        used += (size_t)sprintf(many + used, ",\"%d\":\"\"", i);
    }
    snprintf(many + used, sizeof(many) - used, "}}");
    assert_int_equal(ask("PUT", "a/configData", many), 429); /* 101 attributes */
    assert_int_equal(ask("POST", "a/deploymentBase/1/feedback", SUCCESS), 200);
    assert_int_equal(action->status, FLEET_FINISHED);
}

/* ---- asked first, and asked to stop ---- */

static void a_device_that_is_asked_first_may_deny(void **state)
{
    (void)state;
    const fleet_action_t *action = assign(&(fleet_order_t){.confirm = true});
    assert_int_equal(ask("GET", "a", NULL), 200);
    assert_true(says("confirmationBase/1?c=0"));
    assert_int_equal(ask("GET", "a/confirmationBase/1", NULL), 200);
    assert_true(says("\"confirmation\":{\"download\":\"forced\""));
    assert_int_equal(ask("GET", "a/deploymentBase/1", NULL), 404);
    assert_int_equal(
        ask("POST", "a/confirmationBase/1/feedback", "{\"confirmation\":\"denied\",\"details\":[]}"), 200);
    assert_int_equal(action->status, FLEET_CONFIRM);
    assert_int_equal(
        ask("POST", "a/confirmationBase/1/feedback", "{\"confirmation\":\"confirmed\",\"details\":[]}"), 200);
    assert_int_equal(action->status, FLEET_RUNNING);
    assert_int_equal(ask("GET", "a/deploymentBase/1", NULL), 200);
    assert_int_equal(ask("GET", "a/confirmationBase/1", NULL), 404);
}

static void a_cancellation_is_granted_or_rejected_and_told_twice_if_need_be(void **state)
{
    (void)state;
    const fleet_action_t *action = assign(&(fleet_order_t){0});
    fleet_server_cancel(&server, 1);
    assert_int_equal(ask("GET", "a", NULL), 200);
    assert_true(says("cancelAction/1\""));
    assert_int_equal(ask("GET", "a/deploymentBase/1", NULL), 404);
    assert_int_equal(ask("GET", "a/cancelAction/1", NULL), 200);
    assert_string_equal(answer.text, "{\"id\":\"1\",\"cancelAction\":{\"stopId\":\"1\"}}");
    for (int i = 0; i < 2; i++) { /* the first answer may have been lost */
        assert_int_equal(ask("POST", "a/cancelAction/1/feedback", FEEDBACK("rejected")), 200);
        assert_int_equal(action->status, FLEET_RUNNING);
    }
    fleet_server_cancel(&server, 1);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(ask("POST", "a/cancelAction/1/feedback", SUCCESS), 200);
        assert_int_equal(action->status, FLEET_CANCELED);
    }
    assert_int_equal(ask("POST", "a/deploymentBase/1/feedback", SUCCESS), 410);
    assert_int_equal(server.complaints, 0);
}

static void what_is_told_of_its_end_while_it_is_cancelled_counts(void **state)
{
    (void)state;
    const fleet_action_t *action = assign(&(fleet_order_t){0});
    fleet_server_cancel(&server, 1);
    assert_int_equal(ask("POST", "a/deploymentBase/1/feedback", SUCCESS), 200);
    assert_int_equal(action->status, FLEET_FINISHED);
}

static void a_new_assignment_cancels_what_was_there_and_waits_behind_it(void **state)
{
    (void)state;
    assign(&(fleet_order_t){0});
    assign(&(fleet_order_t){0});
    assert_int_equal(ask("GET", "a", NULL), 200);
    assert_true(says("cancelAction/1\""));
    assert_int_equal(ask("POST", "a/cancelAction/1/feedback", SUCCESS), 200);
    assert_int_equal(ask("GET", "a", NULL), 200);
    assert_true(says("deploymentBase/2?c=0"));
}

/* ---- rollouts ---- */

/** Twenty devices; the next `count` ones of the open actions end in this way. */
static void end_some(uint32_t count, const char *body)
{
    for (uint32_t i = 0; i < server.action_count && count > 0; i++) {
        char path[64];
        if (fleet_action_is_open(&server.actions[i])) {
            snprintf(path, sizeof(path), "%s/deploymentBase/%" PRIu32 "/feedback",
                     server.targets[server.actions[i].device].id, i + 1);
            assert_int_equal(ask("POST", path, body), 200);
            count--;
        }
    }
    assert_int_equal(count, 0);
    now_ms += 2000;
    fleet_server_tick(&server, now_ms);
}

static fleet_rollout_t *begin_rollout(uint32_t success, uint32_t error)
{
    char id[8];
    for (int i = 1; i < 20; i++) {
        snprintf(id, sizeof(id), "d%d", i);
        assert_int_equal(fleet_server_add(&server, id), i);
    }
    const fleet_plan_t plan = {.release = &release,
                               .percent = {10, 40, 50},
                               .group_count = 3,
                               .success_percent = success,
                               .error_percent = error};
    assert_int_equal(fleet_server_roll_out(&server, now_ms, &plan), 0);
    assert_int_equal(server.action_count, 0);
    fleet_server_tick(&server, now_ms);
    assert_int_equal(server.action_count, 2);
    return &server.rollouts[0];
}

static void the_next_group_starts_when_enough_of_one_have_succeeded(void **state)
{
    (void)state;
    const fleet_rollout_t *rollout = begin_rollout(75, 50);
    end_some(1, SUCCESS);
    assert_int_equal(server.action_count, 2);
    end_some(1, SUCCESS);
    assert_int_equal(server.action_count, 10);
    end_some(5, SUCCESS);
    end_some(1, FAILURE);
    assert_int_equal(server.action_count, 10); /* 5 of 8 are too few */
    end_some(1, SUCCESS);
    assert_int_equal(server.action_count, 20); /* 6 of 8, though one is still open */
    end_some(11, SUCCESS);
    assert_int_equal(rollout->progress, FLEET_ENDED);
    assert_int_equal(rollout->groups[1].failed, 1);
    assert_true(rollout->ended_ms > 0);
}

static void a_rollout_stops_by_itself_when_too_many_have_failed(void **state)
{
    (void)state;
    const fleet_rollout_t *rollout = begin_rollout(50, 25);
    end_some(2, SUCCESS);
    end_some(1, FAILURE);
    assert_int_equal(rollout->progress, FLEET_STARTED);
    end_some(1, FAILURE); /* 2 of 8 */
    assert_int_equal(rollout->progress, FLEET_STOPPED);
    assert_non_null(strstr(rollout->why, "2 of 8 devices of group 2"));
    assert_int_equal(rollout->ended_ms, 0); /* what runs goes on */
    end_some(6, SUCCESS);
    assert_int_equal(server.action_count, 10);
    assert_int_equal(rollout->progress, FLEET_STOPPED);
    assert_true(rollout->ended_ms > 0);
}

static void a_group_that_ends_below_its_threshold_is_the_last_one(void **state)
{
    (void)state;
    const fleet_rollout_t *rollout = begin_rollout(90, 90);
    end_some(1, FAILURE);
    end_some(1, SUCCESS);
    assert_int_equal(rollout->progress, FLEET_STOPPED);
    assert_int_equal(server.action_count, 2);
}

/* ---- several files, and names that come again ---- */

static void an_offer_may_have_a_second_file_in_a_chunk_of_its_own(void **state)
{
    (void)state;
    static const uint8_t pages[] = "<html>";
    fleet_release_t data = {
        .version = "7", .part = "www", .name = "pages.img", .bytes = pages, .size = sizeof(pages)};
    fleet_release_t image = release;
    image.also = &data;
    assert_true(fleet_release_hash(&data));
    fleet_action_t *action = assign(&(fleet_order_t){0});
    action->release = &image;
    action->name = "-1"; /* as goosebit calls all of them */
    assert_int_equal(ask("GET", "a/deploymentBase/-1", NULL), 200);
    assert_true(says("\"artifacts\":[{\"filename\":\"app.bin\""));
    assert_true(says("]},{\"artifacts\":[{\"filename\":\"pages.img\""));
    assert_true(says("],\"name\":\"data\",\"version\":\"7\",\"part\":\"www\"}]}"));
    assert_int_equal(ask("GET", "a/softwaremodules/-1/artifacts/pages.img", NULL), 200);
    assert_ptr_equal(answer.file, &data);
    assert_int_equal(ask("GET", "a/softwaremodules/-1/artifacts/app.bin", NULL), 200);
    assert_ptr_equal(answer.file, &image);
    assert_int_equal(ask("POST", "a/deploymentBase/-1/feedback", SUCCESS), 200);
    assert_int_equal(action->status, FLEET_FINISHED);
    fleet_action_t *again = assign(&(fleet_order_t){0});
    again->name = "-1";
    assert_int_equal(ask("POST", "a/deploymentBase/-1/feedback", SUCCESS), 200); /* the younger one */
    assert_int_equal(again->status, FLEET_FINISHED);
    assert_int_equal(server.complaints, 0);
    assert_int_equal(ask("GET", "a/deploymentBase/1", NULL), 404); /* its number is no name then */
}

int main(void)
{
#define SERVER_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        SERVER_TEST(only_the_token_opens_and_makes_devices_known),
        SERVER_TEST(thousands_of_devices_are_told_apart),
        SERVER_TEST(too_many_requests_in_a_second_are_refused_without_a_word),
        SERVER_TEST(a_poll_asks_for_attributes_until_they_come),
        SERVER_TEST(the_file_is_there_for_whom_it_is_assigned_to),
        SERVER_TEST(a_maintenance_window_opens_and_closes),
        SERVER_TEST(each_way_to_carry_it_out_has_its_words),
        SERVER_TEST(a_forced_time_changes_the_offer_when_it_comes),
        SERVER_TEST(what_no_device_should_send_is_refused_and_kept),
        SERVER_TEST(an_action_ends_once),
        SERVER_TEST(a_download_ends_an_action_that_is_only_for_it),
        SERVER_TEST(quotas_are_named_and_leave_room_for_the_end),
        SERVER_TEST(a_device_that_is_asked_first_may_deny),
        SERVER_TEST(a_cancellation_is_granted_or_rejected_and_told_twice_if_need_be),
        SERVER_TEST(what_is_told_of_its_end_while_it_is_cancelled_counts),
        SERVER_TEST(a_new_assignment_cancels_what_was_there_and_waits_behind_it),
        SERVER_TEST(the_next_group_starts_when_enough_of_one_have_succeeded),
        SERVER_TEST(a_rollout_stops_by_itself_when_too_many_have_failed),
        SERVER_TEST(a_group_that_ends_below_its_threshold_is_the_last_one),
        SERVER_TEST(an_offer_may_have_a_second_file_in_a_chunk_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
