"""The pages of docs/packs, one for each shipped pack, made from the packs themselves.

python -m tests.house.pack_pages
"""

from collections.abc import Iterator
from datetime import date
from importlib.resources import files
from pathlib import Path

from timebank.policy.check import run_cases
from timebank.policy.condition import All, AnyOf, AtLeast, Condition, Leaf, Not
from timebank.policy.fact import FactUse
from timebank.policy.grant import Amount, Cell, Dated, Fixed, PerUnit
from timebank.policy.pack import read_pack
from timebank.policy.parameter import Citation, Need, Parameter
from timebank.policy.problem import PackRefused
from timebank.policy.rule import Pack, Rule
from timebank.policy.selection import SelectMode
from timebank.policy.table import Table

PACKS = Path(str(files("timebank") / "packs"))
PAGES = Path(__file__).parents[2] / "docs" / "packs"


def rendered() -> dict[str, str]:
    """Return every page by the name of its file."""
    found = {}
    for folder in sorted(path for path in PACKS.iterdir() if path.is_dir()):
        pack = read_pack(folder)
        if isinstance(pack, PackRefused):
            raise ValueError(str(pack))
        found[f"{folder.name}.md"] = "\n".join(page(pack, folder.name)) + "\n"
    return found


def page(pack: Pack, folder: str) -> Iterator[str]:
    yield f"# {pack.title.zh} · {pack.title.en}\n"
    yield f"`{pack.id}` {pack.version}, {pack.status.value}. {pack.issuer.zh} · {pack.issuer.en}."
    yield f"{len(pack.cases)} cases and {len(pack.scenarios)} scenarios; try them with"
    yield f"`timebank pack check src/timebank/packs/{folder}`. Made from the pack: do not edit here.\n"
    assert not run_cases(pack)
    yield "## Where it stands\n"
    for each in pack.instruments:
        number = f" {each.number}" if each.number else ""
        day = f", {each.issued_on}" if each.issued_on else ""
        note = f"\n  {each.note.zh}\n  {each.note.en}" if each.note else ""
        yield f"- **{each.title.zh}** · {each.title.en}{number}{day}. {each.issuer.en}.{note}"
    yield "\n## Numbers\n"
    yield "| number | from | value | by whose word | |\n| --- | --- | --- | --- | --- |"
    for parameter in pack.parameters:
        for dated in parameter.values:
            note = "" if dated.note is None else f"{dated.note.zh} {dated.note.en}"
            yield (
                f"| `{parameter.name}` | {dated.from_on} | {value_words(dated.value)} "
                f"| {cited(dated.cite)} | {note} |"
            )
    for table in pack.tables:
        yield from table_page(table)
    yield "\n## Rules\n"
    for rule in pack.rules:
        yield from rule_page(pack, rule)
    if pack.groups:
        yield "## Groups\n"
        for group in pack.groups:
            without = ", ".join(f"`{each}`" for each in sorted(group.excludes))
            yield (
                f"- `{group.id}` {group.title.zh} · {group.title.en}: {group.mode.value}, "
                f"{group.every.value}"
                + (f"; never together with {without}" if without else "")
                + (f"; without a choice `{group.default}`" if group.default else "")
            )
        yield ""
    if pack.pools:
        yield "## Pools\n"
        for pool in pack.pools:
            where = ", ".join(str(each) for each in pool.regions)
            yield (
                f"- `{pool.id}` {pool.title.zh} · {pool.title.en}, of {pool.owner.zh} · "
                f"{pool.owner.en}: {number_words(pool.amount)} {pool.holds.value}, "
                f"{pool.every.value}; when it is empty: {pool.exhausted.value}; left over: "
                f"{pool.carry.value}"
                + (f"; for people of {where}" if where else "")
                + (f"; for {', '.join(sorted(pool.purposes))}" if pool.purposes else "")
                + (f"; an offer lapses after {pool.lapse.days} days" if pool.lapse else "")
            )
        yield ""
    for terms in pack.credits:
        yield f"## Terms of {terms.title.zh} · {terms.title.en} (`{terms.id}`)\n"
        gives = ", ".join(sorted(each.value for each in terms.gives_to)) or "nobody"
        yield f"- {terms.kind.value}, moved in blocks of {terms.block}; given to: {gives}"
        if terms.own_most is not None:
            yield f"- for own use at most {number_words(terms.own_most)}; the rest can only be given"
        for words, condition in (("may use their own", terms.use), ("may receive", terms.receive)):
            asked = "everybody" if condition is None else f"`{ask(condition)}`"
            yield f"- {words}: {asked}"
        yield f"- {cited(terms.cite)}\n"


def rule_page(pack: Pack, rule: Rule) -> Iterator[str]:
    yield f"### {rule.title.zh} · {rule.title.en} (`{rule.id}`)\n"
    if rule.note is not None:
        yield f"{rule.note.zh} {rule.note.en}\n"
    if rule.when is not None:
        yield f"- asks: `{ask(rule.when)}`"
    if rule.tiers is not None:
        levels = ", ".join(
            f"{level.title.zh} ({level.approver.value})" for level in rule.tiers.levels
        )
        yield f"- levels by `{use_words(rule.tiers.use)}` ≥ `{rule.tiers.parameter.name}`: {levels}"
        yield f"- a level is taken away: {rule.tiers.downgrade.value}"
    if rule.table is not None:
        yield f"- by the row of table `{rule.table.id}`"
    pool = f" out of `{rule.grant.pool}`" if rule.grant.pool else ""
    yield f"- gives {rule.grant.kind.value} `{rule.grant.item}`: {amount_words(rule.grant.amount)}{pool}"
    yield f"- once in: {rule.every.value}; run: {rule.schedule}; from {rule.valid.from_on}"
    if rule.group:
        yield f"- goes together with others as group `{rule.group}` says"
    if rule.select.mode is not SelectMode.EACH and rule.select.winners is not None:
        by = ", ".join(f"{each.order.value} {use_words(each.use)}" for each in rule.select.by)
        yield f"- {rule.select.mode.value}: {number_words(rule.select.winners)} win, by {by}"
    if rule.tiers is None:
        publicised = f", publicised {rule.publicise_days} days" if rule.publicise_days else ""
        yield f"- approved by {rule.approver.value}, {rule.approvals} people{publicised}"
    if rule.revoke.on:
        reasons = ", ".join(sorted(each.value for each in rule.revoke.on))
        yield f"- taken back on {reasons}: {rule.revoke.claw.value}"
    yield f"- {cited(rule.cite)}\n"


def table_page(table: Table) -> Iterator[str]:
    for version in table.versions:
        yield f"\nTable `{table.id}` from {version.from_on}, {cited(version.cite)}:\n"
        gives = list(version.rows[0].gives)
        yield "| row | " + " | ".join(gives) + " |"
        yield "| --- |" + " --- |" * len(gives)
        for row in version.rows:
            asked = ", ".join(
                f"{test.column} {test.op.value} {value_words(test.value)}" for test in row.tests
            )
            yield f"| {asked} | " + " | ".join(str(row.gives[name]) for name in gives) + " |"


def ask(condition: Condition) -> str:
    match condition:
        case Leaf():
            need = condition.parameter.name or value_words(condition.parameter.values[0].value)
            return f"{use_words(condition.use)} {condition.op.value} {need}"
        case All(_, parts):
            return " and ".join(ask(part) for part in parts)
        case AnyOf(_, parts):
            return "(" + " or ".join(ask(part) for part in parts) + ")"
        case AtLeast(_, count, parts):
            return f"at least {count} of ({', '.join(ask(part) for part in parts)})"
        case Not(_, part):
            return f"not ({ask(part)})"


def use_words(use: FactUse) -> str:
    named = [str(use.window)] if use.window else []
    named += [use.assurance_min.name] if use.assurance_min else []
    named += [str(each) for each in (use.category, use.region, use.register, use.rule) if each]
    return f"{use.name}({', '.join(named)})" if named else use.name


def amount_words(amount: Amount) -> str:
    match amount:
        case Fixed(count):
            return str(count)
        case Dated(parameter):
            return f"`{parameter.name}`"
        case Cell(column):
            return f"column `{column}`"
        case PerUnit(use, rate):
            return f"`{rate.name}` for `{use_words(use)}`"


def number_words(parameter: Parameter) -> str:
    return f"`{parameter.name}`" if parameter.name else value_words(parameter.values[0].value)


def value_words(value: Need) -> str:
    if isinstance(value, tuple):
        return ", ".join(value_words(each) for each in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value.isoformat() if isinstance(value, date) else str(value)


def cited(cite: Citation) -> str:
    return f"{cite} ({cite.source.value})"


def main() -> None:
    PAGES.mkdir(exist_ok=True)
    for name, text in rendered().items():
        (PAGES / name).write_text(text)


if __name__ == "__main__":
    main()
