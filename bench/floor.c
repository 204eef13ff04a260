/*
 * The least that an update over HTTPS is: one process that gets a file over TLS, hashes it on the way, writes it in place of
 * another, and syncs. No flash, no verdict, no slot: what otter takes longer than this is what it does more. Two duties of an
 * update can be had with it: a file more is hashed before anything is asked, as the image that runs must be judged before
 * anything is written; and with -r what is hashed of the new one is read back from where it was written.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/ssl.h>

#define BUFFER_SIZE 65536

static unsigned char buffer[BUFFER_SIZE], read_back[BUFFER_SIZE];

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int connect_to(const char *port)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((unsigned short)atoi(port)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
        die("connect");
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}

static SSL *shake_hands(int fd, const char *ca)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (context == NULL || SSL_CTX_load_verify_locations(context, ca, NULL) != 1) {
        die(ca);
    }
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL *ssl = SSL_new(context);
    if (ssl == NULL || SSL_set_fd(ssl, fd) != 1 || SSL_set1_host(ssl, "localhost") != 1 ||
        SSL_set_tlsext_host_name(ssl, "localhost") != 1 || SSL_connect(ssl) != 1) {
        die("TLS handshake");
    }
    return ssl;
}

/** Sends the request. @return bytes of the body that came along with the head, at the start of the buffer */
static size_t ask(SSL *ssl, const char *path, unsigned long long *length)
{
    int len = snprintf((char *)buffer, sizeof(buffer),
                       "GET /%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", path);
    if (SSL_write(ssl, buffer, len) != len) {
        die("request");
    }
    size_t have = 0;
    char *end = NULL;
    while (end == NULL) {
        int n =
            have < sizeof(buffer) - 1 ? SSL_read(ssl, buffer + have, (int)(sizeof(buffer) - 1 - have)) : 0;
        if (n <= 0) {
            die("response");
        }
        have += (size_t)n;
        buffer[have] = '\0';
        end = strstr((char *)buffer, "\r\n\r\n");
    }
    const char *field = strstr((char *)buffer, "Content-Length: ");
    if (strncmp((char *)buffer, "HTTP/1.1 200", 12) != 0 || field == NULL || field > end) {
        fprintf(stderr, "floor: %.40s\n", (char *)buffer);
        exit(1);
    }
    *length = strtoull(field + strlen("Content-Length: "), NULL, 10);
    have -= (size_t)(end + 4 - (char *)buffer);
    memmove(buffer, end + 4, have);
    return have;
}

static void fill(SSL *ssl, size_t have, size_t want)
{
    while (have < want) {
        int n = SSL_read(ssl, buffer + have, (int)(want - have));
        if (n <= 0) {
            die("body");
        }
        have += (size_t)n;
    }
}

static void hash_file(EVP_MD_CTX *sha, const char *path)
{
    int file = open(path, O_RDONLY);
    ssize_t n;
    if (file < 0 || EVP_DigestInit_ex(sha, EVP_sha256(), NULL) != 1) {
        die(path);
    }
    while ((n = read(file, buffer, sizeof(buffer))) > 0) {
        EVP_DigestUpdate(sha, buffer, (size_t)n);
    }
    if (n < 0) {
        die(path);
    }
    close(file);
}

int main(int argc, char **argv)
{
    const int reads_back = argc > 1 && strcmp(argv[1], "-r") == 0;
    argc -= reads_back;
    argv += reads_back;
    if (argc != 5 && argc != 6) {
        fprintf(stderr, "usage: floor [-r] CA PORT PATH FILE [FILE_TO_HASH]\n");
        return 2;
    }
    SSL *ssl = shake_hands(connect_to(argv[2]), argv[1]);
    int out = open(argv[4], O_RDWR | O_CREAT, 0666);
    EVP_MD_CTX *sha = EVP_MD_CTX_new();
    if (out < 0 || sha == NULL) {
        die(argv[4]);
    }
    if (argc == 6) {
        hash_file(sha, argv[5]);
    }
    if (EVP_DigestInit_ex(sha, EVP_sha256(), NULL) != 1) {
        die("SHA-256");
    }
    unsigned long long left;
    size_t have = ask(ssl, argv[3], &left);
    off_t at = 0;
    while (left > 0) {
        size_t n = left < sizeof(buffer) ? (size_t)left : sizeof(buffer);
        fill(ssl, have, n);
        if (write(out, buffer, n) != (ssize_t)n) {
            die("write");
        }
        if (reads_back && pread(out, read_back, n, at) != (ssize_t)n) {
            die("read back");
        }
        EVP_DigestUpdate(sha, reads_back ? read_back : buffer, n);
        left -= n;
        at += (off_t)n;
        have = 0;
    }
    unsigned char digest[EVP_MAX_MD_SIZE];
    EVP_DigestFinal_ex(sha, digest, NULL);
    if (fdatasync(out) != 0) {
        die("sync");
    }
    (void)SSL_shutdown(ssl);
    for (int i = 0; i < 32; i++) {
        printf("%02x", digest[i]);
    }
    printf("\n");
    return 0;
}
