/* The update, in a task of its own: the MQTT client goes on meanwhile. */
#pragma once

/* One at a time: another order while one is under way is told so, and dropped. */
void update_order(const char *url);
