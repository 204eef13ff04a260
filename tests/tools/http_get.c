/* GETs one URL with esp_http_client and prints what happened as one line of JSON: for end-to-end tests. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esp_crt_bundle.h"
#include "esp_http_client.h"
#include "esp_tls.h"
#include "http/client_internal.h"
#include "otter/crypto.h"
#include "otter/system.h"

#define FILE_MAX 65536u

static int usage(void)
{
    fputs("usage: http_get URL [--ca F] [--cert F --key F] [--timeout MS] [--buffer N] [--tls 2|3] "
          "[--skip-name]\n"
          "                [--common-name N] [--header 'K: V'] [--method N] [--post TEXT] [--system] "
          "[--global F]\n"
          "                [--perform] [--redirect] [--times N] [--session] [--auth USER:PASSWORD]\n"
          "                [--auth-type none|basic|digest] [--retries N] [--key-password P] [--bundle F]\n"
          "                [--ca-der F] [--cert-der F --key-der F]\n"
          "                [--alpn P] [--family 4|6] [--if-name I] [--keep-alive]\n",
          stderr);
    return 2;
}

/* A small file, terminated. */
static char *load_bytes(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        exit(2);
    }
    char *text = calloc(1, FILE_MAX + 1);
    *size = text != NULL ? fread(text, 1, FILE_MAX, file) : 0;
    fclose(file);
    if (*size == 0) {
        fputs("cannot read the file\n", stderr);
        exit(2);
    }
    return text;
}

static char *load(const char *path)
{
    size_t size;
    return load_bytes(path, &size);
}

typedef struct {
    esp_http_client_config_t config;
    char *header, *post;
    bool use_perform, follow;
    const char *alpn[2];
    struct ifreq interface;
    int times;
    int read_len;
    otter_digest_t sha;
    long long received;
    int events[16];
} job_t;

static esp_err_t on_event(esp_http_client_event_t *event)
{
    job_t *job = event->user_data;
    job->events[event->event_id]++;
    if (job->use_perform && event->event_id == HTTP_EVENT_ON_DATA) {
        otter_digest_update(&job->sha, event->data, (size_t)event->data_len);
        job->received += event->data_len;
    }
    return ESP_OK;
}

/* Options without a value. False: not one of them. */
static bool take_flag(job_t *job, const char *name)
{
    esp_http_client_config_t *config = &job->config;
    const struct {
        const char *name;
        bool *flag;
    } flags[] = {
        {"--perform", &job->use_perform},
        {"--redirect", &job->follow},
        {"--skip-name", &config->skip_cert_common_name_check},
        {"--session", &config->save_client_session},
        {"--keep-alive", &config->keep_alive_enable},
    };
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        if (strcmp(name, flags[i].name) == 0) {
            *flags[i].flag = true;
            return true;
        }
    }
    if (strcmp(name, "--system") == 0) {
        config->crt_bundle_attach = esp_crt_bundle_attach;
        return true;
    }
    return false;
}

/* Whom to believe, who we are, and how to connect. */
static bool take_connection_option(job_t *job, const char *name, char *value)
{
    esp_http_client_config_t *config = &job->config;
    if (strcmp(name, "--ca") == 0) {
        config->cert_pem = load(value);
    } else if (strcmp(name, "--global") == 0) {
        char *text = load(value);
        esp_err_t err = esp_tls_set_global_ca_store((unsigned char *)text, (unsigned)strlen(text));
        free(text);
        config->use_global_ca_store = true;
        return err == ESP_OK || err == ESP_ERR_MBEDTLS_CERT_PARTLY_OK;
    } else if (strcmp(name, "--bundle") == 0) {
        size_t size = 0;
        char *bundle = load_bytes(value, &size);
        esp_err_t err = esp_crt_bundle_set((const uint8_t *)bundle, size);
        free(bundle);
        config->crt_bundle_attach = esp_crt_bundle_attach;
        return err == ESP_OK;
    } else if (strcmp(name, "--cert") == 0) {
        config->client_cert_pem = load(value);
    } else if (strcmp(name, "--key") == 0) {
        config->client_key_pem = load(value);
    } else if (strcmp(name, "--ca-der") == 0) {
        config->cert_der = load_bytes(value, &config->cert_len);
    } else if (strcmp(name, "--cert-der") == 0) {
        config->client_cert_der = load_bytes(value, &config->client_cert_len);
    } else if (strcmp(name, "--key-der") == 0) {
        config->client_key_der = load_bytes(value, &config->client_key_len);
    } else if (strcmp(name, "--key-password") == 0) {
        config->client_key_password = value;
        config->client_key_password_len = strlen(value);
    } else if (strcmp(name, "--tls") == 0) {
        config->tls_version =
            atoi(value) == 2 ? ESP_HTTP_CLIENT_TLS_VER_TLS_1_2 : ESP_HTTP_CLIENT_TLS_VER_TLS_1_3;
    } else if (strcmp(name, "--common-name") == 0) {
        config->common_name = value;
    } else if (strcmp(name, "--alpn") == 0) {
        job->alpn[0] = value;
        config->alpn_protos = job->alpn;
    } else if (strcmp(name, "--family") == 0) {
        config->addr_type = atoi(value) == 6 ? HTTP_ADDR_TYPE_INET6 : HTTP_ADDR_TYPE_INET;
    } else if (strcmp(name, "--if-name") == 0) {
        snprintf(job->interface.ifr_name, sizeof(job->interface.ifr_name), "%s", value);
        config->if_name = &job->interface;
    } else {
        return false;
    }
    return true;
}

/* What to ask for, and how often. */
static bool take_request_option(job_t *job, const char *name, char *value)
{
    static const char *const auth_types[] = {"none", "basic", "digest"}; /* the order of the enum */
    esp_http_client_config_t *config = &job->config;
    if (strcmp(name, "--timeout") == 0) {
        config->timeout_ms = atoi(value);
    } else if (strcmp(name, "--buffer") == 0) {
        job->read_len = atoi(value);
    } else if (strcmp(name, "--header") == 0) {
        job->header = value;
    } else if (strcmp(name, "--method") == 0) {
        config->method = (esp_http_client_method_t)atoi(value);
    } else if (strcmp(name, "--post") == 0) {
        job->post = value;
        config->method = HTTP_METHOD_POST;
    } else if (strcmp(name, "--times") == 0) {
        job->times = atoi(value);
    } else if (strcmp(name, "--retries") == 0) {
        config->max_authorization_retries = atoi(value);
    } else if (strcmp(name, "--auth-type") == 0) {
        for (int type = 0; type < 3; type++) {
            if (strcmp(value, auth_types[type]) == 0) {
                config->auth_type = (esp_http_client_auth_type_t)type;
            }
        }
    } else if (strcmp(name, "--auth") == 0) {
        char *colon = strchr(value, ':');
        if (colon == NULL) {
            return false;
        }
        *colon = '\0';
        config->username = value;
        config->password = colon + 1;
        config->auth_type = HTTP_AUTH_TYPE_BASIC;
    } else {
        return false;
    }
    return true;
}

static bool parse_args(int argc, char **argv, job_t *job)
{
    job->config.url = argv[1];
    for (int i = 2; i < argc; i++) {
        const char *name = argv[i];
        if (take_flag(job, name)) {
            continue;
        }
        if (++i == argc ||
            (!take_connection_option(job, name, argv[i]) && !take_request_option(job, name, argv[i]))) {
            return false;
        }
    }
    return true;
}

static esp_err_t get_by_handle(esp_http_client_handle_t client, job_t *job, char *buffer)
{
    for (int round = 0; round < 24; round++) {
        esp_err_t err = esp_http_client_open(client, 0);
        if (err != ESP_OK) {
            return err;
        }
        int64_t length = esp_http_client_fetch_headers(client);
        if (length < 0) {
            return (esp_err_t)length;
        }
        int status = esp_http_client_get_status_code(client);
        bool asked = status == HttpStatus_Unauthorized && job->follow;
        if (!asked && (!job->follow || status / 100 != 3)) {
            break;
        }
        err = asked ? esp_http_client_add_auth(client) : esp_http_client_set_redirection(client);
        if (err != ESP_OK) {
            return err;
        }
        (void)esp_http_client_flush_response(client, NULL);
    }
    int n;
    while ((n = esp_http_client_read(client, buffer, job->read_len)) > 0) {
        otter_digest_update(&job->sha, buffer, (size_t)n);
        job->received += n;
    }
    return n;
}

static void print_text(const char *name, const char *text)
{
    printf("\"%s\": \"", name);
    for (; *text != '\0'; text++) {
        printf(*text == '"' || *text == '\\' ? "\\%c" : (unsigned char)*text < ' ' ? "?" : "%c", *text);
    }
    printf("\", ");
}

static const char *stage_name(http_stage_t stage)
{
    static const char *const names[] = {
        [HTTP_STAGE_NONE] = "",     [HTTP_STAGE_RESOLVE] = "resolve", [HTTP_STAGE_CONNECT] = "connect",
        [HTTP_STAGE_TLS] = "tls",   [HTTP_STAGE_SEND] = "send",       [HTTP_STAGE_HEADER] = "header",
        [HTTP_STAGE_BODY] = "body",
    };
    return (unsigned)stage < sizeof(names) / sizeof(names[0]) ? names[stage] : "";
}

static void report(esp_http_client_handle_t client, job_t *job, esp_err_t result, int read_errno,
                   int64_t start_us)
{
    uint8_t digest[OTTER_SHA256_LEN];
    otter_digest_finish(&job->sha, digest);
    char hex[2 * OTTER_SHA256_LEN + 1];
    for (size_t i = 0; i < OTTER_SHA256_LEN; i++) {
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    }
    char url[512];
    esp_http_client_get_url(client, url, sizeof(url));
    const http_failure_t *failure = http_client_last_failure(client);
    printf("{\"result\": %d, \"status\": %d, \"length\": %lld, \"chunked\": %s, \"complete\": %s, "
           "\"received\": %lld, ",
           result, esp_http_client_get_status_code(client),
           (long long)esp_http_client_get_content_length(client),
           esp_http_client_is_chunked_response(client) ? "true" : "false",
           esp_http_client_is_complete_data_received(client) ? "true" : "false", job->received);
    print_text("name", esp_err_to_name(result));
    print_text("sha256", hex);
    print_text("url", url);
    print_text("stage", stage_name(failure->stage));
    print_text("code", esp_err_to_name(failure->cause.fault.code));
    print_text("text", failure->cause.fault.why);
    printf("\"errno\": %d, \"verify\": %d, \"connects\": %d, \"disconnects\": %d, \"errors\": %d, "
           "\"finishes\": %d, "
           "\"ms\": %lld}\n",
           read_errno, failure->cause.tls_verify, job->events[HTTP_EVENT_ON_CONNECTED],
           job->events[HTTP_EVENT_DISCONNECTED], job->events[HTTP_EVENT_ERROR],
           job->events[HTTP_EVENT_ON_FINISH], (long long)(otter_now_us() - start_us) / 1000);
}

int main(int argc, char **argv)
{
    job_t job = {.times = 1, .read_len = 16384};
    if (argc < 2 || !parse_args(argc, argv, &job)) {
        return usage();
    }
    job.config.event_handler = on_event;
    job.config.user_data = &job;
    job.config.buffer_size_tx = 4096;
    char *buffer = malloc((size_t)job.read_len);
    esp_http_client_handle_t client = esp_http_client_init(&job.config);
    if (client == NULL || buffer == NULL) {
        puts("{\"result\": \"init\"}");
        return 1;
    }
    if (job.header != NULL) {
        char *colon = strchr(job.header, ':');
        *colon = '\0';
        esp_http_client_set_header(client, job.header, colon + 1);
    }
    if (job.post != NULL) {
        esp_http_client_set_post_field(client, job.post, (int)strlen(job.post));
    }
    esp_err_t result = ESP_OK;
    for (int i = 0; i < job.times; i++) {
        int64_t start_us = otter_now_us();
        if (!otter_sha256_begin(&job.sha)) {
            return 2;
        }
        job.received = 0;
        result = job.use_perform ? esp_http_client_perform(client) : get_by_handle(client, &job, buffer);
        report(client, &job, result, errno, start_us);
    }
    esp_http_client_cleanup(client);
    esp_tls_free_global_ca_store();
    esp_crt_bundle_detach(NULL);
    otter_digest_end(&job.sha);
    free((char *)(uintptr_t)job.config.cert_pem);
    free((char *)(uintptr_t)job.config.client_cert_pem);
    free((char *)(uintptr_t)job.config.client_key_pem);
    free(buffer);
    return result == ESP_OK ? 0 : 1;
}
