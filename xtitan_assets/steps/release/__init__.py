"""Promotion, rollback and demotion of the champion."""
