"""The command line, `levitate-clio`: its commands, the tokens, and the ground that they stand on."""
