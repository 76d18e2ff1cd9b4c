"""Floor 3: actions and statuses become aggregates, aggregates become values."""
