/* otter run. */
#include "cli.h"

int cmd_run(int argc, char **argv)
{
    (void)argc;
    return cli_fail(argv[0], "not there yet");
}
