/* Stream and message buffers: what is taken, given and waited for, as by FreeRTOS. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "freertos/message_buffer.h"
#include "freertos/stream_buffer.h"
#include "support/freertos_rig.h"
#include "support/panic.h"

static void receive_text(StreamBufferHandle_t b, size_t room, const char *want)
{
    char text[64];
    assert_int_equal(xStreamBufferReceive(b, text, room, 0), strlen(want));
    assert_memory_equal(text, want, strlen(want));
}

static void what_can_be_created(void **state)
{
    (void)state;
    static const struct {
        size_t size, trigger;
        BaseType_t type;
        bool ok;
    } rows[] = {
        {10, 1, sbTYPE_STREAM_BUFFER, true},          {10, 0, sbTYPE_STREAM_BUFFER, true},
        {10, 10, sbTYPE_STREAM_BUFFER, true},         {10, 11, sbTYPE_STREAM_BUFFER, false},
        {0, 0, sbTYPE_STREAM_BUFFER, false},          {5, 0, sbTYPE_MESSAGE_BUFFER, true},
        {4, 0, sbTYPE_MESSAGE_BUFFER, false},         {SIZE_MAX, 1, sbTYPE_STREAM_BUFFER, false},
        {10, 3, sbTYPE_STREAM_BATCHING_BUFFER, true}, {10, 1, 3, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        StreamBufferHandle_t b = xStreamBufferGenericCreate(rows[i].size, rows[i].trigger, rows[i].type);
        assert_int_equal(b != NULL, rows[i].ok);
        vStreamBufferDelete(b);
    }
}

static void bytes_go_round_and_what_fits_is_taken(void **state)
{
    (void)state;
    StreamBufferHandle_t b = xStreamBufferCreate(8, 1);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(xStreamBufferIsEmpty(b), pdTRUE);
        assert_int_equal(xStreamBufferSend(b, "abcde", 5, 0), 5);
        assert_int_equal(xStreamBufferSpacesAvailable(b), 3);
        assert_int_equal(xStreamBufferIsFull(b), pdFALSE);
        assert_int_equal(xStreamBufferSend(b, "fghij", 5, 0), 3);
        assert_int_equal(xStreamBufferIsFull(b), pdTRUE);
        assert_int_equal(xStreamBufferSend(b, "k", 1, 0), 0);
        receive_text(b, 3, "abc");
        assert_int_equal(xStreamBufferBytesAvailable(b), 5);
        receive_text(b, 64, "defgh");
    }
    assert_int_equal(xStreamBufferSend(b, "", 0, 0), 0);
    assert_int_equal(xStreamBufferNextMessageLengthBytes(b), 0);
    assert_int_equal(xStreamBufferSend(b, "0123456789", 10, 1), 8); /* more than it holds */
    assert_int_equal(xStreamBufferReset(b), pdPASS);
    assert_int_equal(xStreamBufferBytesAvailable(b), 0);
    vStreamBufferDelete(b);
}

static void messages_are_whole(void **state)
{
    (void)state;
    MessageBufferHandle_t b = xMessageBufferCreate(16);
    assert_int_equal(xMessageBufferSpacesAvailable(b), 16);
    assert_int_equal(xMessageBufferSend(b, "0123456789abc", 13, portMAX_DELAY), 0); /* never fits */
    assert_int_equal(xMessageBufferSend(b, "0123456789ab", 12, 0), 12);
    assert_int_equal(xMessageBufferIsFull(b), pdTRUE);
    assert_int_equal(xMessageBufferNextLengthBytes(b), 12);
    receive_text(b, 11, ""); /* too little room: it stays */
    receive_text(b, 12, "0123456789ab");
    for (int i = 0; i < 20; i++) {
        assert_int_equal(xMessageBufferSend(b, "one", 3, 0), 3);
        assert_int_equal(xMessageBufferSend(b, "two.", 4, 0), 4);
        assert_int_equal(xMessageBufferIsFull(b), pdTRUE); /* one byte is left */
        assert_int_equal(xMessageBufferSend(b, "3", 1, 0), 0);
        receive_text(b, 64, "one");
        receive_text(b, 64, "two.");
        receive_text(b, 64, "");
    }
    vMessageBufferDelete(b);
}

static void memory_of_the_callers(void **state)
{
    (void)state;
    static uint8_t storage[9];
    static StaticStreamBuffer_t memory;
    uint8_t *its_storage = NULL;
    StaticStreamBuffer_t *its_memory = NULL;
    StreamBufferHandle_t b = xStreamBufferCreateStatic(sizeof(storage), 1, storage, &memory);
    assert_non_null(b);
    assert_int_equal(xStreamBufferSpacesAvailable(b), 8);
    assert_int_equal(xStreamBufferGetStaticBuffers(b, &its_storage, &its_memory), pdTRUE);
    assert_ptr_equal(its_storage, storage);
    assert_ptr_equal(its_memory, &memory);
    vStreamBufferDelete(b);
    assert_null(xStreamBufferCreateStatic(9, 1, NULL, &memory));
    assert_null(xStreamBufferCreateStatic(9, 1, storage, NULL));
    assert_null(xStreamBufferCreateStatic(1, 0, storage, &memory));
    assert_null(xStreamBufferCreateStatic(0, 0, storage, &memory));
    b = xStreamBufferCreate(8, 1);
    assert_int_equal(xStreamBufferGetStaticBuffers(b, &its_storage, &its_memory), pdFALSE);
    vStreamBufferDelete(b);
}

/* ---- several tasks ---- */

static StreamBufferHandle_t shared;
static size_t received;

static void receive(void *arg)
{
    char bytes[64];
    received = xStreamBufferReceive(shared, bytes, sizeof(bytes), *(const TickType_t *)arg);
    xSemaphoreGive(done);
    vTaskDelete(NULL);
}

static void a_wait_for_bytes_ends_with_the_trigger(void **state)
{
    (void)state;
    static const TickType_t for_ever = portMAX_DELAY;
    shared = xStreamBufferCreate(16, 4);
    TaskHandle_t task = start_task(receive, (void *)(uintptr_t)&for_ever);
    wait_until_blocked(task);
    assert_int_equal(xStreamBufferReset(shared), pdFAIL); /* somebody waits */
    assert_int_equal(xStreamBufferSend(shared, "abc", 3, 0), 3);
    vTaskDelay(3);
    assert_int_equal(xStreamBufferBytesAvailable(shared), 3);
    assert_int_equal(xStreamBufferSend(shared, "de", 2, 0), 2);
    wait_done();
    assert_int_equal(received, 5);
    /* Where something is there nobody waits. */
    assert_int_equal(xStreamBufferSend(shared, "a", 1, 0), 1);
    char byte;
    assert_int_equal(xStreamBufferReceive(shared, &byte, 1, portMAX_DELAY), 1);
    assert_int_equal(xStreamBufferSetTriggerLevel(shared, 17), pdFALSE);
    assert_int_equal(xStreamBufferSetTriggerLevel(shared, 1), pdTRUE);
    task = start_task(receive, (void *)(uintptr_t)&for_ever);
    wait_until_blocked(task);
    assert_int_equal(xStreamBufferSend(shared, "f", 1, 0), 1);
    wait_done();
    assert_int_equal(received, 1);
    vStreamBufferDelete(shared);
}

static void a_time_that_is_up_gives_what_is_there(void **state)
{
    (void)state;
    static const TickType_t some = 30;
    shared = xStreamBufferCreate(16, 10);
    TaskHandle_t task = start_task(receive, (void *)(uintptr_t)&some);
    wait_until_blocked(task);
    assert_int_equal(xStreamBufferSend(shared, "abc", 3, 0), 3);
    wait_done();
    assert_int_equal(received, 3);
    vStreamBufferDelete(shared);
}

static void a_batch_is_waited_for_also_where_something_is_there(void **state)
{
    (void)state;
    static const TickType_t for_ever = portMAX_DELAY;
    shared = xStreamBatchingBufferCreate(16, 4);
    assert_int_equal(xStreamBufferSend(shared, "abc", 3, 0), 3);
    TaskHandle_t task = start_task(receive, (void *)(uintptr_t)&for_ever);
    wait_until_blocked(task);
    assert_int_equal(xStreamBufferSend(shared, "d", 1, 0), 1);
    wait_done();
    assert_int_equal(received, 4);
    vStreamBufferDelete(shared);
}

#define BYTES 20000u

static void send_all(void *arg)
{
    (void)arg;
    uint8_t bytes[11];
    for (uint32_t sent = 0; sent < BYTES;) {
        size_t len = 1 + sent % sizeof(bytes);
        len = len < BYTES - sent ? len : BYTES - sent;
        for (size_t i = 0; i < len; i++) {
            bytes[i] = (uint8_t)((sent + i) * 7);
        }
        sent += (uint32_t)xStreamBufferSend(shared, bytes, len, portMAX_DELAY);
    }
    xSemaphoreGive(done);
    vTaskDelete(NULL);
}

static void bytes_come_in_order(void **state)
{
    (void)state;
    shared = xStreamBufferCreate(13, 5);
    start(send_all, NULL);
    uint8_t bytes[7];
    for (uint32_t got = 0; got < BYTES;) {
        size_t len = xStreamBufferReceive(shared, bytes, 1 + got % sizeof(bytes), 10);
        for (size_t i = 0; i < len; i++) {
            assert_int_equal(bytes[i], (uint8_t)((got + i) * 7));
        }
        got += (uint32_t)len;
    }
    wait_done();
    vStreamBufferDelete(shared);
}

static void send_messages(void *arg)
{
    (void)arg;
    for (uint32_t i = 0; i < 2000; i++) {
        uint32_t message[3] = {i, i, i};
        assert_int_equal(xMessageBufferSend(shared, message, 4 * (1 + i % 3), portMAX_DELAY),
                         4 * (1 + i % 3));
    }
    xSemaphoreGive(done);
    vTaskDelete(NULL);
}

static void messages_come_in_order(void **state)
{
    (void)state;
    shared = xMessageBufferCreate(37);
    start(send_messages, NULL);
    for (uint32_t i = 0; i < 2000; i++) {
        uint32_t message[3];
        assert_int_equal(xMessageBufferReceive(shared, message, sizeof(message), SOON), 4 * (1 + i % 3));
        assert_int_equal(message[i % 3], i);
    }
    wait_done();
    vMessageBufferDelete(shared);
}

static void one_that_is_deleted_lets_those_who_wait_wait(void **state)
{
    (void)state;
    static const TickType_t some = 20;
    shared = xStreamBufferCreate(16, 1);
    TaskHandle_t task = start_task(receive, (void *)(uintptr_t)&some);
    wait_until_blocked(task);
    vStreamBufferDelete(shared);
    wait_done();
    assert_int_equal(received, 0);
    vStreamBufferDelete(NULL);
}

/* ---- callers that err ---- */

static void send_to_none(void)
{
    (void)xStreamBufferSend(NULL, "a", 1, 0);
}

static void receive_into_nothing(void)
{
    (void)xStreamBufferReceive(xStreamBufferCreate(8, 1), NULL, 1, 0);
}

static const TickType_t long_time = 100000;

static void receive_with_two(void)
{
    shared = xStreamBufferCreate(8, 1);
    char byte;
    TaskHandle_t task = NULL;
    xTaskCreate(receive, "first", 4096, (void *)(uintptr_t)&long_time, 5, &task);
    wait_until_blocked(task);
    (void)xStreamBufferReceive(shared, &byte, 1, 1);
}

static void callers_that_err_are_a_panic(void **state)
{
    (void)state;
    assert_panics(send_to_none, "assert failed: xStreamBufferSend: NULL");
    assert_panics(receive_into_nothing, "assert failed: xStreamBufferReceive: NULL");
    assert_panics(receive_with_two,
                  "assert failed: xStreamBufferReceive: another task waits for this buffer");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_can_be_created),
        cmocka_unit_test(bytes_go_round_and_what_fits_is_taken),
        cmocka_unit_test(messages_are_whole),
        cmocka_unit_test(memory_of_the_callers),
        cmocka_unit_test(a_wait_for_bytes_ends_with_the_trigger),
        cmocka_unit_test(a_time_that_is_up_gives_what_is_there),
        cmocka_unit_test(a_batch_is_waited_for_also_where_something_is_there),
        cmocka_unit_test(bytes_come_in_order),
        cmocka_unit_test(messages_come_in_order),
        cmocka_unit_test(one_that_is_deleted_lets_those_who_wait_wait),
        cmocka_unit_test(callers_that_err_are_a_panic),
    };
    return cmocka_run_group_tests(tests, helpers_set_up, helpers_tear_down);
}
