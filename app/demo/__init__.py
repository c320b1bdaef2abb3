"""The demonstration behind `make run`. Meets service and simulator only as processes, through their HTTP."""
