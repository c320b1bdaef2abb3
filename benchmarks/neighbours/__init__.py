"""Measures how long the work of a small firm waits beside a neighbour that has much work.

`stage` starts the processes, `sampled_firms` takes the samples, `loads` has the neighbours, `waits` the arithmetic.
"""
