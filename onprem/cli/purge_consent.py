"""The word of whoever purges: given at the prompt, or beforehand by options."""

import sys

import msgspec

from onprem.cli.output import note
from onprem.core.purge import EVERYTHING, Selection, What
from onprem.errors import PurgeRefused
from onprem.faults import Fault


class Consent(msgspec.Struct, frozen=True):
    """`yes` and `words` as they were given with the command."""

    yes: bool
    words: str | None

    def check(self, selection: Selection) -> None:
        """Raises PurgeRefused: words were given, and they are not those that are needed."""
        if self.words is None:
            return
        if selection.what is not What.ALL:
            raise PurgeRefused([Fault("--confirm", "Only --all needs it")])
        if self.words != EVERYTHING:
            raise PurgeRefused([Fault("--confirm", f'Expected "{EVERYTHING}"')])

    def asks(self, selection: Selection) -> bool:
        """Whether somebody has to answer at the prompt."""
        return not self.yes or (selection.what is What.ALL and self.words is None)

    def given(self, selection: Selection) -> bool:
        """The answer. Raises PurgeRefused where nobody gives one, or the wrong words."""
        if not self.asks(selection):
            return True
        if selection.what is What.ALL and self.words is None:
            said = _answer(f'This cannot be undone. Type "{EVERYTHING}" to go on: ')
            if said != EVERYTHING:
                raise PurgeRefused([Fault("--all", f'Only "{EVERYTHING}" goes on')])
            return True
        return _answer("This cannot be undone. Go on? [y/N] ").lower() in ("y", "yes")


def _answer(question: str) -> str:
    note(question)
    line = sys.stdin.readline()
    if not line:
        why = "Nobody answers here. Give --yes; with --all also --confirm"
        raise PurgeRefused([Fault("confirmation", why)])
    return line.strip()
