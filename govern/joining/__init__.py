"""Becoming a member: statutes to consent to, applications, acceptance, more shares."""
