"""What the loader, the examples and small changes say about a draft, as its page shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from timebank.policy.authoring import look_through
from timebank.policy.check import run_cases, unseen_outcomes
from timebank.policy.rule import Pack
from timebank.policy.scenario import run_scenarios
from timebank.services import authoring
from timebank.web.catalog import Language, Translate
from timebank.web.draft_words import fault_words
from timebank.web.mutant_words import mutant_words, node_words
from timebank.web.parts import Choice

TYPING_SECONDS = 0.4
"""For trying changes while somebody types: the answer comes before they look up."""

SHOWN_SECONDS = 1.0
"""For trying changes when a draft is shown."""

ALL_SECONDS = 30.0
"""For trying all changes, when somebody asks for it."""

SURVIVORS_SHOWN = 12
"""Changes that no example notices, told at once; the others follow when these are mended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedCase:
    """One example of the draft, tried."""

    name: str
    is_kept: bool
    promised: str
    found: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedDraft:
    """What looking through a draft came to.

    Attributes:
        unseen: Conditions that no example tries both ways.
        strength: How many small changes of the rules the examples notice; None while they fail.
        can_edit: Examples can be added here with one press.
    """

    is_whole: bool
    problems: Sequence[str]
    problems_all: int
    cases: Sequence[TriedCase]
    failed: int
    unseen: Sequence[str]
    strength: "TriedStrength | None"
    can_edit: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedStrength:
    """How much the examples would notice if something were written wrongly.

    Attributes:
        survivors: Changes that no example notices: as they are posted, and in plain words.
        untried: Changes for which there was no time; `all_url` tries them too.
        numbers: Numbers tried at one less, at them and at one more.
        idle: Those at which nothing changes for anybody, in words.
    """

    changes: int
    noticed: int
    percent: int
    survivors: Sequence[Choice]
    survivors_all: int
    untried: int
    all_url: str
    numbers: int
    idle: Sequence[str]


def tried_draft(
    files: Mapping[str, str],
    *,
    seconds: float,
    language: Language,
    _: Translate,
    url: str = "",
    can_edit: bool = True,
) -> TriedDraft:
    """Return what a draft comes to; small changes are tried for at most some seconds."""
    looked = look_through(files)
    pack = looked.pack
    if pack is None:
        return TriedDraft(
            is_whole=False,
            problems=[fault_words(each, _) for each in looked.problems[:20]],
            problems_all=len(looked.problems),
            cases=[],
            failed=0,
            unseen=[],
            strength=None,
            can_edit=can_edit,
        )
    failed = {each.case: (each.promised, each.found) for each in run_cases(pack)}
    for each in run_scenarios(pack):
        person = _("第 {number} 人 {rule}", number=each.person, rule=each.rule_id)
        failed.setdefault(each.scenario, (f"{person}: {each.promised}", f"{person}: {each.found}"))
    named = [*(each.name for each in pack.cases), *(each.name for each in pack.scenarios)]
    return TriedDraft(
        is_whole=True,
        problems=[],
        problems_all=0,
        cases=[
            TriedCase(
                name=name,
                is_kept=name not in failed,
                promised=failed.get(name, ("", ""))[0],
                found=failed.get(name, ("", ""))[1],
            )
            for name in sorted(named, key=lambda each: each not in failed)
        ],
        failed=len(failed),
        unseen=list(
            dict.fromkeys(
                node_words(each, pack, language=language, _=_) for each in unseen_outcomes(pack)
            )
        ),
        strength=_strength(
            authoring.examine(files, seconds=seconds), pack, language=language, _=_, url=url
        ),
        can_edit=can_edit,
    )


def _strength(
    found: authoring.Strength | None, pack: Pack, *, language: Language, _: Translate, url: str
) -> TriedStrength | None:
    if found is None:
        return None
    return TriedStrength(
        changes=found.changes,
        noticed=found.tried - len(found.survivors),
        percent=found.percent,
        survivors=[
            Choice(
                value=each,
                label=mutant_words(each, pack, language=language, _=_),
                is_selected=False,
            )
            for each in found.survivors[:SURVIVORS_SHOWN]
        ],
        survivors_all=len(found.survivors),
        untried=found.changes - found.tried,
        all_url=f"{url}&deep=1" if url else "",
        numbers=found.numbers,
        idle=[
            node_words(f"{each.node}: idle", pack, language=language, _=_) for each in found.idle
        ],
    )


def files_with_examples(
    files: Mapping[str, str], example: str, *, language: Language, _: Translate
) -> dict[str, str]:
    """Return the files with an example for one change that none notices, or for all of them."""
    pack = look_through(files).pack
    if pack is None:
        return dict(files)
    whole = authoring.examine(files, seconds=ALL_SECONDS)
    changes = [] if whole is None else list(whole.survivors)
    return authoring.with_examples(
        files,
        changes if example == "all" else [example],
        name=lambda change: _(
            "看得出：{change}", change=mutant_words(change, pack, language=language, _=_)
        ),
    )
