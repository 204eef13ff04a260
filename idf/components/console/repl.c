/* The task that reads lines from standard input, and runs each as a command. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esp_console.h"

#define STACK_MIN 16384 /* a 64-bit machine's frames are larger than a chip's */

typedef struct {
    esp_console_repl_t base; /* first: the application has its address */
    esp_console_repl_config_t config;
    char *prompt;
    atomic_bool runs;
} repl_t;

static void run_line(const char *line)
{
    int result = 0;
    esp_err_t err = esp_console_run(line, &result);
    if (err == ESP_ERR_NOT_FOUND) {
        printf("Unrecognized command\n");
    } else if (err == ESP_OK && result != 0) {
        printf("Command returned non-zero error code: 0x%x (%s)\n", (unsigned)result,
               esp_err_to_name(result));
    } else if (err != ESP_OK && err != ESP_ERR_INVALID_ARG) { /* that was an empty line */
        printf("Internal error: %s\n", esp_err_to_name(err));
    }
}

static void read_lines(void *arg)
{
    repl_t *repl = arg;
    char *line = NULL;
    size_t size = 0;
    setvbuf(stdin, NULL, _IONBF, 0); /* what is left unread is there for the next boot */
    for (;;) {
        printf("%s", repl->prompt);
        fflush(stdout);
        if (getline(&line, &size, stdin) < 0) {
            break;
        }
        line[strcspn(line, "\r\n")] = '\0';
        run_line(line);
    }
    free(line);
    atomic_store(&repl->runs, false);
    vTaskDelete(NULL);
}

static esp_err_t delete_repl(esp_console_repl_t *base)
{
    repl_t *repl = (repl_t *)base;
    if (repl == NULL || atomic_load(&repl->runs)) {
        return ESP_ERR_INVALID_STATE; /* its task waits for a line, which nothing ends */
    }
    esp_err_t err = esp_console_deinit();
    free(repl->prompt);
    free(repl);
    return err;
}

static esp_err_t new_repl(const esp_console_repl_config_t *config, esp_console_repl_t **ret_repl)
{
    if (config == NULL || ret_repl == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_console_config_t console = ESP_CONSOLE_CONFIG_DEFAULT();
    console.max_cmdline_length =
        config->max_cmdline_length != 0 ? config->max_cmdline_length : console.max_cmdline_length;
    console.max_cmdline_args =
        config->max_cmdline_args != 0 ? config->max_cmdline_args : console.max_cmdline_args;
    repl_t *repl = calloc(1, sizeof(*repl));
    char *prompt = NULL;
    if (repl == NULL || asprintf(&prompt, "%s ", config->prompt != NULL ? config->prompt : "linux>") < 0) {
        free(repl);
        return ESP_ERR_NO_MEM;
    }
    esp_err_t err = esp_console_init(&console);
    if (err != ESP_OK) {
        free(prompt);
        free(repl);
        return err;
    }
    repl->base.del = delete_repl;
    repl->config = *config;
    repl->prompt = prompt;
    *ret_repl = &repl->base;
    return esp_console_register_help_command();
}

esp_err_t esp_console_new_repl_uart(const esp_console_dev_uart_config_t *dev_config,
                                    const esp_console_repl_config_t *repl_config,
                                    esp_console_repl_t **ret_repl)
{
    return dev_config != NULL ? new_repl(repl_config, ret_repl) : ESP_ERR_INVALID_ARG;
}

esp_err_t esp_console_new_repl_usb_cdc(const esp_console_dev_usb_cdc_config_t *dev_config,
                                       const esp_console_repl_config_t *repl_config,
                                       esp_console_repl_t **ret_repl)
{
    return dev_config != NULL ? new_repl(repl_config, ret_repl) : ESP_ERR_INVALID_ARG;
}

esp_err_t esp_console_new_repl_usb_serial_jtag(const esp_console_dev_usb_serial_jtag_config_t *dev_config,
                                               const esp_console_repl_config_t *repl_config,
                                               esp_console_repl_t **ret_repl)
{
    return dev_config != NULL ? new_repl(repl_config, ret_repl) : ESP_ERR_INVALID_ARG;
}

esp_err_t esp_console_start_repl(esp_console_repl_t *repl)
{
    repl_t *own = (repl_t *)repl;
    if (own == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (atomic_exchange(&own->runs, true)) {
        return ESP_ERR_INVALID_STATE;
    }
    uint32_t stack = own->config.task_stack_size > STACK_MIN ? own->config.task_stack_size : STACK_MIN;
    printf("\nType 'help' to get the list of commands.\n");
    bool ok = xTaskCreatePinnedToCore(read_lines, "console_repl", stack, own, own->config.task_priority, NULL,
                                      own->config.task_core_id) == pdPASS;
    if (!ok) {
        atomic_store(&own->runs, false);
    }
    return ok ? ESP_OK : ESP_FAIL;
}
