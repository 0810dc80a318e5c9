"""A county's time bank: service scanned, minutes recorded, rates reported, courtesies granted."""
