# Fish completion for otter: the command itself knows its verbs and options.
complete -c otter -a '(otter --complete (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'
