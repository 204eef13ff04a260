/* otter-serve, what `otter serve` runs: starts the server, says where it is, and waits for the end. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "folder.h"
#include "handshake.h"
#include "host/named_file.h"
#include "host/standard_files.h"
#include "listener.h"
#include "options.h"
#include "say.h"
#include "site.h"

/** What the main thread waits for; blocked in all threads. */
static sigset_t awaited_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    return set;
}

typedef struct {
    const options_t *options;
    secrets_t *secrets;
    tls_files_t pairs[2];
    tls_files_t *tls; /* the one of them that handshakes use; the other is empty */
    bool ends_with_terminal;
} server_t;

static bool has_terminal(void)
{
    int fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0) {
        close(fd);
    }
    return fd >= 0;
}

/** SIGHUP also tells that the terminal has gone, which ends a program unless nohup started it. */
static bool is_bound_to_terminal(void)
{
    struct sigaction before;
    return has_terminal() && sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler != SIG_IGN;
}

/** Handshakes from here on use the files as they are now, or the old pair if these will not do. */
static void reload(server_t *server)
{
    const options_t *options = server->options;
    tls_files_t *old = server->tls, *fresh = &server->pairs[old == &server->pairs[0]];
    bool is_good = tls_files_load(options->cert, options->key, old, fresh);
    if (is_good && !secrets_add(server->secrets, fresh)) {
        say_failure("out of memory for the key in %s", options->key);
        tls_files_free(fresh);
        is_good = false;
    }
    if (!is_good) {
        say_failure("goes on with the certificate and the key that it had");
        return;
    }
    server->tls = fresh;
    handshake_use(fresh);
    tls_files_free(old); /* no handshake looks at it any more */
    printf("otter serve: new connections get the certificate in %s\n", options->cert);
}

static void wait_for_end(server_t *server)
{
    const sigset_t signals = awaited_signals();
    const unsigned max_s = server->options->max_s;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    const time_t end = now.tv_sec + (time_t)max_s;
    for (;;) {
        struct timespec left = {.tv_sec = end - now.tv_sec};
        int signal_number = max_s == 0 ? sigwaitinfo(&signals, NULL) : sigtimedwait(&signals, NULL, &left);
        if (signal_number == SIGHUP && (!server->ends_with_terminal || has_terminal())) {
            reload(server);
        } else if (signal_number > 0 || errno != EINTR) {
            return; /* told to stop, or the time is over */
        }
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (max_s != 0 && now.tv_sec >= end) {
            return;
        }
    }
}

/** Complete or not at all: a script that sees the file finds the number in it. */
static bool write_port_file(const char *path, unsigned port)
{
    char text[16];
    otter_fault_t fault;
    int len = snprintf(text, sizeof(text), "%u\n", port);
    return output_replace(path, text, (size_t)len, false, &fault) ||
           say_failure("cannot write --port-file %s: %s", path, fault.why) == EXIT_DONE;
}

/** One line for people and scripts; its form is a promise. */
static void announce(const options_t *options, const tls_files_t *tls, unsigned port)
{
    const char *host = options->bind;
    if (host == NULL) {
        host =
            tls->name[0] != '\0' ? tls->name : "localhost"; /* a name that clients accept, if there is one */
    }
    bool is_ipv6 = strchr(host, ':') != NULL;
    printf("otter serve: https://%s%s%s:%u/ serves %s\n", is_ipv6 ? "[" : "", host, is_ipv6 ? "]" : "", port,
           options->folder);
}

static int serve(server_t *server, int folder)
{
    const options_t *options = server->options;
    listener_t listener;
    if (!listener_open(options->bind, (uint16_t)options->port, &listener)) {
        return EXIT_FAILED;
    }
    const site_config_t config = {
        .folder = folder,
        .secrets = server->secrets,
        .listener = listener.fd,
        .rate = options->rate,
        .timeout_s = options->timeout_s,
        .quiet = options->quiet,
    };
    handshake_use(server->tls);
    site_t *site = site_start(&config);
    if (site == NULL) {
        return EXIT_FAILED;
    }
    int status = EXIT_FAILED;
    if (options->port_file == NULL || write_port_file(options->port_file, listener.port)) {
        announce(options, server->tls, listener.port);
        wait_for_end(server);
        status = EXIT_DONE;
    }
    site_stop(site);
    return status;
}

/** @return EXIT_DONE, else the key cannot be kept secret, and is not used */
static int keep_secret(server_t *server)
{
    server->secrets = secrets_new(server->options->key);
    if (server->secrets == NULL) {
        return say_failure("out of memory");
    }
    return secrets_add(server->secrets, server->tls)
               ? EXIT_DONE
               : say_failure(
                     "the key in %s is of a kind that this server cannot use; make an RSA or EC key as "
                     "`otter serve --help` shows",
                     server->options->key);
}

static int run(int argc, char **argv)
{
    options_t options;
    options_verdict_t verdict = options_parse(argc, argv, &options);
    if (verdict != OPTIONS_TAKEN) {
        return verdict == OPTIONS_WRONG ? EXIT_USAGE : EXIT_DONE;
    }
    signal(SIGPIPE, SIG_IGN);
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);

    int folder = folder_open(options.folder);
    if (folder < 0) {
        return say_failure("cannot open the folder %s: %s; give the folder that holds the firmware",
                           options.folder, strerror(errno));
    }
    int status = EXIT_FAILED;
    server_t server = {.options = &options, .ends_with_terminal = is_bound_to_terminal()};
    /* This may wait for a pipe, so signals are not held back before it. */
    server.tls = &server.pairs[0];
    if (tls_files_load(options.cert, options.key, NULL, server.tls)) {
        const sigset_t signals = awaited_signals();
        sigprocmask(SIG_BLOCK, &signals, NULL);
        status = keep_secret(&server);
        if (status == EXIT_DONE) {
            status = serve(&server, folder);
        }
        secrets_free(server.secrets);
        tls_files_free(server.tls);
    }
    close(folder);
    return status;
}

int main(int argc, char **argv)
{
    if (!standard_files_hold()) {
        return EXIT_FAILED;
    }
    int status = run(argc, argv);
    const char *why = standard_output_end();
    return why != NULL && status == EXIT_DONE ? say_failure("cannot write to standard output: %s", why)
                                              : status;
}
