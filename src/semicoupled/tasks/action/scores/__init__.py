"""How good answers are: measures and their pictures."""
