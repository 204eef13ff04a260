# The ESP-IDF that projects find here, as their CMakeLists.txt files ask for it.
# SPDX-License-Identifier: Apache-2.0
set(IDF_TARGET linux)
set(IDF_VERSION_MAJOR 5)
set(IDF_VERSION_MINOR 5)
set(IDF_VERSION_PATCH 0)
set(ENV{IDF_VERSION} ${IDF_VERSION_MAJOR}.${IDF_VERSION_MINOR}.${IDF_VERSION_PATCH})
