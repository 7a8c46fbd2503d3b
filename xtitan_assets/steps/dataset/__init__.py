"""The training snapshot and its checks."""
