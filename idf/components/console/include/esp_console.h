/* Commands of an application, typed on standard input. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "esp_heap_caps.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "sdkconfig.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    size_t max_cmdline_length;
    size_t max_cmdline_args;
    uint32_t heap_alloc_caps;
    int hint_color; /* hints are the terminal's affair, and not shown */
    int hint_bold;
} esp_console_config_t;

#define ESP_CONSOLE_CONFIG_DEFAULT()                                                                         \
    {                                                                                                        \
        .max_cmdline_length = 256, .max_cmdline_args = 32, .heap_alloc_caps = MALLOC_CAP_DEFAULT,            \
        .hint_color = 39, .hint_bold = 0,                                                                    \
    }

typedef struct {
    uint32_t max_history_len; /* the terminal's, as the next one */
    const char *history_save_path;
    uint32_t task_stack_size;
    uint32_t task_priority;
    BaseType_t task_core_id;
    const char *prompt; /* NULL: the target, and > */
    size_t max_cmdline_length;
    size_t max_cmdline_args;
} esp_console_repl_config_t;

#define ESP_CONSOLE_REPL_CONFIG_DEFAULT()                                                                    \
    {                                                                                                        \
        .max_history_len = 32, .history_save_path = NULL, .task_stack_size = 4096, .task_priority = 2,       \
        .task_core_id = tskNO_AFFINITY, .prompt = NULL, .max_cmdline_length = 0, .max_cmdline_args = 0,      \
    }

/** All three are standard input here. */
typedef struct {
    int channel;
    int baud_rate;
    int tx_gpio_num;
    int rx_gpio_num;
} esp_console_dev_uart_config_t;

typedef struct {
    char unused;
} esp_console_dev_usb_cdc_config_t;

typedef struct {
    char unused;
} esp_console_dev_usb_serial_jtag_config_t;

#define ESP_CONSOLE_DEV_UART_CONFIG_DEFAULT()                                                                \
    {                                                                                                        \
        .channel = 0, .baud_rate = 115200, .tx_gpio_num = -1, .rx_gpio_num = -1,                             \
    }
#define ESP_CONSOLE_DEV_CDC_CONFIG_DEFAULT()                                                                 \
    {                                                                                                        \
        0                                                                                                    \
    }
#define ESP_CONSOLE_DEV_USB_SERIAL_JTAG_CONFIG_DEFAULT()                                                     \
    {                                                                                                        \
        0                                                                                                    \
    }

/** @return ESP_OK; ESP_ERR_INVALID_STATE: it is there already; ESP_ERR_INVALID_ARG; ESP_ERR_NO_MEM */
esp_err_t esp_console_init(const esp_console_config_t *config);
/** @return ESP_OK; ESP_ERR_INVALID_STATE: it is not there */
esp_err_t esp_console_deinit(void);

typedef int (*esp_console_cmd_func_t)(int argc, char **argv);
typedef int (*esp_console_cmd_func_with_context_t)(void *context, int argc, char **argv);

typedef struct {
    const char *command; /* copied, as help and hint are */
    const char *help;    /* NULL: `help` does not list it */
    const char *hint;
    esp_console_cmd_func_t func; /* this, or the next but one */
    void *argtable;              /* argtable3's; kept, and not read */
    esp_console_cmd_func_with_context_t func_w_context;
    void *context;
} esp_console_cmd_t;

/** Where there is one of that name, it is replaced. @return ESP_OK; ESP_ERR_INVALID_ARG: a blank in the name, or not one
    function; ESP_ERR_INVALID_STATE: no console; ESP_ERR_NO_MEM */
esp_err_t esp_console_cmd_register(const esp_console_cmd_t *cmd);
/** @return ESP_OK; ESP_ERR_INVALID_ARG: there is none of that name */
esp_err_t esp_console_cmd_deregister(const char *cmd_name);
/** @param cmd_ret what the command returns. @return ESP_OK; ESP_ERR_INVALID_ARG: nothing but blanks; ESP_ERR_NOT_FOUND: no such
    command; ESP_ERR_INVALID_STATE: no console; ESP_ERR_NO_MEM */
esp_err_t esp_console_run(const char *cmdline, int *cmd_ret);
/** Cuts a line at its blanks; "a b", and \ before a character, keep them. @return how many words, at most argv_size - 1 */
size_t esp_console_split_argv(char *line, char **argv, size_t argv_size);
esp_err_t esp_console_register_help_command(void);
esp_err_t esp_console_deregister_help_command(void);

typedef struct esp_console_repl_s esp_console_repl_t;
struct esp_console_repl_s {
    esp_err_t (*del)(esp_console_repl_t *repl);
};

/** Makes the console, too. @return ESP_OK; ESP_ERR_INVALID_ARG; ESP_ERR_INVALID_STATE: there is one; ESP_ERR_NO_MEM */
esp_err_t esp_console_new_repl_uart(const esp_console_dev_uart_config_t *dev_config,
                                    const esp_console_repl_config_t *repl_config,
                                    esp_console_repl_t **ret_repl);
esp_err_t esp_console_new_repl_usb_cdc(const esp_console_dev_usb_cdc_config_t *dev_config,
                                       const esp_console_repl_config_t *repl_config,
                                       esp_console_repl_t **ret_repl);
esp_err_t esp_console_new_repl_usb_serial_jtag(const esp_console_dev_usb_serial_jtag_config_t *dev_config,
                                               const esp_console_repl_config_t *repl_config,
                                               esp_console_repl_t **ret_repl);
/** Reads lines in a task of its own until standard input ends.
    @return ESP_OK; ESP_ERR_INVALID_ARG; ESP_ERR_INVALID_STATE: it runs; ESP_FAIL: no task */
esp_err_t esp_console_start_repl(esp_console_repl_t *repl);

#ifdef __cplusplus
}
#endif
