"""A time bank for a county: service scanned, minutes recorded, rates reported, courtesies granted."""
