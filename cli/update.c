/* otter update. */
#include "cli.h"

int cmd_update(int argc, char **argv)
{
    (void)argc;
    return cli_fail(argv[0], "not there yet");
}
