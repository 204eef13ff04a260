/* Files, sizes and error lines for the verbs. */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/number.h"

static void print_line(const char *verb, const char *format, va_list args)
{
    fprintf(stderr, "otter %s: ", verb);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
}

int cli_fail(const char *verb, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print_line(verb, format, args);
    va_end(args);
    return EXIT_FAILED;
}

int cli_usage(const char *verb, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print_line(verb, format, args);
    va_end(args);
    fprintf(stderr, "`otter %s --help` shows the usage\n", verb);
    return EXIT_USAGE;
}

/** Fills buf from fd up to its end, or up to size bytes. @return bytes read, -1 on error */
static ssize_t read_all(int fd, uint8_t *buf, size_t size)
{
    size_t used = 0;
    while (used < size) {
        ssize_t n = read(fd, buf + used, size - used);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return -1;
        }
        if (n == 0) {
            break;
        }
        used += (size_t)n;
    }
    return (ssize_t)used;
}

/** Everything that an open file holds. */
static uint8_t *load_open_file(int fd, const char *path, size_t max, size_t *len, char *why, size_t why_size)
{
    struct stat st;
    if (fstat(fd, &st) != 0) {
        snprintf(why, why_size, "cannot open %s: %s", path, strerror(errno));
        return NULL;
    }
    if (!S_ISREG(st.st_mode)) {
        snprintf(why, why_size, "%s is not an ordinary file", path);
        return NULL;
    }
    if ((uint64_t)st.st_size > max) {
        snprintf(why, why_size, "%s has %lld bytes, more than the %zu this can be", path,
                 (long long)st.st_size, max);
        return NULL;
    }
    uint8_t *data = malloc((size_t)st.st_size + 1);
    if (data == NULL) {
        snprintf(why, why_size, "out of memory for the %lld bytes of %s", (long long)st.st_size, path);
        return NULL;
    }
    ssize_t n = read_all(fd, data, (size_t)st.st_size);
    if (n < 0) {
        snprintf(why, why_size, "cannot read %s: %s", path, strerror(errno));
        free(data);
        return NULL;
    }
    data[n] = 0;
    *len = (size_t)n;
    return data;
}

uint8_t *cli_load_file(const char *path, size_t max, size_t *len, char *why, size_t why_size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        snprintf(why, why_size, "cannot open %s: %s", path, strerror(errno));
        return NULL;
    }
    uint8_t *data = load_open_file(fd, path, max, len, why, why_size);
    close(fd);
    return data;
}

uint8_t *cli_read_file(const char *verb, const char *path, size_t max, size_t *len)
{
    char why[512];
    uint8_t *data = cli_load_file(path, max, len, why, sizeof(why));
    if (data == NULL) {
        cli_fail(verb, "%s", why);
    }
    return data;
}

static bool write_all(int fd, const uint8_t *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return false;
        }
        data += n;
        len -= (size_t)n;
    }
    return true;
}

bool cli_write_file(const char *verb, const char *path, const void *data, size_t len)
{
    if (strcmp(path, "-") == 0) {
        return write_all(STDOUT_FILENO, data, len) ||
               cli_fail(verb, "cannot write: %s", strerror(errno)) == 0;
    }
    char *temp = NULL;
    if (asprintf(&temp, "%s.new-%ld", path, (long)getpid()) < 0) {
        return cli_fail(verb, "out of memory") == 0;
    }
    int fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    bool ok = fd >= 0 && write_all(fd, data, len);
    if (fd >= 0) {
        ok = close(fd) == 0 && ok;
    }
    ok = ok && rename(temp, path) == 0;
    if (!ok) {
        cli_fail(verb, "cannot write %s: %s", path, strerror(errno));
        unlink(temp);
    }
    free(temp);
    return ok;
}

bool cli_parse_offset(const char *text, uint32_t unit, uint32_t *offset)
{
    uint64_t value;
    if (!number_parse_size(text, 0, 0x7FFFF000, &value) || value % unit != 0) {
        return false;
    }
    *offset = (uint32_t)value;
    return true;
}
