/* GETs one URL with esp_http_client and prints what happened as one line of JSON: for end-to-end tests. */
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

static int usage(void)
{
    fputs("usage: http_get URL [--ca F] [--cert F --key F] [--timeout MS] [--buffer N] [--tls 2|3] "
          "[--skip-name]\n"
          "                [--common-name N] [--header 'K: V'] [--method N] [--post TEXT] [--system] "
          "[--global F]\n"
          "                [--perform] [--redirect] [--times N] [--auth USER:PASSWORD] [--session]\n",
          stderr);
    return 2;
}

static char *load(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        exit(2);
    }
    char *text = calloc(1, 65536);
    if (text == NULL || fread(text, 1, 65535, file) == 0) {
        fputs("cannot read the file\n", stderr);
        exit(2);
    }
    fclose(file);
    return text;
}

typedef struct {
    esp_http_client_config_t config;
    char *header, *post;
    bool use_perform, follow;
    int times;
    int read_len;
    otter_sha256_t *sha;
    long long received;
    int events[16];
} job_t;

static esp_err_t on_event(esp_http_client_event_t *event)
{
    job_t *job = event->user_data;
    job->events[event->event_id]++;
    if (job->use_perform && event->event_id == HTTP_EVENT_ON_DATA) {
        otter_sha256_update(job->sha, event->data, (size_t)event->data_len);
        job->received += event->data_len;
    }
    return ESP_OK;
}

static bool parse_args(int argc, char **argv, job_t *job)
{
    esp_http_client_config_t *config = &job->config;
    config->url = argv[1];
    for (int i = 2; i < argc; i++) {
        const char *name = argv[i];
        if (strcmp(name, "--perform") == 0) {
            job->use_perform = true;
            continue;
        } else if (strcmp(name, "--redirect") == 0) {
            job->follow = true;
            continue;
        } else if (strcmp(name, "--skip-name") == 0) {
            config->skip_cert_common_name_check = true;
            continue;
        } else if (strcmp(name, "--system") == 0) {
            config->crt_bundle_attach = esp_crt_bundle_attach;
            continue;
        } else if (strcmp(name, "--session") == 0) {
            config->save_client_session = true;
            continue;
        }
        if (++i == argc) {
            return false;
        }
        char *value = argv[i];
        if (strcmp(name, "--ca") == 0) {
            config->cert_pem = load(value);
        } else if (strcmp(name, "--global") == 0) {
            char *text = load(value);
            if (esp_tls_set_global_ca_store((unsigned char *)text, (unsigned)strlen(text)) != ESP_OK) {
                return false;
            }
            free(text);
            config->use_global_ca_store = true;
        } else if (strcmp(name, "--cert") == 0) {
            config->client_cert_pem = load(value);
        } else if (strcmp(name, "--key") == 0) {
            config->client_key_pem = load(value);
        } else if (strcmp(name, "--timeout") == 0) {
            config->timeout_ms = atoi(value);
        } else if (strcmp(name, "--buffer") == 0) {
            job->read_len = atoi(value);
        } else if (strcmp(name, "--tls") == 0) {
            config->tls_version =
                atoi(value) == 2 ? ESP_HTTP_CLIENT_TLS_VER_TLS_1_2 : ESP_HTTP_CLIENT_TLS_VER_TLS_1_3;
        } else if (strcmp(name, "--common-name") == 0) {
            config->common_name = value;
        } else if (strcmp(name, "--header") == 0) {
            job->header = value;
        } else if (strcmp(name, "--method") == 0) {
            config->method = (esp_http_client_method_t)atoi(value);
        } else if (strcmp(name, "--post") == 0) {
            job->post = value;
            config->method = HTTP_METHOD_POST;
        } else if (strcmp(name, "--times") == 0) {
            job->times = atoi(value);
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
    }
    return true;
}

static esp_err_t get_by_handle(esp_http_client_handle_t client, job_t *job, char *buffer)
{
    for (int round = 0; round < 12; round++) {
        esp_err_t err = esp_http_client_open(client, 0);
        if (err != ESP_OK) {
            return err;
        }
        int64_t length = esp_http_client_fetch_headers(client);
        if (length < 0) {
            return (esp_err_t)length;
        }
        if (!job->follow || esp_http_client_get_status_code(client) / 100 != 3) {
            break;
        }
        err = esp_http_client_set_redirection(client);
        if (err != ESP_OK) {
            return err;
        }
        (void)esp_http_client_flush_response(client, NULL);
    }
    int n;
    while ((n = esp_http_client_read(client, buffer, job->read_len)) > 0) {
        otter_sha256_update(job->sha, buffer, (size_t)n);
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

static void report(esp_http_client_handle_t client, job_t *job, esp_err_t result, int read_errno,
                   int64_t start_us)
{
    uint8_t digest[OTTER_SHA256_LEN];
    otter_sha256_finish(job->sha, digest);
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
    print_text("stage", http_stage_name(failure->stage));
    print_text("code", esp_err_to_name(failure->cause.code));
    print_text("text", failure->cause.text);
    printf("\"errno\": %d, \"verify\": %d, \"connects\": %d, \"disconnects\": %d, \"errors\": %d, "
           "\"finishes\": %d, "
           "\"ms\": %lld}\n",
           read_errno, failure->cause.tls_verify, job->events[HTTP_EVENT_ON_CONNECTED],
           job->events[HTTP_EVENT_DISCONNECTED], job->events[HTTP_EVENT_ERROR],
           job->events[HTTP_EVENT_ON_FINISH], (long long)(otter_now_us() - start_us) / 1000);
}

int main(int argc, char **argv)
{
    job_t job = {.times = 1, .read_len = 16384, .sha = otter_sha256_new()};
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
        otter_sha256_reset(job.sha);
        job.received = 0;
        result = job.use_perform ? esp_http_client_perform(client) : get_by_handle(client, &job, buffer);
        report(client, &job, result, errno, start_us);
    }
    esp_http_client_cleanup(client);
    esp_tls_free_global_ca_store();
    otter_sha256_free(job.sha);
    free((char *)(uintptr_t)job.config.cert_pem);
    free((char *)(uintptr_t)job.config.client_cert_pem);
    free((char *)(uintptr_t)job.config.client_key_pem);
    free(buffer);
    return result == ESP_OK ? 0 : 1;
}
