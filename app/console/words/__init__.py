"""The meaning of codes in plain words: one module for each kind of code. A code without words here is a new one."""
