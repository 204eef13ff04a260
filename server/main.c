/* otter-serve, what `otter serve` runs: starts the server, says where it is, and waits for the end. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "folder.h"
#include "host/named_file.h"
#include "host/standard_files.h"
#include "listener.h"
#include "options.h"
#include "say.h"
#include "site.h"

/** What ends the program; blocked in all threads so that the main thread can wait for it. */
static sigset_t stop_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    return set;
}

static void wait_for_end(unsigned max_s)
{
    const sigset_t signals = stop_signals();
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    const time_t end = now.tv_sec + (time_t)max_s + 1;
    for (;;) {
        struct timespec left = {.tv_sec = max_s};
        int signal_number = max_s == 0 ? sigwaitinfo(&signals, NULL) : sigtimedwait(&signals, NULL, &left);
        if (signal_number > 0 || errno != EINTR) {
            return; /* told to stop, or the time is over */
        }
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (max_s != 0 && now.tv_sec >= end) {
            return; /* stopped and continued all the time */
        }
    }
}

/** Complete or not at all: a script that sees the file finds the number in it. */
static bool write_port_file(const char *path, unsigned port)
{
    char text[16], why[128];
    int len = snprintf(text, sizeof(text), "%u\n", port);
    return output_replace(path, text, (size_t)len, false, why, sizeof(why)) ||
           say_failure("cannot write --port-file %s: %s", path, why) == EXIT_DONE;
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

static int serve(const options_t *options, const tls_files_t *tls, int folder)
{
    listener_t listener;
    if (!listener_open(options->bind, options->port, &listener)) {
        return EXIT_FAILED;
    }
    const site_config_t config = {
        .folder = folder,
        .key_path = options->key,
        .tls = tls,
        .listener = listener.fd,
        .rate = options->rate,
        .timeout_s = options->timeout_s,
        .quiet = options->quiet,
    };
    site_t *site = site_start(&config);
    if (site == NULL) {
        return EXIT_FAILED;
    }
    int status = EXIT_FAILED;
    if (options->port_file == NULL || write_port_file(options->port_file, listener.port)) {
        announce(options, tls, listener.port);
        wait_for_end(options->max_s);
        status = EXIT_DONE;
    }
    site_stop(site);
    return status;
}

static int run(int argc, char **argv)
{
    options_t options;
    options_verdict_t verdict = options_parse(argc, argv, &options);
    if (verdict != OPTIONS_RUN) {
        return verdict == OPTIONS_WRONG ? EXIT_USAGE : EXIT_DONE;
    }
    signal(SIGPIPE, SIG_IGN);
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);

    int status = EXIT_FAILED;
    int folder = folder_open(options.folder);
    if (folder < 0) {
        return say_failure("cannot open the folder %s: %s; give the folder that holds the firmware",
                           options.folder, strerror(errno));
    }
    tls_files_t tls;
    /* This may wait for a pipe, so signals are not held back before it. */
    if (tls_files_load(options.cert, options.key, &tls)) {
        const sigset_t signals = stop_signals();
        sigprocmask(SIG_BLOCK, &signals, NULL);
        status = serve(&options, &tls, folder);
        tls_files_free(&tls);
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
