"""Reading a stat type: the options of one configuration section, in the vendor's words.

Option keywords and enumerated values are matched whatever their case; an unknown
option is reported and passed over, a wrong value makes the stat type unusable.
All mistakes are found at once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from functools import reduce
from operator import or_
from typing import NamedTuple, TypeVar

from ...expressions.custom_values import parse_custom_value
from ...expressions.formulas import Formula, parse_formula
from ...expressions.keys import parse_key
from ..categories import CATEGORIES, EXTENSION, REQUIRED, Category, canonical_category, why_refused
from . import DefinitionError, StatType, extension_types, object_types
from .masks import names_in, parse_mask
from .restrictions import VOICE, Attribute

T = TypeVar("T")

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
    "Formula",
    "Expression",
    "GroupBy",
)

# Subject to the object types it can be asked of (statistics.md §3). AgentStatus of a place
# is read as PlaceStatus and the other way round (our decision: the documented example asks so).
SUBJECTS: dict[str, frozenset[str]] = {
    "DNAction": object_types.REGULAR | object_types.MEDIATION | object_types.INTERACTION,
    "DNStatus": object_types.PEOPLE | frozenset({"RegDN", "Queue", "RoutePoint"}),
    "AgentStatus": object_types.PEOPLE | frozenset({"Tenant"}),
    "PlaceStatus": object_types.PEOPLE,
    "GroupStatus": frozenset({"GroupAgents", "GroupPlaces"}),
    "CampaignAction": object_types.CAMPAIGN,
}
# What nobody tells us of: it may be defined, as in a site's old configuration, and cannot be asked.
UNFED = {
    "CampaignAction": "it is told by an Outbound Contact Server, and there is no feed from one",
}


class _Needs(NamedTuple):
    what: str
    subjects: tuple[str, ...]


# What a category can be computed of, by Category.of.
_NEEDS = {
    "both": None,
    "action": _Needs("actions", ("DNAction", "CampaignAction")),
    "status": _Needs("a status", tuple(name for name in SUBJECTS if not name.endswith("Action"))),
}
_SUBJECT_NAMES = {name.lower(): name for name in SUBJECTS} | {"action": "DNAction"}
_YES_OR_NO = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
# Options about which it makes no difference to what is counted what they say.
REMARKS = frozenset({"AggregationType", "Description", "UseSourceTimeStamps"})
ATTRIBUTE_VALUES_MAX = 100  # of one business attribute in one stat type (our decision)
KNOWN_OPTIONS = {name.lower(): name for name in OPTIONS} | {
    alias.lower(): extension_types.SUB_CATEGORY for alias in extension_types.SPELLINGS
}


def unknown_options(
    options: Mapping[str, str], business_attributes: Collection[str] = ()
) -> list[str]:
    """What is passed over in a stat type that can be used all the same, in words."""
    known = _known_options(business_attributes)
    allowed = ", ".join((*OPTIONS, *business_attributes))
    said = []
    last = {known.get(key.lower(), key): key for key in options}
    for key in options:
        name = known.get(key.lower())
        if name is None:
            said.append(f"{key}: no such option; passed over (allowed: {allowed})")
        elif last[name] != key:
            said.append(f"{key}: passed over, because {last[name]} is the same option")
    given = _options(options, business_attributes)
    said += extension_types.unused_options(given)
    media_type = str(given.get("MediaType", "")).strip().lower()
    if media_type not in ("", VOICE) and str(given.get("Subject", "")).strip().endswith("Status"):
        said.append(f"MediaType: statuses are those of {VOICE}, so this counts nothing")
    for key in ("MainMask", "RelMask"):
        text = given.get(key)
        if text is not None:
            try:
                said += [f"{key}: {warning}" for warning in parse_mask(str(text))[1]]
                said += _overruled(key, str(given.get("Category", "")), str(text))
            except ValueError:
                continue  # a mistake, and reported as one
    if isinstance(given.get("Expression"), str):
        with suppress(ValueError):  # a mistake, and reported as one
            said += [f"Expression: {w}" for w in _parse_formula(given["Expression"]).warnings]
    return said


def _overruled(key: str, category: str, text: str) -> list[str]:
    """A compound category counts what it does, whatever the mask says (statistics.md §5.5)."""
    row = CATEGORIES.get(canonical_category(category) or "")
    if row is None or row.masks is None:
        return []
    counted = row.masks.main if key == "MainMask" else row.masks.rel
    if counted is None:
        return [f"{key}: {row.name} looks at none"]
    if parse_mask(text)[0] == counted:
        return []
    return [f"{key}: {row.name} counts {', '.join(names_in(counted))} whatever is written here"]


def _known_options(business_attributes: Collection[str]) -> dict[str, str]:
    """The canonical names of options, by what they are in lower case; ours come first."""
    return {name.lower(): name for name in business_attributes} | KNOWN_OPTIONS


def _options(
    options: Mapping[str, str], business_attributes: Collection[str] = ()
) -> dict[str, str]:
    """The options by their canonical names; of two spellings the last one wins."""
    known = _known_options(business_attributes)
    return {known.get(key.lower(), key): value for key, value in options.items()}


def counted_text(stat_type: StatType) -> dict[str, str]:
    """The options of a stat type that have to do with what it counts, as they were written."""
    relevant = {*KNOWN_OPTIONS.values(), *(each.name for each in stat_type.attributes)} - REMARKS
    return {key: value for key, value in stat_type.text.items() if key in relevant}


class _Reader:
    """Collects mistakes while reading the options of one stat type."""

    def __init__(self, options: Mapping[str, str], business_attributes: Collection[str]) -> None:
        self.options = _options(options, business_attributes)
        self.mistakes: list[tuple[str, str]] = []
        for key, value in self.options.items():
            if not isinstance(value, str):
                self.wrong(key, f"must be a string, not {value!r}")
                self.options[key] = ""

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
            why = why_refused(text)
            what = f"{text.strip()} is no category of ours: {why}" if why else ""
            self.wrong("Category", what or f"unknown category {text!r}; allowed: {allowed}")
        elif name != EXTENSION and extension_types.SUB_CATEGORY in self.options:
            self.wrong(extension_types.SUB_CATEGORY, f"only with Category={EXTENSION}")
        return name

    def subject(self, types: frozenset[str], category: str | None) -> str | None:
        text = self.required("Subject")
        if text is None:
            return None
        name = _SUBJECT_NAMES.get(text.strip().lower())
        if name is None:
            self.wrong("Subject", f"{text!r} is no subject; allowed: {', '.join(SUBJECTS)}")
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

    def expression(self, key: str, parse: Callable[[str], T]) -> T | None:
        """An option in a language of its own."""
        text = self.options.get(key)
        if text is None:
            return None
        try:
            return parse(text)
        except ValueError as exc:
            self.wrong(key, str(exc))
            return None

    def mask(self, key: str, required: bool) -> int | None:
        text = self.required(key) if required else self.options.get(key)
        if text is None:
            return None
        try:
            return parse_mask(text)[0]
        except ValueError as exc:
            self.wrong(key, f"{exc}; see the list of actions")
            return None

    def truth(self, key: str, default: bool) -> bool:
        text = self.options.get(key)
        found = default if text is None else _YES_OR_NO.get(text.strip().lower())
        if found is None:
            self.wrong(key, f"must be yes or no, not {text!r}")
        return bool(found)

    def attributes(self, names: Collection[str]) -> tuple[Attribute, ...]:
        """The business attributes that are given, each with its values."""
        found = []
        for name in names:
            text = self.options.get(name)
            if text is None or name.lower() in KNOWN_OPTIONS:
                continue
            values = tuple(dict.fromkeys(v.strip() for v in text.split(",") if v.strip()))
            if not values or len(values) > ATTRIBUTE_VALUES_MAX:
                what = f"must list 1 to {ATTRIBUTE_VALUES_MAX} values, separated by commas"
                self.wrong(name, f"{what}, not {text[:80]!r}")
            found.append(Attribute(name, values))
        return tuple(found)


class _Languages:
    """What the options Formula, Expression and GroupBy say, and whether they may."""

    def __init__(self, reader: _Reader, row: Category | None, subject: str | None) -> None:
        self._reader = reader
        custom = reader.expression("Formula", parse_custom_value)
        self.by_call = custom is not None and custom.by_conn_id
        self.custom_value = custom if custom is not None and custom.value is not None else None
        self.formula = reader.expression("Expression", _parse_formula)
        self.group_by = reader.expression("GroupBy", parse_key)
        if row is not None:
            self._check(row)
        if subject not in (None, "DNAction"):
            for key in ("Formula", "GroupBy"):
                if key in reader.options:
                    reader.wrong(key, "needs the subject DNAction: a status has no call of its own")

    def _check(self, row: Category) -> None:
        reader, given = self._reader, self._reader.options
        if row.book == "custom" and "Formula" not in given:
            reader.wrong("Formula", f"required by {row.name}, but missing")
        elif row.book == "custom" and self.by_call and self.custom_value is None:
            reader.wrong("Formula", f"{row.name} needs more than DistByConnID: what to compute")
        elif row.book != "custom" and self.custom_value is not None:
            what = "is for the custom-value categories, but for DistByConnID"
            reader.wrong("Formula", f"{what}; a Category = Formula has an Expression")
        if row.book == "formula" and "Expression" not in given:
            reader.wrong("Expression", f"required by {row.name}, but missing")
        elif row.book != "formula" and "Expression" in given:
            reader.wrong("Expression", "is for the category Formula only")
        if row.book == "formula" and self.by_call:
            reader.wrong("Formula", "DistByConnID is not for the category Formula; use DCOUNT")
        if self.group_by is not None and not row.is_historical:
            reader.wrong("GroupBy", f"{row.name} cannot be counted with GroupBy")


def _parse_formula(text: str) -> Formula:
    return parse_formula(text, lambda mask: parse_mask(mask, in_formula=True))


def parse_stat_type(
    name: str, options: Mapping[str, str], business_attributes: Collection[str] = ()
) -> StatType:
    """The stat type that the options of one section describe.

    Args:
        business_attributes: Those that the site knows; an option of such a name restricts
            what is counted.

    Raises:
        DefinitionError: With every mistake in it.
    """
    reader = _Reader(options, business_attributes)
    types = reader.objects()
    category = reader.category()
    if category == EXTENSION:
        return extension_types.read(name, types, reader.options, reader.mistakes)
    subject = reader.subject(types, category)
    row = CATEGORIES.get(category or "")
    languages = _Languages(reader, row, subject)
    formula = languages.formula
    main_mask = reader.mask("MainMask", row is None or row.book != "formula")
    if formula is not None:
        main_mask = reduce(or_, (each.mask for each in formula.aggregates), 0)
    if row is not None and row.masks is not None and main_mask == 0:
        reader.wrong("MainMask", f"{row.name} needs one that is not empty")
    rel_mask = reader.mask("RelMask", row is not None and row.rel_mask == REQUIRED)
    if row is not None and row.objects is not None and not types <= row.objects:
        reader.wrong("Objects", f"{row.name} allows only {', '.join(sorted(row.objects))}")
    attributes = reader.attributes(business_attributes)
    source_times = reader.truth("UseSourceTimeStamps", True)
    reason_start = reader.truth("ReasonStartOverridesStatusStart", False)
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
        by_call=languages.by_call,
        custom_value=languages.custom_value,
        formula=formula,
        group_by=languages.group_by,
        description=reader.options.get("Description", ""),
        text=dict(reader.options),
        media_type=reader.options.get("MediaType", "").strip().lower(),
        attributes=attributes,
        aggregation_type=reader.options.get("AggregationType", ""),
        use_source_time_stamps=source_times,
        reason_start_overrides_status_start=reason_start,
    )
