/* The console names a port; what the server there gives is fetched in each way. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esp_tls.h"
#include "esp_transport.h"
#include "esp_transport_ssl.h"
#include "esp_transport_tcp.h"

extern const char ca_pem_start[] asm("_binary_ca_pem_start");
extern const char ca_pem_end[] asm("_binary_ca_pem_end");

static const char request[] = "GET /file HTTP/1.0\r\nHost: localhost\r\n\r\n";

static void by_tls(const char *url, const esp_tls_cfg_t *config, const char *name)
{
    char answer[512] = "";
    size_t used = 0;
    ssize_t got = 0;
    esp_tls_t *tls = esp_tls_init();
    int state = -1, code = 0, flags = 0;
    if (esp_tls_conn_http_new_sync(url, config, tls) != 1) {
        esp_tls_error_handle_t error;
        ESP_ERROR_CHECK(esp_tls_get_error_handle(tls, &error));
        esp_err_t err = esp_tls_get_and_clear_last_error(error, &code, &flags);
        ESP_ERROR_CHECK(esp_tls_get_conn_state(tls, (esp_tls_conn_state_t *)&state));
        printf("%s: not connected, %s, 0x%x, state %d\n", name, esp_err_to_name(err), code, state);
    } else {
        printf("%s: wrote %d", name, (int)esp_tls_conn_write(tls, request, strlen(request)));
        while (used < sizeof(answer) - 1 &&
               (got = esp_tls_conn_read(tls, answer + used, sizeof(answer) - 1 - used)) > 0) {
            used += (size_t)got;
        }
        printf(", %.12s, ends in %s, then %d\n", answer, used > 4 ? answer + used - 4 : "", (int)got);
    }
    esp_tls_conn_destroy(tls);
}

static void by_transport(const char *scheme, int port)
{
    char answer[512] = "";
    esp_transport_list_handle_t list = esp_transport_list_init();
    esp_transport_handle_t ssl = esp_transport_ssl_init(), tcp = esp_transport_tcp_init();
    esp_transport_ssl_set_cert_data(ssl, ca_pem_start, ca_pem_end - ca_pem_start);
    ESP_ERROR_CHECK(esp_transport_list_add(list, tcp, "tcp"));
    ESP_ERROR_CHECK(esp_transport_list_add(list, ssl, "ssl"));
    esp_transport_handle_t t = esp_transport_list_get_transport(list, scheme);
    printf("%s: before %d", scheme, esp_transport_read(t, answer, 1, 0));
    printf(", connect %d", esp_transport_connect(t, "localhost", port, 5000));
    printf(", nothing yet %d", esp_transport_poll_read(t, 20));
    printf(" %d", esp_transport_read(t, answer, 1, 20));
    printf(", writable %d", esp_transport_poll_write(t, 1000) > 0);
    printf(", wrote %d", esp_transport_write(t, request, strlen(request), 5000));
    printf(", readable %d", esp_transport_poll_read(t, 5000) > 0);
    int got = esp_transport_read(t, answer, 8, 5000);
    printf(", got %d: %.8s", got, t == ssl ? answer : "");
    while (got > 0) {
        got = esp_transport_read(t, answer, sizeof(answer), 5000);
    }
    printf(", end %d, socket %d", got, esp_transport_get_socket(t) >= 0);
    printf(", closed %d", esp_transport_close(t));
    printf(", socket %d", esp_transport_get_socket(t));
    printf(", again %d\n", esp_transport_connect(t, "localhost", port, 5000));
    ESP_ERROR_CHECK(esp_transport_list_destroy(list));
}

void app_main(void)
{
    char line[16] = "", url[64], nowhere[64];
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (fgets(line, sizeof(line), stdin) == NULL) {
        return;
    }
    int port = atoi(line);
    snprintf(url, sizeof(url), "https://localhost:%d/file", port);
    snprintf(nowhere, sizeof(nowhere), "https://localhost:%d/file", 1);
    const esp_tls_cfg_t trusted = {.cacert_pem_buf = (const unsigned char *)ca_pem_start,
                                   .cacert_pem_bytes = (unsigned)(ca_pem_end - ca_pem_start)};
    const esp_tls_cfg_t nobody = {.timeout_ms = 5000};
    by_tls(url, &trusted, "trusted");
    by_tls(url, &nobody, "without trust");
    by_tls(nowhere, &trusted, "nowhere");
    by_tls("ftp://localhost", &trusted, "no URL");
    by_transport("ssl", port);
    by_transport("tcp", port);
    printf("all are fetched\n");
}
