"""Floor 1: bytes to T-events and back, and the health of a T-Server link."""
