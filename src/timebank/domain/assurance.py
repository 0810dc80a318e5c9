"""How well a service record is evidenced."""

from enum import IntEnum, StrEnum


class Assurance(IntEnum):
    """The grade of a record's evidence; a policy names the lowest grade it accepts."""

    A0 = 0
    """Declared: entered later, from paper, an import or a static code."""
    A1 = 1
    """A valid rotating code, read by a signed-in volunteer."""
    A2 = 2
    """As A1, on the volunteer's bound device, with departure, the place not contradicting."""
    A3 = 3
    """The organizer scanned or confirmed the volunteer by name."""


def grade_stay(arrival: Assurance, departure: Assurance) -> Assurance:
    """Return the grade of a stay from its ends.

    The organizer who saw the person vouches for the stay; else it is as good as its weaker end.
    """
    if Assurance.A3 in (arrival, departure):
        return Assurance.A3
    return min(arrival, departure)


class Measured(IntEnum):
    """Which ends of a stay were measured by a code: bit 1 the arrival, bit 2 the departure."""

    NEITHER = 0
    ARRIVAL = 1
    DEPARTURE = 2
    BOTH = 3


class Evidence(StrEnum):
    """The class shown beside every number, best first."""

    SCANNED = "scanned"
    CONFIRMED = "confirmed"
    DECLARED = "declared"


def evidence_of(assurance: Assurance, measured: Measured) -> Evidence:
    """Return the class in which a record is shown."""
    if assurance is Assurance.A0:
        return Evidence.DECLARED
    return Evidence.SCANNED if measured == Measured.BOTH else Evidence.CONFIRMED
