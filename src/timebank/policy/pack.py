"""Reading a pack, and refusing an incomplete or hostile one.

A pack is a folder of data: `pack.toml` (what it is, its instruments, and, if it is small, its
parameters and rules too), `params.toml`, `rules/*.toml`, `cases.toml`. Whatever this release does
not do is refused by name: a rule that is read is a rule that is carried out in full.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from timebank.policy.canonical import read_canonical, write_canonical
from timebank.policy.clause import (
    INSTRUMENT,
    LATER_RULE,
    RULE,
    parameter_items,
    read_instrument,
    read_parameters,
    read_rule,
    refuse_repeated,
)
from timebank.policy.document import VALUES_MAX, Fields, read_document
from timebank.policy.form import ID, Form, Notes
from timebank.policy.grammar import Reading
from timebank.policy.problem import PackRefused, Problem, ProblemCode
from timebank.policy.promise import CASE, read_case
from timebank.policy.rule import Pack, Status

FILE_BYTES_MAX = 1 << 20
"""Largest file: far more than any rule-maker writes."""

PACK_BYTES_MAX = 4 << 20
"""Largest pack."""

FILES_MAX = 64
"""Most files of a pack."""

_PACK = frozenset({"id", "version", "status", "title", "issuer", "filing"})
_LATER_TOP = frozenset({"pool", "group", "exclusive", "override", "table", "scenario", "campaign"})
_RULE_FILE = re.compile(r"rules/[^/]+\.toml")


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
    values = 0
    if "pack.toml" not in files:
        problems.append(Problem("pack.toml", 0, ProblemCode.NO_PACK_FILE))
    if sum(map(len, files.values())) > PACK_BYTES_MAX:
        return PackRefused((Problem("pack.toml", 0, ProblemCode.TOO_LARGE),))
    for name in sorted(files):
        if name.startswith("tables/"):
            problems.append(Problem(name, 0, ProblemCode.LATER, "tables"))
        elif name not in ("pack.toml", "params.toml", "cases.toml") and not _RULE_FILE.fullmatch(
            name
        ):
            problems.append(Problem(name, 0, ProblemCode.UNKNOWN_FILE))
        elif len(files[name]) > FILE_BYTES_MAX:
            problems.append(Problem(name, 0, ProblemCode.TOO_LARGE))
        else:
            found = read_document(files[name], file=name, values_max=VALUES_MAX - values)
            values += found.values
            problems.extend(found.problems)
            if found.root is not None:
                documents[name] = found.root
    if "pack.toml" not in documents or len(documents) < len(files):
        return PackRefused(tuple(sorted(problems)))
    return _assemble(documents, tuple(problems))


def read_stored_pack(canonical: bytes, *, status: Status) -> Pack | PackRefused:
    """Return a pack from its canonical form, as a database keeps it. It has no cases.

    Raises:
        ValueError: The bytes are not a canonical form that this release knows.
    """
    return _assemble({"pack.toml": read_canonical(canonical, status=status.value)})


def _assemble(
    documents: Mapping[str, Fields], flaws: tuple[Problem, ...] = ()
) -> Pack | PackRefused:
    """Return the pack, or the flaws of single values together with whatever else is wrong.

    Of a line with a flaw nothing else is said: what follows from the flaw would only distract.
    """
    problems: list[Problem] = []
    tops = {
        name: Form(
            root,
            Notes(name, problems),
            1,
            known=frozenset(_known_keys(name)),
            later=_LATER_TOP,
        )
        for name, root in documents.items()
    }
    main = tops["pack.toml"]

    head = main.form("pack", known=_PACK, later=frozenset({"currency", "calendar"}))
    pack_id = None if head is None else head.name("id", ID)
    instrument_forms = list(main.forms("instrument", known=INSTRUMENT))
    instruments = [read_instrument(form) for form in instrument_forms]
    refuse_repeated(instrument_forms)
    named = (form.fields["id"].value for form in instrument_forms if "id" in form.fields)
    reading = Reading(pack_id or "", frozenset(str(each) for each in named))
    for name in ("pack.toml", "params.toml"):
        if name in tops and "param" in tops[name].fields:
            read_parameters(tops[name], reading)

    rule_forms = [
        form
        for name, top in tops.items()
        if "rule" in top.fields
        for form in top.forms("rule", known=RULE, later=LATER_RULE)
    ]
    if not rule_forms:
        main.note(ProblemCode.MISSING_KEY, "rule")
    rules = [read_rule(form, reading) for form in rule_forms]
    refuse_repeated(rule_forms)
    providers = [form for form in rule_forms if "provides" in form.fields]
    for form in providers[1:]:
        form.note(ProblemCode.DUPLICATE_ID, "provides", "provides")
    rule_ids = frozenset(str(form.fields["id"].value) for form in rule_forms if "id" in form.fields)
    for rule_id, notes, line in reading.named_rules:
        if rule_id not in rule_ids:
            notes.note(ProblemCode.UNKNOWN_RULE, rule_id, line)
    if None not in rules:
        for top in tops.values():
            for name, item in parameter_items(top).items():
                if name not in reading.used:
                    top.notes.note(ProblemCode.UNUSED_PARAMETER, name, item.line)

    cases = (
        [
            read_case(form, reading, rule_ids=rule_ids)
            for form in tops["cases.toml"].forms("case", known=CASE)
        ]
        if "cases.toml" in tops
        else []
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

    canonical = write_canonical(documents)
    return Pack(
        id=pack_id,
        version=version,
        status=status,
        title=title,
        issuer=issuer,
        filing=filing or "",
        instruments=tuple(each for each in instruments if each is not None),
        parameters=tuple(reading.parameters.values()),
        rules=tuple(rule for rule in rules if rule is not None),
        cases=tuple(case for case in cases if case is not None),
        canonical=canonical,
        hash=hashlib.sha256(canonical).hexdigest(),
    )


def _known_keys(file: str) -> tuple[str, ...]:
    match file:
        case "pack.toml":
            return ("pack", "instrument", "param", "rule")
        case "params.toml":
            return ("param",)
        case "cases.toml":
            return ("case",)
        case _:
            return ("rule",)
