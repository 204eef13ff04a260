# Bash completion for otter: the command itself knows its verbs and options.
# SPDX-License-Identifier: Apache-2.0
_otter() {
    local IFS=$'\n'
    mapfile -t COMPREPLY < <(otter --complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o bashdefault -o default -F _otter otter
