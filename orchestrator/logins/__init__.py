"""The subscriptions' logins: where they lie, whether they can be used, and the watch that sees them come and go."""
