"""The parts of the network around the stacks: patches, first guess, encoder and decoder, heads, views."""
