"""Fixtures of the tests of the house."""
