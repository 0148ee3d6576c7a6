"""The recipe that makes the in-house networks: rendered jewelry as data. Owns the recipe; refuses inference and photos of others."""
