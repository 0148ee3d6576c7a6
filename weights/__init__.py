"""The in-house networks as data, and the door to them. Refuses inference. No network ships yet."""
