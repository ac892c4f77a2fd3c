"""How good outlines are: measures, the split's scores, and a simulated annotator."""
