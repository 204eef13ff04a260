/* lwip's sockets, with a limit to each wait. */
#include "greet.h"

#include <stdio.h>

#include "esp_log.h"
#include "lwip/dns.h"
#include "lwip/netdb.h"
#include "lwip/sockets.h"

#define WAIT_S 5

static const char *TAG = "greet";

static int exchange(int fd, char *answer, size_t len)
{
    static const char hello[] = "hello\n";
    if (send(fd, hello, strlen(hello), 0) != (ssize_t)strlen(hello)) {
        return -1;
    }
    ssize_t got = recv(fd, answer, len - 1, 0);
    answer[got > 0 ? got : 0] = '\0';
    return got > 0 ? 0 : -1;
}

int look_up(const char *host)
{
    ip_addr_t address;
    err_t err = dns_gethostbyname(host, &address, NULL, NULL);
    if (err != ERR_OK) {
        ESP_LOGE(TAG, "%s: %s", host, lwip_strerr(err));
        return -1;
    }
    printf("%s is %s\n", host, ip4addr_ntoa(&address.u_addr.ip4));
    return 0;
}

int greet(const char *host, const char *port, char *answer, size_t len)
{
    const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int code = getaddrinfo(host, port, &hints, &found);
    if (code != 0 || found == NULL) {
        ESP_LOGE(TAG, "%s is not known: %d", host, code);
        return -1;
    }
    const struct timeval limit = {.tv_sec = WAIT_S};
    int fd = socket(found->ai_family, found->ai_socktype, 0);
    int result = -1;
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0 &&
        connect(fd, found->ai_addr, found->ai_addrlen) == 0) {
        result = exchange(fd, answer, len);
    }
    if (result != 0) {
        ESP_LOGE(TAG, "no answer of %s: %s", host, strerror(errno));
    }
    if (fd >= 0) {
        close(fd);
    }
    freeaddrinfo(found);
    return result;
}
