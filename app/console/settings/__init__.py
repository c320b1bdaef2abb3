"""The form of the settings: its options, what a person sent, how two documents differ, and what Clio offers."""
