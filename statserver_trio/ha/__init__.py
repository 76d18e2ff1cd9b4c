"""The hot-standby pair: what two servers say to each other so that both count the same."""
