"""Assemblies: convening, agenda, documents, resolutions, and the outcome of the votes."""
