"""A simulated Clio, as strict as the real one, for the demonstration and the tests.

It shares no code with the service. `http.server.Simulator` is the simulator in one process, `http.sockets.run` serves
it on ports, `firms` has the firms, `faults` what a test can switch on, `sandbox` what a person can cause. `store` has
no HTTP code; `http` stores nothing but tokens, webhook subscriptions and the log of requests.
"""
