/* The HTTP client on real sockets of this machine: what its configuration sets on the socket. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "esp_http_client.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* A socket that accepts connections into its backlog; nobody needs to answer. @param url  receives its address */
static int listen_here(char *url, size_t size)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    snprintf(url, size, "http://127.0.0.1:%u/", ntohs(address.sin_port));
    return fd;
}

static int option(int fd, int level, int name)
{
    int value = -1;
    socklen_t len = sizeof(value);
    assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
    return value;
}

static void keep_alive_values_reach_the_socket(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool enable;
        int idle, interval, count; /* as configured */
        int want_idle, want_interval, want_count;
    } rows[] = {
        {"off", false, 9, 9, 9, 0, 0, 0},
        {"defaults", true, 0, 0, 0, 5, 5, 3},
        {"own values", true, 20, 7, 4, 20, 7, 4},
    };
    char url[64];
    int server = listen_here(url, sizeof(url));
    for (size_t i = 0; i < COUNT(rows); i++) {
        const esp_http_client_config_t config = {
            .url = url,
            .keep_alive_enable = rows[i].enable,
            .keep_alive_idle = rows[i].idle,
            .keep_alive_interval = rows[i].interval,
            .keep_alive_count = rows[i].count,
        };
        esp_http_client_handle_t client = esp_http_client_init(&config);
        assert_non_null(client);
        print_message("%s\n", rows[i].name);
        assert_int_equal(esp_http_client_get_socket(client), -1);
        assert_int_equal(esp_http_client_open(client, 0), ESP_OK);
        int fd = esp_http_client_get_socket(client);
        assert_true(fd >= 0);
        assert_int_equal(option(fd, SOL_SOCKET, SO_KEEPALIVE), rows[i].enable);
        if (rows[i].enable) {
            assert_int_equal(option(fd, IPPROTO_TCP, TCP_KEEPIDLE), rows[i].want_idle);
            assert_int_equal(option(fd, IPPROTO_TCP, TCP_KEEPINTVL), rows[i].want_interval);
            assert_int_equal(option(fd, IPPROTO_TCP, TCP_KEEPCNT), rows[i].want_count);
        }
        assert_int_equal(esp_http_client_close(client), ESP_OK);
        assert_int_equal(esp_http_client_get_socket(client), -1);
        esp_http_client_cleanup(client);
    }
    close(server);
}

static void the_interface_is_copied_and_bound(void **state)
{
    (void)state;
    char url[64], bound[IFNAMSIZ] = "";
    int server = listen_here(url, sizeof(url));
    struct ifreq interface = {0};
    strcpy(interface.ifr_name, "lo");
    const esp_http_client_config_t config = {.url = url, .if_name = &interface};
    esp_http_client_handle_t client = esp_http_client_init(&config);
    assert_non_null(client);
    memset(&interface, 'x', sizeof(interface)); /* the handle has its own */
    assert_int_equal(esp_http_client_open(client, 0), ESP_OK);
    socklen_t len = sizeof(bound);
    assert_int_equal(getsockopt(esp_http_client_get_socket(client), SOL_SOCKET, SO_BINDTODEVICE, bound, &len),
                     0);
    assert_string_equal(bound, "lo");
    esp_http_client_cleanup(client);
    close(server);
}

static void a_hundred_failures_leave_no_descriptor(void **state)
{
    (void)state;
    char url[64];
    int server = listen_here(url, sizeof(url));
    close(server); /* now the port refuses */
    int before = dup(0);
    close(before);
    for (int i = 0; i < 100; i++) {
        const esp_http_client_config_t config = {.url = url};
        esp_http_client_handle_t client = esp_http_client_init(&config);
        assert_int_equal(esp_http_client_open(client, 0), ESP_ERR_HTTP_CONNECT);
        esp_http_client_cleanup(client);
    }
    int after = dup(0);
    close(after);
    assert_int_equal(after, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keep_alive_values_reach_the_socket),
        cmocka_unit_test(the_interface_is_copied_and_bound),
        cmocka_unit_test(a_hundred_failures_leave_no_descriptor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
