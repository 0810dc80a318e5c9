"""A pack with one number changed: a value of its own, with its own hash, that can be kept as is."""

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from timebank.policy.pack import read_stored_pack
from timebank.policy.problem import PackRefused
from timebank.policy.rule import Pack, Status


def with_value(
    pack: Pack, name: str, *, value: int | Sequence[int], from_on: date, cite: str = ""
) -> Pack | PackRefused:
    """Return the pack with a parameter's value from a day on, as a draft; or why it cannot be.

    A value that begins on the day is replaced; one that holds on it ends there, and those that
    begin later give way: from the day on, nothing but the new value holds. Without a citation of
    its own the new value stands as assumed, after the citation of the one before.

    Raises:
        KeyError: The pack has no such parameter.
    """
    document: dict[str, Any] = json.loads(pack.canonical)
    values: list[dict[str, Any]] = document["param"][name]
    kept = [each for each in values if _day(each) < from_on]
    before = (kept or values)[-1] if kept else values[0]
    fresh = {
        "from": {"$date": from_on.isoformat()},
        "value": list(value) if isinstance(value, Sequence) else value,
        "cite": cite or before["cite"],
    }
    if not cite:
        fresh["source"] = "assumed"
    document["param"][name] = [*kept, fresh]
    canonical = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return read_stored_pack(canonical.encode(), status=Status.DRAFT)


def _day(dated: dict[str, Any]) -> date:
    return date.fromisoformat(dated["from"]["$date"])
