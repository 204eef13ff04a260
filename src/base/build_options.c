/* The build options of a program that defines none of its own: the defaults of sdkconfig.h. */
/* SPDX-License-Identifier: Apache-2.0 */
#undef OTTER_LIBRARY /* the one file of the library that sees them; a program's own definition keeps it out of the link */
#include "otter/build_options.h"

const otter_build_options_t otter_build_options = OTTER_BUILD_OPTIONS;
