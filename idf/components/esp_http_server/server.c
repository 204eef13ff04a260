/* Starting and stopping a server, and the task in which its handlers run. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "esp_log.h"

static const char TAG[] = "httpd";

#define STACK_MIN         16384 /* a 64-bit machine's frames are larger than a chip's */
#define POOL_BYTES        65536 /* of libmicrohttpd for a connection: the head of a request, and what comes along */
#define SPARE_CONNECTIONS 16u

ESP_EVENT_DEFINE_BASE(ESP_HTTP_SERVER_EVENT);

void server_lock(server_t *server)
{
    (void)pthread_mutex_lock(&server->lock); /* it is a plain one: this cannot fail */
}

void server_unlock(server_t *server)
{
    (void)pthread_mutex_unlock(&server->lock);
}

struct timespec server_deadline(unsigned seconds)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* there is one on Linux */
    now.tv_sec += (time_t)seconds;
    return now;
}

bool server_wait(server_t *server, const struct timespec *until)
{
    if (until == NULL) {
        return pthread_cond_wait(&server->changed, &server->lock) == 0;
    }
    return pthread_cond_timedwait(&server->changed, &server->lock, until) != ETIMEDOUT;
}

void server_release(server_t *server)
{
    bool last = --server->holders == 0;
    server_unlock(server);
    if (!last) {
        return;
    }
    for (size_t i = 0; i < server->handler_count; i++) {
        free((void *)(uintptr_t)server->handlers[i].uri);
    }
    free(server->handlers);
    (void)pthread_cond_destroy(&server->changed);
    (void)pthread_mutex_destroy(&server->lock);
    (void)pthread_mutex_destroy(&server->greeting);
    free(server);
}

void server_post(int32_t id, const void *data, size_t size)
{
    (void)esp_event_post(ESP_HTTP_SERVER_EVENT, id, data, size, 0); /* there need not be a loop */
}

/* ---- the task ---- */

/** With the lock held: runs what httpd_queue_work() has brought. */
static void do_work(server_t *server)
{
    work_t *work = server->work;
    server->work = work->next;
    server->last_work = server->work == NULL ? &server->work : server->last_work;
    server_unlock(server);
    work->function(work->arg);
    free(work);
    server_lock(server);
}

/** With the lock held: one request, from its handler to the end of its answer. */
static void do_request(server_t *server)
{
    exchange_t *exchange = server->first;
    server->first = exchange->next;
    server->last = server->first == NULL ? &server->first : server->last;
    server_unlock(server);
    exchange_end(exchange, uri_handle(exchange));
    server_lock(server);
}

static void run_task(void *arg)
{
    server_t *server = arg;
    server_lock(server);
    while (!server->stopping) {
        if (server->work != NULL) {
            do_work(server);
        } else if (server->first != NULL) {
            do_request(server);
        } else {
            (void)server_wait(server, NULL);
        }
    }
    while (server->first != NULL) { /* nobody answers these any more */
        exchange_t *exchange = server->first;
        server->first = exchange->next;
        exchange_fail(exchange);
        exchange_release(exchange);
        server_lock(server);
    }
    while (server->work != NULL) {
        work_t *work = server->work;
        server->work = work->next;
        free(work);
    }
    server->task_ended = true;
    (void)pthread_cond_broadcast(&server->changed);
    server_release(server);
    vTaskDelete(NULL);
}

esp_err_t httpd_queue_work(httpd_handle_t handle, httpd_work_fn_t work, void *arg)
{
    server_t *server = handle;
    if (server == NULL || work == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    work_t *item = calloc(1, sizeof(*item));
    if (item == NULL) {
        return ESP_FAIL;
    }
    *item = (work_t){.function = work, .arg = arg};
    server_lock(server);
    bool runs = !server->stopping;
    if (runs) {
        *server->last_work = item;
        server->last_work = &item->next;
        (void)pthread_cond_broadcast(&server->changed);
    }
    server_unlock(server);
    if (!runs) {
        free(item);
    }
    return runs ? ESP_OK : ESP_FAIL;
}

/* ---- start ---- */

/** The place on this machine that `otter run --port` gives a port of the device: the variable OTTER_PORTS, as
    "80=127.0.0.1:8080,443=0.0.0.0:8443". Without one it is the same port, for this machine alone. */
static struct sockaddr_in place_of(unsigned port)
{
    struct sockaddr_in place = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const char *text = getenv("OTTER_PORTS");
    while (text != NULL) {
        unsigned device, host;
        char address[INET_ADDRSTRLEN];
        struct in_addr parsed;
        if (sscanf(text, "%5u=%15[0-9.]:%5u", &device, address, &host) == 3 && device == port &&
            inet_pton(AF_INET, address, &parsed) == 1) {
            place.sin_addr = parsed;
            place.sin_port = htons((uint16_t)host);
        }
        text = strchr(text, ',');
        text = text != NULL ? text + 1 : NULL;
    }
    return place;
}

/** @return a socket that listens; below 0, and said */
static int start_listening(const httpd_config_t *config, const char *scheme)
{
    struct sockaddr_in place = place_of(config->server_port);
    const int on = 1;
    char address[INET_ADDRSTRLEN] = "";
    (void)inet_ntop(AF_INET, &place.sin_addr, address, sizeof(address)); /* there is room */
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        bind(fd, (struct sockaddr *)&place, sizeof(place)) != 0 || listen(fd, config->backlog_conn) != 0) {
        ESP_LOGE(
            TAG,
            "port %u of the device is %s:%u of this machine, which cannot be had (%s): `otter run --port "
            "%u=8080` gives it another one",
            config->server_port, address, ntohs(place.sin_port), strerror(errno), config->server_port);
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    ESP_LOGI(TAG, "port %u of the device is %s://%s:%u", config->server_port, scheme, address,
             ntohs(place.sin_port));
    return fd;
}

static bool start_daemon(server_t *server)
{
    const httpd_config_t *config = &server->config;
    server->listener = start_listening(config, server->secure != NULL ? "https" : "http");
    if (server->listener < 0) {
        return false;
    }
    const unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_ALLOW_UPGRADE |
                           MHD_USE_AUTO | MHD_USE_NO_LISTEN_SOCKET;
    /* The door counts: libmicrohttpd may have some more, which are about to end. */
    server->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, transfer_go_on, server, MHD_OPTION_CONNECTION_LIMIT,
        config->max_open_sockets + SPARE_CONNECTIONS, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)POOL_BYTES,
        MHD_OPTION_URI_LOG_CALLBACK, transfer_see_uri, server, MHD_OPTION_NOTIFY_COMPLETED, transfer_end,
        server, MHD_OPTION_NOTIFY_CONNECTION, session_notify, server, MHD_OPTION_END);
    if (server->daemon != NULL && !door_open(server)) {
        MHD_stop_daemon(server->daemon);
        server->daemon = NULL;
    }
    if (server->daemon == NULL) {
        ESP_LOGE(TAG, "libmicrohttpd does not start");
        close(server->listener);
    }
    return server->daemon != NULL;
}

static server_t *new_server(const httpd_config_t *config)
{
    server_t *server = calloc(1, sizeof(*server));
    if (server == NULL) {
        return NULL;
    }
    server->config = *config;
    server->handlers = calloc(config->max_uri_handlers, sizeof(*server->handlers));
    if (server->handlers == NULL) {
        free(server);
        return NULL;
    }
    server->last = &server->first;
    server->last_work = &server->work;
    server->holders = 1;
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes); /* none of these can fail on Linux */
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&server->changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    (void)pthread_mutex_init(&server->lock, NULL);
    (void)pthread_mutex_init(&server->greeting, NULL);
    return server;
}

/** Ends the task, and waits for it. */
static void stop_task(server_t *server)
{
    server_lock(server);
    server->stopping = true;
    (void)pthread_cond_broadcast(&server->changed);
    while (!server->task_ended) {
        (void)server_wait(server, NULL);
    }
    server_unlock(server);
}

esp_err_t otter_httpd_start(httpd_handle_t *handle, const httpd_config_t *config, otter_httpd_open_t secure)
{
    if (handle == NULL || config == NULL || config->max_open_sockets == 0 || config->max_uri_handlers == 0) {
        return ESP_ERR_INVALID_ARG;
    }
    server_t *server = new_server(config);
    if (server == NULL) {
        return ESP_ERR_HTTPD_ALLOC_MEM;
    }
    size_t stack = config->stack_size > STACK_MIN ? config->stack_size : STACK_MIN;
    server->holders++;
    if (xTaskCreatePinnedToCore(run_task, "httpd", (uint32_t)stack, server, config->task_priority, NULL,
                                config->core_id) != pdPASS) {
        server->holders = 1;
        server_lock(server);
        server_release(server);
        return ESP_ERR_HTTPD_TASK;
    }
    server->secure = secure;
    *handle = server; /* clients may come before this returns */
    if (!start_daemon(server)) {
        *handle = NULL;
        stop_task(server);
        server_lock(server);
        server_release(server);
        return ESP_FAIL;
    }
    server_post(HTTP_SERVER_EVENT_START, handle, sizeof(*handle));
    return ESP_OK;
}

const httpd_config_t *otter_httpd_config(httpd_handle_t handle)
{
    return &((const server_t *)handle)->config;
}

esp_err_t httpd_start(httpd_handle_t *handle, const httpd_config_t *config)
{
    return otter_httpd_start(handle, config, NULL);
}

/** Tears down what clients still have open: libmicrohttpd does not end with a connection that waits for us. */
static void drop_sessions(server_t *server)
{
    server_lock(server);
    for (session_t *session = server->sessions; session != NULL; session = session->next) {
        if (session->exchange != NULL) {
            exchange_fail(session->exchange);
        }
        session_shut(session);
    }
    server_unlock(server);
}

esp_err_t httpd_stop(httpd_handle_t handle)
{
    server_t *server = handle;
    if (server == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    stop_task(server);
    websocket_stop(server);
    drop_sessions(server);
    door_close(server);
    drop_sessions(server); /* who came in meanwhile */
    MHD_stop_daemon(server->daemon);
    door_closed(server);
    websocket_stopped(server);
    const httpd_config_t *config = &server->config;
    if (config->global_user_ctx_free_fn != NULL) {
        config->global_user_ctx_free_fn(config->global_user_ctx);
    } else {
        free(config->global_user_ctx);
    }
    if (config->global_transport_ctx_free_fn != NULL) {
        config->global_transport_ctx_free_fn(config->global_transport_ctx);
    } else {
        free(config->global_transport_ctx);
    }
    server_post(HTTP_SERVER_EVENT_STOP, &handle, sizeof(handle));
    server_lock(server);
    server_release(server);
    return ESP_OK;
}

void *httpd_get_global_user_ctx(httpd_handle_t handle)
{
    return handle != NULL ? ((server_t *)handle)->config.global_user_ctx : NULL;
}

void *httpd_get_global_transport_ctx(httpd_handle_t handle)
{
    return handle != NULL ? ((server_t *)handle)->config.global_transport_ctx : NULL;
}
