"""The in-house networks as data, what they see of a picture, and the door to them. Refuses inference."""
