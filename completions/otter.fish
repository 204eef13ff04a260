# Fish completion for otter: the command itself knows its verbs and options.
# SPDX-License-Identifier: Apache-2.0
complete -c otter -a '(otter --complete (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'
