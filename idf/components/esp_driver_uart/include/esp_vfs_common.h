/* How lines end on a console. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

typedef enum { ESP_LINE_ENDINGS_CRLF, ESP_LINE_ENDINGS_CR, ESP_LINE_ENDINGS_LF } esp_line_endings_t;
