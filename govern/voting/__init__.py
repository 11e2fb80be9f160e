"""Elections held with sealed ballots: keys, credentials, the box, the count, the archive.

Knows rolls and questions, not assemblies. ``protocol/`` is pure and knows nothing of the rest.
"""
