/* Each command has its arguments in a table of argtable3's. */
#include "commands.h"

#include <stdio.h>

#include "argtable3/argtable3.h"
#include "esp_app_desc.h"
#include "esp_check.h"
#include "esp_console.h"
#include "esp_https_ota.h"
#include "esp_pm.h"
#include "esp_system.h"
#include "greet.h"

#define ANSWER_MAX 80

static const char *TAG = "commands";

extern const char ca_pem_start[] asm("_binary_ca_pem_start");

static struct {
    struct arg_str *url;
    struct arg_end *end;
} update_args;

static struct {
    struct arg_str *host, *port;
    struct arg_end *end;
} greet_args;

static int show_version(int argc, char **argv)
{
    printf("version %s\n", esp_app_get_description()->version);
    return 0;
}

/* At full speed, and then into the new version. */
static int update(int argc, char **argv)
{
    if (arg_parse(argc, argv, (void **)&update_args) != 0) {
        arg_print_errors(stdout, update_args.end, argv[0]);
        return 1;
    }
    esp_pm_lock_handle_t fast;
    ESP_RETURN_ON_ERROR(esp_pm_lock_create(ESP_PM_CPU_FREQ_MAX, 0, "update", &fast), TAG, "no lock");
    ESP_RETURN_ON_ERROR(esp_pm_lock_acquire(fast), TAG, "not taken");
    const esp_http_client_config_t http = {
        .url = update_args.url->sval[0], .cert_pem = ca_pem_start, .timeout_ms = 5000};
    const esp_https_ota_config_t config = {.http_config = &http};
    esp_err_t err = esp_https_ota(&config);
    ESP_ERROR_CHECK(esp_pm_lock_release(fast));
    ESP_ERROR_CHECK(esp_pm_lock_delete(fast));
    if (err == ESP_OK) {
        printf("the update is in place\n");
        esp_restart();
    }
    return err;
}

static int look_host_up(int argc, char **argv)
{
    return argc == 2 && look_up(argv[1]) == 0 ? 0 : 1;
}

static int say_hello(int argc, char **argv)
{
    char answer[ANSWER_MAX];
    if (arg_parse(argc, argv, (void **)&greet_args) != 0) {
        arg_print_errors(stdout, greet_args.end, argv[0]);
        return 1;
    }
    if (greet(greet_args.host->sval[0], greet_args.port->sval[0], answer, sizeof(answer)) != 0) {
        return 1;
    }
    printf("it says: %s\n", answer);
    return 0;
}

esp_err_t commands_register(void)
{
    update_args.url = arg_str1(NULL, NULL, "URL", "where the image is");
    update_args.end = arg_end(2);
    greet_args.host = arg_str1(NULL, NULL, "HOST", "a server");
    greet_args.port = arg_str1(NULL, NULL, "PORT", "of it");
    greet_args.end = arg_end(2);
    const esp_console_cmd_t commands[] = {
        {.command = "version", .help = "What runs", .func = show_version},
        {.command = "update",
         .help = "Take an update, and restart",
         .hint = "URL",
         .func = update,
         .argtable = &update_args},
        {.command = "lookup", .help = "The address of a host", .hint = "HOST", .func = look_host_up},
        {.command = "greet",
         .help = "Say hello to a server",
         .hint = "HOST PORT",
         .func = say_hello,
         .argtable = &greet_args},
    };
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        ESP_RETURN_ON_ERROR(esp_console_cmd_register(&commands[i]), TAG, "%s", commands[i].command);
    }
    return ESP_OK;
}
