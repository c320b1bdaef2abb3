"""The simulated Clio over HTTP: server, OAuth, requests, responses, webhooks. It computes nothing about records.

Other folders use `server.Simulator`, `server.credentials`, `oauth.third_party_credentials` and `sockets.run`.
"""
