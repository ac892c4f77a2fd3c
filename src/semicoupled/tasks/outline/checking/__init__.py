"""Looking at annotations before training on them."""
