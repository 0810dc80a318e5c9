"""Writing a county's own rules: saved by hash, tried, submitted with a citation, enacted by two."""

import hashlib
import json
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import Database
from timebank.domain.draft import (
    CITATION_LENGTH_MAX,
    DraftAct,
    DraftRefusal,
    DraftRefused,
    decide_enactment,
)
from timebank.domain.writing import cleaned_paragraphs
from timebank.policy.authoring import look_through
from timebank.policy.boundary import Boundary, boundaries
from timebank.policy.check import is_noticed, mutants, run_cases, unseen_outcomes, with_terms
from timebank.policy.example import example_for
from timebank.policy.pack import read_pack_files
from timebank.policy.problem import PackRefused
from timebank.policy.rewriting import add_value
from timebank.policy.rule import Pack, Status
from timebank.policy.scenario import run_scenarios
from timebank.services.errors import NotFoundError
from timebank.services.granting import shipped_packs
from timebank.store import audit_events, pack_drafts
from timebank.store.pack_drafts import Draft


def digest_of(files: Mapping[str, str]) -> str:
    """Return what a state is known by: SHA-256 of its files."""
    return hashlib.sha256(_content(files)).hexdigest()


async def save_draft(
    db: Database,
    *,
    book: int,
    files: Mapping[str, str],
    follows: str | None,
    person: UUID,
    now: datetime,
) -> str:
    """Keep a state of a pack, whole or not; return its digest. The same files are one state."""
    looked = look_through(files)
    pack = looked.pack
    digest = digest_of(files)
    async with db.write() as conn:
        await pack_drafts.insert_draft(
            conn,
            book=book,
            digest=digest,
            pack_id="" if pack is None else pack.id,
            title="" if pack is None else pack.title.zh,
            files=_content(files),
            follows=None if follows == digest else follows,
            person=person,
            now=now,
        )
    return digest


async def submit_draft(
    db: Database, *, book: int, digest: str, citation: str, person: UUID, now: datetime
) -> DraftRefused | None:
    """Hand a draft to a second person; it must be whole, keep its cases, and name its grounds.

    Raises:
        NotFoundError: There is no such draft.
    """
    grounds = cleaned_paragraphs(citation)
    async with db.read() as conn:
        draft = await find_draft(conn, book=book, digest=digest)
    if draft.acts.keys() & {DraftAct.ENACTED, DraftAct.SENT_BACK}:
        return DraftRefused(DraftRefusal.ALREADY_DECIDED)
    if refusal := readiness(draft.files):
        return DraftRefused(refusal)
    if not 0 < len(grounds) <= CITATION_LENGTH_MAX:
        return DraftRefused(DraftRefusal.NO_CITATION)
    async with db.write() as conn:
        await pack_drafts.insert_act(
            conn,
            book=book,
            digest=digest,
            act=DraftAct.SUBMITTED,
            person=person,
            citation=grounds,
            now=now,
        )
    return None


async def decide_draft(
    db: Database,
    *,
    book: int,
    digest: str,
    act: DraftAct,
    citation: str,
    person: UUID,
    now: datetime,
) -> DraftRefused | None:
    """Enact a submitted draft, never by who submitted it; or send or take it back with a reason.

    Raises:
        NotFoundError: There is no such draft.
    """
    async with db.write() as conn:
        draft = await find_draft(conn, book=book, digest=digest)
        submitted = draft.acts.get(DraftAct.SUBMITTED)
        refusal = decide_enactment(
            act=act,
            acts=frozenset(draft.acts),
            submitted_by=None if submitted is None else submitted.person,
            person=person,
        )
        grounds = cleaned_paragraphs(citation) or ("" if submitted is None else submitted.citation)
        if refusal is None and not 0 < len(grounds) <= CITATION_LENGTH_MAX:
            refusal = DraftRefusal.NO_CITATION
        if refusal is None and act is DraftAct.ENACTED:
            refusal = readiness(draft.files)
        if refusal is not None:
            return DraftRefused(refusal)
        is_done = await pack_drafts.insert_act(
            conn, book=book, digest=digest, act=act, person=person, citation=grounds, now=now
        )
        if is_done:
            await audit_events.insert_audit_events(
                conn,
                at=now,
                person=person,
                act=f"pack_{act.value}",
                subjects=[f"packs/{book}/{digest[:16]}"],
            )
    return None


async def find_draft(conn: AsyncConnection, *, book: int, digest: str) -> Draft:
    """Return a saved state.

    Raises:
        NotFoundError: There is none.
    """
    found = await pack_drafts.list_drafts(conn, book=book, digest=digest)
    if not found:
        raise NotFoundError
    return found[0]


async def packs_in_force(conn: AsyncConnection, *, book: int) -> tuple[Pack, ...]:
    """Return the enacted packs of a county, by id: what it enacted itself before what ships."""
    found = {pack.id: pack for pack in shipped_packs()}
    for content in await pack_drafts.list_enacted(conn, book=book):
        pack = _enacted_pack(content)
        found[pack.id] = pack
    return tuple(found[pack_id] for pack_id in sorted(found))


def readiness(files: Mapping[str, str]) -> DraftRefusal | None:
    """Return what keeps a draft from being enacted; None when nothing does."""
    pack = look_through(files).pack
    if pack is None:
        return DraftRefusal.NOT_WHOLE
    if run_cases(pack) or run_scenarios(pack):
        return DraftRefusal.CASES_FAIL
    if unseen_outcomes(pack):
        return DraftRefusal.UNTRIED
    return None


@lru_cache(maxsize=64)
def _enacted_pack(content: bytes) -> Pack:
    found = read_pack_files({name: text.encode() for name, text in json.loads(content).items()})
    if isinstance(found, PackRefused):
        raise ValueError(f"an enacted pack is refused: {found.problems[0]}")
    return replace(found, status=Status.ENACTED)


def _content(files: Mapping[str, str]) -> bytes:
    return json.dumps(dict(files), ensure_ascii=False, sort_keys=True).encode()


@dataclass(frozen=True, slots=True)
class Strength:
    """How much of a pack its examples would notice if it were written wrongly.

    Attributes:
        changes: Small changes that can be made: a number by one, a day, an operator, a condition.
        tried: How many were tried in the time there was.
        survivors: Those that no example notices, in the words of `policy.check.mutants`.
        numbers: Numbers and days tried at one less, at them and at one more.
        idle: Those of them at which nothing changes for anybody.
    """

    changes: int
    tried: int
    survivors: tuple[str, ...]
    numbers: int
    idle: tuple[Boundary, ...]

    @property
    def percent(self) -> int:
        """Return how many of a hundred changes tried are noticed; 100 for all of them only."""
        return (self.tried - len(self.survivors)) * 100 // self.tried if self.tried else 100

    @property
    def is_whole(self) -> bool:
        """Return whether every change was tried and noticed."""
        return self.tried == self.changes and not self.survivors


@lru_cache(maxsize=64)
def _examined(content: bytes, seconds: float) -> Strength | None:
    files = json.loads(content)
    pack = look_through(files).pack
    if pack is None or run_cases(pack) or run_scenarios(pack):
        return None
    stops_at = time.monotonic() + seconds
    found = list(mutants(with_terms(pack)))
    tried = 0
    survivors: list[str] = []
    for words, mutant, touched in found:
        if time.monotonic() > stops_at:
            break
        tried += 1
        if not is_noticed(mutant, touched):
            survivors.append(words)
    edges = boundaries(pack) if time.monotonic() < stops_at else ()
    return Strength(
        changes=len(found),
        tried=tried,
        survivors=tuple(dict.fromkeys(survivors)),
        numbers=len(edges),
        idle=tuple(each for each in edges if not each.decides),
    )


def examine(files: Mapping[str, str], *, seconds: float) -> Strength | None:
    """Return what a draft's examples would notice; None while it is not whole or not kept.

    Cost: at most about `seconds`, once for each state.
    """
    return _examined(_content(files), seconds)


def with_examples(
    files: Mapping[str, str], changes: Collection[str], *, name: Callable[[str], str]
) -> dict[str, str]:
    """Return a draft's files with an example for each of some changes that none notices yet.

    `name` says what an example is called, given the change in the words of `mutants`. A change for
    which no example is found is passed over.
    """
    grown = dict(files)
    pack = look_through(grown).pack
    if pack is None:
        return grown
    for words, mutant, touched in mutants(with_terms(pack)):
        now = look_through(grown).pack
        if words not in changes or now is None:
            continue
        if is_noticed(replace(mutant, cases=now.cases, scenarios=now.scenarios), touched):
            continue
        number = sum(1 for each in grown if each.startswith("scenarios/example-")) // 2 + 1
        found = example_for(with_terms(pack), mutant, touched, name=f"example-{number}")
        if found is None:
            continue
        text = grown.get("cases.toml", "")
        table = {"name": name(words), **found.table}
        tried = {**grown, **found.sheets, "cases.toml": add_value(text, [found.kind], table)}
        if look_through(tried).pack is not None:
            grown = tried
    return grown
