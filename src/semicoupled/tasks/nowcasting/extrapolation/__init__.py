"""What moves on as it moved: the motion field, advection along it, and the baselines that need no learning."""
