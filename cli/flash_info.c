/* otter flash info. */
#include "cli.h"
#include "flash_verbs.h"

int flash_info_verb(int argc, char **argv)
{
    (void)argc;
    return cli_fail("flash", "%s is not in this build", argv[0]);
}
