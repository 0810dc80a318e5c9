"""A fact, a kind of grant, a selector, a calendar and a pack for timebank: one of each."""
