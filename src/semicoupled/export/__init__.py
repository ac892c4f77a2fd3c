"""A trained model as programs that run without this package: torch.export and ONNX, one step at a time."""
