"""The demonstration: the two cooperatives of the owner's documents with invented people.

Everything goes through the same services as in real life (import, roll, election, casting); the
figures that the sources do not give are labelled as invented.
"""
