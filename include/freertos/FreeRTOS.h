/* FreeRTOS as ESP-IDF applications include it: base types and, as in ESP-IDF 5, its objects too. */
#pragma once

#include "freertos/portmacro.h"
#include "freertos/projdefs.h"

#include "freertos/task.h"
#include "freertos/queue.h"
#include "freertos/semphr.h"
#include "freertos/event_groups.h"
