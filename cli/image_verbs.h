/* The verbs behind `otter image`, one function each; argv[0] is the verb's own name. */
#pragma once

int image_info_verb(int argc, char **argv);
int image_verify_verb(int argc, char **argv);
int image_build_verb(int argc, char **argv);

extern const char image_help[]; /* of all verbs together: image_help.c */
