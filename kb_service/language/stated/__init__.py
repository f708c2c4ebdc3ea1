"""What a text states, as facts: by its forms, its tables, its title and its sentences."""
