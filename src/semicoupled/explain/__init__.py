"""Look inside the method and a trained model."""
