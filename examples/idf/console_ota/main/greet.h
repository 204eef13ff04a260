/* A line to a server, and its answer, by sockets. */
#pragma once

#include <stddef.h>

/* Prints the address of a host. @return 0: done; -1: nobody knows it */
int look_up(const char *host);

/* Looks the host up, sends a line and reads one, at most len - 1 bytes of it. @return 0: done; -1: not, and the log says why */
int greet(const char *host, const char *port, char *answer, size_t len);
