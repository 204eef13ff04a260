# The arguments of idf_component_register(), for those who run it and for those who only look what it says.
# SPDX-License-Identifier: Apache-2.0
set(otter_register_values KCONFIG KCONFIG_PROJBUILD)
set(otter_register_lists SRCS SRC_DIRS EXCLUDE_SRCS INCLUDE_DIRS PRIV_INCLUDE_DIRS LDFRAGMENTS REQUIRES PRIV_REQUIRES
    REQUIRED_IDF_TARGETS EMBED_FILES EMBED_TXTFILES)
