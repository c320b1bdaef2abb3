"""The version of the rules: which answers they give. A test compares it with a digest of their answers [row 56]."""

# Raise it with each change after which a firm's contacts could get other answers. After an upgrade, contacts that were
# assessed with a lower version are assessed again (app/sync/upgrades.py).
VERSION = 3
