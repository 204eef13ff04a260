/* The listening socket. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "listener.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "say.h"

#define BACKLOG 128

/** @return the socket, -1 with errno set */
static int bind_one(const struct addrinfo *info)
{
    const int on = 1;
    const int off = 0;
    int fd = socket(info->ai_family, info->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, info->ai_protocol);
    if (fd < 0) {
        return -1;
    }
    /* Neither option can fail on a socket of these kinds in a way that bind() would not tell. */
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (info->ai_family == AF_INET6) {
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    }
    if (bind(fd, info->ai_addr, info->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0) {
        int cause = errno;
        close(fd);
        errno = cause;
        return -1;
    }
    return fd;
}

static uint16_t bound_port(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address;
    memset(&address, 0, sizeof(address));
    socklen_t len = sizeof(address);
    if (getsockname(fd, &address.any, &len) != 0) {
        return 0;
    }
    return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}

static void tell_why(const char *address, uint16_t port, int cause)
{
    const char *next = "see `ip addr` for the addresses of this machine";
    if (cause == EADDRINUSE) {
        next = "another program has it; give another --port, or 0 for a free one";
    } else if (cause == EACCES) {
        next = "ports below 1024 are root's; give another --port";
    }
    say_failure("cannot listen on %s port %u: %s; %s", address, port, strerror(cause), next);
}

bool listener_open(const char *address, uint16_t port, listener_t *listener)
{
    static const char *const everywhere[] = {"::", "0.0.0.0"}; /* the second where the kernel has no IPv6 */
    const char *const *names = address != NULL ? &address : everywhere;
    size_t name_count = address != NULL ? 1 : 2;
    char service[8];
    snprintf(service, sizeof(service), "%u", port);

    int cause = 0;
    for (size_t i = 0; i < name_count; i++) {
        struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
        struct addrinfo *list = NULL;
        int code = getaddrinfo(names[i], service, &hints, &list);
        if (code != 0) {
            say_failure("--bind %s is no address of this machine: %s; give one, as 127.0.0.1", names[i],
                        gai_strerror(code));
            return false;
        }
        listener->fd = bind_one(list);
        cause = errno;
        freeaddrinfo(list);
        if (listener->fd >= 0) {
            listener->port = bound_port(listener->fd);
            return true;
        }
        if (cause != EAFNOSUPPORT && cause != EADDRNOTAVAIL) {
            break; /* the IPv4 address would only hide why */
        }
    }
    tell_why(address != NULL ? address : "all addresses,", port, cause);
    return false;
}
