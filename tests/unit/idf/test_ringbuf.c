/* Ring buffers: items as on a chip, three kinds, several tasks, and callers that err. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "freertos/ringbuf.h"
#include "support/freertos_rig.h"
#include "support/panic.h"

#define HEAD 8u /* bytes in front of each item */

static void send_text(RingbufHandle_t r, const char *text, BaseType_t want)
{
    assert_int_equal(xRingbufferSend(r, text, strlen(text), 0), want);
}

/** Receives an item and gives it back. */
static void receive_text(RingbufHandle_t r, const char *want)
{
    size_t size = 77;
    char *item = xRingbufferReceive(r, &size, 0);
    if (want == NULL) {
        assert_null(item);
        assert_int_equal(size, 77);
        return;
    }
    assert_non_null(item);
    assert_int_equal(size, strlen(want));
    assert_memory_equal(item, want, size);
    vRingbufferReturnItem(r, item);
}

static void sizes_are_as_on_a_chip(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        RingbufferType_t type;
        size_t size, max, free; /* free: 0, there is none */
    } rows[] = {
        {"one piece", RINGBUF_TYPE_NOSPLIT, 128, 56, 56},
        {"one piece, rounded up", RINGBUF_TYPE_NOSPLIT, 125, 56, 56},
        {"one piece, half of it rounded up", RINGBUF_TYPE_NOSPLIT, 124, 56, 56},
        {"two pieces", RINGBUF_TYPE_ALLOWSPLIT, 128, 112, 112},
        {"bytes", RINGBUF_TYPE_BYTEBUF, 127, 127, 127},
        {"least", RINGBUF_TYPE_NOSPLIT, 16, 0, 0},
        {"too small", RINGBUF_TYPE_NOSPLIT, 12, SIZE_MAX, 0},
        {"none", RINGBUF_TYPE_BYTEBUF, 0, SIZE_MAX, 0},
        {"huge", RINGBUF_TYPE_BYTEBUF, SIZE_MAX, SIZE_MAX, 0},
        {"huge items", RINGBUF_TYPE_ALLOWSPLIT, SIZE_MAX - 2, SIZE_MAX, 0},
        {"no such type", RINGBUF_TYPE_MAX, 128, SIZE_MAX, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        print_message("%s\n", rows[i].name);
        RingbufHandle_t r = xRingbufferCreate(rows[i].size, rows[i].type);
        assert_int_equal(r == NULL, rows[i].max == SIZE_MAX);
        if (r != NULL) {
            assert_int_equal(xRingbufferGetMaxItemSize(r), rows[i].max);
            assert_int_equal(xRingbufferGetCurFreeSize(r), rows[i].free);
        }
        vRingbufferDelete(r);
    }
    RingbufHandle_t r = xRingbufferCreateNoSplit(5, 3);
    for (int i = 0; i < 3; i++) {
        send_text(r, "12345", pdTRUE);
    }
    send_text(r, "", pdFALSE); /* not even a header */
    assert_int_equal(xRingbufferGetCurFreeSize(r), 0);
    vRingbufferDelete(r);
    assert_null(xRingbufferCreateNoSplit(SIZE_MAX, 2));
    assert_null(xRingbufferCreateNoSplit(8, SIZE_MAX));
    assert_null(xRingbufferCreateNoSplit(8, 0));
}

static void items_come_in_order_and_may_be_given_back_in_any(void **state)
{
    (void)state;
    RingbufHandle_t r = xRingbufferCreate(64, RINGBUF_TYPE_NOSPLIT);
    size_t size;
    send_text(r, "one", pdTRUE);
    send_text(r, "two", pdTRUE);
    send_text(r, "", pdTRUE);
    send_text(r, "four", pdTRUE);
    char *one = xRingbufferReceive(r, &size, 0);
    char *two = xRingbufferReceive(r, NULL, 0);
    char *none = xRingbufferReceive(r, &size, 0);
    assert_int_equal(size, 0);
    size_t before = xRingbufferGetCurFreeSize(r);
    vRingbufferReturnItem(r, two);
    assert_int_equal(xRingbufferGetCurFreeSize(r), before); /* the oldest is still out */
    vRingbufferReturnItem(r, one);
    vRingbufferReturnItem(r, none);
    receive_text(r, "four");
    receive_text(r, NULL);
    vRingbufferDelete(r);
}

static void an_item_that_does_not_fit_at_the_end_begins_anew(void **state)
{
    (void)state;
    RingbufHandle_t r = xRingbufferCreate(64, RINGBUF_TYPE_NOSPLIT);
    send_text(r, "0123456789abcdef", pdTRUE); /* 24 */
    send_text(r, "0123456789ABCDEF", pdTRUE); /* 48 */
    send_text(r, "sixteen bytes...", pdFALSE);
    receive_text(r, "0123456789abcdef");
    send_text(r, "sixteen bytes...", pdTRUE); /* at 0, 16 bytes stay blank */
    UBaseType_t free, read, write, acquire, waiting;
    vRingbufferGetInfo(r, &free, &read, &write, &acquire, &waiting);
    assert_int_equal(free, 24);
    assert_int_equal(read, 24);
    assert_int_equal(write, 24);
    assert_int_equal(acquire, 24);
    assert_int_equal(waiting, 2);
    receive_text(r, "0123456789ABCDEF");
    receive_text(r, "sixteen bytes...");
    receive_text(r, NULL);
    /* Nothing is out: the largest item fits, wherever the buffer stands. */
    for (int i = 0; i < 9; i++) {
        send_text(r, "0123456789abcdef01234567", pdTRUE);
        receive_text(r, "0123456789abcdef01234567");
        send_text(r, "12345", pdTRUE);
        receive_text(r, "12345");
    }
    vRingbufferDelete(r);
}

static void an_item_may_be_in_two_pieces(void **state)
{
    (void)state;
    RingbufHandle_t r = xRingbufferCreate(64, RINGBUF_TYPE_ALLOWSPLIT);
    void *head, *tail = &head;
    size_t head_size = 0, tail_size = 99;
    send_text(r, "0123456789abcdef0123456789abcdef", pdTRUE); /* 40 */
    assert_int_equal(xRingbufferReceiveSplit(r, &head, &tail, &head_size, &tail_size, 0), pdTRUE);
    assert_int_equal(head_size, 32);
    assert_null(tail);
    assert_int_equal(tail_size, 99);
    vRingbufferReturnItem(r, head);
    send_text(r,
              "sixteen bytes..."
              "and sixteen more",
              pdTRUE); /* 16 at the end, the rest in front */
    assert_int_equal(xRingbufferReceiveSplit(r, &head, &tail, &head_size, &tail_size, 0), pdTRUE);
    assert_int_equal(head_size, 16);
    assert_memory_equal(head, "sixteen bytes...", 16);
    assert_int_equal(tail_size, 16);
    assert_memory_equal(tail, "and sixteen more", 16);
    vRingbufferReturnItem(r, tail);
    vRingbufferReturnItem(r, head);
    assert_int_equal(xRingbufferReceiveSplit(r, &head, &tail, &head_size, &tail_size, 0), pdFALSE);
    /* Who asks for one piece gets the next one the next time. */
    send_text(r, "0123456789abcdef0123456789abcdef01234567", pdTRUE);
    receive_text(r, "0123456789abcdef0123456789abcdef");
    receive_text(r, "01234567");
    vRingbufferDelete(r);
}

static void bytes_have_no_borders(void **state)
{
    (void)state;
    RingbufHandle_t r = xRingbufferCreate(10, RINGBUF_TYPE_BYTEBUF);
    size_t size = 0;
    send_text(r, "abc", pdTRUE);
    send_text(r, "", pdTRUE);
    send_text(r, "defgh", pdTRUE);
    send_text(r, "too", pdFALSE);
    char *bytes = xRingbufferReceiveUpTo(r, &size, 0, 6);
    assert_int_equal(size, 6);
    assert_memory_equal(bytes, "abcdef", 6);
    assert_null(xRingbufferReceive(r, &size, 0)); /* some are out */
    send_text(r, "123", pdFALSE);
    vRingbufferReturnItem(r, bytes);
    send_text(r, "12345", pdTRUE);
    receive_text(r, "gh12"); /* up to the end */
    receive_text(r, "345");
    assert_null(xRingbufferReceiveUpTo(r, &size, 0, 0));
    send_text(r, "0123456789", pdTRUE);
    send_text(r, "0123456789.", pdFALSE);
    assert_int_equal(xRingbufferGetCurFreeSize(r), 0);
    receive_text(r, "0123456");
    receive_text(r, "789");
    vRingbufferDelete(r);
}

static void room_is_acquired_and_seen_when_it_is_complete(void **state)
{
    (void)state;
    RingbufHandle_t r = xRingbufferCreate(64, RINGBUF_TYPE_NOSPLIT);
    void *first, *second, *third = NULL;
    assert_int_equal(xRingbufferSendAcquire(r, &first, 4, 0), pdTRUE);
    assert_int_equal(xRingbufferSendAcquire(r, &second, 5, 0), pdTRUE);
    assert_int_equal(xRingbufferSendAcquire(r, &third, 25, 0), pdFALSE);
    memcpy(first, "1st.", 4);
    memcpy(second, "2nd..", 5);
    assert_int_equal(xRingbufferSendComplete(r, second), pdTRUE);
    receive_text(r, NULL); /* the first comes first */
    assert_int_equal(xRingbufferSendComplete(r, first), pdTRUE);
    receive_text(r, "1st.");
    receive_text(r, "2nd..");
    vRingbufferDelete(r);
}

static void memory_of_the_callers(void **state)
{
    (void)state;
    static _Alignas(8) uint8_t storage[64];
    static StaticRingbuffer_t memory;
    uint8_t *its_storage = NULL;
    StaticRingbuffer_t *its_memory = NULL;
    RingbufHandle_t r = xRingbufferCreateStatic(64, RINGBUF_TYPE_NOSPLIT, storage, &memory);
    assert_non_null(r);
    assert_int_equal(xRingbufferGetStaticBuffer(r, &its_storage, &its_memory), pdTRUE);
    assert_ptr_equal(its_storage, storage);
    assert_ptr_equal(its_memory, &memory);
    send_text(r, "text", pdTRUE);
    assert_memory_equal(storage + HEAD, "text", 4);
    vRingbufferDelete(r);
    assert_null(xRingbufferCreateStatic(63, RINGBUF_TYPE_NOSPLIT, storage, &memory));
    assert_null(xRingbufferCreateStatic(60, RINGBUF_TYPE_NOSPLIT, storage + 1, &memory));
    assert_null(xRingbufferCreateStatic(64, RINGBUF_TYPE_NOSPLIT, NULL, &memory));
    assert_null(xRingbufferCreateStatic(64, RINGBUF_TYPE_NOSPLIT, storage, NULL));
    r = xRingbufferCreate(64, RINGBUF_TYPE_BYTEBUF);
    assert_int_equal(xRingbufferGetStaticBuffer(r, &its_storage, &its_memory), pdFALSE);
    vRingbufferDelete(r);
}

static void a_set_is_told_of_items(void **state)
{
    (void)state;
    RingbufHandle_t r = xRingbufferCreate(64, RINGBUF_TYPE_NOSPLIT);
    QueueSetHandle_t set = xQueueCreateSet(4);
    assert_int_equal(xRingbufferAddToQueueSetRead(r, set), pdTRUE);
    assert_int_equal(xRingbufferAddToQueueSetRead(r, set), pdFALSE);
    assert_null(xQueueSelectFromSet(set, 0));
    send_text(r, "text", pdTRUE);
    assert_int_equal(xRingbufferCanRead(r, xQueueSelectFromSet(set, 0)), pdTRUE);
    assert_int_equal(xRingbufferRemoveFromQueueSetRead(r, set), pdFALSE); /* it is not empty */
    receive_text(r, "text");
    assert_int_equal(xRingbufferRemoveFromQueueSetRead(r, set), pdTRUE);
    send_text(r, "text", pdTRUE);
    assert_null(xQueueSelectFromSet(set, 0));
    vQueueDelete(set);
    vRingbufferDelete(r);
}

static void times_are_kept(void **state)
{
    (void)state;
    RingbufHandle_t r = xRingbufferCreate(16, RINGBUF_TYPE_BYTEBUF);
    TickType_t begin = xTaskGetTickCount();
    assert_null(xRingbufferReceive(r, NULL, 3));
    assert_in_range(xTaskGetTickCount() - begin, 2, 1000);
    send_text(r, "0123456789abcdef", pdTRUE);
    begin = xTaskGetTickCount();
    assert_int_equal(xRingbufferSend(r, "x", 1, 3), pdFALSE);
    assert_in_range(xTaskGetTickCount() - begin, 2, 1000);
    assert_int_equal(xRingbufferSend(r, "0123456789abcdefg", 17, portMAX_DELAY), pdFALSE); /* never fits */
    vRingbufferDelete(r);
}

/* ---- several tasks ---- */

#define ITEMS 3000

static RingbufHandle_t shared;

static void send_numbers(void *arg)
{
    (void)arg;
    for (uint32_t i = 0; i < ITEMS; i++) {
        uint32_t item[5] = {i, i, i, i, i};
        xRingbufferSend(shared, item, 4 * (1 + i % 5), portMAX_DELAY);
    }
    xSemaphoreGive(done);
    vTaskDelete(NULL);
}

static void check_numbers(RingbufferType_t type)
{
    shared = xRingbufferCreate(100, type);
    start(send_numbers, NULL);
    for (uint32_t i = 0; i < ITEMS; i++) {
        void *piece[2] = {NULL, NULL};
        size_t size[2] = {0, 0};
        uint32_t numbers[5];
        if (type == RINGBUF_TYPE_ALLOWSPLIT) {
            assert_int_equal(xRingbufferReceiveSplit(shared, &piece[0], &piece[1], &size[0], &size[1], SOON),
                             pdTRUE);
        } else {
            piece[0] = xRingbufferReceive(shared, &size[0], SOON);
        }
        assert_int_equal(size[0] + size[1], 4 * (1 + i % 5));
        memcpy(numbers, piece[0], size[0]);
        memcpy((uint8_t *)numbers + size[0], piece[1] != NULL ? piece[1] : piece[0], size[1]);
        for (size_t k = 0; k < 1 + i % 5; k++) {
            assert_int_equal(numbers[k], i);
        }
        for (int k = 1; k >= 0; k--) {
            if (piece[k] != NULL) {
                vRingbufferReturnItem(shared, piece[k]);
            }
        }
    }
    wait_done();
    vRingbufferDelete(shared);
}

static void tasks_send_and_receive(void **state)
{
    (void)state;
    check_numbers(RINGBUF_TYPE_NOSPLIT);
    check_numbers(RINGBUF_TYPE_ALLOWSPLIT);
}

static void bytes_of_a_task_come_in_order(void **state)
{
    (void)state;
    shared = xRingbufferCreate(37, RINGBUF_TYPE_BYTEBUF);
    start(send_numbers, NULL);
    uint8_t bytes[4];
    size_t got = 0;
    for (uint32_t i = 0; i < ITEMS; i++) {
        for (uint32_t k = 0; k < 1 + i % 5; k++) {
            while (got < 4) {
                size_t size;
                uint8_t *piece = xRingbufferReceiveUpTo(shared, &size, SOON, 4 - got);
                assert_non_null(piece);
                memcpy(bytes + got, piece, size);
                vRingbufferReturnItem(shared, piece);
                got += size;
            }
            assert_memory_equal(bytes, &i, 4);
            got = 0;
        }
    }
    wait_done();
    vRingbufferDelete(shared);
}

static void receive_for_a_while(void *arg)
{
    RingbufHandle_t r = *(RingbufHandle_t *)arg;
    xSemaphoreGive(done);
    assert_null(xRingbufferReceive(r, NULL, 20));
    xSemaphoreGive(done);
    vTaskDelete(NULL);
}

static void one_that_is_deleted_lets_those_who_wait_wait(void **state)
{
    (void)state;
    RingbufHandle_t r = xRingbufferCreate(16, RINGBUF_TYPE_BYTEBUF);
    TaskHandle_t task = start_task(receive_for_a_while, &r);
    wait_done();
    wait_until_blocked(task);
    vRingbufferDelete(r);
    wait_done();
    vRingbufferDelete(r); /* its memory was left to the one who waited, who waits no more */
    vRingbufferDelete(NULL);
}

/** Whatever is sent and received, what comes out is what went in: against a list of all that is in it. */
static void any_order_of_calls_gives_what_was_put(void **state)
{
    (void)state;
    for (int type = RINGBUF_TYPE_NOSPLIT; type <= RINGBUF_TYPE_ALLOWSPLIT; type++) {
        enum { OUT_MAX = 4 };
        RingbufHandle_t r = xRingbufferCreate(76, (RingbufferType_t)type);
        void *out[OUT_MAX];
        uint32_t outs = 0, sent = 0, read = 0, offset = 0, random = 12345;
        uint8_t bytes[64];
        for (int step = 0; step < 20000; step++) {
            random = random * 1664525u + 1013904223u;
            const uint32_t draw = random >> 16;
            if (draw % 3 == 0) {
                size_t len = sent % 23;
                memset(bytes, (int)sent, sizeof(bytes));
                sent += xRingbufferSend(r, bytes, len, 0) == pdTRUE;
            } else if (draw % 3 == 1 && outs < OUT_MAX) {
                size_t size = 0;
                uint8_t *item = xRingbufferReceive(r, &size, 0);
                assert_int_equal(item == NULL, read == sent);
                for (size_t i = 0; i < size; i++) {
                    assert_int_equal(item[i], (uint8_t)read);
                }
                if (item != NULL) {
                    out[outs++] = item;
                    offset += (uint32_t)size;
                    if (offset >= read % 23) {
                        assert_int_equal(offset, read % 23);
                        offset = 0;
                        read++;
                    }
                }
            } else if (outs > 0) {
                uint32_t which = draw / 3 % outs;
                vRingbufferReturnItem(r, out[which]);
                out[which] = out[--outs];
            }
        }
        assert_true(read > 2000);
        vRingbufferDelete(r);
    }
}

/* ---- callers that err ---- */

static void give_back_twice(void)
{
    RingbufHandle_t r = xRingbufferCreate(64, RINGBUF_TYPE_NOSPLIT);
    send_text(r, "text", pdTRUE);
    void *item = xRingbufferReceive(r, NULL, 0);
    vRingbufferReturnItem(r, item);
    vRingbufferReturnItem(r, item);
}

static void give_back_a_stranger(void)
{
    char stranger[64];
    vRingbufferReturnItem(xRingbufferCreate(64, RINGBUF_TYPE_NOSPLIT), stranger);
}

static void give_back_bytes_twice(void)
{
    RingbufHandle_t r = xRingbufferCreate(64, RINGBUF_TYPE_BYTEBUF);
    send_text(r, "text", pdTRUE);
    void *item = xRingbufferReceive(r, NULL, 0);
    vRingbufferReturnItem(r, item);
    vRingbufferReturnItem(r, item);
}

static void send_to_none(void)
{
    send_text(NULL, "text", pdTRUE);
}

static void acquire_of_bytes(void)
{
    void *item;
    xRingbufferSendAcquire(xRingbufferCreate(64, RINGBUF_TYPE_BYTEBUF), &item, 4, 0);
}

static void complete_twice(void)
{
    void *item;
    RingbufHandle_t r = xRingbufferCreate(64, RINGBUF_TYPE_NOSPLIT);
    xRingbufferSendAcquire(r, &item, 4, 0);
    xRingbufferSendComplete(r, item);
    xRingbufferSendComplete(r, item);
}

static void receive_up_to_of_items(void)
{
    size_t size;
    xRingbufferReceiveUpTo(xRingbufferCreate(64, RINGBUF_TYPE_NOSPLIT), &size, 0, 4);
}

static void receive_split_of_whole_items(void)
{
    void *head, *tail;
    size_t size;
    xRingbufferReceiveSplit(xRingbufferCreate(64, RINGBUF_TYPE_NOSPLIT), &head, &tail, &size, &size, 0);
}

static void callers_that_err_are_a_panic(void **state)
{
    (void)state;
    static const struct {
        void (*call)(void);
        const char *says;
    } rows[] = {
        {give_back_twice, "vRingbufferReturnItem: no item that was received, or it was returned already"},
        {give_back_a_stranger, "vRingbufferReturnItem: no item"},
        {give_back_bytes_twice, "vRingbufferReturnItem: no item"},
        {send_to_none, "xRingbufferSend: NULL"},
        {acquire_of_bytes, "xRingbufferSendAcquire: NULL, or not of RINGBUF_TYPE_NOSPLIT"},
        {complete_twice, "xRingbufferSendComplete: no item that was acquired"},
        {receive_up_to_of_items, "xRingbufferReceiveUpTo: NULL, or not of RINGBUF_TYPE_BYTEBUF"},
        {receive_split_of_whole_items, "xRingbufferReceiveSplit: NULL, or not of RINGBUF_TYPE_ALLOWSPLIT"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_panics(rows[i].call, rows[i].says);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_as_on_a_chip),
        cmocka_unit_test(items_come_in_order_and_may_be_given_back_in_any),
        cmocka_unit_test(an_item_that_does_not_fit_at_the_end_begins_anew),
        cmocka_unit_test(an_item_may_be_in_two_pieces),
        cmocka_unit_test(bytes_have_no_borders),
        cmocka_unit_test(room_is_acquired_and_seen_when_it_is_complete),
        cmocka_unit_test(memory_of_the_callers),
        cmocka_unit_test(a_set_is_told_of_items),
        cmocka_unit_test(times_are_kept),
        cmocka_unit_test(tasks_send_and_receive),
        cmocka_unit_test(bytes_of_a_task_come_in_order),
        cmocka_unit_test(one_that_is_deleted_lets_those_who_wait_wait),
        cmocka_unit_test(any_order_of_calls_gives_what_was_put),
        cmocka_unit_test(callers_that_err_are_a_panic),
    };
    return cmocka_run_group_tests(tests, helpers_set_up, helpers_tear_down);
}
