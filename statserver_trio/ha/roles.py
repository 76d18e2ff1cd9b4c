"""Run modes: which member is primary now, whatever the configuration says.

The link does not care: the configured backup dials, before and after every
switchover, and statistics travel both ways. A mode is only told to the other
member, which shows it. Two primaries after a partition are allowed, since both
serve their clients well; nobody is demoted by itself, but somebody should look
(hot-standby.md 4.6).
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, field, frozen

from ..machine import Disconnect, Send
from .messages import Mode
from .store import Log, PeerMode

MODES = ("primary", "backup")


@frozen
class ModeChanged:
    """Event: the operator, or whoever manages the pair, changed our run mode."""

    mode: str


@frozen
class ConfigurationReloaded:
    """Event: another configuration is in force here, and these statistics were closed by it."""

    fingerprint: str
    deleted: Sequence[str] = ()


@define
class Roles:
    """Ours and the peer's.

    Attributes:
        peer_mode: None while there is no session.
    """

    mode: str = "primary"
    fingerprint: str = ""
    peer_mode: str | None = field(default=None, init=False)
    peer_fingerprint: str = field(default="", init=False)
    _alarmed: bool = field(default=False, init=False)

    def linked(self, mode: str, fingerprint: str, greeted: tuple[str, str]) -> list[object]:
        """A session is open, and that is what the peer said of itself.

        Args:
            greeted: What it was told of us; since then we may have changed.
        """
        news = self._peer_is(mode, fingerprint)
        return news if greeted == (self.mode, self.fingerprint) else [*news, *self._tell()]

    @property
    def agree(self) -> bool:
        """Whether both members have the same configuration."""
        return self.peer_mode is not None and self.fingerprint == self.peer_fingerprint

    def unlinked(self) -> None:
        """Nobody knows what the peer is now."""
        self.peer_mode = None

    def handle_event(self, event: object, now: float) -> list[object]:
        """A change here or there."""
        match event:
            case ModeChanged(mode):
                assert mode in MODES
                self.mode = mode
                return [*self._tell(), *self._check()]
            case ConfigurationReloaded(fingerprint):
                self.fingerprint = fingerprint
                return self._tell()
            case Mode(mode, fingerprint):
                return self._peer_is(mode, fingerprint)
        return [Disconnect(f"roles cannot make sense of {type(event).__name__}")]

    def _peer_is(self, mode: str, fingerprint: str) -> list[object]:
        self.peer_mode, self.peer_fingerprint = mode, fingerprint
        return [PeerMode(mode, fingerprint), *self._check()]

    def _tell(self) -> list[object]:
        return [] if self.peer_mode is None else [Send(Mode(self.mode, self.fingerprint))]

    def _check(self) -> list[object]:
        """Alarm once per time that there are two."""
        two = self.mode == self.peer_mode == "primary"
        news = two and not self._alarmed
        self._alarmed = two
        return [Log("alarm", "both members of the pair are primary")] if news else []
