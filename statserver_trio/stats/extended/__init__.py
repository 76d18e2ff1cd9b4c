"""Statistics whose values come from an extension: what is offered, and what was told."""
