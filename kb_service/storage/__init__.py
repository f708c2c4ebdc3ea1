"""What must survive: database, blobs and their invariants. Imports the domain; searches nothing."""
