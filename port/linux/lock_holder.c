/* /proc/locks has a line for each lock: "1: FLOCK  ADVISORY  WRITE 3465 fe:00:11591846 0 EOF"; those that wait have an arrow. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/lock_holder.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define COMMAND_SHOWN 80

/** Does a line tell of a lock of this file? @param pid  receives who has it; 0 or less: it cannot be seen from here */
static bool is_lock_of(const char *line, const struct stat *st, int *pid)
{
    unsigned int major_number, minor_number;
    uint64_t inode;
    return sscanf(line, "%*d: FLOCK %*s %*s %d %x:%x:%" SCNu64, pid, &major_number, &minor_number, &inode) ==
               4 &&
           inode == st->st_ino && major_number == major(st->st_dev) && minor_number == minor(st->st_dev);
}

/** @return 0: nobody that can be seen from here */
static int find_holder(const struct stat *st)
{
    char line[160];
    int holder = 0, pid;
    FILE *f = fopen("/proc/locks", "re");
    while (f != NULL && holder == 0 && fgets(line, sizeof(line), f) != NULL) {
        holder = is_lock_of(line, st, &pid) && pid > 0 ? pid : 0;
    }
    if (f != NULL) {
        fclose(f);
    }
    return holder;
}

/** The words of its command line. @return "": it is gone, or another user's */
static void read_command(int pid, char command[COMMAND_SHOWN + 1])
{
    char path[40];
    snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
    FILE *f = fopen(path, "re");
    size_t len = f != NULL ? fread(command, 1, COMMAND_SHOWN, f) : 0;
    if (f != NULL) {
        fclose(f);
    }
    while (len > 0 && command[len - 1] == '\0') {
        len--;
    }
    command[len] = '\0';
    for (size_t i = 0; i < len; i++) {
        if (command[i] == '\0') {
            command[i] = ' ';
        } else if ((unsigned char)command[i] < ' ' || (unsigned char)command[i] > '~') {
            command[i] = '?';
        }
    }
}

void lock_holder_name(const char *path, char *text, size_t size)
{
    struct stat st;
    char command[COMMAND_SHOWN + 1] = "";
    const int pid = stat(path, &st) == 0 ? find_holder(&st) : 0;
    if (pid > 0) {
        read_command(pid, command);
    }
    if (command[0] != '\0') {
        snprintf(text, size, "process %d (%s)", pid, command);
    } else {
        snprintf(text, size, "another process");
    }
}
