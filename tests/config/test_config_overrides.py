"""Keys from the environment, and secrets from files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statserver_trio.config.dump import dump
from statserver_trio.config.load import load
from statserver_trio.config.mistakes import ConfigError, Mistake
from statserver_trio.config.schema import Config
from statserver_trio.config.secret import Secret

EMPTY = Path("/dev/null")
FILE = """
[server]
name = "from-file"
[[listen]]
port = 7100
[[listen]]
id = "management"
port = 7102
[filters]
Vip = 'PairExists("a","b")'
[stat-types.Entered]
Objects = "Queue"
Category = "TotalNumber"
MainMask = "CallEntered"
Subject = "DNAction"
"""


@pytest.fixture
def with_variables(tmp_path: Path) -> Callable[..., Config]:
    path = tmp_path / "x.toml"
    path.write_text(FILE)

    def load_with(**variables: str) -> Config:
        return load(path, {f"STATSERVER__{name}": value for name, value in variables.items()})

    return load_with


def mistakes(load_with: Callable[..., Config], **variables: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_with(**variables)
    return list(map(str, caught.value.mistakes))


def test_keys_of_all_kinds(with_variables: Callable[..., Config]) -> None:
    config = with_variables(
        HA__ADDP_TIMEOUT="5",
        SERVER__NAME="x",
        SERVER__CONFIG_RELOAD_DELAY_IF_PRIMARY="true",
        LISTEN__1__PORT="8102",
        LISTEN__2__PORT="8103",
        TSERVER__0__NAME="ts1",
        TSERVER__0__SWITCH="sw1",
        TSERVER__0__PORT="7200",
        TSERVER__0__DNS='["7001", "7002"]',
        FILTERS__Vip='PairExists("c","d")',
        FILTERS__New__One='PairExists("e","f")',
        AGENT_GROUPS__Sales='["a1"]',
        STAT_TYPES__Entered__MainMask="CallAbandoned",
    )
    assert config.ha.addp_timeout == 5
    assert config.server.name == "x"
    assert config.server.config_reload_delay_if_primary is True
    assert [each.port for each in config.listen] == [7100, 8102, 8103]
    assert config.listen[1].id == "management"
    assert config.tserver[0].dns == ("7001", "7002")
    assert config.filters == {"Vip": 'PairExists("c","d")', "New__One": 'PairExists("e","f")'}
    assert config.agent_groups == {"Sales": ("a1",)}
    assert config.stat_types["Entered"]["MainMask"] == "CallAbandoned"
    assert config.overrides["STATSERVER__LISTEN__1__PORT"] == "[listen #2] port"
    assert config.overrides["STATSERVER__HA__ADDP_TIMEOUT"] == "[ha] addp-timeout"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("7", "7"),
        ('"7"', "7"),
        ("a b", "a b"),
        ("true", "true"),
        ("a\nname = 'b'", "a\nname = 'b'"),
    ],
)
def test_a_text_needs_no_quotes(
    with_variables: Callable[..., Config], text: str, name: str
) -> None:
    assert with_variables(SERVER__NAME=text).server.name == name


def test_other_variables_are_nobodys_business(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text(FILE)
    config = load(path, {"STATSERVER_NAME": "a", "PATH": "/bin", "STATSERVER__SERVER__NAME": "b"})
    assert config.environment == {"STATSERVER__SERVER__NAME": "b"}
    assert load(path).environment == {}


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("HA__ADDP_TIMEOUT", "0", "must be a number from 1 to 3600, not 0"),
        ("HA__ADDP_TIMEOUT", "soon", "must be a number from 1 to 3600, not 'soon'"),
        ("HA__ADDP_TIMEOUTS", "5", "no such key as addp-timeouts; KEY is one of PEER_HOST,"),
        ("HAA__ADDP_TIMEOUT", "5", "no such section as [haa]; did you mean 'ha'?"),
        ("HA", "5", "must be STATSERVER__HA__KEY, where KEY is one of PEER_HOST,"),
        ("LISTEN__PORT", "5", "must be STATSERVER__LISTEN__NUMBER__KEY, counted from 0"),
        ("LISTEN__4__PORT", "5", "there are 2 entries; the next one is STATSERVER__LISTEN__2__KEY"),
        ("LISTEN__0__PORTS", "5", "no such key as ports; KEY is one of ID, HOST, PORT,"),
        ("LISTEN__0__PORT", "70000", "must be a whole number from 0 to 65535, not 70000"),
        ("FILTERS", "x", "must be STATSERVER__FILTERS__NAME"),
        ("STAT_TYPES__Entered", "x", "must be STATSERVER__STAT_TYPES__NAME__OPTION"),
        ("STAT_TYPES__Entered__MainMask", "Nonsense", "Nonsense"),
        ("SERVER__TIME_ZONE", "Mars/Olympus", "Mars/Olympus"),
        ("INCLUDE", "x", "no such section as [include]"),
        ("", "x", "no such section as []"),
    ],
)
def test_mistakes_name_the_variable(
    with_variables: Callable[..., Config], variable: str, value: str, said: str
) -> None:
    [mistake] = mistakes(with_variables, **{variable: value})
    assert mistake.startswith(f"STATSERVER__{variable}: ")
    assert said in mistake


def test_mistakes_of_files_and_variables_come_together(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text("listen = [3]\n[server]\nrole = 'boss'\n")
    with pytest.raises(ConfigError) as caught:
        load(path, {"STATSERVER__SERVER__NAMES": "x", "STATSERVER__LISTEN__0__HOST": "::"})
    text = str(caught.value)
    assert "STATSERVER__SERVER__NAMES: no such key" in text
    assert f"{path}: [server] role" in text
    assert "[listen #1] port: required, but missing" in text


def test_more_than_nine_entries_are_added_in_order(with_variables: Callable[..., Config]) -> None:
    added = {f"LISTEN__{n}__PORT": str(8000 + n) for n in range(2, 14)}
    assert [each.port for each in with_variables(**added).listen][2:] == list(range(8002, 8014))


# -- secrets -----------------------------------------------------------------------------------


@pytest.fixture
def password(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.write_text("correct horse\n")
    path.chmod(0o600)
    return path


def test_a_secret_from_a_file(with_variables: Callable[..., Config], password: Path) -> None:
    config = with_variables(LISTEN__0__CERTIFICATE_KEY_PASSWORD_FILE=str(password))
    secret = config.listen[0].certificate_key_password
    assert secret is not None
    assert secret.reveal() == "correct horse"
    assert config.warnings == ()


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_one_line_end_does_not_count(
    with_variables: Callable[..., Config], password: Path, ending: str
) -> None:
    password.write_bytes(f" a\n{ending}".encode())
    config = with_variables(HA__CERTIFICATE_KEY_PASSWORD_FILE=str(password))
    assert config.ha.certificate_key_password == Secret(" a\n" if ending else " a")


def test_a_secret_is_shown_nowhere(with_variables: Callable[..., Config], password: Path) -> None:
    config = with_variables(
        LISTEN__0__CERTIFICATE_KEY_PASSWORD_FILE=str(password),
        LISTEN__1__CERTIFICATE_KEY_PASSWORD="battery staple",
    )
    for text in (repr(config), str(config), dump(config), f"{config.listen[1]}"):
        assert "horse" not in text
        assert "staple" not in text
    assert "certificate-key-password-file" in dump(config)


def test_a_secret_that_is_wrong_is_not_shown_either(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text("[[listen]]\nport = 1\ncertificate-key-password = ['battery staple']\n")
    with pytest.raises(ConfigError, match="what was found is not shown") as caught:
        load(path)
    assert "staple" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No such file or directory"),
        (b"", "it is empty"),
        (b"\n", "it is empty"),
        (b"x" * 5000, "it is longer than 4096 bytes"),
        (b"staple\xff", "it is no UTF-8 text"),
    ],
)
def test_a_file_that_holds_no_secret(
    with_variables: Callable[..., Config], password: Path, content: bytes | None, said: str
) -> None:
    password.unlink()
    if content is not None:
        password.write_bytes(content)
        password.chmod(0o600)
    [mistake] = mistakes(with_variables, HA__CERTIFICATE_KEY_PASSWORD_FILE=str(password))
    assert mistake.startswith("STATSERVER__HA__CERTIFICATE_KEY_PASSWORD_FILE: cannot read")
    assert mistake.endswith(said)
    assert "staple" not in mistake


def test_one_of_the_two(with_variables: Callable[..., Config], password: Path) -> None:
    [mistake] = mistakes(
        with_variables,
        HA__CERTIFICATE_KEY_PASSWORD_FILE=str(password),
        HA__CERTIFICATE_KEY_PASSWORD="x",
    )
    assert "goes without certificate-key-password: give one of the two" in mistake


def test_what_everybody_can_read_is_warned_about(
    with_variables: Callable[..., Config], password: Path
) -> None:
    password.chmod(0o644)
    config = with_variables(HA__CERTIFICATE_KEY_PASSWORD_FILE=str(password))
    [warning] = config.warnings
    assert f"everybody on this machine can read {password}" in str(warning)


parts = st.sampled_from(
    ["LISTEN", "HA", "SERVER", "FILTERS", "STAT_TYPES", "AGENTS", "0", "2", "-1", "PORT", "NAME",
     "", "ADDP_TIMEOUT", "SKILLS", "Vip", "Entered", "Category", "CERTIFICATE_KEY_PASSWORD"]
) | st.text(max_size=5)  # fmt: skip
texts = st.sampled_from(["1", "[]", "[1", "{a = 1}", "'x'", "nan", "1e400", "[" * 5000]) | st.text()


@settings(max_examples=200)
@given(st.dictionaries(st.lists(parts, max_size=4).map("__".join), texts, max_size=4))
def test_whatever_the_environment_holds(variables: dict[str, str]) -> None:
    """Either it means something, or every mistake has a name."""
    environment = {f"STATSERVER__{name}": value for name, value in variables.items()}
    found: Sequence[Mistake] = ()
    try:
        assert set(load(EMPTY, environment).overrides) <= set(environment)
    except ConfigError as error:
        found = error.mistakes
    assert all(each.file and each.what for each in found)
