"""``python -m offhand``."""

from offhand.cli import main

main()
