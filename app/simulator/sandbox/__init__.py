"""The sandbox: a page and an API with which an integrator makes the simulated Clio do something on purpose.

`actions` lists what can be done, `clients`, `matters` and `failures` do it, `scene` is the firm on which it is done.
`routes` is the page and the API, `guard` decides who may call them. The simulator on sockets serves it; a simulator
inside a process does not.
"""
