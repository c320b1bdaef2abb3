"""Contacts as published: the result of the rules, the change feed, new clients, holds and erasures.

Modules for other folders: `contacts` (reading), `contact_store` (loading and saving for the assessment), `documents`
(JSON), `change_feed`, `new_clients`, `holds`, `hold_decisions`, `new_client_holds`, `preexisting_tags`, `erasures`.
Clio's records are in `app/db/mirror/`.
"""
