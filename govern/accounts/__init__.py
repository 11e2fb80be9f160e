"""Who is signed in, how they proved it, and the roles that they hold in each cooperative."""
