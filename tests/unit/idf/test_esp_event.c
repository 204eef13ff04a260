/* The default event loop: what handlers get, in which order, and what each misuse answers. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "esp_event.h"
#include "freertos/semphr.h"
#include "freertos/task.h"
#include "linux/freertos_kernel.h"

#define SOON pdMS_TO_TICKS(10000)

ESP_EVENT_DEFINE_BASE(SHOP);
ESP_EVENT_DEFINE_BASE(ROAD);

static char seen[256]; /* what the handlers noted; written on the loop task, read after flush() */
static SemaphoreHandle_t entered, gate;

static void note(const char *text)
{
    strncat(seen, text, sizeof(seen) - strlen(seen) - 1);
}

static void note_event(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    char text[64];
    snprintf(text, sizeof(text), "%s:%s%d%s ", (const char *)arg, base, (int)id,
             data == NULL ? "" : (const char *)data);
    note(text);
}

/** Waits until all that was posted has been handled: the loop's task waits for ever. */
static void flush(void)
{
    assert_true(kernel_wait_idle(10000));
}

static void post(esp_event_base_t base, int32_t id, const char *text)
{
    assert_int_equal(esp_event_post(base, id, text, text == NULL ? 0 : strlen(text) + 1, 0), ESP_OK);
}

static int setup(void **state)
{
    (void)state;
    seen[0] = '\0';
    entered = xSemaphoreCreateBinary();
    gate = xSemaphoreCreateBinary();
    return esp_event_loop_create_default();
}

static int teardown(void **state)
{
    (void)state;
    esp_err_t err = esp_event_loop_delete_default();
    vSemaphoreDelete(entered);
    vSemaphoreDelete(gate);
    return err;
}

static void without_a_loop_everything_is_invalid_state(void **state)
{
    (void)state;
    esp_event_handler_instance_t instance;
    assert_int_equal(esp_event_handler_register(SHOP, 1, note_event, NULL), ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_event_handler_unregister(SHOP, 1, note_event), ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_event_handler_instance_register(SHOP, 1, note_event, NULL, &instance),
                     ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_event_handler_instance_unregister(SHOP, 1, seen), ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_event_post(SHOP, 1, NULL, 0, 0), ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_event_loop_delete_default(), ESP_ERR_INVALID_STATE);
}

static void second_loop_is_invalid_state(void **state)
{
    (void)state;
    assert_int_equal(esp_event_loop_create_default(), ESP_ERR_INVALID_STATE);
}

static void wildcards_and_null_where_they_cannot_be(void **state)
{
    (void)state;
    assert_int_equal(esp_event_handler_register(ESP_EVENT_ANY_BASE, 1, note_event, NULL),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_event_handler_register(SHOP, 1, NULL, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_event_post(ESP_EVENT_ANY_BASE, 1, NULL, 0, 0), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_event_post(SHOP, ESP_EVENT_ANY_ID, NULL, 0, 0), ESP_ERR_INVALID_ARG);
}

static void handlers_run_in_the_order_of_their_registration(void **state)
{
    (void)state;
    esp_event_handler_register(SHOP, 1, note_event, "one");
    esp_event_handler_instance_register(ESP_EVENT_ANY_BASE, ESP_EVENT_ANY_ID, note_event, "all", NULL);
    esp_event_handler_register(SHOP, ESP_EVENT_ANY_ID, note_event, "shop");
    esp_event_handler_instance_register(SHOP, 1, note_event, "again", NULL);
    post(SHOP, 1, NULL);
    post(SHOP, 2, NULL);
    post(ROAD, 1, NULL);
    flush();
    assert_string_equal(seen, "one:SHOP1 all:SHOP1 shop:SHOP1 again:SHOP1 all:SHOP2 shop:SHOP2 all:ROAD1 ");
}

static void data_is_a_copy(void **state)
{
    (void)state;
    esp_event_handler_register(SHOP, 1, note_event, "h");
    char text[] = "=old";
    post(SHOP, 1, text);
    strcpy(text, "=new");
    post(SHOP, 1, text);
    assert_int_equal(esp_event_post(SHOP, 1, text, 0, 0), ESP_OK); /* size 0: the handler gets NULL */
    flush();
    assert_string_equal(seen, "h:SHOP1=old h:SHOP1=new h:SHOP1 ");
}

static void bases_are_told_apart_by_address(void **state)
{
    (void)state;
    static char twin[] = "SHOP"; /* the same letters elsewhere; not const, or a compiler may merge them */
    esp_event_handler_register(SHOP, 1, note_event, "h");
    post(twin, 1, NULL);
    flush();
    assert_string_equal(seen, "");
}

static void registering_again_only_changes_the_argument(void **state)
{
    (void)state;
    esp_event_handler_register(SHOP, 1, note_event, "a");
    esp_event_handler_register(SHOP, 1, note_event, "b");
    post(SHOP, 1, NULL);
    flush();
    assert_string_equal(seen, "b:SHOP1 ");
    assert_int_equal(esp_event_handler_unregister(SHOP, 1, note_event), ESP_OK);
    assert_int_equal(esp_event_handler_unregister(SHOP, 1, note_event), ESP_OK); /* no longer there: fine */
    post(SHOP, 1, NULL);
    flush();
    assert_string_equal(seen, "b:SHOP1 ");
}

static void instances_are_unregistered_one_by_one(void **state)
{
    (void)state;
    esp_event_handler_instance_t a, b;
    esp_event_handler_instance_register(SHOP, 1, note_event, "a", &a);
    esp_event_handler_instance_register(SHOP, 1, note_event, "b", &b);
    assert_int_equal(esp_event_handler_instance_unregister(SHOP, 1, a), ESP_OK);
    assert_int_equal(esp_event_handler_instance_unregister(SHOP, 1, a), ESP_OK); /* stale: not looked into */
    post(SHOP, 1, NULL);
    flush();
    assert_string_equal(seen, "b:SHOP1 ");
}

static void note_once(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    note_event(arg, base, id, data);
    assert_int_equal(esp_event_handler_unregister(base, id, note_once), ESP_OK);
    assert_int_equal(esp_event_handler_register(base, id, note_event, "later"), ESP_OK);
}

static void handler_may_unregister_itself_and_register_others(void **state)
{
    (void)state;
    esp_event_handler_register(SHOP, 1, note_once, "once");
    post(SHOP, 1, NULL);
    post(SHOP, 1, NULL);
    flush();
    assert_string_equal(seen, "once:SHOP1 later:SHOP1 ");
}

static void fill_queue_from_the_loop(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)arg, (void)base, (void)id, (void)data;
    for (int i = 0; i < 32; i++) {
        assert_int_equal(esp_event_post(SHOP, 2, NULL, 0, portMAX_DELAY), ESP_OK);
    }
    /* For ever would be for ever: nobody else empties the queue. */
    note(esp_event_post(SHOP, 2, NULL, 0, portMAX_DELAY) == ESP_ERR_TIMEOUT ? "full " : "lost ");
    note(esp_event_loop_delete_default() == ESP_FAIL ? "kept " : "gone ");
    xSemaphoreGive(gate);
}

static void post_from_the_loop_task_never_waits(void **state)
{
    (void)state;
    esp_event_handler_register(SHOP, 1, fill_queue_from_the_loop, NULL);
    post(SHOP, 1, NULL);
    assert_int_equal(xSemaphoreTake(gate, SOON), pdTRUE);
    flush();
    assert_string_equal(seen, "full kept ");
}

static void hold_gate(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)base, (void)id, (void)data;
    xSemaphoreGive(entered);
    xSemaphoreTake(arg, SOON);
}

static void full_queue_times_out(void **state)
{
    (void)state;
    esp_event_handler_register(SHOP, 1, hold_gate, gate);
    post(SHOP, 1, NULL);
    assert_int_equal(xSemaphoreTake(entered, SOON), pdTRUE); /* the loop is inside the handler */
    for (int i = 0; i < 32; i++) {
        post(SHOP, 2, "dropped or handled, but never leaked");
    }
    assert_int_equal(esp_event_post(SHOP, 2, "x", 2, 0), ESP_ERR_TIMEOUT);
    assert_int_equal(esp_event_post(SHOP, 2, "x", 2, 2), ESP_ERR_TIMEOUT);
    xSemaphoreGive(gate);
}

static void note_task(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)arg, (void)base, (void)id, (void)data;
    note(pcTaskGetName(NULL));
}

static void handlers_run_on_the_task_sys_evt(void **state)
{
    (void)state;
    esp_event_handler_register(SHOP, 1, note_task, NULL);
    post(SHOP, 1, NULL);
    flush();
    assert_string_equal(seen, "sys_evt");
}

/* ---- loops of a program's own ---- */

static esp_event_loop_handle_t create_loop(const char *task)
{
    const esp_event_loop_args_t args = {
        .queue_size = 3, .task_name = task, .task_priority = 5, .task_stack_size = 4096, .task_core_id = 0};
    esp_event_loop_handle_t loop = NULL;
    assert_int_equal(esp_event_loop_create(&args, &loop), ESP_OK);
    return loop;
}

static void loops_do_not_hear_each_other(void **state)
{
    (void)state;
    esp_event_loop_handle_t one = create_loop("one"), two = create_loop("two");
    esp_event_handler_instance_t instance;
    assert_int_equal(esp_event_handler_register(SHOP, 1, note_event, "default"), ESP_OK);
    assert_int_equal(esp_event_handler_register_with(one, SHOP, 1, note_event, "one"), ESP_OK);
    assert_int_equal(
        esp_event_handler_instance_register_with(two, SHOP, ESP_EVENT_ANY_ID, note_event, "two", &instance),
        ESP_OK);
    assert_int_equal(esp_event_post_to(one, SHOP, 1, "a", 2, SOON), ESP_OK);
    flush();
    assert_int_equal(esp_event_isr_post_to(two, SHOP, 1, "bcd", 4, NULL), ESP_OK);
    flush();
    post(SHOP, 1, "e");
    flush();
    assert_string_equal(seen, "one:SHOP1a two:SHOP1bcd default:SHOP1e ");
    assert_int_equal(esp_event_handler_instance_unregister_with(two, SHOP, ESP_EVENT_ANY_ID, instance),
                     ESP_OK);
    assert_int_equal(esp_event_handler_unregister_with(one, SHOP, 1, note_event), ESP_OK);
    assert_int_equal(esp_event_post_to(one, SHOP, 1, "a", 2, SOON), ESP_OK);
    assert_int_equal(esp_event_post_to(two, SHOP, 1, "b", 2, SOON), ESP_OK);
    flush();
    assert_string_equal(seen, "one:SHOP1a two:SHOP1bcd default:SHOP1e ");
    assert_int_equal(esp_event_loop_delete(one), ESP_OK);
    assert_int_equal(esp_event_loop_delete(two), ESP_OK);
}

static void post_again(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)data;
    if (id < 3) { /* from the handler, and although nobody makes room meanwhile: this never waits */
        assert_int_equal(esp_event_post_to(arg, base, id + 1, NULL, 0, portMAX_DELAY), ESP_OK);
    }
}

static void a_loop_without_a_task_runs_when_it_is_told(void **state)
{
    (void)state;
    esp_event_loop_handle_t loop = create_loop(NULL);
    assert_int_equal(esp_event_handler_register_with(loop, SHOP, ESP_EVENT_ANY_ID, note_event, "run"),
                     ESP_OK);
    assert_int_equal(esp_event_loop_run(loop, 0), ESP_OK); /* nothing is there */
    for (int32_t id = 1; id <= 3; id++) {
        assert_int_equal(esp_event_post_to(loop, SHOP, id, NULL, 0, 0), ESP_OK);
    }
    assert_int_equal(esp_event_post_to(loop, SHOP, 4, NULL, 0, 1), ESP_ERR_TIMEOUT);
    assert_int_equal(esp_event_isr_post_to(loop, SHOP, 4, NULL, 0, NULL), ESP_FAIL);
    assert_string_equal(seen, "");
    assert_int_equal(esp_event_loop_run(loop, 0), ESP_OK); /* one */
    assert_string_equal(seen, "run:SHOP1 ");
    assert_int_equal(esp_event_loop_run(loop, 2), ESP_OK); /* all that come in that time */
    assert_string_equal(seen, "run:SHOP1 run:SHOP2 run:SHOP3 ");
    assert_int_equal(esp_event_post_to(loop, SHOP, 5, "lost", 5, 0), ESP_OK);
    assert_int_equal(esp_event_loop_delete(loop), ESP_OK); /* with what is queued */
}

static void run_loop(void *loop)
{
    esp_event_loop_run(loop, pdMS_TO_TICKS(100));
    xSemaphoreGive(entered);
}

static void a_handler_may_post_to_the_loop_that_its_task_runs(void **state)
{
    (void)state;
    esp_event_loop_handle_t loop = create_loop(NULL);
    assert_int_equal(esp_event_handler_register_with(loop, SHOP, ESP_EVENT_ANY_ID, note_event, "first"),
                     ESP_OK);
    assert_int_equal(esp_event_handler_register_with(loop, SHOP, ESP_EVENT_ANY_ID, post_again, loop), ESP_OK);
    assert_int_equal(esp_event_post_to(loop, SHOP, 1, NULL, 0, 0), ESP_OK);
    assert_int_equal(xTaskCreate(run_loop, "runner", 4096, loop, 5, NULL), pdPASS);
    assert_int_equal(xSemaphoreTake(entered, SOON), pdTRUE);
    assert_string_equal(seen, "first:SHOP1 first:SHOP2 first:SHOP3 ");
    assert_int_equal(esp_event_loop_delete(loop), ESP_OK);
}

static void run_inside(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)base, (void)data;
    if (id == 1) {
        assert_int_equal(esp_event_handler_unregister_with(arg, SHOP, ESP_EVENT_ANY_ID, run_inside), ESP_OK);
        assert_int_equal(esp_event_loop_run(arg, 0), ESP_OK); /* event 2, before the rest of event 1 */
    }
}

static void a_handler_may_run_its_loop(void **state)
{
    (void)state;
    esp_event_loop_handle_t loop = create_loop(NULL);
    assert_int_equal(esp_event_handler_register_with(loop, SHOP, ESP_EVENT_ANY_ID, run_inside, loop), ESP_OK);
    assert_int_equal(esp_event_handler_register_with(loop, SHOP, ESP_EVENT_ANY_ID, note_event, "last"),
                     ESP_OK);
    assert_int_equal(esp_event_post_to(loop, SHOP, 1, NULL, 0, 0), ESP_OK);
    assert_int_equal(esp_event_post_to(loop, SHOP, 2, NULL, 0, 0), ESP_OK);
    assert_int_equal(esp_event_loop_run(loop, 0), ESP_OK);
    assert_string_equal(seen, "last:SHOP2 last:SHOP1 ");
    assert_int_equal(esp_event_loop_delete(loop), ESP_OK);
}

static void delete_own_loop(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)base, (void)id, (void)data;
    note(esp_event_loop_delete(arg) == ESP_FAIL ? "refused" : "deleted");
}

static void misuse_of_loops_is_answered(void **state)
{
    (void)state;
    const esp_event_loop_args_t no_room = {.queue_size = 0};
    esp_event_loop_handle_t loop = NULL;
    assert_int_equal(esp_event_loop_create(NULL, &loop), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_event_loop_create(&no_room, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_event_loop_create(&no_room, &loop), ESP_ERR_NO_MEM);
    assert_null(loop);
    assert_int_equal(esp_event_loop_delete(NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_event_loop_run(NULL, 0), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_event_post_to(NULL, SHOP, 1, NULL, 0, 0), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_event_isr_post_to(NULL, SHOP, 1, NULL, 0, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_event_isr_post(SHOP, 1, "abcd", 5, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_event_handler_register_with(NULL, SHOP, 1, note_event, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_event_handler_unregister_with(NULL, SHOP, 1, note_event), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_event_handler_instance_register_with(NULL, SHOP, 1, note_event, NULL, NULL),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_event_handler_instance_unregister_with(NULL, SHOP, 1, seen), ESP_ERR_INVALID_ARG);
    loop = create_loop("own");
    assert_int_equal(esp_event_handler_register_with(loop, SHOP, 1, delete_own_loop, loop), ESP_OK);
    assert_int_equal(esp_event_post_to(loop, SHOP, ESP_EVENT_ANY_ID, NULL, 0, 0), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_event_post_to(loop, SHOP, 1, NULL, 0, 0), ESP_OK);
    flush();
    assert_string_equal(seen, "refused");
    assert_int_equal(esp_event_loop_delete(loop), ESP_OK);
    assert_int_equal(esp_event_dump(stdout), ESP_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_loop_everything_is_invalid_state),
        cmocka_unit_test_setup_teardown(second_loop_is_invalid_state, setup, teardown),
        cmocka_unit_test_setup_teardown(wildcards_and_null_where_they_cannot_be, setup, teardown),
        cmocka_unit_test_setup_teardown(handlers_run_in_the_order_of_their_registration, setup, teardown),
        cmocka_unit_test_setup_teardown(data_is_a_copy, setup, teardown),
        cmocka_unit_test_setup_teardown(bases_are_told_apart_by_address, setup, teardown),
        cmocka_unit_test_setup_teardown(registering_again_only_changes_the_argument, setup, teardown),
        cmocka_unit_test_setup_teardown(instances_are_unregistered_one_by_one, setup, teardown),
        cmocka_unit_test_setup_teardown(handler_may_unregister_itself_and_register_others, setup, teardown),
        cmocka_unit_test_setup_teardown(post_from_the_loop_task_never_waits, setup, teardown),
        cmocka_unit_test_setup_teardown(full_queue_times_out, setup, teardown),
        cmocka_unit_test_setup_teardown(handlers_run_on_the_task_sys_evt, setup, teardown),
        cmocka_unit_test_setup_teardown(loops_do_not_hear_each_other, setup, teardown),
        cmocka_unit_test_setup_teardown(a_loop_without_a_task_runs_when_it_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(a_handler_may_post_to_the_loop_that_its_task_runs, setup, teardown),
        cmocka_unit_test_setup_teardown(a_handler_may_run_its_loop, setup, teardown),
        cmocka_unit_test_setup_teardown(misuse_of_loops_is_answered, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
