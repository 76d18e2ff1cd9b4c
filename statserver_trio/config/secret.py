"""A secret: a text that is not shown by accident."""

from __future__ import annotations

from attrs import field, frozen


@frozen
class Secret:
    """Printed, logged or dumped it is three stars; :meth:`reveal` it where it is used."""

    _text: str = field(repr=lambda text: "***")

    def __str__(self) -> str:
        return "***"

    def reveal(self) -> str:
        """The text itself."""
        return self._text
