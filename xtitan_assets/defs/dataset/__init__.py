"""The training snapshot."""
