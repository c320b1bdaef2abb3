"""`python -m app.cli`: the same as `levitate-clio`."""

import gc

gc.disable()  # imports leave no garbage worth looking for, and the search takes a seventh of the start

from app.cli.commands import main  # noqa: E402

gc.enable()
main()
