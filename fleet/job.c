/* From connecting to the last byte, a step at a time; http_parser reads the answer. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/job.h"

#include <errno.h>
#include <fcntl.h>
#include <http_parser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "otter/text.h"

#define HOSTS_MAX 8u
#define PIECE     16384

struct fleet_job {
    fleet_job_order_t order;
    SSL_CTX *ctx;
    SSL *ssl;
    int fd;
    short events;
    bool secure, connected, shaken, stopped, whole;
    char host[256], port[8];
    char *request;
    size_t request_len, sent;
    http_parser parser;
    text_buffer_t body;
    char why[128];
};

/* ---- hosts ---- */

static struct {
    char name[264];
    struct sockaddr_storage address;
    socklen_t len;
} hosts[HOSTS_MAX];
static unsigned host_count;

void fleet_job_forget_hosts(void)
{
    host_count = 0;
}

/** @return index in hosts, -1: it has no address */
static int look_up(const char *host, const char *port)
{
    char name[264];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    text_format(name, sizeof(name), "%s:%s", host, port);
    for (unsigned i = 0; i < host_count; i++) {
        if (strcmp(hosts[i].name, name) == 0) {
            return (int)i;
        }
    }
    if (getaddrinfo(host, port, &hints, &found) != 0 || found == NULL) {
        return -1;
    }
    const unsigned at = host_count < HOSTS_MAX ? host_count++ : HOSTS_MAX - 1;
    memcpy(hosts[at].name, name, sizeof(name));
    memcpy(&hosts[at].address, found->ai_addr, found->ai_addrlen);
    hosts[at].len = found->ai_addrlen;
    freeaddrinfo(found);
    return (int)at;
}

/* ---- the making ---- */

static bool take_url(fleet_job_t *job, const char *url, const char **path)
{
    struct http_parser_url parts;
    http_parser_url_init(&parts);
    if (http_parser_parse_url(url, strlen(url), 0, &parts) != 0 || (parts.field_set & (1 << UF_HOST)) == 0 ||
        parts.field_data[UF_HOST].len >= sizeof(job->host)) {
        return false;
    }
    job->secure = parts.field_data[UF_SCHEMA].len == 5 && strncasecmp(url, "https", 5) == 0;
    text_format(job->host, sizeof(job->host), "%.*s", (int)parts.field_data[UF_HOST].len,
                url + parts.field_data[UF_HOST].off);
    const unsigned port = (parts.field_set & (1 << UF_PORT)) != 0 ? parts.port : job->secure ? 443 : 80;
    text_format(job->port, sizeof(job->port), "%u", port);
    *path = (parts.field_set & (1 << UF_PATH)) != 0 ? url + parts.field_data[UF_PATH].off : "/";
    return job->secure || (parts.field_data[UF_SCHEMA].len == 4 && strncasecmp(url, "http", 4) == 0);
}

static bool write_request(fleet_job_t *job, const fleet_job_order_t *order, const char *path)
{
    const bool has_body = order->body != NULL;
    const int len = asprintf(
        &job->request,
        "%s %s HTTP/1.1\r\nHost: %s:%s\r\nUser-Agent: otter-fleet\r\nAccept: %s\r\nConnection: close\r\n"
        "%s%s%s%s%s%sContent-Length: %zu\r\n\r\n%s",
        order->method, path, job->host, job->port, order->on_body != NULL ? "*/*" : "application/json",
        order->authorization != NULL ? "Authorization: " : "",
        order->authorization != NULL ? order->authorization : "", order->authorization != NULL ? "\r\n" : "",
        order->type != NULL ? "Content-Type: " : "", order->type != NULL ? order->type : "",
        order->type != NULL ? "\r\n" : "", has_body ? strlen(order->body) : 0, has_body ? order->body : "");
    job->request_len = len > 0 ? (size_t)len : 0;
    return len > 0;
}

static int on_headers(http_parser *parser);
static int on_bytes(http_parser *parser, const char *at, size_t len);
static int on_end(http_parser *parser);

fleet_job_t *fleet_job_new(const fleet_job_order_t *order, SSL_CTX *tls)
{
    fleet_job_t *job = calloc(1, sizeof(*job));
    const char *path = NULL;
    if (job == NULL) {
        return NULL;
    }
    job->fd = -1;
    job->order = *order;
    job->ctx = tls;
    if (!take_url(job, order->url, &path) || (job->secure && tls == NULL) ||
        !write_request(job, order, path)) {
        fleet_job_free(job);
        return NULL;
    }
    http_parser_init(&job->parser, HTTP_RESPONSE);
    job->parser.data = job;
    return job;
}

void fleet_job_free(fleet_job_t *job)
{
    if (job == NULL) {
        return;
    }
    SSL_free(job->ssl);
    if (job->fd >= 0) {
        close(job->fd);
    }
    free(job->request);
    free(job->body.text);
    free(job);
}

static bool refuse(fleet_job_t *job, const char *what)
{
    text_format(job->why, sizeof(job->why), "%s", what);
    return false;
}

bool fleet_job_start(fleet_job_t *job)
{
    const int one = 1, at = look_up(job->host, job->port);
    if (at < 0) {
        return refuse(job, "the host has no address");
    }
    job->fd = socket(hosts[at].address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (job->fd < 0) {
        return refuse(job, strerror(errno));
    }
    (void)setsockopt(job->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)); /* slower without */
    if (connect(job->fd, (const struct sockaddr *)&hosts[at].address, hosts[at].len) != 0 &&
        errno != EINPROGRESS) {
        return refuse(job, strerror(errno));
    }
    job->events = POLLOUT;
    if (!job->secure) {
        return true;
    }
    job->ssl = SSL_new(job->ctx);
    return (job->ssl != NULL && SSL_set_fd(job->ssl, job->fd) == 1 &&
            SSL_set1_host(job->ssl, job->host) == 1 && SSL_set_tlsext_host_name(job->ssl, job->host) == 1) ||
           refuse(job, "out of memory");
}

int fleet_job_socket(const fleet_job_t *job, short *events)
{
    *events = job->events;
    return job->fd;
}

/* ---- the answer ---- */

static int on_headers(http_parser *parser)
{
    fleet_job_t *job = parser->data;
    const int64_t length = parser->content_length == UINT64_MAX ? -1 : (int64_t)parser->content_length;
    if (job->order.on_head != NULL && !job->order.on_head(job->order.ctx, (int)parser->status_code, length)) {
        job->stopped = true;
        return 1; /* the body is not read */
    }
    return 0;
}

static int on_bytes(http_parser *parser, const char *at, size_t len)
{
    fleet_job_t *job = parser->data;
    if (job->order.on_body != NULL) {
        job->stopped = job->stopped || !job->order.on_body(job->order.ctx, (const uint8_t *)at, len);
    } else if (job->body.len + len <= FLEET_JOB_BODY_MAX) {
        text_append(&job->body, at, len);
    }
    return 0;
}

static int on_end(http_parser *parser)
{
    ((fleet_job_t *)parser->data)->whole = true;
    return 0;
}

static fleet_job_state_t broken(fleet_job_t *job, const char *why)
{
    (void)refuse(job, why);
    return FLEET_JOB_BROKEN;
}

/** What a call of OpenSSL, or of the socket, wants that moved nothing. @return true: to be called again when it can be */
static bool wants_more(fleet_job_t *job, ssize_t moved)
{
    if (job->ssl == NULL) {
        return errno == EAGAIN || errno == EINTR;
    }
    const int error = SSL_get_error(job->ssl, (int)moved);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
        job->events = error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
        return true;
    }
    return false;
}

static bool finish_connecting(fleet_job_t *job)
{
    int error = 0;
    socklen_t len = sizeof(error);
    if (getsockopt(job->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 || error != 0) {
        return refuse(job, strerror(error != 0 ? error : errno));
    }
    job->connected = true;
    return true;
}

static fleet_job_state_t shake_hands(fleet_job_t *job)
{
    const int done = SSL_connect(job->ssl);
    if (done == 1) {
        job->shaken = true;
        job->events = POLLOUT;
        return FLEET_JOB_GOES_ON;
    }
    if (wants_more(job, done)) {
        return FLEET_JOB_GOES_ON;
    }
    const long verdict = SSL_get_verify_result(job->ssl);
    return broken(job,
                  verdict != X509_V_OK ? X509_verify_cert_error_string(verdict) : "the TLS handshake failed");
}

static fleet_job_state_t send_more(fleet_job_t *job)
{
    const size_t left = job->request_len - job->sent;
    const ssize_t done = job->ssl != NULL ? SSL_write(job->ssl, job->request + job->sent, (int)left)
                                          : send(job->fd, job->request + job->sent, left, MSG_NOSIGNAL);
    if (done <= 0) {
        return wants_more(job, done) ? FLEET_JOB_GOES_ON : broken(job, "the connection broke");
    }
    job->sent += (size_t)done;
    job->events = job->sent == job->request_len ? POLLIN : POLLOUT;
    return FLEET_JOB_GOES_ON;
}

/** @param len  0: the other end has closed */
static fleet_job_state_t read_answer(fleet_job_t *job, const char *bytes, size_t len)
{
    static const http_parser_settings settings = {
        .on_headers_complete = on_headers, .on_body = on_bytes, .on_message_complete = on_end};
    const size_t read = http_parser_execute(&job->parser, &settings, bytes, len);
    if (job->whole || job->stopped) {
        return FLEET_JOB_DONE;
    }
    if (read != len || len == 0) {
        return broken(job, len == 0 ? "the connection broke" : "the answer is no HTTP");
    }
    return FLEET_JOB_GOES_ON;
}

static fleet_job_state_t receive_more(fleet_job_t *job)
{
    char piece[PIECE];
    fleet_job_state_t state = FLEET_JOB_GOES_ON;
    while (state == FLEET_JOB_GOES_ON) {
        const ssize_t came = job->ssl != NULL ? SSL_read(job->ssl, piece, sizeof(piece))
                                              : recv(job->fd, piece, sizeof(piece), 0);
        if (came < 0 ||
            (came == 0 && job->ssl != NULL && SSL_get_error(job->ssl, 0) != SSL_ERROR_ZERO_RETURN)) {
            return wants_more(job, came) ? FLEET_JOB_GOES_ON : broken(job, "the connection broke");
        }
        state = read_answer(job, piece, (size_t)came);
        if (job->order.on_body != NULL) {
            return state; /* others have their turn before the next piece of a file */
        }
    }
    return state;
}

fleet_job_state_t fleet_job_work(fleet_job_t *job)
{
    if (!job->connected && !finish_connecting(job)) {
        return FLEET_JOB_BROKEN;
    }
    if (job->ssl != NULL && !job->shaken) {
        return shake_hands(job);
    }
    return job->sent < job->request_len ? send_more(job) : receive_more(job);
}

int fleet_job_status(const fleet_job_t *job)
{
    return (int)job->parser.status_code;
}

const char *fleet_job_body(const fleet_job_t *job, size_t *len)
{
    *len = job->body.len;
    return job->body.text != NULL ? job->body.text : "";
}

const char *fleet_job_why(const fleet_job_t *job)
{
    return job->why;
}
