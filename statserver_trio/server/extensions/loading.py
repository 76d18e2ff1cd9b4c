"""Loading: from a path of the configuration to what it offers.

A file is read and compiled anew each time, so that one that was mended is taken as it is
now. Whatever it does while it is loaded it does in a thread, with a time limit: the events
do not wait for it.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

import trio
from attrs import frozen

from ...config.extensions import ENTRY_POINT, OutsideError, find_file
from ...extensions import Extension, StatDef
from ...stats.definitions import object_types
from ...stats.extended.offers import KINDS, NOTHING, Offer

GROUP = "statserver_trio.extensions"
FACTORY = "extension"
LOAD_SECONDS = 30.0
STAT_TYPES_MAX = 1000  # of one extension
NAME_CHARACTERS_MAX = 200
_PREFIX = "statserver_trio_extension:"


class LoadError(Exception):
    """An extension that cannot be used as it is; says what is wrong, and what is allowed."""


@frozen
class Loaded:
    """An extension that can be started."""

    instance: Extension
    offers: tuple[Offer, ...]


async def load(
    path: str, folder: str | None, params: Mapping[str, Any], limiter: trio.CapacityLimiter
) -> Loaded:
    """Load an extension.

    Args:
        limiter: Of this extension alone, for one thread: where that hangs there will never
            be a second one, and none of the threads that the server needs itself is lost.

    Raises:
        OutsideError: A security violation; nothing of it was executed.
        LoadError: It is no extension.
        trio.TooSlowError: It takes too long.
        Exception: Whatever it raised.
    """
    with trio.move_on_after(LOAD_SECONDS):
        return await trio.to_thread.run_sync(
            _load, path, folder, dict(params), abandon_on_cancel=True, limiter=limiter
        )
    raise trio.TooSlowError(f"loading did not come to an end within {LOAD_SECONDS:g} s")


def _load(path: str, folder: str | None, params: dict[str, Any]) -> Loaded:
    try:
        instance = _factory(path, folder)(params)
    except SystemExit as exc:  # it would be ours
        raise LoadError(f"it calls sys.exit({exc.code!r})") from exc
    if not isinstance(instance, Extension):
        raise LoadError(
            f"{FACTORY}() must return a statserver_trio.extensions.Extension, "
            f"not {type(instance).__name__}"
        )
    return Loaded(instance, _offers(path, instance.stat_types()))


def _factory(path: str, folder: str | None) -> Callable[[dict[str, Any]], Any]:
    if path.startswith(ENTRY_POINT):
        found = _entry_point(path.removeprefix(ENTRY_POINT))
    else:
        try:
            file = find_file(folder, path)
        except OutsideError:
            raise
        except (OSError, ValueError) as exc:
            raise LoadError(str(exc)) from exc
        found = execute(path, file)
    factory = getattr(found, FACTORY, found)
    if isinstance(factory, ModuleType) or not callable(factory):
        raise LoadError(f"it has no function {FACTORY}(params)")
    return factory  # type: ignore[no-any-return]


def _entry_point(name: str) -> Any:
    installed = entry_points(group=GROUP)
    for each in installed:
        if each.name == name:
            return each.load()
    names = ", ".join(sorted(each.name for each in installed)) or "none"
    raise LoadError(
        f"no entry point {name!r} of the group {GROUP} is installed; there are: {names}"
    )


def execute(path: str, file: Path) -> ModuleType:
    """The module of a file; classes made in it find it by its name."""
    code = compile(file.read_bytes(), str(file), "exec", dont_inherit=True)
    module = ModuleType(_PREFIX + path)
    module.__file__ = str(file)
    sys.modules[module.__name__] = module
    exec(code, module.__dict__)
    return module


def _offers(path: str, definitions: Any) -> tuple[Offer, ...]:
    if not isinstance(definitions, list | tuple):
        raise LoadError(f"stat_types() must return a list, not {type(definitions).__name__}")
    if len(definitions) > STAT_TYPES_MAX:
        raise LoadError(f"stat_types() offers {len(definitions)}, allowed are {STAT_TYPES_MAX}")
    offers: dict[str, Offer] = {}
    for index, each in enumerate(definitions):
        where = f"stat_types()[{index}]"
        if not isinstance(each, StatDef):
            raise LoadError(f"{where} must be a StatDef, not {type(each).__name__}")
        offer = _offer(path, each, where)
        if offer.name in offers:
            raise LoadError(f"{where}: there is a {offer.name!r} already")
        offers[offer.name] = offer
    return tuple(offers.values())


def _offer(path: str, stat: StatDef, where: str) -> Offer:
    name = stat.name
    if not isinstance(name, str) or not name.strip() or ":" in name or name != name.strip():
        raise LoadError(f"{where}: the name {name!r} must be a text without colons")
    if len(name) > NAME_CHARACTERS_MAX:
        raise LoadError(f"{where}: the name has more than {NAME_CHARACTERS_MAX} characters")
    for key, value, allowed in (("kind", stat.kind, KINDS), ("result", stat.result, NOTHING)):
        if not isinstance(value, str) or value not in allowed:
            raise LoadError(f"{where}: {key} must be one of {', '.join(allowed)}, not {value!r}")
    written = (stat.objects,) if isinstance(stat.objects, str) else tuple(stat.objects)
    objects = {each: object_types.canonical(str(each)) for each in written}
    unknown = [each for each, canonical in objects.items() if canonical is None]
    if unknown or not objects:
        allowed_types = ", ".join(object_types.OBJECT_TYPES)
        raise LoadError(f"{where}: objects must list some of {allowed_types}, not {unknown}")
    types = frozenset(each for each in objects.values() if each is not None)
    return Offer(path, name, types, stat.kind, stat.result, str(stat.description))


def said(error: BaseException, path: str) -> str:
    """What went wrong and in which line of the extension, in words, out of all groups."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, OutsideError | LoadError):
        return str(error)
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    name = Path(path).name
    lines = [frame.lineno for frame in frames if Path(frame.filename).name == name]
    if isinstance(error, SyntaxError):
        return text
    return f"{text} (line {lines[-1]})" if lines else text
