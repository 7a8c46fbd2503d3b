"""Moving the champion."""
