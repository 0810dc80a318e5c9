"""The tables of the store, a module for each noun.

A county's rows carry its book first, which is also the shard key.
"""

from timebank.store.tables.access_tokens import access_token
from timebank.store.tables.activities import activity, shift
from timebank.store.tables.appointments import appointment
from timebank.store.tables.attendance import attendance
from timebank.store.tables.attestations import attestation
from timebank.store.tables.audit_events import audit_event
from timebank.store.tables.cards import card
from timebank.store.tables.clearances import (
    agreement,
    guardian_consent,
    insurance,
)
from timebank.store.tables.code_tries import code_try
from timebank.store.tables.consents import consent, helped_act
from timebank.store.tables.definitions import rate_definition
from timebank.store.tables.devices import device_key
from timebank.store.tables.exchange import exchange_batch, exchange_check
from timebank.store.tables.flags import scan_flag
from timebank.store.tables.head_counts import head_count
from timebank.store.tables.held_entries import held_entry
from timebank.store.tables.meeting_points import meeting_point
from timebank.store.tables.numbering import numbering
from timebank.store.tables.objections import objection, objection_step, objection_text
from timebank.store.tables.offline_readings import offline_reading
from timebank.store.tables.organizations import organization
from timebank.store.tables.outbox import outbox
from timebank.store.tables.pack_drafts import pack_act, pack_draft
from timebank.store.tables.packs import pack
from timebank.store.tables.paper_lines import paper_line
from timebank.store.tables.partners import partner, partner_item, partner_try
from timebank.store.tables.people import person
from timebank.store.tables.pools import catalog_item, pool
from timebank.store.tables.profiles import profile, training
from timebank.store.tables.publications import (
    annotation,
    publication,
    publication_file,
    publication_register,
)
from timebank.store.tables.reaches import reach
from timebank.store.tables.regions import region, residents, residents_aged
from timebank.store.tables.reminders import reminder
from timebank.store.tables.repayments import repayment, repayment_decision
from timebank.store.tables.retractions import retraction
from timebank.store.tables.reviews import sample, sample_item, signal_review
from timebank.store.tables.selections import (
    selection,
    selection_act,
    selection_lot,
    selection_member,
    selection_result,
    selection_tie,
    selection_vote,
)
from timebank.store.tables.signins import one_time_code, sign_in
from timebank.store.tables.signups import signup
from timebank.store.tables.standing_reports import report_delivery, standing_report
from timebank.store.tables.stations import station, station_figure
from timebank.store.tables.thresholds import threshold
from timebank.store.tables.volunteers import absence, residence, residence_former, volunteer
from timebank.store.tables.waiting import calendar_feed, shift_message, waiting_place

__all__ = [
    "APPEND_ONLY",
    "ERASABLE",
    "absence",
    "access_token",
    "activity",
    "agreement",
    "annotation",
    "appointment",
    "attendance",
    "attestation",
    "audit_event",
    "calendar_feed",
    "card",
    "catalog_item",
    "code_try",
    "consent",
    "device_key",
    "exchange_batch",
    "exchange_check",
    "guardian_consent",
    "head_count",
    "held_entry",
    "helped_act",
    "insurance",
    "meeting_point",
    "numbering",
    "objection",
    "objection_step",
    "objection_text",
    "offline_reading",
    "one_time_code",
    "organization",
    "outbox",
    "pack",
    "pack_act",
    "pack_draft",
    "paper_line",
    "partner",
    "partner_item",
    "partner_try",
    "person",
    "pool",
    "profile",
    "publication",
    "publication_file",
    "publication_register",
    "rate_definition",
    "reach",
    "region",
    "reminder",
    "repayment",
    "repayment_decision",
    "report_delivery",
    "residence",
    "residence_former",
    "residents",
    "residents_aged",
    "retraction",
    "sample",
    "sample_item",
    "scan_flag",
    "selection",
    "selection_act",
    "selection_lot",
    "selection_member",
    "selection_result",
    "selection_tie",
    "selection_vote",
    "shift",
    "shift_message",
    "sign_in",
    "signal_review",
    "signup",
    "standing_report",
    "station",
    "station_figure",
    "threshold",
    "training",
    "volunteer",
    "waiting_place",
]

APPEND_ONLY = (
    absence,
    residence_former,
    helped_act,
    shift_message,
    annotation,
    audit_event,
    exchange_batch,
    exchange_check,
    head_count,
    objection,
    objection_step,
    pack,
    pack_act,
    pack_draft,
    paper_line,
    partner_item,
    publication,
    publication_file,
    publication_register,
    rate_definition,
    reach,
    reminder,
    repayment,
    repayment_decision,
    retraction,
    scan_flag,
    selection,
    selection_act,
    selection_lot,
    selection_member,
    selection_result,
    selection_tie,
    selection_vote,
    signal_review,
    station_figure,
    threshold,
)
"""On these the application may insert and select, nothing more."""

ERASABLE = (attestation, objection_text)
"""What is said of people, or they say themselves: inserted, and deleted for good."""
