"""The built-in firms: `harlow_pike.harlow_pike` (fixed records) and `seeded.seeded_firm` (any size, from a seed)."""
