/* What all transports have, with the functions that each was given. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/socket.h>
#include <stdlib.h>

#include "transport_item.h"

esp_transport_handle_t esp_transport_init(void)
{
    return calloc(1, sizeof(struct esp_transport_item_t));
}

esp_err_t esp_transport_destroy(esp_transport_handle_t t)
{
    if (t == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (t->destroy != NULL) {
        (void)t->destroy(t); /* it is gone in any case */
    }
    free(t->scheme);
    free(t);
    return ESP_OK;
}

esp_err_t esp_transport_set_func(esp_transport_handle_t t, connect_func connect, io_read_func read,
                                 io_func write, trans_func close, poll_func poll_read, poll_func poll_write,
                                 trans_func destroy)
{
    if (t == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    t->connect = connect;
    t->read = read;
    t->write = write;
    t->close = close;
    t->poll_read = poll_read;
    t->poll_write = poll_write;
    t->destroy = destroy;
    return ESP_OK;
}

void *esp_transport_get_context_data(esp_transport_handle_t t)
{
    return t != NULL ? t->context : NULL;
}

esp_err_t esp_transport_set_context_data(esp_transport_handle_t t, void *data)
{
    if (t == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    t->context = data;
    return ESP_OK;
}

esp_err_t esp_transport_set_async_connect_func(esp_transport_handle_t t, connect_func connect_async)
{
    if (t == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    t->connect_async = connect_async;
    return ESP_OK;
}

esp_err_t esp_transport_set_parent_transport_func(esp_transport_handle_t t,
                                                  payload_transfer_func parent_transport)
{
    if (t == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    t->payload = parent_transport;
    return ESP_OK;
}

esp_transport_handle_t esp_transport_get_payload_transport_handle(esp_transport_handle_t t)
{
    return t != NULL && t->payload != NULL ? t->payload(t) : t;
}

int esp_transport_get_default_port(esp_transport_handle_t t)
{
    return t != NULL ? t->port : -1;
}

esp_err_t esp_transport_set_default_port(esp_transport_handle_t t, int port)
{
    if (t == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    t->port = port;
    return ESP_OK;
}

int esp_transport_connect(esp_transport_handle_t t, const char *host, int port, int timeout_ms)
{
    return t != NULL && t->connect != NULL ? t->connect(t, host, port, timeout_ms) : -1;
}

int esp_transport_connect_async(esp_transport_handle_t t, const char *host, int port, int timeout_ms)
{
    if (t != NULL && t->connect_async != NULL) {
        return t->connect_async(t, host, port, timeout_ms);
    }
    return esp_transport_connect(t, host, port, timeout_ms) == 0 ? 1 : -1;
}

int esp_transport_read(esp_transport_handle_t t, char *buffer, int len, int timeout_ms)
{
    return t != NULL && t->read != NULL ? t->read(t, buffer, len, timeout_ms) : -1;
}

int esp_transport_write(esp_transport_handle_t t, const char *buffer, int len, int timeout_ms)
{
    return t != NULL && t->write != NULL ? t->write(t, buffer, len, timeout_ms) : -1;
}

int esp_transport_poll_read(esp_transport_handle_t t, int timeout_ms)
{
    return t != NULL && t->poll_read != NULL ? t->poll_read(t, timeout_ms) : -1;
}

int esp_transport_poll_write(esp_transport_handle_t t, int timeout_ms)
{
    return t != NULL && t->poll_write != NULL ? t->poll_write(t, timeout_ms) : -1;
}

int esp_transport_close(esp_transport_handle_t t)
{
    return t != NULL && t->close != NULL ? t->close(t) : -1;
}

esp_tls_error_handle_t esp_transport_get_error_handle(esp_transport_handle_t t)
{
    if (t != NULL && t->parent != NULL) {
        return esp_transport_get_error_handle(t->parent);
    }
    return t != NULL && t->is_ours ? &t->error : NULL;
}

int esp_transport_get_errno(esp_transport_handle_t t)
{
    int error = -1;
    socklen_t size = sizeof(error);
    int fd = esp_transport_get_socket(t);
    return fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : -1;
}

int esp_transport_get_socket(esp_transport_handle_t t)
{
    int fd = -1;
    if (t != NULL && t->parent != NULL) {
        return esp_transport_get_socket(t->parent);
    }
    return t != NULL && t->tls != NULL && esp_tls_get_conn_sockfd(t->tls, &fd) == ESP_OK ? fd : -1;
}

esp_err_t esp_transport_translate_error(enum esp_tcp_transport_err_t error)
{
    switch (error) {
    case ERR_TCP_TRANSPORT_CONNECTION_TIMEOUT:
        return ESP_ERR_TCP_TRANSPORT_CONNECTION_TIMEOUT;
    case ERR_TCP_TRANSPORT_CONNECTION_CLOSED_BY_FIN:
        return ESP_ERR_TCP_TRANSPORT_CONNECTION_CLOSED_BY_FIN;
    case ERR_TCP_TRANSPORT_CONNECTION_FAILED:
        return ESP_ERR_TCP_TRANSPORT_CONNECTION_FAILED;
    case ERR_TCP_TRANSPORT_NO_MEM:
        return ESP_ERR_TCP_TRANSPORT_NO_MEM;
    default:
        return ESP_FAIL;
    }
}
