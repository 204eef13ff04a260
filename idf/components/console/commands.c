/* The commands of a console, and how a line becomes a call of one. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esp_console.h"

typedef struct command {
    struct command *next;
    char *name, *help, *hint;
    esp_console_cmd_t cmd;
} command_t;

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static bool is_there;
static esp_console_config_t console;
static command_t *commands; /* in the order of their names */

static void enter(void)
{
    (void)pthread_mutex_lock(&guard); /* it is a plain one: this cannot fail */
}

static void leave(void)
{
    (void)pthread_mutex_unlock(&guard);
}

static void free_command(command_t *command)
{
    if (command != NULL) {
        free(command->name);
        free(command->help);
        free(command->hint);
        free(command);
    }
}

esp_err_t esp_console_init(const esp_console_config_t *config)
{
    if (config == NULL || config->max_cmdline_length == 0 || config->max_cmdline_args == 0) {
        return ESP_ERR_INVALID_ARG;
    }
    enter();
    bool was_there = is_there;
    if (!was_there) {
        console = *config;
        is_there = true;
    }
    leave();
    return was_there ? ESP_ERR_INVALID_STATE : ESP_OK;
}

esp_err_t esp_console_deinit(void)
{
    enter();
    bool was_there = is_there;
    is_there = false;
    command_t *all = commands;
    commands = NULL;
    leave();
    while (all != NULL) {
        command_t *next = all->next;
        free_command(all);
        all = next;
    }
    return was_there ? ESP_OK : ESP_ERR_INVALID_STATE;
}

/** With the lock held: where it is, or belongs. */
static command_t **place_of(const char *name)
{
    command_t **link = &commands;
    while (*link != NULL && strcmp((*link)->name, name) < 0) {
        link = &(*link)->next;
    }
    return link;
}

/** With the lock held. @return what was there; NULL */
static command_t *take_out(const char *name)
{
    command_t **link = place_of(name);
    command_t *found = *link;
    if (found == NULL || strcmp(found->name, name) != 0) {
        return NULL;
    }
    *link = found->next;
    return found;
}

static command_t *new_command(const esp_console_cmd_t *cmd)
{
    command_t *command = calloc(1, sizeof(*command));
    if (command == NULL) {
        return NULL;
    }
    command->cmd = *cmd;
    command->name = strdup(cmd->command);
    command->help = cmd->help != NULL ? strdup(cmd->help) : NULL;
    command->hint = cmd->hint != NULL ? strdup(cmd->hint) : NULL;
    if (command->name == NULL || (cmd->help != NULL && command->help == NULL) ||
        (cmd->hint != NULL && command->hint == NULL)) {
        free_command(command);
        return NULL;
    }
    return command;
}

esp_err_t esp_console_cmd_register(const esp_console_cmd_t *cmd)
{
    if (cmd == NULL || cmd->command == NULL || strchr(cmd->command, ' ') != NULL ||
        (cmd->func == NULL) == (cmd->func_w_context == NULL)) {
        return ESP_ERR_INVALID_ARG;
    }
    command_t *command = new_command(cmd);
    if (command == NULL) {
        return ESP_ERR_NO_MEM;
    }
    enter();
    bool ok = is_there;
    command_t *before = ok ? take_out(command->name) : command;
    if (ok) {
        command_t **link = place_of(command->name);
        command->next = *link;
        *link = command;
    }
    leave();
    free_command(before);
    return ok ? ESP_OK : ESP_ERR_INVALID_STATE;
}

esp_err_t esp_console_cmd_deregister(const char *cmd_name)
{
    if (cmd_name == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    enter();
    command_t *found = take_out(cmd_name);
    leave();
    free_command(found);
    return found != NULL ? ESP_OK : ESP_ERR_INVALID_ARG;
}

/** Without the lock while it runs: it may register others. */
static esp_err_t call(int argc, char **argv, int *cmd_ret)
{
    enter();
    command_t *found = *place_of(argv[0]);
    bool ok = found != NULL && strcmp(found->name, argv[0]) == 0;
    const esp_console_cmd_t cmd = ok ? found->cmd : (esp_console_cmd_t){0};
    leave();
    if (!ok) {
        return ESP_ERR_NOT_FOUND;
    }
    *cmd_ret = cmd.func != NULL ? cmd.func(argc, argv) : cmd.func_w_context(cmd.context, argc, argv);
    return ESP_OK;
}

esp_err_t esp_console_run(const char *cmdline, int *cmd_ret)
{
    if (cmdline == NULL || cmd_ret == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    enter();
    const esp_console_config_t config = console;
    bool there = is_there;
    leave();
    if (!there) {
        return ESP_ERR_INVALID_STATE;
    }
    char *line = strndup(cmdline, config.max_cmdline_length - 1);
    char **argv = calloc(config.max_cmdline_args + 1, sizeof(*argv));
    esp_err_t err = line != NULL && argv != NULL ? ESP_OK : ESP_ERR_NO_MEM;
    if (err == ESP_OK) {
        size_t argc = esp_console_split_argv(line, argv, config.max_cmdline_args + 1);
        err = argc > 0 ? call((int)argc, argv, cmd_ret) : ESP_ERR_INVALID_ARG;
    }
    free(argv);
    free(line);
    return err;
}

static int show_help(int argc, char **argv)
{
    enter();
    for (const command_t *command = commands; command != NULL; command = command->next) {
        if (command->help != NULL && (argc < 2 || strcmp(argv[1], command->name) == 0)) {
            printf("%s %s\n  %s\n\n", command->name, command->hint != NULL ? command->hint : "",
                   command->help);
        }
    }
    leave();
    return 0;
}

esp_err_t esp_console_register_help_command(void)
{
    const esp_console_cmd_t cmd = {.command = "help",
                                   .help = "Print the summary of all registered commands, or of one",
                                   .hint = "[COMMAND]",
                                   .func = show_help};
    return esp_console_cmd_register(&cmd);
}

esp_err_t esp_console_deregister_help_command(void)
{
    return esp_console_cmd_deregister("help");
}
