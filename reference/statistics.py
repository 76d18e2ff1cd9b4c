"""The page of the statistics: what stat types are made of, from the tables of the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from statserver_trio.model import actions
from statserver_trio.stats import categories
from statserver_trio.stats.categories import CATEGORIES, EXTENSION, REFUSED, Category
from statserver_trio.stats.definitions import object_types, stat_types, time_ranges
from statserver_trio.stats.definitions.time_profiles import STEPS_MAX
from statserver_trio.stats.telling.notifications import MODE_NAMES

from . import meanings
from .markdown import head, table

TITLE = "Statistics"
SOURCE = "statserver_trio/stats/ and statserver_trio/model/actions.py"
SNIPPETS = Path(__file__).parent / "snippets.md"  # what no table says
RESULTS = {"number": "integer", "time": "seconds", "ratio": "number", "state": "object"}
MASK_WORDS = {"no": "", "optional": "optional", "required": "required"}
RANGE_WORDS = {"no": "", "default": "yes", "explicit": "if the request names one"}


def page() -> str:
    """Stat types, categories, actions and statuses."""
    about = SNIPPETS.read_text(encoding="utf-8").strip()
    about = about.replace("{STEPS_MAX}", f"{STEPS_MAX:,}").replace(
        "{DEFAULT_RANGE}", time_ranges.BUILT_IN_RANGE.text
    )
    parts = [head(TITLE, SOURCE, about)]
    parts += ["## Subjects and objects", _subjects(), _aliases()]
    parts += _categories()
    parts += _actions()
    parts += ["## Notification modes", _modes()]
    return "\n\n".join(parts) + "\n"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


# -- subjects, objects -------------------------------------------------------------------------


def _subjects() -> str:
    rows = [
        (f"`{name}`", _listed(each for each in object_types.OBJECT_TYPES if each in allowed))
        for name, allowed in stat_types.SUBJECTS.items()
    ]
    return table(("Subject", "can be asked of"), rows)


def _aliases() -> str:
    said = ", ".join(f"`{alias}` is `{name}`" for alias, name in object_types.ALIASES.items())
    refused = "; ".join(f"`{name}`, since {why}" for name, why in stat_types.UNFED.items())
    groups = "; ".join(
        _listed(each for each in object_types.OBJECT_TYPES if each in group)
        for group in object_types.COMPATIBILITY_GROUPS
        if len(group) > 1
    )
    return (
        f"Object types are spelled in any case; {said}. In one `Objects` may stand together: "
        f"{groups}. May be defined and not opened: {refused}."
    )


# -- categories --------------------------------------------------------------------------------


def _categories() -> list[str]:
    refused = table(("name", "why"), [(f"`{name}`", why) for name, why in REFUSED.items()])
    synonyms = ", ".join(f"`{one}` is `{other}`" for one, other in categories.SYNONYMS.items())
    return [
        "## Categories",
        "Main is what `MainMask` counts, Rel what `RelMask` counts, TR the time range. A division "
        "by nothing gives 0. *of* says what can be counted: actions, statuses, or both.",
        "### Historical",
        "Over the interval of a time profile.",
        _category_table(lambda each: each.kind == "historical"),
        "### Current",
        "Of this moment; a time profile is not looked at.",
        _category_table(lambda each: each.kind == "current"),
        "### States",
        _category_table(lambda each: each.kind == "state"),
        "### Told by extensions",
        f"`{EXTENSION}`, or `JavaCategory`: see [Writing an extension](../extensions.md).",
        "### Names that are none",
        f"{synonyms[:1].upper()}{synonyms[1:]}. Refused, with the reason:",
        refused,
    ]


def _category_table(is_wanted: Callable[[Category], bool]) -> str:
    columns = ("Category", "value", "result", "RelMask", "time range", "of", "only for")
    rows = []
    for each in CATEGORIES.values():
        if is_wanted(each):
            result = RESULTS.get(each.result, "any")
            objects = "" if each.objects is None else _listed(sorted(each.objects))
            of = "" if each.kind == "state" else each.of
            rows.append(
                (
                    f"`{each.name}`",
                    _meaning(each.name),
                    result,
                    MASK_WORDS[each.rel_mask],
                    RANGE_WORDS[each.time_range],
                    of,
                    objects,
                )
            )
    return table(columns, rows)


def _meaning(name: str) -> str:
    try:
        return meanings.CATEGORIES[name]
    except KeyError:
        raise SystemExit(f"reference/meanings.py has no sentence about {name}") from None


# -- actions, statuses -------------------------------------------------------------------------


def _actions() -> list[str]:
    durable = [name for name in actions.NAMES if actions.DURABLE & actions.mask_of(name)]
    momentary = [name for name in actions.NAMES if name in actions._MOMENTARY]
    retrospective = [name for name in actions.NAMES if name in actions._RETROSPECTIVE]
    untold = {*actions._CAMPAIGN_CONDITIONS, *actions._CAMPAIGN_OPERATIONS}
    statuses = [(str(number), f"`{name}`") for name, number in actions.STATUS_NUMBERS.items()]
    aliases = [(f"`{name}`", _listed(members)) for name, members in sorted(actions.ALIASES.items())]
    pseudo = [name for name in actions.NAMES if actions.PSEUDO & actions.mask_of(name)]
    return [
        "## Actions",
        "### That last",
        _listed(name for name in durable if name not in untold),
        "### That happen",
        _listed(momentary),
        "### That end something, and carry its duration",
        _listed(retrospective),
        "### Names for several",
        table(("name", "stands for"), aliases),
        "### Of queues, about who serves them",
        f"{_listed(pseudo)}: see `queue-use-pseudo-actions` in [Options](options.md#objects).",
        "### Of campaigns",
        "May stand in masks; nobody tells of them: "
        + _listed(name for name in actions.NAMES if name in untold),
        "## Statuses",
        "The status of an object is the highest of what goes on there. The numbers are those of "
        "`CurrentState`.",
        table(("number", "status"), statuses),
    ]


def _modes() -> str:
    spelled: dict[str, list[str]] = {}
    for name, mode in MODE_NAMES.items():
        spelled.setdefault(mode.value, []).append(name)
    rows = [(f"`{mode}`", _listed(names[1:])) for mode, names in spelled.items()]
    return table(("mode", "also written"), rows)
