"""What `plan` is made of: what it is told, and one file for each kind of process."""
