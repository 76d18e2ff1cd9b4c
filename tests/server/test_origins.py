"""Which web pages may read what we tell."""

from __future__ import annotations

import pytest

from statserver_trio.server.origins import is_allowed, is_friend

OTHERS = ("http://stat-b:7112", "https://board.example.com", "http://127.0.0.1:7113")


@pytest.mark.parametrize(
    ("origin", "host", "expected"),
    [
        ("http://stat-a:7102", "stat-a:7102", True),
        ("HTTP://Stat-A:7102", "stat-a:7102", True),
        ("https://stat-a:7102", "stat-a:7102", True),  # a proxy has added the TLS
        ("http://stat-a", "stat-a", True),
        ("http://stat-a", "stat-a:80", True),
        ("https://stat-a", "stat-a:443", True),
        ("http://[::1]:7102", "[::1]:7102", True),
        ("http://localhost:7102", "127.0.0.1:7102", True),
        ("http://stat-b:7112", "stat-a:7102", True),  # the other member's page
        ("https://board.example.com", "stat-a:7102", True),
        ("https://board.example.com:443", "stat-a:7102", True),
        ("http://localhost:7113", "stat-a:7102", True),
        # A port, a host or a scheme makes another page of it.
        ("http://stat-a:7103", "stat-a:7102", False),
        ("http://stat-b:7102", "stat-a:7102", False),
        ("http://board.example.com", "stat-a:7102", False),
        ("http://stat-a:7102.evil.example", "stat-a:7102", False),
        ("http://stat-a.evil.example:7102", "stat-a:7102", False),
        ("http://evil.example", "", False),
        ("null", "stat-a:7102", False),
        ("file://", "stat-a:7102", False),
        ("http://", "stat-a:7102", False),
        ("http://[::1", "stat-a:7102", False),
        ("http://stat-a:x", "stat-a:7102", False),
        ("chrome-extension://abc", "stat-a:7102", False),
    ],
)
def test_who_may_come(origin: str, host: str, expected: bool) -> None:
    assert is_allowed(origin, host, OTHERS) is expected


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "file://"])
def test_any_page_where_the_site_says_so(origin: str) -> None:
    assert is_allowed(origin, "stat-a:7102", ["*"])
    assert is_friend(origin, ["http://stat-b:7112", "*"])


def test_friends_are_the_others_only() -> None:
    assert is_friend("http://stat-b:7112", OTHERS)
    assert not is_friend("http://stat-a:7102", OTHERS)
    assert not is_friend("null", ("null",))
