"""Who is given what when not everybody can be: groups, limits, selections and pools, in one order.

The order is total and the same for the same input, however that is shuffled: who has been
eligible longer comes first, then the rule's priority, then a hash of the person salted with the
seed, because plain numbers would favour those who enrolled early. Nothing here is random and
nothing is read from outside: same packs, same claims, same seed, same bytes.

Nobody overtakes: the first claim that a pool cannot hold closes it for all that come after it.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from operator import attrgetter

from timebank.domain import region
from timebank.domain.region import Level as Division
from timebank.policy.condition import number_of
from timebank.policy.extension import claim_ranks
from timebank.policy.fact import Value
from timebank.policy.grant import Limit, LimitOf, LimitPer, Offer
from timebank.policy.pool import Exhausted, number_on
from timebank.policy.rule import Pack, Rule
from timebank.policy.selection import Criterion, Order, SelectMode, Ties
from timebank.policy.stacking import Group, StackMode


class Standing(StrEnum):
    """What a claim comes to."""

    GRANTED = "granted"
    """In full; of a top-up, all that was not paid before."""
    PART = "part"
    """Less than asked: a pool that shares, a cap, or a limit."""
    ALREADY = "already"
    """The same was given before."""
    STACKED = "stacked"
    """Another grant of the group is given, or was given in the period."""
    EXCLUDED = "excluded"
    """Something of a group that excludes this one is given, or was given in the period."""
    TO_CHOOSE = "to choose"
    """The person has yet to choose one of the group."""
    LIMITED = "limited"
    """A limit of the rule is reached."""
    NOT_SELECTED = "not selected"
    """Others rank before."""
    TO_DRAW = "to draw"
    """The lottery's seed is not published yet."""
    SHORTLISTED = "shortlisted"
    """The panel has not decided yet."""
    OUTSIDE = "outside"
    """The pool is for people who live elsewhere, or where the person lives is not known."""
    QUEUED = "queued"
    """Nothing is left now; this one waits in the order."""
    EXHAUSTED = "exhausted"
    """Nothing is left, and the period is over for this one."""


WINS = frozenset({Standing.GRANTED, Standing.PART})
"""What gives something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What one person is eligible for by one rule.

    Attributes:
        person: A number that stays the person's.
        eligible_since: Since when; the day of the run for who was not eligible before. Who waits
            keeps the day on which waiting began.
        home: A 12-digit code; None where it is not known.
        ranks: What the person has of each fact that the rule's selection ranks by.
        pool_ranks: The same, of the rule's pool.
    """

    person: int
    offer: Offer
    eligible_since: date
    home: int | None = None
    ranks: tuple[Value | None, ...] = ()
    pool_ranks: tuple[Value | None, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A grant that was made before and stands, whether paid yet or not.

    Attributes:
        on: Of which day it was decided.
        home: Where the person lived then; for selections that give so many in every division.
    """

    person: int
    pack_id: str
    rule_id: str
    level: int
    period_key: str
    on: date
    count: int
    home: int | None = None


@dataclass(frozen=True, slots=True)
class Award:
    """What a claim comes to.

    Attributes:
        offer: With the count that is given now, or waits, and the period key that names it; of
            what gives nothing, as it was claimed.
        position: Place in the rule's ranking or in the pool's line, from 1; 0 where there is none.
        cutoff: The last place there that was given something; 0 where none was, or no line is.
        pool: `pack/pool` that it is taken from; empty for none.
    """

    claim: Claim
    standing: Standing
    offer: Offer
    position: int = 0
    cutoff: int = 0
    pool: str = ""

    @property
    def count(self) -> int:
        """Return how many are given now."""
        return self.offer.count if self.standing in WINS else 0

    def as_record(self) -> dict[str, object]:
        """Return what a decision keeps of it, as plain values."""
        return {
            "person": self.claim.person,
            "pack": self.offer.pack_id,
            "pack_hash": self.offer.pack_hash,
            "rule": self.offer.rule_id,
            "level": self.offer.level,
            "period": self.offer.period_key,
            "on": self.offer.on.isoformat(),
            "standing": self.standing.value,
            "count": self.count,
            "position": self.position,
            "cutoff": self.cutoff,
            "pool": self.pool,
        }


@dataclass(frozen=True, slots=True)
class Allocation:
    """What all claims come to.

    Attributes:
        awards: One per claim, in the total order.
        taken: Of each pool, by `pack/pool`: what the awards take.
    """

    awards: tuple[Award, ...]
    taken: Mapping[str, int]

    @property
    def won(self) -> tuple[Award, ...]:
        """Return the awards that give something."""
        return tuple(award for award in self.awards if award.standing in WINS)

    def to_bytes(self) -> bytes:
        """Return everything as UTF-8 JSON, the same for the same input for ever."""
        document = {
            "awards": [award.as_record() for award in self.awards],
            "taken": dict(self.taken),
        }
        text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return text.encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What people decided before the run; all of it may be empty.

    Attributes:
        choices: By person, `pack/group` and period: the rule that the person chose.
        draws: By `pack/rule` and period: the published seed of a lottery.
        places: By `pack/rule` and period: the place that a draw of numbered lots, or the votes of
            a panel, gave each person; it goes before a seed and before the ranking.
        panels: By `pack/rule` and period: whom the panel voted for.
    """

    choices: Mapping[tuple[int, str, str], str] = field(default_factory=dict)
    draws: Mapping[tuple[str, str], str] = field(default_factory=dict)
    places: Mapping[tuple[str, str], Mapping[int, int]] = field(default_factory=dict)
    panels: Mapping[tuple[str, str], frozenset[int]] = field(default_factory=dict)


NOTHING_DECIDED = Decided()
"""Nobody chose, nothing was drawn, no panel met."""


def allocate(
    claims: Iterable[Claim],
    *,
    packs: Sequence[Pack],
    on: date,
    seed: bytes,
    available: Mapping[str, int],
    past: Iterable[Past] = (),
    decided: Decided = NOTHING_DECIDED,
) -> Allocation:
    """Return what claims of one day come to together.

    First what was given before is set aside, then each person's groups are resolved, then limits
    of a person, then who is selected, then limits of all, then pools.

    A run can be repeated for ever from its packs' hashes, the ledger's entries, what was decided,
    and `seed`: the root of the ledger at the entry that the run counts to. `available` says what is
    still there of each pool, by `pack/pool`; a pool that is not named has nothing. `past` are the
    grants that stand, of the same people and, for limits of all and for selections, of everybody.

    Raises:
        ValueError: Two claims of one person for the same grant, or a claim of an unknown rule.

    Cost: sorting; a second for a hundred thousand claims.
    """
    return _Run(packs, on, seed, dict(available), past, decided).allocate(claims)


_Rank = tuple[tuple[bool, int], ...]


class _Line:
    """What all claims of one rule have in common, and the claims.

    Attributes:
        order: Its place among rules, as a value that sorts.
        waiting: Claims by the day since when they wait.
    """

    __slots__ = (
        "claims", "group", "hashers", "is_top_up", "offers", "order", "pack", "rule", "waiting",
    )  # fmt: skip

    def __init__(self, pack: Pack, rule: Rule, place: int) -> None:
        self.pack = pack
        self.rule = rule
        self.order = (rule.priority, pack.id, place)
        self.group = pack.group(rule.group) if rule.group else None
        self.is_top_up = self.group is not None and self.group.mode is StackMode.TOP_UP
        self.hashers: dict[str, Callable[[int], bytes]] = {}
        self.waiting: dict[date, list[_Live]] = {}
        self.claims: list[_Live] = []
        self.offers: dict[tuple[int, int, int | None], Offer] = {}

    def cut(self, offer: Offer, count: int, topped: int | None) -> Offer:
        """Return an offer with what is left of it; many people share one."""
        # Claims keep their offers alive, so no two have one identity.
        key = id(offer), count, topped
        found = self.offers.get(key)
        if found is None:
            period = offer.period_key if topped is None else f"{offer.period_key}+{topped}"
            found = self.offers[key] = replace(offer, count=count, period_key=period)
        return found


class _Live:
    """A claim on its way.

    Attributes:
        lot: Its place among claims of the rule that wait since the same day, as a value that sorts.
        count: What is left of what was claimed.
        topped: What was paid before, of a top-up; else None.
        standing: None while it is still on its way.
    """

    __slots__ = (
        "claim", "count", "cutoff", "line", "lot", "pool", "position", "standing", "topped",
    )  # fmt: skip

    def __init__(self, claim: Claim, line: _Line, lot: bytes) -> None:
        self.claim = claim
        self.line = line
        self.lot = lot
        self.count = claim.offer.count
        self.topped: int | None = None
        self.standing: Standing | None = None
        self.position = 0
        self.cutoff = 0
        self.pool = ""

    @property
    def rule(self) -> Rule:
        return self.line.rule

    @property
    def pack(self) -> Pack:
        return self.line.pack

    @property
    def rule_key(self) -> tuple[str, str]:
        return f"{self.pack.id}/{self.rule.id}", self.claim.offer.period_key

    def stop(self, standing: Standing) -> None:
        self.standing = standing

    def cut_to(self, most: int, otherwise: Standing) -> None:
        """Leave no more than so many, or end where that is nothing."""
        if most <= 0:
            self.stop(otherwise)
        else:
            self.count = min(self.count, most)

    def award(self) -> Award:
        offer, standing = self.claim.offer, self.standing
        if standing is None or standing is Standing.QUEUED:
            whole = offer.count if self.topped is None else offer.count - self.topped
            if self.topped is not None or self.count != whole:
                offer = self.line.cut(offer, self.count, self.topped)
            if standing is None:
                standing = Standing.GRANTED if self.count >= whole else Standing.PART
        return Award(self.claim, standing, offer, self.position, self.cutoff, self.pool)


class _Run:
    """One allocation; each phase ends some of the claims that are still on their way."""

    def __init__(
        self,
        packs: Sequence[Pack],
        on: date,
        seed: bytes,
        available: dict[str, int],
        past: Iterable[Past],
        decided: Decided,
    ) -> None:
        self.on = on
        self.seed = seed
        self.available = available
        self.taken: dict[str, int] = {}
        self.decided = decided
        self.lines = {
            (pack.id, rule.id): _Line(pack, rule, place)
            for pack in packs
            for place, rule in enumerate(pack.rules)
        }
        self.past_keys: set[tuple[int, str, str, int, str]] = set()
        self.past_of_person: dict[int, list[Past]] = defaultdict(list)
        self.past_of_rule: dict[tuple[str, str], list[Past]] = defaultdict(list)
        for each in past:
            self.past_keys.add(
                (each.person, each.pack_id, each.rule_id, each.level, each.period_key)
            )
            self.past_of_person[each.person].append(each)
            self.past_of_rule[each.pack_id, each.rule_id].append(each)

    def allocate(self, claims: Iterable[Claim]) -> Allocation:
        everything = self._ordered(claims)
        lines = sorted(
            (each for each in self.lines.values() if each.claims), key=lambda line: line.order
        )
        self._set_aside(lines)
        self._stack(lines)
        self._limit(lines, LimitPer.PERSON)
        self._select(lines)
        self._limit(lines, LimitPer.ALL)
        self._draw_pools(everything)
        return Allocation(
            tuple([each.award() for each in everything]), dict(sorted(self.taken.items()))
        )

    def _ordered(self, claims: Iterable[Claim]) -> list[_Live]:
        """Return claims in the total order; each line has its own in it too."""
        for claim in claims:
            offer = claim.offer
            line = self.lines.get((offer.pack_id, offer.rule_id))
            if line is None:
                raise ValueError(f"a claim of an unknown rule {offer.pack_id}/{offer.rule_id}")
            draw = line.hashers.get(offer.period_key)
            if draw is None:
                draw = lots(self.seed, offer.pack_id, offer.rule_id, offer.period_key)
                line.hashers[offer.period_key] = draw
            live = _Live(claim, line, draw(claim.person) + offer.level.to_bytes(2, "big"))
            waiting = line.waiting.get(claim.eligible_since)
            if waiting is None:
                line.waiting[claim.eligible_since] = [live]
            else:
                waiting.append(live)
        found: list[_Live] = []
        waits = [
            (since, line.order, line) for line in self.lines.values() for since in line.waiting
        ]
        for since, _order, line in sorted(waits, key=lambda each: each[:2]):
            inside = sorted(line.waiting[since], key=_LOT)
            line.claims += inside
            found += inside
        for line in self.lines.values():
            if len(set(map(_LOT, line.claims))) < len(line.claims):
                raise ValueError("two claims of one person for the same grant")
        return found

    def _set_aside(self, lines: Iterable[_Line]) -> None:
        """End what was given before. A top-up is decided by what was paid, not by its key."""
        for line in lines:
            key = (line.pack.id, line.rule.id)
            has_past = key in self.past_of_rule and not line.is_top_up
            for each in line.claims:
                offer = each.claim.offer
                if (
                    has_past
                    and (each.claim.person, *key, offer.level, offer.period_key) in self.past_keys
                ):
                    each.stop(Standing.ALREADY)
                elif offer.count <= 0:
                    raise ValueError(f"{offer.rule_id}: a claim of nothing")

    def _stack(self, lines: Iterable[_Line]) -> None:
        grouped: dict[tuple[str, str], list[_Line]] = defaultdict(list)
        # Lines are in the order of the pack, so each person's claims are, whatever else orders
        # people; of one rule, the lower level comes first.
        for line in lines:
            if line.group is not None and line.group.mode is not StackMode.SUM:
                grouped[line.pack.id, line.group.id].append(line)
        for members in grouped.values():
            pack, group = members[0].pack, members[0].pack.group(members[0].rule.group)
            rules = frozenset(rule.id for rule in pack.rules if rule.group == group.id)
            for person, inside in _by_person(members):
                before = self._given_in(group, pack, person, rules) if self.past_of_person else []
                self._resolve(group, inside, before)

    def _given_in(
        self, group: Group, pack: Pack, person: int, rules: frozenset[str] | None = None
    ) -> list[Past]:
        """Return what a person was given of a group in its period."""
        past = self.past_of_person.get(person)
        if not past:
            return []
        if rules is None:
            rules = frozenset(rule.id for rule in pack.rules if rule.group == group.id)
        period = group.every.period_key(on=self.on)
        return [
            each
            for each in past
            if each.pack_id == pack.id
            and each.rule_id in rules
            and group.every.period_key(on=each.on) == period
        ]

    def _resolve(self, group: Group, members: list[_Live], before: list[Past]) -> None:
        match group.mode:
            case StackMode.SUM:
                return
            case StackMode.HIGHEST:
                best = max(members, key=lambda each: each.count)
                for each in members:
                    if before or each is not best:
                        each.stop(Standing.STACKED)
            case StackMode.CHOOSE_ONE:
                self._keep_chosen(group, members, is_given=bool(before))
            case StackMode.TOP_UP:
                paid = sum([each.count for each in before])
                best = members[0]
                if len(members) > 1:
                    best = max(members, key=lambda each: each.count)
                    for each in members:
                        if each is not best:
                            each.stop(Standing.STACKED)
                best.topped = paid
                best.cut_to(best.count - paid, Standing.ALREADY)
            case StackMode.CAP:
                cap = 0 if group.cap is None else number_on(group.cap, on=self.on)
                left = cap - sum(each.count for each in before)
                for each in members:
                    each.cut_to(left, Standing.STACKED)
                    left -= 0 if each.standing else each.count

    def _keep_chosen(self, group: Group, members: list[_Live], *, is_given: bool) -> None:
        first = members[0]
        period = group.every.period_key(on=self.on)
        key = (first.claim.person, f"{first.pack.id}/{group.id}", period)
        chosen = self.decided.choices.get(key, group.default)
        is_claimed = any(each.rule.id == chosen for each in members)
        for each in members:
            if is_given:
                each.stop(Standing.STACKED)
            elif not is_claimed:
                each.stop(Standing.TO_CHOOSE)
            elif each.rule.id != chosen:
                each.stop(Standing.STACKED)

    def _limit(self, lines: Iterable[_Line], per: LimitPer) -> None:
        for line in lines:
            limits = [
                (place, limit, number_on(limit.most, on=self.on))
                for place, limit in enumerate(line.rule.limits)
                if limit.per is per
            ]
            if limits:
                self._limit_one(line, limits, per)

    def _limit_one(
        self, line: _Line, limits: Sequence[tuple[int, Limit, int]], per: LimitPer
    ) -> None:
        used: dict[tuple[int, int | None], int] = defaultdict(int)
        for place, limit, _most in limits:
            period = limit.every.period_key(on=self.on)
            for past in self.past_of_rule.get((line.pack.id, line.rule.id), ()):
                if limit.every.period_key(on=past.on) == period:
                    person = past.person if per is LimitPer.PERSON else None
                    used[place, person] += past.count if limit.of is LimitOf.UNITS else 1
        for each in _alive(line.claims):
            person = each.claim.person if per is LimitPer.PERSON else None
            for place, limit, most in limits:
                left = most - used[place, person]
                if limit.of is LimitOf.UNITS:
                    each.cut_to(left, Standing.LIMITED)
                elif left <= 0:
                    each.stop(Standing.LIMITED)
                if each.standing is not None:
                    break
            else:
                for place, limit, _most in limits:
                    used[place, person] += each.count if limit.of is LimitOf.UNITS else 1

    def _select(self, lines: Iterable[_Line]) -> None:
        """Select rule by rule, in their order, so that who wins one is out of what it excludes."""
        won: dict[tuple[int, str], set[str]] = defaultdict(set)
        for line in lines:
            excludes = line.group is not None and bool(line.group.excludes)
            if excludes:
                self._exclude(_alive(line.claims), won)
            if line.rule.select.mode is not SelectMode.EACH:
                self._select_one(line.rule, _alive(line.claims))
            if excludes:
                for each in _alive(line.claims):
                    won[each.claim.person, line.pack.id].add(line.rule.group)

    def _exclude(self, members: list[_Live], won: Mapping[tuple[int, str], set[str]]) -> None:
        if not members:
            return
        pack = members[0].pack
        excludes = pack.group(members[0].rule.group).excludes
        for each in members:
            person = each.claim.person
            if excludes & won.get((person, pack.id), set()) or any(
                self._given_in(pack.group(other), pack, person) for other in excludes
            ):
                each.stop(Standing.EXCLUDED)

    def _select_one(self, rule: Rule, members: list[_Live]) -> None:
        select = rule.select
        if select.mode is SelectMode.EACH or not members:
            return
        if select.winners is None:
            raise ValueError(f"{rule.id}: a selection needs a number of winners")
        winners = number_on(select.winners, on=self.on)
        for division, inside in _by_division(members, select.per).items():
            if division is None:
                for each in inside:
                    each.stop(Standing.OUTSIDE)
                continue
            before = self._winners_before(inside[0], select.per, division)
            left = max(winners - before, 0)
            match select.mode:
                case SelectMode.TOP_N:
                    _keep_first(_ranked(inside, select.by), left, before, select.ties)
                case SelectMode.PLUGIN:
                    _keep_first(self._ranked_by_plugin(rule, inside), left, before, select.ties)
                case SelectMode.LOTTERY:
                    self._draw_lots(inside, left, before)
                case SelectMode.PANEL:
                    self._shortlist(rule, inside, left, before)

    def _ranked_by_plugin(self, rule: Rule, members: Sequence[_Live]) -> list[tuple[_Live, _Rank]]:
        """Return members as a selector from outside puts them; equals keep the total order."""
        ranks = claim_ranks(
            rule.select.selector,
            facts=[
                [each.claim.ranks[place] for each in members]
                for place in range(len(rule.select.by))
            ],
            homes=[each.claim.home for each in members],
            counts=[each.count for each in members],
            on=self.on,
        )
        found: list[tuple[_Live, _Rank]] = [
            (each, ((False, rank),)) for each, rank in zip(members, ranks, strict=True)
        ]
        return sorted(found, key=lambda pair: pair[1])

    def _winners_before(self, any_of: _Live, per: Division | None, division: int) -> int:
        pack_id, rule_id, _, period = any_of.claim.offer.key_parts
        return count_winners(
            self.past_of_rule.get((pack_id, rule_id), ()), period=period, per=per, division=division
        )

    def _draw_lots(self, members: list[_Live], winners: int, before: int) -> None:
        key = members[0].rule_key
        places, seed = self.decided.places.get(key), self.decided.draws.get(key)
        if places is not None:
            drawn = sorted(members, key=lambda each: places[each.claim.person])
        elif seed is not None:
            draw = lots(seed.encode(), *key)
            drawn = sorted(members, key=lambda each: draw(each.claim.person))
        else:
            for each in members:
                each.stop(Standing.TO_DRAW)
            return
        _keep_first([(each, ()) for each in drawn], winners, before, Ties.ORDER)

    def _shortlist(self, rule: Rule, members: list[_Live], winners: int, before: int) -> None:
        ranked = _ranked(members, rule.select.by)
        if rule.select.shortlist is not None:
            most = number_on(rule.select.shortlist, on=self.on)
            _keep_first(ranked, most, 0, rule.select.ties)
        listed = [each for each, _ in ranked if each.standing is None]
        voted = self.decided.panels.get(members[0].rule_key)
        if voted is None:
            for each in listed:
                each.stop(Standing.SHORTLISTED)
            return
        for each in listed:
            if each.claim.person not in voted:
                each.stop(Standing.NOT_SELECTED)
        kept = _alive(listed)
        places = self.decided.places.get(members[0].rule_key)
        if places is not None:
            kept.sort(key=lambda each: places[each.claim.person])
        _keep_first([(each, ()) for each in kept], winners, before, Ties.ORDER)

    def _draw_pools(self, everything: Sequence[_Live]) -> None:
        names = {
            key: f"{line.pack.id}/{line.rule.grant.pool}"
            for key, line in self.lines.items()
            if line.claims and line.rule.grant.pool
        }
        if not names:
            return
        drawing: dict[str, list[_Live]] = defaultdict(list)
        for each in everything:
            if each.standing is not None or not each.rule.grant.pool:
                continue
            pool = each.pack.pool(each.rule.grant.pool)
            each.pool = names[each.pack.id, each.rule.id]
            if pool.serves(each.claim.home):
                drawing[each.pool].append(each)
            else:
                each.stop(Standing.OUTSIDE)
        for key in sorted(drawing):
            line = drawing[key]
            pool = line[0].pack.pool(line[0].rule.grant.pool)
            left = max(self.available.get(key, 0), 0)
            if pool.exhausted is Exhausted.PRO_RATA:
                _share(line, left)
            else:
                if pool.exhausted is Exhausted.RANK:
                    ranked = sorted(line, key=lambda each: _rank(each.claim.pool_ranks, pool.rank))
                    line = ranked
                is_queue = pool.exhausted is Exhausted.QUEUE
                _serve(line, left, Standing.QUEUED if is_queue else Standing.EXHAUSTED)
            self.taken[key] = sum(each.count for each in line if each.standing is None)


def count_winners(past: Iterable[Past], *, period: str, per: Division | None, division: int) -> int:
    """Return how many people of a division were given one rule's grant in a period before."""
    return len(
        {
            each.person
            for each in past
            # Of a top-up the key goes on with what was paid before.
            if each.period_key.partition("+")[0] == period
            and division_of(each.home, per) == division
        }
    )


def _alive(claims: Iterable[_Live]) -> list[_Live]:
    return [each for each in claims if each.standing is None]


def _by_person(lines: Sequence[_Line]) -> Iterable[tuple[int, list[_Live]]]:
    """Return the claims of each person that are on their way, in the order of the pack."""
    alive = [each for line in lines for each in line.claims if each.standing is None]
    if len({each.claim.person for each in alive}) == len(alive):
        return [(each.claim.person, [each]) for each in alive]
    people: dict[int, list[_Live]] = defaultdict(list)
    for each in alive:
        people[each.claim.person].append(each)
    for inside in people.values():
        if len(inside) > 1:
            inside.sort(key=lambda each: (each.line.order, each.claim.offer.level))
    return people.items()


_LOT = attrgetter("lot")


def lot_prefix(seed: bytes, *parts: str) -> bytes:
    """Return what a person's number is added to, to make the lot of a person."""
    return b"\x1f".join((seed, *(part.encode() for part in parts), b""))


def lots(seed: bytes, *parts: str) -> Callable[[int], bytes]:
    """Return what makes a person's lot: 32 bytes that look like chance and never change."""
    sha256 = hashlib.sha256(lot_prefix(seed, *parts))

    def draw(person: int) -> bytes:
        salted = sha256.copy()
        salted.update(b"%d" % person)
        return salted.digest()

    return draw


def division_of(home: int | None, per: Division | None) -> int | None:
    """Return the division of a level that a home lies in; 0 for all people; None where unknown."""
    if per is None:
        return 0
    return None if home is None else region.enclosing(home, per)


def _by_division(members: Sequence[_Live], per: Division | None) -> dict[int | None, list[_Live]]:
    found: dict[int | None, list[_Live]] = defaultdict(list)
    for each in members:
        found[division_of(each.claim.home, per)].append(each)
    return found


def _rank(values: Sequence[Value | None], by: Sequence[Criterion]) -> _Rank:
    """Return where values put somebody, as a value that sorts; unknown comes last."""
    return tuple(
        (value is None, _signed(value, criterion.order))
        for value, criterion in zip(values, by, strict=True)
    )


def _signed(value: Value | None, order: Order) -> int:
    if value is None:
        return 0
    return -number_of(value) if order is Order.MOST else number_of(value)


def _ranked(members: Sequence[_Live], by: Sequence[Criterion]) -> list[tuple[_Live, _Rank]]:
    """Return members by rank; equals keep the total order."""
    return sorted(
        ((each, _rank(each.claim.ranks, by)) for each in members), key=lambda pair: pair[1]
    )


def _keep_first(ranked: Sequence[tuple[_Live, _Rank]], most: int, before: int, ties: Ties) -> None:
    """End those who are not among the first."""
    kept = min(most, len(ranked))
    if ties is not Ties.ORDER and 0 < kept < len(ranked):
        edge = ranked[kept - 1][1]
        if ranked[kept][1] == edge:
            if ties is Ties.ALL:
                kept = sum(rank <= edge for _, rank in ranked)
            else:
                kept = sum(rank < edge for _, rank in ranked)
    for place, (each, _) in enumerate(ranked):
        each.position = before + place + 1
        each.cutoff = before + kept
        if place >= kept:
            each.stop(Standing.NOT_SELECTED)


def _serve(line: Sequence[_Live], left: int, otherwise: Standing) -> None:
    """Give in order until one does not fit."""
    served = 0
    for each in line:
        if each.count > left:
            break
        left -= each.count
        served += 1
    for place, each in enumerate(line):
        each.position, each.cutoff = place + 1, served
        if place >= served:
            each.stop(otherwise)


def _share(line: Sequence[_Live], left: int) -> None:
    """Give everybody the same share; single fen that are left over go to the largest remainders."""
    asked = sum(each.count for each in line)
    if asked <= left:
        return
    shares = [each.count * left // asked for each in line]
    by_remainder = sorted(
        range(len(line)), key=lambda place: (-(line[place].count * left % asked), place)
    )
    for place in by_remainder[: left - sum(shares)]:
        shares[place] += 1
    for each, share in zip(line, shares, strict=True):
        each.cut_to(share, Standing.EXHAUSTED)
