"""Floor 5: TOML to definitions, directory and options; every mistake with file, section and key."""
