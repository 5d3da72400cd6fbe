"""The papers' experiments: trainings, the tables and verdicts made of them, and the report."""
