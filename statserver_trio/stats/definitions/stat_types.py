"""Reading a stat type: the options of one configuration section, in the vendor's words.

Option keywords and enumerated values are matched whatever their case; an unknown
option is reported and passed over, a wrong value makes the stat type unusable.
All mistakes are found at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ..categories import CATEGORIES, EXTENSION, LATER, REQUIRED, canonical_category
from . import DefinitionError, StatType, extension_types, object_types
from .masks import names_in, parse_mask

OPTIONS = (
    "Objects",
    "Category",
    "Subject",
    "MainMask",
    "RelMask",
    "MediaType",
    "UseSourceTimeStamps",
    "ReasonStartOverridesStatusStart",
    "AggregationType",
    "Description",
)
OPTIONS_LATER = ("Formula", "Expression", "GroupBy")

# Subject to the object types it can be asked of (statistics.md §3). AgentStatus of a place
# is read as PlaceStatus and the other way round (our decision: the documented example asks so).
_PEOPLE = frozenset({"Agent", "Place", "GroupAgents", "GroupPlaces"})
SUBJECTS: dict[str, frozenset[str]] = {
    "DNAction": object_types.REGULAR | object_types.MEDIATION,
    "DNStatus": object_types.REGULAR | frozenset({"Queue", "RoutePoint"}),
    "AgentStatus": _PEOPLE,
    "PlaceStatus": _PEOPLE,
    "GroupStatus": frozenset({"GroupAgents", "GroupPlaces"}),
}


class _Needs(NamedTuple):
    what: str
    subjects: tuple[str, ...]


# What a category can be computed of, by Category.of.
_NEEDS = {
    "both": None,
    "action": _Needs("actions", ("DNAction",)),
    "status": _Needs("a status", tuple(name for name in SUBJECTS if name != "DNAction")),
}
SUBJECTS_LATER = ("CampaignAction",)
_SUBJECT_NAMES = {name.lower(): name for name in (*SUBJECTS, *SUBJECTS_LATER)} | {
    "action": "DNAction"
}
_KNOWN_OPTIONS = {name.lower(): name for name in (*OPTIONS, *OPTIONS_LATER)} | {
    alias.lower(): extension_types.SUB_CATEGORY for alias in extension_types.SPELLINGS
}


def unknown_options(options: Mapping[str, str]) -> list[str]:
    """What is passed over in a stat type that can be used all the same, in words."""
    said = [
        f"{key}: no such option; passed over (allowed: {', '.join(OPTIONS)})"
        for key in options
        if key.lower() not in _KNOWN_OPTIONS
    ]
    given = _options(options)
    said += extension_types.unused_options(given)
    for key in ("MainMask", "RelMask"):
        text = given.get(key)
        if text is not None:
            try:
                said += [f"{key}: {warning}" for warning in parse_mask(str(text))[1]]
                said += _overruled(key, str(given.get("Category", "")), str(text))
            except ValueError:
                continue  # a mistake, and reported as one
    return said


def _overruled(key: str, category: str, text: str) -> list[str]:
    """A compound category counts what it does, whatever the mask says (statistics.md §5.5)."""
    row = CATEGORIES.get(canonical_category(category) or "")
    if row is None or row.masks is None:
        return []
    counted = row.masks.main if key == "MainMask" else row.masks.rel
    if parse_mask(text)[0] == counted:
        return []
    return [f"{key}: {row.name} counts {', '.join(names_in(counted))} whatever is written here"]


def _options(options: Mapping[str, str]) -> dict[str, str]:
    """The options by their canonical names; of two spellings the last one wins."""
    return {_KNOWN_OPTIONS.get(key.lower(), key): value for key, value in options.items()}


class _Reader:
    """Collects mistakes while reading the options of one stat type."""

    def __init__(self, options: Mapping[str, str]) -> None:
        self.options = _options(options)
        self.mistakes: list[tuple[str, str]] = []
        for key, value in self.options.items():
            if not isinstance(value, str):
                self.wrong(key, f"must be a string, not {value!r}")
                self.options[key] = ""
        for key in OPTIONS_LATER:
            if key in self.options:
                self.wrong(key, "not available in this release")

    def wrong(self, key: str, what: str) -> None:
        self.mistakes.append((key, what))

    def required(self, key: str) -> str | None:
        value = self.options.get(key)
        if value is None:
            self.wrong(key, "required, but missing")
        return value

    def objects(self) -> frozenset[str]:
        text = self.required("Objects")
        if text is None:
            return frozenset()
        names = [name.strip() for name in text.split(",")]
        found = {name: object_types.canonical(name) for name in names}
        for name, canonical in found.items():
            if canonical is None:
                allowed = ", ".join(object_types.OBJECT_TYPES)
                self.wrong("Objects", f"no such object type: {name!r}; allowed: {allowed}")
        types = frozenset(c for c in found.values() if c is not None)
        groups = object_types.COMPATIBILITY_GROUPS
        if types and not any(types <= group for group in groups):
            self.wrong(
                "Objects",
                "these do not go together; allowed are some of "
                + ", or some of ".join(", ".join(sorted(group)) for group in groups),
            )
        return types

    def category(self) -> str | None:
        text = self.required("Category")
        if text is None:
            return None
        name = canonical_category(text)
        if name is None:
            allowed = ", ".join(CATEGORIES)
            self.wrong("Category", f"unknown category {text!r}; allowed: {allowed}")
        elif name in LATER:
            self.wrong("Category", f"{name} is not available in this release")
            return None
        elif name != EXTENSION and extension_types.SUB_CATEGORY in self.options:
            self.wrong(extension_types.SUB_CATEGORY, f"only with Category={EXTENSION}")
        return name

    def subject(self, types: frozenset[str], category: str | None) -> str | None:
        text = self.required("Subject")
        if text is None:
            return None
        name = _SUBJECT_NAMES.get(text.strip().lower())
        if name is None or name in SUBJECTS_LATER:
            allowed = ", ".join(SUBJECTS)
            what = "is not available in this release" if name else "is no subject"
            self.wrong("Subject", f"{text!r} {what}; allowed: {allowed}")
            return None
        misfits = types - SUBJECTS[name]
        if misfits:
            self.wrong(
                "Subject",
                f"{name} cannot be asked of {', '.join(sorted(misfits))}; "
                f"allowed: {', '.join(sorted(SUBJECTS[name]))}",
            )
        needs = _NEEDS[CATEGORIES[category].of] if category is not None else None
        if needs is not None and name not in needs.subjects:
            self.wrong("Subject", f"{category} needs {needs.what}: {', '.join(needs.subjects)}")
        return name

    def mask(self, key: str, required: bool) -> int | None:
        text = self.required(key) if required else self.options.get(key)
        if text is None:
            return None
        try:
            return parse_mask(text)[0]
        except ValueError as exc:
            self.wrong(key, f"{exc}; see the list of actions")
            return None


def parse_stat_type(name: str, options: Mapping[str, str]) -> StatType:
    """The stat type that the options of one section describe.

    Raises:
        DefinitionError: With every mistake in it.
    """
    reader = _Reader(options)
    types = reader.objects()
    category = reader.category()
    if category == EXTENSION:
        return extension_types.read(name, types, reader.options, reader.mistakes)
    subject = reader.subject(types, category)
    main_mask = reader.mask("MainMask", True)
    row = CATEGORIES.get(category or "")
    if row is not None and row.masks is not None and main_mask == 0:
        reader.wrong("MainMask", f"{row.name} needs one that is not empty")
    rel_mask = reader.mask("RelMask", row is not None and row.rel_mask == REQUIRED)
    if row is not None and row.objects is not None and not types <= row.objects:
        reader.wrong("Objects", f"{row.name} allows only {', '.join(sorted(row.objects))}")
    if reader.mistakes:
        raise DefinitionError(reader.mistakes)
    assert category is not None
    assert subject is not None
    assert main_mask is not None
    return StatType(
        name=name,
        objects=types,
        category=category,
        subject=subject,
        main_mask=main_mask,
        rel_mask=rel_mask,
        description=reader.options.get("Description", ""),
        text=dict(reader.options),
    )
