"""meSimp in training: when neurons are cut, by which criterion, and the teacher of what remains."""
