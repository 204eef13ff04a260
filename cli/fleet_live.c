/* Token, trust and clock of devices that ask a real server. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet_live.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cli.h"
#include "fleet/live.h"
#include "fleet/report.h"
#include "fleet_access.h"
#include "fleet_svg.h"
#include "host/named_file.h"
#include "linux/interrupt.h"
#include "linux/tls_context.h"
#include "linux/tls_trust.h"

#define CA_MAX     (4u << 20)
#define TURN_MS    1000
#define PLAIN_TELL 10 /* turns between two lines where there is no terminal */

/** Whom to believe. @return NULL, after saying why nobody */
static X509_STORE *load_trust(const char *verb, const fleet_live_options_t *o)
{
    otter_fault_t fault = {.why = "there is none on this machine"};
    X509_STORE *store = NULL;
    size_t len;
    if (o->system_ca) {
        store = tls_trust_system();
    } else {
        char *text = (char *)input_load(o->ca_path, INPUT_OR_PIPE, CA_MAX, &len, &fault);
        store = text != NULL ? tls_trust_parse(text, len, &fault) : NULL;
        free(text);
    }
    if (store == NULL) {
        (void)cli_refuse(verb, "%s: %s", o->system_ca ? "--system-ca" : o->ca_path, fault.why);
    }
    return store;
}

/** @return false, after saying why */
static bool make_tls(const char *verb, const fleet_live_options_t *o, SSL_CTX **tls)
{
    *tls = NULL;
    if (!fleet_access_is_https(o->server)) {
        return true;
    }
    X509_STORE *store = load_trust(verb, o);
    *tls = store != NULL ? tls_context_new(TLS1_2_VERSION, 0) : NULL;
    if (*tls == NULL) {
        X509_STORE_free(store);
        return store == NULL ? false : cli_refuse(verb, "out of memory");
    }
    SSL_CTX_set_cert_store(*tls, store); /* its own from now on */
    SSL_CTX_set_verify(*tls, SSL_VERIFY_PEER, NULL);
    return true;
}

static void tell_progress(const fleet_live_t *live)
{
    const fleet_world_t *world = live->world;
    const bool terminal = isatty(STDERR_FILENO) == 1;
    fprintf(stderr,
            "%s%d s: the server knows of %" PRIu32 " of %" PRIu32 " devices how an action ended; %" PRIu64
            " requests, %" PRIu32 " of them out%s",
            terminal ? "\r\033[K" : "", (int)(world->now_ms / 1000), live->succeeded + live->failed,
            world->config.devices, world->server.load.requests, live->active_count, terminal ? "" : "\n");
}

static int run(const char *verb, const fleet_live_options_t *o, fleet_live_t *live, const char *svg,
               bool quiet)
{
    fleet_world_t *world = live->world;
    const bool terminal = isatty(STDERR_FILENO) == 1;
    bool goes_on = true;
    for (uint32_t turn = 1; goes_on && world->now_ms < o->for_ms && interrupt_came() == INTERRUPT_NONE;
         turn++) {
        goes_on = fleet_live_run(live, TURN_MS);
        if (!quiet && (terminal || turn % PLAIN_TELL == 0)) {
            tell_progress(live);
        }
    }
    if (!quiet && terminal) {
        fputs("\r\033[K", stderr);
    }
    fleet_world_sample(world);
    if (svg != NULL && !fleet_write_svg(verb, svg, world)) {
        return EXIT_FAILED;
    }
    fleet_report_live(stdout, live);
    const fleet_verdict_t *verdict = &world->verdict;
    if (live->answers[2] == 0) {
        return cli_fail(verb, "the server has given no good answer: are address, tenant and token right?");
    }
    if (verdict->lies > 0 || verdict->installed_twice > 0 || verdict->dead > 0) {
        return cli_fail(verb, "something was found that must not be");
    }
    const uint32_t ended = live->succeeded + live->failed;
    if (goes_on && interrupt_came() != INTERRUPT_NONE) {
        return cli_fail(verb, "interrupted before its end");
    }
    return !goes_on ? EXIT_DONE
                    : cli_fail(verb,
                               "%" PRIu32 " of %" PRIu32
                               " devices have told no end of an action: --for gives them more time,"
                               " if the server has an action for each",
                               world->config.devices - ended, world->config.devices);
}

/** With a world of its own. */
static int simulate(const char *verb, const fleet_live_options_t *o, const fleet_world_config_t *config,
                    SSL_CTX *tls, const char *svg, bool quiet)
{
    int status = EXIT_FAILED;
    fleet_world_t *world = calloc(1, sizeof(*world));
    fleet_live_t live = {0};
    if (world == NULL || !fleet_world_open(world, config) ||
        !fleet_live_open(&live, world, tls, o->connections)) {
        status = cli_fail(verb, "there is no memory for %" PRIu32 " devices", config->devices);
    } else {
        status = run(verb, o, &live, svg, quiet);
    }
    fleet_live_close(&live);
    if (world != NULL) {
        fleet_world_close(world);
    }
    free(world);
    return status;
}

int fleet_live_simulate(const char *verb, const fleet_live_options_t *o, fleet_world_config_t *config,
                        const char *svg, bool quiet)
{
    SSL_CTX *tls;
    if (!fleet_access_is_https(o->server) && !(o->allow_http && strncasecmp(o->server, "http://", 7) == 0)) {
        return cli_usage(verb, "--server wants https://, or http:// with --allow-http");
    }
    if (o->token_path == NULL) {
        return cli_usage(
            verb, "--token-file FILE is needed: the gateway's token, by which the server knows all devices");
    }
    if (!fleet_access_names_trust(verb, o->server, o->ca_path, o->system_ca)) {
        return EXIT_USAGE;
    }
    char *authorization = fleet_access_token(verb, o->token_path, !o->target_token);
    if (authorization == NULL) {
        return EXIT_FAILED;
    }
    int status = EXIT_FAILED;
    signal(SIGPIPE, SIG_IGN); /* a server that closes is an error of the write */
    if (make_tls(verb, o, &tls)) {
        config->server = o->server;
        config->tenant = o->tenant;
        config->authorization = authorization;
        status = simulate(verb, o, config, tls, svg, quiet);
        SSL_CTX_free(tls);
    }
    free(authorization);
    return status;
}
