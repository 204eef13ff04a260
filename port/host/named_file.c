/* What a name stands for is asked before anything is read or replaced. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "host/named_file.h"
#include "otter/promise.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINKS_MAX  40 /* as many as the kernel follows */
#define FIRST_ROOM 4096u
#define KEY_LOOK   16384u /* bytes in which a private key is known */

/* ---- input ---- */

static const char *kind_name(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFDIR:
        return "a directory";
    case S_IFIFO:
        return "a FIFO";
    case S_IFSOCK:
        return "a socket";
    default:
        return "a device";
    }
}

static esp_err_t check_input(int fd, input_kinds_t kinds, struct stat *st, otter_fault_t *fault)
{
    if (fd < 0 || fstat(fd, st) != 0) {
        return otter_fault(fault, ESP_FAIL, "cannot open it: %s", strerror(errno));
    }
    if (S_ISREG(st->st_mode) || (kinds == INPUT_OR_PIPE && S_ISFIFO(st->st_mode))) {
        return ESP_OK;
    }
    return otter_fault(fault, ESP_FAIL, "it is %s, not an ordinary file", kind_name(st->st_mode));
}

int input_open(const char *path, input_kinds_t kinds, struct stat *st, otter_fault_t *fault)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (check_input(fd, kinds, st, fault) == ESP_OK) {
        return fd;
    }
    if (fd >= 0) {
        close(fd);
    }
    return -1;
}

/** read() that waits for a pipe's writer. A handled signal ends the wait, with EINTR. */
static ssize_t read_some(int fd, uint8_t *buf, size_t size)
{
    for (;;) {
        ssize_t n = read(fd, buf, size);
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        if (n >= 0 || errno != EAGAIN) {
            return n;
        }
        if (poll(&wait, 1, -1) < 0) {
            return -1;
        }
    }
}

/** Up to the end, or one byte more than `max`. @return malloc'ed, NULL with errno */
static uint8_t *read_to_end(int fd, size_t first_room, size_t max, size_t *len)
{
    size_t room = first_room, used = 0;
    uint8_t *data = malloc(room + 1);
    while (data != NULL && used <= max) {
        if (used == room) {
            room = room <= max / 2 ? room * 2 : max + 1;
            uint8_t *grown = realloc(data, room + 1);
            if (grown == NULL) {
                break;
            }
            data = grown;
        }
        ssize_t n = read_some(fd, data + used, room - used);
        if (n == 0) {
            data[used] = 0;
            *len = used;
            return data;
        }
        if (n < 0) {
            break;
        }
        used += (size_t)n;
    }
    int error = used > max ? EFBIG : errno;
    free(data);
    errno = error;
    return NULL;
}

uint8_t *input_read(int fd, const struct stat *st, size_t max, size_t *len, otter_fault_t *fault)
{
    bool has_size = S_ISREG(st->st_mode);
    uint64_t size = has_size ? (uint64_t)st->st_size : 0;
    if (size > max) {
        otter_fault(fault, ESP_FAIL, "it has %llu bytes, more than the %zu this can be",
                    (unsigned long long)size, max);
        return NULL;
    }
    /* One byte more than a file has, so that one read() meets its end. */
    uint8_t *data = read_to_end(fd, has_size ? (size_t)size + 1 : FIRST_ROOM, max, len);
    if (data == NULL && errno == EFBIG) {
        otter_fault(fault, ESP_FAIL, "it has more than the %zu bytes this can be", max);
    } else if (data == NULL) {
        otter_fault(fault, ESP_FAIL, "cannot read it: %s", strerror(errno));
    } else if (!has_size && *len == 0) {
        otter_fault(fault, ESP_FAIL, "it is a FIFO, and nothing came out of it");
        free(data);
        return NULL;
    }
    return data;
}

uint8_t *input_load(const char *path, input_kinds_t kinds, size_t max, size_t *len, otter_fault_t *fault)
{
    struct stat st;
    int fd = input_open(path, kinds, &st, fault);
    if (fd < 0) {
        return NULL;
    }
    uint8_t *data = input_read(fd, &st, max, len, fault);
    close(fd);
    return data;
}

/* ---- output ---- */

/** The path that a link at `path` leads to, one step. @return malloc'ed, NULL with errno (EINVAL: it is no link) */
static char *follow_link(const char *path)
{
    char to[PATH_MAX];
    ssize_t len = readlink(path, to, sizeof(to) - 1);
    if (len < 0) {
        return NULL;
    }
    to[len] = '\0';
    const char *slash = to[0] == '/' ? NULL : strrchr(path, '/');
    char *next = NULL;
    if (asprintf(&next, "%.*s%s", slash == NULL ? 0 : (int)(slash + 1 - path), path, to) < 0) {
        errno = ENOMEM;
        return NULL;
    }
    return next;
}

char *path_behind_links(const char *path)
{
    char *at = strdup(path);
    for (int i = 0; at != NULL && i < LINKS_MAX; i++) {
        char *next = follow_link(at);
        if (next == NULL && (errno == EINVAL || errno == ENOENT)) {
            return at;
        }
        free(at);
        at = next;
    }
    if (at != NULL) {
        free(at);
        errno = ELOOP;
    }
    return NULL;
}

/** Is there a regular file at the end of the links, or nothing yet? Else it can only be written in place. */
static bool can_replace(const char *path, const char *target, mode_t *mode)
{
    struct stat named, found;
    *mode = 0;
    if (stat(path, &named) != 0) {
        return true; /* nothing there; or no way to it, which opening the temporary file will tell */
    }
    *mode = named.st_mode & (mode_t)(S_IRWXU | S_IRWXG | S_IRWXO);
    /* A link of /proc may have no path behind it: then they differ. */
    return S_ISREG(named.st_mode) && stat(target, &found) == 0 && found.st_dev == named.st_dev &&
           found.st_ino == named.st_ino;
}

/** A line of its own says so: "-----BEGIN PRIVATE KEY-----", or of a kind of them. */
static bool is_pem_of_private_key(const char *data, size_t len)
{
    static const char begin[] = "-----BEGIN ", label[] = "PRIVATE KEY-----";
    for (const char *line = data, *end = data + len, *next; line != NULL && line < end; line = next) {
        const size_t left = (size_t)(end - line);
        next = memchr(line, '\n', left);
        const size_t line_len = next != NULL ? (size_t)(next - line) : left;
        if (line_len > sizeof(begin) && memcmp(line, begin, sizeof(begin) - 1) == 0 &&
            memmem(line, line_len, label, sizeof(label) - 1) != NULL) {
            return true;
        }
        next = next != NULL ? next + 1 : NULL;
    }
    return false;
}

/** By its first bytes, PEM or DER. */
static bool looks_like_private_key(const uint8_t *data, size_t len)
{
    /* DER: a sequence that begins with the number 0 or 1 is PKCS #1, PKCS #8 or SEC1; of a public key and of a certificate with a
     * sequence */
    const size_t at = len > 1 && data[0] == 0x30 ? 2 + (data[1] > 0x80 ? data[1] & 3u : 0) : len;
    return (at + 2 < len && data[at] == 2 && data[at + 1] == 1 && data[at + 2] <= 1) ||
           is_pem_of_private_key((const char *)data, len);
}

/** A key that is overwritten is lost for good, and what was meant is another name. */
static bool is_private_key(const char *path)
{
    uint8_t data[KEY_LOOK];
    struct stat st;
    int fd = input_open(path, INPUT_ORDINARY, &st, NULL);
    ssize_t len = fd >= 0 ? read(fd, data, sizeof(data)) : -1;
    bool found = len > 0 && looks_like_private_key(data, (size_t)len);
    explicit_bzero(data, sizeof(data));
    if (fd >= 0) {
        close(fd);
    }
    return found;
}

/** @return false with errno */
static bool open_in_place(output_t *out, const char *path)
{
    free(out->target);
    out->target = NULL;
    out->fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    return out->fd >= 0 && fcntl(out->fd, F_SETFL, 0) == 0; /* what takes its time may take it */
}

/** @return false with errno */
static bool open_temp(output_t *out, mode_t mode)
{
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
    char *temp = NULL;
    if (asprintf(&temp, "%s.new-%ld", out->target, (long)getpid()) < 0) {
        errno = ENOMEM;
        return false;
    }
    out->temp = temp;
    out->fd = open(out->temp, flags, mode != 0 ? mode : 0666);
    if (out->fd < 0 && errno == EEXIST &&
        unlink(out->temp) == 0) { /* left by another process of this number */
        out->fd = open(out->temp, flags, mode != 0 ? mode : 0666);
    }
    return out->fd >= 0 && (mode == 0 || fchmod(out->fd, mode) == 0);
}

static bool open_output(output_t *out, const char *path, bool durable, bool secret, otter_fault_t *fault)
{
    mode_t mode;
    if (is_private_key(path)) {
        *out = (output_t){.fd = -1};
        otter_fault(fault, ESP_ERR_INVALID_ARG,
                    "it is a private key, which nothing overwrites: choose another name");
        return false;
    }
    *out = (output_t){.fd = -1, .target = path_behind_links(path), .durable = durable};
    bool ok = out->target != NULL;
    if (ok) {
        ok = can_replace(path, out->target, &mode) ? open_temp(out, !secret     ? mode
                                                                    : mode != 0 ? mode & ~(mode_t)S_IRWXO
                                                                                : S_IRUSR | S_IWUSR)
                                                   : open_in_place(out, path);
    }
    if (!ok) {
        int error = errno;
        otter_ignore(output_close(out, false));
        struct stat st;
        bool unread = error == ENXIO && stat(path, &st) == 0 && S_ISFIFO(st.st_mode);
        otter_fault(fault, ESP_FAIL, "%s",
                    unread ? "nobody has this FIFO open for reading" : strerror(error));
    }
    return ok;
}

bool output_open(output_t *out, const char *path, bool durable, otter_fault_t *fault)
{
    return open_output(out, path, durable, false, fault);
}

bool output_write(int fd, const void *data, size_t len)
{
    const uint8_t *p = data;
    while (len > 0) {
        ssize_t n = write(fd, p, len);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        if (n > 0) {
            p += n;
            len -= (size_t)n;
        }
    }
    return true;
}

/** Makes the rename itself durable. */
static bool sync_folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash == NULL   ? strdup(".")
                   : slash == path ? strdup("/")
                                   : strndup(path, (size_t)(slash - path));
    int fd = folder != NULL ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    free(folder);
    bool ok = fd >= 0 && fsync(fd) == 0;
    int error = errno;
    if (fd >= 0) {
        close(fd);
    }
    errno = error;
    return ok;
}

bool output_close(output_t *out, bool complete)
{
    int error = errno;
    bool ok = complete;
    if (ok && out->durable && out->target != NULL && fsync(out->fd) != 0) {
        ok = false;
        error = errno;
    }
    if (out->fd >= 0 && close(out->fd) != 0 && ok) {
        ok = false;
        error = errno;
    }
    if (ok && out->target != NULL &&
        (rename(out->temp, out->target) != 0 || (out->durable && !sync_folder_of(out->target)))) {
        ok = false;
        error = errno;
    }
    if (!ok && out->temp != NULL) {
        unlink(out->temp);
    }
    free(out->temp);
    free(out->target);
    *out = (output_t){.fd = -1};
    errno = error;
    return ok;
}

static bool write_all(output_t *out, const void *data, size_t len, otter_fault_t *fault)
{
    return output_close(out, output_write(out->fd, data, len)) ||
           otter_fault(fault, ESP_FAIL, "%s", strerror(errno)) == ESP_OK;
}

bool output_replace(const char *path, const void *data, size_t len, bool durable, otter_fault_t *fault)
{
    output_t out;
    return output_open(&out, path, durable, fault) && write_all(&out, data, len, fault);
}

bool output_replace_secret(const char *path, const void *data, size_t len, otter_fault_t *fault)
{
    output_t out;
    return open_output(&out, path, true, true, fault) && write_all(&out, data, len, fault);
}
