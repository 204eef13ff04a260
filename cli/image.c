/* otter image: hands over to build, info or verify. */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "image_verbs.h"

int cmd_image(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
    } verbs[] = {
        {"info", image_info_verb},
        {"verify", image_verify_verb},
        {"build", image_build_verb},
    };
    if (argc < 2) {
        return cli_usage("image", "say info, verify or build");
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        fputs(image_help, stdout);
        return EXIT_DONE;
    }
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(argv[1], verbs[i].name) == 0) {
            return verbs[i].run(argc - 1, argv + 1);
        }
    }
    return cli_usage("image", "there is no '%s'; say info, verify or build", argv[1]);
}
