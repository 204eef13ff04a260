/* A session of pings: a task that sends echoes by a socket of this machine, and waits for their answers. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ping/ping_sock.h"

#include <arpa/inet.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "esp_log.h"
#include "esp_timer.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

static const char TAG[] = "ping_sock";

#define DATA_MAX  1400
#define STACK_MIN 16384 /* a 64-bit machine's frames are larger than a chip's */

typedef struct {
    esp_ping_config_t config;
    esp_ping_callbacks_t cbs;
    TaskHandle_t task;
    atomic_bool runs, ends;
    /* written by the task */
    _Atomic uint32_t sent, answered, size, gap_ms, duration_ms;
} session_t;

static void call(session_t *session, void (*function)(esp_ping_handle_t, void *))
{
    if (function != NULL) {
        function(session, session->cbs.cb_args);
    }
}

static uint32_t ms_since(int64_t start_us)
{
    return (uint32_t)((esp_timer_get_time() - start_us) / 1000);
}

static int open_socket(void)
{
    static atomic_flag told = ATOMIC_FLAG_INIT;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_ICMP);
    if (fd < 0 && !atomic_flag_test_and_set(&told)) {
        ESP_LOGW(TAG, "this machine lets nobody send echoes (net.ipv4.ping_group_range): nothing answers");
    }
    return fd;
}

/** One echo. @return bytes of its answer; below 0: none in time */
static int ping(session_t *session, int fd)
{
    uint8_t packet[sizeof(struct icmphdr) + DATA_MAX] = {0};
    struct icmphdr *head = (struct icmphdr *)(void *)packet;
    struct sockaddr_in to = {.sin_family = AF_INET};
    memcpy(&to.sin_addr, &session->config.target_addr, sizeof(to.sin_addr));
    *head = (struct icmphdr){.type = ICMP_ECHO, .un.echo.sequence = htons((uint16_t)session->sent)};
    if (sendto(fd, packet, sizeof(*head) + session->config.data_size, 0, (struct sockaddr *)&to, sizeof(to)) <
        0) {
        return -1;
    }
    const int64_t start = esp_timer_get_time();
    for (uint32_t gone = 0; gone < session->config.timeout_ms; gone = ms_since(start)) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        ssize_t got = poll(&ready, 1, (int)(session->config.timeout_ms - gone)) == 1
                          ? recv(fd, packet, sizeof(packet), MSG_DONTWAIT)
                          : -1;
        if (got >= (ssize_t)sizeof(*head) && head->un.echo.sequence == htons((uint16_t)session->sent)) {
            return (int)got - (int)sizeof(*head);
        }
    }
    return -1;
}

static void ping_once(session_t *session, int fd)
{
    const int64_t start = esp_timer_get_time();
    session->sent++;
    int got = fd >= 0 ? ping(session, fd) : -1;
    session->gap_ms = ms_since(start);
    if (got >= 0) {
        session->size = (uint32_t)got;
        session->answered++;
        call(session, session->cbs.on_ping_success);
        return;
    }
    if (session->gap_ms < session->config.timeout_ms) {
        vTaskDelay(pdMS_TO_TICKS(session->config.timeout_ms - session->gap_ms)); /* it could not be sent */
    }
    call(session, session->cbs.on_ping_timeout);
}

static void ping_all(session_t *session)
{
    const int64_t start = esp_timer_get_time();
    const uint32_t count = session->config.count;
    int fd = open_socket();
    session->sent = session->answered = 0;
    while (session->runs && (count == ESP_PING_COUNT_INFINITE || session->sent < count)) {
        ping_once(session, fd);
        bool more = session->runs && (count == ESP_PING_COUNT_INFINITE || session->sent < count);
        if (more && session->gap_ms < session->config.interval_ms) {
            vTaskDelay(pdMS_TO_TICKS(session->config.interval_ms - session->gap_ms));
        }
    }
    if (fd >= 0) {
        close(fd);
    }
    session->duration_ms = ms_since(start);
    session->runs = false;
    call(session, session->cbs.on_ping_end);
}

static void run(void *arg)
{
    session_t *session = arg;
    while (!session->ends) {
        ulTaskNotifyTake(pdTRUE, portMAX_DELAY); /* esp_ping_start() and esp_ping_delete_session() wake it */
        if (session->runs) {
            ping_all(session);
        }
    }
    free(session);
    vTaskDelete(NULL);
}

esp_err_t esp_ping_new_session(const esp_ping_config_t *config, const esp_ping_callbacks_t *cbs,
                               esp_ping_handle_t *hdl_out)
{
    if (config == NULL || cbs == NULL || hdl_out == NULL || config->data_size > DATA_MAX) {
        return ESP_ERR_INVALID_ARG;
    }
    session_t *session = calloc(1, sizeof(*session));
    if (session == NULL) {
        return ESP_ERR_NO_MEM;
    }
    session->config = *config;
    session->cbs = *cbs;
    uint32_t stack = config->task_stack_size > STACK_MIN ? config->task_stack_size : STACK_MIN;
    if (xTaskCreate(run, "ping", stack, session, config->task_prio, &session->task) != pdPASS) {
        free(session);
        return ESP_ERR_NO_MEM;
    }
    *hdl_out = session;
    return ESP_OK;
}

esp_err_t esp_ping_start(esp_ping_handle_t hdl)
{
    session_t *session = hdl;
    if (session == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    session->runs = true;
    xTaskNotifyGive(session->task);
    return ESP_OK;
}

esp_err_t esp_ping_stop(esp_ping_handle_t hdl)
{
    session_t *session = hdl;
    if (session == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    session->runs = false;
    return ESP_OK;
}

esp_err_t esp_ping_delete_session(esp_ping_handle_t hdl)
{
    session_t *session = hdl;
    if (session == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    TaskHandle_t task = session->task;
    session->runs = false;
    session->ends = true; /* from here on it may be gone */
    xTaskNotifyGive(task);
    return ESP_OK;
}

static esp_err_t give(void *to, uint32_t room, const void *from, size_t size)
{
    if (room != size) {
        return ESP_ERR_INVALID_SIZE;
    }
    memcpy(to, from, size);
    return ESP_OK;
}

static esp_err_t give_count(void *to, uint32_t room, uint32_t count)
{
    return give(to, room, &count, sizeof(count));
}

esp_err_t esp_ping_get_profile(esp_ping_handle_t hdl, esp_ping_profile_t profile, void *data, uint32_t size)
{
    session_t *session = hdl;
    if (session == NULL || data == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    const uint16_t sequence = (uint16_t)session->sent;
    const uint8_t ttl = (uint8_t)session->config.ttl;
    switch (profile) {
    case ESP_PING_PROF_SEQNO:
        return give(data, size, &sequence, sizeof(sequence));
    case ESP_PING_PROF_TOS:
        return give(data, size, &session->config.tos, sizeof(session->config.tos));
    case ESP_PING_PROF_TTL:
        return give(data, size, &ttl, sizeof(ttl));
    case ESP_PING_PROF_REQUEST:
        return give_count(data, size, session->sent);
    case ESP_PING_PROF_REPLY:
        return give_count(data, size, session->answered);
    case ESP_PING_PROF_IPADDR:
        return give(data, size, &session->config.target_addr, sizeof(session->config.target_addr));
    case ESP_PING_PROF_SIZE:
        return give_count(data, size, session->size);
    case ESP_PING_PROF_TIMEGAP:
        return give_count(data, size, session->gap_ms);
    case ESP_PING_PROF_DURATION:
        return give_count(data, size, session->duration_ms);
    }
    return ESP_ERR_INVALID_ARG;
}
