"""What was answered: answers with their audit records, ratings and conversations."""
