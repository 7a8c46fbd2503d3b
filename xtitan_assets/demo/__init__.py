"""The main job, end to end: from nothing to a promoted model and a runner that trades it."""
