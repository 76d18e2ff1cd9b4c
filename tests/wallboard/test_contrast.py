"""Contrast of the board's colours, in both themes, as WCAG 2 computes it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

BOARD = Path(__file__).parents[2] / "statserver_trio" / "wallboard"
TEXT_MIN = 4.5  # : 1, WCAG 2.2 §1.4.3 (AA)
GRAPHIC_MIN = 3.0  # of lines and of what has the focus, §1.4.11
BLOCK = re.compile(r":root(\[data-theme=\"dark\"\])?\s*\{([^}]*)\}")
TOKEN = re.compile(r"--([\w-]+):\s*#([0-9a-f]{6})\b")

STATES = ("ready", "call", "ringing", "hold", "acw", "break", "other", "out", "lost")
GROUNDS = ("ground", "panel", "raised", "warn-tint", "alarm-tint")
TEXTS = [
    *((text, ground) for text in ("text", "muted", "warn", "alarm") for ground in GROUNDS),
    *((state, ground) for state in STATES for ground in GROUNDS),
    ("good", "panel"),
    ("warn-text", "warn-ground"),
    ("alarm-text", "alarm-ground"),
    ("panel", "text"),  # which of the pair is the primary
]
GRAPHICS = [
    *((f"series-{n}", "panel") for n in range(1, 7)),
    ("focus", "ground"),
    ("focus", "panel"),
]


def themes() -> dict[str, dict[str, str]]:
    css = (BOARD / "tokens.css").read_text(encoding="utf-8")
    light, dark = (dict(TOKEN.findall(body)) for _, body in BLOCK.findall(css))
    assert light.keys() == dark.keys(), "a colour has no counterpart in the other theme"
    return {"light": light, "dark": dark}


def luminance(colour: str) -> float:
    parts = [int(colour[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_computed_right() -> None:
    assert contrast("000000", "ffffff") == pytest.approx(21)
    assert contrast("777777", "ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_is_read_can_be_read(theme: str) -> None:
    tokens = themes()[theme]
    found = {
        **{pair: (contrast(*map(tokens.__getitem__, pair)), TEXT_MIN) for pair in TEXTS},
        **{pair: (contrast(*map(tokens.__getitem__, pair)), GRAPHIC_MIN) for pair in GRAPHICS},
    }
    pale = {pair: round(ratio, 2) for pair, (ratio, least) in found.items() if ratio < least}
    assert not pale


def test_colours_are_tokens() -> None:
    """So that none escapes the test above."""
    css = (BOARD / "board.css").read_text(encoding="utf-8")
    assert not re.findall(r"#[0-9a-fA-F]{3,8}\b|rgba?\(|hsla?\(", css)
    used = set(re.findall(r"var\(--([\w-]+)\)", css)) - {"ink"}
    assert used <= themes()["light"].keys()
