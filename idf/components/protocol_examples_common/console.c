/* The console of an example: standard input and output, line by line. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "protocol_examples_common.h"

esp_err_t example_configure_stdin_stdout(void)
{
    setvbuf(stdin, NULL, _IONBF, 0); /* what the application leaves unread is there for the next boot */
    return ESP_OK;
}
