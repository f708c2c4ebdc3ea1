"""Who may use the service: keys with their rights, and whose a conversation is."""
