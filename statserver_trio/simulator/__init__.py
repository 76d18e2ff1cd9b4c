"""A seeded contact centre that makes T-events, and the feed that serves them."""
