"""The client protocol: requests in, events out, without a socket in sight."""
