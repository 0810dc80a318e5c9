"""Reading a pack, and refusing an incomplete or hostile one.

A pack is a folder of data: `pack.toml` (what it is, its instruments, and, if it is small, all the
rest too), `params.toml`, `rules/*.toml`, `tables/*.csv`, `cases.toml`, `scenarios/*.csv`. Whatever
this release does not do is refused by name: a rule that is read is a rule that is carried out in
full.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from timebank.policy.canonical import read_canonical, write_canonical
from timebank.policy.clause import (
    INSTRUMENT,
    RULE,
    parameter_items,
    read_instrument,
    read_parameters,
    read_rule,
    refuse_repeated,
)
from timebank.policy.credit import CreditTerms
from timebank.policy.document import VALUES_MAX, Fields, read_document
from timebank.policy.form import ID, Form, Notes
from timebank.policy.grammar import Reading
from timebank.policy.problem import PackRefused, Problem, ProblemCode
from timebank.policy.promise import CASE, SCENARIO, read_case, read_scenario
from timebank.policy.provision import (
    CREDIT,
    GROUP,
    PARTS_MAX,
    POOL,
    mutual,
    read_credit,
    read_group,
    read_names,
    read_pool,
    refuse_mixed_group,
)
from timebank.policy.rule import Case, Pack, Scenario, Status
from timebank.policy.sheet import TABLE, Sheet, read_sheet, read_table

FILE_BYTES_MAX = 1 << 20
"""Largest file: far more than any rule-maker writes."""

PACK_BYTES_MAX = 4 << 20
"""Largest pack."""

FILES_MAX = 64
"""Most files of a pack."""

CURRENCY = "CNY"
"""The one currency: amounts of money are fen."""

_PACK = frozenset({"id", "version", "status", "title", "issuer", "filing", "currency"})
_RULE_FILE = re.compile(r"rules/[^/]+\.toml")
_SHEET_FILE = re.compile(r"(tables|scenarios)/[a-z0-9][a-z0-9_-]*\.csv")


def read_pack(folder: Path) -> Pack | PackRefused:
    """Return the pack in a folder, or every reason why it is refused.

    Links are not followed; files whose names begin with a dot, and `*.md`, are not part of a pack.
    """
    if not folder.is_dir():
        return PackRefused((Problem(str(folder), 0, ProblemCode.NO_FOLDER),))
    files: dict[str, bytes] = {}
    problems: list[Problem] = []
    for path in _walk(folder):
        name = path.relative_to(folder).as_posix()
        if len(files) + len(problems) >= FILES_MAX:
            problems.append(Problem(name, 0, ProblemCode.TOO_MANY, f"{FILES_MAX} files"))
            break
        if path.is_symlink() or not path.is_file():
            problems.append(Problem(name, 0, ProblemCode.NOT_A_FILE))
            continue
        with path.open("rb") as file:
            files[name] = file.read(FILE_BYTES_MAX + 1)
        if sum(map(len, files.values())) > PACK_BYTES_MAX:
            problems.append(Problem(name, 0, ProblemCode.TOO_LARGE))
            break
    return read_pack_files(files) if not problems else PackRefused(tuple(problems))


def _walk(folder: Path) -> Iterator[Path]:
    """Yield what may be a pack's file, by name, two folders deep and never through a link."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.suffix == ".md":
            continue
        if path.is_dir() and not path.is_symlink():
            yield from (each for each in sorted(path.iterdir()) if not each.name.startswith("."))
        else:
            yield path


def read_pack_files(files: Mapping[str, bytes]) -> Pack | PackRefused:
    """Return the pack that files by name make, such as `rules/film.toml`; or why it is refused."""
    problems: list[Problem] = []
    documents: dict[str, Fields] = {}
    sheets: dict[str, Sheet] = {}
    values = 0
    if "pack.toml" not in files:
        problems.append(Problem("pack.toml", 0, ProblemCode.NO_PACK_FILE))
    if sum(map(len, files.values())) > PACK_BYTES_MAX:
        return PackRefused((Problem("pack.toml", 0, ProblemCode.TOO_LARGE),))
    for name in sorted(files):
        is_sheet = _SHEET_FILE.fullmatch(name) is not None
        is_document = name in ("pack.toml", "params.toml", "cases.toml") or _RULE_FILE.fullmatch(
            name
        )
        if not is_sheet and not is_document:
            problems.append(Problem(name, 0, ProblemCode.UNKNOWN_FILE))
        elif len(files[name]) > FILE_BYTES_MAX:
            problems.append(Problem(name, 0, ProblemCode.TOO_LARGE))
        elif is_sheet:
            sheet = read_sheet(files[name], file=name)
            if isinstance(sheet, Problem):
                problems.append(sheet)
            else:
                sheets[name] = sheet
        else:
            found = read_document(files[name], file=name, values_max=VALUES_MAX - values)
            values += found.values
            problems.extend(found.problems)
            if found.root is not None:
                documents[name] = found.root
    if "pack.toml" not in documents or len(documents) + len(sheets) < len(files):
        return PackRefused(tuple(sorted(problems)))
    return assemble(documents, sheets, tuple(problems))


def read_stored_pack(canonical: bytes, *, status: Status) -> Pack | PackRefused:
    """Return a pack from its canonical form, as a database keeps it. It has no cases.

    Raises:
        ValueError: The bytes are not a canonical form that this release knows.
    """
    return assemble({"pack.toml": read_canonical(canonical, status=status.value)}, {})


def assemble(
    documents: Mapping[str, Fields],
    sheets: Mapping[str, Sheet],
    flaws: tuple[Problem, ...] = (),
) -> Pack | PackRefused:
    """Return the pack, or the flaws of single values together with whatever else is wrong.

    Of a line with a flaw nothing else is said: what follows from the flaw would only distract.
    """
    problems: list[Problem] = []
    tops = {
        name: Form(root, Notes(name, problems), 1, known=frozenset(_known_keys(name)))
        for name, root in documents.items()
    }
    main = tops["pack.toml"]

    head = main.form("pack", known=_PACK)
    pack_id = None if head is None else head.name("id", ID)
    if head is not None and "currency" in head.fields and head.text("currency") != CURRENCY:
        head.note(ProblemCode.WRONG_VALUE, "currency", "currency")
    instrument_forms = list(main.forms("instrument", known=INSTRUMENT))
    instruments = [read_instrument(form) for form in instrument_forms]
    refuse_repeated(instrument_forms)
    named = (form.fields["id"].value for form in instrument_forms if "id" in form.fields)
    reading = Reading(pack_id or "", frozenset(str(each) for each in named))
    for name in ("pack.toml", "params.toml"):
        if name in tops and "param" in tops[name].fields:
            read_parameters(tops[name], reading)
    terms = _read_parts(tops, reading, sheets)

    rule_forms = _forms(tops, "rule", RULE)
    if not rule_forms:
        main.note(ProblemCode.MISSING_KEY, "rule")
    rules = [read_rule(form, reading) for form in rule_forms]
    refuse_repeated(rule_forms)
    providers = [form for form in rule_forms if "provides" in form.fields]
    for form in providers[1:]:
        form.note(ProblemCode.DUPLICATE_ID, "provides", "provides")
    rule_ids = frozenset(str(form.fields["id"].value) for form in rule_forms if "id" in form.fields)
    promised = rule_ids | {
        f"{each.id}/{name}"
        for each in terms
        if each is not None
        for name, condition in (("use", each.use), ("receive", each.receive))
        if condition is not None
    }
    for rule_id, notes, line in reading.named_rules:
        if rule_id not in rule_ids:
            notes.note(ProblemCode.UNKNOWN_RULE, rule_id, line)
    if None not in rules:
        _refuse_unused(tops, reading, sheets)
        whole = [rule for rule in rules if rule is not None]
        for form in _forms(tops, "group", GROUP):
            refuse_mixed_group(form, reading, whole)

    cases: list[Case | None] = []
    scenarios: list[Scenario | None] = []
    if "cases.toml" in tops:
        top = tops["cases.toml"]
        required = "scenario" not in top.fields
        cases = [
            read_case(form, reading, rule_ids=promised)
            for form in top.forms("case", known=CASE, required=required)
        ]
        if not required:
            scenarios = [
                read_scenario(form, reading, sheets, rule_ids=rule_ids)
                for form in top.forms("scenario", known=SCENARIO)
            ]
    problems.extend(
        Problem(name, 0, ProblemCode.UNUSED, name)
        for name in sheets
        if name.startswith("scenarios/") and name not in reading.used_parts
    )
    version = None if head is None else head.text("version")
    status = None if head is None else head.choice("status", Status)
    title = None if head is None else head.bilingual("title")
    issuer = None if head is None else head.bilingual("issuer")
    filing = None if head is None else head.text("filing", required=False)
    flawed = {(flaw.file, flaw.line) for flaw in flaws}
    found = {each for each in problems if (each.file, each.line) not in flawed} | set(flaws)
    if found:
        return PackRefused(tuple(sorted(found)))
    if pack_id is None or version is None or status is None or title is None or issuer is None:
        raise AssertionError("a field was refused without a problem")

    canonical = write_canonical(
        documents, sheets={name: [cells for _, cells in each.rows] for name, each in sheets.items()}
    )
    return Pack(
        id=pack_id,
        version=version,
        status=status,
        title=title,
        issuer=issuer,
        filing=filing or "",
        instruments=tuple(each for each in instruments if each is not None),
        parameters=tuple(reading.parameters[name] for name in sorted(reading.parameters)),
        rules=tuple(rule for rule in rules if rule is not None),
        cases=tuple(case for case in cases if case is not None),
        canonical=canonical,
        hash=hashlib.sha256(canonical).hexdigest(),
        tables=tuple(reading.tables.values()),
        pools=tuple(reading.pools.values()),
        groups=tuple(mutual(reading.groups.values())),
        credits=tuple(each for each in terms if each is not None),
        scenarios=tuple(each for each in scenarios if each is not None),
    )


def _forms(tops: Mapping[str, Form], name: str, known: frozenset[str]) -> list[Form]:
    return [
        form for top in tops.values() if name in top.fields for form in top.forms(name, known=known)
    ]


def _read_parts(
    tops: Mapping[str, Form], reading: Reading, sheets: Mapping[str, Sheet]
) -> list[CreditTerms | None]:
    """Read what rules share into what is known; return the terms of credits and points."""
    forms = {
        "table": _forms(tops, "table", TABLE),
        "pool": _forms(tops, "pool", POOL),
        "group": _forms(tops, "group", GROUP),
        "credit": _forms(tops, "credit", CREDIT),
    }
    for name, listed in forms.items():
        refuse_repeated(listed)
        reading.declared_parts |= {
            f"{name}/{form.fields['id'].value}" for form in listed if "id" in form.fields
        }
    if len(forms["pool"]) > PARTS_MAX:
        forms["pool"][PARTS_MAX].note(ProblemCode.TOO_MANY, f"{PARTS_MAX} pools", "id")
        forms["pool"] = forms["pool"][:PARTS_MAX]
    for form in forms["table"]:
        if table := read_table(form, reading, sheets):
            reading.tables[table.id] = table
    for form in forms["pool"]:
        if pool := read_pool(form, reading):
            reading.pools[pool.id] = pool
    for form in forms["group"]:
        if group := read_group(form, reading):
            reading.groups[group.id] = group
        for other in read_names(form, "excludes") or ():
            if f"group/{other}" not in reading.declared_parts:
                form.note(ProblemCode.UNKNOWN_GROUP, other, "excludes")
    found = [read_credit(form, reading) for form in forms["credit"]]
    reading.terms |= {
        str(form.fields["id"].value) for form in forms["credit"] if "id" in form.fields
    }
    return found


def _refuse_unused(tops: Mapping[str, Form], reading: Reading, sheets: Mapping[str, Sheet]) -> None:
    for top in tops.values():
        for name, item in parameter_items(top).items():
            if name not in reading.used:
                top.notes.note(ProblemCode.UNUSED_PARAMETER, name, item.line)
    for part, known in (("table", TABLE), ("pool", POOL), ("group", GROUP)):
        for form in _forms(tops, part, known):
            part_id = form.fields.get("id")
            if part_id is not None and f"{part}/{part_id.value}" not in reading.used_parts:
                form.note(ProblemCode.UNUSED, str(part_id.value), "id")
    for name in sheets:
        if name.startswith("tables/") and name not in reading.used_parts:
            notes = Notes(name, tops["pack.toml"].notes.problems)
            notes.note(ProblemCode.UNUSED, name, 0)


_ANYWHERE = ("rule", "table", "pool", "group", "credit")


def _known_keys(file: str) -> tuple[str, ...]:
    match file:
        case "pack.toml":
            return ("pack", "instrument", "param", *_ANYWHERE)
        case "params.toml":
            return ("param", "table", "pool", "group", "credit")
        case "cases.toml":
            return ("case", "scenario")
        case _:
            return _ANYWHERE
