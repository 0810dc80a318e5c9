"""Proves the invariants over the stored rows: every cache is made again from the journal.

Each check returns the rows that break its rule, so an empty answer is a proof over everything that
is stored, and a broken rule names its rows. A check is one statement, or, where it hashes, one pass
over rows that are streamed.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.ledger import columns_audit, log_audit

EXAMPLES_MAX = 5
"""How many broken rows are named per rule: enough to start looking."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A broken rule.

    Attributes:
        rule: Stable name of the rule.
        count: How many rows break it.
        examples: Some of them, as the database prints them.
    """

    rule: str
    count: int
    examples: tuple[str, ...]


Check = Callable[[AsyncConnection, int], AsyncIterator[str]]
"""Yields what breaks a rule in a book."""

RULES: dict[str, str | Check] = {
    "audit.seq_has_gaps": """
        select 'entries ' || count(*) || ', newest ' || coalesce(max(t.seq), 0)
            || ', head ' || b.seq as broken
        from book b left join transfer t on t.book_id = b.id
        where b.id = :book group by b.seq
        having count(t.seq) <> b.seq or coalesce(max(t.seq), 0) <> b.seq
            or coalesce(min(t.seq), 1) <> 1
    """,
    "audit.batches_do_not_join": """
        select 'batch ' || batch as broken from (
            select batch, first_seq, recorded_at,
                lag(batch, 1, 0::bigint) over w as before,
                lag(last_seq, 1, 0::bigint) over w as before_seq,
                lag(recorded_at) over w as before_at
            from batch where book_id = :book window w as (order by batch)
        ) each
        where batch <> before + 1 or first_seq <> before_seq + 1 or recorded_at < before_at
        union all
        select 'head ' || b.seq || ' in batch ' || b.batch from book b cross join (
            select coalesce(max(batch), 0) as batch, coalesce(max(last_seq), 0) as seq
            from batch where book_id = :book
        ) newest
        where b.id = :book and (b.batch, b.seq) <> (newest.batch, newest.seq)
    """,
    "audit.entry_outside_its_batch": """
        select 'entry ' || min(t.seq) || ' of batch ' || b.batch as broken
        from batch b join transfer t
            on t.book_id = b.book_id and t.seq between b.first_seq and b.last_seq
        where b.book_id = :book and t.recorded_at <> b.recorded_at group by b.batch
    """,
    "audit.units_mixed": """
        select 'entry ' || t.seq as broken from transfer t
        left join account d on d.book_id = t.book_id and d.id = t.debit and d.unit = t.unit
        left join account c on c.book_id = t.book_id and c.id = t.credit and c.unit = t.unit
        where t.book_id = :book and (d.id is null or c.id is null)
    """,
    "audit.reversal_differs": """
        select 'entry ' || r.seq as broken from transfer r
        left join transfer t on t.book_id = r.book_id and t.seq = r.reverses
        where r.book_id = :book and r.reverses is not null and (
            t.seq is null or t.reverses is not null
            or (t.debit, t.credit, t.amount, t.unit, t.effective_at, t.volunteer, t.assurance,
                t.measured, t.activity_book, t.activity, t.shift, t.field, t.place)
            is distinct from (r.credit, r.debit, r.amount, r.unit, r.effective_at, r.volunteer,
                r.assurance, r.measured, r.activity_book, r.activity, r.shift, r.field, r.place)
        )
    """,
    "audit.state_differs": """
        with movement as materialized (
            select b.batch, m.* from batch b cross join lateral (
                select account, sum(debit)::bigint as debits, sum(credit)::bigint as credits,
                    array_agg(place order by place) as places
                from (
                    select t.debit as account, t.amount as debit, 0 as credit,
                        (t.seq - b.first_seq)::int as place
                    from transfer t
                    where t.book_id = b.book_id and t.seq between b.first_seq and b.last_seq
                    union all
                    select t.credit, 0, t.amount, (t.seq - b.first_seq)::int
                    from transfer t
                    where t.book_id = b.book_id and t.seq between b.first_seq and b.last_seq
                ) side group by account
            ) m where b.book_id = :book
        ), stored as materialized (
            -- What each state adds to the one before it: the index has them in this order.
            select account, batch, places, debits - lag(debits, 1, 0::bigint) over w as debits,
                credits - lag(credits, 1, 0::bigint) over w as credits
            from account_state where book_id = :book
            window w as (partition by account order by batch)
        )
        select 'account ' || coalesce(m.account, s.account)
            || ' in batch ' || coalesce(m.batch, s.batch) as broken
        from movement m full join stored s on s.account = m.account and s.batch = m.batch
        where (s.debits, s.credits) is distinct from (m.debits, m.credits)
            or (s.places is not null and s.places <> m.places)
            or (s.places is null and not exists (
                select from account a
                where a.book_id = :book and a.id = s.account and a.kind = 1
            ))
    """,
    "audit.bound_exceeded": """
        select 'account ' || a.id || ' in batch ' || s.batch as broken
        from account a join account_state s on s.book_id = a.book_id and s.account = a.id
        where a.book_id = :book and (
            (a.is_debit_bounded and s.debits > s.credits)
            or (a.is_credit_bounded and s.credits > s.debits)
        )
    """,
    "audit.opening_differs": """
        with opened as (
            select seq, volunteer, sum(minutes) as minutes
            from opening_month where book_id = :book group by 1, 2
        ), carried as (
            select t.seq, t.volunteer,
                case when a.kind = 4 then -t.amount else t.amount end as minutes
            from transfer t join account a on a.book_id = t.book_id and a.id = t.credit
            where t.book_id = :book and t.kind = 5 and t.unit = 1
        )
        select 'entry ' || coalesce(c.seq, o.seq) as broken
        from carried c full join opened o on (o.seq, o.volunteer) = (c.seq, c.volunteer)
        where c.minutes is distinct from o.minutes
    """,
    "audit.clearing_differs": """
        with clearing as (
            select a.book_id, a.owner, a.unit, coalesce(s.credits - s.debits, 0) as held
            from account a left join lateral (
                select credits, debits from account_state s
                where s.book_id = a.book_id and s.account = a.id order by batch desc limit 1
            ) s on true
            where a.kind = 4 and :book in (a.book_id, a.owner::int)
                and exists (select from book b where b.id = a.owner)
            union all
            -- What one book has sent and the other does not have yet.
            select c.book_id, c.to_book, t.unit,
                case when a.kind = 4 then -t.amount else t.amount end
            from carriage c
            join transfer t on t.book_id = c.book_id and t.seq between c.first_seq and c.last_seq
            join account a on a.book_id = t.book_id and a.id = t.credit
            where c.arrived_at is null and :book in (c.book_id, c.to_book)
        )
        select 'book ' || least(book_id, owner) || ' with ' || greatest(book_id, owner)
            || ' in unit ' || unit as broken
        from clearing group by least(book_id, owner), greatest(book_id, owner), unit
        having sum(held) <> 0
    """,
    "audit.rollup_differs": """
        with made as (
            select extract(year from local)::int * 100 + extract(month from local)::int as month,
                volunteer, assurance, measured,
                sum(case when reverses is null then amount else -amount end) as minutes,
                sum(case when reverses is null then 1 else -1 end) as services
            from (
                select t.*, t.effective_at at time zone b.zone as local
                from transfer t join book b on b.id = t.book_id
                where t.book_id = :book and t.assurance is not null and t.volunteer is not null
            ) t group by 1, 2, 3, 4
        )
        select 'volunteer ' || coalesce(m.volunteer, s.volunteer)
            || ' in ' || coalesce(m.month, s.month) as broken
        from made m full join (select * from volunteer_month where book_id = :book) s
            on (s.month, s.volunteer, s.assurance, s.measured)
            = (m.month, m.volunteer, m.assurance, m.measured)
        where (s.minutes, s.services) is distinct from (m.minutes, m.services)
    """,
    "audit.leaf_differs": log_audit.find_differing_leaves,
    "audit.tree_differs": log_audit.find_differing_trees,
    "audit.report_segment_differs": columns_audit.find_differing_segments,
    "audit.report_sums_differ": columns_audit.find_differing_states,
}
"""Each rule with what returns the rows that break it, in the order of checking."""


async def find_broken(conn: AsyncConnection, *, book: int, rule: str) -> Finding | None:
    """Return what breaks a rule in a book, or None where it holds.

    Cost: one pass over the whole book, which may use 128 MB of the server's memory at each step.
    """
    check = RULES[rule]
    await conn.execute(text("set local work_mem = '128MB'"))
    count = 0
    examples: list[str] = []
    async for broken in _stream(conn, check, book) if isinstance(check, str) else check(conn, book):
        count += 1
        if len(examples) < EXAMPLES_MAX:
            examples.append(broken)
    return Finding(rule, count, tuple(examples)) if count else None


async def _stream(conn: AsyncConnection, statement: str, book: int) -> AsyncIterator[str]:
    async for (broken,) in await conn.stream(text(statement), {"book": book}):
        yield broken
