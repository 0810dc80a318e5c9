"""Whatever changes a ground of a grant leads to a question first, and to a taking back only then."""

from dataclasses import replace
from datetime import date, timedelta
from uuid import uuid4

import asyncpg
from tests.factories import BOOK, KEY, World
from tests.services.test_benefits import _PACK, COUNTY, NOW, officer, prove, serve, standings

from timebank.db import Database
from timebank.domain.actor import VolunteerId
from timebank.domain.correction import Corrected, Correction
from timebank.domain.entitlement import Cause, State
from timebank.domain.objection import Answer, ObjectionReason, Raised, Stepped
from timebank.domain.signal import Measure, ReviewOutcome, SignalKind
from timebank.ledger import entitlements
from timebank.policy.pack import read_pack_files
from timebank.policy.rule import Pack
from timebank.services import reconsidering
from timebank.services.correction import correct_service
from timebank.services.granting import grant_policies
from timebank.services.objecting import answer_objection, raise_objection
from timebank.services.reconsidering import Reconsidered
from timebank.store import attestations, reviews
from timebank.store.attestations import Attestation
from timebank.store.seal import Seal

LISTED = '{ fact = "listed", register = "talents", op = "==", value = true }'


def the_pack() -> Pack:
    """Return a pack of two rules: one on service and fraud, one on a register, asked every day."""
    first, second, third = _PACK.format(version="1", minutes=120).split("[[rule]]")
    served = '{ fact = "minutes", window = "calendar_year", op = ">=", param = "film_minutes" }'
    grace = 'claw = "unused", grace = "days(15)" }\nwhen.all'
    text = "[[rule]]".join(
        [
            first,
            second.replace("when.all", 'revoke = { on = ["reversal", "fraud"], ' + grace),
            third.replace(served, LISTED).replace(
                "when.all", 'revoke = { on = ["condition"], ' + grace
            ),
        ]
    )
    pack = read_pack_files({"pack.toml": text.encode()})
    assert isinstance(pack, Pack), pack
    return pack


async def say(db: Database, volunteer: VolunteerId, value: int, *, days: int, **more: date) -> None:
    said = Attestation(
        volunteer=volunteer.id,
        fact="listed",
        detail="talents",
        from_on=date(2024, 1, 1),
        through_on=None,
        value=value,
        source="人才办名单",
    )
    async with db.write() as conn:
        await attestations.insert_attestations(
            conn,
            book=BOOK,
            attestations=[replace(said, **more)],
            person=None,
            now=NOW + timedelta(days=days),
        )


async def test_every_path_that_changes_a_ground_leads_to_a_question(
    db: Database, world: World, owner: asyncpg.Connection
) -> None:
    shortened, objector, untrue, lost, cheat, kept = people = await world.volunteers(6)
    await serve(db, world, [shortened, objector, cheat, kept])
    for each in (untrue, lost, kept):
        await say(db, each, 1, days=-1)
    pack = the_pack()
    made = await grant_policies(
        db, scope=COUNTY, packs=[pack], on=date(2024, 3, 31), person=None, now=NOW
    )
    assert [each.granted for each in made.rules] == [4, 3]
    seqs = {
        row["volunteer"]: row["seq"]
        for row in await owner.fetch("select volunteer, seq from transfer where assurance >= 0")
    }

    async def reconsider(days: float) -> Reconsidered:
        return await reconsidering.reconsider_grants(
            db, scope=COUNTY, now=NOW + timedelta(days=days)
        )

    assert await reconsider(1) == Reconsidered()

    # A correction that leaves too few minutes; one that leaves enough is looked at, and stands.
    for volunteer, minutes in ((shortened, 60), (kept, 120)):
        corrected = await correct_service(
            db,
            actor=None,
            book=BOOK,
            seq=seqs[volunteer.id],
            correction=Correction(minutes=minutes + 1 if volunteer is kept else minutes),
            reason="签到表上不是",
            evidence="签到表 17",
            now=NOW + timedelta(days=2),
        )
        assert isinstance(corrected, Corrected)
    # What comes of an objection.
    await _objected(db, world, objector, seq=seqs[objector.id], minutes=30)
    # What another office takes back as of then, and what ends now.
    await say(db, untrue, 0, days=2)
    await say(db, lost, 0, days=2, from_on=(NOW + timedelta(days=2)).date())
    # A reviewer's finding, although every minute of it stands.
    await _found(db, cheat, ReviewOutcome.FRAUD, days=2)

    # Whoever was kept has two grants: both are looked at, and both stand.
    first = await reconsider(3)
    assert await reconsider(4) == Reconsidered()
    asked = {each: await _asked(db, each) for each in people}
    assert asked == {
        shortened: [(State.QUESTIONED, Cause.SERVICE)],
        objector: [(State.QUESTIONED, Cause.SERVICE)],
        untrue: [(State.QUESTIONED, Cause.TOLD)],
        lost: [(State.QUESTIONED, Cause.CONDITION)],
        cheat: [(State.QUESTIONED, Cause.FRAUD)],
        kept: [(State.ISSUED, ""), (State.ISSUED, "")],
    }
    assert first == Reconsidered(unaffected=2, questioned=5)

    # Put right in time: listed again, the finding taken back. The others lose what they have left.
    await say(db, lost, 1, days=10, from_on=(NOW + timedelta(days=2)).date())
    await _found(db, cheat, ReviewOutcome.DISMISSED, days=10)
    assert await reconsider(19) == Reconsidered(cleared=2, taken_back=3)
    ended = {each: [standing.state for standing in await standings(db, each)] for each in people}
    assert ended == {
        shortened: [State.REVOKED],
        objector: [State.REVOKED],
        untrue: [State.REVOKED],
        lost: [State.ISSUED],
        cheat: [State.ISSUED],
        kept: [State.ISSUED, State.ISSUED],
    }
    assert await reconsider(20) == Reconsidered()
    await prove(db)


async def _asked(db: Database, volunteer: VolunteerId) -> list[tuple[State, str]]:
    found = []
    for each in await standings(db, volunteer):
        async with db.read() as conn:
            words = await entitlements.find_question(conn, book=BOOK, entitlement=each.of.id)
        found.append((each.state, words))
    return found


async def _found(
    db: Database, volunteer: VolunteerId, outcome: ReviewOutcome, *, days: int
) -> None:
    async with db.write() as conn:
        await reviews.insert_review(
            conn,
            seen=Measure(
                kind=SignalKind.TWO_PLACES,
                book=BOOK,
                subject=f"volunteer/{BOOK}/{volunteer.id}",
            ),
            outcome=outcome,
            reason="两处同时签到，本人承认代签",
            by=uuid4(),
            now=NOW + timedelta(days=days),
        )


async def _objected(
    db: Database,
    world: World,
    volunteer: VolunteerId,
    *,
    seq: int,
    minutes: int,
) -> None:
    """Let a volunteer object to an entry, and the office answer with fewer minutes."""
    person = await world.person_of(volunteer)
    at = NOW + timedelta(days=2)
    raised = await raise_objection(
        db,
        seal=Seal(KEY),
        person=person,
        volunteer=volunteer,
        seq=seq,
        reason=ObjectionReason.MINUTES,
        minutes=minutes,
        text="我只待了半小时",
        now=at,
    )
    assert isinstance(raised, Raised)
    answered = await answer_objection(
        db,
        seal=Seal(KEY),
        actor=officer(),
        book=BOOK,
        objection=1,
        answer=Answer(
            correction=Correction(minutes=minutes), text="确实是半小时", evidence="签到表 17"
        ),
        now=at,
    )
    assert isinstance(answered, Stepped)
