"""Data quality: addresses that do not work, likely duplicates, and what blocks voting."""
