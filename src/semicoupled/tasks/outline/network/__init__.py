"""What the network is made of: prompts in, the decoder, heads out."""
