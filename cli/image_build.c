/* otter image build. */
#include "cli.h"
#include "image_verbs.h"

int image_build_verb(int argc, char **argv)
{
    (void)argc;
    return cli_fail("image", "%s: not yet", argv[0]);
}
