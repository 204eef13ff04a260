"""What stops the build of a project: one line that says what, where, and the next step."""
# SPDX-License-Identifier: Apache-2.0


class Trouble(Exception):
    """Its text is the line, without a name of the program in front."""


def short(path, folder):
    """A path as its user would say it: relative to the project where it lies in it."""
    prefix = folder.rstrip("/") + "/"
    return path[len(prefix):] if path.startswith(prefix) else path
