"""The district office's pages: the active rate and where it comes from, policies and their runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from timebank.web.parts import Choice, EvidenceShares, Link


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionRow:
    """One region below the one shown.

    Attributes:
        url: Its own page; empty when there is nothing below.
        rank: Among the rows whose rate is known; empty otherwise.
        rate: Per ten thousand, such as `1,576`; empty when residents are not known.
        scanned_width: Percent of the longest bar, whole; the three together draw the rate, split
            by how the hours are evidenced.
        hours: In words.
    """

    name: str
    url: str
    rank: str
    residents: str
    registered: str
    active: str
    rate: str
    rate_percent: str
    hours: str
    shares: EvidenceShares
    scanned_width: int
    confirmed_width: int
    declared_width: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionTile:
    """One region on the tile map.

    Attributes:
        column: From 0 at the west.
        row: From 0 at the north.
        step: The colour step, 1 to 5; 0 when the rate is not known.
        label: At most six hanzi, printed in the tile.
    """

    label: str
    column: int
    row: int
    step: int
    rate: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TileStep:
    """One colour of the legend with the rates it stands for."""

    step: int
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OverviewPage:
    """What `district/overview.html` shows.

    Attributes:
        crumbs: From the actor's own region down to this one; the last is current.
        rate: Per ten thousand, such as `1,576`; empty when residents are not known.
        definition: The whole definition as one sentence.
        definition_name: Its name and first day, such as `活跃率定义 · 2024-01-01 起`.
        residents_source: Where the population comes from, with its date.
        as_of: The last entry that was counted, such as `3,700,412`.
        trend: Against the year before, in words; empty when that is not known.
        trend_direction: Which way.
        level: What the rows are, such as `镇(街道)`.
        tiles: Empty below the town.
        columns: How wide the tile map is.
        unplaced: People whose home is not known, in words; empty for none.
    """

    region: str
    crumbs: Sequence[Link]
    year: str
    years: Sequence[Link]
    rate: str
    rate_percent: str
    active: str
    registered: str
    residents: str
    residents_source: str
    definition: str
    definition_name: str
    as_of: str
    trend: str
    trend_direction: Literal["up", "down", "level", ""]
    hours: str
    services: str
    shares: EvidenceShares
    level: str
    rows: Sequence[RegionRow]
    tiles: Sequence[RegionTile]
    columns: int
    tile_rows: int
    legend: Sequence[TileStep]
    unplaced: str
    csv_url: str
    xlsx_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyLine:
    """One rule in the list."""

    title: str
    dimension: str
    sentence: str
    valid: str
    granted: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyPack:
    """The rules of one rule-maker.

    Attributes:
        digest: The first characters of the pack's hash.
    """

    title: str
    issuer: str
    filing: str
    digest: str
    rules: Sequence[PolicyLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class PoliciesPage:
    """What `district/policies.html` shows."""

    region: str
    packs: Sequence[PolicyPack]


@dataclass(frozen=True, slots=True, kw_only=True)
class SentencePiece:
    """A stretch of the rule's sentence.

    Attributes:
        since: For a dated number, from when it holds; empty makes the piece plain words.
    """

    text: str
    since: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterStep:
    """One dated number with its source."""

    name: str
    value: str
    since: str
    until: str
    citation: str
    is_current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyCase:
    """One example that the pack itself promises."""

    name: str
    on: str
    facts: str
    outcome: Literal["met", "unmet", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutcome:
    """What one run of the rule came to.

    Attributes:
        granted: New grants by this run.
        already: Met, and granted before: running twice grants once.
        unknown: A fact is missing; these are asked for, not refused.
    """

    ran: str
    period: str
    examined: str
    granted: str
    already: str
    unmet: str
    unknown: str
    as_of: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyPage:
    """What `district/policy.html` shows.

    Attributes:
        filing: The filing number and dates.
        run_url: Where `period` is posted; empty for somebody who may not run it.
        run: The run just made, first; then earlier ones.
    """

    title: str
    dimension: str
    pack: str
    policies_url: str
    sentence: Sequence[SentencePiece]
    legal_basis: str
    filing: str
    valid: str
    parameters: Sequence[ParameterStep]
    cases: Sequence[PolicyCase]
    run_url: str
    periods: Sequence[Choice]
    runs: Sequence[RunOutcome]
    error: str = ""
