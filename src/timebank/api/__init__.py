"""HTTP for programs: JSON in, JSON out, problems with stable codes."""

from timebank.api.active_rate import show_active_rate
from timebank.api.entries import show_entries
from timebank.api.numbers import show_numbers

HANDLERS = [show_active_rate, show_entries, show_numbers]
"""What the framework routes; `checkins` stands before it."""
