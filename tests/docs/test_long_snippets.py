"""What README.md and docs/ have a reader do that takes minutes: each block in a fresh checkout.

Not part of ``make test``; ``.ci/run`` runs it, and ``pytest -m long``.
"""

from __future__ import annotations

import pytest
from docs_blocks import Block, blocks, pages
from docs_checkout import Checkout

LONG = [block for page in pages() for block in blocks(page) if block.is_long]

pytestmark = pytest.mark.long


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return Checkout(tmp_path_factory.mktemp("reader") / "statserver-trio")


@pytest.mark.parametrize("block", LONG, ids=str)
def test_what_takes_long_works(block: Block, checkout: Checkout) -> None:
    checkout.run(block)
