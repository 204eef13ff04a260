/* Descriptors of the application's own file systems: one of this machine's stands for each, and calls go to their owner. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdatomic.h>
#include <sys/ioctl.h>

#include "vfs.h"

#define DESCRIPTORS_MAX 1024 /* Linux gives a process no more, unless it asks */

static struct {
    _Atomic(const mount_t *) mount; /* NULL: it is this machine's */
    int own;
} owners[DESCRIPTORS_MAX];

static const mount_t *owner_of(int fd)
{
    return fd >= 0 && fd < DESCRIPTORS_MAX ? atomic_load(&owners[fd].mount) : NULL;
}

static bool has_ctx(const mount_t *mount)
{
    return (mount->fs.flags & ESP_VFS_FLAG_CONTEXT_PTR) != 0;
}

static int end_own(const mount_t *mount, int own)
{
    if (mount->fs.close == NULL) {
        return 0;
    }
    return has_ctx(mount) ? mount->fs.close_p(mount->ctx, own) : mount->fs.close(own);
}

int vfs_adopt(const mount_t *mount, int own)
{
    int fd = __real_open("/dev/null", O_RDWR | O_CLOEXEC);
    if (fd >= DESCRIPTORS_MAX) {
        __real_close(fd);
        fd = -1;
        errno = ENFILE;
    }
    if (fd < 0) {
        int code = errno;
        (void)end_own(mount, own); /* why there is none counts more */
        errno = code;
        return -1;
    }
    owners[fd].own = own;
    atomic_store(&owners[fd].mount, mount);
    return fd;
}

static int no_such_call(void)
{
    errno = ENOSYS;
    return -1;
}

/* For each call: the owner's, with or without its context, or this machine's. */

ssize_t __real_read(int fd, void *to, size_t size);
ssize_t __wrap_read(int fd, void *to, size_t size)
{
    const mount_t *mount = owner_of(fd);
    if (mount == NULL) {
        return __real_read(fd, to, size);
    }
    if (mount->fs.read == NULL) {
        return no_such_call();
    }
    return has_ctx(mount) ? mount->fs.read_p(mount->ctx, owners[fd].own, to, size)
                          : mount->fs.read(owners[fd].own, to, size);
}

ssize_t __real_write(int fd, const void *data, size_t size);
ssize_t __wrap_write(int fd, const void *data, size_t size)
{
    const mount_t *mount = owner_of(fd);
    if (mount == NULL) {
        return __real_write(fd, data, size);
    }
    if (mount->fs.write == NULL) {
        return no_such_call();
    }
    return has_ctx(mount) ? mount->fs.write_p(mount->ctx, owners[fd].own, data, size)
                          : mount->fs.write(owners[fd].own, data, size);
}

off_t __real_lseek(int fd, off_t offset, int whence);
off_t __wrap_lseek(int fd, off_t offset, int whence)
{
    const mount_t *mount = owner_of(fd);
    if (mount == NULL) {
        return __real_lseek(fd, offset, whence);
    }
    if (mount->fs.lseek == NULL) {
        return no_such_call();
    }
    return has_ctx(mount) ? mount->fs.lseek_p(mount->ctx, owners[fd].own, offset, whence)
                          : mount->fs.lseek(owners[fd].own, offset, whence);
}

int __real_fstat(int fd, struct stat *st);
int __wrap_fstat(int fd, struct stat *st);
int __wrap_fstat(int fd, struct stat *st)
{
    const mount_t *mount = owner_of(fd);
    if (mount == NULL) {
        return __real_fstat(fd, st);
    }
    if (mount->fs.fstat == NULL) {
        return no_such_call();
    }
    return has_ctx(mount) ? mount->fs.fstat_p(mount->ctx, owners[fd].own, st)
                          : mount->fs.fstat(owners[fd].own, st);
}

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
    const mount_t *mount = owner_of(fd);
    if (mount == NULL) {
        return __real_fsync(fd);
    }
    if (mount->fs.fsync == NULL) {
        return no_such_call();
    }
    return has_ctx(mount) ? mount->fs.fsync_p(mount->ctx, owners[fd].own) : mount->fs.fsync(owners[fd].own);
}

int __real_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...)
{
    va_list args;
    va_start(args, command);
    void *argument =
        va_arg(args, void *); /* a number or an address, or none: both machines' calls take it so */
    va_end(args);
    const mount_t *mount = owner_of(fd);
    if (mount == NULL) {
        return __real_fcntl(fd, command, argument);
    }
    if (mount->fs.fcntl == NULL) {
        return no_such_call();
    }
    int number = (int)(intptr_t)argument;
    return has_ctx(mount) ? mount->fs.fcntl_p(mount->ctx, owners[fd].own, command, number)
                          : mount->fs.fcntl(owners[fd].own, command, number);
}

static int own_ioctl(const mount_t *mount, int own, int request, va_list args)
{
    if (mount->fs.ioctl == NULL) {
        return no_such_call();
    }
    return has_ctx(mount) ? mount->fs.ioctl_p(mount->ctx, own, request, args)
                          : mount->fs.ioctl(own, request, args);
}

int __real_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...)
{
    const mount_t *mount = owner_of(fd);
    va_list args;
    va_start(args, request);
    int result = mount != NULL ? own_ioctl(mount, owners[fd].own, (int)request, args)
                               : __real_ioctl(fd, request, va_arg(args, void *));
    va_end(args);
    return result;
}

int __wrap_close(int fd)
{
    const mount_t *mount = owner_of(fd);
    if (mount == NULL) {
        return __real_close(fd);
    }
    int result = end_own(mount, owners[fd].own);
    atomic_store(&owners[fd].mount, NULL);
    __real_close(fd);
    return result;
}
