/* The command line of `otter serve`. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <stdio.h>
#include <string.h>

#include "host/options.h"
#include "pacer.h"
#include "say.h"

#define DEFAULT_PORT      8070 /* where ESP-IDF's OTA examples look for their firmware */
#define DEFAULT_TIMEOUT_S 30
#define SECONDS_MAX       (86400u * 365u)

#define AT(member) offsetof(options_t, member)

static const option_row_t rows[] = {
    {"DIR", &option_argument, AT(folder), .help = NULL},
    {"cert", &option_file, AT(cert),
     .help = "the server's certificate (PEM), then those of intermediate CAs, if any", .needed = true},
    {"key", &option_file, AT(key),
     .help = "its private key (PEM, without pass phrase); never sent, whatever copy of it lies in DIR",
     .needed = true},
    {"port", &option_number, AT(port), .help = "default 8070; 0: a free one, chosen by the system",
     .max = UINT16_MAX},
    {"bind", &option_text, AT(bind),
     .help = "listen on this address only, as 127.0.0.1; default: all addresses", .value = "ADDR"},
    {"rate", &option_size, AT(rate),
     .help = "at most that many bytes a second on each connection; 20K, 1M (powers of two) are understood",
     .min = 1, .max = PACER_RATE_MAX},
    {"port-file", &option_file, AT(port_file), .help = "write the number of the port there once it is open"},
    {"max-seconds", &option_number, AT(max_s), .help = "stop after N seconds", .min = 1, .max = SECONDS_MAX},
    {"timeout", &option_number, AT(timeout_s),
     .help = "close a connection whose request is not there whole, or whose client takes nothing of the "
             "answer, for N "
             "seconds; default 30",
     .min = 1, .max = SECONDS_MAX},
    {"quiet", &option_switch, AT(quiet), .help = "no line for each request"},
    {0},
};

static const char about[] =
    "A first line tells where it serves: `otter serve: https://HOST:PORT/ serves DIR`. Then one line for "
    "each request: client, method, path, status, bytes sent, range asked for. Ctrl-C or SIGTERM ends it; "
    "SIGHUP makes it read CERT and KEY again, for new connections. Folders are not listed, and no private "
    "key is sent.\n"
    "\n"
    "A certificate for a desk: the first line makes a CA (its ca.pem goes into the firmware or to `otter "
    "update --ca`), the second a server certificate for the names that devices use for this machine:\n"
    "\n"
    "  openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj \"/CN=desk CA\" -keyout ca.key -out "
    "ca.pem\n"
    "  openssl req -x509 -newkey rsa:2048 -nodes -days 365 -subj \"/CN=localhost\" -addext "
    "\"basicConstraints=CA:FALSE\" "
    "-addext \"subjectAltName=DNS:localhost,IP:127.0.0.1\" -CA ca.pem -CAkey ca.key -keyout key.pem -out "
    "cert.pem\n"
    "\n"
    "  otter serve firmware/ --cert cert.pem --key key.pem\n"
    "\n"
    "exit status: 0 stopped as told, 1 it could not start (one line says why), 2 wrong usage\n";

/** otter-serve(1), for man. */
static void print_man(void)
{
    printf(".TH OTTER\\-SERVE 1 \"\" \"otter\" \"otter\"\n.SH NAME\n"
           "otter\\-serve \\- the files of one folder over HTTPS, for a desk and for tests\n.SH SYNOPSIS\n"
           ".nf\notter serve");
    options_print_usage(stdout, rows);
    printf(".fi\n.SH DESCRIPTION\n.B otter serve\nstarts this program.\n.PP\n");
    options_print_man(stdout, about, NULL);
    printf(".SH OPTIONS\n");
    options_print_man(stdout, "", rows);
    printf(".SH SEE ALSO\n.BR otter (1)\n");
}

/** What is asked for by build and shells, not by people. */
static bool is_for_machines(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--man") == 0) {
        print_man();
        return true;
    }
    if (argc > 1 && strcmp(argv[1], "--complete") == 0) {
        options_print_completions(stdout, rows, argc - 2, argv + 2);
        return true;
    }
    return false;
}

options_verdict_t options_parse(int argc, char **argv, options_t *options)
{
    char why[OPTIONS_WHY_SIZE];
    if (is_for_machines(argc, argv)) {
        return OPTIONS_HELP;
    }
    *options = (options_t){.port = DEFAULT_PORT, .timeout_s = DEFAULT_TIMEOUT_S};
    options_verdict_t verdict = options_take(rows, argc, argv, options, why);
    if (verdict == OPTIONS_HELP) {
        printf("otter serve: the files of one folder over HTTPS, for a desk and for tests\n\nusage: otter "
               "serve");
        options_print_usage(stdout, rows);
        printf("\n");
        options_print_help(stdout, rows);
        printf("\n");
        options_print_text(stdout, about, 0);
    } else if (verdict == OPTIONS_WRONG) {
        say_usage("%s", why);
    }
    return verdict;
}
