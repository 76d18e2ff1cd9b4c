"""What bash, zsh and fish need for words with colons and commas in them, as statistics have.

Click's own scripts lose them: readline cuts words at ``:``, ``@`` and ``=``; zsh puts a space
behind ``Queue:``, where the name is still to come; fish is given only what stands before a comma.
The shell's question goes to click before any command is imported, so :mod:`.main` has to know us.
"""

from __future__ import annotations

import os

from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
    split_arg_string,
)

# Our script hands over the line instead of its pieces, and is given no more than what is to be put
# behind the last of the characters at which readline cuts.
_BASH = """\
%(complete_func)s() {
    local IFS=$'\\n' answer kind value
    COMPREPLY=()
    answer=$(COMP_LINE="${COMP_LINE:0:COMP_POINT}" COMP_WORDBREAKS="$COMP_WORDBREAKS" \\
        %(complete_var)s=bash_complete "$1" 2>/dev/null)
    for answer in $answer; do
        IFS=',' read -r kind value <<< "$answer"
        if [[ $kind == dir ]]; then
            compopt -o dirnames
        elif [[ $kind == file ]]; then
            compopt -o default
        else
            COMPREPLY+=("$value")
            [[ $value == *[:=] || $value == ws*:// ]] && compopt -o nospace
        fi
    done
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""

_ZSH = """\
#compdef %(prog_name)s
%(complete_func)s() {
    local -a whole begun explained
    local kind value help
    while IFS= read -r kind && IFS= read -r value && IFS= read -r help; do
        if [[ $kind == dir ]]; then
            _path_files -/
        elif [[ $kind == file ]]; then
            _path_files -f
        elif [[ $help != _ ]]; then
            explained+=("$value:$help")
        elif [[ $value == *[:=] || $value == ws*:// ]]; then
            begun+=("$value")
        else
            whole+=("$value")
        fi
    done < <(COMP_WORDS="${words[*]}" COMP_CWORD=$((CURRENT - 1)) \\
        %(complete_var)s=zsh_complete "${words[1]}" 2>/dev/null)
    (( $#explained )) && _describe -V %(prog_name)s explained -U
    (( $#whole )) && compadd -U -V %(prog_name)s -a whole
    (( $#begun )) && compadd -U -S '' -V %(prog_name)s -a begun
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    %(complete_func)s "$@"
else
    compdef %(complete_func)s %(prog_name)s
fi
"""

_FISH = """\
function %(complete_func)s
    for answer in (env COMP_WORDS=(commandline -cp) COMP_CWORD=(commandline -t) \\
            %(complete_var)s=fish_complete %(prog_name)s 2>/dev/null)
        set -l parts (string split -m 1 , -- $answer)
        switch $parts[1]
            case dir
                __fish_complete_directories $parts[2]
            case file
                __fish_complete_path $parts[2]
            case '*'
                echo $parts[2]
        end
    end
end
complete --no-files --command %(prog_name)s --arguments "(%(complete_func)s)"
"""


class BashWords(BashComplete):
    """Bash."""

    name = "bash"
    source_template = _BASH

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the one that is being typed, and that one."""
        line = os.environ["COMP_LINE"]
        words = split_arg_string(line)
        if not words or line[-1].isspace():
            return words[1:], ""
        return words[1:-1], words[-1]

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        """What may follow, without the beginning that bash keeps."""
        breaks = os.environ.get("COMP_WORDBREAKS", "")
        # An @ begins the word that bash replaces (it may be a host's), the others come before it.
        kept = max([0, *(incomplete.rfind(each) + (each != "@") for each in breaks)])
        found = super().get_completions(args, incomplete)
        return [CompletionItem(each.value[kept:], each.type) for each in found]


class ZshWords(ZshComplete):
    """Zsh."""

    name = "zsh"
    source_template = _ZSH


class FishWords(FishComplete):
    """Fish."""

    name = "fish"
    source_template = _FISH


SHELLS: dict[str, type[ShellComplete]] = {
    each.name: each for each in (BashWords, ZshWords, FishWords)
}
for _each in SHELLS.values():
    add_completion_class(_each)
