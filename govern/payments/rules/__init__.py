"""What is decided about payments, without database, web or clock."""
