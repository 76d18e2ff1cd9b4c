"""The counter of rows whose occurrences are written down in books, one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...model.occurrences import Facts, Occurrence, Status
from ..books.terms import source_of
from .counters import Counter

if TYPE_CHECKING:
    from ..books.book import Book
    from .parts import Part


class TermCounter(Counter):
    """Tells the books of the statistics that read the row what is over and what happened."""

    __slots__ = ("_books", "_facts")

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._facts: Facts | None = None
        self._books: list[tuple[Book, str, Part]] = []

    def listen(self, book: Book, role: str, part: Part) -> None:
        """Write down there, under that role, what is over from now on."""
        self._books.append((book, role, part))
        book.page(part.ledger, part.opened_at)
        for _ in self._stretches:
            book.began(part, part.opened_at)

    def forget(self, book: Book, t: int | None) -> None:
        """Tell a book no more.

        Args:
            t: Where the node has left a group; what goes on there is over for the book then.
        """
        for known, _, part in self._books:
            if known is not book:
                continue
            if t is None:
                book.lost(part, len(self._stretches))
            else:
                for _ in self._stretches:
                    book.over(part, t)
        self._books = [each for each in self._books if each[0] is not book]

    def look_again(self, occurrence: Any, t: int) -> None:
        """The facts changed: what is over because of that is judged by what they were."""
        source = source_of(occurrence)
        until, former = next(source.formerly(), (None, None)) if source else (None, None)
        if former is not None and until == t:
            self._facts = former.facts
        super().look_again(occurrence, t)
        self._facts = None

    def _open(self, occurrence: Any, start: int, t: int) -> None:
        super()._open(occurrence, start, t)
        for book, _, part in self._books:
            book.began(part, t)

    def _close(self, occurrence: Any, t: int) -> None:
        super()._close(occurrence, t)
        for book, _, part in self._books:
            book.over(part, t)

    def _ended(self, occurrence: Occurrence | Status, start: int, t: int) -> None:
        for book, role, part in self._books:
            book.ended(part, role, occurrence, start, t, self._facts)

    def _happened(self, about: Occurrence, duration: int, t: int) -> None:
        for book, role, part in self._books:
            book.happened(part, role, about, duration, t)
