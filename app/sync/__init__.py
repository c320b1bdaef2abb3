"""The order of things: connect, pull, assess, write back, deliver events. It runs no SQL and speaks no HTTP."""
