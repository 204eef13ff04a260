/* One buffer: nothing is read before all of it has been written, so the writers feel it when standard output is slow. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/console_tap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

int console_tap_open(console_tap_t *tap, const char *word)
{
    int ends[2];
    *tap = (console_tap_t){.from = -1, .word = word};
    tap->end = malloc(strlen(word) + sizeof(tap->bytes));
    if (tap->end == NULL || pipe2(ends, O_CLOEXEC) != 0) {
        return -1;
    }
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    tap->from = ends[0];
    return ends[1];
}

static bool is_full(const console_tap_t *tap)
{
    return tap->done < tap->len;
}

void console_tap_prepare(const console_tap_t *tap, struct pollfd *output, struct pollfd *pipe)
{
    output->events = (short)(output->events | (is_full(tap) ? POLLOUT : 0));
    *pipe = (struct pollfd){.fd = is_full(tap) ? -1 : tap->from, .events = POLLIN};
}

/** Looks for the word in what has just been read, and in what that continues. */
static bool says_word(console_tap_t *tap)
{
    if (tap->word == NULL) {
        return false;
    }
    size_t word_len = strlen(tap->word);
    memcpy(tap->end + tap->end_len, tap->bytes, tap->len);
    size_t have = tap->end_len + tap->len;
    if (memmem(tap->end, have, tap->word, word_len) != NULL) {
        tap->word = NULL;
        return true;
    }
    tap->end_len = have < word_len - 1 ? have : word_len - 1;
    memmove(tap->end, tap->end + have - tap->end_len, tap->end_len);
    return false;
}

/** Takes more once everything has been passed on. @return true: the word has come */
static bool read_more(console_tap_t *tap)
{
    ssize_t n = tap->from >= 0 && !is_full(tap) ? read(tap->from, tap->bytes, sizeof(tap->bytes)) : -1;
    if (n == 0) {
        close(tap->from);
        tap->from = -1;
    }
    if (n <= 0) {
        return false;
    }
    tap->done = 0;
    tap->len = (size_t)n;
    return says_word(tap);
}

/** Writes no more than poll() has said there is room for. */
static void write_some(console_tap_t *tap)
{
    ssize_t n = write(STDOUT_FILENO, tap->bytes + tap->done, tap->len - tap->done);
    if (n > 0) {
        tap->done += (size_t)n;
    } else if (n < 0 && errno != EINTR && errno != EAGAIN) {
        tap->done = tap->len; /* it cannot be written, now or later */
        tap->error = errno;
    }
}

bool console_tap_pass(console_tap_t *tap, const struct pollfd *output)
{
    if (is_full(tap) && output->revents != 0) { /* also an error, which the write finds */
        write_some(tap);
    }
    return read_more(tap);
}

bool console_tap_close(console_tap_t *tap)
{
    bool said = false;
    do {
        while (is_full(tap)) {
            struct pollfd output = {.fd = STDOUT_FILENO, .events = POLLOUT};
            (void)poll(&output, 1, -1);
            write_some(tap);
        }
        said = read_more(tap) || said;
    } while (is_full(tap));
    if (tap->from >= 0) {
        close(tap->from);
    }
    free(tap->end);
    *tap = (console_tap_t){.from = -1, .error = tap->error};
    return said;
}
