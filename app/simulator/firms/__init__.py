"""The firms that the simulator offers."""
