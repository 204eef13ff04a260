/* The known defects of ESP-IDF's HTTP client that need sockets (docs/DIFFERENCES.md): names with many addresses, and TLS. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "esp_crt_bundle.h"
#include "esp_http_client.h"

/* ---- a resolver of this test's own: "many.example" has a dead address before the live one ---- */

static struct addrinfo *new_address(uint32_t address, uint16_t port, struct addrinfo *next)
{
    struct addrinfo *info = calloc(1, sizeof(*info));
    struct sockaddr_in *in = calloc(1, sizeof(*in));
    assert_true(info != NULL && in != NULL);
    *in = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(address)};
    *info = (struct addrinfo){.ai_family = AF_INET,
                              .ai_socktype = SOCK_STREAM,
                              .ai_addr = (struct sockaddr *)(void *)in,
                              .ai_addrlen = sizeof(*in),
                              .ai_next = next};
    return info;
}

/* In place of the C library's, which cannot be told what a name has. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
    uint16_t port = (uint16_t)atoi(service);
    struct in_addr numeric;
    if (inet_pton(AF_INET, node, &numeric) == 1) {
        *out = new_address(ntohl(numeric.s_addr), port, NULL);
        return 0;
    }
    if ((hints->ai_flags & AI_NUMERICHOST) != 0 || strcmp(node, "many.example") != 0) {
        return EAI_NONAME;
    }
    *out = new_address(INADDR_LOOPBACK + 1, port, new_address(INADDR_LOOPBACK, port, NULL));
    return 0;
}

void freeaddrinfo(struct addrinfo *list)
{
    while (list != NULL) {
        struct addrinfo *next = list->ai_next;
        free(list->ai_addr);
        free(list);
        list = next;
    }
}

/* ---- a server that notes what comes first, and closes ---- */

typedef struct {
    int fd;
    uint16_t port;
    const char *answer; /* NULL: none */
    char first;         /* byte of what came */
    pthread_t thread;
} server_t;

static void *serve_once(void *ctx)
{
    server_t *server = ctx;
    int fd = accept(server->fd, NULL, NULL);
    char request[2048];
    if (fd >= 0) {
        ssize_t n = read(fd, request, sizeof(request));
        server->first = n > 0 ? request[0] : '\0';
        if (server->answer != NULL && write(fd, server->answer, strlen(server->answer)) < 0) {
            server->first = '\0';
        }
        close(fd);
    }
    return NULL;
}

/* On 127.0.0.1 only, so that 127.0.0.2 refuses. */
static void start(server_t *server, const char *answer)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    *server = (server_t){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), .answer = answer};
    const struct timeval limit = {.tv_sec = 20};
    assert_true(server->fd >= 0);
    assert_int_equal(setsockopt(server->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
    assert_int_equal(bind(server->fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(server->fd, 4), 0);
    assert_int_equal(getsockname(server->fd, (struct sockaddr *)&address, &len), 0);
    server->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&server->thread, NULL, serve_once, server), 0);
}

static void stop(server_t *server)
{
    assert_int_equal(pthread_join(server->thread, NULL), 0);
    close(server->fd);
}

static void defect_14_transport_follows_the_scheme(void **state)
{
    (void)state;
    server_t plain, secure, plain_again;
    char url[64];
    start(&plain, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
    start(&secure, NULL);
    start(&plain_again, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
    snprintf(url, sizeof(url), "http://127.0.0.1:%u/", plain.port);
    const esp_http_client_config_t config = {
        .url = url, .timeout_ms = 10000, .crt_bundle_attach = esp_crt_bundle_attach};
    esp_http_client_handle_t client = esp_http_client_init(&config);
    assert_non_null(client);
    assert_int_equal(esp_http_client_perform(client), ESP_OK);
    snprintf(url, sizeof(url), "https://127.0.0.1:%u/", secure.port);
    assert_int_equal(esp_http_client_set_url(client, url), ESP_OK);
    assert_int_equal(esp_http_client_perform(client), ESP_ERR_HTTP_CONNECT); /* it does not speak TLS */
    snprintf(url, sizeof(url), "http://127.0.0.1:%u/", plain_again.port);
    assert_int_equal(esp_http_client_set_url(client, url), ESP_OK);
    assert_int_equal(esp_http_client_perform(client), ESP_OK);
    esp_http_client_cleanup(client);
    stop(&plain);
    stop(&secure);
    stop(&plain_again);
    assert_int_equal(plain.first, 'G');
    assert_int_equal(secure.first, 0x16); /* a TLS handshake */
    assert_int_equal(plain_again.first, 'G');
}

static void defect_45_all_addresses_of_a_name_are_tried(void **state)
{
    (void)state;
    server_t server;
    char url[64];
    start(&server, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
    snprintf(url, sizeof(url), "http://many.example:%u/", server.port);
    const esp_http_client_config_t config = {.url = url, .timeout_ms = 10000};
    esp_http_client_handle_t client = esp_http_client_init(&config);
    assert_non_null(client);
    assert_int_equal(esp_http_client_perform(client), ESP_OK);
    assert_int_equal(esp_http_client_get_status_code(client), 204);
    esp_http_client_cleanup(client);
    stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defect_14_transport_follows_the_scheme),
        cmocka_unit_test(defect_45_all_addresses_of_a_name_are_tried),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
