/* The command line of `otter serve`. */
#include "options.h"

#include <getopt.h>
#include <stdio.h>

#include "host/number.h"
#include "pacer.h"
#include "say.h"

#define DEFAULT_PORT      8070 /* where ESP-IDF's OTA examples look for their firmware */
#define DEFAULT_TIMEOUT_S 30
#define SECONDS_MAX       (86400u * 365u)

static const char help_text[] =
    "otter serve: the files of one folder over HTTPS, for a desk and for tests\n"
    "\n"
    "usage: otter serve DIR --cert CERT.pem --key KEY.pem [options]\n"
    "\n"
    "  --cert FILE         the server's certificate (PEM), then those of intermediate CAs, if any\n"
    "  --key FILE          its private key (PEM, without pass phrase); never sent, whatever copy of it lies "
    "in DIR\n"
    "  --port N            default 8070; 0: a free one, chosen by the system\n"
    "  --bind ADDR         listen on this address only, as 127.0.0.1; default: all addresses\n"
    "  --rate BYTES        at most that many bytes a second on each connection; 20K, 1M (powers of two) are "
    "understood\n"
    "  --port-file FILE    write the number of the port there once it is open\n"
    "  --max-seconds N     stop after N seconds\n"
    "  --timeout N         close a connection whose request is not there whole, or whose client takes "
    "nothing of "
    "the\n"
    "                      answer, for N seconds; default 30\n"
    "  --quiet             no line for each request\n"
    "  --help\n"
    "\n"
    "A first line tells where it serves: `otter serve: https://HOST:PORT/ serves DIR`. Then one line for "
    "each request:\n"
    "client, method, path, status, bytes sent, range asked for. Ctrl-C or SIGTERM ends it; SIGHUP makes it "
    "read CERT and\n"
    "KEY again, for new connections. Folders are not listed, and no private key is sent.\n"
    "\n"
    "A certificate for a desk: the first line makes a CA (its ca.pem goes into the firmware or to `otter "
    "update --ca`),\n"
    "the second a server certificate for the names that devices use for this machine:\n"
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

static bool set_option(options_t *options, int option, const char *value)
{
    uint64_t number = 0;
    switch (option) {
    case 'c':
        options->cert = value;
        return true;
    case 'k':
        options->key = value;
        return true;
    case 'b':
        options->bind = value;
        return true;
    case 'f':
        options->port_file = value;
        return true;
    case 'q':
        options->quiet = true;
        return true;
    case 'p':
        if (!number_parse(value, 0, UINT16_MAX, &number)) {
            say_usage("--port takes a number from 0 to 65535, not '%s'", value);
            return false;
        }
        options->port = (uint16_t)number;
        return true;
    case 'r':
        if (!number_parse_size(value, 1, PACER_RATE_MAX, &options->rate)) {
            say_usage("--rate takes bytes a second from 1 to 8G, as 50000 or 64K, not '%s'", value);
            return false;
        }
        return true;
    default: /* 't', 'm' */
        if (!number_parse(value, 1, SECONDS_MAX, &number)) {
            say_usage("--%s takes a number of seconds, not '%s'", option == 't' ? "timeout" : "max-seconds",
                      value);
            return false;
        }
        *(option == 't' ? &options->timeout_s : &options->max_s) = (unsigned)number;
        return true;
    }
}

/** What every run needs. */
static options_verdict_t check_complete(const options_t *options, int extra_count)
{
    if (extra_count > 0) {
        say_usage("one folder is served, not several");
    } else if (options->folder == NULL) {
        say_usage("tell which folder to serve");
    } else if (options->cert == NULL || options->key == NULL) {
        say_usage("HTTPS needs --cert CERT.pem and --key KEY.pem; the help shows how to make them");
    } else {
        return OPTIONS_RUN;
    }
    return OPTIONS_WRONG;
}

options_verdict_t options_parse(int argc, char **argv, options_t *options)
{
    static const struct option names[] = {
        {"cert", required_argument, NULL, 'c'},
        {"key", required_argument, NULL, 'k'},
        {"port", required_argument, NULL, 'p'},
        {"bind", required_argument, NULL, 'b'},
        {"rate", required_argument, NULL, 'r'},
        {"port-file", required_argument, NULL, 'f'},
        {"max-seconds", required_argument, NULL, 'm'},
        {"timeout", required_argument, NULL, 't'},
        {"quiet", no_argument, NULL, 'q'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    *options = (options_t){.port = DEFAULT_PORT, .timeout_s = DEFAULT_TIMEOUT_S};
    int option;
    while ((option = getopt_long(argc, argv, ":h", names, NULL)) != -1) {
        if (option == 'h') {
            fputs(help_text, stdout);
            return OPTIONS_HELP_SHOWN;
        }
        if (option == '?') {
            say_usage("there is no option '%s'", argv[optind - 1]);
            return OPTIONS_WRONG;
        }
        if (option == ':') {
            say_usage("%s needs a value", argv[optind - 1]);
            return OPTIONS_WRONG;
        }
        if (!set_option(options, option, optarg)) {
            return OPTIONS_WRONG;
        }
    }
    options->folder = argv[optind]; /* NULL behind the last argument */
    return check_complete(options, argc - optind - 1);
}
