/* Files by C++'s streams. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <cstdio>
#include <fstream>
#include <string>

#include "own.h"

void read_by_cpp(const char *path)
{
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    std::printf("C++ %s\n", line.c_str());
}
