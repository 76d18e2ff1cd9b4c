"""Mistakes with extensions that can be seen from outside."""

from __future__ import annotations

from pathlib import Path

import pytest

from statserver_trio.config.dump import dump
from statserver_trio.config.extensions import parameters, switched_on
from statserver_trio.config.load import load
from statserver_trio.config.mistakes import ConfigError

HEAD = '[python-config]\npython-extensions-dir = "EXT"\n[python-extensions]\n'


def said(folder: Path, text: str) -> tuple[list[str], list[str]]:
    """Mistakes and warnings, without the file."""
    (folder / "ext").mkdir(exist_ok=True)
    (folder / "ext" / "a.py").touch()
    file = folder / "main.toml"
    file.write_text(text.replace("EXT", str(folder / "ext")))
    try:
        mistakes, warnings = (), load(file).warnings
    except ConfigError as exc:
        mistakes, warnings = exc.mistakes, exc.warnings  # type: ignore[assignment]
    return tuple([str(each).partition(": ")[2] for each in found] for found in (mistakes, warnings))  # type: ignore[return-value]


def test_what_is_right_is_right(tmp_path: Path) -> None:
    text = HEAD + '"a.py" = true\n"b.py" = false\n"entry-point:x" = true\nLevel = 7\nName = "x"\n'
    assert said(tmp_path, text) == ([], [])
    config = load(tmp_path / "main.toml")
    assert switched_on(config) == ["a.py", "entry-point:x"]
    assert parameters(config) == {"Level": 7, "Name": "x"}
    again = tmp_path / "again.toml"
    again.write_text(dump(config))
    assert load(again) == config


@pytest.mark.parametrize(
    ("line", "mistake"),
    [
        ('"a.py" = "yes"', "[python-extensions] a.py: must be true or false, whether to load it"),
        ("a.py = true", "[python-extensions] a: must be a single value; a name with a dot needs"),
        ('"entry-point:" = true', "[python-extensions] entry-point:: names no entry point"),
        ("Level = [1]", "[python-extensions] Level: must be a text in quotes, a number, true or"),
    ],
)
def test_mistakes(tmp_path: Path, line: str, mistake: str) -> None:
    mistakes, _ = said(tmp_path, HEAD + line)
    assert len(mistakes) == 1
    assert mistakes[0].startswith(mistake)


def test_without_a_folder_no_file_can_be_loaded(tmp_path: Path) -> None:
    mistakes, _ = said(tmp_path, '[python-extensions]\n"a.py" = true')
    assert mistakes == [
        "[python-config] python-extensions-dir: required to load a.py: the folder it is in"
    ]


@pytest.mark.parametrize(
    ("line", "warning"),
    [
        ('"none.py" = true', "none.py: warning: there is no such file in "),
        ('"../a.py" = true', "../a.py: warning: security violation: ../a.py leads out of "),
        ('"/a.py" = true', "/a.py: warning: security violation: /a.py leads out of "),
        ('"x.jar" = true', "x.jar: warning: a Java archive cannot be loaded; write it in Python"),
    ],
)
def test_what_cannot_be_loaded_is_a_warning(tmp_path: Path, line: str, warning: str) -> None:
    mistakes, warnings = said(tmp_path, HEAD + line)
    assert mistakes == []
    assert len(warnings) == 1
    assert warnings[0].startswith("[python-extensions] " + warning)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    _, warnings = said(tmp_path, HEAD.replace("EXT", "/no/such") + '"a.py" = true')
    assert warnings == [
        "[python-extensions] a.py: warning: there is no folder /no/such; it is not loaded"
    ]


def test_links_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "ext").mkdir()
    (tmp_path / "ext" / "o.py").symlink_to("o.py")
    mistakes, warnings = said(tmp_path, HEAD + '"o.py" = true')
    assert (mistakes, len(warnings)) == ([], 1)


def test_java_sections_are_understood_and_passed_over(tmp_path: Path) -> None:
    text = '[java-config]\njvm-path = "/jvm"\n[java-extensions]\n"e.jar" = true\n'
    mistakes, warnings = said(tmp_path, text)
    assert mistakes == []
    assert [each.partition(": warning: ")[0] for each in warnings] == [
        "[java-config]", "[java-extensions]",
    ]  # fmt: skip
    assert all("write it in Python (docs/extensions.md)" in each for each in warnings)


STAT = '[stat-types.T]\nObjects = "Queue"\nCategory = "javacategory"\n'


@pytest.mark.parametrize(
    ("lines", "finding"),
    [
        ("", "PythonSubCategory: required with Category=PythonCategory, but missing"),
        ('JavaSubCategory = "a.py"', "JavaSubCategory: 'a.py' names no statistic of an extension"),
        ('PythonSubCategory = "b.py:X"', "PythonSubCategory: warning: b.py is not switched on in"),
        (
            'PythonSubCategory = "a.py:X"\nMainMask = "*"',
            "MainMask: warning: PythonCategory does not look at it",
        ),
    ],
)
def test_stat_types(tmp_path: Path, lines: str, finding: str) -> None:
    mistakes, warnings = said(tmp_path, HEAD + '"a.py" = true\n' + STAT + lines)
    (found,) = [*mistakes, *warnings]
    assert found.startswith(f"[stat-types.T] {finding}")


def test_the_option_belongs_to_its_category(tmp_path: Path) -> None:
    text = STAT.replace("javacategory", "TotalNumber") + 'JavaSubCategory = "a.py:X"\n'
    text += 'Subject = "DNAction"\nMainMask = "*"\n'
    mistakes, _ = said(tmp_path, text)
    assert mistakes == ["[stat-types.T] JavaSubCategory: only with Category=PythonCategory"]
