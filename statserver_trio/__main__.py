"""``python -m statserver_trio``: the same as ``statserver``."""

from .commands.main import main

if __name__ == "__main__":
    main()
