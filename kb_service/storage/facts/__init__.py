"""Facts of searchable revisions, their records, and what people corrected."""
