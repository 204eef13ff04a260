/* What must work before an update is confirmed. */
#pragma once

#include <stdbool.h>

bool self_test(void);
