"""Packs that an office writes: saved, submitted with a citation, enacted by a second person."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

CITATION_LENGTH_MAX = 300
"""The longest citation: an instrument's name, number and article."""


class DraftAct(StrEnum):
    """What was done with a draft; each at most once."""

    SUBMITTED = "submitted"
    ENACTED = "enacted"
    SENT_BACK = "sent_back"


class DraftRefusal(StrEnum):
    """Why a draft stays as it is, in order of precedence."""

    ALREADY_DECIDED = "draft.already_decided"
    NOT_WHOLE = "draft.not_whole"
    CASES_FAIL = "draft.cases_fail"
    UNTRIED = "draft.untried"
    NO_CITATION = "draft.no_citation"
    NOT_SUBMITTED = "draft.not_submitted"
    OWN_DRAFT = "draft.own_draft"


@dataclass(frozen=True, slots=True)
class DraftRefused:
    """The outcome of an act on a draft that was not carried out."""

    reason: DraftRefusal


def decide_enactment(
    *, act: DraftAct, acts: frozenset[DraftAct], submitted_by: UUID | None, person: UUID
) -> DraftRefusal | None:
    """Return why somebody may not enact a draft or send it back, or None when they may.

    Nobody enacts what they submitted themselves: money, honours and places hang on it. They may
    take it back.
    """
    if acts & {DraftAct.ENACTED, DraftAct.SENT_BACK}:
        return DraftRefusal.ALREADY_DECIDED
    if DraftAct.SUBMITTED not in acts:
        return DraftRefusal.NOT_SUBMITTED
    if submitted_by == person and act is DraftAct.ENACTED:
        return DraftRefusal.OWN_DRAFT
    return None
