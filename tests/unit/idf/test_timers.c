/* FreeRTOS timers and esp_timers: when they are called, how often, and what may be done to them meanwhile. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esp_timer.h"
#include "freertos/timers.h"
#include "otter/system.h"
#include "support/freertos_rig.h"

static atomic_int calls;

static int setup_timers(void **state)
{
    atomic_store(&calls, 0);
    return helpers_set_up(state);
}

/* ---- FreeRTOS ---- */

static void count_call(TimerHandle_t timer)
{
    (void)timer;
    atomic_fetch_add(&calls, 1);
    xSemaphoreGive(done);
}

static void a_timer_is_called_once_after_its_period(void **state)
{
    (void)state;
    TimerHandle_t timer = xTimerCreate("once", 3, pdFALSE, &calls, count_call);
    assert_non_null(timer);
    assert_string_equal(pcTimerGetName(timer), "once");
    assert_ptr_equal(pvTimerGetTimerID(timer), &calls);
    assert_int_equal(xTimerIsTimerActive(timer), pdFALSE);
    int64_t before = otter_now_us();
    assert_int_equal(xTimerStart(timer, 0), pdPASS);
    assert_int_equal(xTimerIsTimerActive(timer), pdTRUE);
    wait_done();
    assert_true(otter_now_us() - before >= 30000);
    assert_true(
        kernel_wait_idle(10000)); /* a program with a timer that does not run has nothing more to do */
    assert_int_equal(atomic_load(&calls), 1);
    assert_int_equal(xTimerIsTimerActive(timer), pdFALSE);
    assert_int_equal(xTimerDelete(timer, 0), pdPASS);
}

static void a_timer_that_reloads_is_called_until_it_is_stopped(void **state)
{
    (void)state;
    TimerHandle_t timer = xTimerCreate(NULL, 1, pdTRUE, NULL, count_call);
    assert_int_equal(xTimerGetReloadMode(timer), pdTRUE);
    xTimerStart(timer, portMAX_DELAY);
    assert_false(kernel_wait_idle(20));
    for (int i = 0; i < 3; i++) {
        wait_done();
    }
    assert_int_equal(xTimerStopFromISR(timer, NULL), pdPASS);
    assert_true(kernel_wait_idle(10000));
    int so_far = atomic_load(&calls);
    vTaskDelay(3);
    assert_int_equal(atomic_load(&calls), so_far);
    xTimerDelete(timer, 0);
}

static void starting_again_begins_the_period_anew(void **state)
{
    (void)state;
    TimerHandle_t timer = xTimerCreate("reset", pdMS_TO_TICKS(60000), pdFALSE, NULL, count_call);
    xTimerStart(timer, 0);
    TickType_t first = xTimerGetExpiryTime(timer);
    vTaskDelay(3);
    xTimerReset(timer, 0);
    assert_true(xTimerGetExpiryTime(timer) >= first + 3);
    assert_int_equal(xTimerChangePeriod(timer, 0, 0), pdFAIL);
    assert_int_equal(xTimerChangePeriod(timer, 1, 0), pdPASS); /* and runs */
    assert_int_equal(xTimerGetPeriod(timer), 1);
    wait_done();
    vTimerSetReloadMode(timer, pdTRUE);
    assert_int_equal(uxTimerGetReloadMode(timer), 1);
    vTimerSetTimerID(timer, &done);
    assert_ptr_equal(pvTimerGetTimerID(timer), &done);
    xTimerDelete(timer, 0);
}

static void delete_in_the_call(TimerHandle_t timer)
{
    xTimerDelete(timer, 0);
    count_call(NULL);
}

static void a_timer_may_be_deleted_in_its_own_call(void **state)
{
    (void)state;
    static StaticTimer_t buffer;
    TimerHandle_t timer = xTimerCreateStatic("static", 1, pdTRUE, NULL, delete_in_the_call, &buffer);
    assert_ptr_equal(timer, &buffer);
    xTimerStart(timer, 0);
    wait_done();
    xTimerStart(xTimerCreate("heap", 1, pdTRUE, NULL, delete_in_the_call), 0);
    wait_done();
    assert_true(kernel_wait_idle(10000));
    assert_int_equal(atomic_load(&calls), 2);
}

static void what_is_no_timer_is_not_made(void **state)
{
    (void)state;
    StaticTimer_t buffer;
    assert_null(xTimerCreate("no period", 0, pdFALSE, NULL, count_call));
    assert_null(xTimerCreate("no callback", 1, pdFALSE, NULL, NULL));
    assert_null(xTimerCreateStatic("no buffer", 1, pdFALSE, NULL, count_call, NULL));
    assert_null(xTimerCreateStatic("no period", 0, pdFALSE, NULL, count_call, &buffer));
}

static int order[3];

static void note_number(void *arg, uint32_t number)
{
    if (xTaskGetCurrentTaskHandle() == xTimerGetTimerDaemonTaskHandle()) {
        order[atomic_fetch_add((atomic_int *)arg, 1)] = (int)number;
    }
    xSemaphoreGive(done);
}

static void functions_are_pended_in_their_order(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(xTimerPendFunctionCall(note_number, &calls, 10 + i, 0), pdPASS);
    }
    for (int i = 0; i < 3; i++) {
        wait_done();
        assert_int_equal(order[i], 10 + i);
    }
    assert_string_equal(pcTaskGetName(xTimerGetTimerDaemonTaskHandle()), "Tmr Svc");
}

/* ---- esp_timer ---- */

static void count_arg(void *arg)
{
    atomic_fetch_add((atomic_int *)arg, 1);
    xSemaphoreGive(done);
}

static esp_timer_handle_t create(bool skips)
{
    const esp_timer_create_args_t args = {
        .callback = count_arg, .arg = &calls, .name = "test", .skip_unhandled_events = skips};
    esp_timer_handle_t timer = NULL;
    assert_int_equal(esp_timer_create(&args, &timer), ESP_OK);
    return timer;
}

static void an_esp_timer_is_called_in_microseconds(void **state)
{
    (void)state;
    esp_timer_handle_t timer = create(false);
    int64_t before = esp_timer_get_time();
    assert_int_equal(esp_timer_start_once(timer, 1500), ESP_OK);
    uint64_t expiry = 0, period = 1;
    assert_int_equal(esp_timer_get_expiry_time(timer, &expiry), ESP_OK);
    assert_true((int64_t)expiry >= before + 1500);
    assert_int_equal(esp_timer_get_period(timer, &period), ESP_OK);
    assert_int_equal(period, 0);
    wait_done();
    assert_true(esp_timer_get_time() - before >= 1500);
    assert_true(kernel_wait_idle(10000));
    assert_false(esp_timer_is_active(timer));
    assert_int_equal(esp_timer_get_next_alarm(), INT64_MAX);
    assert_int_equal(esp_timer_delete(timer), ESP_OK);
}

static void a_periodic_esp_timer_is_called_until_it_is_stopped(void **state)
{
    (void)state;
    esp_timer_handle_t timer = create(true);
    assert_int_equal(esp_timer_start_periodic(timer, 1000), ESP_OK);
    assert_int_equal(esp_timer_get_next_alarm_for_wake_up(), INT64_MAX); /* one that skips wakes nobody */
    assert_true(esp_timer_get_next_alarm() < INT64_MAX);
    for (int i = 0; i < 5; i++) {
        wait_done();
    }
    uint64_t value;
    assert_int_equal(esp_timer_get_expiry_time(timer, &value), ESP_ERR_NOT_SUPPORTED);
    assert_int_equal(esp_timer_restart(timer, 1), ESP_OK);
    assert_int_equal(esp_timer_get_period(timer, &value), ESP_OK);
    assert_int_equal(value, 50); /* the least there is */
    assert_int_equal(esp_timer_delete(timer), ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_timer_stop(timer), ESP_OK);
    assert_int_equal(esp_timer_stop(timer), ESP_ERR_INVALID_STATE);
    assert_true(kernel_wait_idle(10000));
    assert_int_equal(esp_timer_delete(timer), ESP_OK);
}

static void a_restart_counts_from_now(void **state)
{
    (void)state;
    esp_timer_handle_t timer = create(false);
    assert_int_equal(esp_timer_restart(timer, 1), ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_timer_start_once(timer, 60000000), ESP_OK);
    assert_int_equal(esp_timer_start_once(timer, 1), ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_timer_start_periodic(timer, 1), ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_timer_restart(timer, 1), ESP_OK);
    wait_done();
    assert_int_equal(esp_timer_start_once(timer, UINT64_MAX), ESP_OK); /* as good as never */
    assert_int_equal(xSemaphoreTake(done, 2), pdFALSE);
    assert_int_equal(esp_timer_stop(timer), ESP_OK);
    assert_int_equal(esp_timer_delete(timer), ESP_OK);
}

static esp_timer_handle_t suicide;

static void delete_self(void *arg)
{
    if (esp_timer_delete(suicide) == ESP_OK) {
        count_arg(arg);
    }
}

static void an_esp_timer_may_be_deleted_in_its_own_call(void **state)
{
    (void)state;
    const esp_timer_create_args_t args = {.callback = delete_self, .arg = &calls};
    assert_int_equal(esp_timer_create(&args, &suicide), ESP_OK);
    assert_int_equal(esp_timer_start_once(suicide, 0), ESP_OK);
    wait_done();
    assert_true(kernel_wait_idle(10000));
    assert_int_equal(atomic_load(&calls), 1);
}

static void hold_up(void *arg)
{
    (void)arg;
    int64_t until = esp_timer_get_time() + 20000;
    while (esp_timer_get_time() < until) {
    }
    xSemaphoreGive(done);
}

/** Periods of a millisecond since `us`, whole ones. */
static int periods_since(int64_t us)
{
    return (int)((esp_timer_get_time() - us) / 1000);
}

/** As many calls as periods, but for ten: a timer that skips the twenty that it missed never comes that far. */
static bool catches_up(int64_t started)
{
    bool caught_up = false;
    for (int i = 0; i < 1000 && !caught_up; i++) {
        wait_done();
        caught_up = atomic_load(&calls) + 10 >= periods_since(started);
    }
    return caught_up;
}

static void what_was_missed_is_made_up_for_or_skipped(void **state)
{
    (void)state;
    const esp_timer_create_args_t args = {.callback = hold_up};
    esp_timer_handle_t slow = NULL;
    assert_int_equal(esp_timer_create(&args, &slow), ESP_OK);
    for (int skips = 0; skips <= 1; skips++) {
        atomic_store(&calls, 0);
        esp_timer_handle_t timer = create(skips != 0);
        int64_t begin = esp_timer_get_time();
        assert_int_equal(esp_timer_start_once(slow, 0), ESP_OK);
        assert_int_equal(esp_timer_start_periodic(timer, 1000), ESP_OK);
        int64_t started = esp_timer_get_time();
        while (atomic_load(&calls) == 0) {
            wait_done();
        }
        assert_true(skips != 0 || catches_up(started));
        vTaskDelay(1);
        assert_int_equal(esp_timer_stop(timer), ESP_OK);
        assert_true(kernel_wait_idle(10000));
        assert_true(skips == 0 || atomic_load(&calls) <= periods_since(begin) - 20 + 2);
        while (xSemaphoreTake(done, 0) == pdTRUE) {
        }
        assert_int_equal(esp_timer_delete(timer), ESP_OK);
    }
    assert_int_equal(esp_timer_delete(slow), ESP_OK);
}

static void misuse_of_esp_timers_is_answered(void **state)
{
    (void)state;
    esp_timer_handle_t timer = NULL;
    uint64_t value;
    const esp_timer_create_args_t none = {0}, odd = {.callback = count_arg, .dispatch_method = ESP_TIMER_MAX};
    assert_int_equal(esp_timer_create(NULL, &timer), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_timer_create(&none, &timer), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_timer_create(&odd, &timer), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_timer_create(&odd, NULL), ESP_ERR_INVALID_ARG);
    assert_null(timer);
    const esp_err_t got[] = {esp_timer_start_once(NULL, 1),
                             esp_timer_start_periodic(NULL, 1),
                             esp_timer_restart(NULL, 1),
                             esp_timer_stop(NULL),
                             esp_timer_delete(NULL),
                             esp_timer_get_period(NULL, &value),
                             esp_timer_get_expiry_time(NULL, &value)};
    for (size_t i = 0; i < sizeof(got) / sizeof(got[0]); i++) {
        assert_int_equal(got[i], ESP_ERR_INVALID_ARG);
    }
    assert_false(esp_timer_is_active(NULL));
    assert_int_equal(esp_timer_early_init(), ESP_OK);
    assert_int_equal(esp_timer_init(), ESP_ERR_INVALID_STATE);
}

static void a_dump_names_what_runs(void **state)
{
    (void)state;
    char text[200] = "";
    FILE *stream = fmemopen(text, sizeof(text), "w");
    assert_non_null(stream);
    esp_timer_handle_t timer = create(false), stopped = create(false);
    assert_int_equal(esp_timer_start_periodic(timer, 60000000), ESP_OK);
    assert_int_equal(esp_timer_dump(stream), ESP_OK);
    fclose(stream);
    assert_memory_equal(text, "test                  60000000    ", 34);
    assert_ptr_equal(strchr(text, '\n'), strrchr(text, '\n'));
    assert_int_equal(esp_timer_stop(timer), ESP_OK);
    assert_int_equal(esp_timer_delete(timer), ESP_OK);
    assert_int_equal(esp_timer_delete(stopped), ESP_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_timer_is_called_once_after_its_period, setup_timers,
                                        helpers_tear_down),
        cmocka_unit_test_setup_teardown(a_timer_that_reloads_is_called_until_it_is_stopped, setup_timers,
                                        helpers_tear_down),
        cmocka_unit_test_setup_teardown(starting_again_begins_the_period_anew, setup_timers,
                                        helpers_tear_down),
        cmocka_unit_test_setup_teardown(a_timer_may_be_deleted_in_its_own_call, setup_timers,
                                        helpers_tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_timer_is_not_made, setup_timers, helpers_tear_down),
        cmocka_unit_test_setup_teardown(functions_are_pended_in_their_order, setup_timers, helpers_tear_down),
        cmocka_unit_test_setup_teardown(an_esp_timer_is_called_in_microseconds, setup_timers,
                                        helpers_tear_down),
        cmocka_unit_test_setup_teardown(a_periodic_esp_timer_is_called_until_it_is_stopped, setup_timers,
                                        helpers_tear_down),
        cmocka_unit_test_setup_teardown(a_restart_counts_from_now, setup_timers, helpers_tear_down),
        cmocka_unit_test_setup_teardown(an_esp_timer_may_be_deleted_in_its_own_call, setup_timers,
                                        helpers_tear_down),
        cmocka_unit_test_setup_teardown(what_was_missed_is_made_up_for_or_skipped, setup_timers,
                                        helpers_tear_down),
        cmocka_unit_test_setup_teardown(misuse_of_esp_timers_is_answered, setup_timers, helpers_tear_down),
        cmocka_unit_test_setup_teardown(a_dump_names_what_runs, setup_timers, helpers_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
