/*
 * Answers HTTPS requests with the files of a folder, by libmicrohttpd.
 *
 * The gate accepts connections and limits their time. Each has a thread: TLS work of several devices spreads over the
 * cores, and a connection held to a rate just waits. A request goes answer_request() -> answer_file() -> send_piece() for
 * each block -> end_request(). A file is opened once for each request: what is sent is of that one file, even if its name
 * meanwhile means another.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include "site.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conditions.h"
#include "folder.h"
#include "gate.h"
#include "handshake.h"
#include "pacer.h"
#include "say.h"

#define BLOCK_SIZE        (128u * 1024u) /* bytes read at once; eight TLS records */
#define THREAD_STACK_SIZE (512u * 1024u)
#define LOG_TEXT_SIZE     512

/* TLS 1.2 and 1.3 with forward secrecy and authenticated ciphers: what ESP-IDF's mbedTLS and every current client speak. */
#define TLS_PRIORITIES                                                                                       \
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-"       \
    "POLY1305"

struct site {
    site_config_t config;
    gate_t *gate;
    pacer_t pacer;
    struct MHD_Daemon *daemon;
};

/** One connection; only its thread touches it, but for the place. */
typedef struct {
    gate_place_t place;
    char client[INET6_ADDRSTRLEN];
    pacer_bucket_t bucket;
    uint64_t request_count;
} connection_t;

/** One request, for the log. */
typedef struct {
    char method[32], target[LOG_TEXT_SIZE], range[64]; /* printable */
    unsigned status;
    uint64_t sent; /* bytes of the body */
} request_t;

/** One file on its way; owned by its response. */
typedef struct {
    site_t *site;
    connection_t *connection;
    request_t *request;
    int fd;
    struct stat st; /* when it was judged last */
    uint64_t first; /* offset in the file of the body's first byte */
} transfer_t;

/** Copies what came from the network so that it can be shown: one line, printable ASCII, "..." where the room ends. */
static void copy_printable(char *to, size_t size, const char *from)
{
    size_t used = 0;
    for (; *from != '\0' && used + 8 <= size; from++) {
        unsigned char c = (unsigned char)*from;
        if (c > ' ' && c < 0x7f && c != '\\') {
            to[used++] = (char)c;
        } else {
            used += (size_t)snprintf(to + used, 5, "\\x%02x", c);
        }
    }
    snprintf(to + used, size - used, "%s", *from != '\0' ? "..." : "");
}

static bool is_same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/**
 * Is what was just read still of the file that was judged? The time of change alone tells of a new name, which is no matter,
 * and of new content whose time was set back: then it is judged again.
 */
static bool is_unchanged(transfer_t *transfer)
{
    struct stat now;
    if (fstat(transfer->fd, &now) != 0 || now.st_size != transfer->st.st_size ||
        !is_same_time(now.st_mtim, transfer->st.st_mtim)) {
        return false;
    }
    if (is_same_time(now.st_ctim, transfer->st.st_ctim)) {
        return true;
    }
    transfer->st = now;
    return secrets_judge(transfer->site->config.secrets, transfer->fd, &now) == SECRETS_NONE;
}

/** MHD asks for the next bytes of a body. An error cuts the connection, which tells the client that it has not got all. */
static ssize_t send_piece(void *cls, uint64_t pos, char *buf, size_t max)
{
    transfer_t *transfer = cls;
    site_t *site = transfer->site;
    size_t allowed = pacer_wait(&site->pacer, &transfer->connection->bucket, max);
    if (allowed == 0) {
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    ssize_t n = pread(transfer->fd, buf, allowed, (off_t)(transfer->first + pos));
    if (n <= 0 || !is_unchanged(transfer)) {
        return MHD_CONTENT_READER_END_WITH_ERROR; /* overwritten in place: never send a mixture */
    }
    pacer_charge(&site->pacer, &transfer->connection->bucket, (size_t)n);
    transfer->request->sent += (uint64_t)n;
    return n;
}

static void free_transfer(void *cls)
{
    transfer_t *transfer = cls;
    close(transfer->fd);
    free(transfer);
}

static enum MHD_Result queue_response(struct MHD_Connection *connection, request_t *request, unsigned status,
                                      struct MHD_Response *response)
{
    if (response == NULL) {
        return MHD_NO;
    }
    request->status = status;
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

/** An answer without a file: a word on what happened. */
static enum MHD_Result answer_status(struct MHD_Connection *connection, request_t *request, unsigned status,
                                     const char *field, const char *value)
{
    static const struct {
        unsigned status;
        const char *text;
    } rows[] = {
        {MHD_HTTP_BAD_REQUEST, "400 the fields of the request contradict each other\n"},
        {MHD_HTTP_NOT_FOUND, "404 no such file\n"},
        {MHD_HTTP_METHOD_NOT_ALLOWED, "405 only GET and HEAD\n"},
        {MHD_HTTP_PRECONDITION_FAILED, "412 not this version of the file\n"},
        {MHD_HTTP_RANGE_NOT_SATISFIABLE, "416 nothing of that range is in the file\n"},
        {MHD_HTTP_SERVICE_UNAVAILABLE, "503 out of resources, try later\n"},
    };
    const char *text = "";
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        text = rows[i].status == status ? rows[i].text : text;
    }
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT);
    if (response != NULL) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain");
        if (field != NULL) {
            MHD_add_response_header(response, field, value);
        }
    }
    return queue_response(connection, request, status, response);
}

/** What a client needs in order to resume, and to ask again only for something new. */
static void add_validators(struct MHD_Response *response, const entity_t *entity)
{
    char date[HTTP_DATE_SIZE];
    http_date_format(entity->modified, date);
    MHD_add_response_header(response, MHD_HTTP_HEADER_ETAG, entity->etag);
    if (date[0] != '\0') {
        MHD_add_response_header(response, MHD_HTTP_HEADER_LAST_MODIFIED, date);
    }
    MHD_add_response_header(response, MHD_HTTP_HEADER_ACCEPT_RANGES, "bytes");
}

/** 200, 206, or a 304 with the fields of the 200: MHD sends no body with it. Takes the transfer over. */
static enum MHD_Result answer_bytes(struct MHD_Connection *connection, transfer_t *transfer, unsigned status,
                                    const entity_t *entity, const byte_range_t *range)
{
    request_t *request = transfer->request;
    transfer->first = range->first;
    struct MHD_Response *response =
        MHD_create_response_from_callback(range->len, BLOCK_SIZE, send_piece, transfer, free_transfer);
    if (response == NULL) {
        free_transfer(transfer);
        return MHD_NO;
    }
    add_validators(response, entity);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/octet-stream");
    if (status == MHD_HTTP_PARTIAL_CONTENT) {
        char text[80];
        snprintf(text, sizeof(text), "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, range->first,
                 range->first + range->len - 1, entity->size);
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_RANGE, text);
    }
    return queue_response(connection, request, status, response);
}

typedef struct {
    conditions_t conditions;
    const entity_t *entity;
} collector_t;

static enum MHD_Result collect_field(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
    (void)kind;
    collector_t *collector = cls;
    conditions_add(&collector->conditions, collector->entity, name, value);
    return MHD_YES;
}

static entity_t describe(const struct stat *st)
{
    entity_t entity = {.size = (uint64_t)st->st_size, .modified = st->st_mtim.tv_sec};
    snprintf(entity.etag, sizeof(entity.etag), "\"%jx.%lx-%jx-%jx\"", (uintmax_t)st->st_mtim.tv_sec,
             st->st_mtim.tv_nsec, (uintmax_t)st->st_size, (uintmax_t)st->st_ino);
    return entity;
}

/** Answers with the file that is open. Takes the transfer over. */
static enum MHD_Result answer_file(struct MHD_Connection *connection, transfer_t *transfer, bool is_get)
{
    entity_t entity = describe(&transfer->st);
    collector_t collector = {.entity = &entity};
    MHD_get_connection_values(connection, MHD_HEADER_KIND, collect_field, &collector);

    request_t *request = transfer->request;
    byte_range_t range = {0, entity.size};
    unsigned status = conditions_decide(&collector.conditions, &entity, is_get, &range);
    if (status == MHD_HTTP_OK || status == MHD_HTTP_PARTIAL_CONTENT || status == MHD_HTTP_NOT_MODIFIED) {
        return answer_bytes(connection, transfer, status, &entity, &range);
    }
    free_transfer(transfer);
    if (status == MHD_HTTP_RANGE_NOT_SATISFIABLE) {
        char text[40];
        snprintf(text, sizeof(text), "bytes */%" PRIu64, entity.size);
        return answer_status(connection, request, status, MHD_HTTP_HEADER_CONTENT_RANGE, text);
    }
    return answer_status(connection, request, status, NULL, NULL);
}

/** @return 0, or the negative errno after saying why it is not sent */
static int check_secrets(const site_t *site, int fd, const struct stat *st, const char *path)
{
    secrets_verdict_t verdict = secrets_judge(site->config.secrets, fd, st);
    if (verdict == SECRETS_NONE) {
        return 0;
    }
    int cause = verdict == SECRETS_UNJUDGED ? errno : ENOENT;
    char shown[LOG_TEXT_SIZE];
    copy_printable(shown, sizeof(shown), path);
    if (verdict == SECRETS_UNJUDGED) {
        say_failure("cannot read %s: %s", shown, strerror(cause));
    } else {
        say_failure("%s is not sent, it holds %s; keep keys out of the folder", shown,
                    verdict == SECRETS_OURS ? "the private key of this server" : "a private key");
    }
    return -cause;
}

/** @return a descriptor, or the negative errno */
static int open_target(const site_t *site, const char *target, struct stat *st)
{
    char path[FOLDER_PATH_SIZE];
    if (!folder_decode_target(target, path)) {
        return -ENOENT;
    }
    int fd = folder_open_file(site->config.folder, path, st);
    if (fd >= 0) {
        int refused = check_secrets(site, fd, st, path);
        if (refused != 0) {
            close(fd);
        }
        return refused != 0 ? refused : fd;
    }
    if (fd != -ENOENT) {
        char shown[LOG_TEXT_SIZE];
        copy_printable(shown, sizeof(shown), path);
        say_failure("cannot open %s: %s", shown, strerror(-fd));
    }
    return fd;
}

static connection_t *find_connection(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

/** The first call for a request: notes it for the log. @return NULL: no memory, drop the connection */
static request_t *begin_request(const site_t *site, struct MHD_Connection *connection, const char *method,
                                const char *target)
{
    connection_t *link = find_connection(connection);
    request_t *request = link == NULL ? NULL : calloc(1, sizeof(*request));
    if (request == NULL) {
        return NULL;
    }
    link->request_count++;
    gate_request_came(site->gate, &link->place);
    const char *range = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_RANGE);
    copy_printable(request->method, sizeof(request->method), method);
    copy_printable(request->target, sizeof(request->target), target);
    copy_printable(request->range, sizeof(request->range), range != NULL ? range : "-");
    return request;
}

static enum MHD_Result answer_target(site_t *site, struct MHD_Connection *connection, request_t *request,
                                     const char *target, bool is_get)
{
    struct stat st;
    int fd = open_target(site, target, &st);
    if (fd < 0) {
        bool is_absent = fd == -ENOENT || fd == -EACCES;
        unsigned status = is_absent ? MHD_HTTP_NOT_FOUND : MHD_HTTP_SERVICE_UNAVAILABLE;
        return answer_status(connection, request, status, NULL, NULL);
    }
    transfer_t *transfer = malloc(sizeof(*transfer));
    if (transfer == NULL) {
        close(fd);
        return MHD_NO;
    }
    *transfer = (transfer_t){
        .site = site, .connection = find_connection(connection), .request = request, .fd = fd, .st = st};
    return answer_file(connection, transfer, is_get);
}

/** What the fields say of the end of the request and of whom it is for. */
typedef struct {
    unsigned end_count, host_count; /* Content-Length or Transfer-Encoding fields; Host fields */
    bool has_body, has_odd_name;
} framing_t;

static bool is_field_name(const char *name)
{
    static const char allowed[] =
        "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    return name[strspn(name, allowed)] == '\0';
}

static enum MHD_Result collect_framing(void *cls, enum MHD_ValueKind kind, const char *name,
                                       const char *value)
{
    (void)kind;
    framing_t *framing = cls;
    bool is_length = strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0;
    bool is_coding = strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0;
    framing->end_count += is_length || is_coding;
    framing->host_count += strcasecmp(name, MHD_HTTP_HEADER_HOST) == 0;
    framing->has_body |= is_coding || (is_length && (value == NULL || strcmp(value, "0") != 0));
    framing->has_odd_name |= !is_field_name(name); /* as "Content-Length : 5", which counts elsewhere */
    return MHD_YES;
}

/** False: a proxy on the way may see another end of this request, or another request, than we do. */
static bool is_framing_clear(const framing_t *framing)
{
    return framing->end_count <= 1 && framing->host_count <= 1 && !framing->has_odd_name;
}

/** MHD calls this when the header is there, for each part of a body, and when the request is complete. */
static enum MHD_Result answer_request(void *cls, struct MHD_Connection *connection, const char *target,
                                      const char *method, const char *version, const char *upload,
                                      size_t *upload_size, void **context)
{
    (void)version;
    (void)upload;
    (void)upload_size;
    request_t *request = *context;
    bool is_first = request == NULL;
    if (is_first) {
        request = begin_request(cls, connection, method, target);
        *context = request;
        if (request == NULL) {
            return MHD_NO;
        }
    }
    framing_t framing = {0};
    MHD_get_connection_values(connection, MHD_HEADER_KIND, collect_framing, &framing);
    if (!is_framing_clear(&framing)) {
        return answer_status(connection, request, MHD_HTTP_BAD_REQUEST, MHD_HTTP_HEADER_CONNECTION, "close");
    }
    bool is_get = strcmp(method, MHD_HTTP_METHOD_GET) == 0;
    if (!is_get && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) {
        return answer_status(connection, request, MHD_HTTP_METHOD_NOT_ALLOWED, MHD_HTTP_HEADER_ALLOW,
                             "GET, HEAD");
    }
    /* An answer to the first call closes the connection: right for a body, which means nothing here, and only for that. */
    if (is_first && !framing.has_body) {
        return MHD_YES;
    }
    return answer_target(cls, connection, request, target, is_get);
}

/** MHD is done with a request, for good or not. */
static void end_request(void *cls, struct MHD_Connection *connection, void **context,
                        enum MHD_RequestTerminationCode how)
{
    const site_t *site = cls;
    request_t *request = *context;
    connection_t *link = find_connection(connection);
    *context = NULL;
    if (request == NULL) {
        return;
    }
    gate_answer_ended(site->gate, &link->place); /* a request without a connection is dropped at once */
    if (!site->config.quiet) {
        printf("%s %s %s %u %" PRIu64 " %s%s\n", link->client, request->method, request->target,
               request->status, request->sent, request->range,
               how == MHD_REQUEST_TERMINATED_COMPLETED_OK ? "" : " cut");
    }
    free(request);
}

static void describe_client(struct MHD_Connection *connection, char *text, socklen_t size)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *address = info != NULL ? info->client_addr : NULL;
    snprintf(text, size, "-");
    if (address == NULL) {
        return;
    }
    if (address->sa_family == AF_INET) {
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)address)->sin_addr, text, size);
        return;
    }
    inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, text, size);
    if (strncmp(text, "::ffff:", 7) == 0 && strchr(text, '.') != NULL) {
        memmove(text, text + 7, strlen(text + 7) + 1); /* IPv4 over a socket for both */
    }
}

/** In the log, what became of a client that asked for nothing. */
static void tell_of_silence(const site_t *site, const connection_t *link)
{
    if (link->place.verdict == GATE_TOO_SLOW) {
        printf("%s - sent away: no whole request within %u s\n", link->client, site->config.timeout_s);
    } else if (link->place.verdict == GATE_NO_ROOM) {
        printf("%s - sent away without a request: others waited for a place\n", link->client);
    } else {
        printf("%s - left without a request: does it trust the CA, does the certificate have the name it "
               "used?\n",
               link->client);
    }
}

/** A connection has come, or is going. */
static void notice_connection(void *cls, struct MHD_Connection *connection, void **context,
                              enum MHD_ConnectionNotificationCode what)
{
    const site_t *site = cls;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        int fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        connection_t *link = calloc(1, sizeof(*link));
        if (link != NULL) {
            describe_client(connection, link->client, sizeof(link->client));
            gate_enter(site->gate, &link->place, fd);
        } else {
            shutdown(fd, SHUT_RDWR);
        }
        *context = link;
        return;
    }
    connection_t *link = *context;
    *context = NULL;
    if (link == NULL) {
        return;
    }
    gate_leave(site->gate, &link->place);
    if (link->request_count == 0 && !site->config.quiet) {
        tell_of_silence(site, link);
    }
    free(link);
}

/** The gate lets a client in. */
static void admit_client(void *cls, int fd, const struct sockaddr *address, socklen_t len)
{
    const site_t *site = cls;
    (void)MHD_add_connection(site->daemon, fd, address, len); /* closes it if that fails */
}

/** MHD's own decoding cuts names at an encoded NUL; folder_decode_target() decodes, once. */
static size_t leave_encoded(void *cls, struct MHD_Connection *connection, char *text)
{
    (void)cls;
    (void)connection;
    return strlen(text);
}

static struct MHD_Daemon *start_daemon(site_t *site)
{
    return MHD_start_daemon(
        MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_USE_ITC |
            MHD_USE_NO_LISTEN_SOCKET | MHD_USE_TLS,
        0, NULL, NULL, answer_request, site, MHD_OPTION_HTTPS_CERT_CALLBACK2, handshake_retrieve,
        MHD_OPTION_HTTPS_PRIORITIES, TLS_PRIORITIES, MHD_OPTION_CONNECTION_LIMIT, GATE_CONNECTION_LIMIT,
        MHD_OPTION_CONNECTION_TIMEOUT, 0u, /* the gate's affair */
        MHD_OPTION_THREAD_STACK_SIZE, (size_t)THREAD_STACK_SIZE, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_UNESCAPE_CALLBACK, leave_encoded, NULL, MHD_OPTION_NOTIFY_COMPLETED, end_request, site,
        MHD_OPTION_NOTIFY_CONNECTION, notice_connection, site, MHD_OPTION_END);
}

static void free_site(site_t *site)
{
    if (site->gate != NULL) {
        gate_free(site->gate);
    }
    pacer_destroy(&site->pacer);
    free(site);
}

site_t *site_start(const site_config_t *config)
{
    site_t *site = calloc(1, sizeof(*site));
    if (site == NULL) {
        say_failure("out of memory");
        close(config->listener);
        return NULL;
    }
    site->config = *config;
    pacer_init(&site->pacer, config->rate);
    site->gate = gate_new(config->listener, config->timeout_s, admit_client, site);
    site->daemon = site->gate == NULL ? NULL : start_daemon(site);
    if (site->daemon != NULL && gate_open(site->gate)) {
        return site;
    }
    say_failure("the web server did not start: %s", strerror(errno));
    if (site->daemon != NULL) {
        MHD_stop_daemon(site->daemon);
    }
    free_site(site);
    return NULL;
}

void site_stop(site_t *site)
{
    if (site == NULL) {
        return;
    }
    gate_close(site->gate);
    pacer_stop(&site->pacer);
    secrets_stop(site->config.secrets);
    MHD_stop_daemon(site->daemon);
    free_site(site);
}
