"""The backup file: a restarted server goes on from where it was, alone or in a pair."""
