"""What happens to applications; see the modules."""
