/* The arguments of commands: the system's argtable2, under the name by which ESP-IDF's projects include its successor. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <argtable2.h>
#include <stdio.h>
