/*
 * Preloaded (LD_PRELOAD) into a program: SHORT_OF="fork 2 11" lets the second call of fork fail with errno 11. The count goes
 * on in what is forked, and starts anew in what is executed; SHORT_FROM_ON=1 lets all later calls fail, too. A negative
 * number is a signal that kills the program instead. With SHORT_CHANGES="FILE OFFSET" the call does not fail: a byte of the file
 * has changed before it, as by another program.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/uio.h>
#include <unistd.h>

static int calls;

static void change_byte(const char *where)
{
    char path[512];
    long offset;
    if (sscanf(where, "%511s %ld", path, &offset) == 2) {
        FILE *file = fopen(path, "r+b");
        if (file != NULL && fseek(file, offset, SEEK_SET) == 0) {
            int byte = fgetc(file);
            (void)fseek(file, offset, SEEK_SET);
            (void)fputc(byte ^ 1, file);
        }
        if (file != NULL) {
            fclose(file);
        }
    }
}

/** @return the errno that this call fails with, 0: none */
static int failure_of(const char *name)
{
    char which[32];
    int nth, error;
    const char *wanted = getenv("SHORT_OF");
    if (wanted == NULL || sscanf(wanted, "%31s %d %d", which, &nth, &error) != 3 ||
        strcmp(which, name) != 0) {
        return 0;
    }
    calls++;
    const char *changes = getenv("SHORT_CHANGES");
    if (changes != NULL) {
        if (calls == nth) {
            change_byte(changes);
        }
        return 0;
    }
    if (calls == nth && error < 0) {
        (void)kill(getpid(), -error);
    }
    return calls == nth || (calls > nth && getenv("SHORT_FROM_ON") != NULL) ? error : 0;
}

/* Defines NAME with a failure of its own before the real one is called. */
#define SHORT_OF(type, name, declared, passed, failed)                                                       \
    type name declared;                                                                                      \
    type name declared                                                                                       \
    {                                                                                                        \
        type(*real) declared;                                                                                \
        *(void **)&real = dlsym(RTLD_NEXT, #name);                                                           \
        int error = failure_of(#name);                                                                       \
        errno = error != 0 ? error : errno;                                                                  \
        return error != 0 ? (failed) : real passed;                                                          \
    }

SHORT_OF(pid_t, fork, (void), (), -1)
SHORT_OF(int, memfd_create, (const char *name, unsigned flags), (name, flags), -1)
SHORT_OF(int, pipe2, (int ends[2], int flags), (ends, flags), -1)
SHORT_OF(int, signalfd, (int fd, const sigset_t *mask, int flags), (fd, mask, flags), -1)
SHORT_OF(int, fexecve, (int fd, char *const argv[], char *const envp[]), (fd, argv, envp), -1)
SHORT_OF(int, pthread_create,
         (pthread_t * thread, const pthread_attr_t *attributes, void *(*function)(void *), void *arg),
         (thread, attributes, function, arg), error)
SHORT_OF(void *, mmap, (void *at, size_t len, int prot, int flags, int fd, off_t off),
         (at, len, prot, flags, fd, off), MAP_FAILED)
SHORT_OF(ssize_t, pwritev, (int fd, const struct iovec *parts, int count, off_t off), (fd, parts, count, off),
         -1)
SHORT_OF(int, fdatasync, (int fd), (fd), -1)
SHORT_OF(int, fsync, (int fd), (fd), -1)
SHORT_OF(int, close, (int fd), (fd), -1)
SHORT_OF(ssize_t, write, (int fd, const void *bytes, size_t len), (fd, bytes, len), -1)
SHORT_OF(int, rename, (const char *from, const char *to), (from, to), -1)
SHORT_OF(int, linkat, (int from_at, const char *from, int to_at, const char *to, int flags),
         (from_at, from, to_at, to, flags), -1)
