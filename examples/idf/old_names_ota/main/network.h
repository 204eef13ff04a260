/* Wi-Fi, as ESP-IDF 3 and 4 had it. */
#pragma once

/* Returns when there is an address. */
void network_start(void);
