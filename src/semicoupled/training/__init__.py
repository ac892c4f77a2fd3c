"""How the structure is trained: switches, segments, the objective, the loop.

Nothing is imported here, so that `semicoupled.training.settings` stays free of torch.
"""
