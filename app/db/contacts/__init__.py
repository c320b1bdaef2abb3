"""Contacts as Levitate reads them, the change feed, new clients, holds and erasures."""
