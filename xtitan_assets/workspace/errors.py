"""The tree of the pipeline's errors. Each message is one line: what is wrong, and what to do about it.

``PipelineError`` is the base. ``StepError`` is what a step raises; the others stand in the module whose work can fail
(parameters, samples, training, checkpoints, recordings, child processes).
"""

from __future__ import annotations

from xtitan_core.errors import XtitanError


class PipelineError(XtitanError):
    """Base of every error of this package that a person may see."""


class StepError(PipelineError, RuntimeError):
    """A step cannot do its work."""
