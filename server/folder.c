/* Opens the files of one folder by URL path; nothing outside the folder, nothing but regular files. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "folder.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <strings.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "otter/bytes.h"

/* Never blocks on a FIFO, never makes a terminal ours; no regular file behaves differently for it. */
#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

/** Where the path begins in a request target; NULL if there is none. */
static const char *find_path(const char *target)
{
    if (strncasecmp(target, "https://", 8) == 0) {
        target = strchr(target + 8, '/');
    }
    return target != NULL && target[0] == '/' ? target : NULL;
}

static bool percent_decode(const char *from, char *to, size_t size)
{
    size_t used = 0;
    for (; *from != '\0'; from++) {
        char c = *from;
        if (c == '%') {
            int byte = hex_escaped(from);
            if (byte <= 0 || byte == '/') {
                return false; /* no escape; and a name can hold neither an end nor a slash */
            }
            c = (char)byte;
            from += 2;
        }
        if (used == size - 1) {
            return false;
        }
        to[used++] = c;
    }
    to[used] = '\0';
    return used > 0;
}

static bool has_dot_segment(const char *path)
{
    while (*path != '\0') {
        size_t len = strcspn(path, "/");
        if ((len == 1 && path[0] == '.') || (len == 2 && path[0] == '.' && path[1] == '.')) {
            return true;
        }
        path += len + (path[len] == '/');
    }
    return false;
}

bool folder_decode_target(const char *target, char path[FOLDER_PATH_SIZE])
{
    const char *encoded = find_path(target);
    if (encoded == NULL) {
        return false;
    }
    encoded += strspn(encoded, "/");
    return percent_decode(encoded, path, FOLDER_PATH_SIZE) && !has_dot_segment(path);
}

int folder_open(const char *path)
{
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/** The kernel resolves the path and refuses to leave the folder. */
static int open_beneath(int folder, const char *path)
{
    struct open_how how = {.flags = OPEN_FLAGS, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    int fd = -1;
    /* EAGAIN: something on the way was renamed meanwhile, and the kernel cannot be sure. A few tries, then it is an error. */
    for (int i = 0; i < 8; i++) {
        fd = (int)syscall(SYS_openat2, folder, path, &how, sizeof(how));
        if (fd >= 0 || (errno != EAGAIN && errno != EINTR)) {
            break;
        }
    }
    return fd;
}

/** For kernels before 5.6, and sandboxes without openat2(): one component after another, following no link at all. */
static int open_by_component(int folder, const char *path)
{
    char part[FOLDER_PATH_SIZE];
    int dir = dup(folder);
    while (dir >= 0) {
        path += strspn(path, "/");
        size_t len = strcspn(path, "/");
        if (len >= sizeof(part)) {
            close(dir);
            errno = ENAMETOOLONG;
            return -1;
        }
        memcpy(part, path, len);
        part[len] = '\0';
        bool is_last = path[len] == '\0';
        int fd = openat(dir, part, OPEN_FLAGS | O_NOFOLLOW | (is_last ? 0 : O_DIRECTORY));
        int cause = errno;
        close(dir);
        errno = cause;
        if (is_last) {
            return fd;
        }
        dir = fd;
        path += len;
    }
    return -1;
}

int folder_open_file(int folder, const char *path, struct stat *st)
{
    int fd = open_beneath(folder, path);
    if (fd < 0 && (errno == ENOSYS || errno == EPERM)) {
        fd = open_by_component(folder, path);
    }
    if (fd < 0) {
        bool is_ours =
            errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == EACCES || errno == EIO;
        return is_ours ? -errno : -ENOENT;
    }
    if (fstat(fd, st) != 0 || !S_ISREG(st->st_mode)) {
        close(fd);
        return -ENOENT;
    }
    return fd;
}
