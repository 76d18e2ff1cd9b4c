"""Bash, with words that have colons in them.

Readline cuts words at ``:``, ``@`` and ``=``, all of which stand in the name of a statistic, and
replaces only what comes after the last of them. So our script hands over the line instead of its
pieces, and is given no more than what is to be put there. The shell's question goes to click before
any command is imported, so :mod:`.main` has to know us.
"""

from __future__ import annotations

import os

from click.shell_completion import (
    BashComplete,
    CompletionItem,
    add_completion_class,
    split_arg_string,
)

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


class WholeWords(BashComplete):
    """Bash, with words that have colons in them."""

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
        kept = max((incomplete.rfind(each) + 1 for each in breaks), default=0)
        found = super().get_completions(args, incomplete)
        return [CompletionItem(each.value[kept:], each.type) for each in found]


add_completion_class(WholeWords)
