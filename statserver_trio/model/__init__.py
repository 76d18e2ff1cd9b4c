"""Floor 2: what exists in the contact centre, and what it is doing right now."""
