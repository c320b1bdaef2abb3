"""The simulated Clio over HTTP: server, OAuth, requests, responses, webhooks."""
