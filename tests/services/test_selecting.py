"""Lists are fixed, then drawn by a seed that nobody chose or voted on; both lead to one life."""

import json
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from tests.factories import BOOK, World
from tests.ledger.test_log import LOG_KEY
from tests.services.test_benefits import (
    _PACK,
    COUNTY,
    NOW,
    officer,
    prove,
    run,
    serve,
    standings,
)

from timebank import cli
from timebank.db import Database
from timebank.domain.actor import Actor, OrganizationId, Role, VolunteerId
from timebank.domain.entitlement import State
from timebank.domain.selecting import (
    Choice,
    Mode,
    Outcome,
    Selection,
    SelectionRefusal,
    SelectionRefused,
    Tie,
    check_draw,
    commitment_of,
    draw_order,
)
from timebank.ledger import log, notices
from timebank.policy.pack import read_pack_files
from timebank.policy.rule import Pack
from timebank.services import agreeing, reconsidering, sealing, selecting
from timebank.services.errors import NotFoundError, NotPermittedError
from timebank.services.selecting import Convened, DecidedList, Voted
from timebank.store import selections
from timebank.trust.notice import NoticeKind


def with_selection(mode: Mode, *, winners: int) -> Pack:
    """Return a pack, as its file is read again later, that gives something to so many."""
    ranks = (
        'by = [{ fact = "minutes", window = "calendar_year", order = "most" }], ties = "order", '
        'shortlist_param = "shortlist_count"'
    )
    how = ranks if mode is Mode.PANEL else 'seed = "log"'
    text = _PACK.format(version="1", minutes=120).replace(
        'approve = { by = "county" }',
        f'approve = {{ by = "county", people = {2 if mode is Mode.PANEL else 1} }}\n'
        f'select = {{ mode = "{mode}", winners_param = "winners_count", {how} }}',
    )
    counts = {"winners_count": winners} | ({"shortlist_count": 4} if mode is Mode.PANEL else {})
    text += "".join(
        f'[[param.{name}]]\nfrom = 2024-01-01\nvalue = {count}\ncite = "n 1"\n'
        for name, count in counts.items()
    )
    pack = read_pack_files({"pack.toml": text.encode()})
    assert isinstance(pack, Pack), pack
    return pack


async def the_list(db: Database, number: int = 1) -> Selection:
    async with db.read() as conn:
        found = await selections.find_selection(conn, book=BOOK, number=number)
    assert found is not None
    return found


async def decide(db: Database, actor: Actor | None, *, days: float) -> DecidedList | object:
    outcome = await selecting.decide_list(
        db, actor=actor, book=BOOK, number=1, now=NOW + timedelta(days=days)
    )
    return outcome.reason if isinstance(outcome, SelectionRefused) else outcome


async def test_a_lottery_is_drawn_by_a_seed_from_after_the_list_and_anybody_can_draw_it_again(
    db: Database,
    world: World,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    people = await world.volunteers(7)
    await serve(db, world, people[:6])
    pack = with_selection(Mode.LOTTERY, winners=2)

    first = await run(db, pack)
    # Somebody who serves later is not on the list, and running again fixes no other one.
    await serve(db, world, people[6:], day=1)
    again = await run(db, pack)

    assert (first.rules[0].listed, first.rules[0].granted) == (6, 0)
    assert (again.rules[0].listed, again.rules[0].waiting) == (0, 7)
    listed = await the_list(db)
    async with db.read() as conn:
        lots = await selections.list_lots(conn, book=BOOK, number=1)
        (told,) = await notices.list_notices(conn, book=BOOK, kinds=[NoticeKind.LIST])
    assert (listed.mode, listed.places) == (Mode.LOTTERY, {0: 2})
    assert json.loads(told.body)["digest"] == listed.digest
    assert {each.volunteer for each in lots} == {each.id for each in people[:6]}
    assert all(
        each.commitment == commitment_of(each.secret, book=BOOK, volunteer=each.volunteer)
        for each in lots
    )

    # The list hangs out first; a checkpoint from before that time is no seed, however new.
    officer_of_county = officer()
    await sealing.sign_checkpoint(db, key=LOG_KEY, book=BOOK, now=NOW + timedelta(days=1))
    assert await decide(db, officer_of_county, days=1) is SelectionRefusal.TOO_EARLY
    assert await decide(db, officer_of_county, days=5) is SelectionRefusal.NO_CHECKPOINT
    with pytest.raises(NotFoundError):
        await decide(db, officer(330421 * 1_000_000), days=5)
    with pytest.raises(NotPermittedError):
        await decide(db, Actor(officer_of_county.person, frozenset({Role.AUDITOR})), days=5)
    await serve(db, world, people[:1], day=34)
    seed = await sealing.sign_checkpoint(db, key=LOG_KEY, book=BOOK, now=NOW + timedelta(days=5))
    await serve(db, world, people[1:2], day=35)
    await sealing.sign_checkpoint(db, key=LOG_KEY, book=BOOK, now=NOW + timedelta(days=6))
    assert seed is not None

    (drawn,) = await selecting.decide_ready_lists(db, book=BOOK, now=NOW + timedelta(days=7))

    assert await decide(db, officer_of_county, days=7) is SelectionRefusal.DECIDED
    async with db.read() as conn:
        document = json.loads(
            json.dumps(await selecting.draw_document(conn, selection=listed, lots=lots))
        )
        checkpoint = await log.find_checkpoint_since(
            conn, book=BOOK, above=0, since=NOW + timedelta(days=5)
        )
    assert checkpoint is not None
    assert document["seed"]["root"] == checkpoint.root.hex() == seed.root.hex()
    chosen = {each.lot for each in drawn.results if each.outcome is Outcome.CHOSEN}
    assert chosen == set(draw_order(seed.root.hex(), listed.digest, range(1, 7))[:2])
    by_number = {each.number: each.volunteer for each in lots}
    made = await standings(db, *people)
    assert {each.of.volunteer for each in made} == {by_number[each] for each in chosen}
    assert {each.state for each in made} == {State.ISSUED}
    for each in made:
        assert '"mode": "lottery"' in each.of.reasons
        replayed = await reconsidering.replay_decision(db, book=BOOK, entitlement=each.of.id)
        assert replayed.is_same

    # What is published proves itself, and does not when one thing of it is another.
    assert check_draw(document) == []
    for path, value in (
        (("list", "lots"), document["list"]["lots"][1:]),
        (("list", "places"), {"0": 3}),
        (("seed", "root"), "00" * 32),
        (("seed", "size"), listed.as_of),
    ):
        other = json.loads(json.dumps(document))
        other[path[0]][path[1]] = value
        assert check_draw(other), path
    swapped = json.loads(json.dumps(document))
    for each in swapped["results"]:
        each["outcome"] = "not_chosen" if each["outcome"] == "chosen" else "chosen"
    assert len(check_draw(swapped)) == 6
    monkeypatch.setenv("TIMEBANK_DATA", str(tmp_path / "data"))
    file = tmp_path / "draw.json"
    for told, code, said in (
        (document, 0, "every lot comes out where it was published"),
        (swapped, 1, "WRONG: lot"),
        ([], 1, "no file of a draw"),
    ):
        file.write_text(json.dumps(told))
        assert cli.main(["draw", "verify", "--file", str(file)]) == code
        printed = capsys.readouterr()
        assert said in printed.out + printed.err
    # Who was not drawn is not drawn next time: of one period there is one list.
    later = await run(db, pack)
    assert (later.rules[0].already, later.rules[0].listed) == (2, 0)
    assert later.rules[0].stopped == {"not selected": 5}
    await prove(db)


async def test_a_panel_votes_on_nobody_who_is_close_and_its_word_needs_another_office(
    db: Database, world: World, owner: asyncpg.Connection
) -> None:
    people = await world.volunteers(5)
    await serve(db, world, people[:4])
    await run(db, with_selection(Mode.PANEL, winners=2))
    listed = await the_list(db)
    async with db.read() as conn:
        lots = await selections.list_lots(conn, book=BOOK, number=1)
    lot = {each.volunteer: each.number for each in lots}
    one, two, three, four = (lot[each.id] for each in people[:4])
    officers = [await _official(owner) for _ in range(5)]
    # One is a volunteer on the list, one acts for one of them, one runs their organization.
    await owner.execute(
        "update volunteer set person_id = $1 where book_id = $2 and id = $3",
        officers[0].person,
        BOOK,
        people[0].id,
    )
    await _consent(owner, volunteer=people[1], helper=officers[1].person)
    ran = await owner.fetchrow(
        "select a.book_id, a.organization_id from activity a join transfer t"
        " on t.activity_book = a.book_id and t.activity = a.id limit 1"
    )

    async def convene(
        count: int, *, days: int = 7, members: list[UUID] | None = None
    ) -> SelectionRefusal | Convened:
        outcome = await selecting.convene_panel(
            db,
            actor=officers[4],
            book=BOOK,
            number=1,
            members=members or [each.person for each in officers[:count]],
            closes_on=(NOW + timedelta(days=days)).date(),
            now=NOW,
        )
        return outcome if isinstance(outcome, Convened) else outcome.reason

    async def vote(
        actor: Actor, choices: dict[int, Choice], *, days: int = 1
    ) -> SelectionRefusal | Voted:
        outcome = await selecting.cast_votes(
            db,
            actor=actor,
            book=BOOK,
            number=1,
            votes={each: (choice, "") for each, choice in choices.items()},
            now=NOW + timedelta(days=days),
        )
        return outcome if isinstance(outcome, Voted) else outcome.reason

    assert await decide(db, officers[0], days=1) is SelectionRefusal.NOT_CONVENED
    assert await vote(officers[0], {one: Choice.FOR}) is SelectionRefusal.NOT_CONVENED
    assert await convene(1) is SelectionRefusal.PANEL_SIZE
    assert await convene(4) is SelectionRefusal.PANEL_SIZE
    strangers = [officers[0].person, officers[1].person, officer().person]
    assert await convene(3, members=strangers) is SelectionRefusal.NOT_OFFICIAL
    assert await convene(3, days=0) is SelectionRefusal.DEADLINE
    convened = await convene(3)
    assert isinstance(convened, Convened)
    assert await convene(5) is SelectionRefusal.CONVENED
    assert convened.panel.ties == {
        (officers[0].person, one): Tie.SELF,
        (officers[1].person, two): Tie.HELPER,
    }
    first, second, third = officers[:3]
    assert ran is not None
    async with db.read() as conn:
        close = await selecting.query.list_ties(
            conn,
            scope=COUNTY,
            book=BOOK,
            members=[await _organizes(owner, OrganizationId(*ran))],
            lots=lots,
            since=NOW - timedelta(days=100),
        )
    assert set(close.values()) == {Tie.ORGANIZATION}
    assert len(close) == 4

    assert await vote(officers[3], {one: Choice.FOR}) is SelectionRefusal.NOT_MEMBER
    assert await vote(first, {99: Choice.FOR}) is SelectionRefusal.NO_LOT
    assert await vote(first, {one: Choice.FOR, two: Choice.FOR}) is SelectionRefusal.TIED
    assert await vote(first, {}) is SelectionRefusal.NO_VOTES
    yes, no = Choice.FOR, Choice.AGAINST
    assert await vote(first, {two: yes, three: no, four: yes}) == Voted(is_last=False)
    assert await decide(db, officers[4], days=1) is SelectionRefusal.VOTING_RUNS
    assert await vote(second, {one: yes, three: yes, four: no}) == Voted(is_last=False)
    # The third stands aside for one, and thinks again about another: the newest vote holds.
    assert await vote(third, {one: yes, two: yes, three: Choice.ASIDE, four: no}) == Voted(True)
    assert await vote(third, {four: yes}) == Voted(is_last=True)
    assert await vote(third, {four: no}, days=8) is SelectionRefusal.VOTING_OVER

    decided = await decide(db, officers[3], days=2)

    assert isinstance(decided, DecidedList)
    counted = {
        each.lot: (each.votes_for, each.votes_against, each.entitled) for each in decided.results
    }
    assert counted == {one: (2, 0, 2), two: (2, 0, 2), three: (1, 1, 2), four: (2, 1, 3)}
    outcomes = {each.lot: each.outcome for each in decided.results}
    chosen, left_out = Outcome.CHOSEN, Outcome.NOT_CHOSEN
    assert outcomes == {one: chosen, two: chosen, three: left_out, four: left_out}
    # Two people: who named the panel is one of them, whoever pressed the button.
    made = await standings(db, *people)
    assert [(each.state, each.of.proposed_by) for each in made] == [
        (State.PROPOSED, officers[4].person)
    ] * 2
    ids = [each.of.id for each in made]
    for actor, expected in ((officers[4], 0), (officers[3], 2)):
        agreed = await agreeing.agree(
            db, actor=actor, book=BOOK, ids=ids, now=NOW + timedelta(days=3)
        )
        assert agreed.done[State.ISSUED] == expected
    replayed = await reconsidering.replay_decision(db, book=BOOK, entitlement=ids[0])
    assert replayed.is_same
    assert '"for": 2' in replayed.again
    assert listed.ready_at is None
    await prove(db)


async def _official(owner: asyncpg.Connection) -> Actor:
    actor = officer()
    await owner.execute("insert into person (id, created_at) values ($1, now())", actor.person)
    await owner.execute(
        "insert into appointment (person_id, role, region, from_at) values ($1, $2, $3, now())",
        actor.person,
        Role.OFFICER.value,
        COUNTY.region,
    )
    return actor


async def _organizes(owner: asyncpg.Connection, organization: OrganizationId) -> UUID:
    actor = await _official(owner)
    await owner.execute(
        "insert into appointment (person_id, role, book_id, organization_id, from_at)"
        " values ($1, $2, $3, $4, now())",
        actor.person,
        Role.ORGANIZER.value,
        organization.book,
        organization.id,
    )
    return actor.person


async def _consent(owner: asyncpg.Connection, *, volunteer: VolunteerId, helper: UUID) -> None:
    await owner.execute(
        "insert into consent (book_id, id, volunteer_id, helper, may_sign_up, may_see_records,"
        " until_on, form, given_at, recorded_by) values ($1, 1, $2, $3, true, true, $4,"
        " 'consent.own', now(), $3)",
        volunteer.book,
        volunteer.id,
        helper,
        date(2030, 1, 1),
    )
