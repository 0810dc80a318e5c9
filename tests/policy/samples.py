"""Small packs as text, for tests that need one of their own."""

from collections.abc import Callable
from datetime import date
from importlib import resources
from pathlib import Path
from textwrap import dedent
from time import process_time

from timebank.domain.assurance import Assurance
from timebank.policy.condition import Leaf, Op, Unknown
from timebank.policy.fact import FactUse
from timebank.policy.pack import read_pack, read_pack_files
from timebank.policy.parameter import Citation, DatedValue, Need, Parameter, Source
from timebank.policy.problem import PackRefused
from timebank.policy.rule import Pack
from timebank.policy.window import Window, WindowKind

HEAD = """\
[pack]
id = "sample"
version = "1"
status = "enacted"
title = { zh = "样本", en = "Sample" }
issuer = { zh = "某县", en = "A county" }

[[instrument]]
id = "d3"
title = { zh = "第三号令", en = "Decree 3" }
issuer = { zh = "某县", en = "A county" }
"""

PARAMS = """\
[[param.film_minutes]]
from = 2023-01-01
value = 18000
cite = "d3 art. 4"
[[param.film_minutes]]
from = 2024-07-01
value = 12000
cite = "d3 art. 5"
"""

FILM = """\
[[rule]]
id = "film"
title = { zh = "观影", en = "Film pass" }
dimension = "economic"
cite = "d3 art. 7(2)"
valid = { from = 2023-01-01 }
grant = { kind = "pass", item = "film", count = 12 }
limits = [{ per = "person", period = "calendar_year", max = 1 }]
approve = { by = "county" }
when.all = [
  { fact = "minutes", window = "calendar_year", op = ">=", param = "film_minutes" },
  { fact = "bad_credit", window = "months(36)", op = "==", value = false },
]
"""


def files(
    pack: str = HEAD, params: str = PARAMS, rules: str = FILM, **more: str
) -> dict[str, bytes]:
    """Return a pack's files; `cases="..."` adds cases.toml."""
    found = {"pack.toml": pack, "params.toml": params, "rules/rules.toml": rules}
    found |= {f"{name}.toml": text for name, text in more.items()}
    return {name: text.encode() for name, text in found.items() if text}


def read(**texts: str) -> Pack:
    """Return a pack that must be accepted."""
    pack = read_pack_files(files(**texts))
    assert not isinstance(pack, PackRefused), str(pack)
    return pack


def shipped(*ids: str) -> list[Pack]:
    """Return some of the packs that ship, by id."""
    found = []
    for folder in sorted(Path(str(resources.files("timebank") / "packs")).iterdir()):
        pack = read_pack(folder)
        if not isinstance(pack, PackRefused) and pack.id in ids:
            found.append(pack)
    assert len(found) == len(ids)
    return found


def problems(**texts: str) -> list[str]:
    """Return the problems of a pack that must be refused, as `file:line code subject`."""
    refused = read_pack_files(files(**texts))
    assert isinstance(refused, PackRefused)
    return [
        f"{each.file}:{each.line} {each.code.value} {each.subject}".rstrip()
        for each in refused.problems
    ]


def rule(when: str) -> str:
    """Return the film rule with another condition: the text of the inline table after `when =`."""
    return FILM[: FILM.index("when.all")] + f"when = {dedent(when).strip()}\n"


def constant(value: Need) -> Parameter:
    """Return a value that never changes."""
    return Parameter("", (DatedValue(date.min, value, Citation("d3", "art. 1", Source.TEXT)),))


def leaf(
    name: str,
    op: Op,
    value: Need,
    *,
    window: WindowKind | None = WindowKind.LIFETIME,
    assurance_min: Assurance = Assurance.A0,
    unknown: Unknown = Unknown.ASK,
    node: str = "n",
) -> Leaf:
    """Return a leaf that compares a fact with one value."""
    use = FactUse(name, None if window is None else Window(window), assurance_min)
    return Leaf(node, use, op, constant(value), unknown=unknown)


def seconds_of(work: Callable[[], object]) -> float:
    """Return the least processor time of five runs: what the work costs when nothing disturbs it."""
    best = float("inf")
    for _ in range(5):
        started = process_time()
        work()
        best = min(best, process_time() - started)
    return best
