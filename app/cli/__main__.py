"""`python -m app.cli`: the same as `levitate-clio`."""

from app.cli.commands import main

main()
