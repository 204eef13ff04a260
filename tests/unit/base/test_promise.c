/* A port that answers what its seam does not allow is caught where it answers. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "esp_http_client.h"
#include "otter/flash.h"
#include "otter/promise.h"
#include "otter/transport.h"

/* This program's own end of a broken promise: a jump back into the test. */
void otter_assert_failed(const char *condition, const char *file, int line)
{
    mock_assert(0, condition, file, line);
}

/* ---- a flash whose operations answer what the test says ---- */

static esp_err_t flash_says;

static esp_err_t flash_read(void *dev, uint32_t off, void *dst, uint32_t len)
{
    (void)dev, (void)off, (void)dst, (void)len;
    return flash_says;
}

static esp_err_t flash_program(void *dev, uint32_t off, const void *src, uint32_t len)
{
    (void)dev, (void)off, (void)src, (void)len;
    return flash_says;
}

static esp_err_t flash_erase(void *dev, uint32_t off, uint32_t len)
{
    (void)dev, (void)off, (void)len;
    return flash_says;
}

static esp_err_t flash_sync(void *dev)
{
    (void)dev;
    return flash_says;
}

static const otter_flash_ops_t flash_ops = {
    .read = flash_read, .program = flash_program, .erase = flash_erase, .sync = flash_sync};

static void flash_operations_may_answer_what_the_seam_documents(void **state)
{
    (void)state;
    static const esp_err_t rows[] = {ESP_OK, ESP_ERR_FLASH_OP_FAIL, ESP_ERR_FLASH_OP_TIMEOUT};
    otter_flash_t flash = {.ops = &flash_ops, .size = 8192, .erase_size = 4096, .write_size = 1};
    uint8_t byte = 0;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        flash_says = rows[i];
        assert_int_equal(rows[i], otter_flash_read(&flash, 0, &byte, 1));
        assert_int_equal(rows[i], otter_flash_program(&flash, 0, &byte, 1));
        assert_int_equal(rows[i], otter_flash_erase(&flash, 0, 4096));
        assert_int_equal(rows[i], otter_flash_sync(&flash));
    }
    flash_says = ESP_ERR_INVALID_CRC; /* what a code cannot correct: of a reading only */
    assert_int_equal(ESP_ERR_INVALID_CRC, otter_flash_read(&flash, 0, &byte, 1));
}

static void flash_operations_that_answer_another_code_are_caught(void **state)
{
    (void)state;
    static const esp_err_t rows[] = {1, ESP_FAIL, ESP_ERR_NO_MEM, ESP_ERR_INVALID_SIZE};
    otter_flash_t flash = {.ops = &flash_ops, .size = 8192, .erase_size = 4096, .write_size = 1};
    uint8_t byte = 0;
    for (volatile size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        flash_says = rows[i];
        expect_assert_failure(otter_ignore(otter_flash_read(&flash, 0, &byte, 1)));
        expect_assert_failure(otter_ignore(otter_flash_program(&flash, 0, &byte, 1)));
        expect_assert_failure(otter_ignore(otter_flash_erase(&flash, 0, 4096)));
        expect_assert_failure(otter_ignore(otter_flash_sync(&flash)));
    }
    flash_says = ESP_ERR_INVALID_CRC;
    expect_assert_failure(otter_ignore(otter_flash_erase(&flash, 0, 4096)));
}

/* ---- a transport whose operations answer what the test says ---- */

static struct {
    esp_err_t connects;
    int reads, writes; /* beyond what was asked for, where above 0; else the answer */
} transport_says;

static esp_err_t transport_connect(otter_transport_t *t, const otter_endpoint_t *endpoint)
{
    (void)t, (void)endpoint;
    return transport_says.connects;
}

static int transport_read(otter_transport_t *t, void *buf, size_t len, int timeout_ms)
{
    (void)t, (void)buf, (void)timeout_ms;
    return transport_says.reads > 0 ? (int)len + transport_says.reads : transport_says.reads;
}

static int transport_write(otter_transport_t *t, const void *buf, size_t len, int timeout_ms)
{
    (void)t, (void)buf, (void)timeout_ms;
    return transport_says.writes > 0 ? (int)len + transport_says.writes - 1 : transport_says.writes;
}

static void transport_close(otter_transport_t *t)
{
    (void)t;
}

static int transport_descriptor(otter_transport_t *t)
{
    (void)t;
    return -1;
}

static const otter_transport_error_t *transport_error(otter_transport_t *t)
{
    (void)t;
    static const otter_transport_error_t error = {.fault = {ESP_FAIL, "as the test says"}};
    return &error;
}

static const otter_transport_ops_t transport_ops = {.connect = transport_connect,
                                                    .read = transport_read,
                                                    .write = transport_write,
                                                    .close = transport_close,
                                                    .destroy = transport_close,
                                                    .descriptor = transport_descriptor,
                                                    .error = transport_error};

static esp_err_t ask(esp_http_client_handle_t client)
{
    esp_err_t err = esp_http_client_open(client, 0);
    return err == ESP_OK && esp_http_client_fetch_headers(client) < 0 ? ESP_FAIL : err;
}

static void transports_that_answer_nonsense_are_caught(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        esp_err_t connects;
        int reads, writes;
        bool caught;
    } rows[] = {
        {"an error of connecting", ESP_ERR_HTTP_CONNECT, OTTER_IO_EOF, 1, false},
        {"another error of connecting", ESP_ERR_NO_MEM, OTTER_IO_EOF, 1, true},
        {"all written, the end read", ESP_OK, OTTER_IO_EOF, 1, false},
        {"an error of reading", ESP_OK, OTTER_IO_ERROR, 1, false},
        {"more read than asked for", ESP_OK, 1, 1, true},
        {"a code of reading that there is not", ESP_OK, -3, 1, true},
        {"more written than given", ESP_OK, OTTER_IO_EOF, 2, true},
        {"a code of writing that there is not", ESP_OK, OTTER_IO_EOF, -11, true},
    };
    for (volatile size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        print_message("%s\n", rows[i].name);
        otter_transport_t transport = {&transport_ops};
        const esp_http_client_config_t config = {
            .url = "http://127.0.0.1/", .timeout_ms = 1000, .transport = (void *)&transport};
        transport_says.connects = rows[i].connects;
        transport_says.reads = rows[i].reads;
        transport_says.writes = rows[i].writes;
        esp_http_client_handle_t client = esp_http_client_init(&config);
        assert_non_null(client);
        if (rows[i].caught) {
            expect_assert_failure(otter_ignore(ask(client)));
        } else {
            assert_int_not_equal(ESP_OK, ask(client));
        }
        esp_http_client_cleanup(client);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flash_operations_may_answer_what_the_seam_documents),
        cmocka_unit_test(flash_operations_that_answer_another_code_are_caught),
        cmocka_unit_test(transports_that_answer_nonsense_are_caught),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
