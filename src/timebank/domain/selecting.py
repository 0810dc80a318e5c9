"""Lotteries and panels: a list is fixed first, then lots are drawn that anybody can draw again.

A list is fixed by a run, numbered by lots, and its digest is made known in the signed log before
anything is drawn. Each lot stands for a person by a commitment that only the person can open. The
seed of a lottery is the root of the first checkpoint that is signed at or after a moment that the
list itself names: it covers what others record until then, and nobody chooses it. The place of a
lot is the order of SHA-256 over seed, digest and lot.
Source: the transparency log of this product; SHA-256, FIPS 180-4.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

LIST_DAYS = 3
"""How many whole days a list hangs out before it is drawn from: who is missing can say so. Ours."""

PANEL_MIN = 3
"""The smallest panel: two can only agree or block each other."""

PANEL_MAX = 15
"""The largest: beyond, nobody reads what all are asked to read."""

VOTES_MIN = 2
"""Nobody is chosen by one person's word, whoever else has to stand aside."""

VOTING_DAYS_MAX = 60
"""The longest time for votes."""

NOTE_LENGTH_MAX = 300
"""The longest note to a vote."""


class Mode(StrEnum):
    """How it is decided who of a list is given something."""

    LOTTERY = "lottery"
    PANEL = "panel"


class Choice(StrEnum):
    """What a member of a panel says about one lot."""

    FOR = "for"
    AGAINST = "against"
    ASIDE = "aside"
    """The member stands aside: they are related, or close in another way."""


class Tie(StrEnum):
    """Why a member may not vote on somebody."""

    SELF = "self"
    HELPER = "helper"
    """One of them acts for the other with consent: family, mostly."""
    ORGANIZATION = "organization"
    """The volunteer served for an organization that the member runs."""
    DECLARED = "declared"
    """The member said so."""


class SelectionRefusal(StrEnum):
    """Why nothing was drawn, convened or voted, in order of precedence."""

    DECIDED = "selection.decided"
    NOT_PANEL = "selection.not_panel"
    CONVENED = "selection.convened"
    PANEL_SIZE = "selection.panel_size"
    NOT_OFFICIAL = "selection.not_official"
    DEADLINE = "selection.deadline"
    NOT_CONVENED = "selection.not_convened"
    NOT_MEMBER = "selection.not_member"
    VOTING_OVER = "selection.voting_over"
    NO_LOT = "selection.no_lot"
    TIED = "selection.tied"
    NOTE_LENGTH = "selection.note_length"
    NO_VOTES = "selection.no_votes"
    TOO_EARLY = "selection.too_early"
    NO_CHECKPOINT = "selection.no_checkpoint"
    VOTING_RUNS = "selection.voting_runs"


@dataclass(frozen=True, slots=True)
class SelectionRefused:
    """Nothing is written."""

    reason: SelectionRefusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """One person on a list.

    Attributes:
        division: In which so many are given; 0 where it is so many in all.
        secret: Opens the commitment, with the volunteer's number; theirs to keep.
        reasons: Why they are on it: one per leaf of the rule, JSON.
    """

    number: int
    volunteer: int
    division: int
    secret: str
    commitment: str
    reasons: str = "[]"


def commitment_of(secret: str, *, book: int, volunteer: int) -> str:
    """Return what stands for a person on a published list: SHA-256 over `secret/book/volunteer`."""
    return hashlib.sha256(f"{secret}/{book}/{volunteer}".encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """A list that a run fixed.

    Attributes:
        run: The run that found everybody on it eligible.
        as_of: Entries 1 to `as_of` were known to it.
        decided_on: The local day whose rules and facts counted.
        root: Of the book at that entry, hexadecimal: it orders what else is equal.
        places: How many are given in each division; under 0 for all together.
        ready_at: A lottery: from when on a checkpoint may be its seed; None for a panel.
        listed_by: None for the operator's command line.
    """

    book: int
    id: int
    mode: Mode
    pack: str
    pack_hash: str
    rule: str
    period: str
    run: int
    as_of: int
    decided_on: date
    root: str
    places: Mapping[int, int]
    ready_at: datetime | None
    digest: str
    listed_at: datetime
    listed_by: UUID | None

    @property
    def key(self) -> tuple[str, str, str]:
        """Return what it decides: of one rule and period there is one list."""
        return self.pack, self.rule, self.period


def list_document(selection: Selection, lots: Sequence[Lot]) -> dict[str, Any]:
    """Return a list as it is published: everything that a draw is made of, and no person."""
    return {
        "book": selection.book,
        "number": selection.id,
        "mode": selection.mode.value,
        "pack": selection.pack,
        "pack_hash": selection.pack_hash,
        "rule": selection.rule,
        "period": selection.period,
        "decided_on": selection.decided_on.isoformat(),
        "as_of": selection.as_of,
        "places": {str(division): count for division, count in sorted(selection.places.items())},
        "ready_at": None if selection.ready_at is None else selection.ready_at.isoformat(),
        "lots": [[each.number, each.division, each.commitment] for each in lots],
    }


def digest_of(document: Mapping[str, Any]) -> str:
    """Return SHA-256 over a list: JSON with sorted keys and no spaces, UTF-8; hexadecimal."""
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def draw_key(seed: str, digest: str, lot: int) -> bytes:
    """Return what orders the lots: SHA-256 over `seed/digest/lot` in UTF-8."""
    return hashlib.sha256(f"{seed}/{digest}/{lot}".encode()).digest()


def draw_order(seed: str, digest: str, lots: Iterable[int]) -> list[int]:
    """Return lots in the order in which they are drawn."""
    return sorted(lots, key=lambda lot: draw_key(seed, digest, lot))


class Outcome(StrEnum):
    """What became of one lot."""

    CHOSEN = "chosen"
    NOT_CHOSEN = "not_chosen"
    PASSED_OVER = "passed_over"
    """Drawn, or voted for, and given nothing: they have it already, or something that excludes it,
    or left; who comes next takes the place."""
    NOTHING_LEFT = "nothing_left"
    """Drawn, or voted for, but the pool held nothing more, or a limit of all was reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LotResult:
    """What became of one lot.

    Attributes:
        place: In the order of its division, from 1; 0 where a panel did not vote for it.
        entitled: Members of the panel who could vote on it; 0 in a lottery.
    """

    lot: int
    place: int
    outcome: Outcome
    votes_for: int = 0
    votes_against: int = 0
    entitled: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Who decides, and until when.

    Attributes:
        ties: Why a member may not vote on a lot, by member and lot, as it was when they met.
    """

    members: tuple[UUID, ...]
    closes_at: datetime
    convened_at: datetime
    convened_by: UUID
    ties: Mapping[tuple[UUID, int], Tie]


class Vote(NamedTuple):
    """What a member said about a lot; of several the newest holds."""

    member: UUID
    lot: int
    choice: Choice
    note: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Tally:
    """How a panel stands to one lot.

    Attributes:
        entitled: Members who may vote on it and did not stand aside.
    """

    votes_for: int
    votes_against: int
    entitled: int

    @property
    def is_chosen(self) -> bool:
        """Return whether more than half of those who may vote said yes, and at least two."""
        return self.votes_for >= VOTES_MIN and 2 * self.votes_for > self.entitled


def ready_on(listed_on: date) -> date:
    """Return the day from whose first moment on a list may be drawn from."""
    return listed_on + timedelta(days=LIST_DAYS + 1)


def decide_panel(
    *,
    mode: Mode,
    is_decided: bool,
    panel: Panel | None,
    members: Collection[UUID],
    officials: Collection[UUID],
    closes_on: date,
    today: date,
) -> SelectionRefusal | None:
    """Return why a panel cannot be convened, or None."""
    if is_decided:
        return SelectionRefusal.DECIDED
    if mode is not Mode.PANEL:
        return SelectionRefusal.NOT_PANEL
    if panel is not None:
        return SelectionRefusal.CONVENED
    if not PANEL_MIN <= len(members) <= PANEL_MAX or len(members) % 2 == 0:
        return SelectionRefusal.PANEL_SIZE
    if not set(members) <= set(officials):
        return SelectionRefusal.NOT_OFFICIAL
    if not 0 < (closes_on - today).days <= VOTING_DAYS_MAX:
        return SelectionRefusal.DEADLINE
    return None


def decide_vote(
    *,
    is_decided: bool,
    panel: Panel | None,
    member: UUID,
    lots: Collection[int],
    votes: Mapping[int, tuple[Choice, str]],
    now: datetime,
) -> SelectionRefusal | None:
    """Return why votes do not count, or None. Standing aside is open to everybody.

    All of them count or none does: half a ballot is not what the member meant.
    """
    if is_decided:
        return SelectionRefusal.DECIDED
    if panel is None:
        return SelectionRefusal.NOT_CONVENED
    if member not in panel.members:
        return SelectionRefusal.NOT_MEMBER
    if now >= panel.closes_at:
        return SelectionRefusal.VOTING_OVER
    if not set(votes) <= set(lots):
        return SelectionRefusal.NO_LOT
    for lot, (choice, note) in votes.items():
        if (member, lot) in panel.ties and choice is not Choice.ASIDE:
            return SelectionRefusal.TIED
        if len(note) > NOTE_LENGTH_MAX:
            return SelectionRefusal.NOTE_LENGTH
    if not votes:
        return SelectionRefusal.NO_VOTES
    return None


def newest_votes(votes: Iterable[Vote]) -> dict[tuple[UUID, int], Vote]:
    """Return what holds, of votes in the order in which they were cast."""
    return {(vote.member, vote.lot): vote for vote in votes}


def tally(panel: Panel, votes: Iterable[Vote], lots: Iterable[int]) -> dict[int, Tally]:
    """Count the votes on each lot. A tie bars a vote, also one that was cast all the same."""
    held = newest_votes(votes)
    counted = {}
    for lot in lots:
        said = [
            None if (vote := held.get((member, lot))) is None else vote.choice
            for member in panel.members
            if (member, lot) not in panel.ties
        ]
        counted[lot] = Tally(
            votes_for=said.count(Choice.FOR),
            votes_against=said.count(Choice.AGAINST),
            entitled=len(said) - said.count(Choice.ASIDE),
        )
    return counted


def is_complete(panel: Panel, votes: Iterable[Vote], lots: Collection[int]) -> bool:
    """Return whether every member has said something about every lot that they may vote on."""
    held = newest_votes(votes)
    return all(
        (member, lot) in held
        for member in panel.members
        for lot in lots
        if (member, lot) not in panel.ties
    )


def panel_order(tallies: Mapping[int, Tally]) -> list[int]:
    """Return the lots that a panel voted for: most votes first, then fewest against, then by lot.

    The lots of a panel's list are in the order of its rule's ranking.
    """
    return sorted(
        (lot for lot, each in tallies.items() if each.is_chosen),
        key=lambda lot: (-tallies[lot].votes_for, tallies[lot].votes_against, lot),
    )


def places_of(order: Iterable[int], divisions: Mapping[int, int]) -> dict[int, int]:
    """Return the place of each lot within its division, from 1."""
    count: dict[int, int] = defaultdict(int)
    found = {}
    for lot in order:
        count[divisions[lot]] += 1
        found[lot] = count[divisions[lot]]
    return found


def check_draw(document: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with a published draw, in plain words; empty where it holds.

    Needs nothing but the document: the list, its digest, the seed and the results.

    Raises:
        KeyError, TypeError, ValueError: It is no such document.
    """
    wrong = []
    fixed = document["list"]
    digest = digest_of(fixed)
    if digest != document["digest"]:
        wrong.append("the list is not the one whose digest was made known")
    results = document["results"]
    if results is None:
        return wrong
    if fixed["mode"] != Mode.LOTTERY:
        return wrong
    if document["seed"]["size"] <= fixed["as_of"]:
        wrong.append("the seed was there before the list was fixed")
    divisions = {lot: division for lot, division, _commitment in fixed["lots"]}
    order = draw_order(document["seed"]["root"], digest, divisions)
    places = places_of(order, divisions)
    told = {each["lot"]: each for each in results}
    if set(told) != set(divisions):
        wrong.append("the results are not of the lots of the list")
        return wrong
    given: dict[int, int] = defaultdict(int)
    for lot in order:
        each = told[lot]
        if each["place"] != places[lot]:
            wrong.append(f"lot {lot} comes out at place {places[lot]}, not {each['place']}")
        if each["outcome"] == Outcome.PASSED_OVER:
            continue
        is_due = given[divisions[lot]] < fixed["places"][str(divisions[lot])]
        given[divisions[lot]] += is_due
        if is_due == (each["outcome"] == Outcome.NOT_CHOSEN):
            wrong.append(f"lot {lot} is {each['outcome']}, and should not be")
    return wrong
