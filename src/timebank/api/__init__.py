"""HTTP for programs: JSON in, JSON out, problems with stable codes."""

from timebank.api.active_rate import show_active_rate

HANDLERS = [show_active_rate]
"""What the framework routes; `checkins` stands before it."""
