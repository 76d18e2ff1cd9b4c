"""The web site of docs/ is built without a warning, and its reference is that of the code."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from docs_blocks import ROOT

sys.path.insert(0, str(ROOT))
from reference.__main__ import FOLDER, PAGES

# What a browser loads by itself; links that a reader may follow are none of it.
FROM_ELSEWHERE = re.compile(
    r'<(?:script|img|iframe)[^>]* src="?(https?:[^" >]+)'
    r'|<link[^>]*rel="?(?:stylesheet|preconnect)[^>]*href="?(https?:[^" >]+)'
)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("name", PAGES)
def test_the_reference_is_that_of_the_code(name: str) -> None:
    written = (FOLDER / name).read_text(encoding="utf-8")
    assert PAGES[name]() == written, "out of date: make reference"


def test_no_other_page_pretends_to_be_one() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(PAGES)


@pytest.mark.skipif(find_spec("mkdocs") is None, reason="no mkdocs here: pip install -e '.[docs]'")
def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "mkdocs", "build", "--strict"]  # --quiet counts no warnings
    done = subprocess.run(
        [*build, "--site-dir", tmp_path],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},  # about another major version
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr, done.stderr
    pages = [path.relative_to(ROOT / "docs") for path in (ROOT / "docs").rglob("*.md")]
    assert all((tmp_path / path.with_suffix(".html")).exists() for path in pages)
    for path in tmp_path.rglob("*.html"):
        loaded = FROM_ELSEWHERE.findall(path.read_text(encoding="utf-8"))
        assert not loaded, f"{path.name} is to work without the internet, and loads {loaded}"


def test_links_of_the_readme_lead_somewhere() -> None:
    for target in LINK.findall((ROOT / "README.md").read_text(encoding="utf-8")):
        if "://" not in target:
            assert (ROOT / target).exists(), target
