"""The legal entities and their dated rule sets: the lowest feature, which knows no other."""
