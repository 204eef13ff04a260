/* What an update must show before it is confirmed. */
#pragma once

#include <stdbool.h>

/** False when the diagnostic pin is held low. */
bool diagnostic_passes(void);
